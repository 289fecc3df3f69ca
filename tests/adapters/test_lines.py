"""Reading what a person types, or what stands in a file, beside a running event loop."""

import asyncio
import io
import os
import pty
import sys
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.adapters.lines import Lines


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A pipe as standard input; the end that is written to."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield writing


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A terminal as standard input; the end at which somebody types."""
    keyboard, screen = pty.openpty()
    with os.fdopen(screen) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield keyboard
    os.close(keyboard)


async def all_of(lines: Lines) -> list[str]:
    read = []
    while (line := await lines.line()) is not None:
        read.append(line)
    return read


async def test_lines_of_a_pipe(pipe: int) -> None:
    """Each line without its end, the last one without a line end too, broken bytes shown as such."""
    os.write(pipe, b"one\r\ntwo\n\n\xffthree")
    os.close(pipe)
    assert await all_of(Lines()) == ["one", "two", "", "\N{REPLACEMENT CHARACTER}three"]
    assert not asyncio.get_running_loop().remove_reader(sys.stdin), "nobody watches it any more"


async def test_lines_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file cannot be watched for input, and is read all the same."""
    path = tmp_path / "lines"
    path.write_text("one\ntwo")
    with path.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert await all_of(Lines()) == ["one", "two"]


@pytest.mark.parametrize("stdin", [io.StringIO("one\ntwo\n"), None])
async def test_lines_of_something_else(stdin: io.StringIO | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that embeds this may have replaced standard input, or have none."""
    monkeypatch.setattr(sys, "stdin", stdin)
    assert await all_of(Lines()) == (["one", "two"] if stdin else [])


async def test_waiting_holds_nothing_up_and_a_stopped_wait_takes_nothing(pipe: int) -> None:
    """The loop goes on while nobody types, and the line goes to the reader that is still there."""
    lines = Lines()
    stopped = asyncio.ensure_future(lines.line())
    await asyncio.sleep(0)
    assert not stopped.done()
    stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped
    reading = asyncio.ensure_future(lines.line())
    await asyncio.sleep(0)
    os.write(pipe, b"for the second\n")
    assert await reading == "for the second"
    os.close(pipe)


async def test_what_was_pasted_is_one_task(terminal: int) -> None:
    """Lines that come at once on a terminal belong together; a line by itself stands alone."""
    lines = Lines()
    os.write(terminal, b"Dear desk,\n\nplease refund 1182.\n")
    assert await lines.block() == "Dear desk,\n\nplease refund 1182."
    os.write(terminal, b"thanks\n")
    assert await lines.block() == "thanks"


async def test_lines_of_a_pipe_are_tasks_of_their_own(pipe: int) -> None:
    """Only a person pastes; in a pipe every line is a task."""
    os.write(pipe, b"one\ntwo\n")
    lines = Lines()
    assert [await lines.block(), await lines.block()] == ["one", "two"]
    os.close(pipe)
    assert await lines.block() is None


@pytest.mark.parametrize("raw", [False, True])
async def test_what_was_typed_ahead_answers_no_question(terminal: int, raw: bool) -> None:
    """A `y` that was typed before the question was on the screen is dropped; one typed after it counts."""
    if raw:
        tty.setraw(sys.stdin)
    lines = Lines()
    os.write(terminal, b"task\ny\n")
    assert await lines.line() == "task"
    lines.forget()
    os.write(terminal, b"n\n")
    assert await lines.line() == "n"


async def test_the_end_of_a_terminal(terminal: int) -> None:
    """Ctrl-D ends the input."""
    os.write(terminal, b"\x04")
    lines = Lines()
    assert await lines.block() is None
    assert await lines.block() is None
