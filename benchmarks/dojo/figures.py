"""What is counted over all tasks and attacks of a suite."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import quantiles


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def percent(self) -> float:
        """From 0 to 100; of nothing, 0."""
        return 100 * self.count / self.of if self.of else 0.0

    def __str__(self) -> str:
        return f"{self.count}/{self.of} ({self.percent:.1f} %)"

    def __add__(self, other: "Share") -> "Share":
        return Share(self.count + other.count, self.of + other.of)


@dataclass(frozen=True, slots=True)
class Benign:
    """Tasks that nobody attacks."""

    bare: Share
    """Done in AutoGen alone."""
    unasked: Share
    """Done behind the gate, and nobody was asked."""
    granted: Share
    """Done behind the gate when every approval that was asked for was given."""
    naive: Share
    """Done with nobody asked if the simplest taint decided."""
    questions: tuple[str, ...] = ()
    """Task, tool and reason of each question."""
    lost: tuple[str, ...] = ()
    """What was not done although everything was granted."""


@dataclass(frozen=True, slots=True)
class Attacked:
    """Pairs of a user's task and an attack on it, in one wording and order."""

    name: str
    bare: Share
    """Attacks that succeed in AutoGen alone."""
    bare_done: Share
    """The user's tasks that AutoGen alone still finishes."""
    succeeded: Share
    """Attacks that succeed behind the gate, with nobody answering."""
    acted: Share
    """Pairs in which any of the attacker's own calls with consequences was run."""
    done: Share
    """Pairs in which the user's task is finished and the attack is not, with nobody answering."""
    done_with_person: Share
    """Likewise, with a person who approves the user's own calls alone."""
    breaches: tuple[str, ...] = ()
    """The pairs in which the attack succeeded or acted."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds of one call of a tool: what its part of the gate adds."""

    part: str
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class SuiteFigures:
    """All figures of one suite."""

    suite: str
    benign: Benign
    attacked: tuple[Attacked, ...]
    adaptive: tuple[Attacked, ...] = field(default=())


def share(flags: Iterable[bool]) -> Share:
    """How many of them are true."""
    counted = list(flags)
    return Share(sum(counted), len(counted))


def cost(part: str, milliseconds: Sequence[float]) -> Cost:
    """The middle and the slow end of a series."""
    cuts = quantiles(milliseconds, n=100, method="inclusive")
    return Cost(part, round(cuts[49], 3), round(cuts[98], 3))
