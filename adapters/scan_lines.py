"""The lines that a scan reads, JSON or plain text: in chunks of what has arrived, in bounded memory."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Protocol

__all__ = ["Chunk", "Line", "Parse", "chunks_of", "json_line", "plain_line", "unbuffered"]

_READ = 16_384
"""Bytes taken at once; about a second of work with the slowest detection that is embedded."""
_BYTES_A_CHARACTER = 12
"""Most bytes that a character takes in JSON: two escapes."""
_ROOM = 65_536
"""Bytes for everything else on the line of the longest text."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the input: a text, or else what is wrong with it, in words that quote nothing."""

    number: int
    """From 1."""
    id: str | int | None = None
    text: str | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines that arrived together."""

    lines: tuple[Line, ...]
    read: int
    """Bytes of the input up to here."""
    more_waits: bool
    """Whether there is probably more to read at once."""

    @property
    def texts(self) -> list[str]:
        """The texts of the sound lines, in order."""
        return [line.text for line in self.lines if line.text is not None]


Parse = Callable[[int, str], Line]


class Source(Protocol):
    """Where bytes come from; a read waits for the first of them only."""

    def read(self, size: int, /) -> bytes | None:
        """At most so many bytes; none at the end."""


def unbuffered(stream: IO[Any]) -> Source:
    """What stands behind an open text file, read past its buffers.

    A thread that waits in a buffered read would keep the interpreter from ending.
    """
    source: Source
    try:
        source = io.FileIO(stream.fileno(), closefd=False)
    except (AttributeError, OSError, ValueError):
        # An embedding program or a test put something else in its place.
        source = getattr(stream, "buffer", stream)
    return source


def chunks_of(source: Source, parse: Parse, *, most_characters: int) -> Iterator[Chunk]:
    """The lines of the input; blank ones are passed over, and counted."""
    most = most_characters * _BYTES_A_CHARACTER + _ROOM
    number, read, too_long = 0, 0, False
    rest = bytearray()
    while True:
        block = source.read(_READ) or b""
        read += len(block)
        *ended, last = block.split(b"\n")
        lines: list[Line] = []
        for piece in ended:
            rest += piece
            number += 1
            lines += _line(number, bytes(rest), parse, is_too_long=too_long or len(rest) > most)
            rest.clear()
            too_long = False
        rest += last
        if len(rest) > most:
            # The rest of it is read and dropped: memory stays bounded.
            too_long = True
            rest.clear()
        if not block and (rest or too_long):
            lines += _line(number + 1, bytes(rest), parse, is_too_long=too_long)
        if lines:
            yield Chunk(tuple(lines), read, more_waits=len(block) > _READ // 2)
        if not block:
            return


def json_line(number: int, line: str) -> Line:
    """A line `{"id": ..., "text": ...}`; what else is in it is passed over."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return Line(number, problem="it is not JSON")
    if not isinstance(data, dict):
        return Line(number, problem="it is not a JSON object")
    given = data.get("id")
    is_sound = given is None or (isinstance(given, str | int) and not isinstance(given, bool))
    name = given if is_sound else None
    match data.get("text"):
        case str(text) if is_sound:
            return Line(number, name, text)
        case str():
            return Line(number, problem="its id is neither a string nor a whole number")
        case None if "text" not in data:
            return Line(number, name, problem="it has no text")
        case _:
            return Line(number, name, problem="its text is not a string")


def plain_line(number: int, line: str) -> Line:
    """A line of plain text; its number is its id."""
    return Line(number, number, line)


def _line(number: int, raw: bytes, parse: Parse, *, is_too_long: bool) -> list[Line]:
    if is_too_long:
        return [Line(number, problem="it is longer than any text of pii.max_characters")]
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8").removesuffix("\r")
    except UnicodeDecodeError:
        return [Line(number, problem="it is not UTF-8")]
    return [parse(number, text)] if text.strip() else []
