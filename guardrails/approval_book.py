"""The approvals of one conversation: asked, decided, used once."""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ringfence.errors import ApprovalDenied, ApprovalRequired, RingfenceError, StoreError
from ringfence.guardrails.approval import (
    APPROVAL,
    ApprovalDecision,
    ApprovalRequest,
    Approver,
    DecidedCall,
    Keep,
    Rejected,
    WaitingCall,
    keep_nothing,
)
from ringfence.guardrails.approval_asking import NoAnswerError, answer_of, is_signed
from ringfence.guardrails.approval_binding import Binding
from ringfence.guardrails.approval_changes import ChangeCheck
from ringfence.guardrails.approval_deciders import Deciders
from ringfence.guardrails.approval_votes import NotEntitledError, Votes
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.clearance import canonical
from ringfence.guardrails.records import Record
from ringfence.guardrails.roles import RolesOf
from ringfence.guardrails.sources import Trace


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
        bind: Callable[[Mapping[str, Any]], str] = canonical,
        changes: ChangeCheck | None = None,
        deciders: Callable[[str], Deciders] = lambda _: Deciders(),
        roles: RolesOf = lambda _: (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._conversation = conversation
        self._user = user
        self._policy_version = policy_version
        self._timeout_seconds = timeout_seconds
        self._waits_seconds = waits_seconds or timeout_seconds
        self._record = record
        self._approver = approver
        self._keep = keep
        self._binding = Binding(policy_version, conversation, bind)
        self._votes = Votes(record=record, binding=self._binding, changes=changes, roles=roles)
        self._deciders = deciders
        """Who decides on the calls of a tool."""
        self._now = now
        self._waiting: dict[str, WaitingCall] = {}
        self._decided: dict[str, DecidedCall] = {}

    @property
    def pending(self) -> tuple[ApprovalRequest, ...]:
        """What waits for a person, oldest first."""
        waiting = self._waiting.values()
        return tuple(one.shown for one in waiting if self._now() <= one.request.expires_at)

    @property
    def decided(self) -> tuple[DecidedCall, ...]:
        """The calls that were decided and not carried out yet, oldest first."""
        return tuple(self._decided.values())

    def load(self, waiting: Iterable[WaitingCall], decided: Iterable[DecidedCall]) -> None:
        """Take up what was written down of the requests that matter now."""
        self._waiting = {one.request.id: one for one in waiting}
        self._decided = {one.request.id: one for one in decided}

    def trust_everybody(self) -> None:
        """Take a decision from whoever gives a name, such as one that was recorded when it was made."""
        self._deciders = lambda _: Deciders()

    def waiting(self, approval_id: str) -> WaitingCall:
        """A request that waits.

        Raises:
            RingfenceError: No such request waits.
        """
        if approval_id not in self._waiting:
            raise RingfenceError(f"No approval {approval_id!r} waits in this conversation")
        return self._waiting[approval_id]

    def reopen(self, waiting: WaitingCall) -> None:
        """Take a decision back that could not be written down."""
        self._decided.pop(waiting.request.id, None)
        self._waiting[waiting.request.id] = waiting

    async def decide(
        self, approval_id: str, decision: ApprovalDecision, *, seen: str = ""
    ) -> WaitingCall | DecidedCall:
        """Decide a waiting request; the call runs when the conversation is resumed.

        Args:
            approval_id: The request's.
            decision: Of one person; where it takes more, the request waits on for the next.
            seen: The digest of what the person saw; a request that was changed since is not decided.

        Raises:
            ApprovalDenied: It has expired.
            RingfenceError: No such request waits, the person may not decide it, or the changed arguments must
                not run.
        """
        if not is_signed(decision):
            raise RingfenceError("An approval needs the name of whoever decides: by=...")
        waiting = self.waiting(approval_id)
        self._check_expiry(waiting.request)
        if seen and seen != waiting.shown.digest:
            raise RingfenceError(f"The approval {approval_id!r} is of another call by now; look at it again")
        after = await self._votes.after(waiting, decision)
        if self._waiting.get(approval_id) is not waiting:
            raise RingfenceError(f"The approval {approval_id!r} was decided meanwhile")
        if isinstance(after, WaitingCall):
            self._waiting[approval_id] = after
        else:
            del self._waiting[approval_id]
            self._decided[approval_id] = after
        return after

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
        kind: str = APPROVAL,
        occasion: str = "",
        reveals: Mapping[str, tuple[str, ...]] | None = None,
        supplied: Sequence[str] = (),
        traces: Sequence[Trace] = (),
        evidence: Sequence[str] = (),
    ) -> ToolCall:
        """The call to run, when a person approved exactly this call, asked on this occasion.

        It is another one than the call only in its arguments, and only when a person changed them.

        Raises:
            ApprovalRequired: Nobody has decided yet.
            ApprovalDenied: The person said no, the approval has expired, or what the person made of the call
                must not run.
        """
        approval_id = self._binding.request_id(call, real_arguments, kind, occasion)
        decided = self._used(call, approval_id)
        if decided is None:
            waiting = self._waiting.get(approval_id)
            if waiting is None:
                deciders = self._deciders(call.tool)
                expires_at = self._now() + timedelta(seconds=self._lasts(deciders))
                request = ApprovalRequest(
                    id=approval_id,
                    conversation=self._conversation,
                    user=self._user,
                    agent=call.agent,
                    tool=call.tool,
                    reason=reason,
                    # Copies: whatever an approver does to what it is shown, the call stays as it is.
                    arguments=copy.deepcopy(call.arguments),
                    real_arguments=copy.deepcopy(real_arguments),
                    digest=self._binding.digest(call, expires_at, approval_id),
                    expires_at=expires_at,
                    kind=kind,
                    reveals=reveals or {},
                    supplied=tuple(supplied),
                    traces=tuple(traces),
                    evidence=tuple(evidence),
                    policy_version=self._policy_version,
                    deciders=deciders,
                )
                waiting = WaitingCall(request, call)
            decided = await self._asked(waiting)
        request, decision = decided.request, decided.decision
        if isinstance(decision, Rejected):
            said = f"was rejected by {decision.by}" + (f": {decision.reason}" if decision.reason else "")
            raise ApprovalDenied(approval_id=request.id, tool=call.tool, reason=said)
        self._check_expiry(request)
        return call if decided.change is None else await self._votes.changed(call, request, decided.change)

    def _used(self, call: ToolCall, approval_id: str) -> DecidedCall | None:
        for one in self._decided.values():
            bound = self._binding.digest(call, one.request.expires_at, one.request.id)
            if one.request.id == approval_id and one.request.digest == bound:
                del self._decided[one.request.id]
                return one
        return None

    async def _asked(self, waiting: WaitingCall) -> DecidedCall:
        request = waiting.request
        if request.id in self._waiting:
            self._check_expiry(request)
        else:
            bound, agent, tool = request.digest[:16], request.agent, request.tool
            self._record("approval_requested", approval=request.id, agent=agent, tool=tool, digest=bound)
            await self._keep(waiting)
        try:
            decision = await answer_of(self._approver, waiting.shown, seconds=self._timeout_seconds)
            after = waiting if decision is None else await self._votes.after(waiting, decision)
        except NoAnswerError as error:
            raise self._undecided(request, error.verdict, str(error)) from None
        except NotEntitledError:
            after = waiting  # for somebody who may decide
        except StoreError:
            raise
        except RingfenceError as fault:
            raise self._undecided(request, "failed", f"could not be decided: {fault}") from None
        if after is not waiting and not await self._keep(after):
            after = waiting  # somebody else was faster, and the store knows what was said
        if isinstance(after, DecidedCall):
            self._waiting.pop(request.id, None)
            return after
        self._waiting[request.id] = after
        raise ApprovalRequired(approval_id=request.id, tool=request.tool)

    def _lasts(self, deciders: Deciders) -> float:
        # Whoever is asked at once has less time than somebody who finds the request days later.
        at_once = self._approver is not None and deciders.approvers == 1
        return self._timeout_seconds if at_once else self._waits_seconds

    def _check_expiry(self, request: ApprovalRequest) -> None:
        if self._now() > request.expires_at:
            self._waiting.pop(request.id, None)
            why = f"expired at {request.expires_at:%Y-%m-%d %H:%M:%S} UTC"
            raise self._undecided(request, "expired", why)

    def _undecided(self, request: ApprovalRequest, verdict: str, why: str) -> ApprovalDenied:
        self._votes.note(request, verdict)
        return ApprovalDenied(approval_id=request.id, tool=request.tool, reason=why)
