"""Who wrote what a conversation has read, and what is told of a value that was traced to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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
    """Strangers write it, such as a page of the web."""
    words: tuple[str, ...] = ()
    """By which a user speaks of what the tool gives, beside those of its name."""

    def __str__(self) -> str:
        match self.kind:
            case SourceKind.USER:
                return "the user"
            case SourceKind.OPERATOR:
                return "a prompt"
        return f"what {self.name} gave" if self.name else "what was read"


@dataclass(frozen=True, slots=True)
class Trace:
    """One value of a call, and where it first appeared."""

    argument: str
    """Empty: it is about the call as a whole."""
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
