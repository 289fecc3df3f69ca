"""Presidio's analyzer, set up to work offline and to stop on hostile text."""

import asyncio
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.pii import PiiAction, PiiSettings

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine, RecognizerResult

_WINDOW = 2_000
"""Characters analysed at once: Presidio's regular expressions are superlinear on hostile text."""
_OVERLAP = 320
"""Characters that two windows share, so that a value on the border is whole in one of them."""
_INLINE = 4_000
"""Characters up to which an analysis stays on the event loop; a thread costs more than it frees."""
_CACHED_TEXTS = 20_000


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
        self._allowed = frozenset(value.casefold() for value in settings.allow)
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
        found: set[Finding] = set()
        for start in range(0, max(len(text) - _OVERLAP, 1), _WINDOW - _OVERLAP):
            window = text[start : start + _WINDOW]
            for result in _analyzer().analyze(window, language="en", entities=self._wanted):
                found.update(self._wanted_finding(result, start, text))
        return _merged(found)

    def _wanted_finding(self, result: "RecognizerResult", offset: int, text: str) -> Iterable[Finding]:
        rule = self._rules[result.entity_type]
        threshold = self._settings.threshold if rule.threshold is None else rule.threshold
        start, end = result.start + offset, result.end + offset
        if result.score >= threshold and text[start:end].casefold() not in self._allowed:
            yield Finding(result.entity_type, start, end, result.score)


def _merged(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings that overlap become one, named after the widest: nothing that was found stays visible."""
    merged: list[Finding] = []
    widest = 0
    for finding in sorted(found, key=lambda one: (one.start, -one.end, -one.score, one.entity)):
        width = finding.end - finding.start
        if not merged or finding.start >= merged[-1].end:
            merged.append(finding)
            widest = width
            continue
        last = merged[-1]
        entity = finding.entity if width > widest else last.entity
        widest = max(widest, width)
        merged[-1] = Finding(entity, last.start, max(last.end, finding.end), max(last.score, finding.score))
    return tuple(merged)


@lru_cache(maxsize=1)
def _analyzer() -> "AnalyzerEngine":
    # Imported on first use: Presidio and spaCy take over a second to import.
    os.environ.setdefault("TLDEXTRACT_PUBLIC_SUFFIX_LIST_URLS", "")
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import EmailRecognizer
    from spacy.language import Language
    from spacy.tokens import Doc

    # Presidio asks this object for the public suffix list; the snapshot that the package brings is enough.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    @Language.component("ringfence_lower_lemma")
    def lower_lemma(doc: Doc) -> Doc:
        # Presidio's context words are compared by lemma, which a blank pipeline does not set.
        for token in doc:
            token.lemma_ = token.lower_
        return doc

    class OfflineNlpEngine(SpacyNlpEngine):
        def load(self) -> None:
            nlp = spacy.blank("en")
            # spaCy's own rules are quadratic on runs of punctuation; white space is enough for patterns.
            nlp.tokenizer = type(nlp.tokenizer)(nlp.vocab)
            nlp.add_pipe("ringfence_lower_lemma")
            nlp.max_length = 10 * _WINDOW
            self.nlp: Any = {"en": nlp}

    class AnyDomainEmailRecognizer(EmailRecognizer):
        def validate_result(self, pattern_text: str) -> Any:  # noqa: ARG002 - Presidio's signature
            # Internal and reserved domains (.local, .example) are no public suffix, and still personal.
            return None

    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"])
    registry.remove_recognizer("EmailRecognizer")
    registry.add_recognizer(AnyDomainEmailRecognizer())
    engine = OfflineNlpEngine(models=[{"lang_code": "en", "model_name": "none"}])
    engine.load()
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
