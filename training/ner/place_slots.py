"""Places: towns, regions, countries, landmarks, streets, addresses."""

from random import Random

from training.ner.names import Names
from training.ner.people_slots import PeopleSlots
from training.ner.word_lists import lines_of, words_of

_BEFORE_STREETS = ("", "Flat 3, ", "Apt. 12, ", "Unit 7, ", "2nd Floor, ", "c/o ", "Top ")
_AFTER_HOUSE_NUMBERS = ("", "", "", "", "a", "B", " bis", " b")
_BETWEEN_LINES = (", ", ", ", ", ", " ", "; ")


class PlaceSlots:
    """Makes names of places and addresses."""

    def __init__(self, names: Names, people: PeopleSlots, random: Random) -> None:
        self._names = names
        self._people = people
        self._random = random
        self._places = lines_of("places")
        self._town_endings = words_of("town_endings")
        self._town_patterns = lines_of("town_patterns")
        self._street_types = words_of("street_types")
        self._street_endings = words_of("street_endings")
        self._number_after = lines_of("street_patterns_number_after")
        self._number_before = lines_of("street_patterns_number_before")

    def city(self) -> str:
        """A town."""
        town = self._random.choice(self._names.towns)
        return self._invented_town() if self._random.random() < 0.2 else town

    def region(self) -> str:
        """A state or province."""
        return self._random.choice(self._names.regions)

    def country(self) -> str:
        """A country, or an invented one, so that not only the listed countries are recognised."""
        if self._random.random() < 0.12:
            return self._invented_town()
        return self._random.choice(self._names.countries)

    def place(self) -> str:
        """A quarter, island, river, mountain, landmark."""
        name = self.city() if self._random.random() < 0.4 else self._people.last_name_word()
        return self._random.choice(self._places).format(name)

    def street(self) -> str:
        """Street and house number."""
        chance = self._random.random()
        if chance < 0.10:
            return f"{self._people.last_name_word()} {self._random.choice(self._street_types)}"
        if chance < 0.16:
            lines = self._random.choice(self._names.street_lines).replace("\n", ", ")
            return self._random.choice(_BEFORE_STREETS) + lines
        if chance < 0.28:
            return self._foreign_street()
        return self._random.choice(self._names.street_lines).replace("\n", ", ")

    def address(self) -> str:
        """A whole address in one line."""
        lines = self._random.choice(self._names.addresses).split("\n")
        if self._random.random() < 0.3:
            lines.append(self.country())
        if self._random.random() < 0.2:
            lines = [self.street(), f"{self.postcode()} {self.city()}"]
        return self._random.choice(_BETWEEN_LINES).join(lines)

    def address_lines(self) -> str:
        """A whole address in several lines."""
        lines = self._random.choice(self._names.addresses)
        return f"{lines}\n{self.country()}" if self._random.random() < 0.3 else lines

    def postcode(self) -> str:
        """A postal code."""
        return self._random.choice(self._names.postcodes)

    def _invented_town(self) -> str:
        while True:
            name = self._people.last_name_word()
            stem = name[: self._random.randint(3, 5)] + self._random.choice(self._town_endings)
            town = self._random.choice(self._town_patterns).format(stem)
            # Half of a name and an ending may make one that was set aside.
            if self._names.is_kept(town):
                return town

    def _foreign_street(self) -> str:
        name, number = self._people.last_name_word(), self._random.randint(1, 299)
        letter = self._random.choice(_AFTER_HOUSE_NUMBERS)
        chance = self._random.random()
        if chance < 0.25:
            # Streets whose names end like nothing known.
            stem = name if chance < 0.12 else name[: self._random.randint(3, 6)]
            made = stem + self._random.choice(self._street_endings) if chance < 0.18 else stem
            return f"{made} {number}{letter}" if chance < 0.2 else f"{number} {made}"
        if chance < 0.75:
            street = self._random.choice(self._number_after).format(name)
            return f"{street}{self._random.choice((' ', ' ', ' ', ', '))}{number}{letter}"
        return f"{number}{letter} {self._random.choice(self._number_before).format(name)}"
