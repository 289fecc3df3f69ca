"""How a command ended: the exit code that scripts go by, and words for people and for JSON."""

from dataclasses import asdict
from enum import IntEnum
from pathlib import Path
from typing import Any

from ringfence.adapters.harmless import harmless, one_line
from ringfence.conversations.status import Status
from ringfence.errors import (
    AnswerRequired,
    ApprovalRequired,
    GuardrailTripped,
    LimitExceeded,
    PolicyError,
    RingfenceError,
    TaskError,
)
from ringfence.guardrails.approval import ApprovalRequest
from ringfence.guardrails.approval_evidence import evidence_of
from ringfence.guardrails.vault import Vault
from ringfence.places import place_in_team

_MORE = " (RINGFENCE_TRACEBACK=1 shows all of it, personal data included)"


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FAILED = 1
    INVALID = 2
    """Wrong usage, a policy file with faults, a team that cannot be fenced."""
    BLOCKED = 3
    """A guardrail said no."""
    LIMIT_REACHED = 4
    WAITING_FOR_APPROVAL = 5
    """So does a question that waits for its answer."""

    @property
    def word(self) -> str:
        """The status in JSON."""
        return self.name.lower()


def exit_of_status(status: Status) -> Exit:
    """The exit code of a conversation that ended without an error."""
    match status:
        case Status.DONE | Status.READY:
            return Exit.DONE
        case Status.LIMIT_REACHED:
            return Exit.LIMIT_REACHED
        case Status.WAITING_FOR_APPROVAL | Status.WAITING_FOR_ANSWER:
            return Exit.WAITING_FOR_APPROVAL
        case Status.BLOCKED:
            return Exit.BLOCKED
        case _:
            return Exit.FAILED


def exit_of_error(error: BaseException) -> Exit:
    """The exit code of an error."""
    match error:
        case PolicyError() | TaskError():
            return Exit.INVALID
        case GuardrailTripped():
            return Exit.BLOCKED
        case LimitExceeded():
            return Exit.LIMIT_REACHED
        case ApprovalRequired() | AnswerRequired():
            return Exit.WAITING_FOR_APPROVAL
        case _ if _is_usage(error):
            return Exit.INVALID
        case _:
            return Exit.FAILED


def error_words(error: BaseException) -> str:
    """What went wrong; of an error that nobody foresaw only the type, for its text may hold anything."""
    match error:
        case RingfenceError():
            return str(error)
        case ImportError():
            return f"{type(error).__name__}: {one_line(str(error), most=300)}"
        case _ if _is_usage(error):
            return str(error.format_message())  # type: ignore[attr-defined]  # _is_usage says that it has one
    place = place_in_team(error)
    where = f" in {Path(place[0]).name}, line {place[1]}" if place else ""
    return f"{type(error).__name__}{where}; this is a bug in Ringfence or in your team file{_MORE}"


def error_facts(error: BaseException) -> dict[str, Any]:
    """The same for JSON."""
    facts: dict[str, Any] = {"type": type(error).__name__, "message": error_words(error)}
    if isinstance(error, PolicyError):
        facts["faults"] = [asdict(fault) for fault in error.faults]
    return facts


def why_asked(request: ApprovalRequest) -> list[str]:
    """Why a call waits for a person, a line for the reason and one for each value's origin."""
    said = [f"because {one_line(request.reason, most=500)}"]
    return said + [one_line(harmless(line), most=500) for line in masked_evidence(request)]


def masked_evidence(request: ApprovalRequest) -> tuple[str, ...]:
    """Where the values of a call that waits came from; with pseudonyms, as its arguments are shown."""
    return evidence_of(request.traces, reveals={}, vault=Vault())


def _is_usage(error: BaseException) -> bool:
    # Told by what it can do: typer's errors are click's in some releases and its own in others.
    return hasattr(error, "format_message") and hasattr(error, "exit_code")
