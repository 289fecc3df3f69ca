"""A memory whose recollections pass the same checks as a tool's results."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Self

from autogen_core import CancellationToken
from autogen_core.memory import Memory, MemoryContent, MemoryQueryResult, UpdateContextResult
from autogen_core.model_context import ChatCompletionContext, UnboundedChatCompletionContext
from autogen_core.models import LLMMessage
from pydantic import TypeAdapter

from ringfence.agents.model_client import current_agent
from ringfence.conversations.journal import Intent, Journal
from ringfence.errors import ConversationInterrupted, RingfenceError
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.middleware import Handler, Middleware, door
from ringfence.guardrails.stop import StopSignal


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a memory gives: messages for an agent's context, and what it found."""

    messages: tuple[LLMMessage, ...] = field(repr=False)
    found: MemoryQueryResult | UpdateContextResult = field(repr=False)


_MESSAGES = TypeAdapter(list[LLMMessage])
Recall = ToolCall
"""A memory is asked as a tool is, by its class's name, and no model says with what."""


class JournalRecalls:
    """Gives back what a memory recalled when the turn was played before; by now it may recall more."""

    def __init__(self, journal: Journal, *, trusts: Callable[[str], bool] = lambda _: False) -> None:
        self._journal = journal
        self._trusts = trusts
        """Whether only the operator and the user can write a memory."""

    async def __call__(self, call: Recall, call_next: Handler[Recall, Recalled]) -> Recalled:
        """Answer from the journal, else recall and write it down.

        Raises:
            StoreError: It cannot be written down.
        """
        journal = self._journal
        if not journal.is_open:
            return await call_next(call)
        key = journal.occurrence(f"memory:{call.agent}:{call.tool}")
        row = journal.row(key)
        if row is not None and row.outcome is not None:
            return _again(row.outcome)
        recalled = await call_next(call)
        kept = {
            "messages": _MESSAGES.dump_python([*recalled.messages], mode="json"),
            "found": recalled.found.model_dump(mode="json"),
        }
        request = {"trusted": self._trusts(call.tool)}
        await journal.start(Intent(key, "memory", call.agent, call.tool, request), kept)
        return recalled


def _again(kept: Mapping[str, Any]) -> Recalled:
    kind = UpdateContextResult if "memories" in kept["found"] else MemoryQueryResult
    messages = tuple(_MESSAGES.validate_python(kept["messages"]))
    return Recalled(messages, kind.model_validate(kept["found"]))


class FencedMemory(Memory):
    """Recalls what the memory inside recalls, masked and checked. Made by `fence.memory(...)`."""

    def __init__(
        self,
        memory: Memory,
        *,
        middlewares: Sequence[Middleware[Recall, Recalled]],
        stop: StopSignal,
        fence: object,
    ) -> None:
        self._memory = memory
        self._middlewares = middlewares
        self._stop = stop
        self.fence = fence
        """The fence that this memory belongs to; another conversation's fence does not accept it."""
        self.agent = ""
        """Whose it is; empty until the fence has taken the team in."""

    def of(self, agent: str) -> Self:
        """The same memory, for one agent."""
        own = copy(self)
        own.agent = agent
        return own

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add to the context what the memory inside would add, masked and checked."""
        known = await model_context.get_messages()
        scratch = UnboundedChatCompletionContext(initial_messages=known)

        async def recall(_call: Recall) -> Recalled:
            found = await self._memory.update_context(scratch)
            return Recalled(tuple((await scratch.get_messages())[len(known) :]), found)

        try:
            recalled = await self._passed(recall)
        except Exception as error:
            # What is raised here would leave the team unusable, lose its type, and be logged as it is.
            said = f"The memory failed with {type(error).__name__}"
            self._stop.set(error if isinstance(error, RingfenceError) else ConversationInterrupted(said))
            return UpdateContextResult(memories=MemoryQueryResult(results=[]))
        for message in recalled.messages:
            await model_context.add_message(message)
        found: Any = recalled.found
        result: UpdateContextResult = found
        return result

    async def query(
        self,
        query: str | MemoryContent,
        cancellation_token: CancellationToken | None = None,
        **kwargs: Any,
    ) -> MemoryQueryResult:
        """What the memory inside finds, masked and checked."""

        async def recall(_call: Recall) -> Recalled:
            return Recalled((), await self._memory.query(query, cancellation_token, **kwargs))

        found: Any = (await self._passed(recall)).found
        result: MemoryQueryResult = found
        return result

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Add to the memory inside."""
        await self._memory.add(content, cancellation_token)

    async def clear(self) -> None:
        """Clear the memory inside."""
        await self._memory.clear()

    async def close(self) -> None:
        """Close the memory inside."""
        await self._memory.close()

    async def _passed(self, recall: Callable[[Recall], Awaitable[Recalled]]) -> Recalled:
        call = ToolCall(self.agent or current_agent(), type(self._memory).__name__, {}, "")
        return await door(self._middlewares, recall)(call)
