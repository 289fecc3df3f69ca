"""One text that a conversation has read, with all that is looked up in it."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from ringfence.guardrails.call_values import Value
from ringfence.guardrails.value_kinds import (
    CONTACTS,
    Found,
    ValueKind,
    contacts_in,
    day_keys,
    number_key,
    number_keys,
)
from ringfence.guardrails.value_spellings import decoded, fold, plainest, skeleton, squeezed, stands_in

LONGEST = 300_000
"""Characters of one text that are looked through."""
_MOST_FIELDS = 20_000
_LONGEST_FIELD = 2_000
_LONGEST_LITERAL = 50_000
_DEEPEST = 64
_FEWEST_SIGNS = 4
"""Letters and digits of a value that is looked for without what stands between them."""
_WINDOW = 28
"""Letters and digits in a row that are nobody's chance."""
_MOST_WINDOWS = 200
_AROUND = ".,:;!?'\"`*()[]{}<>"


@dataclass(frozen=True)
class NotedText:
    """A text with the values in it. What is costly is made when it is first asked for, and then kept."""

    text: str = field(repr=False)

    @cached_property
    def folded(self) -> str:
        """In small letters, with plain signs."""
        return fold(self.text)

    @cached_property
    def contacts(self) -> frozenset[Found]:
        """The links, addresses and accounts in it, as they are written."""
        return frozenset(contacts_in(self.text))

    @cached_property
    def hidden_contacts(self) -> frozenset[Found]:
        """Those of its encoded pieces."""
        return frozenset(found for text in self._decoded for found in contacts_in(text))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The numbers in it, by value."""
        return frozenset(number_keys(self.folded))

    @cached_property
    def days(self) -> frozenset[str]:
        """The dates in it."""
        return frozenset(day_keys(self.text))

    @cached_property
    def fields(self) -> dict[str, str]:
        """Every whole field of a structured text, folded, with the place where it first stands."""
        found: dict[str, str] = {}
        for value, place in _leaves(self._structure, "", 0):
            if len(found) >= _MOST_FIELDS:
                break
            found.setdefault(fold(value) if isinstance(value, str) else value, place)
        return found

    @cached_property
    def skeletons(self) -> frozenset[str]:
        """Its words and whole values, by how they look."""
        return frozenset(skeleton(word.strip(_AROUND)) for word in self.folded.split())

    @cached_property
    def squeezed(self) -> str:
        """Its letters and digits alone, also of its encoded pieces, whatever they look like."""
        readings = [self.text, plainest(self.text), *self._decoded]
        return "\n".join(dict.fromkeys(squeezed(skeleton(fold(one))) for one in readings))

    def prepare(self) -> None:
        """Make what most calls ask for."""
        _ = self.contacts, self.hidden_contacts, self.numbers, self.fields, self.squeezed

    def says(self, value: Value) -> bool:
        """Whether it says just this value, as a word of its own."""
        match value.kind:
            case ValueKind.NUMBER:
                return value.key in self.numbers
            case ValueKind.DATE:
                return value.key in self.days or stands_in(fold(value.written), self.folded)
            case _ if value.kind in CONTACTS:
                return (value.kind, value.key) in self.contacts
            case _:
                return stands_in(value.key, self.folded)

    def may_say(self, value: Value) -> bool:
        """Whether the value could have been made of it: with other signs between, encoded, from its end."""
        if self.says(value) or (value.kind, value.key) in self.hidden_contacts:
            return True
        if value.kind in {ValueKind.NUMBER, ValueKind.DATE}:
            return False
        plain = squeezed(skeleton(fold(plainest(value.written))))
        if len(plain) < _FEWEST_SIGNS:
            return False
        if plain in self.squeezed or plain[::-1] in self.squeezed:
            return True
        return value.kind is ValueKind.TEXT and any(
            plain[start : start + _WINDOW] in self.squeezed
            for start in range(0, min(len(plain) - _WINDOW + 1, _MOST_WINDOWS * _WINDOW), _WINDOW // 2)
        )

    def whole_field(self, value: Value) -> str | None:
        """The place where the value is all that a field of a structured text holds."""
        return self.fields.get(fold(value.written), self.fields.get(value.key))

    def place(self, value: Value) -> str:
        """Where in a structured text the value stands; empty when nobody can tell."""
        if (place := self.whole_field(value)) is not None:
            return place
        for text, place in self.fields.items():
            if value.key in text or fold(value.written) in text:
                return place
        return ""

    @cached_property
    def _decoded(self) -> list[str]:
        return decoded(self.text)

    @cached_property
    def _structure(self) -> Any:
        text = self.text.strip()
        if not text.startswith(("[", "{", "(")):
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
        if len(text) > _LONGEST_LITERAL:
            return None
        try:
            # So AutoGen shows to its agents what a function of Python gives.
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return None


def _leaves(value: Any, place: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        return
    match value:
        case dict():
            for key, item in value.items():
                yield str(key), place
                yield from _leaves(item, f"{place}.{str(key)[:40]}" if place else str(key)[:40], depth + 1)
        case list() | tuple() | set():
            for index, item in enumerate(value):
                yield from _leaves(item, f"{place}[{index}]", depth + 1)
        case bool() | None:
            return
        case int() | float():
            try:
                yield number_key(Decimal(str(value))), place
            except (ArithmeticError, ValueError):
                return
        case str() if len(value) <= _LONGEST_FIELD and value.strip():
            yield value, place
