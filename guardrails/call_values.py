"""The values that the arguments of a call hold, each with its place and its kind."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from ringfence.guardrails.contacts import contacts_in, spaced_addresses, whole_contact
from ringfence.guardrails.number_keys import account_in, number_key, whole_day, whole_number
from ringfence.guardrails.value_kinds import CONTACTS, Found, ValueKind
from ringfence.guardrails.value_spellings import essence, fold, plainest

MOST_VALUES = 400
"""Of one call; where there are more, a person has to look."""
LONGEST_VALUE = 100_000
"""Characters of one value that are read."""
_DEEPEST = 32
_MOST_DIGITS = 40
_FEWEST_DIGITS = 5
"""Of a number that is looked for in disguise; shorter ones stand everywhere by chance."""
_DROPPED = re.compile(r"[\t\n\r]")
"""Browsers take these out of a link."""
_OF_LINKS = re.compile(r"[./\\。․‧·∙•ꓸ⁄∕⧸]|:\d")
"""What stands in a host or behind it, or looks like that."""
_PATH = re.compile(r"[^\s]*[/\\~][^\s]*|[^\s/\\]{1,200}\.[A-Za-z0-9]{1,5}")


@dataclass(frozen=True)
class Value:
    """One value of a call."""

    argument: str
    """Its place, such as `to[1]` or `invoice.amount`."""
    name: str
    """The argument that it stands in."""
    written: str = field(repr=False)
    kind: ValueKind
    key: str = field(repr=False)
    """The form in which values of its kind are compared."""
    is_part: bool = False
    """It stands within a longer text."""
    is_key: bool = False
    """It is the name of a field of an object."""
    is_word: bool = False
    """It is compared as it is written, although values of its kind have a form of their own."""

    @cached_property
    def folded(self) -> str:
        """In small letters, with plain signs."""
        return fold(self.written)

    @cached_property
    def is_disguised(self) -> bool:
        """Whether it is written with signs that only look like plain ones, or that nobody sees."""
        if self.written.isascii():
            return False
        return " ".join(unicodedata.normalize("NFC", self.written).lower().split()) != self.folded

    @cached_property
    def digits(self) -> str:
        """Of a whole number that is more than chance when it stands somewhere in another form, its digits."""
        if self.kind not in {ValueKind.NUMBER, ValueKind.ACCOUNT}:
            return ""
        digits = self.key.lstrip("-")
        return digits if digits.isdecimal() and digits.isascii() and len(digits) >= _FEWEST_DIGITS else ""

    @cached_property
    def squeezed(self) -> str:
        """Its letters and digits alone, whatever they look like."""
        return essence(self.digits or plainest(self.written))


def kind_of(text: str) -> Found:
    """What a whole text is."""
    if day := whole_day(plainest(text).strip()):
        return ValueKind.DATE, day
    if found := whole_contact(text):
        return found
    folded = fold(text)
    if number := whole_number(folded):
        return _number_or_account(number)
    if " " in folded:
        return ValueKind.TEXT, folded
    return (ValueKind.PATH if _PATH.fullmatch(folded) else ValueKind.IDENTIFIER), folded


def kind_of_number(number: Decimal) -> Found:
    """What a number is: of nine digits and more it may be somebody's account, also with a point behind."""
    return _number_or_account(number_key(number))


def _number_or_account(key: str) -> Found:
    account = account_in(key)
    return (ValueKind.ACCOUNT, account) if account else (ValueKind.NUMBER, key)


def as_followed(value: Value, *, is_target: bool = False) -> Value:
    """The value as a tool takes it that fetches pages: whatever may be a host or a part of a link is a link.

    Programs that fetch guess at schemes and signs, so a word needs no ending that some registry gives out.
    What stands where the tool goes is a link, whatever it looks like: `localhost` and 2130706433 are hosts.
    """
    if value.kind in {ValueKind.LINK, ValueKind.ADDRESS}:
        return value
    plain = _DROPPED.sub("", plainest(value.written)).strip()
    if is_target and not value.is_part:
        return replace(value, kind=ValueKind.LINK, key=fold(plain), is_word=True)
    if value.kind not in {ValueKind.IDENTIFIER, ValueKind.PATH, ValueKind.TEXT}:
        return value
    if any(map(str.isspace, plain)) or not _OF_LINKS.search(plain):
        return value
    return replace(value, kind=ValueKind.LINK, key=fold(plain), is_word=True)


class TooMuchError(ValueError):
    """There is more in a call than anybody reads."""


def values_of(arguments: Mapping[str, Any], *, free_text: Collection[str] = ()) -> Iterator[Value]:
    """The values of a call; of free text only the links, addresses and accounts in it.

    Raises:
        TooMuchError: They are too many, too long, or nested too deeply.
    """
    number = 0
    for name, value in arguments.items():
        for one in _values(name, name, value, 0, is_free=name in free_text):
            number += 1
            if number > MOST_VALUES:
                raise TooMuchError
            yield one


def _values(place: str, name: str, value: Any, depth: int, *, is_free: bool) -> Iterator[Value]:
    if depth > _DEEPEST:
        raise TooMuchError
    match value:
        case None | bool():
            return
        case int() | float() | Decimal():
            number = _of_number(place, name, value)
            if not is_free or number.kind in CONTACTS:
                yield number
        case str():
            yield from _of_text(place, name, value, is_free=is_free)
        case Mapping():
            for key, item in value.items():
                yield from _of_text(f"{place}.{_short(key)}", name, str(key), is_free=is_free, is_key=True)
                yield from _values(f"{place}.{_short(key)}", name, item, depth + 1, is_free=is_free)
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _values(f"{place}[{index}]", name, item, depth + 1, is_free=is_free)
        case _:
            raise TooMuchError


def _short(key: object) -> str:
    said = str(key)
    return said if len(said) <= 40 and said.replace("_", "").isalnum() else "…"  # noqa: PLR2004 - as names are


def _of_number(place: str, name: str, value: float | Decimal) -> Value:
    try:
        kind, key = kind_of_number(Decimal(str(value)))
    except (ArithmeticError, ValueError):
        raise TooMuchError from None
    if len(key) > _MOST_DIGITS:
        raise TooMuchError
    return Value(place, name, str(value), kind, key)


def _of_text(place: str, name: str, text: str, *, is_free: bool, is_key: bool = False) -> Iterator[Value]:
    if not text.strip():
        return
    if len(text) > LONGEST_VALUE:
        raise TooMuchError
    whole: Found = (ValueKind.TEXT, "")
    if not is_free:
        whole = kind_of(text)
        yield Value(place, name, text, *whole, is_key=is_key)
    if whole[0] not in CONTACTS | {ValueKind.NUMBER, ValueKind.DATE}:
        spaced = {} if is_free else spaced_addresses(text)
        for kind, key in contacts_in(text):
            if kind in CONTACTS and (kind, key) not in spaced:
                yield Value(place, name, key, kind, key, is_part=True)
        for (kind, _), written in spaced.items():
            # One program mails it, the next one does not: it is not what stands there without the space.
            yield Value(place, name, written, kind, fold(written), is_part=True, is_word=True)
