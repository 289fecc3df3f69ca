"""Tools that run where whatever they raise can be caught."""

import inspect
from collections.abc import Mapping
from typing import Any

from autogen_core import CancellationToken
from autogen_core.tools import BaseTool, FunctionTool, StaticWorkbench, TextResultContent, ToolResult

from ringfence.agents.supplied_arguments import AnyTyped, check_supplied
from ringfence.errors import PolicyError
from ringfence.guardrails.tool_spec import spec_of


class ContainedWorkbench(StaticWorkbench):
    """Runs a tool where its exceptions can be caught; AutoGen's own lets SystemExit end the process."""

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """The tool's result; raises what the tool raises."""
        original = self._override_name_to_original.get(name, name)
        tool = next((tool for tool in self._tools if tool.name == original), None)
        if tool is None:
            return await super().call_tool(name, arguments, cancellation_token, call_id)
        token = cancellation_token or CancellationToken()
        given = dict(arguments or {})
        if type(tool).run_json is BaseTool.run_json:
            # Without the span and the log line, which hold real values and exceptions.
            value = await tool.run(tool.args_type().model_validate(given), token)
        else:
            value = await tool.run_json(given, token, call_id=call_id)
        text = tool.return_value_as_string(value)
        return ToolResult(name=name, result=[TextResultContent(content=text)])


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
