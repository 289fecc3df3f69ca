"""The calls of a conversation that may have taken effect, for totals over all of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Place = tuple[int, int]
"""Of a call: the run and the turn, counted from 1."""


@dataclass(frozen=True, slots=True)
class MadeCall:
    """A call that was begun, so that it may have taken effect, whatever is known of how it ended."""

    tool: str
    run: int
    values: Mapping[str, Any] = field(repr=False)
    """Its real arguments, or those of them that a total may count."""


class MadeCalls:
    """The calls that one conversation has begun. Nothing here awaits, so parallel calls see each other."""

    def __init__(self, place: Callable[[], Place] = lambda: (0, 0)) -> None:
        self._place = place
        """Where the conversation is now."""
        self._calls: dict[tuple[int, str], MadeCall] = {}

    @property
    def run(self) -> int:
        """The run that is under way."""
        return self._place()[0]

    def note(self, call_id: str, tool: str, values: Mapping[str, Any]) -> None:
        """Count a call of the open turn from now on; one that is made again counts once."""
        run, turn = self._place()
        self._calls[turn, call_id] = MadeCall(tool, run, dict(values))

    def but(self, call_id: str) -> Sequence[MadeCall]:
        """All of them but this call of the open turn."""
        own = (self._place()[1], call_id)
        return [made for key, made in self._calls.items() if key != own]

    def load(self, made: Iterable[tuple[int, str, MadeCall]]) -> None:
        """Take up what was written down: turn, id and call."""
        self._calls = {(turn, call_id): call for turn, call_id, call in made}
