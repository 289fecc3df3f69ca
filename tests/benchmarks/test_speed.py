"""What the benchmark measures is what it says it measures."""

from pathlib import Path

import pytest

from benchmarks.pii.hostile import HIDDEN, hostile_inputs, judge
from benchmarks.pii.speed import draw, growth, prompts
from benchmarks.pii.texts import TextMaker
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.presidio import PiiFinder


def test_texts_are_as_long_as_asked_and_never_the_same() -> None:
    """A cache must not help where new texts are measured; another run measures the same ones."""
    maker = TextMaker(3)
    texts = [maker.text(size) for size in (200, 200, 1000, 8000)]
    assert [len(text) for text in texts] == [200, 200, 1000, 8000]
    assert len({maker.line() for _ in range(500)}) == 500
    assert TextMaker(3).text(200) == texts[0]


def test_every_prompt_is_the_whole_history() -> None:
    """With one new message a turn, as AutoGen sends it."""
    calls = prompts(4, TextMaker(1))
    assert [len(call) for call in calls] == [2, 3, 4, 5]
    assert calls[3][1:4] == calls[2][1:]
    assert len({call[0] for call in calls}) == 3


def test_growth_tells_straight_from_bent() -> None:
    """The exponent of a line is one, of a square two."""
    turns = (10, 20, 40, 80)
    straight = growth(turns, [0.002 * one for one in turns])
    assert straight == pytest.approx((1, 0.002, 1))
    assert growth(turns, [one**2 for one in turns]).exponent == pytest.approx(2)


def test_the_same_figures_make_the_same_picture(tmp_path: Path) -> None:
    """So that a new one in the repository means new figures."""
    curves = {"Ringfence": [1.0, 2, 4, 8, 16, 32], "Presidio": [1.0, 4, 16]}
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"
    draw(first, curves)
    draw(second, curves)
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 40_000


def test_hostile_inputs_are_as_long_as_they_say() -> None:
    """And there is one of each."""
    inputs = dict(hostile_inputs(1000))
    assert {len(text) for text in inputs.values()} == {1000}
    assert len(set(inputs.values())) == len(inputs) == 30


def test_what_is_missed_behind_an_input_is_told() -> None:
    """By a finder that finds nothing; and a limit that refuses is named."""
    allowed = PiiSettings(detection="patterns", allow=tuple(HIDDEN.values()))
    assert set(judge(PiiFinder(allowed), "").missed) == set(HIDDEN)
    short = PiiSettings(detection="patterns", max_characters=10)
    assert judge(PiiFinder(short), "").words == "refused: pii.max_characters"
    assert judge(PiiFinder(PiiSettings(detection="patterns")), "::").words == "all found"
