"""Lines of standard input, read without holding up the event loop."""

import asyncio
import os
import select
import sys
from contextlib import suppress

_PASTED_WITHIN_SECONDS = 0.03
"""Nobody types the next line so fast; what follows within this time was pasted."""


class Lines:
    """Reads standard input line by line. One reader at a time.

    A thread that waits in `input()` cannot be stopped, and would take the line that the next question is
    waiting for; so the event loop watches the file descriptor.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._ended = False

    @property
    def is_terminal(self) -> bool:
        """Whether somebody types."""
        return _descriptor() is not None and sys.stdin.isatty()

    async def line(self) -> str | None:
        """The next line, without its end; None when there is none any more."""
        while b"\n" not in self._buffer and not self._ended:
            await self._fill()
        if self._ended and not self._buffer:
            return None
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode("utf-8", errors="replace").removesuffix("\r")

    async def block(self) -> str | None:
        """The next line, and on a terminal those that were pasted with it."""
        lines = [await self.line()]
        while self.is_terminal and not self._ended and (self._buffer or self._more_was_pasted()):
            lines.append(await self.line())
        return None if lines[0] is None else "\n".join(line for line in lines if line is not None)

    def forget(self) -> None:
        """Drop what was typed ahead, so that it does not answer a question that nobody had seen."""
        descriptor = _descriptor()
        if descriptor is not None and self.is_terminal:
            self._buffer = b""
            with suppress(ImportError, OSError):
                import termios

                termios.tcflush(descriptor, termios.TCIFLUSH)

    def _more_was_pasted(self) -> bool:
        descriptor = _descriptor()
        return descriptor is not None and bool(select.select([descriptor], [], [], _PASTED_WITHIN_SECONDS)[0])

    async def _fill(self) -> None:
        descriptor = _descriptor()
        if descriptor is None:
            chunk = sys.stdin.readline().encode() if sys.stdin else b""
        else:
            await _readable(descriptor)
            chunk = os.read(descriptor, 65536)
        self._ended = not chunk
        self._buffer += chunk


def _descriptor() -> int | None:
    """The file descriptor of standard input; None when a test or an embedding program replaced it."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return None


async def _readable(descriptor: int) -> None:
    """Return once reading would not wait; at once for a file, which cannot be watched and never waits."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except (NotImplementedError, OSError):
        return
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
