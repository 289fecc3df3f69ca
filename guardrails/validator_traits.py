"""What Ringfence needs to know of a validator beyond what guardrails-ai asks of it."""

from dataclasses import dataclass
from enum import StrEnum


class Reads(StrEnum):
    """Which texts of a message a validator judges."""

    CONTENT = "content"
    """What is said, each part whole: a reply, a tool's result, an argument. For one that demands a form."""
    EVERYTHING = "everything"
    """Thoughts, arguments, keys and names, too. For one that forbids something."""


class Window(StrEnum):
    """How much of a reply a validator has to see before any of it may go out."""

    SENTENCE = "sentence"
    """A sentence, with some text before it."""
    REPLY = "reply"
    """All of it."""


@dataclass(frozen=True, slots=True)
class Traits:
    """A validator's own statement. One that states nothing is taken for the slowest and strictest kind."""

    reads: Reads = Reads.EVERYTHING
    window: Window = Window.REPLY
    quick: bool = False
    """Runs in time linear in the text, waits for nothing and keeps no state: it may run on the event loop,
    and what it said of a passage is remembered."""
    uses_context: bool = False
    """Looks at `sources` or `history` in its metadata, beside the text."""
    structured: bool = False
    """Wants JSON: of a tool's call it judges the arguments as one object, or those named, each as JSON."""
    sees_values: bool = False
    """Is asked once more about the text with the real values in place of stand-ins, and never quotes it: a
    forbidden address is one behind `<EMAIL_ADDRESS_1>`, too."""


def traits_of(validator: object) -> Traits:
    """What a validator, or its class, states in its attribute `traits`."""
    stated = getattr(validator, "traits", None)
    return stated if isinstance(stated, Traits) else Traits()
