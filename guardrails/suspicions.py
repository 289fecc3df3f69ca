"""What speaks for an attack in the texts that a conversation has read."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ringfence.guardrails.passages import Passage
from ringfence.guardrails.verdicts import Allow

_MOST = 100
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One text that looked like an attack: where it came from and what gave it away; never its words."""

    guardrail: str
    point: str
    agent: str
    tool: str
    signs: tuple[str, ...]

    def __str__(self) -> str:
        source = f"the result of {self.tool}" if self.tool else f"the {self.point}"
        return f"{source} shows signs of an attack ({', '.join(self.signs) or self.guardrail})"


class Suspicions:
    """The suspicions of one conversation. They stay: what an agent has read, it has in its context."""

    def __init__(self) -> None:
        self._known: dict[Suspicion, None] = {}

    def note(self, passage: Passage, verdict: Allow) -> None:
        """Remember a passage that was let through although it looked like an attack."""
        signs = tuple(dict.fromkeys(one.label for one in verdict.evidence))
        self._add(Suspicion(verdict.guardrail, passage.point.value, passage.agent, passage.tool, signs))

    def clear(self) -> None:
        """Forget them, because the agents forget what they read, too."""
        self._known.clear()

    def __bool__(self) -> bool:
        return bool(self._known)

    def __str__(self) -> str:
        """For the person who has to decide; empty when there is nothing to suspect."""
        return self.without(())

    def without(self, guardrails: Collection[str]) -> str:
        """As a text, without what these guardrails found."""
        shown = [str(one) for one in self._known if one.guardrail not in guardrails]
        more = f", and {len(shown) - _MOST_SHOWN} more" if len(shown) > _MOST_SHOWN else ""
        return "; ".join(shown[:_MOST_SHOWN]) + more

    @property
    def tools(self) -> frozenset[str]:
        """The tools and memories whose results looked like an attack; an empty name: something else did."""
        return frozenset(one.tool for one in self._known)

    def saved(self) -> list[dict[str, Any]]:
        """For a saved state."""
        return [asdict(one) for one in self._known]

    def load(self, saved: Iterable[Mapping[str, Any]]) -> None:
        """Take up what `saved` gave."""
        names = [one.name for one in fields(Suspicion)]
        for entry in saved:
            known = {name: entry[name] for name in names}
            self._add(Suspicion(**known | {"signs": tuple(known["signs"])}))

    def _add(self, suspicion: Suspicion) -> None:
        # One hundred say as much as a thousand.
        if len(self._known) < _MOST:
            self._known[suspicion] = None
