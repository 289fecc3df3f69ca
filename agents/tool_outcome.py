"""What became of one call on a bench."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ringfence.agents.bench_readings import Answered
from ringfence.guardrails.approval import ApprovalRequest
from ringfence.guardrails.tool_failure import FailureKind
from ringfence.guardrails.tool_spec import ToolSpec

_FAILURE = re.compile(rf"Failed \(kind: (?P<kind>{'|'.join(FailureKind)}), retryable: (?P<again>yes|no),")


class Became(StrEnum):
    """How a call ended."""

    DONE = "done"
    """The tool ran, and its result went on."""
    REFUSED = "refused"
    """The gate said no; the tool did not run."""
    WAITS = "waits"
    """A person has to decide first; the tool did not run."""
    FAILED = "failed"
    """The tool was tried, and the model hears of a failure, or that the result is withheld."""


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What became of one call."""

    tool: str
    became: Became
    text: str = field(repr=False)
    """What the model hears, with pseudonyms."""
    reason: str
    """Why it did not go well, in the words of whoever said so; empty when it did."""
    seen: Mapping[str, Any] | None = field(repr=False)
    """The arguments as the agents saw them, with pseudonyms; None when no agent came to see the call."""
    arguments: Mapping[str, Any] | None = field(repr=False)
    """What the tool got, with real values; None when it did not run."""
    idempotency_key: str | None
    """The key that the tool got; None when it asks for none."""
    attempts: int
    """How often the tool was tried."""
    kind: FailureKind | None = None
    """Why it failed, as the model is told; None when it did not, or nobody classified it."""
    retryable: bool = False
    """The model is told that the same call may be made again later."""
    evidence: tuple[str, ...] = field(default=(), repr=False)
    """Where the values of a call that did not run at once came from, as the person who decides reads it."""
    request: ApprovalRequest | None = field(default=None, repr=False)
    """What the person is asked who has to decide."""

    @property
    def ran(self) -> bool:
        """The tool was tried at least once."""
        return self.attempts > 0

    @property
    def done(self) -> bool:
        """The tool ran, and its result went on."""
        return self.became is Became.DONE

    @property
    def refused(self) -> bool:
        """The gate said no; the tool did not run."""
        return self.became is Became.REFUSED

    @property
    def waits(self) -> bool:
        """A person has to decide first; the tool did not run."""
        return self.became is Became.WAITS

    @property
    def failed(self) -> bool:
        """The tool was tried, and the model hears of a failure, or that the result is withheld."""
        return self.became is Became.FAILED

    @property
    def is_error(self) -> bool:
        """What the model hears is marked as an error, so that it cannot take it for a success."""
        return self.became is not Became.DONE


def outcome_of(
    heard: Answered,
    *,
    tries: Sequence[Mapping[str, Any]],
    spec: ToolSpec,
    request: ApprovalRequest | None,
    evidence: tuple[str, ...],
) -> ToolOutcome:
    """The outcome of a call, by what the agent heard, what the tool got at each try, and what waits."""
    got = tries[-1] if tries else None
    failure = _FAILURE.match(heard.text) if heard.is_error else None
    return ToolOutcome(
        tool=heard.tool,
        became=_became(heard, waits=request is not None, ran=bool(tries)),
        text=heard.text,
        reason=request.reason if request is not None else heard.text if heard.is_error else "",
        seen=heard.seen,
        arguments=got and {name: value for name, value in got.items() if name not in spec.supplied},
        idempotency_key=got.get(spec.idempotency_key) if got is not None and spec.idempotency_key else None,
        attempts=len(tries),
        kind=FailureKind(failure["kind"]) if failure else None,
        retryable=failure is not None and failure["again"] == "yes",
        evidence=evidence,
        request=request,
    )


def _became(heard: Answered, *, waits: bool, ran: bool) -> Became:
    if waits:
        return Became.WAITS
    if not heard.is_error:
        return Became.DONE
    return Became.FAILED if ran else Became.REFUSED
