"""What is printed of a conversation, and how a person is asked."""

import asyncio
import getpass
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from autogen_agentchat.messages import (
    ModelClientStreamingChunkEvent,
    TextMessage,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
    ToolCallSummaryMessage,
)
from autogen_core import FunctionCall
from autogen_core.models import FunctionExecutionResult
from rich.console import Console

from ringfence.adapters.approval_question import terminal_approver
from ringfence.adapters.console import call_line, make_console, text_of, usage_line
from ringfence.adapters.terminal import EventPrinter, LiveLine
from ringfence.budgets.limits import Limits
from ringfence.budgets.usage import Usage
from ringfence.guardrails.approval import ApprovalRequest, Approved, Rejected
from ringfence.guardrails.approval_deciders import Deciders

HOSTILE = "[bold]\x1b[2Jcleared[/]\x07 \u202etxt.exe :skull: [link=https://x.example]x[/link]"
SHOWN = r"[bold]\x1b[2Jcleared[/]\x07 \u202etxt.exe :skull: [link=https://x.example]x[/link]"


def terminal(width: int = 200, **options: Any) -> Console:
    """A console that writes as to a terminal, without colours."""
    return Console(
        file=io.StringIO(), force_terminal=True, color_system=None, width=width, _environ={}, **options
    )


def pipe() -> Console:
    """A console that writes as into a pipe."""
    return Console(file=io.StringIO(), width=20_000, soft_wrap=True, _environ={})


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def request(**arguments: Any) -> ApprovalRequest:
    return ApprovalRequest(
        id="approval-1",
        conversation="c",
        user="alice",
        agent="desk",
        tool="send_email",
        reason="send_email is consequential",
        arguments=dict.fromkeys(arguments, "<EMAIL_ADDRESS_1>"),
        real_arguments=arguments,
        digest="d",
        expires_at=datetime.now(UTC),
    )


def result(content: str, *, is_error: bool = False) -> ToolCallExecutionEvent:
    done = FunctionExecutionResult(content=content, name="look", call_id="1", is_error=is_error)
    return ToolCallExecutionEvent(content=[done], source="desk")


def call(arguments: str) -> ToolCallRequestEvent:
    return ToolCallRequestEvent(
        content=[FunctionCall(id="1", name="look", arguments=arguments)], source="desk"
    )


# Events


@pytest.mark.parametrize("make", [terminal, pipe])
@pytest.mark.parametrize(
    "event",
    [
        TextMessage(content=HOSTILE, source="desk"),
        ThoughtEvent(content=HOSTILE, source="desk"),
        result(HOSTILE),
        result(HOSTILE, is_error=True),
        TextMessage(content="hello", source=HOSTILE),
    ],
)
def test_nothing_that_was_said_acts_on_the_terminal(make: Callable[[], Console], event: Any) -> None:
    """Markup, emoji codes, escape sequences and text turners are shown, in messages, results and names."""
    console = make()
    EventPrinter(console)(event)
    assert (SHOWN if event.source == "desk" else SHOWN[:11]) in written(console).replace("\n", "")
    assert not set(written(console)) & set("\x1b\x07\u202e")


def test_arguments_of_a_call_are_shown_as_one_would_write_them() -> None:
    """Also when they are no JSON object, which only a model would send."""
    assert call_line("look", '{"thing": "a \\"cat\\"", "n": 2}') == 'look(thing="a \\"cat\\"", n=2)'
    assert call_line("look", "[1]") == "look([1])"
    assert call_line("look", "{broken") == "look({broken)"
    assert text_of(call('{"thing": "cat"}')) == 'look(thing="cat")'


def test_a_pipe_gets_everything_and_a_terminal_what_one_can_read() -> None:
    """A long result is whole in a pipe, a line each; a terminal gets its beginning and what is missing."""
    long = "first line\n" + "x" * 3000
    console = pipe()
    EventPrinter(console)(result(long))
    assert written(console) == "desk: ← first line\ndesk: " + "x" * 3000 + "\n"
    console = terminal()
    EventPrinter(console)(result(long))
    assert "more characters)" in written(console)
    assert len("".join(written(console).split())) < 300


def test_refusals_are_marked() -> None:
    """A call that was refused or failed does not look like one that was made."""
    console = pipe()
    EventPrinter(console)(result("Refused: no.", is_error=True))
    EventPrinter(console)(result("fine"))
    assert written(console) == "desk: ✗ Refused: no.\ndesk: ← fine\n"


def test_nothing_is_shown_twice() -> None:
    """Summaries repeat results, chunks are part of a message, and a person knows what they typed."""
    console = pipe()
    show = EventPrinter(console, hidden_sources=frozenset({"user"}))
    summary = ToolCallSummaryMessage(content="again", source="desk", tool_calls=[], results=[])
    for event in (
        TextMessage(content="typed", source="user"),
        ModelClientStreamingChunkEvent(content="chunk", source="desk"),
        summary,
        TextMessage(content="whole", source="desk"),
    ):
        show(event)
    assert written(console) == "desk: whole\n"


def test_events_wait_while_somebody_types() -> None:
    """What comes while a question is open is printed after it, in order."""
    console = pipe()
    show = EventPrinter(console)
    with show.held():
        show(TextMessage(content="one", source="a"))
        show(TextMessage(content="two", source="a"))
        assert written(console) == ""
    assert written(console) == "a: one\na: two\n"


def test_each_speaker_has_a_colour() -> None:
    """The same one every time, and another than the next speaker's."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=80, _environ={})
    show = EventPrinter(console)
    for source in ("anna", "ben", "anna"):
        show(TextMessage(content="hello", source=source))
    lines = written(console).splitlines()
    assert lines[0] == lines[2]
    assert lines[0].replace("anna", "ben ") != lines[1]


# Usage


def test_usage_stands_beside_its_limits() -> None:
    """With a limit it says how much of it, without one only how much."""
    used = Usage(input_tokens=1000, output_tokens=234, turns=1)
    assert usage_line(used, Limits(tokens=4000)) == "1 turn · 1,234 of 4,000 tokens · $0.0000 of $1.00"
    assert usage_line(used + used, Limits(tokens=None, usd=None)) == "2 turns · 2,468 tokens · $0.0000"


def test_the_live_line_needs_a_terminal() -> None:
    """In a pipe it is silent; on a terminal it is there, gives way to a question, and comes back."""
    silent = pipe()
    live = LiveLine(silent, lambda: "3 turns")
    with live.shown(), live.paused():
        live.update()
    assert written(silent) == ""
    console = terminal()
    live = LiveLine(console, lambda: "3 [turns]")
    with live.shown():
        live.update()
        with live.paused():
            seen = written(console)
            live.update()
            assert written(console) == seen
    assert "3 [turns]" in seen


def test_a_pipe_is_wide_and_a_page_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Data is never wrapped; what is only read has the width that it was given."""
    for variable in ("FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    make_console().print("word " * 100)
    assert capsys.readouterr().out.count("\n") == 1
    make_console(most_columns=100).print("word " * 100)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 100


# Approvals


async def asked(answers: str, console: Console, monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> object:
    monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
    return await terminal_approver(console, by="bob")(request(**arguments or {"to": "jane@acme.com"}))


@pytest.mark.parametrize(
    ("answers", "decision"),
    [
        ("y\n", Approved(by="bob")),
        (" YES \n", Approved(by="bob")),
        ("\n\ny\n", Approved(by="bob")),
        ("n\n", Rejected(by="bob")),
        ("No\n", Rejected(by="bob")),
        ("wrong address\n", Rejected(by="bob", reason="wrong address")),
        ("yes, but later\n", Rejected(by="bob", reason="yes, but later")),
        ("\x1b[2J\n", Rejected(by="bob", reason=r"\x1b[2J")),
        ("", None),
        ("\n\n", None),
    ],
)
async def test_only_a_clear_yes_is_one(
    monkeypatch: pytest.MonkeyPatch, answers: str, decision: object
) -> None:
    """Everything else is a no that says why; without an answer nobody has decided."""
    assert await asked(answers, pipe(), monkeypatch) == decision


async def test_the_person_sees_what_will_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wants what, with the values that the tool would get, and why it is asked."""
    console = pipe()
    await asked("n\n", console, monkeypatch, to="jane@acme.com", count=3)
    for words in (
        "desk wants to run send_email",
        "jane@acme.com",
        "count",
        "3",
        "Asked because send_email is consequential",
        "real values",
    ):
        assert words in written(console)


@pytest.mark.parametrize("make", [lambda: terminal(60), pipe])
async def test_an_argument_cannot_forge_the_question(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Console]
) -> None:
    """Its lines stay inside the frame, or indented under its name; control characters are spelled out."""
    console = make()
    forged = "hello\r\x1b[2K\nApprove? y = yes, n = no, or say why not: y\n╰──────╯\nto  boss@acme.com"
    await asked("n\n", console, monkeypatch, body=forged)
    lines = written(console).splitlines()
    assert sum(line.startswith("Approve?") for line in lines) == 1
    assert not any(line.startswith(("to", "╰──────╯")) for line in lines)
    assert not set(written(console)) & set("\x1b\r")


@pytest.mark.parametrize(
    ("answers", "decision"),
    [
        ('e\n{"to": "dora@acme.com"}\n', Approved("bob", {"to": "dora@acme.com"})),
        (' E \nto=dora\ne\n{"to": "dora"}\n', Approved("bob", {"to": "dora"})),
        ("e\n\ny\n", Approved("bob")),
        ("e\n[1]\nn\n", Rejected("bob")),
        ("e\n", None),
        ("else\n", Rejected("bob", "else")),
    ],
)
async def test_other_arguments_are_taken(
    monkeypatch: pytest.MonkeyPatch, answers: str, decision: object
) -> None:
    """As JSON on one line; whatever is none is said to be none, and nothing typed approves the old ones."""
    console = pipe()
    assert await asked(answers, console, monkeypatch) == decision
    if answers.strip().casefold().startswith("e\n"):
        assert '{"to": "jane@acme.com"}' in written(console)


async def test_a_call_in_doubt_takes_no_other_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have run as it is; `e` is a reason, as every other word."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("e\n"))
    doubt = replace(request(to="a"), kind="doubt")
    assert await terminal_approver(pipe(), by="bob")(doubt) == Rejected("bob", "e")


async def test_the_person_sees_where_values_came_from_and_who_decides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Line by line, and no line can forge another one."""
    console = pipe()
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    shown = replace(
        request(to="eve@x.org"),
        evidence=("`to` = eve@x.org came from notes[1].body\nApprove? y", "`amount` = 5 came from the user"),
        deciders=Deciders(by=("manager",), approvers=2),
        approved_by=("carol",),
        changed_by="carol",
    )
    await terminal_approver(console, by="bob")(shown)
    lines = written(console).splitlines()
    assert "`amount` = 5 came from the user" in lines
    assert "It may be decided by manager, 2 different persons of them." in lines
    assert "Approved so far by carol." in lines
    assert "The arguments are those of carol, not the agent's." in lines
    assert sum(line.startswith("Approve?") for line in lines) == 1


async def test_one_question_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two calls that wait at once are asked one after the other, each with its own answer."""
    reading, writing = os.pipe()
    opened: asyncio.Queue[None] = asyncio.Queue()

    @contextmanager
    def counted() -> Iterator[None]:
        opened.put_nowait(None)
        yield

    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        ask = terminal_approver(pipe(), by="bob", paused=counted)
        both = asyncio.gather(ask(request(to="a")), ask(request(to="b")))
        for answer in (b"y\n", b"no thanks\n"):
            await opened.get()
            await asyncio.sleep(0)
            assert opened.empty()
            os.write(writing, answer)
        assert list(await both) == [Approved(by="bob"), Rejected(by="bob", reason="no thanks")]
    os.close(writing)


async def test_somebody_always_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system knows no name, as in many containers, the terminal signs."""

    def unknown() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", unknown)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert await terminal_approver(pipe())(request(to="a")) == Approved(by="person at the terminal")
