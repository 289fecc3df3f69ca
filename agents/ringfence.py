"""The composition root: a policy, and the conversations that keep to it."""

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from autogen_agentchat.base import ChatAgent, TaskResult, Team
from autogen_core.models import ChatCompletionClient
from sqlalchemy.ext.asyncio import AsyncEngine

from ringfence.agents.compiled_policy import CompiledPolicy, compile_policy
from ringfence.agents.coverage import walk
from ringfence.agents.fence import Fence
from ringfence.agents.job_delivery import delivery_of
from ringfence.agents.providers import build_client
from ringfence.agents.services import Services
from ringfence.agents.sessions import new_session
from ringfence.agents.team_file import load_factory
from ringfence.agents.team_runner import Event, TeamRunner, task_messages
from ringfence.conversations.audit import AuditLog
from ringfence.conversations.conversation import Conversation
from ringfence.conversations.jobs import Jobs
from ringfence.conversations.journal import Journal
from ringfence.conversations.records import read_record
from ringfence.conversations.requests import Requests
from ringfence.conversations.session import Session
from ringfence.conversations.store import Store
from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.approval import Approver
from ringfence.guardrails.roles import RolesOf
from ringfence.guardrails.sealing import KeySource
from ringfence.guardrails.standing import Bounds
from ringfence.places import located
from ringfence.policy import LoadedPolicy, Policy, load_policy

TeamFactory = Callable[[Fence], Team | ChatAgent]


class Ringfence:
    """Everything that the conversations of a process share: policy, model clients, price list, audit log."""

    def __init__(
        self,
        policy: Policy | LoadedPolicy | None = None,
        *,
        validators: Mapping[str, Any] | None = None,
        store: Store | AsyncEngine | Path | str | None = None,
        keys: KeySource = None,
        roles: RolesOf | None = None,
    ) -> None:
        """Set up from a policy in code; `Ringfence.from_file` reads one.

        Args:
            policy: None takes the defaults.
            validators: guardrails-ai Validators and Guards, and pydantic models, under the names by which the
                policy's `guardrails` use them.
            store: Where conversations are kept: an SQLAlchemy engine of yours, a file, a URL or a `Store`.
                None takes the policy's; a policy in code that names none keeps them in memory.
            keys: What the store is sealed with; None takes RINGFENCE_VAULT_KEYS, or a key file that is made
                beside an SQLite file.
            roles: Which roles a user has, beside those that the policy's `roles` gives: user → names. Asked
                anew at each call of a tool that needs one; when it fails, the user has none.

        Raises:
            PolicyError: The policy names a recognizer or validator that does not exist.
            StoreError: There is no such database.
        """
        self._validators = dict(validators or {})
        self._path = policy.path if isinstance(policy, LoadedPolicy) else None
        self._roles = roles
        self._compiled = compile_policy(policy or Policy(), self._validators, knows_roles=roles is not None)
        # Without a policy file there is no place beside it, so a place has to be named.
        audited = self._path is not None or "audit" in self.policy.model_fields_set
        self.audit = AuditLog(self._compiled.folder / self.policy.audit.path if audited else None)
        self.store = self._store_of(store, keys)
        self.jobs = Jobs(
            self.store,
            settings=self.policy.jobs,
            check_task=lambda task: task_messages(task, "user"),
            limits=lambda: self.policy.limits,
            reveal_to_user=lambda: self.policy.pii.reveal_to_user,
            delivery=delivery_of(self.policy.jobs, self.store),
        )
        self._clients: dict[tuple[str, str], ChatCompletionClient] = {}
        self._factory: TeamFactory | None = None
        self._services = Services()

    @classmethod
    def from_file(
        cls,
        path: Path | str,
        *,
        validators: Mapping[str, Any] | None = None,
        store: Store | AsyncEngine | Path | str | None = None,
        keys: KeySource = None,
        roles: RolesOf | None = None,
    ) -> Self:
        """Set up from a policy file; the other arguments are those of `Ringfence`.

        Raises:
            PolicyError: The file has faults; all of them are listed, with line and column.
        """
        loaded = load_policy(path)
        try:
            return cls(loaded, validators=validators, store=store, keys=keys, roles=roles)
        except PolicyError as error:
            raise PolicyError(located(error.faults, loaded.path)) from None

    @property
    def policy(self) -> Policy:
        """The policy that new runs keep to."""
        return self._compiled.policy

    @property
    def folder(self) -> Path:
        """What the policy's paths are relative to."""
        return self._compiled.folder

    @property
    def policy_version(self) -> str:
        """Its hash; stands in every audit line."""
        return self._compiled.version

    def reload(self, policy: Policy | None = None) -> bool:
        """Take a changed policy: the file read again, or the one handed in. Says whether it is another one.

        A run that is under way goes on with the policy that it began with. Every conversation takes the new
        one at its next run: its team is built anew, and what waited for approval is withdrawn, because an
        approval binds the policy that it was given under.

        Raises:
            PolicyError: The policy has faults; all of them are listed, and the old one holds on.
        """
        if policy is None and self._path is None:
            raise PolicyError("there is no policy file to read again; hand in the policy")
        loaded = policy or load_policy(self._path or "")
        try:
            compiled = compile_policy(loaded, self._validators, knows_roles=self._roles is not None)
        except PolicyError as error:
            raise PolicyError(located(error.faults, self._path) if self._path else error.faults) from None
        if compiled.policy.audit != self.policy.audit:
            said = "cannot change while the process runs; start it anew"
            raise PolicyError([Fault(said, where="audit.path")])
        for section in ("store", "jobs"):
            if getattr(compiled.policy, section) != getattr(self.policy, section):
                said = "cannot change while the process runs; start it anew"
                raise PolicyError([Fault(said, where=section)])
        is_other = policy is not None or compiled.version != self._compiled.version
        if is_other:
            self._compiled = compiled
            self._factory = None
        return is_other

    @property
    def team(self) -> TeamFactory:
        """The team factory that the policy file names.

        Raises:
            PolicyError: It names none, or the file it names cannot be loaded.
        """
        if self._factory is None:
            if self.policy.team is None:
                raise PolicyError([Fault("name a team factory, such as team.py:support_team", where="team")])
            self._factory = load_factory(self.policy.team, self._compiled.folder)
        return self._factory

    def conversation(
        self,
        team: TeamFactory | None = None,
        *,
        id: str | None = None,  # noqa: A002 - the word that everybody uses for it
        user: str = "user",
        approver: Approver | None = None,
        autonomy: int | None = None,
        dry_run: bool = False,
    ) -> Conversation[Event, TaskResult]:
        """A conversation: a new one, or one that the store knows by its id, taken up at its first use.

        Args:
            team: Builds the team with the fence that it is given; called afresh for each conversation and
                after a failure. None takes the policy file's.
            id: Yours, to find it again in the audit log; None makes one.
            user: Who talks; shown to approvers and in the audit log.
            approver: Asks a person about a consequential call. None: the run ends and waits, see
                `Conversation.pending_approvals`.
            autonomy: 1 to 4: at most this much is done unasked, whatever the policy says. It stays, in every
                process that takes the conversation up, and may become stricter there.
            dry_run: Consequential calls pass every check and are not run. It stays, too.

        Raises:
            ValueError: There is no such level of autonomy.
        """
        bounds = Bounds.of(autonomy=autonomy, dry_run=dry_run)
        if team is None:
            self.team  # noqa: B018 - what is wrong with it is told here, not in the first run
        conversation_id = id or f"conversation-{uuid.uuid4().hex[:12]}"
        compiled = self._compiled
        journal = Journal(self.store, conversation_id)
        fence, session = self._fence(journal, user, approver, bounds=bounds)

        async def new_runner() -> TeamRunner:
            fence.start_team()
            try:
                built = (team or self.team)(fence)
            except SystemExit:
                # It would end the whole service, and every conversation in it.
                raise PolicyError([Fault("the team factory ended the program", where="team")]) from None
            # Before a state is loaded: that binds the team's termination condition.
            try:
                await fence.admit(built, is_new=True)
            except PolicyError:
                await walk(built, fence).rest()
                raise
            return TeamRunner(built, fence)

        def renewed(before: Session) -> Session | None:
            nonlocal compiled, fence
            if self._compiled is compiled:
                return None
            compiled = self._compiled
            fence, after = self._fence(journal, user, approver, before)
            return after

        return Conversation(
            session=session,
            new_runner=new_runner,
            task_messages=task_messages,
            renewed=renewed,
            team=getattr(team or self.team, "__name__", ""),
        )

    async def open(
        self,
        id: str,  # noqa: A002 - as above
        *,
        team: TeamFactory | None = None,
        approver: Approver | None = None,
    ) -> Conversation[Event, TaskResult]:
        """A conversation that the store knows, with all that was said and done in it.

        Raises:
            UnknownConversation: The store knows none of this id.
            ConversationInterrupted: Another process runs it at this moment.
            StoreError: What is stored was changed, or cannot be read.
        """
        record = await self.store.read(lambda db: read_record(db, self.store, id))
        conversation = self.conversation(team, id=id, user=record.user, approver=approver)
        await conversation.load()
        return conversation

    async def check(self, team: TeamFactory | None = None) -> list[Fault]:
        """Build the team once and list all of it that cannot be fenced; nothing is run."""
        try:
            fence, _ = self._fence(Journal(self.store, "check"), "check", None)
            coverage = await fence.inspect((team or self.team)(fence))
        except PolicyError as error:
            return list(error.faults)
        await coverage.rest()
        return coverage.faults

    async def close(self) -> None:
        """Close the audit log and the model clients that were made from the policy."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()
        self.audit.close()
        await self.store.close()

    def _store_of(self, given: Store | AsyncEngine | Path | str | None, keys: KeySource) -> Store:
        if isinstance(given, Store):
            return given
        settings = self.policy.store
        if given is None and (self._path is not None or "store" in self.policy.model_fields_set):
            given = settings.where()
        return Store(given, settings=settings, keys=keys, folder=self._compiled.folder)

    def _fence(
        self,
        journal: Journal,
        user: str,
        approver: Approver | None,
        before: Session | None = None,
        bounds: Bounds | None = None,
    ) -> tuple[Fence, Session]:
        compiled = self._compiled

        def tier_client(name: str) -> ChatCompletionClient:
            return self._client_of_tier(compiled, name)

        session = new_session(
            compiled,
            id=journal.conversation,
            user=user,
            approver=approver,
            journal=journal,
            requests=Requests(
                self.store, journal.conversation, decided=lambda db, one: self.jobs.wake(one, db)
            ),
            audit=self.audit,
            tier_client=tier_client,
            before=before,
            services=self._services,
            more_roles=self._roles,
            bounds=bounds,
        )
        fence = Fence(
            session=session,
            compiled=compiled,
            tier_client=tier_client,
            task_messages=task_messages,
            services=self._services,
        )
        return fence, session

    def _client_of_tier(self, compiled: CompiledPolicy, name: str) -> ChatCompletionClient:
        tier = compiled.policy.models.get(name)
        if tier is None:
            known = ", ".join(sorted(compiled.policy.models)) or "none"
            raise PolicyError(
                [Fault(f"no model tier has this name; there is: {known}", where=f"models.{name}")]
            )
        # With what it is made of: a changed policy may mean another model by the same name.
        key = (name, tier.model_dump_json())
        if key not in self._clients:
            self._clients[key] = build_client(tier, folder=compiled.folder, name=name)
        return self._clients[key]
