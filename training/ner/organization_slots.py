"""Organizations: companies, institutions, those that exist and those that might."""

import string
from random import Random

from faker import Faker

from training.ner.names import Names
from training.ner.people_slots import PeopleSlots
from training.ner.place_slots import PlaceSlots
from training.ner.word_lists import lines_of, words_of

_LONGEST_ABBREVIATION = 3


class OrganizationSlots:
    """Makes names of organizations."""

    def __init__(
        self, names: Names, people: PeopleSlots, places: PlaceSlots, fake: Faker, random: Random
    ) -> None:
        self._names = names
        self._people = people
        self._places = places
        self._fake = fake
        self._random = random
        self._brands = names.brands
        self._institutions = lines_of("institutions")
        self._legal_forms = lines_of("legal_forms")
        self._company_words = words_of("company_words")
        self._company_nouns = words_of("company_nouns")
        self._syllables = words_of("syllables")
        self._endings = ("", "", "", *words_of("company_endings"))

    def org(self) -> str:
        """A company, bank, agency, hospital, school, club."""
        chance = self._random.random()
        if chance < 0.22:
            return self._random.choice(self._brands)
        if chance < 0.42:
            return self._institution()
        name = self._company()
        if self._random.random() < 0.45:
            name = f"{name} {self._random.choice(self._company_nouns)}"
        if self._random.random() < 0.33:
            between = self._random.choice((" ", " ", " ", ", "))
            name = f"{name}{between}{self._random.choice(self._legal_forms)}"
        return name

    def _institution(self) -> str:
        return self._random.choice(self._institutions).format(
            self._places.city(),
            self._places.country().removeprefix("the "),
            self._places.region(),
            self._people.last_name_word(),
            self._random.choice(self._company_words),
        )

    def _company(self) -> str:
        chance = self._random.random()
        if chance < 0.12:
            return f"{self._people.last_name_word()} & {self._people.last_name_word()}"
        if chance < 0.17:
            return self._partners()
        if chance < 0.25:
            return self._faked()
        if chance < 0.33:
            return self._people.last_name_word()
        if chance < 0.43:
            return self._people.last_name_word() + self._random.choice(" -") + self._people.last_name_word()
        if chance < 0.53:
            length = self._random.choice((2, 3, 3, 3, 4, 4))
            return "".join(self._random.choices(string.ascii_uppercase, k=length))
        if chance < 0.70:
            return self._invented()
        first = self._random.choice(self._company_words)
        if chance < 0.82:
            return first + self._random.choice(self._company_words).lower()
        return first + self._random.choice(("", " ")) + self._random.choice(self._company_words)

    def _faked(self) -> str:
        while not self._names.is_kept(company := self._fake.company()):
            pass
        return company

    def _partners(self) -> str:
        first, second = self._people.last_name_word(), self._people.last_name_word()
        return f"{first}, {second} {self._random.choice(('&', 'and'))} {self._people.last_name_word()}"

    def _invented(self) -> str:
        syllables = self._random.choices(self._syllables, k=self._random.randint(1, 3))
        made = "".join(syllables) + self._random.choice(self._endings)
        return made.capitalize() if len(made) > _LONGEST_ABBREVIATION else made.upper()
