"""Texts without what only hides something: escapes, invisible signs, lone surrogates."""

import re
import unicodedata

_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # control characters but tab, newline, return, NEL
    r"\u00ad\u034f\u115f\u1160\u17b4\u17b5\u200b\u2060-\u206f\u3164\ufeff\uffa0"  # invisible
    r"\u061c\u200e\u200f\u202a-\u202e\ufff0-\ufffb"  # marks of direction and annotation
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # of shorthand and music
    r"\U000e0000-\U000e0fff]"  # tags: invisible letters, which models read all the same
)
_CLEAN = re.compile(r"[\t\n\r !-\[\]-~]*+")
"""Printable ASCII without a backslash: most texts."""
# Joiners and variation selectors belong to some scripts and to emoji, never to a plain letter or digit.
_STRAY_JOINER = re.compile(
    r"(?<=[\x00-\x7f])[\u180b-\u180f\u200c\u200d\ufe00-\ufe0f]++"
    r"|(?<![\u200c\u200d])[\u200c\u200d]++(?=[\x00-\x7f])"  # a run is looked at once, from where it begins
)
# An escaped character, however often the backslash in front was escaped in turn.
_ESCAPED = re.compile(r"(?<!\\)(?<!\\u005[cC])(?:\\(?:u005[cC])?)++u([0-9a-fA-F]{4})")
_MOST_ROUNDS = 8


def clean_text(text: str) -> str:
    r"""The text as every door takes it in: no control or invisible characters, no lone surrogates.

    JSON escapes are spelled out (`\u0040` becomes `@`), because a value that is escaped is found by nobody
    and read by every model.
    """
    if _CLEAN.fullmatch(text):
        return text
    for _ in range(_MOST_ROUNDS):
        # What was spelled out or taken out may have stood in the middle of another escape.
        if (cleaned := _cleaned(text)) == text:
            return text
        text = cleaned
    # Nobody but an attacker nests escapes this deeply; without backslashes there are none.
    return _cleaned(text.replace("\\", ""))


def _cleaned(text: str) -> str:
    text = _ESCAPED.sub(_spell_out, text)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    # One sign for what may be written as a letter and its accent.
    text = text if text.isascii() else unicodedata.normalize("NFC", text)
    return _STRAY_JOINER.sub("", _UNPRINTABLE.sub("", text))


def _spell_out(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    # A quote, a backslash or a control character would change what the JSON around it means.
    return escape[0] if character in '"\\' or character < " " else character
