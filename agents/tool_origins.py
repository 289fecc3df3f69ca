"""Functions, AutoGen's tools and workbenches as one workbench, with what each tool says of itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core.tools import BaseTool, StaticStreamWorkbench, StaticWorkbench, ToolOverride, Workbench

from ringfence.agents.contained_tools import ContainedWorkbench, function_tool
from ringfence.agents.supplied_arguments import check_supplied, check_transaction
from ringfence.errors import PolicyError
from ringfence.guardrails.tool_spec import ToolSpec, spec_of

ToolLike = BaseTool[Any, Any] | Callable[..., Any]


@dataclass(frozen=True, slots=True)
class ToolOrigin:
    """What a tool says of itself, and what it is: the function, the tool, or the workbench that offers it."""

    spec: ToolSpec
    owner: object


def as_workbench(tools: Workbench | Sequence[ToolLike]) -> tuple[Workbench, dict[str, ToolOrigin]]:
    """A workbench of functions and tools, with what each says of itself.

    Raises:
        PolicyError: Something is no tool, a function lacks the type hints that a model needs, or a tool
            lacks an argument that the fence shall fill in.
    """
    if type(tools) in {StaticWorkbench, StaticStreamWorkbench} and isinstance(tools, StaticWorkbench):
        return _contained(tools._tools, tools._tool_overrides)  # noqa: SLF001 - AutoGen tells its tools no other way
    if isinstance(tools, Workbench):
        return tools, {}
    made = [tool if isinstance(tool, BaseTool) else function_tool(tool) for tool in tools]
    names = [tool.name for tool in made]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PolicyError(f"Two tools have the same name: {', '.join(twice)}")
    return _contained(made, {})


def _contained(
    tools: list[BaseTool[Any, Any]], overrides: dict[str, ToolOverride]
) -> tuple[Workbench, dict[str, ToolOrigin]]:
    origins = {}
    for tool in tools:
        override = overrides.get(tool.name)
        # A function is the same tool, however often AutoGen wraps it.
        owner = getattr(tool, "_func", tool)
        name = (override and override.name) or tool.name
        spec = replace(spec_of(owner), composite=type(tool) in {AgentTool, TeamTool})
        if spec.supplied:
            check_transaction(name, spec, owner)
            check_supplied(name, spec, tool.schema.get("parameters") or {})
        origins[name] = ToolOrigin(spec, owner)
    return ContainedWorkbench(tools, overrides), origins
