"""Text in another spelling: encoded, reversed, rotated, spaced out or with digits for letters.

Only what turns into readable text is of interest; work and depth are bounded by those who call.
"""

import base64
import binascii
import codecs
import html
import re
import urllib.parse
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ringfence.guardrails.injection_search import TRIGGERS

MOST_BLOBS = 24
"""Of one text; the longest first, because a sentence needs room."""
MOST_BLOB = 20_000
"""Characters of one blob that are decoded."""
_LEAST_READABLE = 0.85
_LEAST_TEXT = 8

_BASE64 = re.compile(r"(?<![\w+/-])[A-Za-z0-9+/_-]{16,}(?:\s?[A-Za-z0-9+/_-]{16,}){0,400}+={0,2}")
_HEX = re.compile(r"(?<![0-9a-fA-F])(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s:,]?){10,}+")
_PERCENT = re.compile(r"(?:[\w.~+-]{0,20}%[0-9a-fA-F]{2}){4,}+[\w.~+-]{0,40}")
_ENTITIES = re.compile(r"(?:&#x?[0-9a-fA-F]{2,6};\s?){5,}+")
_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4}\s?){5,}+")
_BINARY = re.compile(r"(?:[01]{8}\s?){8,}+")
_SPACED = re.compile(r"(?<![^\W_])[A-Za-z0-9](?:[ .\-_*|]{1,3}[A-Za-z0-9](?![^\W_])){9,}+")
_GAP = re.compile(r"[.\-_*|]| (?! )")
_WORD = re.compile(r"[^\W_]+")
_LEET_WORD = re.compile(r"(?<![^\W_])(?:[a-z0-9@$]|[!|](?=[a-z0-9])){4,30}", re.IGNORECASE)
_LEET = str.maketrans("01345789@$!|", "oleastbgasil")
_LEET_I = str.maketrans("01345789@$!|", "oieastbgasii")
_REVERSED = frozenset(word[::-1] for word in TRIGGERS)
_ROTATED = frozenset(codecs.encode(word, "rot13") for word in TRIGGERS if word.isascii())
_COMMON = frozenset(
    {"the", "and", "you", "your", "all", "of", "to", "is", "previous", "instructions", "prompt"}
)
_UNREADABLE = re.compile(r"[^\w\s.,;:!?'\"()\-/@#&%<>\[\]{}=+*$_|`~^\\]")
_LETTERS = re.compile(r"[A-Za-z]{2,}|[^\x00-\x7f]{2,}")
_JOINED = re.compile(
    r"(?:ignore|disregard|forget|override|bypass)(?:all|any|the|your|my|of|these|those){0,4}"
    r"(?:previous|prior|above|earlier|system|instruct|rules|everything|guidelines)"
    r"|(?:system|initial|hidden|secret|original)(?:prompt|instructions)|youarenow|fromnowon|(?:act|pretend)(?:as|tobe)an?"
    r"|donottell|donttell|developermode|doanythingnow|newinstructions|jailbr(?:ea|)k"
)


class Decoded(NamedTuple):
    """What a piece of a text says."""

    start: int
    end: int
    text: str


def decoded_blobs(text: str) -> Iterator[Decoded]:
    """The readable texts that pieces of this text encode."""
    found: list[tuple[int, int, str]] = []
    for pattern, name, gate in _BLOBS:
        if gate is None or gate in text:
            found += [(match.start(), match.end(), name) for match in pattern.finditer(text)]
    found.sort(key=lambda blob: blob[0] - blob[1])
    for start, end, name in found[:MOST_BLOBS]:
        decoded = _DECODERS[name](text[start : min(end, start + MOST_BLOB)])
        if decoded and is_readable(decoded):
            yield Decoded(start, end, decoded)


def is_readable(text: str) -> bool:
    """Whether this is text rather than bytes that happen to decode."""
    if len(text) < _LEAST_TEXT or not _LETTERS.search(text):
        return False
    return 1 - len(_UNREADABLE.findall(text)) / len(text) >= _LEAST_READABLE


def respelled(text: str) -> Iterator[str]:
    """The whole text read in other ways, each as long as it, where some of its words suggest that."""
    lowered = text.lower()
    words = set(_WORD.findall(lowered))
    if not words.isdisjoint(_ROTATED) and len(words & _COMMON) < 3:  # noqa: PLR2004 - it is plain English then
        yield codecs.encode(text, "rot13")
    if any(character in text for character in "013457@$!") and _LEET_WORD.search(text):
        for table in (_LEET, _LEET_I):
            changed = _LEET_WORD.sub(lambda match, table=table: _unleet(match[0], table), text)  # type: ignore[misc]
            if changed != text and not TRIGGERS.isdisjoint(_WORD.findall(changed.lower())):
                yield changed


def reversed_text(text: str) -> str | None:
    """The text from its end, if some of its words suggest that."""
    return None if _REVERSED.isdisjoint(_WORD.findall(text.lower())) else text[::-1]


def joined_phrases(text: str) -> bool:
    """Whether letters without the spaces between their words hold a phrase."""
    return _JOINED.search(text.lower()) is not None


def spaced_out(text: str) -> Iterator[Decoded]:
    """Words whose letters stand apart, put together."""
    for match in _SPACED.finditer(text):
        joined = re.sub(r"\s+", " ", _GAP.sub("", match[0].replace("  ", "   ")))
        yield Decoded(match.start(), match.end(), joined)


def _unleet(word: str, table: dict[int, str]) -> str:
    if word.isalpha() or word.isdigit():
        return word
    changed = word.lower().translate(table)
    return changed if changed.isalpha() else word


def _base64(blob: str) -> str | None:
    packed = re.sub(r"\s", "", blob).rstrip("=").replace("-", "+").replace("_", "/")
    packed = packed[: len(packed) - (len(packed) % 4 == 1)]
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _hexadecimal(blob: str) -> str | None:
    digits = re.sub(r"0x|\\x|[\s:,]", "", blob)
    return _utf8(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def _utf8(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _binary(blob: str) -> str | None:
    bits = re.sub(r"\s", "", blob)
    return _utf8(bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits) - 7, 8)))


def _escapes(blob: str) -> str | None:
    return re.sub(r"\\u([0-9a-fA-F]{4})\s?", lambda match: chr(int(match[1], 16)), blob)


_BLOBS = (
    (_BASE64, "base64", None),
    (_HEX, "hexadecimal", None),
    (_PERCENT, "percent", "%"),
    (_ENTITIES, "entities", "&#"),
    (_ESCAPES, "escapes", "\\u"),
    (_BINARY, "binary", "0"),
)
_DECODERS: dict[str, Callable[[str], str | None]] = {
    "base64": _base64,
    "hexadecimal": _hexadecimal,
    "percent": urllib.parse.unquote_plus,
    "entities": html.unescape,
    "escapes": _escapes,
    "binary": _binary,
}
