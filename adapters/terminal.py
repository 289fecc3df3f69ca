"""A conversation on a terminal: what is said, and what it has cost so far.

What a model, a tool or a user wrote is never read as markup, and no control character of it is printed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from autogen_core import FunctionCall
from autogen_core.models import FunctionExecutionResult
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from ringfence.adapters.console import call_line, text_of
from ringfence.adapters.harmless import harmless, one_line
from ringfence.agents.team_runner import Event

__all__ = ["EventPrinter", "LiveLine"]

_COLORS = ("cyan", "magenta", "green", "blue", "yellow")
_LONGEST_COMPACT = 240


class EventPrinter:
    """Prints each event of a run: who speaks, what is called, what came of it."""

    def __init__(self, console: Console, *, hidden_sources: frozenset[str] = frozenset()) -> None:
        self._console = console
        self._hidden = hidden_sources
        """Whose messages are not repeated, because the person has just typed them."""
        self._colors: dict[str, str] = {"user": "white"}
        self._last_source = ""
        self._held: list[Event] | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Print what comes during the block after it: it would stand where somebody types."""
        held: list[Event] = []
        self._held = held
        try:
            yield
        finally:
            self._held = None
            for event in held:
                self(event)

    def __call__(self, event: Event) -> None:
        """Print one event."""
        if self._held is not None:
            self._held.append(event)
            return
        source = str(getattr(event, "source", ""))
        # A summary repeats results that were shown, and a chunk is part of a message that follows.
        if source in self._hidden or type(event).__name__ in _REPEATED:
            return
        for line in self._lines(event):
            self._print(source, line)

    def _lines(self, event: Event) -> Iterator[Text]:
        content = getattr(event, "content", None)
        match content:
            case [FunctionCall(), *_]:
                for call in content:
                    yield Text(f"→ {self._compact(call_line(call.name, call.arguments))}", "dim")
            case [FunctionExecutionResult(), *_]:
                for result in content:
                    said = self._compact(result.content)
                    yield Text(f"✗ {said}", "red") if result.is_error else Text(f"← {said}", "dim")
            case _:
                spoken = hasattr(event, "to_model_text")
                yield Text(harmless(text_of(event)).strip(), "" if spoken else "dim italic")

    def _compact(self, text: str) -> str:
        """One line on a terminal, where a person skims; all of it in a pipe."""
        return one_line(text, most=_LONGEST_COMPACT) if self._console.is_terminal else harmless(text)

    def _print(self, source: str, line: Text) -> None:
        color = self._colors.setdefault(source, _COLORS[(len(self._colors) - 1) % len(_COLORS)])
        name = Text(one_line(source), f"bold {color}")
        if self._console.is_terminal:
            row = Table.grid(padding=(0, 2))
            row.add_column(width=12, overflow="ellipsis", no_wrap=True)
            row.add_column(overflow="fold")
            row.add_row(name if source != self._last_source else "", line)
            self._console.print(row)
        else:
            for part in (one for one in line.split("\n") if one.plain.strip()):
                self._console.print(Text.assemble(f"{name.plain}: ", part))
        self._last_source = source


_REPEATED = frozenset({"ToolCallSummaryMessage", "ModelClientStreamingChunkEvent"})


class LiveLine:
    """One line below the conversation, such as what it has cost so far; nothing in a pipe."""

    def __init__(self, console: Console, words: Callable[[], str]) -> None:
        self._words = words
        self._status = Status("", console=console, spinner="dots") if console.is_interactive else None

    def update(self) -> None:
        """Show the words anew."""
        if self._status is not None:
            self._status.update(Text(self._words(), "dim"))

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the line up during the block."""
        if self._status is None:
            yield
            return
        self.update()
        with self._status:
            yield

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the line away during the block, in which somebody types."""
        if self._status is None:
            yield
            return
        self._status.stop()
        try:
            yield
        finally:
            self._status.start()
