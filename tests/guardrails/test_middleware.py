"""A door is a stack of middlewares, and what passes it is plain data."""

import asyncio

from ringfence.errors import ApprovalDenied, ApprovalRequired, RingfenceError
from ringfence.guardrails.middleware import Handler, Middleware, door
from ringfence.guardrails.records import record_nothing
from ringfence.guardrails.stop import StopSignal
from tests.guardrails.parts import model_call


def marks(name: str) -> Middleware[str, str]:
    """Writes its name on the call and on the reply."""

    async def middleware(call: str, call_next: Handler[str, str]) -> str:
        return f"{await call_next(call + name)}{name}"

    return middleware


async def handler(call: str) -> str:
    return f"{call}|"


async def test_the_first_listed_is_the_outermost() -> None:
    """It sees the call first and the reply last."""
    assert await door([marks("a"), marks("b"), marks("c")], handler)("") == "abc|cba"


async def test_a_door_without_middlewares_is_its_handler() -> None:
    """Nothing is put in between."""
    assert door([], handler) is handler


async def test_a_middleware_may_answer_in_place_of_the_handler() -> None:
    """Then nothing behind it is called."""

    async def refuse(call: str, call_next: Handler[str, str]) -> str:
        return f"no {call}"

    assert await door([marks("a"), refuse, marks("b")], handler)("") == "no aa"


async def test_a_door_can_be_passed_again() -> None:
    """It holds nothing of a call."""
    passed = door([marks("a")], handler)
    assert [await passed("x"), await passed("y")] == ["xa|a", "ya|a"]


def test_the_first_reason_to_stop_stays() -> None:
    """Until the next run begins."""
    stop = StopSignal()
    assert stop.error is None
    first = RingfenceError("first")
    stop.set(first)
    stop.set(RingfenceError("second"))
    assert stop.error is first
    stop.clear()
    assert stop.error is None


def test_a_missing_approval_gives_way_to_a_graver_reason() -> None:
    """It only means that the team has to wait."""
    stop, waits, grave = (
        StopSignal(),
        ApprovalRequired(approval_id="1", tool="refund"),
        RingfenceError("grave"),
    )
    for error in (waits, grave, ApprovalDenied(approval_id="1", tool="refund"), waits):
        stop.set(error)
    assert stop.error is grave


async def test_an_interruption_ends_what_is_under_way() -> None:
    """All of it, whether it watches a token or not; what is done is not held on to."""
    stop, loop = StopSignal(), asyncio.get_running_loop()
    done, running = loop.create_future(), loop.create_future()
    for work in (done, running):
        stop.link(work)
    done.set_result("done")
    await asyncio.wait([done])
    assert not stop.interrupted
    assert stop._pending == {running}
    stop.interrupt()
    assert stop.interrupted
    assert (done.result(), running.cancelled()) == ("done", True)
    stop.clear()
    assert not stop.interrupted


def test_a_call_says_which_structure_its_reply_must_have() -> None:
    """Taken from the options that the agent gave."""
    assert model_call("a", options={"json_output": int}).structure is int
    assert model_call("a").structure is None


def test_parts_can_be_tried_without_a_record() -> None:
    """Nothing is written, whatever is said."""
    record_nothing("event", any="field")
