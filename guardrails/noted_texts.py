"""All texts that a conversation has read, by source, as many as there is room for."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ringfence.guardrails.asking_words import is_empty_word, stems_of, subjects_of
from ringfence.guardrails.call_values import TooMuchError, Value, values_of
from ringfence.guardrails.noted_text import LONGEST, NotedText
from ringfence.guardrails.sources import Source, SourceKind
from ringfence.guardrails.value_kinds import CONTACTS, ValueKind

MOST_CHARACTERS = 2_000_000
"""Of untrusted texts together, and of the others together."""
MOST_TEXTS = 1_000


_PLACES = CONTACTS | {ValueKind.PATH}
"""What names one thing among all."""
TOOL_LISTING = "list_tools"
"""As a source: what a server says of its tools, of which no user speaks."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A text and its source."""

    text: NotedText
    source: Source


class NotedTexts:
    """Texts by source. Where there is no room, the oldest goes, and it is remembered that one went."""

    def __init__(self) -> None:
        self._trusted: dict[tuple[str, str], Noted] = {}
        self._untrusted: dict[tuple[str, str], Noted] = {}
        self._user_stems: set[str] = set()
        self.is_incomplete = False
        """Something that was read from an untrusted source is not looked through any more."""

    def add(self, text: str, source: Source) -> None:
        """Take a text in."""
        is_untrusted = source.kind is SourceKind.UNTRUSTED
        if len(text) > LONGEST:
            self.is_incomplete |= is_untrusted
            text = text[:LONGEST]
        kept = self._untrusted if is_untrusted else self._trusted
        key = (text, _key(source))
        if not text.strip() or key in kept:
            return
        noted = Noted(NotedText(text, may_be_structured=bool(source.name)), source)
        kept[key] = noted
        if source.kind is SourceKind.USER:
            self._user_stems |= stems_of(noted.text.folded)
        while len(kept) > MOST_TEXTS or sum(len(one) for one, _ in kept) > MOST_CHARACTERS:
            del kept[next(iter(kept))]
            self.is_incomplete |= is_untrusted

    def clear(self) -> None:
        """Forget everything that was read; the prompts of the operator's team are not read anew."""
        kept = {key: one for key, one in self._trusted.items() if one.source.kind is SourceKind.OPERATOR}
        self._trusted = kept
        self._untrusted.clear()
        self._user_stems.clear()
        self.is_incomplete = False

    def is_only_others(self, word: str) -> bool:
        """Whether a word stands in what others wrote, and nowhere else."""
        return any(word in one.text.words for one in self._untrusted.values()) and not any(
            word in one.text.words for one in self._trusted.values()
        )

    @property
    def has_untrusted(self) -> bool:
        """Whether anything was read that others wrote."""
        return bool(self._untrusted) or self.is_incomplete

    @property
    def user_texts(self) -> list[NotedText]:
        """What the user said."""
        return [one.text for one in self._trusted.values() if one.source.kind is SourceKind.USER]

    def kept(self) -> Iterator[Noted]:
        """Everything, what is trusted first."""
        yield from self._trusted.values()
        yield from self._untrusted.values()

    def said_by(self, value: Value) -> list[Noted]:
        """The trusted texts that say just this value, the user's first."""
        found = [one for one in self._trusted.values() if one.text.says(value)]
        return sorted(found, key=lambda one: one.source.kind is not SourceKind.USER)

    def may_come_from(self, value: Value) -> list[Noted]:
        """The untrusted texts that say the value as it is; where there are none, those that may hide it."""
        untrusted = self._untrusted.values()
        found = [one for one in untrusted if one.text.says(value)]
        # What is hidden takes the longest to find, and excuses nothing.
        return found or [one for one in untrusted if one.text.may_hide(value)]

    def user_asks_for(self, stems: Iterable[str]) -> bool:
        """Whether the user used one of these words."""
        return not self._user_stems.isdisjoint(stems)

    def user_said(self, value: Value) -> bool:
        """Whether the user said just this value."""
        return any(text.says(value) for text in self.user_texts)

    def user_gave(self, kind: ValueKind) -> bool:
        """Whether the user gave any value of this kind."""
        return any(kind is one for text in self.user_texts for one, _ in text.contacts)

    def is_weakly_named(self, source: Source) -> bool:
        """Whether the user spoke of what the source is about."""
        is_something = source.name not in {"", TOOL_LISTING}
        return is_something and self.user_asks_for(subjects_of(source.name, source.words))

    def is_strongly_named(self, source: Source) -> bool:
        """Whether the user said what the source was asked for: the file, the channel, the page.

        Everything in words that it was asked for has to be the user's. A number alone names nothing, unless
        the user also spoke of what it is the number of.
        """
        try:
            asked = [*values_of(source.arguments)]
        except TooMuchError:
            return False
        numbers = [one for one in asked if one.kind in {ValueKind.NUMBER, ValueKind.DATE}]
        words = [one for one in asked if one.kind not in {ValueKind.NUMBER, ValueKind.DATE}]
        if words and source.open_world and not any(one.kind in _PLACES for one in words):
            return (
                False  # words that strangers' texts were searched for, and the user used, name none of them
            )
        if words:
            return all(map(self.user_said, words)) and not all(map(_is_empty, words))
        return bool(numbers) and all(map(self.user_said, numbers)) and self.is_weakly_named(source)


def _is_empty(value: Value) -> bool:
    """Whether it is a word that stands in any sentence."""
    return value.kind is ValueKind.IDENTIFIER and is_empty_word(value.key)


def _key(source: Source) -> str:
    plain = replace(source, arguments={})
    return f"{plain}{json.dumps(source.arguments, sort_keys=True, default=str)}"
