"""A phrase that is banned stays banned, however it is dressed up."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.guardrails_ai import quiet_guardrails
from ringfence.guardrails.validator_traits import traits_of

quiet_guardrails()

from ringfence.guardrails.phrase_validators import BannedPhrases  # noqa: E402 - guardrails-ai must be quiet first

OURS = BannedPhrases(phrases=["legal advice", "secret", "@all", "foo_bar", "a*b"])


def judged(text: object) -> Any:
    """What the validator says of a text."""
    return OURS.validate(text, {})


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("No \uff4c\uff45\uff47\uff41\uff4c \uff41\uff44\uff56\uff49\uff43\uff45 here", "No *** here"),
        ("No legal_advice here", "No *** here"),
        ("No the_legal_advice here", "No the_*** here"),
        ("No legal **advice** here", "No ***** here"),
        ("No **legal** _advice_ here", "No *****_ here"),
        ("No le**gal** ad`vi`ce here", "No *** here"),
        ("No _legal advice_ here", "No _***_ here"),
        ("No __secret__ here", "No __***__ here"),
        ("No \uff0a\uff0asec\uff0a\uff0aret here", "No \uff0a\uff0a*** here"),
        ("No le\u200bgal\u2060 ad\u00advice here", "No *** here"),
        ("No legal\u00a0advice here", "No *** here"),
        ("N\u00f6 SE\u200dCRET, @\uff21LL", "N\u00f6 ***, ***"),
        ("foo_bar, FOO_BAR and a*b", "***, *** and ***"),
    ],
)
def test_signs_that_nobody_sees_hide_nothing(text: str, fixed: str) -> None:
    """Full-width letters, Markdown's marks and zero-width signs; the fix is one of the text as given."""
    result = judged(text)
    assert result.outcome == "fail"
    assert result.error_message == "it contains a phrase that is not allowed here"
    assert result.fix_value == fixed
    assert all(span.reason == "banned_phrase" for span in result.error_spans)
    assert OURS.validate(fixed, {}).outcome == "pass"


def test_where_it_stands() -> None:
    """In the text as given."""
    text = "\u200bA \uff53ec\u200bret and le**gal** advice"
    places = [text[span.start : span.end] for span in judged(text).error_spans]
    assert places == ["\uff53ec\u200bret", "le**gal** advice"]


@pytest.mark.parametrize(
    "text",
    [
        *("legaladvice", "illegal advice", "legal, advice", "secrets", "secret_ary", "secretary_", "foobar"),
        *("s_e_c_r_e_t", "foo bar", "a b", "**le** **gal** advice", "5 * 3 and ~10 `x`", ""),
    ],
)
def test_other_words_pass(text: str) -> None:
    """A longer word is another word, and a space or an underscore ends one."""
    assert judged(text).outcome == "pass"


def test_a_fix_that_would_join_another_is_none() -> None:
    """What stood around a phrase may be one afterwards."""
    result = judged("legal legal advice advice")
    assert (result.outcome, result.fix_value) == ("fail", None)


@given(
    before=st.text(max_size=20),
    marks=st.lists(st.sampled_from(["", "*", "**", "`", "~~", "\u200b", "\u00ad"]), min_size=5, max_size=5),
)
def test_no_mark_in_a_word_hides_it(before: str, marks: list[str]) -> None:
    """Whatever stands before it, behind a space."""
    hidden = "".join(letter + mark for letter, mark in zip("secret", [*marks, ""], strict=True))
    assert judged(f"{before} {hidden}").outcome == "fail"


@given(st.text(alphabet="secrtlgadvi *_~`\u200b\uff53", max_size=60))
def test_what_a_fix_leaves_passes(text: str) -> None:
    """Or there is no fix."""
    result = judged(f"{text} secret {text}")
    assert result.fix_value is None or judged(result.fix_value).outcome == "pass"


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "piece", ["s*", "legal ", "legal*", "legal _", "*", "_", "s\u200b", "\u0301", "legal advice*"]
)
def test_long_texts_are_judged_in_time(piece: str) -> None:
    """100 KB of anything."""
    judged((piece * 100_000)[:100_000])


def test_what_is_no_text_and_no_phrase() -> None:
    """A no, and an error."""
    assert judged(5).outcome == "fail"
    for phrases in ("secret", [], [""], [" "], ["\u200b"], None, [5]):
        wrong: Any = phrases
        with pytest.raises(ValueError, match="phrases must be a list of texts"):
            BannedPhrases(phrases=wrong)


def test_its_traits() -> None:
    """Quick, by the sentence, and asked of real values, too."""
    traits = traits_of(OURS)
    assert (traits.quick, traits.sees_values) == (True, True)
