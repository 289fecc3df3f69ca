"""What has no label: addresses of the net, numbers of all kinds, products, jobs."""

import re
import string
from random import Random
from uuid import UUID

from faker import Faker

from training.ner.word_lists import lines_of, words_of


class OtherSlots:
    """Makes what is no name, so that the network learns to leave it."""

    def __init__(self, fake: Faker, random: Random) -> None:
        self._fake = fake
        self._random = random
        self._fakes = [Faker(locale) for locale in words_of("phone_locales")]
        for seed, one in enumerate(self._fakes):
            one.seed_instance(seed)
        self._phone_patterns = lines_of("phone_patterns")
        self._products = lines_of("products")
        self._product_makes = words_of("product_makes")
        self._product_things = words_of("product_things")
        self._jobs = lines_of("jobs")

    def email(self) -> str:
        """An e-mail address."""
        return self._fake.email()

    def phone(self) -> str:
        """A telephone number."""
        if self._random.random() < 0.5:
            return self._random.choice(self._fakes).phone_number()
        digits = iter(self._random.choices(string.digits, k=12))
        return re.sub("x", lambda _: next(digits), self._random.choice(self._phone_patterns))

    def url(self) -> str:
        """A URL or domain."""
        return self._fake.url() if self._random.random() < 0.6 else self._fake.domain_name()

    def ip(self) -> str:
        """An IP address."""
        return self._fake.ipv4()

    def number(self) -> str:
        """A number."""
        return str(self._random.choice((self._random.randint(0, 100), self._random.randint(100, 99999))))

    def amount(self) -> str:
        """An amount of money."""
        value = self._random.choice((self._random.randint(1, 999), self._random.randint(1000, 99999)))
        cents = f"{value}.{self._random.randint(0, 99):02}"
        exact = (f"${cents}", f"€{value}", f"{cents} EUR", f"USD {value:,}", f"£{value:,}")
        loose = (f"{value} dollars", cents, f"{value} kr", f"${value:,}", f"{value}€")
        return self._random.choice((*exact, *loose))

    def order_id(self) -> str:
        """The number of an order, ticket or invoice."""
        number = self._random.randint(1000, 9999999)
        grouped = f"{number % 1000:03}-{number}"
        forms = (str(number), f"#{number}", f"ORD-{number}", f"A{number}", grouped, f"PO{number}")
        return self._random.choice(forms)

    def code_id(self) -> str:
        """Letters with a number: of a passport, policy, part."""
        letters = "".join(self._random.choices(string.ascii_uppercase, k=self._random.randint(2, 4)))
        apart = f"{letters}-{self._random.randint(1, 9999)}"
        joined = f"{letters}{self._random.randint(1, 9999)}"
        return self._random.choice((apart, joined, f"{letters.lower()}_{self._random.randint(1, 99)}"))

    def username(self) -> str:
        """Somebody's name in a system."""
        return self._fake.user_name()

    def product(self) -> str:
        """Something that is made and sold."""
        if self._random.random() < 0.35:
            return self._random.choice(self._products)
        makes = self._random.choices(self._product_makes, k=self._random.choice((1, 1, 1, 2)))
        name = " ".join([*makes, self._random.choice(self._product_things)])
        name = self._random.choice((name, name.capitalize(), name.title(), name.title()))
        return name + self._random.choice(("", "", "", "", "s", ", set of two", ", black", " XL", " 2"))

    def job(self) -> str:
        """A job."""
        return self._fake.job() if self._random.random() < 0.5 else self._random.choice(self._jobs)

    def iban(self) -> str:
        """An IBAN, in groups or not."""
        number = self._random.choice(self._fakes).iban()
        return self._random.choice((number, _in_groups(number)))

    def card(self) -> str:
        """The number of a credit card."""
        number = self._fake.credit_card_number()
        groups = _in_groups(number)
        return self._random.choice((number, number, groups, groups.replace(" ", "-")))

    def ssn(self) -> str:
        """A social security number."""
        number = self._fake.ssn()
        return self._random.choice((number, number, number.replace("-", " "), number.replace("-", "")))

    def uuid(self) -> str:
        """A UUID."""
        return str(UUID(int=self._random.getrandbits(128)))

    def path(self) -> str:
        """A file's path."""
        return self._fake.file_path(depth=self._random.randint(1, 4))

    def version(self) -> str:
        """A version."""
        return ".".join(str(self._random.randint(0, 20)) for _ in range(self._random.randint(2, 3)))


def _in_groups(number: str) -> str:
    return " ".join(number[place : place + 4] for place in range(0, len(number), 4))
