"""Tools that run where whatever they raise can be caught."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from contextvars import copy_context
from copy import copy
from functools import partial
from typing import Any

from autogen_core import CancellationToken
from autogen_core.tools import (
    BaseStreamTool,
    BaseTool,
    FunctionTool,
    StaticStreamWorkbench,
    StreamTool,
    TextResultContent,
    ToolResult,
)

from ringfence.agents.http_headers import with_key
from ringfence.agents.supplied_arguments import AnyTyped, check_supplied
from ringfence.errors import PolicyError
from ringfence.guardrails.tool_spec import spec_of


class ContainedWorkbench(StaticStreamWorkbench):
    """Runs a tool where its exceptions can be caught; AutoGen's own lets SystemExit end the process."""

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """The tool's result; raises what the tool raises."""
        tool = self._tool(name)
        if tool is None:
            return await super().call_tool(name, arguments, cancellation_token, call_id)
        token = cancellation_token or CancellationToken()
        given = dict(arguments or {})
        if type(tool).run_json is BaseTool.run_json:
            # Without the span and the log line, which hold real values and exceptions.
            value = await tool.run(tool.args_type().model_validate(given), token)
        else:
            value = await tool.run_json(given, token, call_id=call_id)
        return _result(name, tool, value)

    async def call_tool_stream(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> AsyncGenerator[Any | ToolResult, None]:
        """What happens within the tool, and its result at the end; raises what the tool raises."""
        tool = self._tool(name)
        if not isinstance(tool, StreamTool):
            yield await self.call_tool(name, arguments, cancellation_token, call_id)
            return
        token = cancellation_token or CancellationToken()
        given = dict(arguments or {})
        # As in call_tool.
        if isinstance(tool, BaseStreamTool) and type(tool).run_json_stream is BaseStreamTool.run_json_stream:
            items = tool.run_stream(tool.args_type().model_validate(given), token)
        else:
            items = tool.run_json_stream(given, token, call_id=call_id)
        nothing = value = object()
        async with aclosing(items):
            async for item in items:
                if value is not nothing:
                    yield value
                value = item
        if value is nothing:
            raise RuntimeError("The tool ended without a result")
        yield _result(name, tool, value)

    def _tool(self, name: str) -> BaseTool[Any, Any] | None:
        original = self._override_name_to_original.get(name, name)
        tool = next((tool for tool in self._tools if tool.name == original), None)
        if isinstance(tool, FunctionTool) and not asyncio.iscoroutinefunction(tool._func):  # noqa: SLF001 - AutoGen tells it no other way
            # AutoGen runs it in a thread, which knows nothing of the call.
            tool = copy(tool)
            tool._func = partial(copy_context().run, tool._func)  # noqa: SLF001 - likewise
        return None if tool is None else with_key(tool)


def _result(name: str, tool: Any, value: Any) -> ToolResult:
    return ToolResult(name=name, result=[TextResultContent(content=tool.return_value_as_string(value))])


def function_tool(function: Any) -> BaseTool[Any, Any]:
    """A typed function as a tool.

    Raises:
        PolicyError: It is no function, lacks the type hints that a model needs, or lacks an argument that the
            fence shall fill in.
    """
    name = getattr(function, "__name__", type(function).__name__)
    if not callable(function):
        raise PolicyError(f"{name} is no tool: hand in typed functions, AutoGen tools, or one Workbench")
    spec = spec_of(function)
    try:
        if spec.supplied:
            check_supplied(name, spec, {"properties": inspect.signature(function).parameters})
        read = function if spec.transaction is None else AnyTyped(function, spec.transaction)
        made = FunctionTool(read, description=(function.__doc__ or name).strip())
    except PolicyError:
        raise
    except Exception as error:
        why = f"every parameter needs a type ({type(error).__name__})"
        raise PolicyError(f"{name} cannot be a tool: {why}") from None
    made._func = function  # noqa: SLF001 - what runs is the function itself, however it was read
    return made
