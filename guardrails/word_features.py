"""What a word looks like to the basic tier's network: the same features in training and in use."""

import re
from binascii import crc32
from dataclasses import dataclass

TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
"""Letters, digits or a single sign: what the network labels."""
WORD_ROWS = 1 << 15
PART_ROWS = 1 << 16
SHAPES = 24
ORDINARY_WORDS = ("common", "dictionary", "foreign word")
"""The word lists that hold no names."""
NAME_LISTS = ("first name", "last name", "town", "part of a town", "region", "brand")
"""The word lists that hold names of somebody or something."""
GAPS = 3
"""How a token stands to the one before: beside it, after a space, on a new line."""

_SHORT = 4
_LONGEST = 24
"""Letters of a word that are looked at in parts."""


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
    key = lower.encode()
    # Letters of one byte can be cut as bytes, which is faster.
    parts = _ascii_parts(key[:_LONGEST]) if lower.isascii() else map(str.encode, _parts(lower[:_LONGEST]))
    rows = tuple([crc32(part) % PART_ROWS for part in parts])
    return WordFeatures(crc32(key) % WORD_ROWS, rows, _shape(word))


def has_identity(word: str, lists: int) -> bool:
    """Whether the network knows the word itself; one that no list holds is judged by its letters alone.

    Its row of the table is that of other words, too.
    """
    return bool(lists) or not word.isalpha()


def gap_before(text: str, previous_end: int, start: int) -> int:
    """How a token that begins at `start` stands to the one that ended at `previous_end`."""
    if start == previous_end:
        return 0
    return 2 if previous_end == 0 or "\n" in text[previous_end:start] else 1


def name_key(word: str) -> int:
    """Where the gazetteer keeps a word."""
    return crc32(word.casefold().encode())


def _parts(lower: str) -> list[str]:
    begun, ended, length = f"<{lower}", f"{lower}>", len(lower)
    return [
        *(begun[: size + 1] for size in range(1, min(length, 4) + 1)),
        *(ended[-size - 1 :] for size in range(1, min(length, 5) + 1)),
        *(lower[place : place + 3] for place in range(length - 2)),
    ]


def _ascii_parts(lower: bytes) -> list[bytes]:
    begun, ended, length = b"<" + lower, lower + b">", len(lower)
    return [
        *[begun[: size + 1] for size in range(1, min(length, 4) + 1)],
        *[ended[-size - 1 :] for size in range(1, min(length, 5) + 1)],
        *[lower[place : place + 3] for place in range(length - 2)],
    ]


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
