"""A telephone number is found whatever digits stand beside it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.phone_recognizer import ChatPhoneRecognizer

PHONE = ChatPhoneRecognizer()
THRESHOLD = 0.35

NUMBERS = ("+12125550199", "+44 20 7946 0958", "+33 1 70 18 99 00", "030 901820-15", "020 7946 0958")
BESIDE = (
    "2024-05-01 08:00",
    "192.168.1.40",
    "4111 1111 1111 1111",
    "12/05/2024",
    "2024-05-01T08:00",
    "10.0.0.1",
)


def values(text: str) -> list[str]:
    """What is found by default."""
    results = PHONE.analyze(text, [], None)
    return [text[one.start : one.end] for one in results if one.score >= THRESHOLD]


@pytest.mark.parametrize("other", BESIDE)
@pytest.mark.parametrize("number", NUMBERS)
def test_dates_addresses_and_cards_stay_beside_a_number(number: str, other: str) -> None:
    """Before it, behind it, and on both sides."""
    assert values(f"{number} {other}") == [number]
    assert values(f"{other} {number}") == [number]
    assert values(f"Call me: {other} {number} {other}") == [number]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+12125550199 10115 Berlin", "+12125550199"),
        ("+33 1 70 18 99 00 - 4711 0815", "+33 1 70 18 99 00"),
        ("12 030 901820-15", "030 901820-15"),
        ("1. 030 901820-15", "030 901820-15"),
        ("2024-05-01 030 901820-15", "030 901820-15"),
        ("0044 20 7946 0958 4111 1111 1111 1111", "0044 20 7946 0958"),
        ("phone 22 12 34 56 4111 1111 1111 1111", "22 12 34 56"),
        ("415-555-2671 3rd floor", "415-555-2671"),
        ("020 7946 0958 2nd floor", "020 7946 0958"),
        ("+12125550199abc", "+12125550199"),
        ("12,+442079460958", "+442079460958"),
    ],
)
def test_the_number_alone_is_found(text: str, number: str) -> None:
    """Not what a list, a town or another number puts beside it."""
    assert values(text) == [number]


def test_a_number_beside_one_with_a_plus() -> None:
    """Each is one."""
    assert values("+44 20 7946 0958 415-555-2671") == ["+44 20 7946 0958", "415-555-2671"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Phone 020  7946  0958", "020  7946  0958"),
        ("call 212  555  0199", "212  555  0199"),
        ("at 020  7946  0958", "020  7946  0958"),
    ],
)
def test_two_spaces_within_a_number(text: str, number: str) -> None:
    """Where a word speaks of a telephone, or the number is valid."""
    assert values(text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "12.4471     0.8821  14.110",
            "0.27.0  0.28.1",
            "0.918 1.004 1.071",
            "12  345  6789",
            "7  12  345  678",
        ),
        *("Mobile 0.27.0  0.28.1", "2024-05-01 08:00", "12345678 9f3c", "4155552671x9"),
    ],
)
def test_columns_and_fractions_are_no_number(text: str) -> None:
    """Tables, versions, and digits within words."""
    assert values(text) == []


@given(st.lists(st.text("0123456789", min_size=1, max_size=6), min_size=3, max_size=20))
def test_the_digits_behind_a_plus_are_masked(groups: list[str]) -> None:
    """Valid or not, and whatever follows: something from the + on is found."""
    text = " ".join(["see", "+49", "3012", *groups])
    found = [one for one in PHONE.analyze(text, [], None) if one.score >= THRESHOLD]
    assert found[0].start == text.index("+")


def test_a_plus_before_too_many_digits() -> None:
    """No number has as many: up to fifteen of them are masked, or what has no border."""
    assert values("+999 1234 5678 9012 3456 7890") == ["+999 1234 5678 9012"]
    assert values("+99912345678901234567890") == ["+99912345678901234567890"]


@given(st.lists(st.sampled_from([*NUMBERS, *BESIDE, "12", "1.", "0", "007", "10115", "-", "x"]), max_size=12))
def test_findings_stand_apart_from_one_another(words: list[str]) -> None:
    """In order, and none within another."""
    text = " ".join(words)
    spans = [(one.start, one.end) for one in PHONE.analyze(text, [], None) if one.score >= THRESHOLD]
    assert spans == sorted(spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))


def test_past_the_most_checks_a_number_counts_as_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody spends them before the number that they want through."""
    assert values("0000 000 0000") == []
    monkeypatch.setattr("ringfence.guardrails.phone_recognizer._MOST_CHECKS", 0)
    assert values("0000 000 0000") == ["0000 000 0000"]
