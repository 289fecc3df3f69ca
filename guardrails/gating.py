"""Presidio's recognizers look only where something may be, within a time that nobody can spend for them.

Presidio logs a regular expression that takes too long and goes on without it. Here it ends the analysis.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass
from itertools import accumulate
from time import monotonic
from typing import Any, Self

import regex
from presidio_analyzer import EntityRecognizer, PatternRecognizer, RecognizerResult

_DEADLINE: ContextVar[float] = ContextVar("deadline")


class AnalysisTimeoutError(Exception):
    """No TimeoutError, because Presidio takes those for an answer without findings."""


@contextmanager
def time_limit(deadline: float) -> Iterator[None]:
    """What is analysed within has to be done by then, in seconds of the monotonic clock."""
    token = _DEADLINE.set(deadline)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def check_time() -> None:
    """Raise AnalysisTimeoutError past the deadline."""
    deadline = _DEADLINE.get(None)
    if deadline is not None and monotonic() > deadline:
        raise AnalysisTimeoutError


class TimedRegex:
    """A compiled expression as Presidio uses it, which keeps to the deadline and never passes over it."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    def finditer(self, text: str, timeout: float) -> Iterator[Any]:
        """The matches."""
        deadline = _DEADLINE.get(None)
        left = timeout if deadline is None else min(timeout, max(deadline - monotonic(), 0.001))
        try:
            yield from self._compiled.finditer(text, timeout=left)
        except TimeoutError:
            raise AnalysisTimeoutError from None


def fail_closed(recognizer: EntityRecognizer) -> EntityRecognizer:
    """The recognizer with expressions whose timeout ends the analysis."""
    if isinstance(recognizer, PatternRecognizer):
        changed: Any = recognizer
        # Copies: the originals belong to the class, and with it to everybody else in the process.
        changed.patterns = [copy(pattern) for pattern in changed.patterns]
        flags = recognizer.global_regex_flags or 0
        for pattern in changed.patterns:
            pattern.compiled_with_flags = flags
            compiled = regex.compile(pattern.regex, flags)  # type: ignore[no-untyped-call]  # regex has no types
            pattern.compiled_regex = TimedRegex(compiled)
    return recognizer


@dataclass(frozen=True, eq=False)
class Gate:
    """Where a recognizer has to look: around what every value of its type holds."""

    core: re.Pattern[str]
    """Every value of the type matches it in part."""
    margin: int = 64
    """Longest value of the type; the recognizer sees as much around a core, up to the next space."""

    def regions(self, text: str) -> list[tuple[int, int]]:
        """The places to look at, in order, apart from one another."""
        merged: list[tuple[int, int]] = []
        for match in self.core.finditer(text):
            start, end = max(match.start() - self.margin, 0), min(match.end() + self.margin, len(text))
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return _to_spaces(text, merged)


def _to_spaces(text: str, regions: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Regions that begin and end at a space: half a number looks like another one."""
    grown: list[tuple[int, int]] = []
    for first, last in regions:
        if grown and last <= grown[-1][1]:
            continue
        start = max(text.rfind(" ", 0, first + 1), text.rfind("\n", 0, first + 1), 0)
        ends = [place for place in (text.find(" ", last), text.find("\n", last)) if place >= 0]
        end = min(ends, default=len(text))
        if grown and start <= grown[-1][1]:
            grown[-1] = (grown[-1][0], end)
        else:
            grown.append((start, end))
    return grown


class GatedRecognizer(EntityRecognizer):
    """A recognizer that is shown the regions of its gate, and finds what it would find in the whole text."""

    def __init__(self, inner: Any, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate
        super().__init__(
            supported_entities=inner.supported_entities,
            name=inner.name,
            supported_language=inner.supported_language,
            version=inner.version,
            context=inner.context,
        )
        # Results carry the inner one's; Presidio looks the context words up by it.
        self._id = inner.id

    def load(self) -> None:
        """The inner recognizer is loaded."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """What the inner recognizer finds in the regions, at its place in the text."""
        check_time()
        shown = self._shown(text, nlp_artifacts)
        results = self._inner.analyze(shown.text, entities, nlp_artifacts) if shown.text else None
        return [one for one in results or () if shown.put_back(one)]

    def _shown(self, text: str, artifacts: Any) -> "_Shown":
        # Several recognizers have the same gate.
        known: dict[Gate, _Shown] = getattr(artifacts, "shown", {})
        if self._gate not in known:
            known[self._gate] = _Shown.of(text, self._gate.regions(text))
        return known[self._gate]


_BETWEEN = "\n\0\n"
"""Stands between two regions; part of no value."""


@dataclass(frozen=True)
class _Shown:
    """The regions of a text in one string, because each call of a recognizer costs as much as a search."""

    text: str
    begins: tuple[int, ...] = ()
    """Where each region begins in this string."""
    regions: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, text: str, regions: list[tuple[int, int]]) -> Self:
        if regions == [(0, len(text))]:
            return cls(text, (0,), tuple(regions))
        parts = [text[start:end] for start, end in regions]
        lengths = accumulate((len(part) + len(_BETWEEN) for part in parts[:-1]), initial=0)
        return cls(_BETWEEN.join(parts), tuple(lengths) if parts else (), tuple(regions))

    def put_back(self, result: RecognizerResult) -> bool:
        """Move a result to its place in the text; False if it lies across two regions, and is none."""
        index = bisect_right(self.begins, result.start) - 1
        start, end = self.regions[index]
        offset = start - self.begins[index]
        result.start += offset
        result.end += offset
        return bool(result.start < end and result.end <= end)


def _gate(core: str, margin: int = 64) -> Gate:
    return Gate(re.compile(core), margin)


DIGITS = _gate(r"\d")
DENSE_DIGITS = _gate(r"\d(?:[^\w\n]{0,3}\d){6}", 80)
"""Seven digits with little between them: of telephones, cards, social security. 80 for words before."""

GATES: Mapping[str, Gate] = {
    "CREDIT_CARD": DENSE_DIGITS,
    "CRYPTO": _gate(r"(?:[bB][cC]1|[13])[a-zA-Z0-9]{25}"),
    "DATE_TIME": DIGITS,
    "IBAN_CODE": _gate(r"[A-Za-z]{2}\d{2}[ -]?[A-Za-z0-9]{4}"),
    "IP_ADDRESS": _gate(r"\d\.\d{1,3}\.\d|:[0-9a-fA-F]{0,4}:"),
    "MAC_ADDRESS": _gate(r"[0-9a-fA-F]{2}[:-][0-9a-fA-F]{2}[:-]|[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}\."),
    "MEDICAL_LICENSE": DENSE_DIGITS,
    "PHONE_NUMBER": DENSE_DIGITS,
    "US_ITIN": DENSE_DIGITS,
    "US_SSN": DENSE_DIGITS,
    "UUID": _gate(r"-[0-9a-fA-F]{4}-"),
}
"""Entity type → its gate."""


def behind_gate(recognizer: EntityRecognizer) -> EntityRecognizer:
    """One of Presidio's recognizers behind the gate of its type, if there is one."""
    (entity, *more) = recognizer.supported_entities
    # Every national number has a digit.
    gate = None if more else GATES.get(entity) or (DIGITS if recognizer.is_country_specific() else None)
    return GatedRecognizer(recognizer, gate) if gate else recognizer
