"""Where each value of a call first appeared: what the user, the operator, tools and memories said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ringfence.guardrails.tool_spec import ToolSpec


class SourceKind(StrEnum):
    """Who can have written a text."""

    USER = "user"
    OPERATOR = "operator"
    """Prompts and policy."""
    TRUSTED = "trusted"
    """A tool or memory whose words only the operator or the user can write."""
    UNTRUSTED = "untrusted"
    """Any other tool or memory."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a text came from."""

    kind: SourceKind
    name: str = ""
    """The tool or memory."""
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What the tool was called with, masked."""
    open_world: bool = True


@dataclass(frozen=True, slots=True)
class Trace:
    """One value of a call, and where it first appeared."""

    argument: str
    value: str = field(repr=False)
    """As the agents see it, masked."""
    kind: str
    """What it looks like: `link`, `address`, `account`, `number`, `text` and so on."""
    source: Source | None
    """None: nobody said it before."""
    place: str = ""
    """Where in the source, such as `notes[1].body`."""
    escalates: bool = False
    """A person has to look at it."""
    why: str = ""
    """For the person who decides, without the value itself."""


class Provenance:
    """What one conversation has read, by source. Holds texts as the agents see them, masked."""

    def note(self, text: str, source: Source) -> None:
        """Remember a text that an agent may have read."""
        del text, source

    def trace(self, tool: str, spec: ToolSpec, arguments: Mapping[str, Any]) -> tuple[Trace, ...]:
        """Where the values of a call came from; the arguments are masked, as the agents wrote them."""
        del tool, spec, arguments
        return ()
