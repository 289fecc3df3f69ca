"""What a conversation's calls are judged by beside their own words: whose it is, how strict it is."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from ringfence.guardrails.made_calls import MadeCalls

FULL = 4
"""The level of autonomy at which nobody is asked."""


@dataclass(slots=True)
class Bounds:
    """How a conversation was begun. It may become stricter, and never less strict, in whatever process."""

    autonomy: int = FULL
    """At most this level, whatever the policy says of a tool."""
    dry_run: bool = False
    """No consequential call is run."""

    @classmethod
    def of(cls, *, autonomy: int | None, dry_run: bool) -> Self:
        """Bounds as whoever begins a conversation says them.

        Raises:
            ValueError: There is no such level.
        """
        if autonomy is not None and (isinstance(autonomy, bool) or autonomy not in range(1, FULL + 1)):
            raise ValueError("autonomy is a whole number from 1 to 4")
        return cls(autonomy=FULL if autonomy is None else autonomy, dry_run=dry_run)

    def tighten(self, *, autonomy: int = FULL, dry_run: bool = False) -> None:
        """Take the stricter of what is and what is said here."""
        self.autonomy = min(self.autonomy, autonomy)
        self.dry_run = self.dry_run or dry_run

    def saved(self) -> dict[str, Any]:
        """For a saved state."""
        return {"autonomy": self.autonomy, "dry_run": self.dry_run}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Take up what `saved` gave."""
        self.tighten(autonomy=int(saved.get("autonomy", FULL)), dry_run=bool(saved.get("dry_run", False)))


@dataclass(frozen=True, slots=True)
class Standing:
    """What is around the calls of one conversation."""

    roles: Callable[[], Collection[str]] = tuple
    """The user's, as they are now."""
    bounds: Bounds = field(default_factory=Bounds)
    made: MadeCalls = field(default_factory=MadeCalls, repr=False)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
