"""The names that fill the slots, without those that were set aside for evaluation."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from faker import Faker

from training.ner import name_sources
from training.ner.held_out import HeldOut
from training.ner.word_lists import LETTERS, lines_of, words_of

_PLAIN_NAME = re.compile(r"[\w .,'’()/\-&]+")
_LEAST_NAMES = 10
"""A country with as few first or last names, or fewer, is left out."""
_TOWN_SIZES = ((100_000, 2), (500_000, 4), (2_000_000, 8))
"""More people than this, and how many times more often the town occurs."""


@dataclass(frozen=True, slots=True)
class NamePool:
    """The names of one country's people."""

    firsts: list[str]
    lasts: list[str]


class Names:
    """Lists of names, none of which holds a word that was set aside."""

    def __init__(self, held_out: HeldOut) -> None:
        self._held_out = held_out

    def is_kept(self, name: str) -> bool:
        """Whether no word of a name was set aside."""
        return not self._held_out.has(name)

    @cached_property
    def people(self) -> dict[str, NamePool]:
        """Locale → names in Latin letters."""
        return self._people(latin=True)

    @cached_property
    def foreign_people(self) -> dict[str, NamePool]:
        """Locale → names in another script."""
        return self._people(latin=False)

    @cached_property
    def towns(self) -> list[str]:
        """Towns of the world; the large ones several times."""
        weighted = []
        for town, people in sorted(name_sources.towns(), key=lambda one: one[0]):
            if self.is_kept(town) and _is_latin(town):
                weighted += [town] * (1 + sum(times for size, times in _TOWN_SIZES if people > size))
        return weighted

    @cached_property
    def countries(self) -> list[str]:
        """Countries in English, with the short forms that people write."""
        return self._held_out.kept([*name_sources.countries(), *lines_of("country_short_forms")])

    @cached_property
    def regions(self) -> list[str]:
        """States, provinces and the like."""
        return self._held_out.kept(name.rstrip("*") for name in name_sources.regions() if _is_latin(name))

    @cached_property
    def brands(self) -> list[str]:
        """Organizations that exist."""
        return self._held_out.kept(lines_of("brands"))

    @cached_property
    def street_lines(self) -> list[str]:
        """Streets with house numbers as each country writes them."""
        return self._faked("street_address", 900)

    @cached_property
    def addresses(self) -> list[str]:
        """Whole addresses, with line breaks."""
        return self._faked("address", 500)

    @cached_property
    def postcodes(self) -> list[str]:
        """Postal codes."""
        return self._faked("postcode", 120)

    def _people(self, *, latin: bool) -> dict[str, NamePool]:
        pools = {}
        for locale, (firsts, lasts) in name_sources.person_lists().items():
            pool = NamePool(self._in_script(firsts, latin=latin), self._in_script(lasts, latin=latin))
            if min(len(pool.firsts), len(pool.lasts)) > _LEAST_NAMES:
                pools[locale] = pool
        return pools

    def _in_script(self, names: Iterable[str], *, latin: bool) -> list[str]:
        # Signs that no name has in Latin letters are common in other scripts.
        plain = (name for name in names if not latin or _PLAIN_NAME.fullmatch(name))
        return [name for name in self._held_out.kept(plain) if _is_latin(name) == latin]

    def _faked(self, method: str, times: int) -> list[str]:
        made: list[str] = []
        for seed, locale in enumerate(words_of("address_locales")):
            fake = Faker(locale)
            fake.seed_instance(seed)
            values = (str(getattr(fake, method)()) for _ in range(times))
            made += [value for value in values if _is_latin(value.replace("\n", " ")) and self._is_new(value)]
        return made

    def _is_new(self, address: str) -> bool:
        # Street words such as Road are no names.
        return self.is_kept(
            " ".join(word for word in LETTERS.findall(address) if word.casefold() not in _street_words())
        )


@cache
def dictionary() -> tuple[str, ...]:
    """Ordinary English words, the most frequent first: those of a spelling dictionary that are no names."""
    return _apart_from_names(name_sources.english_words())


@cache
def foreign_dictionary() -> tuple[str, ...]:
    """Ordinary words of other languages that are no names."""
    return _apart_from_names(sorted({word.casefold() for word in name_sources.foreign_words()}))


def _apart_from_names(words: Iterable[str]) -> tuple[str, ...]:
    everything = Names(HeldOut())
    listed = [name for pool in everything.people.values() for name in (*pool.firsts, *pool.lasts)]
    listed += [*everything.towns, *everything.countries, *everything.regions]
    listed += [*everything.brands, *lines_of("nationalities")]
    names = {word.casefold() for name in listed for word in LETTERS.findall(name)}
    return tuple(word for word in words if len(word) > 1 and word.isalpha() and word not in names)


@cache
def _street_words() -> frozenset[str]:
    return frozenset(word.casefold() for word in words_of("streets"))


def _is_latin(text: str) -> bool:
    return all(sign < "ɐ" or "Ḁ" <= sign <= "ỿ" or sign in "’–" for sign in text)
