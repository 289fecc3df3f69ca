"""Asking a workbench that is none of AutoGen's own for its tools, such as an MCP server's."""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from autogen_core.tools import ToolSchema, Workbench

from ringfence.agents.code_workbench import CodeWorkbench
from ringfence.agents.contained_tools import ContainedWorkbench
from ringfence.guardrails.records import Record
from ringfence.guardrails.tool_listings import ToolListings
from ringfence.guardrails.tool_spec import ToolSpec

LONGEST_LISTING_SECONDS = 30.0
_MCP = "autogen_ext.tools.mcp"


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool as a server lists it."""

    schema: ToolSchema
    """As AutoGen offers it to a model."""
    said: Mapping[str, Any]
    """All that the server says of it; AutoGen leaves some of it out."""
    parameters: Mapping[str, Any] | None
    """The JSON Schema of its arguments; None when it has none."""
    spec: ToolSpec
    """What is believed of it."""


class Server:
    """A workbench whose tools somebody else describes, as one conversation sees it.

    A tool stays what it was when it was listed first; what is said of it later is never offered to a model.
    """

    def __init__(
        self, workbench: Workbench, *, listings: ToolListings, record: Record, believes_hints: bool
    ) -> None:
        self._workbench = workbench
        self._listings = listings
        self._record = record
        self.believes_hints = believes_hints
        """Whether MCP's annotations are taken for what the tools do."""
        self._known: dict[str, ListedTool] = {}
        self._offered: list[ListedTool] = []
        self._answers = False
        self._was_started_here = False

    async def tools(self) -> list[ListedTool]:
        """Its tools now; those that it listed last when it does not answer any more.

        Raises:
            Exception: It does not answer and never did, or a change cannot be written down.
        """
        try:
            listed = await self._listed()
        except Exception:
            if not self._known:
                raise
            self._answers = False
            return self._offered
        self._answers = True
        for tool in listed:
            name = tool.schema["name"]
            if self._listings.note(name, tool.said, tool.parameters):
                self._record("tool_changed", door="tool", tool=name)
        self._offered = [self._known.setdefault(tool.schema["name"], tool) for tool in listed]
        return self._offered

    async def changed(self, tool: str) -> str:
        """Why a call that was cleared may not be sent now; empty when nothing is known against it."""
        offered = [one.schema["name"] for one in await self.tools()]
        if not self._answers:
            return "the server does not answer"
        if tool not in offered:
            return f"the server offers no {tool} any more"
        return self._listings.change(tool)

    async def rest(self) -> None:
        """Stop the workbench if it was started here; it starts again when its tools are asked for."""
        was_started, self._was_started_here = self._was_started_here, False
        if was_started:
            with suppress(Exception):  # a server that died cannot be stopped
                await self._workbench.stop()

    async def _listed(self) -> list[ListedTool]:
        async with asyncio.timeout(LONGEST_LISTING_SECONDS):
            if _is_mcp(self._workbench) and self._workbench._actor is None:  # type: ignore[attr-defined]  # noqa: SLF001 - AutoGen tells it no other way
                # AutoGen's own would start it, too, and nobody would stop it.
                self._was_started_here = True
                await self._workbench.start()
            schemas = await self._workbench.list_tools()
            told = await _told(self._workbench)
        return [_listed(one, told.get(one["name"]), believes_hints=self.believes_hints) for one in schemas]


def server_of(
    workbench: Workbench, *, listings: ToolListings, record: Record, believes_hints: bool
) -> Server | None:
    """What watches over a workbench that others describe; None for one whose tools run in this process."""
    if isinstance(workbench, ContainedWorkbench | CodeWorkbench):
        return None
    return Server(workbench, listings=listings, record=record, believes_hints=believes_hints)


def own_tool(schema: ToolSchema) -> ListedTool:
    """A tool that runs in this process, which can say of itself what it does."""
    return ListedTool(schema, {}, None, ToolSpec())


def _is_mcp(workbench: Workbench) -> bool:
    # Whoever has such a workbench has imported it; nobody else has to have MCP installed.
    module = sys.modules.get(_MCP)
    return module is not None and isinstance(workbench, module.McpWorkbench)


async def _told(workbench: Workbench) -> dict[str, Any]:
    """MCP's own descriptions of the tools, by the names that agents know; AutoGen drops the annotations."""
    if not _is_mcp(workbench):
        return {}
    bench: Any = workbench
    answer = await (await bench._actor.call("list_tools", None))  # noqa: SLF001 - AutoGen tells it no other way
    overrides = bench._tool_overrides  # noqa: SLF001 - likewise
    names = {tool.name: getattr(overrides.get(tool.name), "name", None) or tool.name for tool in answer.tools}
    return {names[tool.name]: tool for tool in answer.tools}


def _listed(schema: ToolSchema, tool: Any, *, believes_hints: bool) -> ListedTool:
    parameters: Mapping[str, Any] | None = schema.get("parameters")
    if tool is None:
        return ListedTool(schema, {**schema}, parameters, ToolSpec())
    told = tool.model_dump(mode="json", include={"title", "description", "inputSchema", "annotations"})
    spec = hinted_spec(told["annotations"] or {}) if believes_hints else ToolSpec()
    return ListedTool(schema, {**schema, **told}, tool.inputSchema, spec)


def hinted_spec(hints: Mapping[str, Any]) -> ToolSpec:
    """What MCP's hints say; what is left out counts as MCP says it does, which is the worst."""
    reads = hints.get("readOnlyHint") is True
    return ToolSpec(
        consequential=not reads,
        idempotent=hints.get("idempotentHint") is True,
        destructive=not reads and hints.get("destructiveHint") is not False,
        open_world=hints.get("openWorldHint") is not False,
        described=True,
    )
