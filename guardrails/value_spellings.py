"""One value in its many spellings: what is the same for certain, what may be, and what only looks it."""

import html
import re
import unicodedata
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from functools import lru_cache
from urllib.parse import unquote

from ringfence.guardrails.clean_text import clean_text
from ringfence.guardrails.hidden_text_homoglyphs import LOOKALIKES
from ringfence.guardrails.injection_encodings import decoded_blobs
from ringfence.guardrails.phrase_patterns import is_invisible

_SPACES = re.compile(r"\s+")
_NO_SIGN = re.compile(r"[\W_]+")
_BETWEEN = ".-_@/\\+%&=~#$"
"""What joins two words into one value: `acme.co` is no part of `acme.co.uk`."""
_TWINS = str.maketrans(
    {**{odd: plain.lower() for odd, plain in LOOKALIKES.items()}, "0": "o", "1": "l", "i": "l", "|": "l"}
    | {"5": "s", "$": "s", "ı": "l", "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "ß": "b"}
)
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_PUNYCODE = re.compile(r"xn--[a-z0-9-]{1,59}")
_ENCODED_WORD = re.compile(r"=\?[\w.:*-]{1,40}\?[bBqQ]\?[^?\s]{0,2000}\?=")
"""As mail headers hold what is not ASCII (RFC 2047); mail programs read an address out of it."""
_MOST_ROUNDS = 3
_MOST_PLACES = 1_000


def fold(text: str) -> str:
    """The text in small letters with plain signs (NFKC) and single spaces: the same value for certain."""
    if not text.isascii():
        # Not casefold, which makes one mailbox of straße@ and strasse@.
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", _seen(text)).lower())
    return _SPACES.sub(" ", text.lower()).strip()


def plainest(text: str) -> str:
    """The text as programs may read it: entities, escapes and percent signs undone, nothing invisible."""
    for _ in range(_MOST_ROUNDS):
        before = text
        if "\\" in text or not text.isascii():
            text = clean_text(text)
        if "&" in text:
            text = html.unescape(text)
        if "%" in text:
            text = unquote(text)
        if "=?" in text:
            text = _ENCODED_WORD.sub(_decoded_word, text)
        if not text.isascii():
            text = unicodedata.normalize("NFKC", _seen(text))
        if text == before:
            break
    return text


def squeezed(folded: str) -> str:
    """A folded text without all that stands between letters and digits."""
    return _NO_SIGN.sub("", folded)


def essence(text: str) -> str:
    """The letters and digits of a text alone, in whatever way they are written or encoded by signs."""
    return squeezed(_without_twins(fold(text)))


def skeleton(folded: str) -> str:
    """The same for texts that look alike; of a folded text."""
    plain = _without_twins(folded)
    for pair, twin in _PAIRS:
        plain = plain.replace(pair, twin)
    return plain


def _without_twins(folded: str) -> str:
    if "xn--" in folded:
        folded = _PUNYCODE.sub(_unpunied, folded)
    if not folded.isascii():
        marks = unicodedata.normalize("NFKD", folded)
        folded = "".join(sign for sign in marks if not unicodedata.combining(sign))
    return folded.translate(_TWINS)


def decoded(text: str) -> list[str]:
    """What encoded pieces of a text say: base64, hexadecimal and the like."""
    return [blob.text for blob in decoded_blobs(text)]


def stands_in(value: str, text: str) -> bool:
    """Whether a folded text says a folded value as a word of its own, not as a part of a longer one."""
    if len(squeezed(value)) < 2:  # noqa: PLR2004 - one letter is nobody's word
        return False
    start = text.find(value)
    for _ in range(_MOST_PLACES):
        if start < 0:
            return False
        if _begins(text, start) and _ends(text, start + len(value)):
            return True
        start = text.find(value, start + 1)
    return False  # a text of a thousand parts of a value was made to be that


def _begins(text: str, start: int) -> bool:
    before = text[max(start - 2, 0) : start]
    if not before:
        return True
    if _is_word(before[-1]) and _is_word(text[start]):
        return False
    return not (before[-1] in _BETWEEN and len(before) > 1 and _is_word(before[0]))


def _ends(text: str, end: int) -> bool:
    behind = text[end : end + 2]
    if not behind:
        return True
    if _is_word(behind[0]) and _is_word(text[end - 1]):
        return False
    return not (behind[0] in _BETWEEN and len(behind) > 1 and _is_word(behind[1]))


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def _seen(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() or not is_invisible(sign))


@lru_cache(maxsize=1_024)
def _unpunied_label(label: str) -> str:
    try:
        return label.removeprefix("xn--").encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _decoded_word(match: re.Match[str]) -> str:
    try:
        # With spaces around: what stands beside it is another word to a mail program, too.
        return f" {make_header(decode_header(match.group()))} "
    except (ValueError, LookupError, HeaderParseError):
        return match.group()


def _unpunied(match: re.Match[str]) -> str:
    return _unpunied_label(match.group()).casefold()
