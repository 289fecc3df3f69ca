"""A labelled text as the network sees it: words, how they stand to each other, and their labels by number."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ringfence.guardrails.word_features import TOKEN, gap_before
from training.ner.templates import ENTITIES, Piece

LABELS = ("O", *(f"{place}-{entity}" for entity in ENTITIES for place in "BI"))
"""None, and for each entity its first word and those that follow."""
_NUMBER_OF_LABEL = {label: number for number, label in enumerate(LABELS)}
_MOST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Example:
    """One text."""

    words: list[str] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)
    """How each word stands to the one before."""
    labels: list[int] = field(default_factory=list)


def example_of(pieces: Sequence[Piece]) -> Example:
    """The first words of a text, each with its label."""
    text = "".join(piece.text for piece in pieces)
    spans = _spans(pieces)
    example = Example()
    end, at = 0, 0
    for match in TOKEN.finditer(text):
        if len(example.words) == _MOST_WORDS:
            break
        while at < len(spans) and spans[at][1] <= match.start():
            at += 1
        label = "O"
        if at < len(spans) and spans[at][0] <= match.start():
            begins = not example.words or end <= spans[at][0]
            label = f"{'B' if begins else 'I'}-{spans[at][2]}"
        example.words.append(match.group())
        example.gaps.append(gap_before(text, end, match.start()))
        example.labels.append(_NUMBER_OF_LABEL[label])
        end = match.end()
    return example


def _spans(pieces: Sequence[Piece]) -> list[tuple[int, int, str]]:
    """Start, end and label of each labelled piece."""
    spans, start = [], 0
    for piece in pieces:
        end = start + len(piece.text)
        if piece.label:
            spans.append((start, end, piece.label))
        start = end
    return spans
