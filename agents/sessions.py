"""Making what belongs to one conversation from a policy."""

from collections.abc import Callable

from autogen_core.models import ChatCompletionClient

from ringfence.agents.compiled_policy import CompiledPolicy
from ringfence.agents.judges import judge_model
from ringfence.budgets.ledger import Ledger
from ringfence.conversations.audit import AuditLog, RunRecorder
from ringfence.conversations.crossing import RecordCrossing, RecordDelivery
from ringfence.conversations.journal import Journal
from ringfence.conversations.journaled_calls import JournalModelCalls
from ringfence.conversations.journaled_tools import key_of
from ringfence.conversations.requests import Requests, approval_content, decision_content, status_of
from ringfence.conversations.session import Session
from ringfence.conversations.store import Store
from ringfence.guardrails.approval import ApprovalBook, ApprovalDecision, ApprovalRequest, Approver
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.enforcement import Enforce, Scan
from ringfence.guardrails.heard import Heard
from ringfence.guardrails.masking import Mask, Masker
from ringfence.guardrails.passages import Point
from ringfence.guardrails.provenance import Provenance
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.suspicions import Suspicions
from ringfence.guardrails.validators import ValidatorGuardrail
from ringfence.guardrails.vault import Vault
from ringfence.guardrails.verdicts import Guardrail


def new_session(
    compiled: CompiledPolicy,
    *,
    id: str,  # noqa: A002 - the word that everybody uses for it
    user: str,
    approver: Approver | None,
    journal: Journal | None = None,
    requests: Requests | None = None,
    audit: AuditLog,
    tier_client: Callable[[str], ChatCompletionClient],
    before: Session | None = None,
) -> Session:
    """The state and the user door of one conversation.

    With a session `before`, the conversation goes on under another policy: pseudonyms, and what was spent,
    read and suspected, are the same; doors and limits are the new policy's. What only tries things out needs
    no journal, and gets one that is never opened.
    """
    journal = journal or Journal(Store(), id)
    requests = requests or Requests(journal.store, id)
    policy = compiled.policy
    record = RunRecorder(audit, conversation=id, policy=compiled.version)
    vault = before.vault if before else Vault()
    masker = Masker(finder=compiled.finder, settings=policy.pii, vault=vault)
    suspicions = before.suspicions if before else Suspicions()
    provenance = before.provenance if before else Provenance()
    stop = StopSignal()
    judge_limits = policy.judges.as_limits()
    judge_ledger = before.judge_ledger.renewed(judge_limits) if before else Ledger(judge_limits)

    def bound(guardrail: Guardrail) -> Guardrail:
        tier = guardrail.model if isinstance(guardrail, ValidatorGuardrail) else None
        if tier is None or not isinstance(guardrail, ValidatorGuardrail):
            return guardrail
        client = tier_client(tier)
        return guardrail.asking(
            judge_model(
                client,
                tier,
                policy=policy,
                ledger=judge_ledger,
                record=record,
                stop=stop,
                journaled=JournalModelCalls(journal, record, kind="judge"),
            )
        )

    guardrails = {point: [*map(bound, listed)] for point, listed in compiled.guardrails.items()}
    heard = (before.heard if before else None) or Heard() if compiled.compares else None

    def enforce(point: Point) -> Enforce:
        checks = (point, guardrails.get(point, ()))
        return Enforce(record=record, before=checks, heard=heard, suspicions=suspicions, masker=masker)

    def scan(point: Point) -> Scan:
        checks = (point, compiled.scanners.get(point, ()))
        return Scan(record=record, before=checks, suspicions=suspicions)

    async def keep(request: ApprovalRequest, call: ToolCall, decision: ApprovalDecision | None) -> None:
        if not journal.is_open:
            return
        await requests.ask(
            id=request.id,
            turn=journal.turn,
            kind=request.kind,
            key=key_of(call),
            content=approval_content(request, call),
            expires_at=request.expires_at.timestamp(),
        )
        if decision is not None:
            kept = decision_content(decision)
            await requests.decide(request.id, status=status_of(decision), decision=kept)

    return Session(
        id=id,
        user=user,
        policy_version=compiled.version,
        record=record,
        journal=journal,
        requests=requests,
        vault=vault,
        masker=masker,
        ledger=before.ledger.renewed(policy.limits) if before else Ledger(policy.limits),
        judge_ledger=judge_ledger,
        approvals=ApprovalBook(
            conversation=id,
            user=user,
            policy_version=compiled.version,
            timeout_seconds=policy.approvals.timeout_seconds,
            waits_seconds=policy.approvals.waits_seconds,
            record=record,
            approver=approver,
            keep=keep,
            bind=journal.bind,
        ),
        stop=stop,
        guardrails=guardrails,
        user_door=(
            RecordCrossing(door="user", record=record),
            scan(Point.INPUT),
            Mask(masker, point=Point.INPUT.value),
            enforce(Point.INPUT),
        ),
        delivery_door=(
            Mask(masker, point=Point.OUTPUT.value),
            enforce(Point.OUTPUT),
            RecordDelivery(record),
        ),
        heard=heard,
        suspicions=suspicions,
        provenance=provenance,
        reveal_to_user=policy.pii.reveal_to_user,
    )
