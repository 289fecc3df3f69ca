"""What fills a template's slots."""

from collections.abc import Callable
from random import Random

from faker import Faker

from training.ner.date_slots import DateSlots
from training.ner.names import Names
from training.ner.organization_slots import OrganizationSlots
from training.ner.other_slots import OtherSlots
from training.ner.people_slots import PeopleSlots
from training.ner.place_slots import PlaceSlots
from training.ner.templates import LABEL_OF_SLOT


class Slots:
    """Makes a value for each slot."""

    def __init__(self, names: Names, random: Random) -> None:
        fake = Faker("en_US")
        fake.seed_instance(random.randrange(2**32))
        people = PeopleSlots(names, random)
        places = PlaceSlots(names, people, random)
        organizations = OrganizationSlots(names, people, places, fake, random)
        subjects = (people, places, organizations, DateSlots(random), OtherSlots(fake, random))
        self._makers: dict[str, Callable[[], str]] = {
            slot: getattr(subject, slot)
            for slot in LABEL_OF_SLOT
            for subject in subjects
            if hasattr(subject, slot)
        }

    def fill(self, slot: str) -> str:
        """A new value for a slot."""
        return self._makers[slot]()
