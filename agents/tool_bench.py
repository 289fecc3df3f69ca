"""A bench to test tools on: one call after the other through the real doors, without a language model."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from autogen_agentchat.messages import TextMessage
from autogen_core.tools import Workbench

from ringfence.agents.bench_clock import BenchClock
from ringfence.agents.bench_policy import for_bench
from ringfence.agents.bench_readings import Answered
from ringfence.agents.bench_source import SOURCE, StandInSource, check_read
from ringfence.agents.bench_team import BenchTeam
from ringfence.agents.delivery import DEFAULT_TIMEOUT_SECONDS
from ringfence.agents.ringfence import Ringfence
from ringfence.agents.services import Services
from ringfence.agents.tool_origins import ToolLike
from ringfence.agents.tool_outcome import ToolOutcome, outcome_of
from ringfence.agents.watched_tools import Stage, Watch, missing_tool, names_of, raising
from ringfence.conversations.audit import AuditLog
from ringfence.conversations.store import Store
from ringfence.errors import GuardrailTripped, RingfenceError
from ringfence.guardrails.passages import Point
from ringfence.guardrails.roles import RolesOf
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.policy import LoadedPolicy, Policy, load_policy

_NOTHING_SAID = "Next."


class ServiceUnavailable(ConnectionError):
    """What a staged service raises when no other error is wanted; it may pass, as a broken connection may."""


class ToolBench:
    """Tools behind the fence of one conversation, and nobody but a test to ask for their calls.

    The policy, the doors, approvals, totals and the journal are the real ones. Stand-ins are the model, which
    asks for exactly the calls that the test wants, and the store, which lives in memory.
    """

    def __init__(
        self,
        policy: Policy | LoadedPolicy | None = None,
        *,
        tools: Workbench | Sequence[ToolLike],
        user: str = "user",
        agent: str = "agent",
        validators: Mapping[str, Any] | None = None,
        roles: RolesOf | None = None,
        dry_run: bool = False,
    ) -> None:
        """Lay the tools out.

        Args:
            policy: None takes the defaults; what it says of other tools and agents is left aside.
            tools: As for `fence.workbench(...)`.
            user: Who talks.
            agent: Who calls.
            validators: As for `Ringfence(...)`.
            roles: Likewise.
            dry_run: Calls pass the whole gate, and no tool is run.
        """
        self._tools = tools
        self._user, self._agent_name = user, agent
        self._policy, self._validators, self._roles = policy, validators, roles
        self._watch = Watch(runs_nothing=dry_run)
        self._clock = BenchClock()
        self._source = StandInSource()
        self._team = BenchTeam(tools, agent=agent, source=self._source.tool, watch=self._watch)
        self._said: list[str] = []
        self._names: Sequence[str] = ()
        self._ringfence: Ringfence | None = None
        self._conversation: Any = None

    @classmethod
    def from_file(
        cls,
        path: Path | str,
        *,
        tools: Workbench | Sequence[ToolLike],
        user: str = "user",
        agent: str = "agent",
        validators: Mapping[str, Any] | None = None,
        roles: RolesOf | None = None,
    ) -> Self:
        """A bench with the policy of a file; the other arguments are those of `ToolBench`.

        Raises:
            PolicyError: The file has faults; all of them are listed, with line and column.
        """
        return cls(load_policy(path), tools=tools, user=user, agent=agent, validators=validators, roles=roles)

    async def __aenter__(self) -> Self:
        """Opens nothing before the first call."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the bench."""
        await self.close()

    async def close(self) -> None:
        """Forget the conversation; a workbench that was handed in stays as it is."""
        ringfence, self._ringfence, self._conversation = self._ringfence, None, None
        if ringfence is not None:
            await ringfence.close()

    def user_said(self, text: str) -> None:
        """What the user says before the next call; it passes the user door with it."""
        self._said.append(text)

    def tool_said(self, text: str) -> None:
        """What an untrusted tool gives back before the next call; it passes the tool door."""
        self._source.note(text)

    def service_fails(self, *, times: int = 1, error: BaseException | None = None) -> None:
        """The next tries of a tool fail with this error, without running it."""
        self._stage(raising(error or ServiceUnavailable("the service is not available")), times)

    def service_crashes(self, *, times: int = 1) -> None:
        """The next tries of a tool try to end the process, without running it."""
        self._stage(raising(SystemExit(1)), times)

    def service_hangs(self, *, times: int = 1) -> None:
        """The next tries of a tool never answer.

        The event loop's clock is put forward by the time that the tool has, so that no test has to wait.
        """
        self._stage(lambda name: self._clock.hang(self._time_of(name)), times)

    def time_passes(self, seconds: float) -> None:
        """Let the services have so many seconds to recover: breakers and rates go by it."""
        self._clock.pass_by(seconds)

    async def call(
        self, name: str, /, *, approved_by: str | Sequence[str] = (), **arguments: Any
    ) -> ToolOutcome:
        """Ask for one call.

        Args:
            name: The tool.
            approved_by: Who approves the call if it waits for a person; several where it takes several.
            arguments: The call's, as a model would write them.

        Raises:
            GuardrailTripped: Not the call was blocked, but what the user said before.
            CoverageError: The policy does not fit these tools.
        """
        return await self.call_with(name, arguments, approved_by=approved_by)

    async def call_with(
        self, name: str, arguments: Mapping[str, Any] | str, *, approved_by: str | Sequence[str] = ()
    ) -> ToolOutcome:
        """As `call`, with the arguments in one piece: a mapping, or a text that need not even be JSON."""
        conversation = await self._opened()
        if name not in self._names:
            # Else a slip in a test would read as a refusal, and the test would pass.
            raise RingfenceError(missing_tool(name, self._names))
        if conversation.pending_approvals:
            await conversation.withdraw()
        written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        self._team.model.wanted = [*self._source.take_calls(), (name, written)]
        task = [TextMessage(content=text, source="user") for text in self._said or [_NOTHING_SAID]]
        self._said = []
        self._watch.tries.clear()
        outcome = await self._outcome(name, partial(conversation.run, task=task))
        for person in [approved_by] if isinstance(approved_by, str) else approved_by:
            if outcome.waits:
                outcome = await self.approve(outcome, by=person)
        return outcome

    async def approve(
        self, waiting: ToolOutcome, *, by: str, arguments: Mapping[str, Any] | None = None
    ) -> ToolOutcome:
        """Approve a call that waits, and go on with it once it takes nobody else.

        Args:
            waiting: What `call` answered.
            by: Who approves.
            arguments: All of them, real, in the place of those that were asked for.

        Raises:
            RingfenceError: It does not wait, this person may not decide, or these arguments do not pass.
        """
        conversation = await self._opened()
        await conversation.approve(_id_of(waiting), by=by, arguments=arguments)
        if still := conversation.pending_approvals:
            return replace(waiting, request=still[0])
        return replace(await self._outcome(waiting.tool, conversation.resume), evidence=waiting.evidence)

    async def reject(self, waiting: ToolOutcome, *, by: str, reason: str = "") -> ToolOutcome:
        """Reject a call that waits, and go on without it.

        Raises:
            RingfenceError: It does not wait any more, or this person may not decide.
        """
        conversation = await self._opened()
        await conversation.reject(_id_of(waiting), by=by, reason=reason)
        return await self._outcome(waiting.tool, conversation.resume)

    def _time_of(self, name: str) -> float:
        policy = self._ringfence.policy if self._ringfence else Policy()
        return ToolPolicy(policy.tools).rule(name).timeout_seconds or DEFAULT_TIMEOUT_SECONDS

    def _stage(self, stage: Stage, times: int) -> None:
        self._watch.stages.extend([stage] * times)

    async def _opened(self) -> Any:
        if self._conversation is None:
            self._names = await names_of(self._tools)
            fitted = for_bench(self._policy, tools={*self._names, SOURCE}, agent=self._agent_name)
            self._ringfence = Ringfence(fitted, validators=self._validators, roles=self._roles, store=Store())
            # The log of a deployment has no place for what was only tried.
            self._ringfence.audit = AuditLog(None)
            own = Services(self._clock.sleep, self._clock)
            self._ringfence._services = own  # noqa: SLF001 - only a test may jump over waits
            self._conversation = self._ringfence.conversation(self._team.build, user=self._user)
        return self._conversation

    async def _outcome(self, name: str, run: Callable[[], Any]) -> ToolOutcome:
        refusal = ""
        try:
            ended = (await run()).stop_reason
        except GuardrailTripped as error:
            if error.point == Point.INPUT:
                raise
            ended = refusal = str(error)
        answers = await self._team.answers()
        check_read(answers)
        heard = answers[-1] if answers and not refusal else Answered(name, str(ended))
        tries = [one.arguments for one in self._watch.tries if one.tool == name]
        # What a tool gave back is a source, too, but none of the call's own values.
        is_before = not tries or self._watch.runs_nothing
        return outcome_of(
            heard,
            tries=tries,
            spec=self._team.spec(name),
            request=next(iter(self._conversation.pending_approvals), None),
            evidence=self._team.evidence(name, heard.seen) if is_before else (),
        )


def _id_of(waiting: ToolOutcome) -> str:
    if waiting.request is None:
        raise RingfenceError(f"This call of {waiting.tool} does not wait for a person")
    return waiting.request.id
