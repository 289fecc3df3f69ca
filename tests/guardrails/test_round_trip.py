"""What is masked comes back as it was written, in any script, by several at once, and is seen by nobody."""

import asyncio
import re
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.clean_text import clean_text
from ringfence.guardrails.masking import Masker
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.presidio import Finding
from ringfence.guardrails.vault import Vault

PEOPLE = [
    "Jane Doe",
    "JANE DOE",
    "Jane",
    "Ms Doe",
    "Doe, Jane",
    "Bob Smith",
    "Ольга Петрова",
    "Ольга",
    "山田 太郎",
]
ADDRESSES = ["jane@acme.com", "Jane@Acme.com", "ольга@почта.рф", "bob@acme.com"]
CARDS = ["4111 1111 1111 1111", "4111111111111111"]
VALUES = [*PEOPLE, *ADDRESSES, *CARDS]
TYPES = {
    **dict.fromkeys(PEOPLE, "PERSON"),
    **dict.fromkeys(ADDRESSES, "EMAIL_ADDRESS"),
    **dict.fromkeys(CARDS, "CREDIT_CARD"),
}
_VALUE = re.compile("|".join(map(re.escape, sorted(VALUES, key=len, reverse=True))))


class Finder:
    """Finds the planted values, and takes stand-ins for names, as a language model may."""

    def __init__(self, also: str = "") -> None:
        self._also = re.compile(also) if also else None

    async def find(self, text: str) -> tuple[Finding, ...]:
        """Every one of them, after others had their turn."""
        await asyncio.sleep(0)
        if self._also and (match := self._also.search(text)):
            return (Finding("PERSON", *match.span(), 1.0),)
        return tuple(Finding(TYPES[match.group()], *match.span(), 1.0) for match in _VALUE.finditer(text))


def masker(vault: Vault, finder: Any = None) -> Masker:
    settings = PiiSettings.model_validate({"entities": dict.fromkeys(TYPES.values(), "pseudonymize")})
    return Masker(finder=finder or cast(Any, Finder()), settings=settings, vault=vault)


SCRIPTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("äß我Я你абвαβאבعسकखあア😀"), max_size=8
)
LOOKALIKES = st.sampled_from(
    [
        "PERSON_1",
        "<PERSON_1>",
        "[PERSON_2]",
        "<person 1>",
        "PERSON_",
        "PERSON_1.2",
        "&lt;PERSON_1",
        "\\<",
        "\\>",
        "[",
    ]
)
TEXTS = st.lists(SCRIPTS | LOOKALIKES | st.sampled_from(VALUES), max_size=10).map("".join)


@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_masking_and_revealing_changes_nothing(texts: list[str]) -> None:
    """Whatever stands around the values, even what looks like the name of one."""
    vault = Vault()
    hidden = asyncio.run(masker(vault).mask(texts, point="input"))
    assert [vault.reveal(one) for one in hidden] == [clean_text(text) for text in texts]
    assert not [value for value in VALUES for one in hidden if value in one]
    assert asyncio.run(masker(vault).mask(hidden, point="prompt")) == hidden


@given(st.lists(st.sampled_from(VALUES), min_size=1, max_size=6))
def test_turns_at_the_same_time_agree(values: list[str]) -> None:
    """One name for each value, whoever of several tasks comes first."""
    vault = Vault()

    async def all_at_once() -> list[str]:
        turns = [masker(vault).mask(value, point="input") for value in [*values, *reversed(values)]]
        return list(await asyncio.gather(*turns))

    names = asyncio.run(all_at_once())
    assert names == [*names[: len(values)], *reversed(names[: len(values)])]
    assert len(set(names)) == len(set(values))
    assert [vault.reveal(name) for name in names[: len(values)]] == values


@pytest.mark.parametrize(
    ("found", "text", "masked"),
    [
        (r"<PERSON_1>", "Hi <PERSON_1>", "Hi <PERSON_1>"),
        (r"PERSON_1", "Hi PERSON_1!", "Hi PERSON_1!"),
        (r"<PERSON_1>'s", "<PERSON_1>'s", "<PERSON_1>'s"),
        (r"Dear <PERSON_1> and Zoe", "Dear <PERSON_1> and Zoe", "<PERSON_2><PERSON_1><PERSON_3>"),
        (r"<PERSON_1> Zoe", "<PERSON_1> Zoe", "<PERSON_1><PERSON_2>"),
        (r"Zoe <PERSON_1>", "Zoe <PERSON_1>", "<PERSON_2><PERSON_1>"),
        (r"<PERSON_9>", "Hi <PERSON_9>", "Hi <PERSON_2>"),
    ],
)
async def test_a_stand_in_is_nobodys_name(found: str, text: str, masked: str) -> None:
    """What was given out is not hidden once more; what stands beside it is."""
    vault = Vault()
    vault.pseudonym("PERSON", "Jane Doe")
    assert await masker(vault, Finder(found)).mask(text, point="prompt") == masked


async def test_in_pieces_as_in_one() -> None:
    """A masker of a text that comes in pieces has the same names."""
    text = "Jane Doe wrote to jane@acme.com.\nThen Ms Doe paid with 4111 1111 1111 1111.\n" * 20
    stream = masker(vault := Vault()).streamed(point="message")
    masked = "".join([await stream.feed(text[place : place + 7]) for place in range(0, len(text), 7)])
    masked += await stream.finish()
    assert masked == await masker(Vault()).mask(text, point="message")
    assert vault.reveal(masked) == text
