"""What came of a call, as the journal keeps it and gives it back."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from ringfence.errors import ApprovalDenied, GuardrailTripped, RingfenceError, StoreError
from ringfence.guardrails.texts import CreateResult, ToolResult

R = TypeVar("R", CreateResult, ToolResult)
Outcome = Mapping[str, Any]
"""JSON: what was answered, or why not."""

_TRIPPED = ("guardrail", "point", "reason", "reask", "halt", "hint")
_DENIED = ("approval_id", "tool", "reason", "was_begun")


def answered(reply: CreateResult | ToolResult) -> Outcome:
    """The outcome of a call that was answered."""
    return {"answered": reply.model_dump(mode="json")}


def refused(error: RingfenceError) -> Outcome | None:
    """The outcome of a call that was refused; None when the same call may end another way next time."""
    match error:
        case GuardrailTripped(crashed=False):
            return {"tripped": {name: getattr(error, name) for name in _TRIPPED}}
        case ApprovalDenied():
            return {"denied": {name: getattr(error, name) for name in _DENIED}}
        case _:
            return None


def model_reply(outcome: Outcome) -> CreateResult:
    """The reply of a model again. Raises what the call raised."""
    return _again(CreateResult, outcome)


def tool_result(outcome: Outcome) -> ToolResult:
    """The result of a tool again. Raises what the call raised."""
    return _again(ToolResult, outcome)


def _again(kind: type[R], outcome: Outcome) -> R:
    try:
        if "tripped" in outcome:
            raise GuardrailTripped(**outcome["tripped"])
        if "denied" in outcome:
            raise ApprovalDenied(**outcome["denied"])
        return kind.model_validate(outcome["answered"])
    except (KeyError, TypeError, ValidationError):
        said = "A step of the journal is of another version, so it cannot be played again"
        raise StoreError(said) from None
