"""The tools that one conversation's fence has handed out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.guardrails.tool_listings import ToolListings
from ringfence.guardrails.tool_spec import ToolSpec


@dataclass(frozen=True, slots=True)
class ToolDirectory:
    """The tools that one conversation's fence has handed out, by name."""

    specs: dict[str, ToolSpec]
    """Tools that run behind the tool door."""
    handoffs: set[str]
    """Handoffs of the team's agents. AutoGen runs them itself; they change who speaks."""
    listings: ToolListings = field(default_factory=ToolListings)
    """What servers said of their tools first."""
    parameters: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The JSON Schema of the arguments of tools, as models were last offered them."""
