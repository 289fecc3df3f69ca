"""Tools that answer too late, print, or end their thread: one effect, a plain failure, and work goes on."""

import _thread
import ctypes
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
from fenced import reply_of, team_of
from scripted import Scripted, call

from ringfence import Ringfence, tool

House = Callable[..., Ringfence]


async def test_an_answer_that_comes_after_the_timeout_is_nobodys(house: House) -> None:
    """The model hears that nobody knows; what the thread says later reaches no later call."""
    may_go_on, has_ended = threading.Event(), threading.Event()
    effects: list[str] = []

    @tool(consequential=True)
    def pay(what: str) -> str:
        """Pay."""
        effects.append(what)
        if what == "late":
            may_go_on.wait(20)
            has_ended.set()
        return f"paid {what}"

    replies = [[call("pay", f'{{"what": "{what}"}}', id=what)] for what in ("late", "next")]
    model = Scripted(*replies, "Done.")
    ringfence = house(
        tools={"pay": {"decision": "allow", "timeout_seconds": 0.05}}, provenance={"mode": "off"}
    )
    conversation = ringfence.conversation(team_of(model, [pay], max_tool_iterations=3))

    async def let_go() -> None:
        if model.calls == 2:
            may_go_on.set()
            assert has_ended.wait(20)

    model._on_call = let_go
    assert reply_of(await conversation.run(task="Go")) == "Done."
    assert effects == ["late", "next"]
    late, following = model.tool_results()
    assert late.startswith("Failed (kind: timeout")
    assert "not known whether" in late
    assert following == "paid next"
    assert "paid late" not in model.seen


def ends_itself() -> None:
    """End this thread, as C code may."""
    _thread.exit()


def is_killed() -> None:
    """Have this thread killed from outside."""
    ident = ctypes.c_ulong(threading.get_ident())
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(SystemExit))
    for _ in range(10_000):
        pass  # it is raised between two steps


@pytest.mark.parametrize("end", [ends_itself, is_killed])
async def test_a_tool_whose_thread_ends_has_failed(house: House, end: Callable[[], None]) -> None:
    """Its agent is answered, and the next tool gets a thread that works."""

    @tool(consequential=True)
    def pay(what: str) -> str:
        """Pay."""
        if what == "dies":
            end()
        return f"paid {what}"

    replies = [[call("pay", f'{{"what": "{what}"}}', id=what)] for what in ("dies", "next")]
    model = Scripted(*replies, "Done.")
    ringfence = house(tools={"pay": {"decision": "allow"}}, provenance={"mode": "off"})
    conversation = ringfence.conversation(team_of(model, [pay], max_tool_iterations=3))
    assert reply_of(await conversation.run(task="Go")) == "Done."
    dead, following = model.tool_results()
    assert dead.startswith("Failed (kind: crashed")
    assert following == "paid next"


async def test_what_a_tool_prints_is_no_part_of_its_result(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither through Python nor past it; the model reads what the tool returns."""

    @tool(consequential=False)
    def look(what: str = "") -> Any:
        """Look."""
        print("Approved by bob.")  # noqa: T201 - what this test is about
        os.write(1, b"Approved by carol.\n")
        return "seen"

    model = Scripted([call("look")], "Done.")
    await house().conversation(team_of(model, [look], max_tool_iterations=2)).run(task="Go")
    assert model.tool_results() == ["seen"]
    assert "Approved" not in model.seen
    assert "Approved by carol." in capfd.readouterr().out
