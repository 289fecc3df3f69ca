"""A text as the programs that show it read it: entities and escapes undone, invisible signs gone."""

import html
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ringfence.guardrails.phrase_patterns import is_invisible

_ENTITY = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,31});?")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|([!-/:-@\[-`{-~]))")
"""Of a program's text, of JSON, and of Markdown."""


class Reading(NamedTuple):
    """One way to read a text, and where each of its signs stood."""

    text: str
    places: Sequence[int]
    """For each sign its place in the text as given, and at the end that text's length."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the text as given."""
        return self.places[start], max(self.places[end], self.places[end - 1] + 1)


def readings(text: str) -> list[Reading]:
    """The text as given, and as browsers and Markdown may read it."""
    given = Reading(text, range(len(text) + 1))
    found = [given]
    for change in (_without_entities, _without_escapes, _without_invisible):
        changed = (change(one) for one in [*found])
        found += [one for one in changed if one is not None]
    return [*{one.text: one for one in reversed(found)}.values()]


def _without_invisible(reading: Reading) -> Reading | None:
    if reading.text.isascii() or not any(map(is_invisible, set(reading.text))):
        return None
    kept = [index for index, sign in enumerate(reading.text) if not is_invisible(sign)]
    places = [*(reading.places[index] for index in kept), reading.places[-1]]
    return Reading("".join(reading.text[index] for index in kept), places)


def _without_entities(reading: Reading) -> Reading | None:
    return (
        _changed(reading, _ENTITY, lambda match: html.unescape(match.group()))
        if "&" in reading.text
        else None
    )


def _without_escapes(reading: Reading) -> Reading | None:
    return _changed(reading, _ESCAPE, _unescaped) if "\\" in reading.text else None


def _unescaped(match: re.Match[str]) -> str:
    number = int(match[1] or match[2] or match[3] or "0", 16)
    return match[4] or (chr(number) if number <= sys.maxunicode else match.group())


def _changed(
    reading: Reading, pattern: re.Pattern[str], change: Callable[[re.Match[str]], str]
) -> Reading | None:
    pieces: list[str] = []
    places: list[int] = []
    for start, end, piece in _parts(reading.text, pattern, change):
        pieces.append(piece)
        if piece == reading.text[start:end]:
            places += reading.places[start:end]
        else:
            places += [reading.places[start]] * len(piece)
    text = "".join(pieces)
    return None if text == reading.text else Reading(text, [*places, reading.places[-1]])


def _parts(
    text: str, pattern: re.Pattern[str], change: Callable[[re.Match[str]], str]
) -> Iterator[tuple[int, int, str]]:
    done = 0
    for match in pattern.finditer(text):
        yield done, match.start(), text[done : match.start()]
        yield match.start(), match.end(), change(match)
        done = match.end()
    yield done, len(text), text[done:]
