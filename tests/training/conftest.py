"""A world of few names: the real one takes time, and packages that the tests do without."""

from itertools import product

import pytest

from training.ner import corpus, name_sources
from training.ner.names import Names, dictionary


def made_of(beginnings: str, endings: str) -> list[str]:
    """Names that nobody has."""
    return ["".join(parts) for parts in product(beginnings.split(), endings.split())]


FIRSTS = ["Jane", "Iris", *made_of("Abe Bri Cle Dwo Emi", "lwa nuk rvi sto tti")]
LASTS = ["Doe", *made_of("Abel Berk Colt Dunk Ekst", "wickel thorsun maark ovsko ingrei")]
GREEK = made_of("Αλε Βλα Γιω Δημ", "ξιου χος ννας ητρη")


@pytest.fixture
def small_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few people, towns, countries, regions, addresses, words and programs."""
    people = {"en_US": (FIRSTS, LASTS), "en_GB": (FIRSTS, LASTS), "el_GR": (GREEK, GREEK)}
    monkeypatch.setattr(name_sources, "person_lists", lambda: people)
    monkeypatch.setattr(name_sources, "towns", lambda: [("Oslo", 700_000), ("Skien", 55_000)])
    monkeypatch.setattr(name_sources, "countries", lambda: ["Norway", "Peru"])
    monkeypatch.setattr(name_sources, "regions", lambda: ["Telemark", "Nordland"])
    monkeypatch.setattr(name_sources, "english_words", lambda: ["window", "jane", "table", "a", "o'clock"])
    monkeypatch.setattr(Names, "_faked", lambda _self, method, _times: [f"12 {method}\n3700 Skien"])
    monkeypatch.setattr(corpus, "program_texts", lambda _first_names: ["def add(a, b):\n    return a + b"])
    # Without its cache, for the words are others in every world.
    monkeypatch.setattr(corpus, "dictionary", dictionary.__wrapped__)
