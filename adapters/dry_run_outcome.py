"""What was asked of whom in a dry run, and what came of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from ringfence.adapters.dry_run_hearing import Hearing
from ringfence.errors import GuardrailTripped
from ringfence.guardrails.judging import Judgement
from ringfence.guardrails.passages import Passage, Point
from ringfence.guardrails.validator_traits import Reads, Traits
from ringfence.guardrails.verdicts import Block, Escalate, Guardrail, Terms, Verdict

_EVERYTHING = Traits(reads=Reads.EVERYTHING)


class Kind(StrEnum):
    """How it ends for a text or a call."""

    ALLOW = "allow"
    """It goes on as it is."""
    REWRITE = "rewrite"
    """It goes on with other words."""
    REASK = "reask"
    """The model is asked to write it again."""
    ESCALATE = "escalate"
    """A person is asked."""
    BLOCK = "block"
    """It goes no further."""
    HALT = "halt"
    """It goes no further, and the conversation stops."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A guardrail, and what it said or why it was not asked."""

    name: str
    shadow: bool
    why_not: str = ""
    """Empty when it was asked."""
    verdict: Verdict | None = None
    seconds: float = 0.0

    @classmethod
    def of(cls, judgement: Judgement) -> Self:
        """One that was asked."""
        name, seconds = judgement.guardrail.name, judgement.seconds
        return cls(name, shadow=not judgement.counts, verdict=judgement.verdict, seconds=seconds)

    @property
    def crashed(self) -> bool:
        """It failed or timed out, instead of answering."""
        return isinstance(self.verdict, Block) and self.verdict.crashed

    @property
    def word(self) -> str:
        """Its verdict; empty when it was not asked."""
        return "" if self.verdict is None else type(self.verdict).__name__.lower()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        facts: dict[str, Any] = {"name": self.name, "mode": "shadow" if self.shadow else "enforce"}
        if self.verdict is None:
            return facts | {"asked": False, "why_not": self.why_not}
        return facts | {
            "asked": True,
            "verdict": self.word,
            "reason": self.verdict.reason,
            "crashed": self.crashed,
            "evidence": [asdict(one) for one in self.verdict.evidence],
            "milliseconds": round(self.seconds * 1000, 3),
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a text or a call."""

    kind: Kind
    by: tuple[str, ...] = ()
    """Who said so; nobody for what goes on as it is."""
    reason: str = ""
    text: str | None = None
    """Of a text that goes on."""
    heard: tuple[Hearing, ...] = ()
    crashed: bool = False
    """Whoever said no failed or timed out."""

    @classmethod
    def refused(cls, error: GuardrailTripped, verdict: Verdict, heard: tuple[Hearing, ...]) -> Self:
        """Of what a door let not through."""
        # Elsewhere nobody can write it again.
        is_asked_again = error.reask and error.point == Point.MESSAGE
        kind = Kind.HALT if error.halt else Kind.REASK if is_asked_again else Kind.BLOCK
        if isinstance(verdict, Escalate):
            kind = Kind.ESCALATE
        return cls(kind, (error.guardrail,), error.reason, heard=heard, crashed=error.crashed)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"kind": self.kind.value}


def why_not_concerned(guardrail: Guardrail, points: Sequence[Point], passages: Sequence[Passage]) -> str:
    """Why a guardrail judges none of these passages; empty when it judges one."""
    here = [passage for passage in passages if passage.point in points]
    if not here:
        return f"it judges at {', '.join(points)}"
    terms = guardrail.terms
    if any(terms.fit(passage) for passage in here):
        return ""
    alone = {
        "agents": Terms(_EVERYTHING, agents=terms.agents),
        "tools": Terms(_EVERYTHING, tools=terms.tools),
        "arguments": Terms(_EVERYTHING, arguments=terms.arguments),
    }
    for name, only in alone.items():
        if not any(only.fit(passage) for passage in here):
            return f"it judges {name} {', '.join(getattr(terms, name))}"
    return "it reads only what is said"
