"""Which names are one person's: `Jane Doe`, `Jane`, `Ms Doe`, `J. Doe`, `Doe, Jane`, `Jane Marie Doe`."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

_MOST_NAMESAKES = 8
"""People of one name of whom each is looked at; a name that more have is ambiguous anyway."""

_WOMEN = "ms mrs miss madam lady frau fräulein madame mme mademoiselle mlle señora sra señorita srta signora"
_MEN = "mr sir herr monsieur señor signor sig"
_ANYBODY = "mx dr prof professor dipl ing mag dott dra"
_TITLES = {
    **dict.fromkeys(_WOMEN.split(), "f"),
    **dict.fromkeys(_MEN.split(), "m"),
    **dict.fromkeys(_ANYBODY.split(), ""),
}
_DEGREES = frozenset({"phd", "md", "mba", "msc", "bsc", "esq", "jd", "dds", "rn", "cpa", "llm"})
_GENERATIONS = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "iii": "iii", "iv": "iv"}
_GERMAN_AND_DUTCH = {"van", "von", "der", "den", "de", "ter", "ten", "zu", "zum"}
_ROMANCE_AND_NORDIC = {"del", "della", "di", "da", "dos", "du", "la", "le", "af", "av"}
_PARTICLES = _GERMAN_AND_DUTCH | _ROMANCE_AND_NORDIC
_BREAK = re.compile(r"[\s.]+")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})
_POSSESSIVE = re.compile(r"['’ʼ´`]s?$")
_AROUND = "\"'’()[],:;!?-–"

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name as it was written, or all that is known of a person's name. Empty is unknown."""

    lone: str = ""
    """A single name, of which nobody can say whether it is the first or the last."""
    first: str = ""
    """The first name, or its initial."""
    middle: tuple[str, ...] = ()
    last: str = ""
    generation: str = ""
    gender: str = ""
    """What the title says, `f` or `m`."""

    @classmethod
    def of(cls, written: str) -> Self | None:
        """Read a name; None when there is none in it."""
        text = _POSSESSIVE.sub("", _without_accents(written.casefold()).strip())
        family, comma, given = text.partition(",")
        ahead, behind = _tokens(family), _tokens(given)
        gender, is_titled = _take_titles(ahead)
        generation = _take_suffixes(behind, least=0) or _take_suffixes(ahead, least=1)
        if comma and behind:
            more, again = _take_titles(behind)
            gender, is_titled = gender or more, is_titled or again
            ahead, last = [*behind, *ahead], len(ahead)
        else:
            last = _length_of_last(ahead)
        if not ahead or not any(sign.isalpha() for sign in ahead[0]):
            return None
        surname, before = " ".join(ahead[len(ahead) - last :]), ahead[: len(ahead) - last]
        return cls(
            lone="" if before or is_titled else surname,
            first=before[0] if before else "",
            middle=tuple(before[1:]),
            last=surname if before or is_titled else "",
            generation=generation,
            gender=gender,
        )

    @property
    def key(self) -> str:
        """The same for all ways to write this name that differ in signs only."""
        return "\0".join([self.lone, self.first, *self.middle, "", self.last, self.generation, self.gender])

    def may_be(self, other: Self) -> bool:
        """Whether one person may have both names."""
        if self.gender and other.gender and self.gender != other.gender:
            return False
        # John Doe Jr. is not John Doe; John may be either.
        whole = bool(self.first and other.first)
        if self.generation != other.generation and (whole or (self.generation and other.generation)):
            return False
        if self.lone or other.lone:
            lone, name = (self, other) if self.lone else (other, self)
            return lone.lone in {name.lone, name.first, name.last}  # which of them it is, it does not say
        firsts = not whole or _agree(self.first, other.first)
        return self.last == other.last and firsts and all(map(_agree, self.middle, other.middle))

    def together(self, other: Self) -> Self:
        """What is known of a person who has both names."""
        fuller = max(self, other, key=lambda one: (bool(one.first), bool(one.last)))
        less = other if fuller is self else self
        first = less.first if fuller.first and less.first.startswith(fuller.first) else fuller.first
        middle = max(fuller.middle, less.middle, key=lambda names: (len(names), sum(map(len, names))))
        generation, gender = fuller.generation or less.generation, fuller.gender or less.gender
        return replace(fuller, first=first, middle=middle, generation=generation, gender=gender)


class People:
    """The people of one conversation, by number."""

    def __init__(self) -> None:
        self._names: dict[int, PersonName] = {}
        self._uncertain: set[int] = set()
        self._places: defaultdict[Key, set[int]] = defaultdict(set)

    def same_as(self, name: PersonName) -> tuple[int | None, bool]:
        """The one person who is known and may have this name, and whether anybody may."""
        numbers: set[int] = set()
        for key in _asked(name):
            here = self._places.get(key, ())
            if len(here) > _MOST_NAMESAKES:
                return None, True
            numbers.update(number for number in here if self._names[number].may_be(name))
        if len(numbers) == 1 and not numbers & self._uncertain:
            return numbers.pop(), True
        return None, bool(numbers)

    def add(self, number: int, name: PersonName, *, uncertain: bool = False) -> None:
        """Somebody has this name, perhaps besides another. Who is uncertain stays alone for ever."""
        known = self._names.get(number)
        self.remove(number, keep_uncertain=True)
        self._names[number] = name = known.together(name) if known else name
        if uncertain:
            self._uncertain.add(number)
        for key in _kept(name):
            self._places[key].add(number)

    def remove(self, number: int, *, keep_uncertain: bool = False) -> None:
        """Forget somebody."""
        if (name := self._names.pop(number, None)) is None:
            return
        for key in _kept(name):
            self._places[key].discard(number)
            if not self._places[key]:
                del self._places[key]
        if not keep_uncertain:
            self._uncertain.discard(number)

    def who_may_be(self, name: PersonName) -> list[int]:
        """Everybody who may have this name. Looks at all of them."""
        return [number for number, known in self._names.items() if known.may_be(name)]


def _asked(name: PersonName) -> Iterator[Key]:
    """Where to look for people who may have a name."""
    if name.lone:
        yield "part", name.lone
    elif not name.first:
        yield "last", name.last
    else:
        yield from (("alone", name.last), ("bare", name.last))
        if _is_initial(name.first):
            yield "initial", name.first, name.last
        else:
            yield from (("pair", name.first, name.last), ("short", name.first[0], name.last))
            yield "alone", name.first


def _kept(name: PersonName) -> Iterator[Key]:
    """Where a person is found, whatever is asked for."""
    for part in {name.lone, name.first, name.last} - {""}:
        yield "part", part
    yield "last", name.last or name.lone
    if name.lone:
        yield "alone", name.lone
    elif not name.first:
        yield "bare", name.last
    else:
        yield "initial", name.first[0], name.last
        yield ("short" if _is_initial(name.first) else "pair"), name.first, name.last


def _tokens(text: str) -> list[str]:
    return [token for token in (one.strip(_AROUND) for one in _BREAK.split(text)) if token]


def _take_titles(tokens: list[str]) -> tuple[str, bool]:
    gender, any_title = "", False
    while tokens and tokens[0] in _TITLES:
        gender, any_title = _TITLES[tokens.pop(0)] or gender, True
    return gender, any_title


def _take_suffixes(tokens: list[str], *, least: int) -> str:
    generation = ""
    while len(tokens) > least and (tokens[-1] in _DEGREES or tokens[-1] in _GENERATIONS):
        generation = _GENERATIONS.get(tokens.pop(), generation)
    return generation


def _length_of_last(tokens: list[str]) -> int:
    """How many words the last name has: `van der Berg` has three."""
    length = min(len(tokens), 1)
    while length < len(tokens) and tokens[-length - 1] in _PARTICLES:
        length += 1
    return length


def _is_initial(name: str) -> bool:
    # A single Chinese character is a whole name.
    return len(name) == 1 and name.upper() != name


def _agree(one: str, other: str) -> bool:
    if _is_initial(one) or _is_initial(other):
        return one[0] == other[0]
    return one == other


def _without_accents(text: str) -> str:
    # Wójcik writes himself wojcik where the keyboard has no ó.
    signs = (sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return unicodedata.normalize("NFKC", "".join(signs)).translate(_LETTERS)
