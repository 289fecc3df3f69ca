"""What a model is told of a tool call that failed: one form, which nobody can take for a success."""

from dataclasses import dataclass
from enum import StrEnum

from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.refusal import failed
from ringfence.guardrails.texts import ToolResult

UNKNOWN = "It is not known whether the call took effect; do not repeat it."
NOT_RUN = "The call was not run."


class FailureKind(StrEnum):
    """Why a tool call failed."""

    TIMEOUT = "timeout"
    """It gave no answer in the time that it has."""
    UNAVAILABLE = "unavailable"
    """Its service is not there, is in trouble, or has failed so often that it is left alone."""
    RATE_LIMITED = "rate_limited"
    """It was called too often."""
    REJECTED = "rejected"
    """It did not accept the call as it stands."""
    CRASHED = "crashed"
    """It failed in a way of its own."""
    CANCELLED = "cancelled"
    BAD_RESULT = "bad_result"
    """What it gave back is no result."""


@dataclass(frozen=True, slots=True)
class ToolFailure:
    """One failed call."""

    kind: FailureKind
    said: str
    """What happened; it may quote the tool, so it is bounded, and masked and scanned as a result is."""
    retryable: bool = False
    """The same call may be made again later, and cannot act twice."""
    attempts: int = 1
    """How often the tool was run; 0: not at all."""
    unknown: bool = False
    """Nobody knows whether the call took effect."""

    def __str__(self) -> str:
        again = "yes" if self.retryable else "no"
        head = f"Failed (kind: {self.kind}, retryable: {again}, attempts: {self.attempts})."
        outcome = UNKNOWN if self.unknown else "" if self.attempts else NOT_RUN
        return " ".join(filter(None, [head, self.said, outcome]))

    def result(self, call: ToolCall) -> ToolResult:
        """The failure as the call's result."""
        return failed(call, str(self))
