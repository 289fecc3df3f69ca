"""The corpus fills every slot, labels what it should, and is the same for the same seed."""

from random import Random

import pytest

from training.ner.corpus import Corpus
from training.ner.held_out import HeldOut
from training.ner.names import Names, dictionary
from training.ner.slots import Slots
from training.ner.templates import ENTITIES, LABEL_OF_SLOT, Piece, Slot

pytestmark = pytest.mark.usefixtures("small_world")


def slots() -> Slots:
    """As the corpus has them."""
    return Slots(Names(HeldOut()), Random(1))


def test_every_slot_has_values() -> None:
    """All forms of a value are met in some hundred."""
    made = slots()
    for slot in LABEL_OF_SLOT:
        values = {made.fill(slot) for _ in range(300)}
        assert all(values), slot
        assert not any(set("{}") & set(value) for value in values), slot


def test_an_unknown_slot_has_none() -> None:
    """Templates cannot hold one."""
    with pytest.raises(KeyError):
        slots().fill("nowhere")


def test_one_seed_is_one_corpus() -> None:
    """And another seed another."""
    assert list(Corpus(1).texts(50)) == list(Corpus(1).texts(50))
    assert list(Corpus(1).texts(50)) != list(Corpus(2).texts(50))


def test_texts_are_labelled_pieces() -> None:
    """No piece is empty, every label is one of the network's, and all of them occur."""
    pieces = [piece for text in Corpus(1).texts(2_000) for piece in text]
    assert all(piece.text for piece in pieces)
    assert {piece.label for piece in pieces} == {None, *ENTITIES}


def test_plain_texts_hold_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the literals with a label nor the slots."""
    template = (Piece("Dear "), Piece("Jane", "PERSON"), Piece(", hello"))
    monkeypatch.setattr("training.ner.corpus.read_templates", lambda: {"a": [template], "negative_a": [()]})
    plain = set(Corpus(1).plain_texts())
    assert plain == {"Dear ", ", hello", "def add(a, b):\n    return a + b"}


def test_a_literal_name_that_was_set_aside_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """To another of its kind."""
    template = (Piece("I am "), Piece("Jane", "PERSON"))
    monkeypatch.setattr("training.ner.corpus.read_templates", lambda: {"a": [template], "negative_a": [()]})
    monkeypatch.setattr(HeldOut, "has", lambda _self, name: name == "Jane")
    names = {piece.text.lower() for text in Corpus(1).texts(100) for piece in text if piece.label == "PERSON"}
    assert names
    assert "jane" not in names


def test_a_numbered_slot_has_one_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is written; slots without a number each have their own."""
    numbered = (Slot("first_last", 1), Piece(" / "), Slot("first_last", 1))
    free = (Slot("first_last"), Piece(" / "), Slot("first_last"))
    for template, is_same in ((numbered, True), (free, False)):
        monkeypatch.setattr(
            "training.ner.corpus.read_templates", lambda one=template: {"a": [one], "negative_a": [()]}
        )
        texts = [text for text in Corpus(1).texts(100) if len(text) == 3]
        assert texts
        spelled = [{" ".join(one.text.lower().split()) for one in text if one.label} for text in texts]
        assert all(len(names) == 1 for names in spelled) is is_same


def test_the_dictionary_holds_no_names() -> None:
    """Ordinary words of letters alone, in the order of the source."""
    assert dictionary.__wrapped__() == ("window", "table")
