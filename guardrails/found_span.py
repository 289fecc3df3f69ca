"""What a recognizer of our own hands to Presidio."""

from typing import Any

from presidio_analyzer import AnalysisExplanation, RecognizerResult


def result_of(
    recognizer: Any, start: int, end: int, score: float, *, entity: str | None = None
) -> RecognizerResult:
    """A finding of this recognizer; without an entity, of the only one that it has."""
    return RecognizerResult(
        entity_type=entity or recognizer.supported_entities[0],
        start=start,
        end=end,
        score=score,
        # Presidio raises the score for context words, and writes it here.
        analysis_explanation=AnalysisExplanation(recognizer=recognizer.name, original_score=score),
        recognition_metadata={
            RecognizerResult.RECOGNIZER_NAME_KEY: recognizer.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: recognizer.id,
        },
    )
