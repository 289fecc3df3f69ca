"""The figures of the benchmark are what its rule says."""

from typing import NamedTuple

import pytest

from benchmarks.pii.quality import Bar
from benchmarks.pii.samples import Gold, Sample
from benchmarks.pii.scoring import ANY, VALID_CARD, Score, scores


class Found(NamedTuple):
    """A prediction."""

    entity: str
    start: int
    end: int


def gold(entity: str, start: int, end: int) -> Gold:
    """A piece that is to be found."""
    return Gold(entity, start, end, is_name=False)


def test_one_shared_character_counts_and_a_shared_border_does_not() -> None:
    """For what is found, and for what is right."""
    sample = Sample("x" * 20, (gold("PERSON", 0, 5), gold("PERSON", 10, 15)))
    predicted = [Found("PERSON", 4, 6), Found("PERSON", 15, 20)]
    assert scores([sample], [predicted])["PERSON"] == Score(gold=2, found=1, predicted=2, right=1)


def test_the_wrong_type_counts_for_any_only() -> None:
    """It is found, and would be masked; by its type it is missed, and a false alarm."""
    scored = scores([Sample("x" * 9, (gold("PERSON", 0, 5),))], [[Found("LOCATION", 0, 5)]])
    assert scored == {ANY: Score(1, 1, 1, 1), "PERSON": Score(1, 0, 0, 0)}


def test_pieces_of_one_name_are_each_right_and_the_name_is_found_once() -> None:
    """As of a first and a last name that were found apart."""
    predicted = [Found("PERSON", 0, 2), Found("PERSON", 3, 5)]
    assert scores([Sample("x" * 5, (gold("PERSON", 0, 5),))], [predicted])["PERSON"] == Score(1, 1, 2, 2)


def test_cards_are_also_counted_without_those_that_cannot_be_one() -> None:
    """Their last digit is wrong, so a filter may pass over them."""
    text = "4111111111111111 4111111111111112"
    sample = Sample(text, (gold("CREDIT_CARD", 0, 16), gold("CREDIT_CARD", 17, 33)))
    scored = scores([sample], [[Found("CREDIT_CARD", 0, 16)]])
    assert scored["CREDIT_CARD"].recall == 0.5
    assert scored[VALID_CARD].recall == 1


def test_recall_weighs_twice_as_much_in_f2() -> None:
    """The numbers of a small example; without gold there is nothing to say."""
    score = Score(gold=10, found=8, predicted=16, right=8)
    assert (score.recall, score.precision) == (0.8, 0.5)
    assert score.f2 == pytest.approx(5 * 0.5 * 0.8 / (4 * 0.5 + 0.8))
    assert Score().f2 is None
    assert Score(gold=3).f2 == 0


@pytest.mark.parametrize(
    ("score", "is_reached"),
    [
        (Score(100, 90, 100, 90), True),
        (Score(100, 89, 100, 90), False),
        (Score(100, 90, 100, 84), False),
        (Score(100, 0, 0, 0), False),
    ],
)
def test_a_bar_is_reached_by_every_figure_or_not_at_all(score: Score, *, is_reached: bool) -> None:
    """Exactly as high is high enough."""
    assert Bar(0.90, 0.85).is_reached(score) is is_reached
