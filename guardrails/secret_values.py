"""What a value looks like: a secret, words, a name in a program, or what stands in a secret's place."""

import binascii
import re
from typing import NamedTuple

from kingfisher_sdk import shannon_entropy

API_KEY, PRIVATE_KEY, JSON_WEB_TOKEN = "API_KEY", "PRIVATE_KEY", "JSON_WEB_TOKEN"
CONNECTION_STRING, PASSWORD = "CONNECTION_STRING", "PASSWORD"
SECRET_ENTITIES: tuple[str, ...] = (API_KEY, PRIVATE_KEY, JSON_WEB_TOKEN, CONNECTION_STRING, PASSWORD)


class Secret(NamedTuple):
    """A secret in a text."""

    entity: str
    start: int
    end: int
    score: float


_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_PART = re.compile(r"[A-Za-z]*\d{0,4}|\d{1,6}[A-Za-z]{0,4}")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SLUG = re.compile(r"^[./~]|pass|secret|token|key|^(?:[^\W_]+(?:_|[^\w\[{(])+){2}", re.IGNORECASE)
_LONG_WORD = 12
_DIGEST = re.compile(r"(?:sha\d{1,3}|md5|sri)[:-]", re.IGNORECASE)


_BLANK = re.compile(r"\W*|[xX*.#_-]+|%\(\w+\)[sd]?")
_IDENTIFIER = r"(?:[A-Z_][A-Z0-9_]*|[a-z_][a-z0-9_]*|[A-Za-z]+)"
_VARIABLE = re.compile(rf"\$[{{(]{{0,2}}{_IDENTIFIER}[)}}]{{0,2}}|%{_IDENTIFIER}%")
"""Of a shell, in one case: with capitals among small letters and digits, it may be a password."""
_ENCLOSED = re.compile(r"[$#@%]?[\[{(<]{1,2}(.*?)[\]})>]{0,2}", re.DOTALL)
_FILLED_IN = re.compile(r"[^\W\d_]+(?:[ _.:/-]+[^\W\d_]+)*(?:[ _]\d+(?:\.\d+)?)?")
"""What stands between brackets for a value: `your password`, `API_KEY_1`, `PASSWORD_1.2`."""
_STOCK = re.compile(
    r"(?=[\w .-]*\Z)(?:(?:.*[-_.])?(?:your|example|placeholder|redacted|change[-_]?me|dummy|sample|fake)"
    r"(?:[-_ .].*|\d{0,4})|(?:insert|enter|some|any|my|test)[-_].*)",
    re.IGNORECASE,
)
_STAND_IN = re.compile(r"<[a-z_]+_\d+(?:\.\d+)?>", re.IGNORECASE)
_CHARACTER_CLASS = re.compile(r"\[.*(?:a-z|0-9).*", re.IGNORECASE | re.DOTALL)
_REFERENCE = re.compile(
    r"[A-Za-z_]\w*(?:[?!]?\.[A-Za-z_]\w*)+[(.]?|[A-Za-z_][\w.:?!]*[\[({].*[\])},(]", re.DOTALL
)
_CUT_REFERENCE = re.compile(r"[A-Za-z_][\w.:?!]*[\[({]")


def unwrapped(value: str) -> str:
    """The value without the brackets around it and the stand-ins in it."""
    rest = _STAND_IN.sub("", value)
    enclosed = _ENCLOSED.fullmatch(rest)
    return enclosed[1] if enclosed else rest


def is_placeholder(value: str) -> bool:
    """Whether the whole of it stands in a secret's place: `<password>`, `$TOKEN`, `your-key-here`, `****`."""
    inside = unwrapped(value)
    is_enclosed = _ENCLOSED.fullmatch(value) is not None
    if _BLANK.fullmatch(inside) or _BLANK.fullmatch(value) or _CHARACTER_CLASS.fullmatch(value):
        return True
    if is_enclosed and is_reference(inside):
        return True
    forms = (
        _VARIABLE.fullmatch(value),
        _STOCK.fullmatch(inside),
        is_enclosed and _FILLED_IN.fullmatch(inside),
    )
    return any(forms) and is_made_of_words(inside)


def is_reference(value: str, *, before_quote: bool = False) -> bool:
    """Whether it is a name in a program: `settings.token2`, `Optional[str]`, and `getenv(` before a quote."""
    form = _REFERENCE.fullmatch(value) or (before_quote and _CUT_REFERENCE.fullmatch(value))
    # Names are words, or small letters and digits as `b64decode`; `Tr0ub4dor.Xk9m` is neither.
    return bool(form) and (value == value.lower() or is_made_of_words(value))


def is_made_of_words(value: str) -> bool:
    """Whether a value is words and small numbers, as names, paths and versions are."""
    return all(_is_word(part) for part in re.split(r"[\W_]+", value))


def _is_word(part: str) -> bool:
    is_plain = _PART.fullmatch(part) is not None
    if is_plain and len(part) < _LONG_WORD:
        return True
    is_camel_case = part.lower() != part != part.upper()
    return (is_plain or is_camel_case) and len(_HUMP.findall(part)) * 3 <= len(part)


def is_random(value: str, least_bits: float) -> bool:
    """Whether its signs tell so much each."""
    return shannon_entropy(value.encode("utf-8", "replace")) >= least_bits


def is_password(value: str, *, is_bare: bool) -> bool:
    """Whether it looks like what people choose: letters with numbers or signs, or a number."""
    has_letter, has_digit = any(map(str.isalpha, value)), any(map(str.isdigit, value))
    has_sign = any(sign in "!@#$%^&*+=?~" for sign in value)
    if len(value) < (8 if is_bare else 6) or not is_random(value, 2.25):
        return False
    is_words = is_made_of_words(value)
    if is_bare:
        is_mixed = has_sign or (value.lower() != value != value.upper())
        return has_letter and has_digit and is_mixed and not is_words
    if is_words and not has_sign and _SLUG.search(value):
        return False
    return value.isdigit() or (has_letter and (has_digit or has_sign))


def is_token(value: str, *, is_bare: bool) -> bool:
    """Whether it looks drawn at random."""
    letters = sum(map(str.isalpha, value))
    if len(value) < (16 if is_bare else 10) or letters < 3 or "://" in value:  # noqa: PLR2004
        return False
    if _UUID.fullmatch(value) or _DIGEST.match(value) or is_made_of_words(value):
        return False
    return is_random(value, 3.3 if is_bare else 2.8)


def is_basic(value: str) -> bool:
    """Whether it is base64 of `user:password`."""
    try:
        decoded = binascii.a2b_base64(value + "=" * (-len(value) % 4), strict_mode=True).decode()
    except ValueError:
        return False
    return decoded.isprintable() and ":" in decoded
