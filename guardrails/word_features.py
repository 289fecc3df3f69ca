"""What a word looks like to the basic tier's network: the same features in training and in use."""

import re
from binascii import crc32
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
"""Letters, digits or a single sign: what the network labels."""
WORD_ROWS = 1 << 15
PART_ROWS = 1 << 16
SHAPES = 24
GAPS = 3
"""How a token stands to the one before: beside it, after a space, on a new line."""

_SHORT = 4


@dataclass(frozen=True, slots=True)
class WordFeatures:
    """Rows of the network's tables for one word."""

    word: int
    parts: tuple[int, ...]
    """Prefixes, suffixes and the three-letter pieces between."""
    shape: int


def features_of(word: str) -> WordFeatures:
    """The features of a word as it is written."""
    lower = word.lower()
    parts = (crc32(part.encode()) % PART_ROWS for part in _parts(lower))
    return WordFeatures(crc32(lower.encode()) % WORD_ROWS, tuple(parts), _shape(word))


def gap_before(text: str, previous_end: int, start: int) -> int:
    """How a token that begins at `start` stands to the one that ended at `previous_end`."""
    if start == previous_end:
        return 0
    return 2 if previous_end == 0 or "\n" in text[previous_end:start] else 1


def name_key(word: str) -> int:
    """Where the gazetteer keeps a word."""
    return crc32(word.casefold().encode())


def _parts(lower: str) -> Iterator[str]:
    lower = lower[:24]
    yield from (f"<{lower[:size]}" for size in (1, 2, 3, 4) if size <= len(lower))
    yield from (f"{lower[-size:]}>" for size in (1, 2, 3, 4, 5) if size <= len(lower))
    yield from (lower[place : place + 3] for place in range(len(lower) - 2))


def _shape(word: str) -> int:
    length = len(word)
    if word[0].isdigit():
        return min(length, 8)
    if not word[0].isalpha():
        return 9
    if word.islower():
        return 10 + min(length, 3)
    if word.isupper():
        return 13 + min(length, 4)
    if word[0].isupper() and word[1:].islower():
        return 18 if length < _SHORT else 19
    if word[0].isupper():
        return 20
    return 21 if not word.isascii() and word.casefold() == word.lower() == word.upper() else 22
