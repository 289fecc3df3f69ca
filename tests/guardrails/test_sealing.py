"""What is kept of a vault is encrypted, opens with its key for its conversation, and shows nothing."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.errors import RingfenceError, VaultError
from ringfence.guardrails.sealing import KEYS_VARIABLE, Keyring, keyring_of
from ringfence.guardrails.vault import Vault

OLD, NEW = b"o" * 32, b"n" * 32
RING = Keyring({"old": OLD})
CANARY = "jane.doe@acme-canary.com"


def vault() -> Vault:
    """Jane with two forms and an address, a name that somebody else wrote, and one that was forgotten."""
    made = Vault()
    made.reserve("<PERSON_2>")
    for entity, value in [
        ("PERSON", "Jane Doe"),
        ("PERSON", "Jane"),
        ("EMAIL_ADDRESS", CANARY),
        ("URL", "x.y"),
    ]:
        made.pseudonym(entity, value)
    made.forget("x.y")
    return made


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


class TestRoundTrip:
    """A sealed vault is the same vault again."""

    def test_all_that_it_knows_comes_back(self) -> None:
        """Values, people, names that are taken, names that were forgotten, and its id."""
        first = vault()
        again = Vault.unseal(
            json.loads(json.dumps(first.seal(RING, conversation="c"))), RING, conversation="c"
        )
        assert (again.id, repr(again)) == (first.id, "Vault(3 values)")
        text = "<PERSON_1> <PERSON_1.2> <PERSON_2> <EMAIL_ADDRESS_1> <URL_1>"
        assert again.reveal(text) == f"Jane Doe Jane <PERSON_2> {CANARY} <URL_1>"
        names = [again.pseudonym("PERSON", name) for name in ("Jane", "Ms Doe", "Bob")]
        assert names == ["<PERSON_1.2>", "<PERSON_1.3>", "<PERSON_3>"]
        assert again.pseudonym("URL", "x.y") == "<URL_2>"

    def test_who_was_uncertain_still_is(self) -> None:
        """Nobody becomes certain by a restart."""
        first = Vault()
        for name in ("Jane Doe", "John Doe", "J. Doe"):
            first.pseudonym("PERSON", name)
        again = Vault.unseal(first.seal(RING, conversation="c"), RING, conversation="c")
        assert again.pseudonym("PERSON", "Jim Doe") == "<PERSON_4>"

    @given(
        st.lists(
            st.tuples(st.sampled_from(["PERSON", "EMAIL_ADDRESS", "X"]), st.text(min_size=1)), max_size=6
        )
    )
    def test_whatever_the_values_are(self, values: list[tuple[str, str]]) -> None:
        """Any text, in any order."""
        first = Vault()
        names = {one: first.pseudonym(*one) for one in values}
        again = Vault.unseal(first.seal(RING, conversation="c"), RING, conversation="c")
        assert {one: again.pseudonym(*one) for one in values} == names
        assert all(again.reveal(name) == value for (_, value), name in names.items())

    def test_the_same_vault_never_looks_the_same(self) -> None:
        """Nobody sees that nothing changed."""
        one = vault()
        assert one.seal(RING, conversation="c")["data"] != one.seal(RING, conversation="c")["data"]


class TestKeys:
    """The first encrypts, all decrypt."""

    def test_a_new_key_takes_over(self) -> None:
        """What the old one sealed still opens, until that one is taken away."""
        both = Keyring({"new": NEW, "old": OLD})
        before, after = vault().seal(RING, conversation="c"), vault().seal(both, conversation="c")
        assert (before["key"], after["key"]) == ("old", "new")
        assert [
            Vault.unseal(one, both, conversation="c").reveal("<PERSON_1>") for one in (before, after)
        ] == ["Jane Doe"] * 2
        with pytest.raises(VaultError, match="sealed with key old, which is not among the keys: new"):
            Vault.unseal(before, Keyring({"new": NEW}), conversation="c")

    def test_they_come_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`id:base64`, one after the other."""
        monkeypatch.setenv(KEYS_VARIABLE, f"new:{encoded(NEW)}, old:{encoded(OLD)}")
        assert repr(Keyring.from_environment()) == "Keyring(new, old)"
        sealed = vault().seal(conversation="c")
        assert sealed["key"] == "new"
        assert Vault.unseal(sealed, conversation="c").reveal("<PERSON_1>") == "Jane Doe"

    def test_they_may_come_from_a_callback(self) -> None:
        """Which is asked when a key is needed, such as one of a key service."""
        assert keyring_of(lambda: RING) is RING
        sealed = vault().seal(lambda: RING, conversation="c")
        assert Vault.unseal(sealed, lambda: RING, conversation="c").reveal("<PERSON_1.2>") == "Jane"

    def test_base64_for_urls_is_read_too(self) -> None:
        """With and without its padding."""
        odd = bytes(range(224, 256))
        for text in (
            base64.urlsafe_b64encode(odd).decode(),
            base64.urlsafe_b64encode(odd).decode().rstrip("="),
        ):
            sealed = Keyring({"k": odd}).seal({"a": 1}, conversation="c")
            assert Keyring.from_text(f"k:{text}").open(sealed, conversation="c") == {"a": 1}

    def test_without_a_key_it_says_how_to_make_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ready to be copied."""
        monkeypatch.delenv(KEYS_VARIABLE, raising=False)
        with pytest.raises(VaultError, match=f"no key.*export {KEYS_VARIABLE}=.*token_bytes"):
            vault().seal(conversation="c")

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (f"k:{encoded(NEW[:16])}", "key 1 has 16 bytes and not 32"),
            (f"k:{encoded(NEW)},k:{encoded(OLD)}", "Entry 2 .* has an id that another one has"),
            (f"a:{encoded(NEW)},{encoded(OLD)}", "Entry 2 .* not of the form id:base64"),
            ("k:nnnn!nnn", "Entry 1 .* not base64"),
            (f"my key:{encoded(NEW)}", "key 1 has no plain id"),
            (" , ", "no key"),
        ],
    )
    def test_a_fault_is_named_by_its_place(self, text: str, says: str) -> None:
        """Never by what stands there."""
        with pytest.raises(VaultError, match=says) as caught:
            Keyring.from_text(text)
        assert "bm5u" not in str(caught.value)
        assert "nnn" not in str(caught.value)
        assert isinstance(caught.value, RingfenceError)


class TestTampering:
    """What does not belong together does not open."""

    def test_another_conversation(self) -> None:
        """Nobody can put one conversation's vault into another."""
        with pytest.raises(VaultError, match="does not open"):
            Vault.unseal(vault().seal(RING, conversation="a"), RING, conversation="b")

    def test_another_key_of_the_same_name(self) -> None:
        """It says so, and nothing of what is inside."""
        with pytest.raises(VaultError, match="does not open") as caught:
            Vault.unseal(vault().seal(RING, conversation="c"), Keyring({"old": NEW}), conversation="c")
        assert caught.value.__suppress_context__
        assert CANARY not in str(caught.value)

    @pytest.mark.parametrize(
        "change",
        [
            {"data": "AAAA"},
            {"data": "*"},
            {"data": 5},
            {"nonce": base64.b64encode(b"0" * 12).decode()},
            {"nonce": ""},
            {"key": "new"},
            {"key": "un\nknown"},
            {"key": None},
            {"format": 2},
        ],
    )
    def test_a_changed_part(self, change: dict[str, Any]) -> None:
        """Whichever it is."""
        both = Keyring({"old": OLD, "new": OLD})
        with pytest.raises(VaultError):
            Vault.unseal(vault().seal(both, conversation="c") | change, both, conversation="c")

    @pytest.mark.parametrize("content", [{}, {"id": "x", "counts": [], "taken": [5], "subjects": [["A"]]}])
    def test_content_of_another_version(self, content: dict[str, Any]) -> None:
        """Sealed with the right key, but not what a vault holds."""
        with pytest.raises(VaultError, match="another version"):
            Vault.unseal(RING.seal(content, conversation="c"), RING, conversation="c")

    def test_any_changed_bit(self) -> None:
        """Of the whole data."""
        sealed = RING.seal({"a": 1}, conversation="c")
        data = base64.b64decode(sealed["data"])
        for place in range(len(data) * 8):
            changed = bytearray(data)
            changed[place // 8] ^= 1 << place % 8
            with pytest.raises(VaultError):
                RING.open(sealed | {"data": encoded(bytes(changed))}, conversation="c")


def test_nothing_shows_keys_or_values() -> None:
    """Neither what is sealed, nor a repr."""
    sealed = vault().seal(RING, conversation="c")
    shown = json.dumps(sealed) + repr(RING) + repr(vars(RING)) + repr(vault())
    assert not [word for word in (CANARY, "Jane", OLD.decode(), encoded(OLD), repr(OLD)) if word in shown]
