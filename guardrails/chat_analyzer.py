"""Presidio's analyzer without the work that it does for nothing; the results are the same."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Self

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
from spacy.lang.en.stop_words import STOP_WORDS

_WORD = re.compile(r"\w+|[^\w\s]+")


class ChatArtifacts(NlpArtifacts):
    """The words of a text, cut only when somebody asks, and the text without its code."""

    def __init__(self, text: str, *, language: str, nlp_engine: NlpEngine, prose: str | None = None) -> None:
        # Presidio's own constructor would go through every word.
        self._text = text
        self.language = language
        self.nlp_engine = nlp_engine
        self.prose = text if prose is None else prose
        """The text as those see it that look for names: as long, with spaces in place of code."""
        self.shown: dict[Any, Any] = {}
        """What each gate lets recognizers see."""
        self.entities: list[Any] = []
        self.scores: list[float] = []

    @cached_property
    def tokens(self) -> Any:  # type: ignore[override]  # Presidio says Doc, and takes what has words
        """The words, in order."""
        return [match.group() for match in self._matches]

    @cached_property
    def tokens_indices(self) -> list[int]:  # type: ignore[override]  # likewise
        """Where each word begins."""
        return [match.start() for match in self._matches]

    @cached_property
    def lemmas(self) -> list[str]:  # type: ignore[override]  # likewise
        """The words in lower case."""
        return [word.lower() for word in self.tokens]

    @cached_property
    def keywords(self) -> Any:  # type: ignore[override]  # likewise
        """The words that tell something."""
        return {word for word in self.lemmas if word[0].isalnum() and word not in STOP_WORDS} - {"be"}

    @cached_property
    def _matches(self) -> list[re.Match[str]]:
        return [*_WORD.finditer(self._text)]


class Words(NlpEngine):
    """Cuts a text into words, by which Presidio knows the context of a finding.

    spaCy would take longer than linear time on runs of punctuation, and keep every word for ever.
    """

    def load(self) -> None:
        """There is nothing to load."""

    def is_loaded(self) -> bool:
        """Always."""
        return True

    def process_text(self, text: str, language: str, *, prose: str | None = None) -> ChatArtifacts:
        """The words; `prose` is the text as those see it that look for names."""
        return ChatArtifacts(text, language=language, nlp_engine=self, prose=prose)

    def process_batch(self, texts: Iterable[str], language: str, *_: Any, **__: Any) -> Iterator[Any]:
        """Each text with its words."""
        return ((text, self.process_text(text, language)) for text in texts)

    def is_stopword(self, word: str, language: str) -> bool:  # noqa: ARG002 - Presidio's signature
        """Whether a word tells nothing."""
        return word in STOP_WORDS

    def is_punct(self, word: str, language: str) -> bool:  # noqa: ARG002 - Presidio's signature
        """Whether a word is none."""
        return not word[0].isalnum()

    def get_supported_entities(self) -> list[str]:
        """Words alone name nobody."""
        return []

    def get_supported_languages(self) -> list[str]:
        """The one under which everything is registered."""
        return ["en"]


class ChatRegistry(RecognizerRegistry):
    """Presidio's; who looks for what is worked out once."""

    def get_recognizers(
        self,
        language: str,
        entities: list[str] | None = None,
        all_fields: bool = False,
        ad_hoc_recognizers: list[EntityRecognizer] | None = None,
    ) -> list[EntityRecognizer]:
        """The recognizers for these types."""
        if ad_hoc_recognizers:
            return super().get_recognizers(language, entities, all_fields, ad_hoc_recognizers)
        known = self.__dict__.setdefault("_known", {})
        key = language, tuple(entities or ()), all_fields, len([*self.recognizers])
        if key not in known:
            # In their own order, so that every run is the same.
            chosen = {*super().get_recognizers(language, entities, all_fields)}
            known[key] = [one for one in self.recognizers if one in chosen]
        return [*known[key]]


class _Own(list[RecognizerResult]):
    """Results that nobody else has: Presidio need not copy them to change them."""

    def __deepcopy__(self, _memo: object) -> Self:
        return self


class ChatContextEnhancer(LemmaContextAwareEnhancer):
    """Presidio's; leaves alone what context cannot raise, and finds a word without walking to it."""

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """The results, with a higher score where the words before them speak for it."""
        have_context = {one.id for one in recognizers if one.context}
        key = RecognizerResult.RECOGNIZER_IDENTIFIER_KEY
        raised = [
            one
            for one in raw_results
            if one.score < self.MAX_SCORE and one.recognition_metadata[key] in have_context
        ]
        if not raised:
            return raw_results
        ids = {id(one) for one in raised}
        rest = [one for one in raw_results if id(one) not in ids]
        return [
            *rest,
            *super().enhance_using_context(text, _Own(raised), nlp_artifacts, recognizers, context),
        ]

    @staticmethod
    def _find_index_of_match_token(
        word: str,  # noqa: ARG004 - Presidio's signature
        start: int,
        tokens: Any,
        tokens_indices: list[int],
    ) -> int:
        place = max(bisect_right(tokens_indices, start) - 1, 0)
        # Behind the end of a word, the next one is meant.
        is_behind = start >= tokens_indices[place] + len(tokens[place])
        return min(place + is_behind, len(tokens_indices) - 1)


class ChatAnalyzer(AnalyzerEngine):
    """Presidio's engine with the parts above."""

    def __init__(self, registry: ChatRegistry, nlp_engine: NlpEngine) -> None:
        super().__init__(
            registry=registry,
            nlp_engine=nlp_engine,
            supported_languages=["en"],
            context_aware_enhancer=ChatContextEnhancer(),
        )

    def _enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        if not raw_results:
            return raw_results
        # Only those that found something can raise the score of their own results.
        key = RecognizerResult.RECOGNIZER_IDENTIFIER_KEY
        finders = {one.recognition_metadata[key] for one in raw_results}
        involved = [one for one in recognizers if one.id in finders]
        return super()._enhance_using_context(text, raw_results, nlp_artifacts, involved, context)
