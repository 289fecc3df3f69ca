"""Labelled texts: templates whose slots are filled, in the many ways in which people write."""

import re
from collections.abc import Iterator, Sequence
from random import Random

from training.ner.held_out import HeldOut
from training.ner.names import Names, dictionary
from training.ner.program_texts import program_texts
from training.ner.slots import Slots
from training.ner.templates import LABEL_OF_SLOT, NEGATIVE, Piece, Slot, Template, read_templates

_ORDINARY_WORD = re.compile(r"\b[A-Za-z][a-z]{3,}\b")
_PUNCTUATION = re.compile(r"[.,;:!?]")
_FREQUENT_WORDS = 40_000
_BETWEEN_TEXTS = (" ", " ", " ", "\n", "\n", "\n\n", ". ", " - ")
_USUAL_TIMES = 3
_TIMES = {
    **dict.fromkeys(("orgs_chat", "orgs_facts", "places_chat", "places_facts"), 1),
    **dict.fromkeys(("german", "dutch_nordic", "romance"), 2),
}
"""How often a file's templates are taken: people are named more often than companies, and in English."""
_SLOT_INSTEAD = {
    "PERSON": "first_last",
    "LOCATION": "city",
    "ORGANIZATION": "org",
    "DATE_TIME": "date",
    "AGE": "age",
    "NRP": "nationality",
    "TITLE": "title",
}


class Corpus:
    """Makes labelled texts without end."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._names = Names(HeldOut.read())
        self._slots = Slots(self._names, self._random)
        grouped = read_templates().items()
        self._positive = [
            one
            for name, group in grouped
            if not name.startswith(NEGATIVE)
            for one in group * _TIMES.get(name, _USUAL_TIMES)
        ]
        self._negative = [one for name, group in grouped if name.startswith(NEGATIVE) for one in group]
        self._dictionary = dictionary()[:_FREQUENT_WORDS]
        self._programs = program_texts({name for pool in self._names.people.values() for name in pool.firsts})

    def plain_texts(self) -> Iterator[str]:
        """What surrounds the names: the unlabelled parts of all templates, and the programs."""
        for template in dict.fromkeys((*self._positive, *self._negative)):
            yield from (part.text for part in template if isinstance(part, Piece) and not part.label)
        yield from self._programs

    def texts(self, count: int) -> Iterator[list[Piece]]:
        """Labelled texts, each a list of pieces."""
        for _ in range(count):
            yield self._varied(self._with_other_words(self._text()))

    def _text(self) -> list[Piece]:
        chance = self._random.random()
        if chance < 0.66:
            pieces = self._filled(self._positive)
            while self._random.random() < 0.25:
                more = self._positive if self._random.random() < 0.75 else self._negative
                pieces += [Piece(self._random.choice(_BETWEEN_TEXTS)), *self._filled(more)]
            return pieces
        if chance < 0.86:
            return self._filled(self._negative)
        return [Piece(self._random.choice(self._programs))]

    def _filled(self, templates: Sequence[Template]) -> list[Piece]:
        """One of the templates with a value in each slot."""
        values: dict[Slot, str] = {}
        pieces = []
        for part in self._random.choice(templates):
            if isinstance(part, Piece):
                pieces.append(self._kept(part))
                continue
            value = values.get(part) or self._slots.fill(part.name)
            if part.number is not None:
                values[part] = value
            label = LABEL_OF_SLOT[part.name]
            pieces.append(Piece(self._misspelled(value, label), label))
        return pieces

    def _kept(self, piece: Piece) -> Piece:
        # A real name that was set aside gives way to another.
        if piece.label is None or self._names.is_kept(piece.text):
            return piece
        return Piece(self._slots.fill(_SLOT_INSTEAD[piece.label]), piece.label)

    def _with_other_words(self, pieces: list[Piece]) -> list[Piece]:
        """The same with some ordinary words exchanged, so that no word is a name for being new."""
        share = self._random.choice((0, 0, 0.1, 0.3))

        def other(match: re.Match[str]) -> str:
            word = match.group()
            if self._random.random() > share:
                return word
            # Frequent words more often, as in real texts.
            new = self._dictionary[int(len(self._dictionary) * self._random.random() ** 2.5)]
            return new if word.islower() else new.upper() if word.isupper() else new.capitalize()

        if not share:
            return pieces
        return [one if one.label else Piece(_ORDINARY_WORD.sub(other, one.text)) for one in pieces]

    def _misspelled(self, value: str, label: str | None) -> str:
        chance = self._random.random()
        if label is None or chance > 0.05:
            return value
        if chance < 0.02:
            return value.upper()
        return value.lower() if chance < 0.045 else value.replace(" ", "  ", 1)

    def _varied(self, pieces: list[Piece]) -> list[Piece]:
        """The whole text as people also write it."""
        chance = self._random.random()
        if chance < 0.16:
            pieces = [Piece(one.text.lower(), one.label) for one in pieces]
        elif chance < 0.19:
            pieces = [Piece(one.text.upper(), one.label) for one in pieces]
        elif chance < 0.24:
            # People begin sentences in lower case and still write names properly.
            pieces = [one if one.label else Piece(one.text.lower()) for one in pieces]
        elif chance < 0.28:
            pieces = [one if one.label else Piece(_PUNCTUATION.sub("", one.text)) for one in pieces]
        elif chance < 0.31:
            pieces = [one if one.label else Piece(one.text.title()) for one in pieces]
        return [one for one in pieces if one.text]
