"""Loading the team factory that a policy file names, such as `team.py:support_team`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.own_code import load_attribute


def load_factory(reference: str, folder: Path) -> Callable[[Any], Any]:
    """The function that a reference `file.py:name` stands for; the file is found beside the policy file.

    Raises:
        PolicyError: There is no such file or function, or the file fails when it is loaded.
    """
    try:
        factory = load_attribute(reference, folder)
    except PolicyError as error:
        placed = [Fault(one.message, where=one.where or "team") for one in error.faults]
        raise PolicyError(placed) from error.__cause__
    if not callable(factory):
        file_name, _, name = reference.partition(":")
        raise PolicyError([Fault(f"{file_name} has no function {name}", where="team")])
    made: Callable[[Any], Any] = factory
    return made
