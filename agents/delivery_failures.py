"""What came of one attempt to run a tool, and what a failure of it means."""

from dataclasses import dataclass, replace

from ringfence.agents.bounded_results import LONGEST_ERROR, cut
from ringfence.agents.delivery_breaker import LeftAlone
from ringfence.agents.delivery_limits import TooMany
from ringfence.agents.error_facts import (
    is_service_trouble,
    is_timeout,
    is_too_often,
    name_of,
    names_of,
    retry_after,
    status_of,
    text_of,
)
from ringfence.errors import RingfenceError
from ringfence.guardrails.nothing_happened import NothingHappened
from ringfence.guardrails.texts import ToolResult
from ringfence.guardrails.tool_failure import FailureKind, ToolFailure
from ringfence.guardrails.tool_spec import ToolSpec

_MAY_PASS = frozenset({FailureKind.TIMEOUT, FailureKind.UNAVAILABLE, FailureKind.RATE_LIMITED})
_OF_THE_SERVICE = _MAY_PASS | {FailureKind.CRASHED, FailureKind.BAD_RESULT}
_REFUSED = 400
_TROUBLE = 500


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one attempt: a result, or a failure and the error behind it."""

    result: ToolResult | None = None
    failure: ToolFailure | None = None
    error: BaseException | None = None
    seconds: float | None = None
    """What the service, or the fence, asks to wait."""

    @property
    def is_of_the_service(self) -> bool:
        """Whether the tool's service failed, and not what it was asked."""
        return self.failure is not None and self.failure.kind in _OF_THE_SERVICE


def raised(tool: str, spec: ToolSpec, error: BaseException) -> Tried:
    """An attempt in which the tool raised this."""
    try:
        return Tried(failure=_failure(tool, spec, error), error=error, seconds=retry_after(error))
    except BaseException:  # an error that lies about its class may raise even when it is only looked at
        said = f"{tool} failed with an error that cannot be read."
        return Tried(failure=told(ToolFailure(FailureKind.CRASHED, said, unknown=True), spec))


def _failure(tool: str, spec: ToolSpec, error: BaseException) -> ToolFailure:
    kind = _kind(error)
    said = cut(text_of(error), LONGEST_ERROR)
    text = f"{tool} failed with {name_of(error)}: {said}" if said else f"{tool} failed with {name_of(error)}"
    if isinstance(error, NothingHappened):
        return ToolFailure(kind, f"{text}. The call had no effect.", retryable=True)
    refused = kind is FailureKind.REJECTED or isinstance(error, RingfenceError)
    return told(ToolFailure(kind, text if refused else f"{text}.", unknown=not refused), spec)


def told(failure: ToolFailure, spec: ToolSpec) -> ToolFailure:
    """The failure of a call that may have taken effect, as it is for a tool of this kind."""
    # A repeated call of the model's has another key, so a key keeps it from nothing.
    is_harmless = not spec.consequential or spec.idempotent or spec.transaction is not None
    return replace(
        failure,
        # What an agent does as a tool is known step by step.
        unknown=failure.unknown and not is_harmless and not spec.composite,
        retryable=failure.retryable or (is_harmless and failure.kind in _MAY_PASS and not spec.composite),
    )


def not_run(tool: str, error: LeftAlone | TooMany) -> Tried:
    """An attempt that was not made."""
    kind = FailureKind.UNAVAILABLE if isinstance(error, LeftAlone) else FailureKind.RATE_LIMITED
    failure = ToolFailure(kind, f"{tool}: {error}.", retryable=True, attempts=0)
    return Tried(failure=failure, error=error, seconds=error.seconds)


def _kind(error: BaseException) -> FailureKind:
    if isinstance(error, NothingHappened):
        return FailureKind.UNAVAILABLE
    if is_too_often(error):
        return FailureKind.RATE_LIMITED
    if is_timeout(error):
        return FailureKind.TIMEOUT
    if is_service_trouble(error):
        return FailureKind.UNAVAILABLE
    if "JSONDecodeError" in names_of(error):
        return FailureKind.BAD_RESULT  # the service has answered, and nobody can read what
    status = status_of(error)
    if isinstance(error, ValueError | TypeError) or (status is not None and _REFUSED <= status < _TROUBLE):
        return FailureKind.REJECTED
    return FailureKind.CRASHED
