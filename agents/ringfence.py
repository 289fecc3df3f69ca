"""The composition root: a policy, and the conversations that keep to it."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from autogen_agentchat.base import ChatAgent, TaskResult, Team
from autogen_core.models import ChatCompletionClient

from ringfence.agents.fence import Fence
from ringfence.agents.providers import build_client
from ringfence.agents.team_file import load_factory
from ringfence.agents.team_runner import Event, TeamRunner, task_messages
from ringfence.budgets.ledger import Ledger
from ringfence.conversations.audit import AuditLog, RunRecorder
from ringfence.conversations.conversation import Conversation
from ringfence.conversations.crossing import RecordCrossing, RecordDelivery
from ringfence.conversations.session import Session
from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.approval import ApprovalBook, Approver
from ringfence.guardrails.enforcement import Enforce
from ringfence.guardrails.masking import Mask, Masker
from ringfence.guardrails.presidio import PiiFinder, unknown_type
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.validators import ValidatorGuardrail
from ringfence.guardrails.vault import Vault
from ringfence.guardrails.verdicts import Guardrail, Point
from ringfence.places import located
from ringfence.policy import LoadedPolicy, Policy, load_policy

TeamFactory = Callable[[Fence], Team | ChatAgent]


class Ringfence:
    """Everything that the conversations of a process share: policy, model clients, price list, audit log."""

    def __init__(self, policy: Policy | LoadedPolicy | None = None) -> None:
        """Set up from a policy in code; `Ringfence.from_file` reads one.

        Raises:
            PolicyError: The policy names a recognizer or validator that does not exist.
        """
        loaded = policy if isinstance(policy, LoadedPolicy) else None
        self.policy: Policy = loaded.policy if loaded else policy or Policy()  # type: ignore[assignment]  # it is no LoadedPolicy here
        self.policy_version = loaded.version_hash if loaded else "in-code"
        self._folder = loaded.folder if loaded else Path.cwd()
        self._finder, self._guardrails = _parts(self.policy)
        # Without a policy file there is no place beside it, so a place has to be named.
        audited = loaded is not None or "audit" in self.policy.model_fields_set
        self.audit = AuditLog(self._folder / self.policy.audit.path if audited else None)
        self._clients: dict[str, ChatCompletionClient] = {}
        self._factory: TeamFactory | None = None

    @classmethod
    def from_file(cls, path: Path | str) -> Self:
        """Set up from a policy file.

        Raises:
            PolicyError: The file has faults; all of them are listed, with line and column.
        """
        loaded = load_policy(path)
        try:
            return cls(loaded)
        except PolicyError as error:
            raise PolicyError(located(error.faults, loaded.path)) from None

    @property
    def team(self) -> TeamFactory:
        """The team factory that the policy file names.

        Raises:
            PolicyError: It names none, or the file it names cannot be loaded.
        """
        if self._factory is None:
            if self.policy.team is None:
                raise PolicyError([Fault("name a team factory, such as team.py:support_team", where="team")])
            self._factory = load_factory(self.policy.team, self._folder)
        return self._factory

    def conversation(
        self,
        team: TeamFactory | None = None,
        *,
        id: str | None = None,  # noqa: A002 - the word that everybody uses for it
        user: str = "user",
        approver: Approver | None = None,
    ) -> Conversation[Event, TaskResult]:
        """A new conversation.

        Args:
            team: Builds the team with the fence that it is given; called afresh for each conversation and
                after a failure. None takes the policy file's.
            id: Yours, to find it again in the audit log; None makes one.
            user: Who talks; shown to approvers and in the audit log.
            approver: Asks a person about a consequential call. None: the run ends and waits, see
                `Conversation.pending_approvals`.
        """
        factory = team or self.team
        fence, session = self._fence(id or f"conversation-{uuid.uuid4().hex[:12]}", user, approver)

        async def new_runner() -> TeamRunner:
            fence.start_team()
            try:
                built = factory(fence)
            except SystemExit:
                # It would end the whole service, and every conversation in it.
                raise PolicyError([Fault("the team factory ended the program", where="team")]) from None
            # Before a state is loaded: that binds the team's termination condition.
            await fence.admit(built, is_new=True)
            return TeamRunner(built, fence)

        return Conversation(session=session, new_runner=new_runner, task_messages=task_messages)

    async def check(self, team: TeamFactory | None = None) -> list[Fault]:
        """Build the team once and list all of it that cannot be fenced; nothing is run."""
        fence, _ = self._fence("check", "check", None)
        try:
            coverage = await fence.inspect((team or self.team)(fence))
        except PolicyError as error:
            return list(error.faults)
        return coverage.faults

    async def close(self) -> None:
        """Close the audit log and the model clients that were made from the policy."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()
        self.audit.close()

    def _fence(self, conversation_id: str, user: str, approver: Approver | None) -> tuple[Fence, Session]:
        policy = self.policy
        record = RunRecorder(self.audit, conversation=conversation_id, policy=self.policy_version)
        vault = Vault()
        masker = Masker(finder=self._finder, settings=policy.pii, vault=vault)
        session = Session(
            id=conversation_id,
            user=user,
            record=record,
            vault=vault,
            masker=masker,
            ledger=Ledger(policy.limits),
            approvals=ApprovalBook(
                conversation=conversation_id,
                user=user,
                policy_version=self.policy_version,
                timeout_seconds=policy.approvals.timeout_seconds,
                record=record,
                approver=approver,
            ),
            stop=StopSignal(),
            user_door=(
                RecordCrossing(door="user", record=record),
                Mask(masker, point=Point.INPUT.value),
                Enforce(record=record, before=(Point.INPUT, self._guardrails.get(Point.INPUT, ()))),
            ),
            delivery_door=(
                Mask(masker, point=Point.OUTPUT.value),
                Enforce(record=record, before=(Point.OUTPUT, self._guardrails.get(Point.OUTPUT, ()))),
                RecordDelivery(record),
            ),
            reveal_to_user=policy.pii.reveal_to_user,
        )
        fence = Fence(
            session=session, policy=policy, guardrails=self._guardrails, tier_client=self._client_of_tier
        )
        return fence, session

    def _client_of_tier(self, name: str) -> ChatCompletionClient:
        tier = self.policy.models.get(name)
        if tier is None:
            known = ", ".join(sorted(self.policy.models)) or "none"
            raise PolicyError(
                [Fault(f"no model tier has this name; there is: {known}", where=f"models.{name}")]
            )
        if name not in self._clients:
            self._clients[name] = build_client(tier, folder=self._folder, name=name)
        return self._clients[name]


def _parts(policy: Policy) -> tuple[PiiFinder, Mapping[Point, Sequence[Guardrail]]]:
    """Build what the policy names, and report everything that cannot be built at once."""
    faults: list[Fault] = []
    finder: PiiFinder | None = None
    try:
        finder = PiiFinder(policy.pii)
    except PolicyError as error:
        faults.extend(error.faults)
    faults += [] if finder is None else _unknown_reveals(policy, finder.types)
    guardrails: dict[Point, list[Guardrail]] = {}
    for index, use in enumerate(policy.guardrails):
        try:
            guardrail = ValidatorGuardrail(use)
        except PolicyError as error:
            faults.extend(Fault(one.message, where=f"guardrails[{index}].use") for one in error.faults)
            continue
        for point in use.at:
            guardrails.setdefault(point, []).append(guardrail)
    if finder is None or faults:
        raise PolicyError(faults)
    return finder, guardrails


def _unknown_reveals(policy: Policy, known: frozenset[str]) -> Iterator[Fault]:
    for name, rule in policy.tools.items():
        for argument, types in (rule.reveals or {}).items():
            for entity in sorted({*types} - known):
                place = f"tools.{name}.reveals.{argument}"
                yield Fault(f"{entity}: {unknown_type(entity, known)}", where=place)
