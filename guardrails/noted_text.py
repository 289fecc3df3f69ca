"""One text that a conversation has read, with all that is looked up in it."""

from dataclasses import dataclass, field
from functools import cached_property

from ringfence.guardrails.asking_words import words_of
from ringfence.guardrails.call_values import Value
from ringfence.guardrails.contacts import contacts_in
from ringfence.guardrails.digit_spellings import in_base64, in_hexadecimal
from ringfence.guardrails.number_keys import account_in, day_keys, number_keys
from ringfence.guardrails.structured_text import leaves, structure_of, unescaped
from ringfence.guardrails.value_kinds import CONTACTS, Found, ValueKind
from ringfence.guardrails.value_spellings import decoded, essence, fold, plainest, skeleton, stands_in

LONGEST = 300_000
"""Characters of one text that are looked through."""
_MOST_FIELDS = 20_000
_LONGEST_FIELD = 2_000
_FEWEST_SIGNS = 4
"""Letters and digits of a value that is looked for without what stands between them."""
_WINDOW = 28
"""Letters and digits in a row that are nobody's chance."""
_MOST_WINDOWS = 200
_BY_VALUE = frozenset({ValueKind.NUMBER, ValueKind.DATE})
_AROUND = ".,:;!?'\"`*()[]{}<>"


@dataclass(frozen=True)
class NotedText:
    """A text with the values in it. What is costly is made when it is first asked for, and then kept."""

    text: str = field(repr=False)
    may_be_structured: bool = False
    """It is what a tool gave, which may have fields."""

    @cached_property
    def plain(self) -> str:
        """What it says: of a structured text, its fields one below the other."""
        if not self.may_be_structured:
            return self.text
        return "\n".join(text for text, _ in self._leaves) if self._leaves else unescaped(self.text)

    @cached_property
    def folded(self) -> str:
        """In small letters, with plain signs; fields stay apart."""
        if not self._leaves:
            return fold(self.plain)
        return "\n".join(fold(text) for text, _ in self._leaves)

    @cached_property
    def contacts(self) -> frozenset[Found]:
        """The links, addresses and accounts in it, as they are written."""
        return frozenset(contacts_in(self.plain))

    @cached_property
    def hidden_contacts(self) -> frozenset[Found]:
        """Those of its encoded pieces."""
        return frozenset(found for text in self._decoded for found in contacts_in(text))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The numbers in it, by value."""
        return frozenset(number_keys(self.folded))

    @cached_property
    def long_numbers(self) -> frozenset[str]:
        """Of those of its numbers that may be accounts, the digits before the point."""
        return frozenset(filter(None, map(account_in, self.numbers)))

    @cached_property
    def days(self) -> frozenset[str]:
        """The dates in it."""
        return frozenset(day_keys(self.plain))

    @cached_property
    def words(self) -> frozenset[str]:
        """Its words, in small letters."""
        return frozenset(words_of(self.folded))

    @cached_property
    def fields(self) -> dict[str, str]:
        """Every whole field of a structured text, folded, with the place where it first stands."""
        found: dict[str, str] = {}
        for text, place in self._leaves:
            if len(found) >= _MOST_FIELDS:
                break
            if len(text) <= _LONGEST_FIELD:
                found.setdefault(fold(text), place)
        return found

    @cached_property
    def skeletons(self) -> frozenset[str]:
        """Its words by how they look."""
        return frozenset(skeleton(word.strip(_AROUND)) for word in self.folded.split())

    @cached_property
    def looks(self) -> frozenset[Found]:
        """Its links, addresses and accounts by how they look."""
        return frozenset((kind, skeleton(fold(key))) for kind, key in self.contacts)

    @cached_property
    def squeezed(self) -> str:
        """Its letters and digits alone, also of its encoded pieces, whatever they look like."""
        readings = [self.plain, plainest(self.plain), *self._decoded]
        return "\n".join(dict.fromkeys(essence(one) for one in readings))

    def says(self, value: Value) -> bool:
        """Whether it says just this value, as a word of its own; with odd signs only if it has them, too."""
        if value.is_disguised and value.written.strip() not in self.plain:
            return value.kind in _BY_VALUE and self._says(value)
        return self._says(value)

    def _says(self, value: Value) -> bool:
        match value.kind:
            case ValueKind.NUMBER:
                return value.key in self.numbers
            case ValueKind.DATE:
                return stands_in(value.folded, self.folded) or value.key in self.days
            case _ if value.kind in CONTACTS and not value.is_word:
                if (value.kind, value.key) in self.contacts:
                    return True
                return value.kind is ValueKind.ACCOUNT and value.key in self.long_numbers
            case _:
                return stands_in(value.key, self.folded) or self.whole_field(value) is not None

    def may_hide(self, value: Value) -> bool:
        """Whether the value could have been made of it: with other signs between, encoded, from its end."""
        if (value.kind, value.key) in self.hidden_contacts:
            return True
        if value.kind in _BY_VALUE and not value.digits:
            return False
        plain = value.squeezed
        if len(plain) < _FEWEST_SIGNS:
            return False
        if plain in self.squeezed or plain[::-1] in self.squeezed:
            return True
        if value.digits and self._encodes(value.digits):
            return True
        return value.kind is ValueKind.TEXT and any(
            plain[start : start + _WINDOW] in self.squeezed
            for start in range(0, min(len(plain) - _WINDOW + 1, _MOST_WINDOWS * _WINDOW), _WINDOW // 2)
        )

    def whole_field(self, value: Value) -> str | None:
        """The place where the value is all that a field of a structured text holds."""
        if not self.fields:
            return None
        return self.fields.get(value.folded, self.fields.get(value.key))

    def place(self, value: Value) -> str:
        """Where in a structured text the value stands; empty when nobody can tell."""
        if (place := self.whole_field(value)) is not None:
            return place
        for text, place in self.fields.items():
            if value.folded in text or value.key in text:
                return place
        return ""

    def _encodes(self, digits: str) -> bool:
        """Whether it holds digits in another form; alone they are no text, so they are not decoded."""
        if any(one in self.squeezed for one in in_hexadecimal(digits)):
            return True
        return any(one in self._unspaced for form in (digits, digits[::-1]) for one in in_base64(form))

    @cached_property
    def _unspaced(self) -> str:
        return "".join(self.plain.split())

    @cached_property
    def _decoded(self) -> list[str]:
        return decoded(self.plain)

    @cached_property
    def _leaves(self) -> list[tuple[str, str]]:
        return [*leaves(structure_of(self.text))] if self.may_be_structured else []
