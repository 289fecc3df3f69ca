"""A service that fails again and again is left alone for a while, and then tried with one call."""

import asyncio
import random

import pytest
from delivered import ACTS, Clock, Post
from fenced import nothing_runs_on
from hypothesis import given
from hypothesis import strategies as st
from odd_errors import ODD_ERRORS

from ringfence.agents.delivery_breaker import Breaker, Breakers, LeftAlone
from ringfence.guardrails.delivery_rules import BreakerRule

__all__ = ["nothing_runs_on"]

RULE = BreakerRule(failures=3, seconds=30)
BREAKER = {"breaker": {"failures": 3, "seconds": 30}}


async def opened(post: Post) -> Post:
    """A tool that has just failed three times in a row."""
    for _ in range(3):
        await post.call(ConnectionError())
    return post


async def test_after_failures_in_a_row_the_tool_is_left_alone() -> None:
    """The model hears at once, and that the call was not run, which for a payment is good to know."""
    post = await opened(Post(BREAKER, ACTS))
    told = await post.told("done")
    assert told.startswith("Failed (kind: unavailable, retryable: yes, attempts: 0). act: after 3 failures")
    assert told.endswith("not called for 30 s. The call was not run.")
    assert post.runs == 3


@pytest.mark.parametrize("unreadable", ODD_ERRORS)
async def test_an_exception_that_cannot_be_read_counts(unreadable: str) -> None:
    """As any other crash does."""
    post = Post(BREAKER)
    for _ in range(3):
        await post.call(ODD_ERRORS[unreadable]())
    assert "after 3 failures" in await post.told("done")
    assert post.runs == 3


async def test_an_answer_in_between_begins_the_count_anew() -> None:
    """Two failures, an answer, two failures: the tool is still called."""
    post = Post(BREAKER)
    for said in (ConnectionError(), ConnectionError(), "done", ConnectionError(), ConnectionError()):
        await post.call(said)
    assert await post.told("done") == "done"


async def test_refusals_and_bad_arguments_are_not_the_services_failures() -> None:
    """A model that calls a tool wrongly, however often, does not take it from the others."""
    post = Post(BREAKER)
    for _ in range(10):
        await post.call(ValueError("no such city"))
    assert await post.told("done") == "done"


async def test_one_call_tries_whether_the_service_is_back() -> None:
    """Of twenty that come at once when the time is over, one is let through; its answer lets all in again."""
    post = await opened(Post(BREAKER))
    post.clock.now += 31
    before = post.runs

    async def slow() -> str:
        await asyncio.sleep(0)
        return "done"

    told = await asyncio.gather(*(post.told(slow) for _ in range(20)))
    assert (told.count("done"), post.runs - before) == (1, 1)
    assert await post.told("done") == "done"


async def test_a_try_that_fails_leaves_the_service_alone_again() -> None:
    """For as long as before."""
    post = await opened(Post(BREAKER))
    post.clock.now += 31
    assert "attempts: 1" in await post.told(ConnectionError())
    assert "attempts: 0" in await post.told("done")
    post.clock.now += 31
    assert await post.told("done") == "done"


async def test_a_try_that_is_cut_off_lets_another_one_try() -> None:
    """A run that is cancelled within the one call does not shut the service off for ever."""
    post, began = await opened(Post(BREAKER)), asyncio.Event()
    post.clock.now += 31

    async def hang() -> str:
        began.set()
        await asyncio.Event().wait()
        return "never"

    cut = asyncio.ensure_future(post.told(hang))
    await began.wait()
    cut.cancel()
    await asyncio.wait({cut})
    for _ in range(3):
        await asyncio.sleep(0)
    assert await post.told("done") == "done"


async def test_a_call_that_gives_no_answer_in_time_counts() -> None:
    """A service that hangs is in trouble, too."""
    post = Post(BREAKER | {"timeout_seconds": 0.01})
    for _ in range(3):
        await post.call(asyncio.Event().wait)
    for _ in range(3):
        await asyncio.sleep(0)
    assert "attempts: 0" in await post.told("done")


async def test_retries_end_when_the_service_is_left_alone() -> None:
    """The attempts of one call count as well."""
    post = Post(BREAKER | {"retries": {"times": 9}})
    told = await post.told(ConnectionError("refused"))
    assert told.startswith("Failed (kind: unavailable, retryable: yes, attempts: 3). act: after 3 failures")
    assert "Before: act failed with ConnectionError: refused." in told


async def test_under_an_error_rate_of_thirty_percent_the_service_stays_in_use() -> None:
    """It is left alone now and then, always comes back, and every call is either run or said not to be."""
    post, chance = Post({"breaker": {"failures": 3, "seconds": 5}}), random.Random(6)  # noqa: S311 - a made-up service
    answered = failed = not_run = 0
    for _ in range(1000):
        fails = chance.random() < 0.3
        told = await post.told(ConnectionError() if fails else "done")
        answered += told == "done"
        not_run += "attempts: 0" in told
        failed += "attempts: 1" in told
        post.clock.now += 1
    assert answered + failed + not_run == 1000
    assert post.runs == answered + failed
    assert not_run > 0
    assert answered > 550


@given(st.lists(st.sampled_from(["call", "answer", "fail", "cut", "wait"]), max_size=60))
def test_never_do_two_calls_try_a_service_that_is_down(steps: list[str]) -> None:
    """Whatever order things happen in: from an open breaker one call at most is under way."""
    clock = Clock()
    breaker = Breaker("act", RULE, clock)
    trying: list[int] = []
    for step in steps:
        match step:
            case "call":
                was_closed = breaker.state == "closed"
                try:
                    entered = breaker.enter()
                except LeftAlone:
                    continue
                if not was_closed:
                    assert breaker.state == "half-opened"
                    trying = []
                trying.append(entered)
            case "answer" | "fail" if trying:
                breaker.leave(trying.pop(), ConnectionError() if step == "fail" else None)
            case "cut" if trying:
                breaker.give_up(trying.pop())
            case "wait":
                clock.now += 31
        assert breaker.state != "half-opened" or len(trying) == 1


def test_what_began_before_the_service_was_left_alone_says_nothing_of_it_now() -> None:
    """A late answer does not let everybody in while another call tries."""
    clock = Clock()
    breaker = Breaker("act", RULE, clock)
    late = breaker.enter()
    for _ in range(3):
        breaker.leave(breaker.enter(), ConnectionError())
    clock.now += 31
    breaker.enter()
    breaker.leave(late, None)
    assert breaker.state == "half-opened"
    with pytest.raises(LeftAlone):
        breaker.enter()


def test_breakers_are_bounded_and_each_services_own() -> None:
    """A server that lists new tools for ever does not fill the memory, and a changed rule begins anew."""
    breakers = Breakers(Clock())
    first = breakers.of("tool:0", RULE)
    assert breakers.of("tool:0", RULE) is first
    assert breakers.of("tool:0", BreakerRule(failures=4)) is not first
    for number in range(2000):
        breakers.of(f"tool:{number}", RULE)
    assert len(breakers._breakers) == 1000
    assert breakers.of("tool:0", RULE) is not first
