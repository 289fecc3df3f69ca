"""A conversation on a terminal: what is said, what a person is asked, what it has cost so far.

What a model, a tool or a user wrote is never read as markup, and no control character of it is printed.
"""

import asyncio
import getpass
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from autogen_core import FunctionCall
from autogen_core.models import FunctionExecutionResult
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.status import Status
from rich.table import Table
from rich.text import Text

from ringfence.adapters.console import call_line, text_of
from ringfence.adapters.harmless import harmless, one_line
from ringfence.adapters.lines import Lines
from ringfence.agents.team_runner import Event
from ringfence.guardrails.approval import ApprovalDecision, ApprovalRequest, Approved, Approver, Rejected

__all__ = ["EventPrinter", "LiveLine", "terminal_approver"]

_COLORS = ("cyan", "magenta", "green", "blue", "yellow")
_LONGEST_COMPACT = 240
_STAND_INS = " You see real values where the models see stand-ins."
_SETTLING_SECONDS = 0.05
_QUESTION = "Approve? y = yes, n = no, or say why not: "


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


def terminal_approver(
    console: Console,
    *,
    lines: Lines | None = None,
    by: str | None = None,
    paused: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Approver:
    """Asks the person at the terminal; at the end of the input nobody can say, so the conversation waits.

    Args:
        console: Where the question is shown.
        lines: Where the answer comes from; None reads standard input.
        by: Who decides; None takes the name under which the person is logged in.
        paused: Entered while the person decides, to keep everything else off the screen.
    """
    source = lines or Lines()
    person = by or _who()
    turn = asyncio.Lock()

    async def ask(request: ApprovalRequest) -> ApprovalDecision | None:
        async with turn:
            # The events that led here are still on their way to the printer.
            await asyncio.sleep(_SETTLING_SECONDS)
            with paused():
                console.print(_request(request, boxed=console.is_terminal))
                source.forget()
                while True:
                    console.print(Text(_QUESTION, "bold"), end="")
                    answer = await source.line()
                    if not console.is_terminal or answer is None:
                        console.print()
                    decision = _decision(answer, person)
                    if answer is None or decision is not None:
                        return decision

    return ask


def _decision(answer: str | None, person: str) -> ApprovalDecision | None:
    """What an answer means; None when it means nothing."""
    said = (answer or "").strip()
    match said.casefold():
        case "":
            return None
        case "y" | "yes":
            return Approved(by=person)
        case "n" | "no":
            return Rejected(by=person)
        case _:
            # Whatever is no clear yes is a no, and says why.
            return Rejected(by=person, reason=one_line(said, most=300))


def _request(request: ApprovalRequest, *, boxed: bool) -> RenderableType:
    arguments = Table.grid(padding=(0, 2))
    arguments.add_column(style="dim", overflow="fold")
    arguments.add_column(overflow="fold")
    for name, value in request.real_arguments.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        arguments.add_row(Text(one_line(name)), Text(harmless(text)))
    hidden = dict(request.real_arguments) != dict(request.arguments)
    body = Group(
        Text.assemble(
            (one_line(request.agent), "bold"), " wants to run ", (one_line(request.tool), "bold yellow")
        ),
        arguments,
        Text(f"Asked because {one_line(request.reason)}.{_STAND_INS if hidden else ''}", "dim"),
    )
    if not boxed:
        return Group(Text("Approval needed"), body)
    return Panel(body, title=Text("Approval needed"), title_align="left", border_style="yellow", expand=False)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "person at the terminal"
