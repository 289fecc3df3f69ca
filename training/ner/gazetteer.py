"""Which words are known as names, places and the like: a bit for each list that holds the word."""

from collections import Counter
from collections.abc import Iterable

from ringfence.guardrails.word_features import name_key
from training.ner.held_out import HeldOut
from training.ner.names import Names, dictionary, foreign_dictionary
from training.ner.word_lists import LETTERS, lines_of, words_of

LISTS = (
    *("first name", "last name", "town", "part of a town", "region", "street", "company"),
    *("title", "nationality", "calendar", "common", "brand", "dictionary", "foreign word"),
)
"""The lists, in the order of their bits."""
_LEAST_COUNT = 4
"""How often a word stands in the plain texts that is common there."""


def gazetteer(plain_texts: Iterable[str]) -> dict[int, int]:
    """The key of a word → its bits. What was set aside for evaluation is in the lists as every name is."""
    bits: dict[int, int] = {}
    lists = _lists(plain_texts)
    for bit, name in enumerate(LISTS):
        keys = (name_key(word) for entry in lists[name] for word in LETTERS.findall(entry) if len(word) > 1)
        for key in keys:
            bits[key] = bits.get(key, 0) | 1 << bit
    return bits


def _lists(plain_texts: Iterable[str]) -> dict[str, Iterable[str]]:
    names = Names(HeldOut())
    towns = set(names.towns)
    return {
        "first name": [first for pool in names.people.values() for first in pool.firsts],
        "last name": [last for pool in names.people.values() for last in pool.lasts],
        "town": [town for town in towns if len(LETTERS.findall(town)) == 1],
        "part of a town": [town for town in towns if len(LETTERS.findall(town)) > 1],
        "region": [*names.countries, *names.regions],
        "street": lines_of("streets"),
        "company": [*lines_of("company_nouns"), *lines_of("legal_forms"), *lines_of("institutions")],
        "title": lines_of("titles"),
        "nationality": [*lines_of("nationalities"), *lines_of("religions"), *lines_of("politics")],
        "calendar": _calendar(),
        "common": _common(plain_texts),
        "brand": lines_of("brands"),
        "dictionary": dictionary(),
        "foreign word": foreign_dictionary(),
    }


def _calendar() -> list[str]:
    whole = [*words_of("months"), *words_of("weekdays")]
    return [*whole, *(name[:3] for name in whole), "Sept"]


def _common(plain_texts: Iterable[str]) -> list[str]:
    counts = Counter(word for text in plain_texts for word in LETTERS.findall(text) if word.islower())
    return [word for word, count in counts.items() if count >= _LEAST_COUNT]
