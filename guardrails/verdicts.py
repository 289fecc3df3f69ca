"""What a guardrail looks at, and what it may say of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


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
    """What a tool gave back."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text and where it came from."""

    text: str
    point: Point
    agent: str = ""
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The span of a passage that a verdict rests on; never its text."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Allow:
    """The passage may go on."""

    guardrail: str = ""
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The passage may go on with this text in its place."""

    guardrail: str
    text: str
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Escalate:
    """A person has to decide."""

    guardrail: str
    reason: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """The passage goes no further."""

    guardrail: str
    reason: str
    evidence: tuple[Evidence, ...] = ()
    crashed: bool = False
    """The guardrail failed or timed out, instead of saying no."""
    reask: bool = False
    """A model that wrote the passage may try again."""


@dataclass(frozen=True, slots=True)
class Halt:
    """The passage goes no further, and the conversation stops."""

    guardrail: str
    reason: str
    evidence: tuple[Evidence, ...] = ()


Verdict = Allow | Rewrite | Escalate | Block | Halt

_STRICTNESS: dict[type, int] = {Allow: 0, Rewrite: 1, Escalate: 2, Block: 3, Halt: 4}


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """Join verdicts: the strictest one counts, the first of equals; nothing said is Allow."""
    return max(verdicts, key=lambda verdict: _STRICTNESS[type(verdict)], default=Allow())


class Guardrail(Protocol):
    """A pure check of a passage."""

    @property
    def name(self) -> str:
        """Under which its verdicts are recorded."""
        ...

    @property
    def timeout_seconds(self) -> float:
        """Longest time that one check may take."""
        ...

    async def check(self, passage: Passage) -> Verdict:
        """Judge the passage. An exception or a time-out counts as a Block that says so."""
        ...
