"""What a person is asked about a call, and what the person answers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ringfence.guardrails.approval_deciders import Deciders
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.sources import Trace

APPROVAL = "approval"
DOUBT = "doubt"
"""The kind of a request about a call that may have run before."""


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """What a person is asked to decide."""

    id: str
    conversation: str
    user: str
    agent: str
    tool: str
    reason: str
    """Why a person is asked."""
    arguments: Mapping[str, Any]
    """As the agents see them, with pseudonyms."""
    real_arguments: Mapping[str, Any] = field(repr=False)
    """As the tool will get them; for the approver's eyes, never for a log."""
    digest: str
    """SHA-256 over tool, canonical arguments, versions of policy and prompt, model, expiry and id: what the
    decision binds."""
    expires_at: datetime
    kind: str = APPROVAL
    """`approval`, or `doubt`: the call may have run before, and nobody knows."""
    reveals: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Argument → entity types that the tool sees; what makes real arguments of the others."""
    supplied: tuple[str, ...] = ()
    """The arguments that the fence fills in, which nobody may choose."""
    traces: tuple[Trace, ...] = field(default=(), repr=False)
    """Where its values came from, with pseudonyms."""
    evidence: tuple[str, ...] = field(default=(), repr=False)
    """The same in words, a line for each value, as real as the tool would get it."""
    policy_version: str = ""
    deciders: Deciders = field(default_factory=Deciders)
    """Who may decide, and how many of them it takes."""
    approved_by: tuple[str, ...] = ()
    """Who approved it so far, where it takes more than one."""
    changed_by: str = ""
    """The one of them who put these arguments in the place of the agent's."""

    @property
    def still_needed(self) -> int:
        """How many more have to approve it."""
        return self.deciders.approvers - len(self.approved_by)


@dataclass(frozen=True, slots=True)
class Approved:
    """The call may run once, exactly as requested, or with the arguments that are given here."""

    by: str
    arguments: Mapping[str, Any] | None = field(default=None, repr=False)
    """All arguments of the call, with real values, in the place of those that were asked for."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The call must not run."""

    by: str
    reason: str = ""


ApprovalDecision = Approved | Rejected
Approver = Callable[[ApprovalRequest], Awaitable[ApprovalDecision | None]]
"""Asks a person. None: nobody can say now, so the conversation waits."""


@dataclass(frozen=True, slots=True)
class Change:
    """Arguments that a person put in the place of the agent's."""

    by: str
    arguments: Mapping[str, Any] = field(repr=False)
    """With real values."""
    masked: Mapping[str, Any]
    """With pseudonyms."""
    digest: str
    """As that of the request, over these arguments."""


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A call that waits for a person, with what the first of several persons said."""

    request: ApprovalRequest
    """As the call was asked for."""
    call: ToolCall
    approved_by: tuple[str, ...] = ()
    """Who approved it so far; all of them the same arguments."""
    change: Change | None = None

    @property
    def shown(self) -> ApprovalRequest:
        """What whoever comes next has to decide."""
        request, change = replace(self.request, approved_by=self.approved_by), self.change
        if change is None:
            return request
        return replace(
            request,
            arguments=change.masked,
            real_arguments=change.arguments,
            changed_by=change.by,
            digest=change.digest,
            # They are of the values that the agent gave.
            traces=(),
            evidence=(),
        )


@dataclass(frozen=True, slots=True)
class DecidedCall:
    """A call that waited, with what was decided of it."""

    request: ApprovalRequest
    call: ToolCall
    decision: ApprovalDecision
    """Of all whom it took; their names in one."""
    change: Change | None = None


Keep = Callable[[WaitingCall | DecidedCall], Awaitable[bool]]
"""Writes a request down, and what was said of it; False: somebody else said something first."""


async def keep_nothing(_call: WaitingCall | DecidedCall) -> bool:
    """Write nothing down, for a book that lives as long as its process."""
    return True
