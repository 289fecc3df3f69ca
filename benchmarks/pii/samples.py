"""Annotated texts to measure on: our own, and a file in the format of presidio-research."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.pii.annotated import read_messages

_NAMES = frozenset({"PERSON", "GPE", "LOCATION", "ORGANIZATION", "STREET_ADDRESS"})
"""Types, as a file calls them, whose words are kept from the lists when names shall be unseen."""
_OUR_TYPE = {"GPE": "LOCATION", "STREET_ADDRESS": "LOCATION", "ZIP_CODE": "LOCATION", "DOMAIN_NAME": "URL"}
_WORD = re.compile(r"[^\W\d_]+")


class Gold(NamedTuple):
    """What is to be found."""

    entity: str
    """In our words."""
    start: int
    end: int
    is_name: bool


class Sample(NamedTuple):
    """A text with everything that is to be found in it."""

    text: str
    gold: tuple[Gold, ...]

    def value(self, gold: Gold) -> str:
        """The text of a piece."""
        return self.text[gold.start : gold.end]


class DataError(ValueError):
    """A file is not in the format; says where, and quotes nothing."""


def read_samples(path: Path) -> list[Sample]:
    """A JSON list of `{"full_text", "spans": [{"entity_type", "start_position", "end_position"}]}`."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise DataError(f"{path} is not JSON") from None
    if not isinstance(data, list):
        raise DataError(f"{path} is not a JSON list of samples")
    return [_sample(entry, number) for number, entry in enumerate(data, start=1)]


def own_samples() -> list[Sample]:
    """The messages of `chat.txt`."""
    return [
        Sample(
            message.text,
            tuple(
                Gold(one.entity_type, one.start, one.end, one.entity_type in _NAMES) for one in message.spans
            ),
        )
        for message in read_messages()
    ]


def name_words(samples: Iterable[Sample]) -> set[str]:
    """The words of all names and places."""
    values = (sample.value(gold) for sample in samples for gold in sample.gold if gold.is_name)
    return {word for value in values for word in _WORD.findall(value.casefold())}


def is_luhn_valid(value: str) -> bool:
    """Whether the check digit of a payment card holds."""
    digits = [int(sign) for sign in reversed(value) if sign.isdecimal()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return bool(digits) and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _sample(entry: Any, number: int) -> Sample:
    try:
        text = entry["full_text"]
        gold = tuple(_gold(entry["spans"], len(text)))
    except (KeyError, TypeError, ValueError):
        raise DataError(f"sample {number} is not in the format of presidio-research") from None
    return Sample(text, gold)


def _gold(spans: Iterable[Any], length: int) -> Iterator[Gold]:
    for span in spans:
        named, start, end = span["entity_type"], int(span["start_position"]), int(span["end_position"])
        if not 0 <= start < end <= length:
            raise ValueError
        yield Gold(_OUR_TYPE.get(named, named), start, end, named in _NAMES)
