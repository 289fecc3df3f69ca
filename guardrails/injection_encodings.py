"""Text in another spelling: encoded, reversed, rotated, spaced out or with digits for letters.

Only what turns into readable text is of interest; work and depth are bounded by those who call.
"""

import base64
import binascii
import codecs
import html
import re
import string
import urllib.parse
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ringfence.guardrails.injection_rules import plain
from ringfence.guardrails.injection_search import TRIGGERS, VOCABULARY, Words, separated

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
_LEET_WORD = re.compile(r"(?<![^\W_])(?:[a-z0-9@$]|[!|](?=[a-z0-9])){4,}", re.IGNORECASE)
_LEET_VOCABULARY = frozenset(word for word in VOCABULARY if len(word) > 3)  # noqa: PLR2004 - as _LEET_WORD has it
_NO_LETTER = re.compile(r"[!|](?![a-z0-9])", re.IGNORECASE)
# With small letters for the signs, and with capitals, by which one sees what has changed.
_LEET_TABLES = tuple(
    (str.maketrans("01345789@$!|", letters), str.maketrans("01345789@$!|", letters.upper()))
    for letters in ("oleastbgasil", "oieastbgasii")
)
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


def _shape(marked: str, spaced: str = "") -> bytes:
    """A table that turns the first characters into "a", the others into spaces, and the rest into dots."""
    return bytes(
        ord("a" if chr(code) in marked else " " if chr(code) in spaced else ".") for code in range(256)
    )


# What stands in a row is found far sooner in the shape of a text than by a pattern in the text.
_ALPHANUMERIC = string.ascii_letters + string.digits
_BASE64_SHAPE = _shape(_ALPHANUMERIC + "+/_-")
_BASE64_RUN = b"a" * 16
_HEX_SHAPE = _shape(string.hexdigits)
_HEX_BETWEEN = b" \t\n\r\f\v\x1c\x1d\x1e\x1f:,x\\?"
_LETTERS_SHAPE = _shape(_ALPHANUMERIC, " .-_*|")
_LETTERS_APART = b" ".join([b"a"] * 10)


class Decoded(NamedTuple):
    """What a piece of a text says."""

    start: int
    end: int
    text: str


def decoded_blobs(text: str) -> Iterator[Decoded]:
    """The readable texts that pieces of this text encode."""
    seen = _ascii(text)
    found = [(start, end, "base64") for start, end in _base64_spans(text, seen.translate(_BASE64_SHAPE))]
    has_pairs = b"a" * 20 in seen.translate(_HEX_SHAPE, _HEX_BETWEEN)
    for pattern, name, gate in _BLOBS:
        if gate in text and (has_pairs or name not in _OF_PAIRS):
            found += [(match.start(), match.end(), name) for match in pattern.finditer(text)]
    found.sort(key=lambda blob: blob[0] - blob[1])
    for start, end, name in found[:MOST_BLOBS]:
        decoded = _DECODERS[name](text[start : min(end, start + MOST_BLOB)])
        if decoded and is_readable(decoded):
            yield Decoded(start, end, decoded)


def _base64_spans(text: str, shape: bytes) -> Iterator[tuple[int, int]]:
    start = shape.find(_BASE64_RUN)
    while start >= 0:
        match = _BASE64.match(text, start)
        if match:
            yield match.span()
        end = match.end() if match else shape.find(b".", start)
        start = shape.find(_BASE64_RUN, end) if end >= 0 else -1


def is_readable(text: str) -> bool:
    """Whether this is text rather than bytes that happen to decode."""
    if len(text) < _LEAST_TEXT or not _LETTERS.search(text):
        return False
    return 1 - len(_UNREADABLE.findall(text)) / len(text) >= _LEAST_READABLE


def respelled(words: Words) -> Iterator[Words]:
    """The whole text read in other ways, each as long as it, where some of its words suggest that."""
    known = words.known
    if not known.isdisjoint(_ROTATED) and len(known & _COMMON) < 3:  # noqa: PLR2004 - it is plain English then
        yield Words(codecs.encode(words.text, "rot13"))
    if any(character in words.text for character in "013457@$!"):
        mixed = _mixed_chunks(words)
        for table, capitals in _LEET_TABLES:
            if words.is_unspaced or _has_new_words(mixed.translate(capitals)):
                changed = _unleeted(words.text, table)
                if changed is not None:
                    yield changed


def reversed_text(words: Words) -> Words | None:
    """The text from its end, if some of its words suggest that."""
    return None if _REVERSED.isdisjoint(words.known) else Words(words.text[::-1])


def joined_phrases(text: str) -> bool:
    """Whether letters without the spaces between their words hold a phrase."""
    return _JOINED.search(text.lower()) is not None


def spaced_out(text: str) -> Iterator[Decoded]:
    """Words whose letters stand apart, put together."""
    shape = _ascii(text).translate(_LETTERS_SHAPE).replace(b"  ", b" ").replace(b"  ", b" ")
    if _LETTERS_APART not in shape:
        return
    for match in _SPACED.finditer(text):
        joined = re.sub(r"\s+", " ", _GAP.sub("", match[0].replace("  ", "   ")))
        yield Decoded(match.start(), match.end(), joined)


def _ascii(text: str) -> bytes:
    return text.encode("ascii", "replace")


def _mixed_chunks(words: Words) -> str:
    """What stands between spaces and has not only letters."""
    lone = "!" in words.text or "|" in words.text
    read = plain(_NO_LETTER.sub(" ", words.text)) if lone else words.read
    return " ".join(chunk for chunk in read.split() if not chunk.isalpha())


def _has_new_words(read: str) -> bool:
    """Whether words of phrases have capitals, which stand for signs; only then the whole text is read so."""
    return any(word.lower() in _LEET_VOCABULARY for word in separated(read).split() if not word.islower())


def _unleeted(text: str, table: dict[int, int]) -> Words | None:
    changed = _LEET_WORD.sub(lambda match: _unleet(match[0], table), text)
    read = Words(changed)
    return None if changed == text or TRIGGERS.isdisjoint(read.known) else read


def _unleet(word: str, table: dict[int, int]) -> str:
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
    (_HEX, "hexadecimal", ""),
    (_PERCENT, "percent", "%"),
    (_ENTITIES, "entities", "&#"),
    (_ESCAPES, "escapes", "\\u"),
    (_BINARY, "binary", "0"),
)
_OF_PAIRS = {"hexadecimal", "binary"}
_DECODERS: dict[str, Callable[[str], str | None]] = {
    "base64": _base64,
    "hexadecimal": _hexadecimal,
    "percent": urllib.parse.unquote_plus,
    "entities": html.unescape,
    "escapes": _escapes,
    "binary": _binary,
}
