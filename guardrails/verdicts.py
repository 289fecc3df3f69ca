"""What a guardrail may say of a passage."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from ringfence.guardrails.passages import PartKind, Passage, Point
from ringfence.guardrails.validator_traits import Reads, Traits


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
    risk: float = 0.0
    """How much speaks for an attack, from 0 to 1; what follows from it is decided where it matters."""


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
    hint: str = ""
    """What a model may hear of the reason; empty when it may hear all of it."""


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


_QUICK_CHARACTERS = 20_000
"""Up to here a quick check takes a few milliseconds at most."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a guardrail is to be used: which passages it judges, and what its word counts for."""

    traits: Traits = field(default_factory=Traits)
    rewrites: bool = True
    """It may answer with a Rewrite, so that it has its turn before those that only judge."""
    reasks: bool = False
    """A no of it may be mended by asking the model again, so that nothing of the reply may go out before."""
    shadow: bool = False
    """Judged and recorded, not enforced."""
    tools: tuple[str, ...] = ()
    """Names or globs; empty means all."""
    agents: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()

    def fit(self, passage: Passage) -> bool:
        """Whether the guardrail judges this passage."""
        part = passage.part
        if not _listed(self.agents, passage.agent) or not _listed(self.tools, passage.tool or part.tool):
            return False
        if self.arguments and not _listed(self.arguments, part.argument):
            return False
        if passage.point is Point.TOOL_CALL and (self.traits.structured or part.kind is PartKind.CALL):
            is_whole = bool(part.argument) is bool(self.arguments)
            return self.traits.structured and part.kind is PartKind.CALL and is_whole
        if self.traits.reads is Reads.EVERYTHING:
            return True
        of_calls = passage.point is Point.TOOL_CALL or (
            passage.point is Point.MESSAGE and bool(self.tools or self.arguments)
        )
        return part.kind is (PartKind.ARGUMENT if of_calls else PartKind.CONTENT)

    def runs_inline(self, passage: Passage) -> bool:
        """Whether the check is so quick that a thread and a time limit would cost more than it does."""
        return self.traits.quick and len(passage.text) <= _QUICK_CHARACTERS


def _listed(globs: tuple[str, ...], name: str) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs)


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

    @property
    def terms(self) -> Terms:
        """How it is to be used."""
        ...

    async def check(self, passage: Passage) -> Verdict:
        """Judge the passage. An exception or a time-out counts as a Block that says so."""
        ...
