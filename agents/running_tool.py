"""Running one tool, once it was cleared: what it raises, prints to AutoGen's log, and says on the way."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any

from autogen_core import CancellationToken
from autogen_core.tools import StaticStreamWorkbench, TextResultContent, ToolResult, Workbench

from ringfence.agents import mcp_workbench
from ringfence.agents.error_facts import text_of
from ringfence.agents.quiet_logs import quiet_events
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.running_call import running

Emit = Callable[[Any], Awaitable[None]]


async def run_tool(
    workbench: Workbench,
    call: ToolCall,
    arguments: Mapping[str, Any],
    token: CancellationToken,
    emit: Emit | None = None,
) -> ToolResult:
    """The tool's result.

    Args:
        workbench: Where the tool is.
        call: The call that was cleared.
        arguments: What the tool gets.
        token: Stops the call.
        emit: Takes what happens within the tool meanwhile, if somebody wants to see it.

    Raises:
        Exception: Whatever the tool raises; never one that would end the process.
    """
    own = CancellationToken()

    def cancel() -> None:
        with suppress(Exception):  # what a tool hangs on its token is its own
            own.cancel()

    token.add_callback(cancel)
    with quiet_events(), running(call.idempotency_key):
        work = asyncio.ensure_future(_without_exit(_answer(workbench, call, arguments, own, emit)))
    work.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        await asyncio.wait({work})
    except asyncio.CancelledError:
        # A team that runs as a tool stops by its token alone.
        cancel()
        work.cancel()
        raise
    return _in_one_piece(work.result())


async def _answer(
    workbench: Workbench,
    call: ToolCall,
    arguments: Mapping[str, Any],
    token: CancellationToken,
    emit: Emit | None,
) -> ToolResult:
    if mcp_workbench.is_mcp(workbench):
        return await mcp_workbench.call_tool(workbench, call.tool, arguments, call.call_id)
    if emit is None or not isinstance(workbench, StaticStreamWorkbench):
        return await workbench.call_tool(call.tool, arguments, token, call.call_id)
    last: Any = None
    async with aclosing(workbench.call_tool_stream(call.tool, arguments, token, call.call_id)) as items:
        async for item in items:
            if isinstance(item, ToolResult):
                last = item
            else:
                await emit(item)
    result: ToolResult = last
    return result


async def _without_exit(answering: Awaitable[ToolResult]) -> ToolResult:
    try:
        return await answering
    except (SystemExit, KeyboardInterrupt) as error:
        # A task lets these two through, and they would end the process with every conversation in it.
        raise RuntimeError(f"{type(error).__name__}: {text_of(error)}") from None


def _in_one_piece(result: ToolResult) -> ToolResult:
    """The texts of a result as agents read them: together. In parts, nobody would find what they make."""
    if not isinstance(result, ToolResult):
        return result  # the door says that nobody can use it
    texts = [part.content for part in result.result if isinstance(part, TextResultContent)]
    if len(texts) < 2 or len(texts) < len(result.result):  # noqa: PLR2004 - one text is one piece
        return result
    return result.model_copy(update={"result": [TextResultContent(content=result.to_text())]})
