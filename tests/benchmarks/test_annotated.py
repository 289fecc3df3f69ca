"""The measuring sets of the PII filter are read as they were written, and hold what they say."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import pytest

from benchmarks.pii.annotated import EntityType, read_messages, read_snippets, unmarked

E_MAIL_OR_URL = re.compile(r"\w@\w[\w-]*\.[a-z]|https?://|www\.")
# ISO 13616 counts with letters as numbers.
LETTERS_AS_DIGITS = {ord(letter): str(value) for value, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10)}


def values(entity_type: EntityType) -> list[str]:
    """Everything in the set that is marked so."""
    return [
        message.value(span)
        for message in read_messages()
        for span in message.spans
        if span.entity_type is entity_type
    ]


def test_marks_become_places_in_the_text() -> None:
    """The text is what stood there without the marks, and each span lies on its value."""
    text, spans = unmarked("[[PERSON|Jane Doe]]'s home is [[LOCATION|Oslo]].")
    assert text == "Jane Doe's home is Oslo."
    assert spans == ((EntityType.PERSON, 0, 8), (EntityType.LOCATION, 19, 23))


def test_plain_brackets_and_bars_are_text() -> None:
    """As they occur in lists and tables."""
    assert unmarked('| a | {"b": [1]} |') == ('| a | {"b": [1]} |', ())


@pytest.mark.parametrize(
    "marked",
    ["[[PERSON]]", "[[PERSON|]]", "[[person|Jane]]", "[[PERSON|Jane]", "[PERSON|Jane]]", "[[CAT|Tom]]"],
)
def test_a_mistaken_mark_is_refused(marked: str) -> None:
    """It would count as text, and a finding in it as a false alarm."""
    with pytest.raises(ValueError, match=r"CAT|not of the form"):
        unmarked(marked)


def test_a_message_stands_below_its_separator(tmp_path: Path) -> None:
    """A kind holds until the next one; the comment on top is no message; empty lines within stay."""
    file = tmp_path / "chat.txt"
    file.write_text(
        "# A comment.\n%% note\nBy [[PERSON|Ana]]\n\nat 50%%\n%%\nplain\n%% form\nAge: [[AGE|7]]\n"
    )
    assert [(message.name, message.text) for message in read_messages(file)] == [
        ("note-1", "By Ana\n\nat 50%%"),
        ("note-2", "plain"),
        ("form-3", "Age: 7"),
    ]


def test_the_set_of_messages_is_balanced() -> None:
    """Many messages hold nothing personal, every type occurs, and none is there twice."""
    messages = read_messages()
    assert len({message.text for message in messages}) == len(messages) == 400
    assert sum(not message.spans for message in messages) == 120
    assert all(values(entity_type) for entity_type in EntityType)


def test_no_value_has_blank_or_possessive_ends() -> None:
    """So that it makes no difference how a filter counts them."""
    for entity_type in EntityType:
        assert [value for value in values(entity_type) if value != value.strip(" ,;:'\"\n")] == []
    assert [name for name in values(EntityType.PERSON) if name.endswith(("'s", "’s"))] == []


def luhn(number: str) -> bool:
    """A payment card's check digit holds."""
    digits = [int(sign) for sign in reversed(re.sub(r"\D", "", number))]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def iban(number: str) -> bool:
    """An account's check digits hold (ISO 13616)."""
    compact = number.replace(" ", "").upper()
    return int((compact[4:] + compact[:4]).translate(LETTERS_AS_DIGITS)) % 97 == 1


def phone(number: str) -> bool:
    """As long as numbers are (E.164)."""
    return 7 <= len(re.sub(r"\D", "", number)) <= 15


def is_ip_address(text: str) -> bool:
    """An address of either version."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("entity_type", "holds"),
    [
        (EntityType.CREDIT_CARD, luhn),
        (EntityType.IBAN_CODE, iban),
        (EntityType.PHONE_NUMBER, phone),
        (EntityType.IP_ADDRESS, is_ip_address),
    ],
)
def test_numbers_are_valid(entity_type: EntityType, holds: Callable[[str], bool]) -> None:
    """A filter that checks them must not miss them for a typing mistake of ours."""
    assert [number for number in values(entity_type) if not holds(number)] == []


def test_snippets_hold_no_address_of_a_person_or_machine() -> None:
    """Whatever is found in them counts as a false alarm, so nothing may be found rightly."""
    snippets = read_snippets()
    assert len(set(snippets)) == len(snippets) == 200
    assert [snippet for snippet in snippets if E_MAIL_OR_URL.search(snippet)] == []
    runs = re.findall(r"[\w.:]+", "\n".join(snippets))
    assert [run for run in runs if is_ip_address(run.strip(".:"))] == []
