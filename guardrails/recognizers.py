"""Presidio's analyzer with recognizers that work offline, in bounded time.

Imported on first use only: Presidio and spaCy take over a second to import.
"""

import logging
import re
from collections.abc import Iterable
from typing import Any

import regex
import tldextract
from presidio_analyzer import AnalysisExplanation, AnalyzerEngine, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
from presidio_analyzer.predefined_recognizers import CreditCardRecognizer, EmailRecognizer, UsSsnRecognizer
from spacy.lang.en.stop_words import STOP_WORDS

_WORD = re.compile(r"\w+|[^\w\s]+")
_SAMPLE_SSN = re.compile(r"123([ -]?)45\1?6789|078([ -]?)05\2?1120")


def make_analyzer() -> AnalyzerEngine:
    """An analyzer of English text that calls nobody and logs no text."""
    # At DEBUG it logs the words around a finding.
    logging.getLogger("presidio-analyzer").addFilter(lambda record: record.levelno >= logging.WARNING)
    # Presidio asks this object for the public suffix list; the snapshot that the package brings is enough.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"])
    # It only passes on what a language model found, and there is none: names would be missed in silence.
    registry.remove_recognizer("SpacyRecognizer")
    registry.remove_recognizer("EmailRecognizer")
    registry.add_recognizer(_AnyDomainEmailRecognizer())
    registry.remove_recognizer("CreditCardRecognizer")
    registry.add_recognizer(_EveryCardRecognizer())
    registry.remove_recognizer("UsSsnRecognizer")
    registry.add_recognizer(_SampleSsnRecognizer())
    return AnalyzerEngine(registry=registry, nlp_engine=_Words(), supported_languages=["en"])


class _Words(NlpEngine):
    """Cuts a text into words, by which Presidio knows the context of a finding.

    spaCy would take longer than linear time on runs of punctuation, and keep every word for ever.
    """

    def load(self) -> None:
        """There is nothing to load."""

    def is_loaded(self) -> bool:
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        words: Any = [match.group() for match in _WORD.finditer(text)]
        return NlpArtifacts(
            entities=[],
            tokens=words,
            tokens_indices=[match.start() for match in _WORD.finditer(text)],
            lemmas=[word.lower() for word in words],
            nlp_engine=self,
            language=language,
        )

    def process_batch(self, texts: Iterable[str], language: str, *_: Any, **__: Any) -> Any:
        return ((text, self.process_text(text, language)) for text in texts)

    def is_stopword(self, word: str, language: str) -> bool:  # noqa: ARG002 - Presidio's signature
        return word in STOP_WORDS

    def is_punct(self, word: str, language: str) -> bool:  # noqa: ARG002 - Presidio's signature
        return not word[0].isalnum()

    def get_supported_entities(self) -> list[str]:
        return []

    def get_supported_languages(self) -> list[str]:
        return ["en"]


class _AnyDomainEmailRecognizer(EmailRecognizer):
    def validate_result(self, pattern_text: str) -> Any:  # noqa: ARG002 - Presidio's signature
        # Internal and reserved domains (.local, .example) are no public suffix, and still personal.
        return None


class _SampleSsnRecognizer(UsSsnRecognizer):
    def invalidate_result(self, pattern_text: str) -> bool:
        # Numbers that were published as examples count, too: people who try the filter out type them.
        return not _SAMPLE_SSN.fullmatch(pattern_text) and bool(super().invalidate_result(pattern_text))


class _EveryCardRecognizer(CreditCardRecognizer):
    def analyze(
        self,
        text: str,
        entities: list[str],  # noqa: ARG002 - Presidio's signature
        nlp_artifacts: Any = None,  # noqa: ARG002
        regex_flags: int | None = None,  # noqa: ARG002
    ) -> list[Any]:
        # Overlapping: digits in front of a card are taken for its beginning, and fail its checksum.
        matches: Any = regex.finditer(self.PATTERNS[0].regex, text, overlapped=True)  # type: ignore[no-untyped-call]
        explanation = AnalysisExplanation(recognizer="CreditCardRecognizer", original_score=1.0)
        origin = {RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id}
        return [
            RecognizerResult("CREDIT_CARD", match.start(), match.end(), 1.0, explanation, origin)
            for match in matches
            if self.validate_result(match.group())
        ]
