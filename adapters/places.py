"""Where a fault stands: the line of the policy file, or of the team's own code."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from traceback import walk_tb
from typing import Any

from ringfence.errors import Fault, PolicyError
from ringfence.located_yaml import Document, Loc, dotted, parse
from ringfence.policy_file import read_text


def located(faults: Iterable[Fault], policy_file: Path, factory: Any = None) -> list[Fault]:
    """The faults, each with a file, and with a line as far as it can be told.

    What is wrong with a part of a team stands in the team's code, so the line of its factory is given.
    """
    document = _document(policy_file)
    return [fault if fault.file else _placed(fault, document, policy_file, factory) for fault in faults]


def line_in(error: BaseException, folder: Path) -> tuple[str, int] | None:
    """The file of this folder, and the line in it, where an error came from."""
    frames = [(Path(frame.f_code.co_filename), line) for frame, line in walk_tb(error.__traceback__)]
    inside = [(path.name, line) for path, line in frames if path.parent == folder.resolve()]
    return inside[-1] if inside else None


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
    known = [loc for loc in document.keys if loc and (where + ".").startswith((dotted(loc) + ".", dotted(loc) + "["))]
    return max(known, key=len, default=())


def _document(policy_file: Path) -> Document | None:
    try:
        return parse(read_text(policy_file)[1], str(policy_file))
    except PolicyError:
        return None
