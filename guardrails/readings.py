"""Texts as recognizers of personal data know them, which people and models read in more ways.

A reading is always as long as the text itself, so that a finding has its place in both.
"""

import re
import unicodedata
from functools import lru_cache

_ESCAPE = re.compile(r"(?<!\\)\\++(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[abefnrtv0/\"'])")
"""An escaped character of JSON, Python or C, however often its backslash was escaped in turn."""
_AT = re.compile(r"%40|&#(?:64|x40);|&commat;|(?<!\\)\\++x40", re.IGNORECASE)
"""The @ as URLs, HTML and programs spell it."""
_FOREIGN = r"[^\x00-\x7f]"
_GLUE = re.compile(rf"_|%[0-9a-fA-F]{{2}}|{_FOREIGN}")
"""What recognizers take for a part of the value beside it: they look for the borders of words."""
_GLUED = re.compile(
    rf"(?:_|%[0-9a-fA-F]{{2}}|{_FOREIGN})\d|\d(?:_|%[0-9a-fA-F]{{2}}|{_FOREIGN})"
    rf"|(?:_|{_FOREIGN})[\w.+-]{{0,64}}@|@[\w.-]{{0,255}}(?:_|{_FOREIGN})"
)


def readable(text: str) -> str:
    r"""The text with plain signs.

    Signs that only look different, such as full-width ones, become plain, and so does the @ of URLs and HTML.
    Escapes such as the `\n` of JSON text become spaces, because their letters would be taken for the value's.
    """
    if not any(sign in text for sign in "%&\\") and text.isascii():
        return text
    text = _AT.sub(lambda match: "@".rjust(len(match.group()), "_"), text)
    text = _ESCAPE.sub(_blank, text)
    return text if text.isascii() else "".join(map(_plain_sign, text))


def is_glued(text: str) -> bool:
    """Whether something may stand beside a value without a space, which hides it."""
    may_be = "_" in text or "%" in text or not text.isascii()
    return may_be and _GLUED.search(text) is not None


def unglued(text: str) -> str:
    """The text with spaces in place of what glues values to their neighbours."""
    return _GLUE.sub(_blank, text)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


@lru_cache(maxsize=10_000)
def _plain_sign(sign: str) -> str:
    match unicodedata.category(sign):
        case "Nd":
            return str(unicodedata.digit(sign))
        case "Pd":
            return "-"
    plain = unicodedata.normalize("NFKC", sign)
    return plain if len(plain) == 1 else sign
