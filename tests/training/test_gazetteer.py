"""The gazetteer says of a word in which lists it stands."""

import pytest

from ringfence.guardrails.word_features import name_key
from training.ner import gazetteer as room
from training.ner.gazetteer import LISTS, gazetteer
from training.ner.held_out import HeldOut
from training.ner.names import dictionary

pytestmark = pytest.mark.usefixtures("small_world")


@pytest.fixture
def lists_of(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Some words, and the lists of each."""
    monkeypatch.setattr(room, "dictionary", dictionary.__wrapped__)
    known = gazetteer(
        ["Open the window", "a window, a window", "That window is a shoehorn", "Shoehorn! " * 9]
    )
    words = ("jane", "DOE", "Oslo", "Norway", "Straße", "Ltd", "prof", "Norwegian", "Sept", "mon", "IKEA")
    return {
        word: {name for bit, name in enumerate(LISTS) if known.get(name_key(word), 0) >> bit & 1}
        for word in (*words, "window", "shoehorn", "a", "xyzzyqua")
    }


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("jane", "first name"),
        ("DOE", "last name"),
        ("Oslo", "town"),
        ("Norway", "region"),
        ("Straße", "street"),
        ("Ltd", "company"),
        ("prof", "title"),
        ("Norwegian", "nationality"),
        ("Sept", "calendar"),
        ("mon", "calendar"),
        ("IKEA", "brand"),
    ],
)
def test_a_word_of_a_list_is_known(lists_of: dict[str, set[str]], word: str, name: str) -> None:
    """In whatever case it is written."""
    assert name in lists_of[word]


def test_a_word_may_stand_in_several_lists(lists_of: dict[str, set[str]]) -> None:
    """`window` is in the dictionary, and common in the plain texts."""
    assert lists_of["window"] == {"common", "dictionary"}


@pytest.mark.parametrize("word", ["shoehorn", "a", "xyzzyqua"])
def test_other_words_are_unknown(lists_of: dict[str, set[str]], word: str) -> None:
    """So are words that occur seldom or with a capital, and single letters."""
    assert not lists_of[word]


def test_held_out_names_are_in_the_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are kept from the texts of the training only: in use every name that is known helps."""
    monkeypatch.setattr(room, "dictionary", dictionary.__wrapped__)
    monkeypatch.setattr(HeldOut, "read", lambda: pytest.fail("the list was asked"))
    assert name_key("jane") in gazetteer([])
