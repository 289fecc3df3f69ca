"""Cards of every issuer are found, in whatever groups; what fails its checksum is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.card_recognizer import EveryCardRecognizer

RECOGNIZER = EveryCardRecognizer()
LENGTHS = {
    "4": (13, 16, 19),
    "51": (16,),
    "2221": (16,),
    "2720": (16,),
    "34": (15,),
    "300": (14,),
    "36": (14,),
    "6011": (16,),
    "62": (16, 19),
    "3528": (16,),
    "1800": (15,),
    "3088": (16,),
    "5018": (12, 16, 19),
    "6763": (12, 18),
}
"""How a number of each issuer begins, and how many digits it has."""


def cards(text: str) -> list[str]:
    return [text[one.start : one.end] for one in RECOGNIZER.analyze(text, ["CREDIT_CARD"])]


def with_check_digit(digits: str) -> str:
    """The digits and the one that makes them pass Luhn's formula."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    total = sum(value - 9 if value > 9 else value for value in doubled)
    return f"{digits}{-total % 10}"


@given(st.sampled_from(sorted(LENGTHS)), st.data())
def test_a_card_of_each_issuer_is_found(begin: str, data: st.DataObject) -> None:
    length = data.draw(st.sampled_from(LENGTHS[begin]))
    rest = data.draw(st.text("0123456789", min_size=length, max_size=length))
    number = with_check_digit((begin + rest)[: length - 1])
    assert cards(f"Card {number}, thanks") == [number]
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert cards(f"Card {wrong}, thanks") == []


@pytest.mark.parametrize("card", ["4111 1111 1111 1111", "3782-822463-10005", "4111-1111-1111-1111"])
def test_groups_may_be_kept_apart(card: str) -> None:
    assert cards(f"no. 12 {card} 99") == [card]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a4111111111111111", id="a part of a word"),
        pytest.param("41111111111111110", id="a longer number"),
        pytest.param("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", id="too many groups"),
        pytest.param("4111  1111  1111  1111", id="two spaces"),
        pytest.param("9111111111111118", id="no issuer"),
    ],
)
def test_other_numbers_are_no_cards(text: str) -> None:
    assert cards(text) == []
