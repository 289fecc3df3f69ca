"""Pseudonyms are stable, never collide, and come back as the value that they stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.vault import Vault

TYPES = ["EMAIL_ADDRESS", "PHONE_NUMBER", "PERSON"]
PLACEHOLDERS = st.builds("<{}_{}>".format, st.sampled_from(TYPES), st.integers(0, 9))
VALUES = st.text(min_size=1) | PLACEHOLDERS


def test_the_same_value_has_the_same_name() -> None:
    """For as long as the vault lives, and for one entity type at a time."""
    vault = Vault()
    names = [vault.pseudonym("EMAIL_ADDRESS", value) for value in ("jane@a.com", "bob@a.com", "jane@a.com")]
    assert names == ["<EMAIL_ADDRESS_1>", "<EMAIL_ADDRESS_2>", "<EMAIL_ADDRESS_1>"]
    assert vault.pseudonym("PERSON", "jane@a.com") == "<PERSON_1>"


def test_reveal_gives_the_values_back() -> None:
    """All of them, or those of some entity types; a name that stands for nothing stays as it is."""
    vault = Vault()
    text = f"{vault.pseudonym('EMAIL_ADDRESS', 'jane@a.com')} {vault.pseudonym('PERSON', 'Jane')} <PERSON_7>"
    assert vault.reveal(text) == "jane@a.com Jane <PERSON_7>"
    assert vault.reveal(text, ["PERSON"]) == "<EMAIL_ADDRESS_1> Jane <PERSON_7>"
    assert vault.reveal(text, []) == text


@pytest.mark.parametrize(
    "text", ["<PERSON_01>", "<PERSON_1", "PERSON_1", "<person_1>", "<PERSON_1 >", "<PERSON_١>", "<PERSON_11>"]
)
def test_only_the_exact_name_is_revealed(text: str) -> None:
    """A name that was changed stands for nothing."""
    vault = Vault()
    vault.pseudonym("PERSON", "Jane")
    assert vault.reveal(text) == text


def test_a_name_that_somebody_wrote_before_is_never_given_out() -> None:
    """It would become the value of somebody else."""
    vault = Vault()
    vault.reserve("Write to <EMAIL_ADDRESS_1> and <EMAIL_ADDRESS_3>")
    names = [vault.pseudonym("EMAIL_ADDRESS", value) for value in ("a@a.com", "b@a.com")]
    assert names == ["<EMAIL_ADDRESS_2>", "<EMAIL_ADDRESS_4>"]
    assert vault.reveal("<EMAIL_ADDRESS_1>") == "<EMAIL_ADDRESS_1>"


def test_a_name_that_was_given_out_stays_what_it_is() -> None:
    """Texts with names in them are read again at every door."""
    vault = Vault()
    name = vault.pseudonym("PERSON", "Jane")
    vault.reserve(f"Dear {name}")
    assert (vault.pseudonym("PERSON", "Jane"), vault.reveal(name)) == (name, "Jane")


def test_a_value_that_looks_like_a_name_is_not_revealed_in_turn() -> None:
    """What somebody typed comes back as it was typed."""
    vault = Vault()
    vault.pseudonym("EMAIL_ADDRESS", "jane@a.com")
    assert vault.reveal(vault.pseudonym("PERSON", "<EMAIL_ADDRESS_1>")) == "<EMAIL_ADDRESS_1>"


def test_nothing_shows_the_values() -> None:
    """A vault can stand in a log line or a traceback."""
    vault = Vault()
    vault.pseudonym("PERSON", "Jane")
    assert [repr(vault), str(vault), f"{vault}"] == ["Vault(1 values)"] * 3


def test_a_vault_can_forget() -> None:
    """Then no name that it ever gave out means anything, now or later."""
    vault = Vault()
    name = vault.pseudonym("PERSON", "Jane")
    vault.forget()
    assert vault.reveal(name) == name
    assert [vault.pseudonym("PERSON", value) for value in ("Bob", "Jane")] == ["<PERSON_2>", "<PERSON_3>"]
    assert repr(vault) == "Vault(2 values)"


def test_vaults_are_told_apart() -> None:
    """By an id that says nothing of what they hold."""
    assert Vault().id != Vault().id


@given(st.lists(st.tuples(st.text(), st.sampled_from(TYPES), VALUES)), st.text() | PLACEHOLDERS)
def test_what_is_hidden_comes_back(pieces: list[tuple[str, str, str]], tail: str) -> None:
    """Any text with any values in it, placeholders among both."""
    vault = Vault()
    before = [(text.replace("<", ""), entity, value) for text, entity, value in pieces]
    whole = "".join(text + value for text, _, value in before) + tail
    vault.reserve(whole)
    hidden = "".join(text + vault.pseudonym(entity, value) for text, entity, value in before) + tail
    assert vault.reveal(hidden) == whole


@given(st.lists(st.tuples(st.sampled_from(TYPES), VALUES)), st.lists(PLACEHOLDERS))
def test_names_are_one_to_one(asked: list[tuple[str, str]], written: list[str]) -> None:
    """One name for one value of one type, and never one that was written before."""
    vault = Vault()
    vault.reserve(" ".join(written))
    names = {(entity, value): vault.pseudonym(entity, value) for entity, value in asked}
    assert len(set(names.values())) == len(names)
    assert not set(names.values()) & set(written)
    assert all(vault.pseudonym(*key) == name for key, name in names.items())
