"""Pieces of replies that were masked and checked while a model was writing them."""

from collections import Counter

_MOST = 10_000


class LivePieces:
    """Tells the way to the user which pieces passed the model door already, each once.

    What is not known here is masked anew and held back until no value in it can be cut.
    """

    def __init__(self) -> None:
        self._passed: Counter[int] = Counter()

    def note(self, piece: str) -> None:
        """A piece passed the model door."""
        if len(self._passed) < _MOST:
            self._passed[hash(piece)] += 1

    def take(self, piece: str) -> bool:
        """Whether this piece passed the model door; each of them once."""
        key = hash(piece)
        if not self._passed[key]:
            del self._passed[key]
            return False
        self._passed[key] -= 1
        if not self._passed[key]:
            del self._passed[key]
        return True

    def clear(self) -> None:
        """Forget them: nothing of an earlier run comes any more."""
        self._passed.clear()
