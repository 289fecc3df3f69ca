"""What AutoGen's MCP workbench does not tell: annotations, and how a call failed.

It is known by its class without importing it, because nobody else has to have MCP installed.
"""

# ruff: noqa: SLF001 - AutoGen tells it no other way; the names are pinned in tests/kinds/test_mcp.py

import asyncio
import sys
from collections.abc import Mapping
from copy import copy
from typing import Any

from autogen_core import CancellationToken
from autogen_core.tools import ToolResult, ToolSchema, Workbench

_MODULE = "autogen_ext.tools.mcp"
_CLOSED, _TIMED_OUT = -32000, 408
_NOT_UNDERSTOOD = (-32600, -32601, -32602)
"""JSON-RPC's codes of a request that was not carried out: invalid, no such method, invalid parameters."""


def is_mcp(workbench: Workbench) -> bool:
    """Whether this is AutoGen's MCP workbench."""
    module = sys.modules.get(_MODULE)
    return module is not None and isinstance(workbench, module.McpWorkbench)


async def started(workbench: Workbench) -> bool:
    """Start an MCP workbench that nobody started, as it would itself when it is asked for its tools.

    Whether it was started here, so that it has to be stopped here; that does nothing to other workbenches.
    """
    bench: Any = workbench
    if not is_mcp(workbench) or bench._actor is not None:
        return False
    await bench.start()
    return True


async def listed(workbench: Workbench) -> tuple[list[ToolSchema], dict[str, Any]]:
    """The tools as AutoGen offers them, and MCP's own descriptions by the names that agents know.

    Both are of one answer: asked twice, a server may say two things. Other workbenches have the first alone.
    """
    if not is_mcp(workbench):
        return await workbench.list_tools(), {}
    own: Any = copy(workbench)
    own._actor_loop = None  # else the end of the copy would stop the server
    heard = own._actor = _Overheard(own._actor)
    schemas = await own.list_tools()
    renamed = {name: override.name for name, override in own._tool_overrides.items() if override.name}
    return schemas, {renamed.get(tool.name, tool.name): tool for tool in heard.answer.tools}


class _Overheard:
    """The session of a workbench, whose last answer is kept."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self.answer: Any = None

    async def call(self, *asked: Any) -> Any:
        self.answer = await (await self._actor.call(*asked))
        answered = asyncio.get_running_loop().create_future()
        answered.set_result(self.answer)
        return answered


async def call_tool(
    workbench: Workbench, name: str, arguments: Mapping[str, Any], call_id: str | None
) -> ToolResult:
    """What the server answers.

    Raises:
        ConnectionError: The server went away.
        TimeoutError: It did not answer in time.
        ValueError: It did not understand the call.
        Exception: Whatever else keeps it from answering; AutoGen's own makes a result of all of these.
    """
    own: Any = copy(workbench)
    own._actor_loop = None  # else the end of the copy would stop the server
    own._format_errors = _raise
    # A token of its own: AutoGen links the caller's to what cannot be cancelled.
    result: ToolResult = await own.call_tool(name, arguments, CancellationToken(), call_id)
    return result


def _raise(error: Exception) -> str:
    code = getattr(getattr(error, "error", None), "code", None)
    if code == _CLOSED or type(error).__name__ in {"ClosedResourceError", "BrokenResourceError"}:
        raise ConnectionError("The server went away") from None
    if code == _TIMED_OUT:
        raise TimeoutError("The server did not answer in time") from None
    if code in _NOT_UNDERSTOOD:
        raise ValueError(str(error)) from None
    raise error
