"""What becomes of a waiting call when one more person has spoken."""

from ringfence.errors import ApprovalDenied, RingfenceError
from ringfence.guardrails.approval import (
    DOUBT,
    ApprovalDecision,
    ApprovalRequest,
    Approved,
    Change,
    DecidedCall,
    Rejected,
    WaitingCall,
)
from ringfence.guardrails.approval_binding import Binding
from ringfence.guardrails.approval_changes import ChangeCheck
from ringfence.guardrails.approval_deciders import folded
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.clearance import canonical
from ringfence.guardrails.records import Record
from ringfence.guardrails.roles import RolesOf


class NotEntitledError(RingfenceError):
    """Somebody spoke who may not decide; the call waits on as it did."""


class Votes:
    """Takes what one person says of a waiting call, if that person may say it, and puts it on record."""

    def __init__(
        self, *, record: Record, binding: Binding, changes: ChangeCheck | None, roles: RolesOf
    ) -> None:
        self._record = record
        self._binding = binding
        self._changes = changes
        """None: nobody can change arguments."""
        self._roles = roles

    async def after(self, waiting: WaitingCall, decision: ApprovalDecision) -> WaitingCall | DecidedCall:
        """The call after this, still waiting for others or decided.

        Raises:
            NotEntitledError: The person may not decide it.
            RingfenceError: It cannot be decided so.
            StoreError: It cannot be put on record; what cannot, is not decided.
        """
        request, call, by = waiting.request, waiting.call, decision.by
        self._check_person(waiting, decision)
        if isinstance(decision, Rejected):
            self.note(request, "rejected", by)
            return DecidedCall(request, call, decision)
        if request.policy_version != self._binding.policy_version:
            said = "was asked for under another policy, so nobody can approve it any more"
            raise RingfenceError(f"The approval {request.id!r} {said}")
        change, names = waiting.change, [*waiting.approved_by]
        if decision.arguments is not None:
            change = await self._change(waiting, by, decision.arguments)
            # Who approved before, approved other arguments.
            names = names if _digest_of(change) == _digest_of(waiting.change) else []
        if folded(by) in map(folded, names):
            self._refuse(request, by, f"approved it already; it may be decided by {request.deciders}")
        names.append(by)
        still_needed = request.deciders.approvers - len(names)
        self.note(request, "approved", by, change=change, still_needed=still_needed)
        if still_needed > 0:
            return WaitingCall(request, call, tuple(names), change)
        return DecidedCall(request, call, Approved(" and ".join(names)), change)

    async def changed(self, call: ToolCall, request: ApprovalRequest, change: Change) -> ToolCall:
        """The call as a person changed it, checked once more before it runs.

        Raises:
            ApprovalDenied: It must not run so.
        """
        if change.digest != self._binding.digest_of_change(call, request, change.arguments):
            fault = "the change is not the one that was approved"
        elif self._changes is None:
            fault = "arguments cannot be changed here"
        else:
            try:
                real = await self._changes.real(request, call, change.arguments)
                return await self._changes.masked(call, real, change.by)
            except RingfenceError as error:
                fault = str(error)
        said = f"was changed by {change.by}, and does not run so: {fault}"
        raise ApprovalDenied(approval_id=request.id, tool=call.tool, reason=said)

    def note(
        self,
        request: ApprovalRequest,
        verdict: str,
        by: str = "",
        *,
        change: Change | None = None,
        still_needed: int = 0,
    ) -> None:
        """Put on record what became of a request."""
        more: dict[str, object] = {"changed": True} if change else {}
        more |= {"still_needed": still_needed} if still_needed else {}
        bound, tool = (change.digest if change else request.digest)[:16], request.tool
        self._record("approval", approval=request.id, tool=tool, verdict=verdict, by=by, digest=bound, **more)

    def _check_person(self, waiting: WaitingCall, decision: ApprovalDecision) -> None:
        request, by = waiting.request, decision.by
        if fault := request.deciders.fault(by, user=request.user, roles=self._roles):
            self._refuse(request, by, fault)

    def _refuse(self, request: ApprovalRequest, by: str, fault: str) -> None:
        self.note(request, "refused", by)
        raise NotEntitledError(f"{by} {fault}")

    async def _change(self, waiting: WaitingCall, by: str, given: object) -> Change | None:
        request, call = waiting.request, waiting.call
        if request.kind == DOUBT:
            said = "may have run as it is: approve it as it is, or reject it"
            raise RingfenceError(f"The call {request.id!r} {said}")
        if self._changes is None:
            raise RingfenceError("Arguments cannot be changed here")
        real = await self._changes.real(request, call, given)
        if canonical(real) == canonical(request.real_arguments):
            return None
        masked = await self._changes.masked(call, real, by)
        return Change(by, real, masked.arguments, self._binding.digest_of_change(call, request, real))


def _digest_of(change: Change | None) -> str:
    return "" if change is None else change.digest
