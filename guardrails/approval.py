"""A consequential call waits for a person, and runs only as that person saw it."""

import asyncio
import copy
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ringfence.errors import ApprovalDenied, ApprovalRequired, GuardrailTripped, RingfenceError
from ringfence.guardrails.call_judge import CallJudge
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.clearance import digest
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.records import Record
from ringfence.guardrails.texts import ToolResult
from ringfence.guardrails.tool_directory import ToolDirectory
from ringfence.guardrails.verdicts import Allow, Escalate


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
    """SHA-256 over tool, canonical arguments, policy version, expiry and id: what the decision binds."""
    expires_at: datetime
    kind: str = "approval"
    """`approval`, or `doubt`: the call may have run before, and nobody knows."""
    reveals: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Argument → entity types that the tool sees; what makes real arguments of the others."""


@dataclass(frozen=True, slots=True)
class Approved:
    """The call may run once, exactly as requested."""

    by: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The call must not run."""

    by: str
    reason: str = ""


ApprovalDecision = Approved | Rejected
Approver = Callable[[ApprovalRequest], Awaitable[ApprovalDecision | None]]
"""Asks a person. None: nobody can say now, so the conversation waits."""
Keep = Callable[[ApprovalRequest, ToolCall, ApprovalDecision | None], Awaitable[None]]
"""Writes a request down, and what was decided of it."""


async def keep_nothing(
    _request: ApprovalRequest, _call: ToolCall, _decision: ApprovalDecision | None
) -> None:
    """Write nothing down, for a book that lives as long as its process."""


@dataclass(frozen=True, slots=True)
class DecidedCall:
    """A call that waited, with what was decided of it."""

    request: ApprovalRequest
    call: ToolCall
    decision: ApprovalDecision


class ApprovalBook:
    """The approvals of one conversation: asked, decided, used once."""

    def __init__(
        self,
        *,
        conversation: str,
        user: str,
        policy_version: str,
        timeout_seconds: float,
        record: Record,
        approver: Approver | None = None,
        waits_seconds: float | None = None,
        keep: Keep = keep_nothing,
        bind: Callable[[Mapping[str, Any]], str] = lambda _: "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._conversation = conversation
        self._user = user
        self._policy_version = policy_version
        self._timeout_seconds = timeout_seconds
        self._record = record
        # Whoever is asked at once has less time than somebody who finds the request days later.
        lasts = waits_seconds if approver is None and waits_seconds is not None else timeout_seconds
        self._lasts_seconds = lasts
        self._approver = approver
        self._keep = keep
        self._bind = bind
        """A keyed hash of real arguments: what was approved of them is not approved of others."""
        self._now = now
        self._waiting: dict[str, tuple[ApprovalRequest, ToolCall]] = {}
        self._decided: dict[str, DecidedCall] = {}

    @property
    def pending(self) -> tuple[ApprovalRequest, ...]:
        """What waits for a person, oldest first."""
        return tuple(request for request, _ in self._waiting.values() if self._now() <= request.expires_at)

    def load(
        self, waiting: Iterable[tuple[ApprovalRequest, ToolCall]], decided: Iterable[DecidedCall]
    ) -> None:
        """Take up what was written down of the requests that matter now."""
        self._waiting = {request.id: (request, call) for request, call in waiting}
        self._decided = {one.request.id: one for one in decided}

    def reopen(self, decided: DecidedCall) -> None:
        """Take a decision back that could not be written down."""
        self._decided.pop(decided.request.id, None)
        self._waiting[decided.request.id] = (decided.request, decided.call)

    def decide(self, approval_id: str, decision: ApprovalDecision) -> DecidedCall:
        """Decide a waiting request; the call runs when the conversation is resumed.

        Raises:
            ApprovalDenied: It has expired.
            RingfenceError: No such request waits, or nobody is named who decided.
        """
        if not _is_signed(decision):
            raise RingfenceError("An approval needs the name of whoever decides: by=...")
        if approval_id not in self._waiting:
            raise RingfenceError(f"No approval {approval_id!r} waits in this conversation")
        request, call = self._waiting[approval_id]
        self._check_expiry(request)
        # What cannot be written down is not decided, and waits on.
        self._note(request, type(decision).__name__.lower(), decision.by)
        del self._waiting[approval_id]
        self._decided[approval_id] = DecidedCall(request, call, decision)
        return self._decided[approval_id]

    @property
    def decided(self) -> tuple[DecidedCall, ...]:
        """The calls that were decided and not carried out yet, oldest first."""
        return tuple(self._decided.values())

    def finish(self, approval_id: str) -> None:
        """A decision was carried out, or refused by the fence; either way it serves no more."""
        self._decided.pop(approval_id, None)

    def withdraw(self) -> None:
        """Forget every request and decision; nothing of them runs any more."""
        for approval_id in [*self._waiting, *self._decided]:
            self._record("approval", approval=approval_id, verdict="withdrawn")
        self._waiting.clear()
        self._decided.clear()

    async def settle(
        self,
        call: ToolCall,
        *,
        real_arguments: Mapping[str, Any],
        reason: str,
        kind: str = "approval",
        occasion: str = "",
        reveals: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Return when a person approved exactly this call, asked on this occasion.

        Raises:
            ApprovalRequired: Nobody has decided yet.
            ApprovalDenied: The person said no, or the approval has expired.
        """
        approval_id = self._id(call, kind, occasion, self._bind(real_arguments))
        asked = self._used(call, approval_id)
        if asked is None:
            request = self._request(
                approval_id,
                call,
                real_arguments=real_arguments,
                reason=reason,
                kind=kind,
                reveals=reveals or {},
            )
            asked = await self._asked(request, call)
        request, decision = asked
        if isinstance(decision, Rejected):
            said = f"was rejected by {decision.by}" + (f": {decision.reason}" if decision.reason else "")
            raise ApprovalDenied(approval_id=request.id, tool=call.tool, reason=said)
        self._check_expiry(request)

    def _used(self, call: ToolCall, approval_id: str) -> tuple[ApprovalRequest, ApprovalDecision] | None:
        for one in self._decided.values():
            bound = self._digest(call, one.request.expires_at, one.request.id)
            if one.request.id == approval_id and one.request.digest == bound:
                del self._decided[one.request.id]
                return one.request, one.decision
        return None

    async def _asked(
        self, request: ApprovalRequest, call: ToolCall
    ) -> tuple[ApprovalRequest, ApprovalDecision]:
        bound, agent = request.digest[:16], call.agent
        if request.id in self._waiting:
            self._check_expiry(request)
        else:
            self._record("approval_requested", approval=request.id, agent=agent, tool=call.tool, digest=bound)
            await self._keep(request, call, None)
        decision: object = None
        if self._approver is not None:
            try:
                decision = self._approver(request)
                if inspect.isawaitable(decision):
                    decision = await asyncio.wait_for(decision, self._timeout_seconds)
            except TimeoutError:
                why = f"had no answer within {self._timeout_seconds:g} s"
                raise self._undecided(request, "expired", why) from None
            except Exception as error:
                why = f"could not be decided: the approver failed with {type(error).__name__}"
                raise self._undecided(request, "failed", why) from None
        if isinstance(decision, Approved | Rejected) and _is_signed(decision):
            self._note(request, type(decision).__name__.lower(), decision.by)
            await self._keep(request, call, decision)
            self._waiting.pop(request.id, None)
            return request, decision
        if decision is not None:
            why = "could not be decided: the approver must return Approved(by=...), Rejected(by=...) or None"
            raise self._undecided(request, "failed", why)
        self._waiting[request.id] = (request, call)
        raise ApprovalRequired(approval_id=request.id, tool=call.tool)

    def _request(
        self,
        approval_id: str,
        call: ToolCall,
        *,
        real_arguments: Mapping[str, Any],
        reason: str,
        kind: str,
        reveals: Mapping[str, tuple[str, ...]],
    ) -> ApprovalRequest:
        if approval_id in self._waiting:
            return self._waiting[approval_id][0]
        expires_at = self._now() + timedelta(seconds=self._lasts_seconds)
        return ApprovalRequest(
            id=approval_id,
            conversation=self._conversation,
            user=self._user,
            agent=call.agent,
            tool=call.tool,
            reason=reason,
            # Copies: whatever an approver does to what it is shown, the call stays as it is.
            arguments=copy.deepcopy(call.arguments),
            real_arguments=copy.deepcopy(real_arguments),
            digest=self._digest(call, expires_at, approval_id),
            expires_at=expires_at,
            kind=kind,
            reveals=reveals,
        )

    def _id(self, call: ToolCall, kind: str, occasion: str, bound: str) -> str:
        # The same for the same call, so that a turn that is played again asks nobody twice.
        asked = (self._policy_version, self._conversation, call.call_id, kind, occasion, bound)
        return f"approval-{digest(call.tool, call.arguments, *asked)[:16]}"

    def _digest(self, call: ToolCall, expires_at: datetime, approval_id: str) -> str:
        return digest(call.tool, call.arguments, self._policy_version, expires_at.isoformat(), approval_id)

    def _check_expiry(self, request: ApprovalRequest) -> None:
        if self._now() > request.expires_at:
            self._waiting.pop(request.id, None)
            why = f"expired at {request.expires_at:%Y-%m-%d %H:%M:%S} UTC"
            raise self._undecided(request, "expired", why)

    def _undecided(self, request: ApprovalRequest, verdict: str, why: str) -> ApprovalDenied:
        self._note(request, verdict)
        return ApprovalDenied(approval_id=request.id, tool=request.tool, reason=why)

    def _note(self, request: ApprovalRequest, verdict: str, by: str = "") -> None:
        bound, tool = request.digest[:16], request.tool
        self._record("approval", approval=request.id, tool=tool, verdict=verdict, by=by, digest=bound)


def _is_signed(decision: ApprovalDecision) -> bool:
    return bool(str(decision.by or "").strip())


class Approve:
    """Judges a cleared call once more, on its final arguments, and asks a person where the policy says so."""

    def __init__(
        self,
        *,
        book: ApprovalBook,
        judge: CallJudge,
        directory: ToolDirectory,
        has_started: Callable[[ToolCall], bool] = lambda _: False,
    ) -> None:
        self._has_started = has_started
        """Whether the call was approved and begun before the process ended."""
        self._book = book
        self._judge = judge
        self._directory = directory

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """Answer the call if it is allowed, or a person approved it.

        Raises:
            ApprovalRequired: Nobody has decided yet.
            ApprovalDenied: The person said no, or the approval has expired.
            GuardrailTripped: The policy does not allow it.
        """
        spec = self._directory.specs[call.tool]
        judged = self._judge.judge(call)
        revealed, verdict = judged.revealed, judged.verdict
        if isinstance(verdict, Escalate):
            if not self._has_started(call):
                await self._book.settle(
                    call, real_arguments=revealed.arguments, reason=verdict.reason, reveals=spec.reveals
                )
        elif not isinstance(verdict, Allow):
            raise GuardrailTripped(guardrail=verdict.guardrail, point="tool_call", reason=verdict.reason)
        return await call_next(revealed)
