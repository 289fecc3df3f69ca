"""Texts have the length that was asked for, and agents do not go round in circles."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.guardrails_ai import quiet_guardrails
from ringfence.guardrails.validator_traits import Reads, Window, traits_of

guardrails = quiet_guardrails()

from ringfence.guardrails.length_validators import (  # noqa: E402 - guardrails-ai must be quiet first
    Length,
    NoRepetition,
)


def said(validator: Any, text: object, **metadata: Any) -> str:
    """What the validator says; nothing when the text passes."""
    result = validator.validate(text, metadata)
    return "" if result.outcome == "pass" else str(result.error_message)


def fixed(validator: Any, text: str) -> str | None:
    result = validator.validate(text, {})
    assert result.outcome == "fail"
    fix: str | None = result.fix_value
    return fix


@pytest.mark.parametrize(
    ("options", "text", "fault"),
    [
        ({"maximum_characters": 5}, "12345", ""),
        ({"maximum_characters": 5}, "123456", "it has 6 characters, and at most 5 are allowed"),
        ({"minimum_characters": 3}, "ab", "it has 2 characters, and at least 3 are needed"),
        ({"minimum_words": 3}, "It's well-known, really", ""),
        ({"minimum_words": 3}, "Well - done!", "it has 2 words, and at least 3 are needed"),
        ({"maximum_words": 2}, "one two three", "it has 3 words, and at most 2 are allowed"),
        ({"maximum_lines": 2}, "a\nb\n", ""),
        ({"maximum_lines": 2}, "a\n\nb", "it has 3 lines, and at most 2 are allowed"),
        (
            {"maximum_words": 1, "maximum_lines": 1},
            "a\nb",
            "it has 2 words, and at most 1 are allowed; it has 2 lines, and at most 1 are allowed",
        ),
    ],
)
def test_bounds(options: dict[str, int], text: str, fault: str) -> None:
    """Every bound that was given holds, and every one that does not is named."""
    assert said(Length(**options), text) == fault


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("It is done. Shall I go on with the rest?", "It is done."),
        ('He said "Yes." Then he left the room at once.', 'He said "Yes."'),
        ("It costs 3.50 euros in all, for you and for me", "It costs 3.50 euros in al"),
        ("First part\n\nThe second part is much too long.", "First part"),
        ("完了しました。次に進みますか、それともここで終わりにして、また明日にしますか？", "完了しました。"),
        ("Do it so.\n1. Open the box and look into it", "Do it so."),
        ("Nothing ends in here, and so nothing can stay", "Nothing ends in here, and"),
    ],
)
def test_a_long_text_is_cut_at_the_end_of_a_sentence(text: str, fix: str | None) -> None:
    """Within one only where none ends before."""
    assert fixed(Length(maximum_characters=25), text) == fix


def test_a_cut_text_keeps_the_other_bounds() -> None:
    """What would then be too short is no fix, and neither is cutting for words or lines."""
    text = "Yes. It was sent to you on Monday."
    assert fixed(Length(maximum_characters=20), text) == "Yes."
    assert fixed(Length(maximum_characters=20, minimum_words=2), text) is None
    assert fixed(Length(maximum_words=2), text) is None


@given(st.text("ab.!? \n1", max_size=80), st.integers(1, 40))
def test_a_fix_passes(text: str, most: int) -> None:
    """Whatever the text, its fix is a beginning of it and within the bound."""
    result: Any = Length(maximum_characters=most).validate(text, {})
    if result.outcome == "fail" and result.fix_value is not None:
        assert text.startswith(result.fix_value)
        assert said(Length(maximum_characters=most), result.fix_value) == ""


def test_the_place_is_what_is_too_much() -> None:
    """From the bound to the end."""
    result: Any = Length(maximum_characters=3).validate("abcdef", {})
    assert [(one.start, one.end, one.reason) for one in result.error_spans] == [(3, 6, "too_long")]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({}, "at least one of"),
        ({"minimum_words": 0}, "minimum_words must be"),
        ({"maximum_lines": True}, "maximum_lines must be"),
        ({"maximum_characters": "5"}, "maximum_characters must be"),
        ({"minimum_characters": 9, "maximum_characters": 8}, "no text could pass"),
        ({"minimum_words": 3, "maximum_words": 2}, "no text could pass"),
        ({"minimum_words": 3, "maximum_characters": 4}, "no text could pass"),
    ],
)
def test_wrong_bounds(options: dict[str, Any], fault: str) -> None:
    """A bound that is none, and bounds that contradict each other, are told at once."""
    with pytest.raises(ValueError, match=fault):
        Length(**options)


def test_bounds_that_just_fit() -> None:
    """Three words fit into five characters."""
    assert said(Length(minimum_words=3, maximum_characters=5), "a b c") == ""


LOOP = "I will look up the order and tell you what I find there as soon as I can."


def test_an_agent_that_says_the_same_again() -> None:
    """The third time is one too many, by default; others may have spoken in between."""
    history = [LOOP, "The order is not there.", LOOP]
    assert said(NoRepetition(), LOOP, history=history) == ""
    assert "3 times before" in said(NoRepetition(), LOOP, history=[*history, LOOP])
    assert said(NoRepetition(most_repeats=0), LOOP, history=[LOOP])
    assert said(NoRepetition(most_repeats=0), LOOP, history=[]) == ""
    assert said(NoRepetition(), LOOP) == ""


def test_case_and_signs_make_no_difference() -> None:
    """Nor do spaces or an exclamation mark."""
    history = [LOOP.upper(), LOOP.replace(" ", "  ") + "!", "- " + LOOP]
    assert said(NoRepetition(), LOOP, history=history)
    assert said(NoRepetition(), "👍", history=["👍", "👍", "👍"])
    assert said(NoRepetition(), "👍", history=["👎", "👎", "👎"]) == ""


def test_nearly_the_same_is_the_same() -> None:
    """One word of many may differ; how like they must be can be said."""
    words = [f"word{number}" for number in range(100)]
    nearly = " ".join([*words[:-1], "other"])
    assert said(NoRepetition(), nearly, history=[" ".join(words)] * 3)
    assert said(NoRepetition(similarity=1.0), nearly, history=[" ".join(words)] * 3) == ""
    half = " ".join([*words[:50], *(f"new{number}" for number in range(50))])
    assert said(NoRepetition(), half, history=[" ".join(words)] * 3) == ""
    assert said(NoRepetition(similarity=0.3), half, history=[" ".join(words)] * 3)


def test_another_order_is_another_reply() -> None:
    """A short reply with other facts in it is not a loop."""
    history = [f"Order {number} was sent on Monday." for number in (1180, 1181, 1183, 1184)]
    assert said(NoRepetition(), "Order 1182 was sent on Monday.", history=history) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Wait.\n" * 6 + "Now I go on with something else, which takes many more words than that did before.",
        "Please hold on. " * 6
        + "Now for something else, in many more words than it took before, far more words.",
        "I am on it " * 6 + "and " + " ".join(f"word{number}" for number in range(40)),
        "ha " * 18 + " ".join(f"word{number}" for number in range(40)),
        "One paragraph\nof two lines.\n\n" * 6,
        "Go on now please. First thing. Go on now please. Second. Go on now please. Third.",
        "go on with it now a1 go on with it now b2 go on with it now c3",
        "お待ちください" * 6,
    ],
)
def test_going_in_circles_within_a_reply(text: str) -> None:
    """A sentence, line, paragraph or span too often in a row, or most of the reply."""
    result: Any = NoRepetition().validate(text, {})
    assert result.outcome == "fail"
    (span,) = result.error_spans
    assert span.reason == "repetition"
    assert 0 <= span.start < span.end <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Yes. Yes!",
        "Thank you very much. Thank you very much.",
        "| a | b |\n|---|---|\n|---|---|\n|---|---|\n|---|---|\n|---|---|\n|---|---|\n| 1 | 2 |",
        "if x:\n    pass\nelif y:\n    pass\nelif z:\n    pass\nelse:\n    stop()",
        "\n".join(f"{number}. Open box {number} and take out what is in it." for number in range(1, 30)),
        "I am on it " * 5 + "and " + " ".join(f"word{number}" for number in range(40)),
        "-" * 500,
    ],
)
def test_ordinary_replies_pass(text: str) -> None:
    """Lists, tables, code, and what is said twice."""
    assert said(NoRepetition(), text) == ""


@given(st.lists(st.sampled_from("abcdef"), min_size=3, max_size=9), st.integers(2, 8))
def test_any_period_is_found(period: list[str], most: int) -> None:
    """Whatever three or more words are said, and wherever the text before and behind them begins."""
    numbers = [f"n{number}" for number in range(200)]
    text = " ".join([*numbers[:100], *period * (most + 1), *numbers[100:]])
    assert said(NoRepetition(most_within=most), text)


@given(st.lists(st.integers(0, 10_000), unique=True, max_size=60))
def test_different_words_are_no_repetition(numbers: list[int]) -> None:
    """Where no word comes twice, nothing is repeated."""
    assert said(NoRepetition(most_within=1), " ".join(f"w{number}" for number in numbers)) == ""


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["a ", "ab cd ", "a\n", ". ", "x", "\n", "一", "a. b. "])
def test_long_texts_are_judged_in_time(piece: str) -> None:
    """100 KB of anything, against as much history."""
    text = (piece * 100_000)[:100_000]
    said(NoRepetition(), text, history=[text] * 3)
    said(Length(maximum_characters=99_999, minimum_words=1, maximum_lines=3), text)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"most_repeats": -1}, "most_repeats must be"),
        ({"most_within": 0}, "most_within must be"),
        ({"similarity": 0}, "similarity must be"),
        ({"similarity": 1.1}, "similarity must be"),
        ({"similarity": True}, "similarity must be"),
    ],
)
def test_wrong_options(options: dict[str, Any], fault: str) -> None:
    """Said at once."""
    with pytest.raises(ValueError, match=fault):
        NoRepetition(**options)


def test_other_values_and_history() -> None:
    """What is no text is a no; what is no text in the history is passed over, and nothing is changed."""
    assert said(Length(maximum_words=1), 5) == "it is no text"
    assert said(NoRepetition(), None) == "it is no text"
    history = [None, LOOP, 7]
    assert said(NoRepetition(), LOOP, history=history) == ""
    assert history == [None, LOOP, 7]


async def test_in_a_guard_of_guardrails_ai() -> None:
    """They serve outside, too, with guardrails-ai's own words for what follows."""
    cutting = guardrails.AsyncGuard().use(Length(maximum_characters=12, on_fail="fix"))
    assert (await cutting.validate("It is done. Shall I go on?")).validated_output == "It is done."
    looping = guardrails.AsyncGuard().use(NoRepetition(on_fail="noop"))
    outcome = await looping.validate(LOOP, metadata={"history": [LOOP] * 3})
    assert [one.validator_status for one in outcome.validation_summaries] == ["fail"]


def test_their_traits() -> None:
    """Both judge whole replies; the one that reads the history says so."""
    length, repetition = traits_of(Length(maximum_words=1)), traits_of(NoRepetition())
    for one, other in pairwise([length, repetition]):
        assert (one.reads, one.window) == (other.reads, other.window) == (Reads.CONTENT, Window.REPLY)
    assert (length.quick, length.uses_context) == (True, False)
    assert (repetition.quick, repetition.uses_context) == (False, True)
