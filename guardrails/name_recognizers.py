"""Recognizers of names: they see no code, and a model that fails ends the analysis."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.predefined_recognizers import GLiNERRecognizer, HuggingFaceNerRecognizer

from ringfence.guardrails.chat_analyzer import ChatArtifacts, Words
from ringfence.guardrails.findings import NAME_ENTITIES
from ringfence.guardrails.found_span import result_of

_LONG_WORD = re.compile(r"\S{128,}")
_PUNCTUATION = re.compile(r"[^\w\s]")


class BasicNerRecognizer(EntityRecognizer):
    """Our own network as one of Presidio's recognizers; code is no place for names."""

    def __init__(self) -> None:
        super().__init__(supported_entities=[*NAME_ENTITIES], name="BasicNerRecognizer")

    def load(self) -> None:
        """Read the network; the first use of this module must not need it."""
        from ringfence.guardrails.basic_ner import BasicNer

        self._ner = BasicNer()

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """The names in a text."""
        if not (shown := _prose(text, nlp_artifacts)).strip():
            return []
        return [
            result_of(self, span.start, span.end, span.score, entity=span.entity)
            for span in self._ner.spans(shown)
            if span.entity in entities
        ]


class SpacyWords(Words):
    """A spaCy model that Presidio loads; its entities are taken, and the words are cut as in every tier."""

    def __init__(self, model: Any) -> None:
        self._model = model
        # spaCy writes to its vocabulary while it reads.
        self._lock = threading.Lock()

    def process_text(self, text: str, language: str, *, prose: str | None = None) -> ChatArtifacts:
        """The words, and what the model names in the prose."""
        artifacts = super().process_text(text, language, prose=prose)
        if artifacts.prose.strip():
            with self._lock:
                named = self._model.process_text(_LONG_WORD.sub(_without_punctuation, artifacts.prose), "en")
                artifacts.entities, artifacts.scores = [*named.entities], [*named.scores]
        return artifacts

    def get_supported_entities(self) -> list[str]:
        """What the model may name."""
        entities: list[str] = self._model.get_supported_entities()
        # Presidio's mapping has more names than its own recognizers use.
        return [entity for entity in entities if entity in NAME_ENTITIES]


class ProseHuggingFaceRecognizer(HuggingFaceNerRecognizer):
    """Presidio's, which takes a failure of the model for a text without names: here it ends the analysis."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """The names in a text."""
        watched: Any = self.ner_pipeline
        if not isinstance(watched, _Watched):
            watched = _Watched(watched)
            self.ner_pipeline = watched
        with watched.watch():
            found: list[RecognizerResult] = super().analyze(
                _prose(text, nlp_artifacts), entities, nlp_artifacts
            )
            return found


class ProseGlinerRecognizer(GLiNERRecognizer):
    """Presidio's, which sees no code."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """The names in a text."""
        shown = _prose(text, nlp_artifacts)
        wanted = [entity for entity in entities if entity in self.supported_entities]
        found: list[RecognizerResult] = super().analyze(shown, wanted, nlp_artifacts) if shown.strip() else []
        return found


class ModelFailedError(RuntimeError):
    """A model failed on a text; says nothing of the text."""


class _Watched:
    """A pipeline of transformers that remembers that it failed."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._state = threading.local()

    def __call__(self, text: str) -> Any:
        try:
            found = self._pipeline(text)
        except Exception as error:
            self._state.failed = type(error).__name__
            raise ModelFailedError from None
        if not isinstance(found, list):
            self._state.failed = "it gave no list"
        return found

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Raise at the end if a call within failed."""
        self._state.failed = None
        yield
        if self._state.failed:
            raise ModelFailedError(self._state.failed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipeline, name)


def _prose(text: str, artifacts: Any) -> str:
    prose = getattr(artifacts, "prose", text)
    return prose if isinstance(prose, str) else text


def _without_punctuation(match: re.Match[str]) -> str:
    # spaCy cuts signs off the ends of a word one by one, each time going through what is left of it.
    return _PUNCTUATION.sub(" ", match.group())
