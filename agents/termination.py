"""Makes the fence's stop a graceful end of the team's run, and the outermost team do one turn at a time."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from autogen_agentchat.agents import MessageFilterAgent
from autogen_agentchat.base import ChatAgent, TerminatedException, TerminationCondition
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage
from autogen_agentchat.teams import BaseGroupChat, MagenticOneGroupChat

from ringfence.agents.quiet_conditions import without_models
from ringfence.budgets.ledger import Ledger
from ringfence.errors import LimitExceeded
from ringfence.guardrails.stop import StopSignal

_IS_TASK = "ringfence_task"
"""Marks what was recorded of the task, because a condition sees it apart from the first turn."""
_SOURCE = "ringfence"

Message = BaseAgentEvent | BaseChatMessage


class FenceTermination(TerminationCondition):
    """Counts turns, and ends the run after the turn in which the fence stopped the conversation.

    Holds the team's own condition, which goes first: a team that is done with its last turn is done.

    The outermost team goes by steps: it is stopped after each turn, and goes on with the next step. To its
    own condition all steps of a run are one run.
    """

    def __init__(
        self,
        *,
        stop: StopSignal,
        ledger: Ledger,
        agents: Collection[str],
        own: TerminationCondition | None,
        own_turns: int | None,
    ) -> None:
        self._stop = stop
        self._ledger = ledger
        self._agents = frozenset(agents)
        self._own = own
        self._own_turns = own_turns
        self._turns = 0
        self._terminated = False
        self._goes_by_steps = False
        self._task_ids: frozenset[str] = frozenset()
        self._begun = False
        """Whether anything of the current run was seen."""
        self._ended_before: StopMessage | None = None
        """Why the own condition would have ended the run while it was rebuilt; it may be asked no more."""
        self.paused = False
        """Whether the last step ended because its turn was done, and the team goes on."""
        self.has_heard_turn = False
        """Whether the last step's turn was seen; GraphFlow does not show its last one."""
        self.said: list[Mapping[str, Any]] = []
        """The JSON of the messages seen in the last step."""

    @property
    def terminated(self) -> bool:
        """Whether the run has ended."""
        return self._terminated

    def go_by_steps(self) -> None:
        """Stop after every turn from now on, and count the team's own turns here."""
        self._goes_by_steps = True

    def begin_step(self, task: Sequence[BaseChatMessage]) -> None:
        """The next turn is about to begin, with these messages of a task before it."""
        self._task_ids = frozenset(message.id for message in task)
        self.paused = self.has_heard_turn = False
        self.said = []

    async def __call__(self, messages: Sequence[Message]) -> StopMessage | None:
        """Called by AutoGen between two turns with what was said since."""
        if self._terminated:
            raise TerminatedException("The run has ended already")
        is_turn = self._is_turn(messages)
        self.note(messages, is_task=not is_turn)
        ended = await self._fed(self._own, messages, is_turn=is_turn)
        if is_turn:
            self.has_heard_turn = True
            ended = ended or self._out_of_turns()
            self.count_turn(messages, is_last=ended is not None or self._turns == self._own_turns)
        if self._stop.error is not None:
            ended = StopMessage(content=str(self._stop.error), source=_SOURCE)
        if ended is None and is_turn and self._goes_by_steps:
            self.paused = True
            ended = StopMessage(content="The turn is done.", source=_SOURCE)
        self._terminated = ended is not None
        return ended

    def note(self, messages: Sequence[Message], *, is_task: bool) -> None:
        """Record what was said in this step."""
        if self._goes_by_steps:
            self.said += recorded(messages, is_task=is_task)

    def count_turn(self, messages: Sequence[Message], *, is_last: bool) -> None:
        """Count a turn in which an agent of the team itself spoke; a team within counts its own."""
        if not self._speaks(messages) or self._stop.cuts_short:
            return  # a turn that will be played again counts then
        try:
            self._ledger.count_turn()
        except LimitExceeded as error:
            if not is_last:
                self._stop.set(error)

    async def reset(self) -> None:
        """Called by AutoGen before the next run, and after each step, which is no end of a run."""
        self._terminated = False
        if not self.paused:
            await self._renew()

    async def start_run(self) -> None:
        """Forget the run before, if it did not come to its own end."""
        if self._begun:
            await self._renew()

    async def rebuild(self, turns: Sequence[Sequence[tuple[Message, bool]]]) -> None:
        """Take up a run in which this was said, turn by turn; each message with whether it is of the task.

        The own condition is shown it all again. What it cannot know from that starts anew: the clock of a
        TimeoutTermination, whether an ExternalTermination was set, and a condition that asks a model.
        """
        own = without_models(self._own) if self._own is not None else None
        for turn in turns:
            for is_task in (True, False):
                messages = [message for message, was_task in turn if was_task is is_task]
                if messages:
                    ended = await self._fed(own, messages, is_turn=not is_task)
                    self._ended_before = self._ended_before or ended

    async def _fed(
        self, own: TerminationCondition | None, messages: Sequence[Message], *, is_turn: bool
    ) -> StopMessage | None:
        self._begun = True
        self._turns += is_turn
        if own is None or self._ended_before is not None:
            return self._ended_before
        return await own(messages)

    def _is_turn(self, messages: Sequence[Message]) -> bool:
        if not self._goes_by_steps:
            return self._speaks(messages)
        return any(message.id not in self._task_ids for message in messages)

    def _speaks(self, messages: Sequence[Message]) -> bool:
        return any(isinstance(one, BaseChatMessage) and one.source in self._agents for one in messages)

    def _out_of_turns(self) -> StopMessage | None:
        if not self._goes_by_steps or self._own_turns is None or self._turns < self._own_turns:
            return None
        said = f"Maximum number of turns {self._own_turns} reached."
        return StopMessage(content=said, source=_SOURCE)

    async def _renew(self) -> None:
        self._turns, self._begun, self._ended_before = 0, False, None
        if self._own is not None:
            await self._own.reset()


def speakers(team: BaseGroupChat) -> set[str]:
    """The names in which a team's members speak; a team as a member speaks in those of its own members."""
    members = team._participants  # noqa: SLF001 - AutoGen tells it no other way
    return {_speaks_as(member).name for member in members if isinstance(member, ChatAgent)}


def _speaks_as(agent: ChatAgent) -> ChatAgent:
    return _speaks_as(agent._wrapped_agent) if isinstance(agent, MessageFilterAgent) else agent  # noqa: SLF001 - likewise


def own_turns(team: BaseGroupChat) -> int | None:
    """After how many turns a team ends by itself; MagenticOne counts rounds, and has a last word."""
    return None if isinstance(team, MagenticOneGroupChat) else team._max_turns  # noqa: SLF001 - likewise


def recorded(messages: Sequence[Message], *, is_task: bool) -> list[Mapping[str, Any]]:
    """The JSON of messages, with whether they are of the task."""
    mark = {_IS_TASK: True} if is_task else {}
    return [{**message.dump(), **mark} for message in messages]


def was_task(record: Mapping[str, Any]) -> bool:
    """Whether a recorded message was one of the task's."""
    return bool(record.get(_IS_TASK))
