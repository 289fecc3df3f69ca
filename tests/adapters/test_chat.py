"""A conversation at the terminal, driven through its input."""

import io
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console
from small_team import TEAM, small_team

from ringfence.adapters.chat import Chat, tier_words
from ringfence.agents.ringfence import Ringfence
from ringfence.conversations.status import Status
from ringfence.model_tier import ModelTier

Talk = Callable[..., str]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts a text into a pipe that stands in for the keyboard."""
    reading, writing = os.pipe()

    def put(text: str) -> None:
        os.write(writing, text.encode())
        os.close(writing)

    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield put


async def talked(policy: Path) -> tuple[Status, str]:
    """How a chat ended, and all that it printed."""
    console = Console(width=500, soft_wrap=True, file=io.StringIO(), _environ={})
    ringfence = Ringfence.from_file(policy)
    status = await Chat(ringfence, console).run()
    await ringfence.close()
    assert isinstance(console.file, io.StringIO)
    return status, console.file.getvalue()


async def test_a_chat_from_hello_to_the_end_of_the_input(
    tmp_path: Path, typed: Callable[[str], None]
) -> None:
    """Who speaks stands before what is said, and each turn is followed by what it has cost."""
    typed("hello\n\nlook at a cat\n")
    status, text = await talked(small_team(tmp_path))
    assert status is Status.DONE
    assert "clerk  rehearsal model, not a language model" in text
    assert "user: hello" in text
    assert "clerk: Said: hello. DONE" in text
    assert 'clerk: → look(thing="a cat")' in text
    costs = re.findall(r"^(\d) turns? · ([\d,]+) of 4,000 tokens · \$0.0000 of \$0.50 *$", text, re.MULTILINE)
    assert [turns for turns, _ in costs] == ["1", "2"]


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        ("y", "← paid 5"),
        ("n", "✗ Refused: pay was rejected by"),
        ("too much", "too much. The call was not run."),
    ],
)
async def test_an_approval_is_asked_in_place(
    tmp_path: Path, typed: Callable[[str], None], answer: str, seen: str
) -> None:
    """The next line answers it, and the chat goes on."""
    typed(f"pay 5\n{answer}\nhello\n")
    status, text = await talked(small_team(tmp_path))
    assert status is Status.DONE
    question, _, after = text.partition("Approve?")
    assert "clerk wants to run pay" in question
    assert "amount  5" in question
    assert 'clerk: → pay(amount="5"' in question
    assert seen in after
    assert "Said: hello. DONE" in after


async def test_an_approval_that_nobody_answers_waits(tmp_path: Path, typed: Callable[[str], None]) -> None:
    """At the end of the input the chat says what was not done."""
    typed("pay 5\n")
    status, text = await talked(small_team(tmp_path))
    assert status is Status.WAITING_FOR_APPROVAL
    assert "because pay is consequential" in text
    assert "Not done, because nobody approved it: pay" in text
    assert "paid" not in text


ASKING = TEAM.replace(
    "    return RoundRobinGroupChat([clerk]",
    """    from autogen_agentchat.agents import UserProxyAgent

    customer = UserProxyAgent("customer", input_func=fence.user_input())
    return RoundRobinGroupChat([customer, clerk]""",
)


async def test_an_agents_question_is_answered_with_the_next_line(
    tmp_path: Path, typed: Callable[[str], None]
) -> None:
    """It is no new task: the team goes on with it."""
    typed("hello\nlook at a cat\n")
    status, text = await talked(small_team(tmp_path, team=ASKING))
    assert status is Status.DONE
    before, question, after = text.partition("customer asks:")
    assert question
    assert "clerk:" not in before
    assert "customer: look at a cat" in after
    assert "clerk: Said: look at a cat. DONE" in after


async def test_the_error_of_one_turn_does_not_end_the_chat(
    tmp_path: Path, typed: Callable[[str], None]
) -> None:
    """A blocked text, one that is too long, a used-up limit: told in red, and the next turn works."""
    typed(f"my number is 536-90-4399\n{'x' * 401}\ngo on for ever\nhello\n")
    _, text = await talked(small_team(tmp_path))
    assert "✗ Guardrail 'pii' blocked the input" in text
    assert "✗ The task characters limit" in text
    assert "■ Stopped: The turns limit" in text
    assert "Said: hello. DONE" in text


async def test_the_commands(tmp_path: Path, typed: Callable[[str], None]) -> None:
    """/transcript shows what the models saw, /usage each call, /help the rest; /quit reads no further."""
    typed("mail jane@example.com\nn\n/transcript\n/usage\n/help\n/dance\n/quit\nhello\n")
    _, text = await talked(small_team(tmp_path))
    transcript = text.rpartition("0.50\n")[0].partition("of 4,000")[2]
    assert "user: mail <EMAIL_ADDRESS_1>" in transcript
    assert "jane@example.com" not in transcript
    assert len(re.findall(r"clerk +rehearsal +\d+ in +\d+ out", text)) == 2
    assert "Ctrl-C" in text
    assert "There is no command /dance" in text
    assert "hello" not in text


def test_the_header_names_what_answers() -> None:
    """Nobody shall take the rehearsal model for a language model."""
    rehearsal = ModelTier(provider="rehearsal", rules="r.yaml", obedient=True)
    assert (
        tier_words(rehearsal)
        == "obedient rehearsal model, not a language model (answers by the rules in r.yaml)"
    )
    assert tier_words(ModelTier(provider="ollama", model="llama3.2")) == "ollama llama3.2"


# On a terminal of its own

LOOK = 'def look(thing: str) -> str:\n    """Look at something."""'
HANGING_LOOK = 'async def look(thing: str) -> str:\n    """Look."""\n    await asyncio.Event().wait()'
STUCK_LOOK = LOOK + "\n    threading.Event().wait()"
HANGING_TEAM = "import asyncio\n" + TEAM.replace(LOOK, HANGING_LOOK)


class Terminal:
    """A process at a terminal: what it shows, and somebody who types."""

    def __init__(self, *arguments: str | Path) -> None:
        self._keyboard, screen = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ringfence", *arguments],
            stdin=screen,
            stdout=screen,
            stderr=screen,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
        )
        os.close(screen)
        self.shown = ""

    def until(self, words: str) -> str:
        """Read until the words are shown; answers with what came before them."""
        before = len(self.shown)
        while words not in self.shown[before:]:
            chunk = os.read(self._keyboard, 4096)
            self.shown += chunk.decode(errors="replace")
        return self.shown[before:]

    def type(self, line: str) -> None:
        os.write(self._keyboard, line.encode() + b"\n")

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """Read what is left and wait; the exit code."""
        try:
            while chunk := os.read(self._keyboard, 4096):
                self.shown += chunk.decode(errors="replace")
        except OSError:
            pass  # a terminal that nobody has open any more
        return self.process.wait(20)


@contextmanager
def at_a_terminal(*arguments: str | Path) -> Iterator[Terminal]:
    terminal = Terminal(*arguments)
    try:
        yield terminal
    finally:
        if terminal.process.poll() is None:
            terminal.process.kill()
            terminal.process.wait()
        os.close(terminal._keyboard)


def test_ctrl_c_stops_the_turn_and_the_second_one_ends_the_chat(tmp_path: Path) -> None:
    """A turn that hangs in a tool is stopped and the chat goes on; at the prompt Ctrl-C ends it with 130."""
    with at_a_terminal("chat", small_team(tmp_path, team=HANGING_TEAM)) as terminal:
        terminal.until("you ›")
        terminal.type("look at a cat")
        terminal.until("→ look")
        terminal.interrupt()
        assert "✗ The run was cancelled" in terminal.until("you ›")
        terminal.type("hello")
        assert "Said: hello. DONE" in terminal.until("you ›")
        terminal.interrupt()
        assert terminal.end() == 130
    assert "Traceback" not in terminal.shown


def test_a_question_at_the_terminal(tmp_path: Path) -> None:
    """It stands in a frame, y answers it, and Ctrl-C while it is open stops the turn."""
    with at_a_terminal("chat", small_team(tmp_path)) as terminal:
        terminal.until("you ›")
        terminal.type("pay 5")
        assert "╭─ Approval needed" in re.sub(r"\x1b\[[0-9;]*m", "", terminal.until("say why not:"))
        terminal.type("y")
        assert "← paid 5" in terminal.until("you ›")
        terminal.type("pay 6")
        terminal.until("say why not:")
        terminal.interrupt()
        terminal.until("you ›")
        terminal.type("/quit")
        assert terminal.end() == 0
    assert "paid 6" not in terminal.shown


def test_ctrl_c_does_not_wait_for_a_tool_in_a_thread(tmp_path: Path) -> None:
    """Nothing can stop a thread, so the command ends without it: `run` at once, `chat` at the second time."""
    stuck = small_team(tmp_path, team="import threading\n" + TEAM.replace(LOOK, STUCK_LOOK))
    with at_a_terminal("run", stuck, "--task", "look at a cat") as terminal:
        terminal.until("→ look")
        terminal.interrupt()
        assert terminal.end() == 130
    with at_a_terminal("chat", stuck) as chat:
        chat.until("you ›")
        chat.type("look at a cat")
        chat.until("→ look")
        chat.interrupt()
        chat.until("you ›")
        chat.interrupt()
        assert chat.end() == 130
    assert "Traceback" not in terminal.shown + chat.shown


def test_what_was_typed_before_the_question_does_not_answer_it(tmp_path: Path) -> None:
    """Whoever pastes a line too many, or is impatient, has not approved anything."""
    with at_a_terminal("run", small_team(tmp_path), "--task", "pay 5") as terminal:
        terminal.type("y")
        terminal.until("say why not:")
        terminal.type("n")
        assert terminal.end() == 0
    assert "pay was rejected by" in terminal.shown
    assert "← paid" not in terminal.shown


def test_run_asks_at_a_terminal_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    """Without --approve a terminal is asked; Ctrl-C ends the command quietly with 130."""
    with at_a_terminal("run", small_team(tmp_path), "--task", "pay 5") as terminal:
        terminal.until("say why not:")
        terminal.interrupt()
        assert terminal.end() == 130
    assert "Traceback" not in terminal.shown
    assert "← paid" not in terminal.shown
