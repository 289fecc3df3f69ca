"""People, and what is said of them: titles, ages, nationalities, religions, political leanings."""

import string
from random import Random

from training.ner.names import Names
from training.ner.word_lists import lines_of

_SHARE_OF_INVENTED_NAMES = 0.4
_LEAST_LETTERS = 3
_SUFFIXES = ("Jr.", "Jr", "III", "II", "Sr.", "PhD", "MD")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class PeopleSlots:
    """Makes people's names and traits."""

    def __init__(self, names: Names, random: Random) -> None:
        self._names = names
        self._random = random
        self._foreign = [pool for _, pool in sorted(names.foreign_people.items())]
        english = [locale for locale in names.people if locale.startswith("en")]
        american_and_british = ("en_US", "en_US", "en_US", "en_GB", "en_GB")
        self._locales = [*sorted(names.people), *english * 2, *american_and_british]
        self._particles = lines_of("particles")
        self._titles = lines_of("titles")
        self._nationalities = lines_of("nationalities")
        self._religions = lines_of("religions")
        self._politics = lines_of("politics")

    def person(self) -> str:
        """A whole name in any form."""
        first, last = self._pair()
        chance = self._random.random()
        if chance < 0.72:
            return f"{first} {last}"
        if chance < 0.82:
            return f"{first} {self._letter()}. {last}"
        if chance < 0.90:
            return f"{first} {self._pair()[0]} {last}"
        if chance < 0.94:
            return f"{first} {last} {self._pair()[1]}"
        if chance < 0.96:
            return f"{first} {last} {self._random.choice(_SUFFIXES)}"
        return self.initial_last()

    def first(self) -> str:
        """A first name, now and then a double one."""
        first = self._pair()[0]
        if self._random.random() < 0.04:
            return f"{first}{self._random.choice('- ')}{self._pair()[0]}"
        return first

    def last(self) -> str:
        """A last name."""
        return self._pair()[1]

    def first_last(self) -> str:
        """Jane Doe."""
        return " ".join(self._pair())

    def initial_last(self) -> str:
        """J. Doe, J Doe, J. K. Doe."""
        first, last = self._pair()
        initials = first[0] + self._random.choice((". ", " ", "."))
        if self._random.random() < 0.3:
            initials = f"{first[0]}.{self._random.choice(('', ' '))}{self._letter()}. "
        return initials + last

    def last_first(self) -> str:
        """Doe, Jane, and Doe, Jane K."""
        first, last = self._pair()
        middle = f" {self._letter()}." if self._random.random() < 0.2 else ""
        return f"{last}, {first}{middle}"

    def title(self) -> str:
        """A form of address."""
        return self._random.choice(self._titles)

    def age(self) -> str:
        """An age in digits, seldom in words."""
        age = self._random.choice((self._random.randint(1, 99), self._random.randint(18, 75)))
        if self._random.random() < 0.12:
            tens = self._random.choice(_TENS)
            both = f"{self._random.choice(_TENS)}-{self._random.choice(_ONES)}"
            return self._random.choice((tens, both, self._random.choice(_ONES)))
        return str(age)

    def nationality(self) -> str:
        """An adjective or noun of nationality."""
        return self._random.choice(self._nationalities)

    def religion(self) -> str:
        """A religion or who belongs to it."""
        return self._random.choice(self._religions)

    def politics(self) -> str:
        """A party or leaning."""
        return self._random.choice(self._politics)

    def last_name_word(self) -> str:
        """A listed last name of one word, as places and companies are called after."""
        while True:
            last = self._listed_last().split()[0]
            if last.isalpha() and len(last) >= _LEAST_LETTERS:
                return last

    def _listed_last(self) -> str:
        return self._random.choice(self._names.people[self._random.choice(self._locales)].lasts)

    def _letter(self) -> str:
        return self._random.choice(string.ascii_uppercase)

    def _pair(self) -> tuple[str, str]:
        """First and last name of somebody."""
        if self._random.random() < 0.025:
            pool = self._random.choice(self._foreign)
        else:
            pool = self._names.people[self._random.choice(self._locales)]
        return self._name(pool.firsts), self._last_form(self._name(pool.lasts))

    def _name(self, pool: list[str]) -> str:
        name = self._random.choice(pool)
        if self._random.random() > _SHARE_OF_INVENTED_NAMES:
            return name
        # Half of one name and half of another: a name that looks right and that no list holds.
        other = self._random.choice(pool)
        half = max(2, len(name) // 2 + self._random.randrange(2))
        made = name[:half] + other[len(other) // 2 :].lower()
        return made if self._names.is_kept(made) and " " not in made else name

    def _last_form(self, last: str) -> str:
        chance = self._random.random()
        if chance < 0.05:
            particle = self._random.choice(self._particles)
            joined = particle + last if particle.endswith(("-", "'", "Mc")) else f"{particle} {last}"
            return joined if self._random.random() < 0.7 else joined[0].upper() + joined[1:]
        if chance < 0.10:
            return f"{last}-{self._listed_last()}"
        return last
