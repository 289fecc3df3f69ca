"""What a guardrail looks at: a piece of text, and where it stood."""

from dataclasses import dataclass, field
from enum import StrEnum


class Point(StrEnum):
    """Where a text is checked."""

    INPUT = "input"
    """What the user says."""
    OUTPUT = "output"
    """What the user gets to see."""
    MESSAGE = "message"
    """A model's reply, before any agent reads it."""
    TOOL_CALL = "tool_call"
    """The arguments of a tool call."""
    TOOL_RESULT = "tool_result"
    """What a tool gave back, or a memory recalled."""


class PartKind(StrEnum):
    """What a text is within its message."""

    CONTENT = "content"
    """What is said: a reply, a task, a tool's result."""
    FIELD = "field"
    """A text inside structured content."""
    THOUGHT = "thought"
    """What a model thought before it replied."""
    ARGUMENT = "argument"
    """A text in the arguments of a call."""
    CALL = "call"
    """The arguments of a tool's call as one JSON object, or one of them as JSON."""
    LABEL = "label"
    """A name, a source or a key."""


@dataclass(frozen=True, slots=True)
class Part:
    """Where in its message a text stands."""

    kind: PartKind = PartKind.CONTENT
    argument: str = ""
    """Of a call, the argument that the text belongs to."""
    tool: str = ""
    """The tool that a model asks for with it."""


CONTENT, FIELD, LABEL = Part(), Part(PartKind.FIELD), Part(PartKind.LABEL)
THOUGHT, ARGUMENT = Part(PartKind.THOUGHT), Part(PartKind.ARGUMENT)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text and where it came from."""

    text: str = field(repr=False)
    point: Point
    agent: str = ""
    tool: str = ""
    part: Part = CONTENT
    sources: tuple[str, ...] = field(default=(), repr=False)
    """What tools and memories told the team before, for guardrails that compare."""
    questions: tuple[str, ...] = field(default=(), repr=False)
    """What the user said before."""
    history: tuple[str, ...] = field(default=(), repr=False)
    """What the same agent said before at this point, oldest first."""
