"""Text that came from a model, a tool or a user, made safe to put on a terminal."""

import unicodedata

_KEPT = frozenset("\n\t\u200c\u200d")
"""Line ends and tabs do no harm, and some scripts and emoji are written with joiners."""
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of characters that a terminal acts on, or that a reader cannot see."""


def harmless(text: str) -> str:
    r"""The text with every character spelled out that a terminal would act on or hide.

    >>> print(harmless("paid\x1b[2J\u202e"))
    paid\x1b[2J\u202e
    """
    text = text.replace("\r\n", "\n")
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelled_out(character) for character in text)


def one_line(text: str, *, most: int | None = None) -> str:
    """The text in one line, cut after `most` characters; it says how much is missing then."""
    line = harmless(" ".join(text.split()))
    if most is None or len(line) <= most:
        return line
    return f"{line[:most].rstrip()} … ({len(line) - most} more characters)"


def _spelled_out(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _ACTING:
        return character
    return character.encode("unicode_escape").decode()
