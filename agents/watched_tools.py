"""Tools of a test: every try of a call is noted, and a failure of the service behind can be staged."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from autogen_core import CancellationToken
from autogen_core.tools import TextResultContent, ToolResult, ToolSchema, Workbench

from ringfence.agents.tool_origins import ToolLike, as_workbench

Stage = Callable[[str], Awaitable[None]]
"""Takes the place of the tool of this name for one try: it raises, or it never returns."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One try of a call, as the tool got it."""

    tool: str
    arguments: Mapping[str, Any] = field(repr=False)
    """With real values, and with what the fence fills in."""


@dataclass(slots=True)
class Watch:
    """What a bench knows of its tools, whatever team they serve."""

    tries: list[Tried] = field(default_factory=list)
    stages: deque[Stage] = field(default_factory=deque)
    """What happens to the next tries instead of the tool."""
    runs_nothing: bool = False
    """No tool is run at all."""


class WatchedTools(Workbench):
    """A workbench behind the tool door, with somebody who writes down what reaches it."""

    def __init__(self, inner: Workbench, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch

    async def list_tools(self) -> list[ToolSchema]:
        """The tools inside."""
        return await self._inner.list_tools()

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """What the tool answers, or what is staged; raises what either raises."""
        self._watch.tries.append(Tried(name, dict(arguments or {})))
        if self._watch.stages:
            await self._watch.stages.popleft()(name)
        if self._watch.runs_nothing:
            return ToolResult(name=name, result=[TextResultContent(content="[The tool was not run.]")])
        return await self._inner.call_tool(name, arguments, cancellation_token, call_id)

    async def start(self) -> None:
        """Start the workbench inside."""
        await self._inner.start()

    async def stop(self) -> None:
        """Stop the workbench inside."""
        await self._inner.stop()

    async def reset(self) -> None:
        """Reset the workbench inside."""
        await self._inner.reset()

    async def save_state(self) -> Mapping[str, Any]:
        """The state of the workbench inside."""
        return await self._inner.save_state()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Load the state of the workbench inside."""
        await self._inner.load_state(state)


def raising(error: BaseException) -> Stage:
    """A service that fails with this error."""

    async def fail(_tool: str) -> None:
        raise error

    return fail


def missing_tool(name: str, known: Sequence[str]) -> str:
    """What to say of a tool that is not there."""
    near = get_close_matches(name, known, n=1)
    there = f"did you mean {near[0]}?" if near else f"there is: {', '.join(sorted(known)) or 'none'}"
    return f"There is no tool {name}; {there}"


async def names_of(tools: Workbench | Sequence[ToolLike]) -> list[str]:
    """The names of tools, as models are offered them."""
    if isinstance(tools, Workbench):
        return [str(schema["name"]) for schema in await tools.list_tools()]
    return [*as_workbench(tools)[1]]
