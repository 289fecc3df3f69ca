"""The embedded network finds names offline, in any text, the same way every time."""

import threading

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ringfence.guardrails import basic_ner, word_vectors
from ringfence.guardrails.basic_ner import BasicNer, NamedSpan
from ringfence.guardrails.word_features import TOKEN, features_of, gap_before

LETTER = (
    "Dear Ms Halvorsen,\n\nMarisol Etxeberria, 42, from Trondheim, asked us to send the parcel to "
    "Bergstraße 14, 10115 Berlin before 3 March 2027.\n\nKind regards,\nTadeusz Wójcik"
)


SHARED = BasicNer()


@pytest.fixture(scope="module")
def ner() -> BasicNer:
    """The network as it ships."""
    return SHARED


def named(ner: BasicNer, text: str) -> list[tuple[str, str]]:
    """Entity types and values that are found in a text."""
    return [(span.entity, text[span.start : span.end]) for span in ner.spans(text)]


@pytest.mark.parametrize(
    ("entity", "value"),
    [
        ("TITLE", "Ms"),
        ("PERSON", "Halvorsen"),
        ("PERSON", "Marisol Etxeberria"),
        ("AGE", "42"),
        ("LOCATION", "Trondheim"),
        ("DATE_TIME", "3 March 2027"),
        ("PERSON", "Tadeusz Wójcik"),
    ],
)
def test_names_are_found_in_a_letter(ner: BasicNer, entity: str, value: str) -> None:
    assert (entity, value) in named(ner, LETTER)


def test_an_address_is_a_location(ner: BasicNer) -> None:
    found = {value for entity, value in named(ner, LETTER) if entity == "LOCATION"}
    assert "Bergstraße 14" in " ".join(found)
    assert "Berlin" in " ".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "please send the report before lunch, thanks!",
        "def total(orders: list[Order]) -> Decimal:\n    return sum(order.amount for order in orders)",
        "2026-05-01T10:00:00Z INFO worker-3 retrying in 5 s (attempt 2 of 4)",
        "Click Save Changes and restart Docker Desktop.",
        "",
        " \n\t ",
        "1234 5678",
    ],
)
def test_plain_text_holds_no_names(ner: BasicNer, text: str) -> None:
    assert [one for one in named(ner, text) if one[0] != "DATE_TIME"] == []


def test_lower_case_chat_is_understood(ner: BasicNer) -> None:
    assert ("PERSON", "jane") in named(ner, "hi, my name is jane and i moved to oslo")


def test_a_name_that_no_list_holds_is_found() -> None:
    text = "Please call Jorunn Aakervik tomorrow."
    unlisted = BasicNer(unlisted=("jorunn", "aakervik"))
    assert named(unlisted, text) == [("PERSON", "Jorunn Aakervik")]


@given(st.text())
def test_spans_are_in_order_and_inside_the_text(text: str) -> None:
    spans = SHARED.spans(text)
    borders = [place for span in spans for place in (span.start, span.end)]
    assert borders == sorted(borders)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(0 < span.score <= 1 for span in spans)


@given(st.lists(st.sampled_from(["Jane", "Oslo", "refund", "to", ",", "Acme", "42", "Müller"]), max_size=30))
def test_what_was_read_before_changes_nothing(words: list[str]) -> None:
    text = " ".join(words)
    once = SHARED.spans(text)
    SHARED.spans("Something else, about Ingrid in Bergen.")
    assert SHARED.spans(text) == once


def test_forgetting_words_changes_nothing(ner: BasicNer, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ner.spans(LETTER)
    monkeypatch.setattr(word_vectors, "_KNOWN_WORDS", 5)
    small = BasicNer()
    assert [small.spans(LETTER) for _ in range(3)] == [expected] * 3


@given(st.lists(st.sampled_from(["Jane", "of", "Oslo", "refund", "to", ",", "Acme", "42", "\n"]), min_size=1))
def test_words_that_are_passed_over_change_nothing(words: list[str]) -> None:
    """Judged are the words that may be names, from all that they depend on."""
    text = " ".join(words)
    places = [match.span() for match in TOKEN.finditer(text)]
    rows, gaps = SHARED._words.rows([text[start:end] for start, end in places]), basic_ner._gaps(text, places)
    some = basic_ner._with_gaps(np.flatnonzero(SHARED._words.may_be_named(rows)))
    assume(len(some))
    everything = SHARED._odds(rows, gaps, np.arange(len(places)))
    assert np.allclose(SHARED._odds(rows, gaps, some), everything[some], atol=1e-4)


def test_a_number_without_words_is_no_age(ner: BasicNer) -> None:
    """It is judged where there are words within reach."""
    assert ner.spans("42 17 99 1987") == []
    assert ("AGE", "42") in named(ner, "She is 42 years old.")


@pytest.mark.parametrize("key", ["whta", "cust_ref", "qty", "ctx", "lname", "uid2", "fwd-addr"])
def test_a_key_is_no_name(ner: BasicNer, key: str) -> None:
    """A word alone in small letters is one only if it is known as a name."""
    assert ner.spans(key) == []
    assert named(ner, "jane") == [("PERSON", "jane")]


def test_threads_share_it(ner: BasicNer) -> None:
    texts = [LETTER.replace("Marisol", name) for name in ("Ana", "Bo", "Chidi", "Dörte", "Elif", "Femi")] * 5
    expected = [ner.spans(text) for text in texts]
    fresh, found = BasicNer(), {}

    def read(place: int) -> None:
        found[place] = fresh.spans(texts[place])

    threads = [threading.Thread(target=read, args=(place,)) for place in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[place] for place in range(len(texts))] == expected


def test_no_word_of_a_text_is_kept(ner: BasicNer) -> None:
    ner.spans("Xanthippe Quillfeather was here")
    assert "Quillfeather" not in repr(vars(ner)) + repr(vars(ner._words))


@given(st.integers(1, 60), st.integers(1, 40), st.integers(1, 40))
def test_a_product_in_blocks_is_the_product(rows: int, inner: int, columns: int) -> None:
    generator = np.random.default_rng(rows * inner * columns)
    left = generator.standard_normal((rows, inner), dtype=np.float32)
    right = generator.standard_normal((inner, columns), dtype=np.float32)
    assert np.allclose(word_vectors.product(left, right), left @ right, atol=1e-4)


def test_a_word_is_judged_by_its_letters_and_its_shape() -> None:
    assert features_of("Oslo").word == features_of("oslo").word
    assert features_of("Oslo").shape != features_of("oslo").shape
    assert set(features_of("Marit").parts) & set(features_of("Marie").parts)


def test_the_gap_before_a_word_is_told_apart() -> None:
    assert [gap_before("a-b c\nd", end, start) for end, start in ((0, 0), (1, 1), (3, 4), (5, 6))] == [
        0,
        0,
        1,
        2,
    ]


def test_a_span_says_what_it_is() -> None:
    span = NamedSpan("PERSON", 0, 4, 0.9)
    assert (span.entity, span.start, span.end) == ("PERSON", 0, 4)
