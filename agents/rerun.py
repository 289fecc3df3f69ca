"""A recorded conversation, played against another policy or another team; nothing and nobody is called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autogen_agentchat.messages import MessageFactory
from autogen_core.models import ChatCompletionClient

from ringfence.agents.compiled_policy import CompiledPolicy
from ringfence.agents.fence import Fence
from ringfence.agents.providers import build_client
from ringfence.agents.recorded_answers import RecordedJudge, Script
from ringfence.agents.recorded_fence import RecordedFence
from ringfence.agents.recorded_runs import PlayedRun, RecordedRun, runs_of
from ringfence.agents.ringfence import Ringfence, TeamFactory
from ringfence.agents.team_runner import Event, task_messages
from ringfence.conversations.audit import AuditLog
from ringfence.conversations.conversation import Conversation
from ringfence.conversations.decisions import Compared, Difference, compare_wholes
from ringfence.conversations.job_settings import JobSettings
from ringfence.conversations.journal import Journal
from ringfence.conversations.recording import Recording, Said
from ringfence.conversations.replay import read_recording
from ringfence.conversations.session import Session
from ringfence.conversations.status import Status
from ringfence.conversations.store import Store
from ringfence.errors import Fault, PolicyError, RingfenceError, TaskError
from ringfence.guardrails.approval import Approver
from ringfence.guardrails.passages import Point
from ringfence.guardrails.standing import Bounds
from ringfence.guardrails.texts import map_text
from ringfence.guardrails.validators import ValidatorGuardrail
from ringfence.policy import LoadedPolicy, Policy, load_policy

_NEWS = "approvals"
"""Who tells a team what became of the turn before; the rerun has its own news."""
_NO_KEY = "none"
Talk = Conversation[Event, Any]


@dataclass(frozen=True, slots=True)
class Rerun:
    """What another policy or team would have decided."""

    conversation: str
    recorded_policy: str
    """The version that the last run of the recording kept to."""
    policy: str
    """The version that it was played against."""
    differences: tuple[Difference, ...]
    equal: int
    """How many decisions are the same."""
    unasked: Mapping[str, int] = field(default_factory=dict)
    """Guardrails that would have had to ask a model, and how often; they let the texts pass."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "conversation": self.conversation,
            "recorded_policy": self.recorded_policy,
            "policy": self.policy,
            "differences": [one.as_dict() for one in self.differences],
            "equal": self.equal,
            "would_ask_a_model": dict(self.unasked),
        }


async def recording_of(ringfence: Ringfence, conversation: str) -> Recording:
    """What the store of this Ringfence holds of a conversation.

    Raises:
        UnknownConversation: It holds none of this id.
        StoreError: What is stored was changed, is not complete, or cannot be read.
    """
    return await read_recording(ringfence.store, conversation)


async def rerun(
    recording: Recording,
    *,
    policy: Policy | LoadedPolicy | Path | str,
    team: TeamFactory | None = None,
    validators: Mapping[str, Any] | None = None,
) -> Rerun:
    """Play a recording against a policy and list the decisions that differ.

    The team is built and its tools are listed, but no model, tool, memory or judge is called: the n-th reply
    of each agent in each turn, the results of calls with the same arguments, and the decisions of persons are
    those that were recorded. Nothing is written but to a private store in memory.

    Args:
        recording: What `recording_of` gave.
        policy: The policy or its file.
        team: Builds the team; None takes the policy file's.
        validators: As for `Ringfence`.

    Raises:
        PolicyError: The policy has faults, or the team cannot be built or fenced.
        TaskError: A task of the recording is of a type that only its own team knows.
    """
    loaded = load_policy(policy) if isinstance(policy, Path | str) else policy
    ringfence = _RecordedRingfence(loaded, recording, validators)
    try:
        # Whatever is wrong with the team is told at once, and not as the end of each run.
        if faults := await ringfence.check(team):
            raise PolicyError(faults)
        async with ringfence.store.opened():
            return await ringfence.play(team)
    finally:
        await ringfence.close()


class _RecordedRingfence(Ringfence):
    """A Ringfence of which nothing goes out."""

    def __init__(
        self, policy: Policy | LoadedPolicy, recording: Recording, validators: Mapping[str, Any] | None
    ) -> None:
        # Its jobs would want the database that the policy names.
        if isinstance(policy, LoadedPolicy):
            policy = replace(policy, policy=_without_jobs(policy.policy))
        else:
            policy = _without_jobs(policy)
        stated = policy.policy if isinstance(policy, LoadedPolicy) else policy
        # Only the service knows who has these; whoever talked then is taken to have had them.
        unnamed = {role for rule in stated.tools.values() for role in rule.roles or ()} - stated.roles.keys()
        super().__init__(policy, validators=validators, store=Store(None), roles=lambda _user: unnamed)
        self.audit = AuditLog(None)
        self._recording = recording
        self._script = Script(recording)
        compiled = self._compiled
        self._compiled = replace(
            compiled,
            guardrails={
                point: [self._judge(one) for one in listed] for point, listed in compiled.guardrails.items()
            },
        )
        self._played_fence: RecordedFence | None = None

    async def play(self, team: TeamFactory | None) -> Rerun:
        """All runs, one after another."""
        recording, script, record = self._recording, self._script, self._recording.record
        talk = self.conversation(team, id=record.id, user=record.user, approver=script.decide)
        if self._played_fence is not None:
            self._played_fence.suspect(Point.INPUT)
        found: list[PlayedRun] = []
        for run in runs_of(recording):
            if talk.status in {Status.WAITING_FOR_APPROVAL, Status.WAITING_FOR_ANSWER}:
                await talk.withdraw()
            first = script.journal.turn + 1
            script.begin(run.turns, first=first)
            ended = await self._play_run(talk, run)
            found.append(PlayedRun(run.turns, range(first, script.journal.turn + 1), ended))
        return await self._compared(found)

    async def _play_run(self, talk: Talk, run: RecordedRun) -> str:
        """Play one run, and say why it ended if it did not come to its end."""
        try:
            result = await talk.run(task=self._messages(run.task) or None)
            while talk.status is Status.WAITING_FOR_ANSWER:
                for question in talk.pending_questions:
                    if (text := self._script.answer(question.agent)) is None:
                        return ""
                    await talk.answer(question.id, text)
                result = await talk.resume()
        except RingfenceError as error:
            if self._script.journal.turn < self._script.first:
                raise
            return str(error)
        return str(result.stop_reason) if talk.status is Status.LIMIT_REACHED else ""

    async def _compared(self, found: Sequence[PlayedRun]) -> Rerun:
        now = await read_recording(self.store, self._recording.record.id)
        parts = [part for run in found for part in run.compared(self._recording, now)]
        parts.append(self._compared_end(now))
        return Rerun(
            conversation=self._recording.record.id,
            recorded_policy=self._recording.record.policy,
            policy=self.policy_version,
            differences=tuple(self._told(one) for part in parts for one in part.differences),
            equal=sum(part.equal for part in parts),
            unasked=dict(self._script.unasked),
        )

    def _compared_end(self, now: Recording) -> Compared:
        compared = compare_wholes(self._recording, now)
        if not self._script.has_run_out:
            return compared
        unknown = "cannot be told, because the recording has no more replies"
        differences = [
            replace(one, now=unknown) if one.what == "status" else one for one in compared.differences
        ]
        return replace(compared, differences=tuple(differences))

    def _told(self, difference: Difference) -> Difference:
        tool, is_call, _ = difference.what.partition("(")
        known = self._played_fence.tools if self._played_fence is not None else {}
        if is_call and tool not in known:
            return replace(difference, now="the team no longer has this tool")
        return difference

    def _messages(self, task: Said) -> list[Any]:
        factory = MessageFactory()
        try:
            messages = [factory.create(dict(one)) for one in task if one.get("source") != _NEWS]
        except ValueError:
            raise TaskError("A task of the recording is of a type that only its own team knows") from None
        # The user's door sees what the user wrote, so far as it was kept.
        return [map_text(one, self._script.vault.reveal) for one in messages]

    def _judge(self, guardrail: Any) -> Any:
        model = guardrail.model if isinstance(guardrail, ValidatorGuardrail) else None
        if model is None:
            return guardrail
        return RecordedJudge(guardrail, self.policy.models[model].model or model, self._script)

    def _fence(
        self,
        journal: Journal,
        user: str,
        approver: Approver | None,
        before: Session | None = None,
        bounds: Bounds | None = None,
    ) -> tuple[Fence, Session]:
        bounds = bounds or Bounds()
        bounds.load(self._recording.record.session.get("bounds", {}))
        _, session = super()._fence(journal, user, approver, before, bounds)
        # Whoever decided was allowed to when it was recorded.
        session.approvals.trust_everybody()
        if self._recording.record.vault is not None:
            session.vault.restore(self._recording.record.vault)
        self._script.journal, self._script.vault = journal, session.vault
        fence = RecordedFence(
            session=session,
            compiled=self._compiled,
            tier_client=lambda name: self._client_of_tier(self._compiled, name),
            task_messages=task_messages,
        )
        fence.script = self._script
        self._played_fence = fence
        return fence, session

    def _client_of_tier(self, compiled: CompiledPolicy, name: str) -> ChatCompletionClient:
        tier = compiled.policy.models.get(name)
        if tier is None:
            known = ", ".join(sorted(compiled.policy.models)) or "none"
            said = f"no model tier has this name; there is: {known}"
            raise PolicyError([Fault(said, where=f"models.{name}")])
        return build_client(tier, folder=compiled.folder, name=name, key=_NO_KEY)


def _without_jobs(policy: Policy) -> Policy:
    return policy.model_copy(update={"jobs": JobSettings()})
