"""Where a fault stands: the line of the policy file, or of the team's own code."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from traceback import walk_tb
from typing import Any

from ringfence.errors import Fault, PolicyError
from ringfence.located_yaml import Document, Loc, dotted, parse
from ringfence.policy_file import read_text

TEAM_PACKAGE = "ringfence_team_"
"""With this begin the names of the modules of a team that a policy file names; see `agents/team_file.py`."""


def located(faults: Iterable[Fault], policy_file: Path, factory: Any = None) -> list[Fault]:
    """The faults, each with a file, and with a line as far as it can be told.

    What is wrong with a part of a team stands in the team's code, so the line of its factory is given.
    """
    document = _document(policy_file)
    return [fault if fault.file else _placed(fault, document, policy_file, factory) for fault in faults]


def place_in_team(error: BaseException) -> tuple[str, int] | None:
    """The team's own file, and the line in it, where an error came from; None when it came from elsewhere."""
    frames = [
        (frame.f_globals.get("__name__", ""), frame, line) for frame, line in walk_tb(error.__traceback__)
    ]
    own = [(frame.f_code.co_filename, line) for name, frame, line in frames if name.startswith(TEAM_PACKAGE)]
    return own[-1] if own else None


def _placed(fault: Fault, document: Document | None, policy_file: Path, factory: Any) -> Fault:
    if document is not None and (loc := _loc(fault.where, document)):
        found = document.fault(fault.message, loc, at_key=loc not in document.values)
        return replace(fault, file=found.file, line=found.line, column=found.column)
    code = getattr(factory, "__code__", None)
    if code is not None:
        return replace(fault, file=code.co_filename, line=code.co_firstlineno, column=1)
    return replace(fault, file=str(policy_file))


def _loc(where: str, document: Document) -> Loc:
    """The place of the document that `where` names, or of the nearest thing around it."""
    known = [
        loc
        for loc in document.keys
        if loc and (where + ".").startswith((dotted(loc) + ".", dotted(loc) + "["))
    ]
    return max(known, key=len, default=())


def _document(policy_file: Path) -> Document | None:
    try:
        return parse(read_text(policy_file)[1], str(policy_file))
    except PolicyError:
        return None
