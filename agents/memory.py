"""A memory whose recollections are masked before an agent takes them into its context."""

from typing import Any

from autogen_core import CancellationToken
from autogen_core.memory import Memory, MemoryContent, MemoryQueryResult, UpdateContextResult
from autogen_core.model_context import ChatCompletionContext, UnboundedChatCompletionContext

from ringfence.errors import ConversationInterrupted, RingfenceError
from ringfence.guardrails.masking import Masker
from ringfence.guardrails.stop import StopSignal

_POINT = "memory"


class FencedMemory(Memory):
    """Recalls what the memory inside recalls, masked. Made by `fence.memory(...)`."""

    def __init__(self, memory: Memory, *, masker: Masker, stop: StopSignal, fence: object) -> None:
        self._memory = memory
        self._masker = masker
        self._stop = stop
        self.fence = fence
        """The fence that this memory belongs to; another conversation's fence does not accept it."""

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add to the context what the memory inside would add, masked."""
        known = await model_context.get_messages()
        scratch = UnboundedChatCompletionContext(initial_messages=known)
        try:
            recalled = await self._memory.update_context(scratch)
            added = (await scratch.get_messages())[len(known) :]
            masked, result = await self._masker.mask((added, recalled), point=_POINT)
        except Exception as error:
            # What is raised here would leave the team unusable, lose its type, and be logged as it is.
            said = f"The memory failed with {type(error).__name__}"
            self._stop.set(error if isinstance(error, RingfenceError) else ConversationInterrupted(said))
            return UpdateContextResult(memories=MemoryQueryResult(results=[]))
        for message in masked:
            await model_context.add_message(message)
        return result

    async def query(
        self,
        query: str | MemoryContent,
        cancellation_token: CancellationToken | None = None,
        **kwargs: Any,
    ) -> MemoryQueryResult:
        """What the memory inside finds, masked."""
        return await self._masker.mask(
            await self._memory.query(query, cancellation_token, **kwargs), point=_POINT
        )

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Add to the memory inside."""
        await self._memory.add(content, cancellation_token)

    async def clear(self) -> None:
        """Clear the memory inside."""
        await self._memory.clear()

    async def close(self) -> None:
        """Close the memory inside."""
        await self._memory.close()
