"""The tools that one conversation's fence has handed out."""

from dataclasses import dataclass

from ringfence.guardrails.tool_spec import ToolSpec


@dataclass(frozen=True, slots=True)
class ToolDirectory:
    """The tools that one conversation's fence has handed out, by name."""

    specs: dict[str, ToolSpec]
    """Tools that run behind the tool door."""
    handoffs: set[str]
    """Handoffs of the team's agents. AutoGen runs them itself; they change who speaks."""
