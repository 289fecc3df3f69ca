"""Making what belongs to one conversation from a policy."""

from collections.abc import Callable

from autogen_core.models import ChatCompletionClient

from ringfence.agents.compiled_policy import CompiledPolicy
from ringfence.agents.judges import judge_model
from ringfence.agents.services import Services
from ringfence.budgets.ledger import Ledger
from ringfence.conversations.approval_rows import approval_content, decision_content, status_of
from ringfence.conversations.audit import AuditLog, RunRecorder
from ringfence.conversations.crossing import RecordCrossing, RecordDelivery
from ringfence.conversations.journal import Journal
from ringfence.conversations.journaled_calls import JournalModelCalls
from ringfence.conversations.journaled_tools import key_of
from ringfence.conversations.requests import Requests
from ringfence.conversations.session import Session
from ringfence.conversations.store import Store
from ringfence.guardrails.approval import Approver, DecidedCall, WaitingCall
from ringfence.guardrails.approval_book import ApprovalBook
from ringfence.guardrails.approval_changes import ChangeCheck
from ringfence.guardrails.approval_deciders import Deciders
from ringfence.guardrails.call_judge import CallJudge
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.enforcement import Enforce, Scan
from ringfence.guardrails.heard import Heard
from ringfence.guardrails.made_calls import MadeCalls
from ringfence.guardrails.masking import Mask, Masker
from ringfence.guardrails.passages import Point
from ringfence.guardrails.provenance import Provenance
from ringfence.guardrails.provenance_notes import NoteUser
from ringfence.guardrails.roles import Roles, RolesOf
from ringfence.guardrails.standing import Bounds, Standing
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.suspicions import Suspicions
from ringfence.guardrails.tool_directory import ToolDirectory
from ringfence.guardrails.tool_listings import ToolListings
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.guardrails.validators import ValidatorGuardrail
from ringfence.guardrails.vault import Vault
from ringfence.guardrails.verdicts import Guardrail, Verdict


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
    services: Services | None = None,
    more_roles: RolesOf | None = None,
    bounds: Bounds | None = None,
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
    roles = Roles(policy.roles, more_roles)
    standing = Standing(
        roles=lambda: roles(user),
        bounds=(before.standing.bounds if before else bounds) or Bounds(),
        made=before.standing.made if before else MadeCalls(lambda: (journal.run, journal.turn)),
    )
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
                services=services or Services(),
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

    async def keep(one: WaitingCall | DecidedCall) -> bool:
        if not journal.is_open:
            return True
        request = one.request
        await requests.ask(
            id=request.id,
            turn=journal.turn,
            kind=request.kind,
            key=key_of(one.call),
            content=approval_content(one),
            expires_at=request.expires_at.timestamp(),
        )
        if isinstance(one, WaitingCall) and not one.approved_by:
            return True
        return await requests.decide(request.id, status=status_of(one), decision=decision_content(one))

    tool_policy = compiled.tool_policy

    def deciders(tool: str) -> Deciders:
        return tool_policy.rule(tool).approvals.over(policy.approvals.deciders).with_roles(policy.roles)

    def judge_changed(call: ToolCall, spec: ToolSpec) -> Verdict:
        # Whoever decides may be in a process that has not built the team and does not know its tools.
        directory = ToolDirectory({call.tool: tool_policy.describe(call.tool, spec)}, set())
        judge = CallJudge(
            policy=tool_policy,
            directory=directory,
            vault=vault,
            suspicions=suspicions,
            provenance=provenance,
            tracing=compiled.tracing,
            standing=standing,
        )
        return judge.judge(call).verdict

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
            changes=ChangeCheck(masker=masker, vault=vault, judge=judge_changed),
            deciders=deciders,
            roles=roles,
        ),
        stop=stop,
        guardrails=guardrails,
        user_door=(
            RecordCrossing(door="user", record=record),
            scan(Point.INPUT),
            Mask(masker, point=Point.INPUT.value),
            enforce(Point.INPUT),
            NoteUser(provenance, user=user),
        ),
        delivery_door=(
            Mask(masker, point=Point.OUTPUT.value),
            enforce(Point.OUTPUT),
            RecordDelivery(record),
        ),
        heard=heard,
        suspicions=suspicions,
        provenance=provenance,
        standing=standing,
        listings=before.listings if before else ToolListings(),
        reveal_to_user=policy.pii.reveal_to_user,
    )
