"""Asking a workbench that is none of AutoGen's own for its tools, such as an MCP server's."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from autogen_core.tools import ToolSchema, Workbench

from ringfence.agents import mcp_workbench
from ringfence.agents.code_workbench import CodeWorkbench
from ringfence.agents.contained_tools import ContainedWorkbench
from ringfence.guardrails.nothing_happened import NothingHappened
from ringfence.guardrails.records import Record
from ringfence.guardrails.tool_listings import ToolListings
from ringfence.guardrails.tool_spec import ToolSpec

LONGEST_LISTING_SECONDS = 30.0


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
        self.offered: list[ListedTool] = []
        """Its tools as it listed them last."""
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
            return self.offered
        self._answers = True
        for tool in listed:
            name = tool.schema["name"]
            if self._listings.note(name, tool.said, tool.parameters):
                self._record("tool_changed", door="tool", tool=name)
            if not self._listings.change(name):
                self._known.setdefault(name, tool)
        self.offered = [self._known.get(one.schema["name"]) or _withheld(one) for one in listed]
        return self.offered

    async def changed(self, tool: str) -> str:
        """Why a call that was cleared may not be sent now; empty when nothing is known against it.

        Raises:
            NothingHappened: The server does not answer.
        """
        offered = [one.schema["name"] for one in await self.tools()]
        if not self._answers:
            raise NothingHappened("The server does not answer")
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
            # AutoGen's own would start it, too, and nobody would stop it.
            self._was_started_here |= await mcp_workbench.started(self._workbench)
            schemas, told = await mcp_workbench.listed(self._workbench)
        return [_listed(one, told.get(one["name"]), believes_hints=self.believes_hints) for one in schemas]


def _withheld(tool: ListedTool) -> ListedTool:
    """A tool that changed before this process saw it: by its name alone, and no call of it is sent."""
    said = "This tool changed, and cannot be called."
    return replace(tool, schema=ToolSchema(name=tool.schema["name"], description=said), spec=ToolSpec())


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


def innermost(error: BaseException) -> str:
    """The types of the exceptions in a group, for the group's own says nothing; never their texts.

    >>> innermost(ExceptionGroup("", [ExceptionGroup("", [OSError()]), ValueError(), OSError()]))
    'OSError, ValueError'
    """
    if not isinstance(error, BaseExceptionGroup):
        return type(error).__name__
    within = [name for one in error.exceptions for name in innermost(one).split(", ")]
    return ", ".join(dict.fromkeys(within))
