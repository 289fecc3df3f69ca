"""Presidio's analyzer, set up to work offline and to stop on hostile text."""

import asyncio
import hashlib
import re
import threading
import unicodedata
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING

from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.pii import PiiAction, PiiSettings
from ringfence.guardrails.readings import is_glued, readable, unglued

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

_WINDOW = 2_000
"""Characters analysed at once: Presidio's regular expressions are superlinear on hostile text."""
_OVERLAP = 320
"""Characters that two windows share, so that a value on the border is whole in one of them."""
_INLINE = 500
"""Characters up to which an analysis stays on the event loop; a thread costs more than it frees."""
_CACHED_TEXTS = 20_000
_STRICTEST_LAST = (
    PiiAction.PSEUDONYMIZE,
    PiiAction.MASK,
    PiiAction.HASH,
    PiiAction.REDACT,
    PiiAction.BLOCK,
)
_UNSPACED = {"Lo", "Lm", "Mn", "Mc", "Me"}
"""Unicode's categories of letters without case, and of marks: scripts in which words stand without spaces."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A span of personal data in a text."""

    entity: str
    start: int
    end: int
    score: float


class PiiFinder:
    """Finds personal data. Shared by all conversations of a process; keeps spans, never texts."""

    def __init__(self, settings: PiiSettings) -> None:
        self._settings = settings
        self._rules = settings.rules()
        self._wanted = [name for name, rule in self._rules.items() if rule.action is not PiiAction.ALLOW]
        values = "|".join(re.escape(value) for value in sorted(settings.allow, key=len, reverse=True))
        self._allowed = re.compile(values, re.IGNORECASE) if values else None
        self._seen: OrderedDict[bytes, tuple[Finding, ...]] = OrderedDict()
        self._lock = threading.Lock()
        supported = sorted(_analyzer().get_supported_entities("en")) if self._wanted else []
        unknown = [name for name in self._wanted if name not in supported]
        if unknown:
            said = f"no recognizer finds this; known: {', '.join(supported)}"
            raise PolicyError([Fault(said, where=f"pii.entities.{name}") for name in unknown])

    async def find(self, text: str) -> tuple[Finding, ...]:
        """The personal data in a text, in order, without overlaps.

        Raises:
            TimeoutError: The analysis took longer than the policy allows.
        """
        key = hashlib.sha256(text.encode()).digest()
        with self._lock:
            if key in self._seen:
                self._seen.move_to_end(key)
                return self._seen[key]
        if len(text) <= _INLINE:
            findings = self._analyze(text)
        else:
            work = asyncio.to_thread(self._analyze, text)
            findings = await asyncio.wait_for(work, self._settings.timeout_seconds)
        with self._lock:
            self._seen[key] = findings
            if len(self._seen) > _CACHED_TEXTS:
                self._seen.popitem(last=False)
        return findings

    def _analyze(self, text: str) -> tuple[Finding, ...]:
        if not self._wanted or not text.strip():
            return ()
        found: list[Finding] = []
        as_known = readable(text)
        deadline = monotonic() + self._settings.timeout_seconds
        for start in range(0, max(len(text) - _OVERLAP, 1), _WINDOW - _OVERLAP):
            if monotonic() > deadline:
                # A thread cannot be stopped from outside.
                raise TimeoutError
            allowed = self._allowed_spans(text, start)
            window = as_known[start : start + _WINDOW]
            wide = [*self._wanted_findings(window, start, allowed)]
            strict = [*self._wanted_findings(unglued(window), start, allowed)] if is_glued(window) else []
            found.extend(one for one in wide if not _is_too_wide(one, strict, as_known))
            found.extend(strict)
        return tuple(self._merged(found))

    def _allowed_spans(self, text: str, start: int) -> list[tuple[int, int]]:
        if self._allowed is None:
            return []
        around = max(start - _OVERLAP, 0), start + _WINDOW + _OVERLAP
        return [match.span() for match in self._allowed.finditer(text, *around)]

    def _wanted_findings(self, text: str, offset: int, allowed: list[tuple[int, int]]) -> Iterator[Finding]:
        for result in _analyzer().analyze(text, language="en", entities=self._wanted):
            rule = self._rules[result.entity_type]
            threshold = self._settings.threshold if rule.threshold is None else rule.threshold
            start, end = result.start + offset, result.end + offset
            # Inside an allowed value, because a window may have cut it.
            is_allowed = any(first <= start and end <= last for first, last in allowed)
            if result.score >= threshold and not is_allowed:
                yield Finding(result.entity_type, start, end, result.score)

    def _merged(self, found: Iterable[Finding]) -> Iterator[Finding]:
        """Findings that overlap become one under the strictest rule: nothing that was found stays visible."""
        overlapping: list[Finding] = []
        end = 0
        for finding in sorted(found, key=lambda one: one.start):
            if overlapping and finding.start >= end:
                yield self._joined(overlapping, end)
                overlapping = []
            overlapping.append(finding)
            end = max(end, finding.end)
        if overlapping:
            yield self._joined(overlapping, end)

    def _joined(self, overlapping: list[Finding], end: int) -> Finding:
        def weight(one: Finding) -> tuple[int, int, float, str]:
            strictness = _STRICTEST_LAST.index(self._rules[one.entity].action)
            return strictness, one.end - one.start, one.score, one.entity

        score = max(one.score for one in overlapping)
        return Finding(max(overlapping, key=weight).entity, overlapping[0].start, end, score)


def _is_too_wide(finding: Finding, strict: Iterable[Finding], text: str) -> bool:
    """Whether stricter findings are the same values without the letters of a script that writes no spaces."""
    parts = [
        one for one in strict if one.entity == finding.entity and finding.start <= one.start < finding.end
    ]
    places = range(finding.start, finding.end)
    rest = (text[place] for place in places if not any(one.start <= place < one.end for one in parts))
    return bool(parts) and all(sign == "_" or unicodedata.category(sign) in _UNSPACED for sign in rest)


@lru_cache(maxsize=1)
def _analyzer() -> "AnalyzerEngine":
    # Imported on first use: it takes over a second, and uses what is deprecated.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        from ringfence.guardrails.recognizers import make_analyzer
    return make_analyzer()
