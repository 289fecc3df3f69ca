"""`ringfence chat`: talk to a team at the terminal."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from autogen_agentchat.base import TaskResult
from autogen_core import CancellationToken
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ringfence.adapters.approval_question import terminal_approver
from ringfence.adapters.console import usage_line
from ringfence.adapters.harmless import harmless, one_line
from ringfence.adapters.lines import Lines
from ringfence.adapters.outcome import why_asked
from ringfence.adapters.terminal import EventPrinter, LiveLine
from ringfence.agents.ringfence import Ringfence
from ringfence.agents.team_runner import Event
from ringfence.conversations.conversation import Conversation
from ringfence.conversations.status import Status
from ringfence.errors import RingfenceError
from ringfence.model_tier import ModelTier

_HELP = {
    "/help": "this list",
    "/usage": "what the conversation has cost so far, call by call",
    "/transcript": "what was said as the models saw it, with stand-ins for personal data",
    "/new": "start a new conversation, with all of its limits and nothing remembered",
    "/quit": "end the chat; so does the end of the input",
    "Ctrl-C": "stop the turn that is running; a second one ends the chat",
}


def tier_words(tier: ModelTier) -> str:
    """What stands behind a tier, so that nobody takes the rehearsal model for a language model."""
    if tier.provider == "rehearsal":
        kind = "obedient rehearsal model" if tier.obedient else "rehearsal model"
        return f"{kind}, not a language model (answers by the rules in {tier.rules})"
    return f"{tier.provider} {tier.model}"


class Chat:
    """One conversation with a person, turn by turn."""

    def __init__(self, ringfence: Ringfence, console: Console, *, user: str = "user") -> None:
        self._ringfence = ringfence
        self._console = console
        self._lines = Lines()
        self._live = LiveLine(console, self._usage_words)
        approver = terminal_approver(console, lines=self._lines, paused=self._question)
        self._begin = partial(ringfence.conversation, user=user, approver=approver)
        self._conversation: Conversation[Event, TaskResult] = self._begin()
        # What a person has just typed is not shown again; lines from a file are.
        hidden = frozenset({"user"}) if self._lines.is_terminal else frozenset[str]()
        self._print_event = EventPrinter(console, hidden_sources=hidden)
        self._turn: CancellationToken | None = None

    async def run(self) -> Status:
        """Talk until the person has enough; answers where the conversation stands then."""
        self._header()
        with self._interrupts():
            while (said := await self._next()) is not None:
                match said.strip().lower():
                    case "":
                        continue
                    case "/quit" | "/exit" | "quit" | "exit":
                        break
                    case "/new":
                        self._conversation = self._begin()
                        self._say("A new conversation has begun.")
                    case command if command.startswith("/"):
                        self._command(command)
                    case _:
                        await self._take_turn(said)
        for request in self._conversation.pending_approvals:
            self._say(
                f"Not done, because nobody approved it: {one_line(request.tool)} ({request.id})", "yellow"
            )
        return self._conversation.status

    def _header(self) -> None:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim")
        table.add_column(overflow="fold")
        for name, tier in self._ringfence.policy.models.items():
            table.add_row(Text(one_line(name)), Text(one_line(tier_words(tier))))
        self._console.print(Text("Ringfence chat", "bold"))
        self._console.print(table)
        self._say("You see real values; the models see stand-ins such as <EMAIL_ADDRESS_1>. Commands: /help")

    async def _next(self) -> str | None:
        if self._lines.is_terminal:
            self._console.print(Text("\nyou › ", "bold"), end="")
        return await self._lines.block()

    def _command(self, command: str) -> None:
        match command:
            case "/help":
                for name, meaning in _HELP.items():
                    self._say(f"{name:<12} {meaning}")
            case "/usage":
                self._usage()
            case "/transcript":
                for entry in self._conversation.transcript:
                    self._say(f"{one_line(entry.source)}: {harmless(entry.text)}")
            case _:
                self._say(
                    f"There is no command {one_line(command, most=40)}. /help lists what there is.", "yellow"
                )

    def _usage(self) -> None:
        for step in self._conversation.steps:
            used = step.usage
            self._say(
                f"{one_line(step.agent):<12} {one_line(step.model):<24} {used.input_tokens:>7,} in "
                f"{used.output_tokens:>6,} out  ${used.usd:.6f}  {step.seconds:.2f} s"
            )
        self._say(self._usage_words(), "")

    async def _take_turn(self, said: str) -> None:
        self._turn = CancellationToken()
        try:
            items = await self._heard(said, self._turn)
            with self._live.shown():
                await self._stream(items)
        except RingfenceError as error:
            self._say(f"✗ {one_line(str(error))}", "red")
        finally:
            self._turn = None
        self._say(self._usage_words())

    async def _heard(self, said: str, token: CancellationToken) -> AsyncGenerator[Event | TaskResult, None]:
        """What comes of what the person said: the answer to a question that an agent asked, or a new task."""
        if not self._conversation.pending_questions:
            return self._conversation.run_stream(task=said, cancellation_token=token)
        await self._conversation.answer(self._conversation.pending_questions[0].id, said)
        return self._conversation.resume_stream(cancellation_token=token)

    async def _stream(self, items: AsyncGenerator[Event | TaskResult, None]) -> None:
        async for item in items:
            if isinstance(item, TaskResult):
                self._ended(item)
            else:
                self._print_event(item)
                self._live.update()

    def _ended(self, result: TaskResult) -> None:
        match self._conversation.status:
            case Status.LIMIT_REACHED:
                self._say(f"■ Stopped: {one_line(result.stop_reason or '')}. /new starts afresh.", "yellow")
            case Status.WAITING_FOR_APPROVAL:
                self._say(f"■ {one_line(result.stop_reason or '')}", "yellow")
                for request in self._conversation.pending_approvals:
                    for line in why_asked(request):
                        self._say(f"  {line}")
            case Status.WAITING_FOR_ANSWER:
                asked = self._conversation.pending_questions[0]
                self._say(f"{one_line(asked.agent)} asks: {harmless(asked.prompt)}", "bold")

    @contextmanager
    def _question(self) -> Iterator[None]:
        with self._live.paused(), self._print_event.held():
            yield

    def _usage_words(self) -> str:
        return usage_line(self._conversation.usage, self._ringfence.policy.limits)

    def _say(self, text: str, style: str = "dim") -> None:
        self._console.print(Text(text, style))

    @contextmanager
    def _interrupts(self) -> Iterator[None]:
        """Ctrl-C stops the turn; when there is none, or it was stopped already, it ends the chat."""
        loop, chat = asyncio.get_running_loop(), asyncio.current_task()

        def interrupted() -> None:
            if self._turn is not None and not self._turn.is_cancelled():
                self._turn.cancel()
            elif chat is not None:
                loop.remove_signal_handler(signal.SIGINT)
                chat.cancel()

        # Without signals of its own, as on Windows or in a thread, the loop ends at the first Ctrl-C.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(signal.SIGINT, interrupted)
        try:
            yield
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.remove_signal_handler(signal.SIGINT)
