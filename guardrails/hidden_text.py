"""Characters that people do not see and models read, and the text without them.

A cleaned text knows for each of its characters where it stood in the text as given.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ringfence.guardrails.hidden_text_homoglyphs import folded_words, has_foreign_signs, mixed_words
from ringfence.guardrails.injection_signs import Sign

_ZERO_WIDTH = "\u200b\u200c\u200d\u2060-\u2064\u180e\ufeff\u00ad\u034f\u115f\u1160\u3164\uffa0\u2800"
_BIDIRECTIONAL = "\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_TAGS = "\U000e0000-\U000e007f"
_UNSEEN = re.compile(f"[{_ZERO_WIDTH}{_BIDIRECTIONAL}{_SELECTORS}{_TAGS}]")
_COMPATIBLE = re.compile(
    "[\uff01-\uff5e\U0001d400-\U0001d7ff\u2460-\u24ff\u2100-\u214f\U0001f100-\U0001f1ad\u3000]"
)
"""Characters that NFKC turns into plain ones: full-width, mathematical, circled."""

_TAG_RUN = re.compile(f"[{_TAGS}]+")
_CARRIER_RUN = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}|[\U000e0100-\U000e01ef]{2,}")
_ZERO_WIDTH_RUN = re.compile(f"[{_ZERO_WIDTH}]{{6,}}")
_IN_LATIN_WORD = re.compile(
    "(?<=[A-Za-z])[\u200b-\u200d\u2060-\u2064\u180e\ufeff\u034f\u115f\u1160\u3164\uffa0]+(?=[A-Za-z])"
)
_REORDERING = re.compile("[\u202d\u202e]")
_EMBEDDING = re.compile("[\u202a\u202b\u2066-\u2068]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_FIRST_TAG, _LAST_TAG = 0xE0020, 0xE007E
_TAG_OFFSET = 0xE0000
_MANY = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """A text in another spelling."""

    text: str
    places: Sequence[int]
    """Where each character stood in the text as given; one more for the end."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the text as given."""
        return self.places[start], self.places[end - 1] + 1 if end > start else self.places[start]


def has_unusual_signs(text: str) -> bool:
    """Whether a text can hide anything from people at all."""
    if text.isascii():
        return False
    signs = "".join(set(text))  # Far fewer than the text has characters.
    return any(pattern.search(signs) for pattern in (_UNSEEN, _COMPATIBLE)) or has_foreign_signs(signs)


def cleaned(text: str) -> Reading | None:
    """The text as a model may take it, if that differs: nothing unseen, tags and look-alikes as letters."""
    mixed = {} if text.isascii() else folded_words(text)
    if text.isascii() or not (mixed or _UNSEEN.search(text) or _COMPATIBLE.search(text)):
        return None
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        seen = mixed.get(place) or _seen(sign)
        signs.append(seen)
        places.extend([place] * len(seen))
    places.append(len(text))
    return Reading("".join(signs), places)


def hidden_signs(text: str) -> Iterator[Sign]:
    """What the unseen characters themselves say, whatever they hide."""
    if text.isascii():
        return
    if _UNSEEN.search(text):
        yield from _invisible(text)
        yield from _bidirectional(text)
    mixed = mixed_words(text)
    for start, end in mixed:
        yield Sign("homoglyphs", start, end, 0.45 if len(mixed) >= _MANY else 0.3)


def _invisible(text: str) -> Iterator[Sign]:
    for match in _TAG_RUN.finditer(text):
        # The flags of England, Scotland and Wales are a black flag with tags behind it.
        if len(match[0]) >= _MANY and text[match.start() - 1 : match.start()] != "\U0001f3f4":
            yield Sign("invisible_text", match.start(), match.end(), 0.7)
    for match in _CARRIER_RUN.finditer(text):
        yield Sign("invisible_text", match.start(), match.end(), 0.6)
    for match in _ZERO_WIDTH_RUN.finditer(text):
        # Soft hyphens and spaces for layout come in rows, but all alike.
        yield Sign("invisible_text", match.start(), match.end(), 0.55 if len(set(match[0])) > 1 else 0.2)
    inside = list(_IN_LATIN_WORD.finditer(text))
    for match in inside:
        yield Sign("invisible_text", match.start(), match.end(), 0.4 if len(inside) >= _MANY else 0.15)


def _bidirectional(text: str) -> Iterator[Sign]:
    usual = _RIGHT_TO_LEFT.search(text) is not None
    for match in _REORDERING.finditer(text):
        yield Sign("bidirectional_text", match.start(), match.end(), 0.2 if usual else 0.5)
    for match in _EMBEDDING.finditer(text):
        yield Sign("bidirectional_text", match.start(), match.end(), 0.05 if usual else 0.2)


def _seen(sign: str) -> str:
    if sign.isascii():
        return sign
    code = ord(sign)
    if _FIRST_TAG <= code <= _LAST_TAG:
        return chr(code - _TAG_OFFSET)
    if _UNSEEN.match(sign):
        return ""
    return unicodedata.normalize("NFKC", sign) if _COMPATIBLE.match(sign) else sign
