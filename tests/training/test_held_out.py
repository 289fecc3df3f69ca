"""What was set aside for evaluation is in no list of the training."""

import random
import re
from pathlib import Path

import pytest

from training.ner.held_out import HeldOut, digest, words_of_names
from training.ner.names import NamePool, Names
from training.ner.people_slots import PeopleSlots

HELD_OUT = HeldOut([digest("Jane"), digest("doe"), digest("Oslo"), digest("Norway"), digest("Siemens")])


@pytest.mark.parametrize("name", ["Jane", "JANE", "jane", "Jane Berg", "Berg-Doe", "O'Doe", "12 Oslo Street"])
def test_a_name_with_a_held_out_word_is_known(name: str) -> None:
    """However it is written, and wherever the word stands in it."""
    assert HELD_OUT.has(name)


@pytest.mark.parametrize("name", ["", "Janet", "Mary", "Doering", "12"])
def test_other_names_are_not(name: str) -> None:
    """A word that holds the letters of another is another word."""
    assert not HELD_OUT.has(name)


def test_names_are_kept_without_the_held_out_ones() -> None:
    """Each once, sorted, with single spaces."""
    assert HELD_OUT.kept(["Lund", "Jane", "Ann  Berg", "", "Lund", "Anna Doe"]) == ["Ann Berg", "Lund"]


def test_without_a_list_every_name_is_kept() -> None:
    """As for the lists that the recognizer knows in use."""
    assert HeldOut().kept(["Jane", "Doe"]) == ["Doe", "Jane"]


def test_the_list_holds_digests_alone() -> None:
    """No name can be read in it."""
    listed = (Path(__file__).parents[2] / "training/ner/held_out.txt").read_text(encoding="utf-8").split()
    assert listed == sorted(set(listed))
    assert all(re.fullmatch("[0-9a-f]{12}", one) for one in listed)
    assert HeldOut.read().kept(["Xyzzyqua"]) == ["Xyzzyqua"]


def test_the_list_is_made_from_the_names_of_a_dataset(tmp_path: Path) -> None:
    """From names, and not from what else is marked."""
    dataset = tmp_path / "samples.json"
    dataset.write_text(
        '[{"spans": [{"entity_type": "PERSON", "entity_value": "Jane Doe"},'
        ' {"entity_type": "GPE", "entity_value": "Oslo"},'
        ' {"entity_type": "TITLE", "entity_value": "Dr."}]}, {"spans": []}]',
        encoding="utf-8",
    )
    assert words_of_names(dataset) == {"jane", "doe", "oslo"}


@pytest.mark.usefixtures("small_world")
def test_no_list_of_names_holds_a_held_out_word() -> None:
    """People, places and brands; what is not held out stays."""
    names = Names(HELD_OUT)
    assert "Jane" not in names.people["en_US"].firsts
    assert "Doe" not in names.people["en_US"].lasts
    assert "Iris" in names.people["en_US"].firsts
    assert names.towns == ["Skien"]
    assert "Norway" not in names.countries
    assert "Peru" in names.countries
    assert "Siemens" not in names.brands
    assert "Microsoft" in names.brands


@pytest.mark.usefixtures("small_world")
def test_no_invented_name_is_a_held_out_word() -> None:
    """Halves of two names may be a third that was set aside: Jabo and Bone make Jane."""
    names = Names(HELD_OUT)
    names.people = {locale: NamePool(["Jabo", "Bone"], ["Berg", "Lund"]) for locale in ("en_US", "en_GB")}
    people = PeopleSlots(names, random.Random(1))
    made = {people.first() for _ in range(3_000)}
    assert len(made) > 4
    assert not any(HELD_OUT.has(name) for name in made)


@pytest.mark.usefixtures("small_world")
def test_people_are_told_apart_by_their_script() -> None:
    """Names in other scripts are a pool of their own."""
    names = Names(HeldOut())
    assert set(names.people) == {"en_US", "en_GB"}
    assert set(names.foreign_people) == {"el_GR"}
