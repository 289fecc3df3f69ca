"""Precision, recall and F2 of findings.

A piece of gold is found if a prediction of its type shares a character with it; a prediction is right if it
shares a character with gold of its type. For ANY, every type is the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from benchmarks.pii.samples import Gold, Sample, is_luhn_valid

ANY = "ANY"
VALID_CARD = "CREDIT_CARD, valid"
_CARD = "CREDIT_CARD"
_BETA_SQUARED = 4


class Prediction(Protocol):
    """A finding."""

    @property
    def entity(self) -> str:
        """Its type."""

    @property
    def start(self) -> int:
        """Where it begins."""

    @property
    def end(self) -> int:
        """Where it ends."""


class Score(NamedTuple):
    """Of one type, over all samples."""

    gold: int = 0
    found: int = 0
    predicted: int = 0
    right: int = 0

    @property
    def recall(self) -> float | None:
        """The share of gold that was found."""
        return self.found / self.gold if self.gold else None

    @property
    def precision(self) -> float | None:
        """The share of predictions that are right."""
        return self.right / self.predicted if self.predicted else None

    @property
    def f2(self) -> float | None:
        """Their mean in which recall weighs twice as much."""
        precision, recall = self.precision or 0.0, self.recall
        if recall is None:
            return None
        both = _BETA_SQUARED * precision + recall
        return (1 + _BETA_SQUARED) * precision * recall / both if both else 0.0


def scores(samples: Sequence[Sample], predictions: Iterable[Sequence[Prediction]]) -> dict[str, Score]:
    """The score of ANY and of each type that is in the gold, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for sample, predicted in zip(samples, predictions, strict=True):
        counts.update(_counts(sample, predicted))
    types = sorted({name for name, what in counts if what == "gold"}, key=lambda name: -counts[name, "gold"])
    return {name: Score(*(counts[name, what] for what in Score._fields)) for name in types}


def _counts(sample: Sample, predicted: Sequence[Prediction]) -> Iterator[tuple[str, str]]:
    for gold in sample.gold:
        is_valid = gold.entity == _CARD and is_luhn_valid(sample.value(gold))
        same_type = [one for one in predicted if one.entity == gold.entity]
        for name, candidates in ((gold.entity, same_type), (ANY, predicted)):
            yield name, "gold"
            if _touches(gold, candidates):
                yield name, "found"
        if is_valid:
            yield VALID_CARD, "gold"
            if _touches(gold, same_type):
                yield VALID_CARD, "found"
    for one in predicted:
        same = [gold for gold in sample.gold if gold.entity == one.entity]
        for name, targets in ((one.entity, same), (ANY, sample.gold)):
            yield name, "predicted"
            if _touches(one, targets):
                yield name, "right"


def _touches(one: Prediction | Gold, others: Iterable[Prediction | Gold]) -> bool:
    return any(one.start < other.end and other.start < one.end for other in others)
