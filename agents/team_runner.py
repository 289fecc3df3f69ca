"""An AutoGen team as something that a conversation can drive."""

import re
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from autogen_agentchat.base import ChatAgent, TaskResult, Team
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    BaseTextChatMessage,
    ModelClientStreamingChunkEvent,
    TextMessage,
)
from autogen_core import CancellationToken

from ringfence.agents.fence import Fence
from ringfence.errors import TaskError
from ringfence.guardrails.approval import DecidedCall
from ringfence.guardrails.clean_text import clean_text

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")

Event = BaseAgentEvent | BaseChatMessage


class TeamRunner:
    """Runs one instance of a team, or a single agent."""

    def __init__(self, team: Team | ChatAgent, fence: Fence) -> None:
        self._team = team
        self._fence = fence

    async def stream(
        self, messages: Sequence[Any], token: CancellationToken, *, output_task_messages: bool
    ) -> AsyncGenerator[Event | TaskResult, None]:
        """Work on the messages; the last item is the TaskResult."""
        await self._fence.admit(self._team)  # once more, because a team can be changed after it was built
        items = self._team.run_stream(
            task=list(messages) or None, cancellation_token=token, output_task_messages=output_task_messages
        )
        # Closed at once: AutoGen counts a team as running until its stream has come to an end.
        async with aclosing(items):
            async for item in items:
                yield item

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

    async def run_decided(self, decided: DecidedCall, token: CancellationToken) -> tuple[str, bool]:
        """Take a decided call through the tool door once more."""
        return await self._fence.run_decided(decided, token)

    async def save_state(self) -> Mapping[str, Any]:
        """The team's state between two runs."""
        return await self._team.save_state()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up a saved state."""
        await self._team.load_state(state)


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
