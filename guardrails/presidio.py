"""Finds personal data with Presidio: offline, each text once, and never longer than the policy gives it."""

import asyncio
import hashlib
import re
import threading
import warnings
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Any

from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.code_fences import prose
from ringfence.guardrails.findings import NAME_ENTITIES, Finding, apart_from_addresses, is_too_wide, merged
from ringfence.guardrails.pii import PiiAction, PiiRule, PiiSettings
from ringfence.guardrails.readings import is_glued, readable, unglued

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine, RecognizerResult

__all__ = ["Finding", "PiiFinder", "TextTooLongError", "unknown_type"]

_WINDOW = 2_000
"""Characters analysed at once: Presidio's regular expressions are superlinear on hostile text."""
_OVERLAP = 320
"""Characters that two windows share, so that a value on the border is whole in one of them."""
_WINDOW_SECONDS = 3.0
"""Longest analysis of one window, which takes some milliseconds."""
_INLINE = 500
"""Characters up to which an analysis stays on the event loop; a thread costs more than it frees."""
_CACHED_TEXTS = 20_000
_BUILT_FROM = {"detection", "languages", "patterns", "deny"}
"""The settings that an analyzer is made from."""


class TextTooLongError(ValueError):
    """The text is longer than `pii.max_characters`."""


class PiiFinder:
    """Finds personal data. Shared by all conversations of a process; keeps spans, never texts."""

    def __init__(self, settings: PiiSettings) -> None:
        self._settings = settings
        self._rules = settings.rules()
        values = "|".join(re.escape(value) for value in sorted(settings.allow, key=len, reverse=True))
        self._allowed = re.compile(values, re.IGNORECASE) if values else None
        self._seen: OrderedDict[bytes, tuple[Finding, ...]] = OrderedDict()
        self._lock = threading.Lock()
        # As text, because what is cached by it has to be hashable.
        self._made_from = settings.model_dump_json(include=_BUILT_FROM)
        supported = _supported(settings, self._made_from)
        self.types = frozenset(supported)
        """Every entity type that something could find."""
        self._known = sorted(supported & self._rules.keys())
        self._masked = [name for name in self._known if self._rules[name].action is not PiiAction.ALLOW]

    @property
    def rules(self) -> Mapping[str, PiiRule]:
        """The rules of the types that are looked for, in this tier and with these languages."""
        return {name: self._rules[name] for name in self._known}

    async def find(self, text: str) -> tuple[Finding, ...]:
        """The personal data in a text that must not stay as it is, in order, without overlaps.

        Raises:
            TimeoutError: The analysis took longer than the policy allows.
            TextTooLongError: The text is longer than the policy allows.
        """
        return await self._find(text, b"masked", self._masked)

    async def find_all(self, text: str) -> tuple[Finding, ...]:
        """What `find` finds, and what the policy allows beside it; in order.

        Raises:
            TimeoutError: The analysis took longer than the policy allows.
            TextTooLongError: The text is longer than the policy allows.
        """
        return await self._find(text, b"all", self._known)

    async def _find(self, text: str, kind: bytes, wanted: list[str]) -> tuple[Finding, ...]:
        if len(text) > self._settings.max_characters:
            raise TextTooLongError(
                f"the text is longer than pii.max_characters allows ({self._settings.max_characters})"
            )
        key = hashlib.sha256(kind + text.encode()).digest()
        with self._lock:
            if key in self._seen:
                self._seen.move_to_end(key)
                return self._seen[key]
        if len(text) <= _INLINE:
            findings = self._analyze(text, wanted)
        else:
            work = asyncio.to_thread(self._analyze, text, wanted)
            findings = await asyncio.wait_for(work, self._settings.timeout_seconds)
        with self._lock:
            self._seen[key] = findings
            if len(self._seen) > _CACHED_TEXTS:
                self._seen.popitem(last=False)
        return findings

    def _analyze(self, text: str, wanted: list[str] | None = None) -> tuple[Finding, ...]:
        wanted = self._masked if wanted is None else wanted
        if not wanted or not text.strip():
            return ()
        looked_for = sorted({*wanted, *self.types & {"EMAIL_ADDRESS"}})
        own = [name for name in wanted if name in self._settings.patterns]
        found: list[Finding] = []
        as_known = readable(text)
        as_prose = prose(as_known)
        deadline = monotonic() + self._settings.timeout_seconds
        for start in range(0, max(len(text) - _OVERLAP, 1), _WINDOW - _OVERLAP):
            if monotonic() > deadline:
                # A thread cannot be stopped from outside.
                raise TimeoutError
            window, named = (part[start : start + _WINDOW] for part in (as_known, as_prose))
            wide = self._read(window, named, looked_for, deadline)
            if own and (written := text[start : start + _WINDOW]) != window:
                # A pattern of the policy's own may mean just the signs that the reading exchanges.
                wide += self._read(written, "", own, deadline)
            # Without names, which were found: a network needs no borders of words.
            strict = self._read(unglued(window), "", looked_for, deadline) if is_glued(window) else []
            wide, strict = (self._placed(some, start, text) for some in (wide, strict))
            found.extend(one for one in wide if not is_too_wide(one, strict, as_known))
            found.extend(strict)
        # Told apart even where they are allowed, for the sake of the names in them.
        apart = [*apart_from_addresses(found, text)]
        return merged([one for one in apart if one.entity in wanted], self._rules)

    def _placed(self, found: Iterable[Finding], offset: int, text: str) -> list[Finding]:
        """Findings of a window at their places in the text, apart from values that are allowed."""
        moved = (replace(one, start=one.start + offset, end=one.end + offset) for one in found)
        if self._allowed is None:
            return [*moved]
        around = max(offset - _OVERLAP, 0), offset + _WINDOW + _OVERLAP
        allowed = [match.span() for match in self._allowed.finditer(text, *around)]
        # Inside an allowed value, because a window may have cut it.
        return [
            one for one in moved if not any(first <= one.start and one.end <= last for first, last in allowed)
        ]

    def _read(self, text: str, named: str, wanted: list[str], deadline: float) -> list[Finding]:
        return [
            Finding(one.entity_type, one.start, one.end, one.score)
            for one in _analyze_window(_analyzer(self._made_from), text, named, wanted, deadline)
            # A model may find types that nobody asked for.
            if one.entity_type in wanted and one.score >= self._threshold(one.entity_type)
        ]

    def _threshold(self, entity: str) -> float:
        own = self._rules[entity].threshold
        return self._settings.threshold if own is None else own


def unknown_type(name: str, known: Collection[str]) -> str:
    """What to say of an entity type that nothing finds."""
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    if near:
        return f"no recognizer finds this; did you mean `{near[0]}`?"
    return f"no recognizer finds this; known: {', '.join(sorted(known))}"


def _supported(settings: PiiSettings, made_from: str) -> set[str]:
    """The types that something finds.

    Raises:
        PolicyError: A model, a language, or a type that the policy names is not there.
    """
    faults: list[Fault] = []
    try:
        supported = {*_analyzer(made_from).get_supported_entities("en")}
    except PolicyError as error:
        faults += error.faults
        supported = _types_apart_from_faults(settings)
    unknown = [name for name in settings.entities if name not in supported]
    faults += [Fault(unknown_type(name, supported), where=f"pii.entities.{name}") for name in unknown]
    revealed = enumerate(settings.reveal_to_user or ())
    faults += [
        Fault(unknown_type(name, supported), where=f"pii.reveal_to_user[{index}]")
        for index, name in revealed
        if name not in supported
    ]
    if faults:
        raise PolicyError(faults)
    return supported


def _types_apart_from_faults(settings: PiiSettings) -> set[str]:
    """What would be found with the languages that are known, and a model."""
    from ringfence.guardrails.recognizers import known_languages

    languages = [one for one in settings.languages if one in known_languages()] or ["en"]
    sound = settings.model_copy(update={"detection": "patterns", "languages": tuple(languages)})
    analyzer = _analyzer(sound.model_dump_json(include=_BUILT_FROM))
    return {*analyzer.get_supported_entities("en"), *NAME_ENTITIES}


def _analyze_window(
    analyzer: "AnalyzerEngine", text: str, named: str, wanted: list[str], deadline: float
) -> "list[RecognizerResult]":
    from ringfence.guardrails.gating import AnalysisTimeoutError, time_limit

    engine: Any = analyzer.nlp_engine
    try:
        with time_limit(min(deadline, monotonic() + _WINDOW_SECONDS)):
            artifacts = engine.process_text(text, "en", prose=named)
            return analyzer.analyze(text, language="en", entities=wanted, nlp_artifacts=artifacts)
    except AnalysisTimeoutError:
        raise TimeoutError from None


@lru_cache(maxsize=8)
def _analyzer(made_from: str) -> "AnalyzerEngine":
    # Imported on first use: it takes over a second, and uses what is deprecated.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        from ringfence.guardrails.recognizers import make_analyzer
    return make_analyzer(PiiSettings.model_validate_json(made_from))
