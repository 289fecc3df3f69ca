"""Tools behind the tool door."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import CancellationToken, Component, ComponentModel
from autogen_core.tools import (
    BaseTool,
    StaticStreamWorkbench,
    StaticWorkbench,
    TextResultContent,
    ToolOverride,
    ToolResult,
    ToolSchema,
    Workbench,
)
from pydantic import BaseModel

from ringfence.agents.contained_tools import ContainedWorkbench, function_tool
from ringfence.agents.model_client import current_agent
from ringfence.agents.quiet_logs import quiet_events
from ringfence.agents.supplied_arguments import (
    check_supplied,
    check_transaction,
    with_supplied,
    without_supplied,
)
from ringfence.errors import ConversationInterrupted, PolicyError, RingfenceError
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.middleware import Handler, Middleware, door
from ringfence.guardrails.refusal import failed
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.tool_spec import ToolSpec, spec_of

ToolLike = BaseTool[Any, Any] | Callable[..., Any]


@dataclass(frozen=True, slots=True)
class ToolOrigin:
    """What a tool says of itself, and what it is: the function, the tool, or the workbench that offers it."""

    spec: ToolSpec
    owner: object


class KnowsTools(Protocol):
    """A fence, as its workbenches see it."""

    @property
    def tools(self) -> Mapping[str, ToolSpec]:
        """The tools handed out so far, as the policy describes them."""


class FencedWorkbenchConfig(BaseModel):
    """What is saved of a fenced workbench: the workbench inside, never the fence."""

    workbench: ComponentModel


class FencedWorkbench(Workbench, Component[FencedWorkbenchConfig]):
    """Runs tools only through the tool door. Made by `fence.workbench(...)`."""

    component_config_schema = FencedWorkbenchConfig
    component_provider_override = "ringfence.agents.workbench.FencedWorkbench"

    def __init__(
        self,
        workbench: Workbench,
        *,
        origins: Mapping[str, ToolOrigin],
        register: Callable[[str, ToolOrigin], None],
        middlewares: Sequence[Middleware[ToolCall, ToolResult]],
        stop: StopSignal,
        fence: KnowsTools | None,
        descriptions: Sequence[Middleware[ToolCall, Any]] = (),
    ) -> None:
        self._workbench = workbench
        self._descriptions = descriptions
        self._described_before: set[int] = set()
        self._stop = stop
        self.origins = origins
        """The tools inside that said what they are when they were handed in, by name."""
        self._register = register
        self._middlewares = middlewares
        self.fence = fence
        """The fence that this workbench belongs to; another conversation's fence does not accept it."""
        self.agent = ""
        """Whose it is; empty until the fence has taken the team in."""

    def of(self, agent: str) -> Self:
        """The same workbench, for one agent."""
        own = copy(self)
        own.agent = agent
        return own

    async def list_tools(self) -> list[ToolSchema]:
        """The tools inside; whatever is offered is known to the fence from now on.

        Never raises, because AutoGen asks again while it runs a tool, and would wait for ever.
        """
        try:
            schemas = await self._described()
            for schema in schemas:
                unknown = ToolOrigin(ToolSpec(), self._workbench)
                self._register(schema["name"], self.origins.get(schema["name"], unknown))
            return self._offered(schemas)
        except RingfenceError as error:
            self._stop.set(error)
        except Exception as error:
            said = f"the tools of {type(self._workbench).__name__} cannot be listed: {type(error).__name__}"
            self._stop.set(ConversationInterrupted(said))
        return []

    @property
    def _specs(self) -> Mapping[str, ToolSpec]:
        return {} if self.fence is None else self.fence.tools

    def _offered(self, schemas: Sequence[ToolSchema]) -> list[ToolSchema]:
        """The tools as a model may see them, without what the fence fills in."""
        specs, offered = self._specs, []
        for schema in schemas:
            spec = specs.get(schema["name"], ToolSpec())
            check_supplied(schema["name"], spec, schema.get("parameters") or {})
            offered.append(without_supplied(schema, spec.supplied))
        return offered

    async def _described(self) -> list[ToolSchema]:
        schemas = await self._workbench.list_tools()
        # Agents read what a tool says of itself, and a server may say anything, and something else tomorrow.
        if (said := hash(repr(schemas))) not in self._described_before:

            async def listed(_call: ToolCall) -> list[ToolSchema]:
                return schemas

            await door(self._descriptions, listed)(ToolCall(self.agent, "list_tools", {}, ""))
            self._described_before.add(said)
        return schemas

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """The tool's result, after it passed the door. Never raises: a refusal has `is_error` set."""
        call = ToolCall(self.agent or current_agent(), name, dict(arguments or {}), call_id or "")
        return await self.run_call(call, cancellation_token or CancellationToken())

    async def run_call(self, call: ToolCall, token: CancellationToken) -> ToolResult:
        """Take one call through the door, as `call_tool`."""
        work = asyncio.ensure_future(door(self._middlewares, lambda cleared: self._run(cleared, token))(call))
        token.link_future(work)
        self._stop.link(work)
        while not work.done():
            try:
                await asyncio.wait({work})
            except asyncio.CancelledError:
                # AutoGen's agent would wait for ever for a result that is not returned.
                work.cancel()
        if work.cancelled():
            return failed(call, "The run was cancelled before the call was run.")
        return work.result()

    async def start(self) -> None:
        """Start the workbench inside."""
        await self._workbench.start()

    async def stop(self) -> None:
        """Stop the workbench inside."""
        await self._workbench.stop()

    async def reset(self) -> None:
        """Reset the workbench inside."""
        await self._workbench.reset()

    async def save_state(self) -> Mapping[str, Any]:
        """The state of the workbench inside."""
        return await self._workbench.save_state()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Load the state of the workbench inside."""
        await self._workbench.load_state(state)

    def _to_config(self) -> FencedWorkbenchConfig:
        return FencedWorkbenchConfig(workbench=self._workbench.dump_component())

    @classmethod
    def _from_config(cls, config: FencedWorkbenchConfig) -> Self:
        inner = Workbench.load_component(config.workbench)
        return cls(
            inner,
            origins={},
            register=lambda _name, _origin: None,
            middlewares=(_sealed,),
            stop=StopSignal(),
            fence=None,
        )

    async def _run(self, call: ToolCall, token: CancellationToken) -> ToolResult:
        arguments = with_supplied(call, self._specs.get(call.tool, ToolSpec()))
        own = CancellationToken()
        token.add_callback(own.cancel)
        with quiet_events():
            running = self._workbench.call_tool(call.tool, arguments, own, call.call_id)
            work = asyncio.ensure_future(_without_exit(running))
        work.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            # A team that runs as a tool stops by its token alone.
            own.cancel()
            work.cancel()
            raise
        return _in_one_piece(work.result())


def _in_one_piece(result: ToolResult) -> ToolResult:
    """The texts of a result as agents read them: together. In parts, nobody would find what they make."""
    if not isinstance(result, ToolResult):
        return result  # the door says that nobody can use it
    texts = [part.content for part in result.result if isinstance(part, TextResultContent)]
    if len(texts) < 2 or len(texts) < len(result.result):  # noqa: PLR2004 - one text is one piece
        return result
    return result.model_copy(update={"result": [TextResultContent(content=result.to_text())]})


async def _without_exit(running: Awaitable[ToolResult]) -> ToolResult:
    try:
        return await running
    except (SystemExit, KeyboardInterrupt) as error:
        # A task lets these two through, and they would end the process with every conversation in it.
        raise RuntimeError(f"{type(error).__name__}: {error}") from None


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


async def _sealed(call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:  # noqa: ARG001
    return failed(call, "Refused: these tools were loaded from a saved definition and are not fenced.")
