"""Pseudonyms are stable, never collide, and come back as the value that they stand for."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.person_names import PersonName
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
    assert vault.forget() == 1
    assert vault.reveal(name) == name
    assert [vault.pseudonym("PERSON", value) for value in ("Bob", "Jane")] == ["<PERSON_2>", "<PERSON_3>"]
    assert repr(vault) == "Vault(2 values)"


class TestForms:
    """A value that is written in another way keeps its number."""

    @pytest.mark.parametrize(
        ("entity", "values"),
        [
            ("EMAIL_ADDRESS", ["jane@a.com", "Jane@A.com"]),
            ("CREDIT_CARD", ["4111111111111111", "4111 1111 1111 1111"]),
            ("PERSON", ["Jane Doe", "Jane"]),
        ],
    )
    def test_each_comes_back_as_it_was_written(self, entity: str, values: list[str]) -> None:
        """The first has the plain name, the next says which form it is."""
        vault = Vault()
        names = [vault.pseudonym(entity, value) for value in values]
        assert names == [f"<{entity}_1>", f"<{entity}_1.2>"]
        assert [vault.reveal(name) for name in names] == values
        assert repr(vault) == "Vault(2 values)"

    def test_more_forms_than_a_name_can_tell_apart(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Then it is a new one, and comes back all the same."""
        monkeypatch.setattr("ringfence.guardrails.vault.MOST_FORMS", 2)
        vault = Vault()
        forms = ["jane", "Jane", "JANE", "jANE", "jAne"]
        names = [vault.pseudonym("PERSON", form) for form in forms]
        assert names == ["<PERSON_1>", "<PERSON_1.2>", "<PERSON_2>", "<PERSON_2.2>", "<PERSON_3>"]
        assert [vault.reveal(name) for name in names] == forms


class TestForget:
    """For who asks that their data be erased."""

    @pytest.fixture
    def vault(self) -> Vault:
        """Two people of one last name, one of whom writes her address in two ways."""
        vault = Vault()
        for name in ("Jane Doe", "Jane", "Ms Jane Doe", "Bob Smith", "Joe Doe", "Doe"):
            vault.pseudonym("PERSON", name)
        for value in ("jane@a.com", "JANE@a.com", "bob@a.com"):
            vault.pseudonym("EMAIL_ADDRESS", value)
        vault.pseudonym("URL", "https://a.com/?user=Jane@A.com")
        return vault

    def test_a_person(self, vault: Vault) -> None:
        """All that she is called, and who may be her; nobody else."""
        assert vault.forget("jane doe") == 4
        kept = vault.reveal("<PERSON_1> <PERSON_1.2> <PERSON_1.3> <PERSON_2> <PERSON_3> <PERSON_4>")
        assert kept == "<PERSON_1> <PERSON_1.2> <PERSON_1.3> Bob Smith Joe Doe <PERSON_4>"
        assert repr(vault) == "Vault(6 values)"

    def test_a_value_in_all_its_forms_and_in_others(self, vault: Vault) -> None:
        """An address stands in the query of a link, too."""
        assert vault.forget("Jane@a.com") == 3
        text = "<EMAIL_ADDRESS_1> <EMAIL_ADDRESS_1.2> <URL_1> <EMAIL_ADDRESS_2>"
        assert vault.reveal(text) == "<EMAIL_ADDRESS_1> <EMAIL_ADDRESS_1.2> <URL_1> bob@a.com"

    def test_the_names_are_never_used_again(self, vault: Vault) -> None:
        """Not for the same value, nor for another."""
        vault.forget("Jane Doe")
        assert [vault.pseudonym("PERSON", name) for name in ("Jane Doe", "Jane")] == [
            "<PERSON_5>",
            "<PERSON_5.2>",
        ]
        assert vault.reveal("<PERSON_1>") == "<PERSON_1>"

    @pytest.mark.parametrize("value", ["Ann Lee", "Jan", "jane@a.co", "", " ", "?"])
    def test_what_is_not_there(self, vault: Vault, value: str) -> None:
        """Nothing is forgotten."""
        assert vault.forget(value) == 0
        assert repr(vault) == "Vault(10 values)"


class TestTogether:
    """Several turns at once."""

    def test_threads_agree(self) -> None:
        """One name for each value, whoever asks first."""
        vault, start = Vault(), threading.Barrier(8)
        values = [("EMAIL_ADDRESS", f"user{number}@a.com") for number in range(60)]
        values += [("PERSON", name) for name in ("Jane Doe", "Jane", "JANE DOE", "Doe", "Bob", "J. Doe")]

        def ask(turn: int) -> dict[tuple[str, str], str]:
            start.wait()
            own = values[turn * 7 :] + values[: turn * 7]
            return {one: vault.pseudonym(*one) for one in own}

        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(ask, range(8)))
        finally:
            sys.setswitchinterval(interval)
        assert all(answer == answers[0] for answer in answers)
        assert len(set(answers[0].values())) == len(values)
        assert all(vault.reveal(name) == value for (_, value), name in answers[0].items())

    def test_reading_while_others_write(self) -> None:
        """A name that was given out is always known, and forgetting takes values whole."""
        vault = Vault()

        def turn(number: int) -> bool:
            name = vault.pseudonym("EMAIL_ADDRESS", f"user{number}@a.com")
            seen = vault.reveal(f"{name} {name}")
            vault.forget(f"user{number}@a.com")
            return seen == f"user{number}@a.com user{number}@a.com"

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(turn, range(200)))
        assert repr(vault) == "Vault(0 values)"


def test_a_lookup_looks_at_no_other_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: the work for one more stays the same."""
    vault = Vault()
    looked: list[PersonName] = []
    may_be = PersonName.may_be

    def counted(one: PersonName, other: PersonName) -> bool:
        looked.append(one)
        return may_be(one, other)

    monkeypatch.setattr(PersonName, "may_be", counted)
    for number in range(400):
        looked.clear()
        vault.pseudonym("PERSON", f"Jane{number % 20} Doe{number // 20}")
        assert len(looked) <= 8 * 5
    for number in range(40):
        vault.pseudonym("PERSON", f"J{number} Doe")
    looked.clear()
    vault.pseudonym("PERSON", "Doe")
    assert len(looked) <= 8
    assert repr(vault) == "Vault(441 values)"


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
