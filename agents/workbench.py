"""Tools behind the tool door."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from copy import copy
from typing import Any, Protocol, Self

from autogen_core import CancellationToken, Component, ComponentModel
from autogen_core.tools import StaticStreamWorkbench, ToolResult, ToolSchema, Workbench
from pydantic import BaseModel

from ringfence.agents.inner_events import InnerEvents
from ringfence.agents.listed_tools import ListedTool, Server, innermost, own_tool
from ringfence.agents.model_client import current_agent
from ringfence.agents.running_tool import Emit, run_tool
from ringfence.agents.supplied_arguments import check_supplied, with_supplied, without_supplied
from ringfence.agents.tool_origins import ToolOrigin
from ringfence.errors import ConversationInterrupted, RingfenceError
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.middleware import Handler, Middleware, door
from ringfence.guardrails.refusal import failed
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.tool_spec import ToolSpec


class KnowsTools(Protocol):
    """A fence, as its workbenches see it."""

    @property
    def tools(self) -> Mapping[str, ToolSpec]:
        """The tools handed out so far, as the policy describes them."""


class FencedWorkbenchConfig(BaseModel):
    """What is saved of a fenced workbench: the workbench inside, never the fence."""

    workbench: ComponentModel


class FencedWorkbench(StaticStreamWorkbench, Component[FencedWorkbenchConfig]):
    """Runs tools only through the tool door. Made by `fence.workbench(...)`.

    AutoGen's agent shows what happens within a tool only when its workbench is a StaticStreamWorkbench.
    """

    component_config_schema = FencedWorkbenchConfig  # type: ignore[assignment]  # what is saved is another thing
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
        server: Server | None = None,
        inner_events: InnerEvents | None = None,
    ) -> None:
        super().__init__([])
        self._workbench = workbench
        self.server = server
        """The workbench inside, when somebody else says what its tools are."""
        self._inner_events = inner_events
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
            schemas = []
            for tool in await self._described():
                schemas.append(tool.schema)
                listed = ToolOrigin(tool.spec, self._workbench)
                self._register(tool.schema["name"], self.origins.get(tool.schema["name"], listed))
            return self._offered(schemas)
        except RingfenceError as error:
            self._stop.set(error)
        except Exception as error:
            said = f"the tools of {type(self._workbench).__name__} cannot be listed: {innermost(error)}"
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

    async def _described(self) -> list[ListedTool]:
        if self.server is not None:
            tools = await self._listed_by(self.server)
        else:
            tools = [own_tool(schema) for schema in await self._workbench.list_tools()]
        # Agents read what a tool says of itself, and a server may say anything, and something else tomorrow.
        if (said := hash(repr([tool.schema for tool in tools]))) not in self._described_before:

            async def listed(_call: ToolCall) -> list[ToolSchema]:
                return [tool.schema for tool in tools]

            await door(self._descriptions, listed)(ToolCall(self.agent, "list_tools", {}, ""))
            self._described_before.add(said)
        return tools

    async def _listed_by(self, server: Server) -> list[ListedTool]:
        """Its tools; when the conversation has stopped, those that it listed last, because nobody waits."""
        if self._stop.error is not None and server.offered:
            return server.offered
        work = asyncio.ensure_future(server.tools())
        self._stop.link(work)
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            work.cancel()
            raise
        return server.offered if work.cancelled() else work.result()

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """The tool's result, after it passed the door. Never raises: a refusal has `is_error` set."""
        return await self.run_call(self._call(name, arguments, call_id), cancellation_token)

    async def call_tool_stream(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> AsyncGenerator[Any | ToolResult, None]:
        """What happens within the tool, as far as it may be seen, then the result as `call_tool`."""
        events: asyncio.Queue[Any] = asyncio.Queue()
        call = self._call(name, arguments, call_id)
        work = asyncio.ensure_future(self.run_call(call, cancellation_token, events.put))
        work.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while not (work.done() and events.empty()):
                try:
                    event = await events.get()
                except asyncio.CancelledError:
                    # As in run_call, which answers all the same.
                    work.cancel()
                    continue
                if event is not None:
                    yield event
            yield work.result()
        finally:
            work.cancel()

    async def run_call(
        self, call: ToolCall, cancellation_token: CancellationToken | None = None, emit: Emit | None = None
    ) -> ToolResult:
        """Take one call through the door, as `call_tool`; `emit` takes what happens within the tool."""
        token = cancellation_token or CancellationToken()
        work = asyncio.ensure_future(door(self._middlewares, lambda one: self._run(one, token, emit))(call))
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

    def _call(self, name: str, arguments: Mapping[str, Any] | None, call_id: str | None) -> ToolCall:
        return ToolCall(self.agent or current_agent(), name, dict(arguments or {}), call_id or "")

    async def start(self) -> None:
        """Start the workbench inside."""
        await self._workbench.start()

    async def stop(self) -> None:
        """Stop the workbench inside."""
        await self._workbench.stop()

    async def rest(self) -> None:
        """Stop the workbench inside if it was started here, until its tools are asked for again."""
        if self.server is not None:
            await self.server.rest()

    async def reset(self) -> None:
        """Reset the workbench inside."""
        await self._workbench.reset()

    async def save_state(self) -> Mapping[str, Any]:
        """The state of the workbench inside."""
        return await self._workbench.save_state()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Load the state of the workbench inside."""
        await self._workbench.load_state(state)

    def _to_config(self) -> FencedWorkbenchConfig:  # type: ignore[override]  # likewise
        return FencedWorkbenchConfig(workbench=self._workbench.dump_component())

    @classmethod
    def _from_config(cls, config: FencedWorkbenchConfig) -> Self:  # type: ignore[override]  # likewise
        inner = Workbench.load_component(config.workbench)
        return cls(
            inner,
            origins={},
            register=lambda _name, _origin: None,
            middlewares=(_sealed,),
            stop=StopSignal(),
            fence=None,
        )

    async def _run(self, call: ToolCall, token: CancellationToken, emit: Emit | None) -> ToolResult:
        spec = self._specs.get(call.tool, ToolSpec())
        arguments = with_supplied(call, spec)
        if self.server is not None and spec.consequential and (why := await self.server.changed(call.tool)):
            return failed(call, f"Refused: {why}. The call was not run.")

        async def show(event: Any) -> None:
            if emit is not None and self._inner_events is not None:
                passed = await self._inner_events.passed(call, spec, event)
                if passed is not None:
                    await emit(passed)

        return await run_tool(self._workbench, call, arguments, token, None if emit is None else show)


async def _sealed(call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:  # noqa: ARG001
    return failed(call, "Refused: these tools were loaded from a saved definition and are not fenced.")
