"""Texts to measure speed on: lines as in our chats, and neutral ones between them, no two alike."""

from itertools import count
from random import Random

from benchmarks.pii.annotated import read_messages

_NEUTRAL = (
    "Build {n} went through after the second attempt, and the tests are green again.",
    "Please compare the two drafts of part {n} and keep the shorter one where they say the same.",
    "Step {n}: the parcel has left the depot and should be there in two days.",
    "I looked into it; the cache was cold, so the first request took {n} milliseconds.",
    "Next we need the totals of sheet {n}, and a short note on what has changed.",
    "There is nothing to add from my side, so let us go on with item {n}.",
    "The table has {n} rows, and the last column is empty in most of them.",
)
_PERSONAL_SHARE = 0.3
"""Lines in which something personal stands; the rest is neutral."""


class TextMaker:
    """Makes texts, the same ones for the same seed."""

    def __init__(self, seed: int = 1) -> None:
        self._random = Random(seed)  # noqa: S311 - repeatable on purpose
        self._personal = [message.text for message in read_messages() if message.spans]
        self._numbers = count(1)

    def line(self) -> str:
        """One message."""
        number = next(self._numbers)
        if self._random.random() < _PERSONAL_SHARE:
            return f"{self._random.choice(self._personal)} (no. {number})"
        return self._random.choice(_NEUTRAL).format(n=number)

    def text(self, size: int) -> str:
        """A text of this many characters."""
        lines: list[str] = []
        while sum(map(len, lines)) + len(lines) < size:
            lines.append(self.line())
        return "\n".join(lines)[:size]
