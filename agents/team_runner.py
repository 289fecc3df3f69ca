"""An AutoGen team as something that a conversation can drive."""

import re
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from autogen_agentchat.agents import UserProxyAgent
from autogen_agentchat.base import ChatAgent, TaskResult, Team
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    BaseTextChatMessage,
    ModelClientStreamingChunkEvent,
    TextMessage,
)
from autogen_agentchat.teams import BaseGroupChat, MagenticOneGroupChat
from autogen_core import CancellationToken

from ringfence.agents import magentic_steps, own_runtimes, team_state
from ringfence.agents.coverage import walk
from ringfence.agents.fence import Fence
from ringfence.agents.fingerprint import fingerprint
from ringfence.agents.message_types import message_types
from ringfence.agents.termination import FenceTermination, recorded, was_task
from ringfence.agents.user_input import fenced_input
from ringfence.errors import TaskError
from ringfence.guardrails.clean_text import clean_text

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")

Event = BaseAgentEvent | BaseChatMessage


class TeamRunner:
    """Runs one instance of a team, or a single agent, turn by turn."""

    def __init__(self, team: Team | ChatAgent, fence: Fence) -> None:
        self._team = team
        self._fence = fence
        self._coverage = walk(team, fence)
        self._message_types = message_types(self._coverage)
        self._termination = go_by_steps(team) if isinstance(team, BaseGroupChat) else None
        for agent in self._coverage.agents:
            if isinstance(agent, UserProxyAgent) and (asks := fenced_input(agent.input_func)):
                agent.input_func = asks.of(agent.name).answer
        self._is_admitted = False
        self.finished = False
        """Whether the team was done with the last step; else it goes on with `step(())`."""
        self.said: list[Mapping[str, Any]] = []
        """The JSON of what the last step was: messages of the task, and what the condition was shown then."""

    async def start_run(self) -> None:
        """A new run begins with the next step; not called for a run that is taken up again."""
        self._is_admitted = False
        if self._termination is not None:
            await self._termination.start_run()

    async def step(
        self, messages: Sequence[Any], token: CancellationToken, *, output_task_messages: bool
    ) -> AsyncGenerator[Event | TaskResult, None]:
        """One turn: the events as they happen; the last item is its TaskResult, when the team stands still.

        Its stop reason is None when the team goes on. A single agent's run is one turn.
        """
        if not self._is_admitted:
            await self._fence.admit(self._team)  # once more, because a team can be changed after it was built
            self._is_admitted = True
        own_runtimes.start(self._coverage.runtimes)
        if self._termination is not None:
            self._termination.begin_step(messages)
        result = TaskResult(messages=[])
        runtimes = self._coverage.runtimes
        with own_runtimes.watched(runtimes, token) as watched:
            items = self._team.run_stream(
                task=list(messages) or None,
                cancellation_token=watched,
                output_task_messages=output_task_messages,
            )
            # Closed at once: AutoGen counts a team as running until its stream has come to an end.
            async with aclosing(items):
                async for item in items:
                    if isinstance(item, TaskResult):
                        result = item
                    else:
                        yield item
            await own_runtimes.wait_until_idle(runtimes, watched)
        yield self._stepped(messages, result)

    def _stepped(self, task: Sequence[BaseChatMessage], result: TaskResult) -> TaskResult:
        termination = self._termination
        task_ids = {message.id for message in task}
        rest = [message for message in result.messages if message.id not in task_ids]
        if termination is None:
            self.finished = True
            self.said = recorded(task, is_task=True) + recorded(rest, is_task=False)
            return result
        self.finished = not termination.paused
        if self.finished and not termination.has_heard_turn:
            # A graph that has come to its end, and MagenticOne's last answer.
            termination.note(rest, is_task=False)
            termination.count_turn(rest, is_last=True)
        self.said = termination.said
        return result if self.finished else TaskResult(messages=result.messages)

    def is_result(self, item: Event | TaskResult) -> bool:
        """Whether an item of the stream is the TaskResult."""
        return isinstance(item, TaskResult)

    def chunk(self, item: Event) -> str | None:
        """The text of a piece of a message that a model is writing; None for every other event."""
        return item.content if isinstance(item, ModelClientStreamingChunkEvent) else None

    def with_chunk(self, item: Event, text: str) -> Event:
        """The piece with another text."""
        return item.model_copy(update={"content": text})

    def text(self, item: Event) -> str:
        """The text of a message of plain text; empty for every other event."""
        return item.content if isinstance(item, BaseTextChatMessage) else ""

    def is_message(self, item: Event) -> bool:
        """Whether this is something that an agent says, and no event."""
        return isinstance(item, BaseChatMessage)

    def result(self, messages: Sequence[Event], ended: TaskResult | None, reason: str | None) -> TaskResult:
        """A TaskResult with these messages, and this reason in place of the team's own."""
        whole = [message for message in messages if not isinstance(message, ModelClientStreamingChunkEvent)]
        return TaskResult(messages=whole, stop_reason=reason or (ended.stop_reason if ended else None))

    async def save_state(self) -> Mapping[str, Any]:
        """The team's state between two turns, with all that AutoGen leaves out of it."""
        return await team_state.save(self._team, self._coverage)

    async def load_state(
        self, state: Mapping[str, Any], said: Sequence[Sequence[Mapping[str, Any]]] = ()
    ) -> None:
        """Take up a saved state; only a fresh runner can.

        Args:
            state: What `save_state` gave, or AutoGen's own.
            said: What was said in the turns that the current run had already, turn by turn; the team's own
                termination condition is rebuilt from it.
        """
        await team_state.load(self._team, self._coverage, state)
        if self._termination is not None:
            turns = [[(self.load(one), was_task(one)) for one in turn] for turn in said]
            await self._termination.rebuild(turns)

    async def fingerprint(self) -> Mapping[str, Any]:
        """What the team is made of, as JSON; see `agents/fingerprint.py`."""
        return await fingerprint(self._coverage)

    def dump(self, event: Event) -> dict[str, Any]:
        """An event as JSON, with its type."""
        return dict(event.dump())

    def load(self, dumped: Mapping[str, Any]) -> Event:
        """The event that `dump` gave.

        Raises:
            ValueError: The team has no message of this type.
        """
        return self._message_types.create(dumped)

    async def rest(self) -> None:
        """Stop what runs for this team alone until the next step, so that nothing runs between two runs."""
        await self._coverage.rest()

    async def close(self) -> None:
        """Stop what runs for this team alone; the runner is of no use any more."""
        await self._coverage.rest()


def go_by_steps(team: BaseGroupChat) -> FenceTermination:
    """Make a team that was just admitted stop after each of its turns."""
    termination = team._termination_condition  # noqa: SLF001 - AutoGen tells it no other way
    if not isinstance(termination, FenceTermination):
        raise TypeError(f"{team.name} was not admitted by a fence")
    termination.go_by_steps()
    if isinstance(team, MagenticOneGroupChat):
        magentic_steps.go_by_steps(team)  # its rounds stay with its orchestrator, which remembers them
    else:
        # AutoGen starts to count anew with every step.
        team._max_turns = None  # noqa: SLF001 - likewise
    return termination


def task_messages(task: Any, source: str) -> list[BaseChatMessage]:
    """AutoGen messages of a task, as a team takes it: a text, a message, or a list of messages.

    Raises:
        TaskError: There is nothing to work on, or it is of another type.
    """
    messages = [TextMessage(content=task, source=source)] if isinstance(task, str) else task
    messages = [messages] if isinstance(messages, BaseChatMessage) else messages
    if not isinstance(messages, Sequence) or not all(isinstance(one, BaseChatMessage) for one in messages):
        raise TaskError(
            f"A task is a text, an AutoGen chat message or a list of them, not {type(task).__name__}"
        )
    texts = [clean_text(one.content) for one in messages if isinstance(one, TextMessage)]
    if not messages or (len(texts) == len(messages) and not any(text.strip() for text in texts)):
        raise TaskError("The task is empty; say what the team shall do")
    return [one if _UUID.fullmatch(one.id) else _with_own_id(one) for one in messages]


def _with_own_id(message: BaseChatMessage) -> BaseChatMessage:
    # No door looks at an id, and one that somebody chose, such as a mail's, may be personal.
    return message.model_copy(update={"id": str(uuid.uuid4())})
