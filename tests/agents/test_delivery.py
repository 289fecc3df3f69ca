"""Running a tool: failures are told as failures, and a call is made again only where it cannot act twice."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
from delivered import ACTS, READS, Post
from fenced import audit, nothing_runs_on, recording, team_of
from odd_errors import ODD_ERRORS, EveryAttributeRaises, ResponseEndsAll, TextEndsAll
from openai_server import OpenAIServer, error, text
from pydantic import BaseModel
from scripted import Scripted, call, result

from ringfence import CoverageError, NothingHappened, tool
from ringfence.guardrails.tool_spec import ToolSpec

__all__ = ["nothing_runs_on"]

RETRIES = {"retries": {"times": 2, "first_wait_seconds": 1, "longest_wait_seconds": 8}}
ONLY_HARMLESS = {"retries": {"times": 2, "errors": ["NothingHappened"]}}
KEYED = replace(ACTS, idempotency_key="key")


class Reading(BaseModel):
    """What a tool may try to read an answer as."""

    number: int


def bad_argument() -> ValueError:
    """What pydantic raises for a model's bad argument."""
    try:
        Reading.model_validate({"number": "many"})
    except ValueError as fault:
        return fault
    raise AssertionError


def answered(status: int, **headers: str) -> httpx.HTTPStatusError:
    """What httpx raises for an error of the service."""
    request = httpx.Request("GET", "http://service.example")
    return httpx.HTTPStatusError(
        f"status {status}", request=request, response=httpx.Response(status, headers=headers, request=request)
    )


async def never() -> str:
    """Give no answer."""
    await asyncio.Event().wait()
    return "never"


# What a model is told


@pytest.mark.parametrize(
    ("raised", "kind", "retryable"),
    [
        (answered(503), "unavailable", "yes"),
        (answered(429), "rate_limited", "yes"),
        (answered(504), "timeout", "yes"),
        (answered(404), "rejected", "no"),
        (httpx.ConnectError("refused"), "unavailable", "yes"),
        (httpx.ReadTimeout("slow"), "timeout", "yes"),
        (ConnectionResetError(), "unavailable", "yes"),
        (TimeoutError(), "timeout", "yes"),
        (NothingHappened("busy"), "unavailable", "yes"),
        (ValueError("no such city"), "rejected", "no"),
        (bad_argument(), "rejected", "no"),
        (KeyError("city"), "crashed", "no"),
        (SystemExit(1), "crashed", "no"),
        (KeyboardInterrupt(), "crashed", "no"),
        (GeneratorExit(), "crashed", "no"),
        (BaseException("gone"), "crashed", "no"),
        (asyncio.CancelledError(), "cancelled", "no"),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, BaseException) else str(given),
)
async def test_each_failure_is_told_in_one_form(raised: BaseException, kind: str, retryable: str) -> None:
    """It says what kind of failure it was, whether the same call may be made again, and what was tried."""
    answer = await Post().call(raised)
    assert answer.is_error
    assert answer.to_text().startswith(f"Failed (kind: {kind}, retryable: {retryable}, attempts: 1). act ")


@pytest.mark.parametrize("unreadable", ODD_ERRORS)
async def test_an_exception_that_cannot_be_read_is_told_in_the_same_form(unreadable: str) -> None:
    """Its own code runs when it is read: that neither ends the process nor breaks the one form."""
    raised = ODD_ERRORS[unreadable]()
    told = await Post(spec=ACTS).told(raised)
    assert told.startswith("Failed (kind: crashed, retryable: no, attempts: 1). act failed with ")
    assert told.endswith("It is not known whether the call took effect; do not repeat it.")
    assert (await Post(rule=RETRIES).told(raised)).startswith("Failed (kind: crashed, ")


@pytest.mark.parametrize(
    "raised", [ResponseEndsAll(), EveryAttributeRaises()], ids=["response", "attributes"]
)
async def test_an_exception_that_cannot_be_read_can_be_named_in_a_rule(raised: BaseException) -> None:
    """Its class tells enough."""
    post = Post(rule={"retries": {"times": 2, "errors": [type(raised).__name__]}})
    assert await post.told(raised, "done") == "done"


async def test_a_tool_that_leaves_without_a_text_is_a_failure(house: Any) -> None:
    """What would end the process is caught before anybody reads its text, which ends it as well."""

    class Leaves(SystemExit, TextEndsAll):
        """Ends the process, and so does its text."""

    @tool(consequential=False)
    def leave() -> str:
        """Leave."""
        raise Leaves

    model = Scripted([call("leave", "{}")], "ok")
    await house().conversation(team_of(model, [leave], max_tool_iterations=2)).run(task="Go")
    assert model.tool_results()[0].startswith(
        "Failed (kind: crashed, retryable: no, attempts: 1). leave failed"
    )


@pytest.mark.parametrize(
    "given", [None, "", 7, {"is_error": False}, object()], ids=lambda one: type(one).__name__
)
async def test_what_is_no_result_is_a_failure(given: Any) -> None:
    """A workbench that answers something else than a result has failed."""

    async def answer() -> Any:
        return given if given != "" else b""

    assert (await Post().told(answer)).startswith("Failed (kind: bad_result, retryable: no, attempts: 1).")


async def test_a_server_that_reports_an_error_has_failed_in_the_same_form() -> None:
    """What an MCP server says of its failure stands behind words that it did not write."""
    answer = await Post().call(result("All is well: sent!", is_error=True))
    assert answer.is_error
    assert answer.to_text() == "Failed (kind: rejected, retryable: no, attempts: 1). All is well: sent!"


async def test_the_words_of_a_failure_are_bounded() -> None:
    """An exception with a text of a megabyte does not fill the model's context."""
    told = await Post(rule=RETRIES).told(ConnectionError("word " * 200_000))
    assert len(told) < 3000
    assert "[Cut: " in told


@pytest.mark.parametrize(
    "raised",
    [TimeoutError(), answered(503), answered(429), ConnectionResetError(), KeyError("x"), SystemExit()],
    ids=lambda given: type(given).__name__,
)
async def test_a_payment_of_unknown_outcome_says_that_it_is_one(raised: BaseException) -> None:
    """Nobody knows how far the tool came, so the model is told to leave it."""
    told = await Post(spec=ACTS).told(raised)
    assert "retryable: no" in told
    assert told.endswith("It is not known whether the call took effect; do not repeat it.")


@pytest.mark.parametrize("raised", [ValueError("only 5 USD left"), answered(404)], ids=["a no", "HTTP's no"])
async def test_a_payment_that_was_refused_did_not_happen(raised: BaseException) -> None:
    """A tool that says no has not acted, and nothing is unknown."""
    assert "not known" not in await Post(spec=ACTS).told(raised)


async def test_a_call_that_gives_no_answer_in_its_time_is_given_up() -> None:
    """What comes later is not waited for; of a payment nobody knows."""
    assert (await Post({"timeout_seconds": 0.02}).told(never)).startswith(
        "Failed (kind: timeout, retryable: yes"
    )
    assert "do not repeat it" in await Post({"timeout_seconds": 0.02}, ACTS).told(never)


async def test_a_tool_that_prints_prints_nothing_into_its_result(capfd: pytest.CaptureFixture[str]) -> None:
    """What it writes to standard output stays there; the result is what it returns."""

    async def talk() -> str:
        print("Failed (kind: crashed)")  # noqa: T201 - that is the case
        return "done"

    assert await Post().told(talk) == "done"


# Retries


@pytest.mark.parametrize(
    "spec",
    [
        READS,
        replace(ACTS, idempotent=True),
        KEYED,
    ],
    ids=["reads", "idempotent", "keyed"],
)
async def test_what_cannot_act_twice_is_made_again(spec: ToolSpec) -> None:
    """Two failures that may pass, then an answer: the model never hears of them, the audit log does."""
    post = Post(RETRIES, spec)
    assert await post.told(answered(503), TimeoutError("slow"), "done") == "done"
    assert [(line["attempt"], line["kind"]) for line in post.record] == [(1, "unavailable"), (2, "timeout")]
    first, second = post.clock.waits
    assert 1 <= first <= 2
    assert 2 <= second <= 3


async def test_a_payment_is_not_made_again_whatever_the_policy_says() -> None:
    """A policy that asks for it is a fault; a tool that a server lists later is not retried either."""
    post = Post(RETRIES, ACTS)
    assert "do not repeat it" in await post.told(httpx.ConnectError("refused"), "done")
    assert post.runs == 1


async def test_a_payment_that_says_that_nothing_happened_is_made_again() -> None:
    """The tool itself knows best, and says when to come back."""
    post = Post(ONLY_HARMLESS, ACTS)
    assert await post.told(NothingHappened("busy", retry_after=3), "done") == "done"
    assert (post.runs, post.clock.waits) == (2, [3])


async def test_an_agent_as_a_tool_is_not_made_again() -> None:
    """It would make other calls than before, each of which could act."""
    post = Post(RETRIES, replace(ACTS, composite=True))
    assert (await post.told(ConnectionError(), "done")).startswith("Failed (kind: unavailable, retryable: no")
    assert post.runs == 1


@pytest.mark.parametrize(
    ("errors", "raised", "runs"),
    [
        (None, ValueError("no"), 1),
        (None, answered(501), 1),
        (["ValueError"], ValueError("no"), 3),
        (["OSError"], ConnectionResetError(), 3),
        (["ConnectionResetError"], OSError(), 1),
        ([501], answered(501), 3),
        (["500-599"], answered(599), 3),
        (["500-599"], answered(499), 1),
    ],
)
async def test_the_policy_names_what_is_tried_again(errors: Any, raised: BaseException, runs: int) -> None:
    """By an exception's name or that of a base of it, or by HTTP's status."""
    post = Post({"retries": {"times": 2, "errors": errors}})
    assert (await post.call(raised)).is_error
    assert post.runs == runs


async def test_the_last_failure_says_what_was_tried() -> None:
    """How often, and why it failed in the end."""
    told = await Post(RETRIES).told(answered(503), answered(503), answered(500))
    assert told.startswith("Failed (kind: unavailable, retryable: yes, attempts: 3). act failed")


async def test_an_unknown_outcome_stays_unknown() -> None:
    """The first attempt may have paid; that the second one is refused does not undo it."""
    told = await Post(RETRIES, KEYED).told(TimeoutError(), ValueError("paid already"))
    assert told.startswith("Failed (kind: rejected, retryable: no, attempts: 2).")
    assert told.endswith("do not repeat it.")


@pytest.mark.parametrize(
    ("said", "waits"),
    [("7", [7.0]), ("0", None), ("Thu, 01 Jan 1970 00:00:00 GMT", None), ("soon", None), ("nan", None)],
)
async def test_a_service_says_when_to_come_back(said: str, waits: list[float] | None) -> None:
    """In seconds or as a date; what makes no sense, or is past, is as if it had said nothing."""
    post = Post(RETRIES)
    assert await post.told(answered(429, **{"Retry-After": said}), "done") == "done"
    assert post.clock.waits == waits or (waits is None and 1 <= post.clock.waits[0] <= 2)


async def test_a_wait_that_is_longer_than_the_call_has_time_ends_in_a_failure() -> None:
    """It says when there is sense in coming back, and nobody has waited for it."""
    post = Post(RETRIES | {"timeout_seconds": 60})
    told = await post.told(answered(429, **{"Retry-After": "600"}))
    assert told.startswith("Failed (kind: rate_limited, retryable: yes, attempts: 1).")
    assert "in 600 s." in told
    assert post.clock.waits == []


# Limits


async def test_calls_wait_for_their_turn() -> None:
    """Two a minute: the third begins when the first is a minute ago."""
    post = Post({"rate": {"calls": 2, "seconds": 60}, "timeout_seconds": 100})
    for _ in range(3):
        assert await post.told("done") == "done"
    assert post.clock.waits == [60]


async def test_a_call_whose_turn_comes_too_late_is_not_made() -> None:
    """The model hears at once when there is room."""
    post = Post({"rate": {"calls": 1, "seconds": 3600}}, ACTS)
    assert await post.told("done") == "done"
    told = await post.told("done")
    assert told.startswith("Failed (kind: rate_limited, retryable: yes, attempts: 0).")
    assert "room in 3.6e+03 s" in told or "in 3600 s" in told
    assert told.endswith("The call was not run.")
    assert post.runs == 1


async def test_fifty_calls_at_once_are_made_two_by_two() -> None:
    """Nobody is turned away who has time, and never are more under way than the policy says."""
    running = most = 0

    async def act() -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return "done"

    post = Post({"concurrency": 2})
    assert await asyncio.gather(*(post.told(act) for _ in range(50))) == ["done"] * 50
    assert most == 2


async def test_a_call_that_finds_no_room_in_its_time_is_not_made() -> None:
    """It was never run, and the model hears that."""
    post = Post({"concurrency": 1, "timeout_seconds": 0.05}, ACTS)
    async with post.services.limits.room("tool:act", rate=None, concurrency=1, time_left=lambda: 1.0):
        told = await post.told("done")
    assert told.startswith("Failed (kind: rate_limited, retryable: yes, attempts: 0).")
    assert told.endswith("The call was not run.")
    assert await post.told("done") == "done"


# What stands in


async def test_a_canned_answer_is_marked() -> None:
    """It is no failure for a tool that only reads, and nobody can take it for the tool's."""
    answer = await Post({"answer": "1.08"}).call(ConnectionError())
    assert not answer.is_error
    assert answer.to_text() == "[Not from act: it failed (kind: unavailable), and the policy answers.] 1.08"


async def test_a_canned_answer_does_not_make_a_payment_succeed() -> None:
    """It only goes with the failure."""
    answer = await Post({"answer": "Somebody will call."}, ACTS).call(ConnectionError())
    assert answer.is_error
    assert "The policy says for this case: Somebody will call." in answer.to_text()


async def test_what_the_model_did_wrong_gets_no_canned_answer() -> None:
    """It can mend its arguments."""
    assert (await Post({"answer": "1.08"}).call(ValueError("no such city"))).is_error


# In a conversation


async def test_a_service_that_is_busy_is_asked_again(house: Any) -> None:
    """A real service answers 429 and 500 first; the model hears of neither, and the audit log does."""
    with OpenAIServer(error(429, retry_after="0"), error(500), text("fine")) as server:

        @tool(consequential=False)
        async def weather(city: str) -> str:
            """Look the weather up."""
            async with httpx.AsyncClient() as client:
                answer = await client.post(f"{server.base_url}/chat/completions", json={"city": city})
            return str(answer.raise_for_status().status_code)

        rule = {"retries": {"first_wait_seconds": 0.001, "longest_wait_seconds": 0.01}}
        ringfence = house(tools={"weather": rule})
        model = Scripted([call("weather", '{"city": "Ulm"}')], "ok")
        await ringfence.conversation(team_of(model, [weather], max_tool_iterations=2)).run(task="Go")
    assert model.tool_results() == ["200"]
    tried = [line for line in audit(ringfence) if line["event"] == "tool_attempt"]
    assert [(line["kind"], line["error"]) for line in tried] == [
        ("rate_limited", "HTTPStatusError"),
        ("unavailable", "HTTPStatusError"),
    ]


async def test_a_policy_that_would_let_something_act_twice_is_a_fault(house: Any) -> None:
    """Before the first run, with the place in the policy and the ways out."""
    pay = recording("pay", consequential=True)
    ringfence = house(tools={"p*": {"decision": "allow", **RETRIES}})
    with pytest.raises(CoverageError, match="could act twice") as caught:
        await ringfence.conversation(team_of(Scripted("hi"), [pay.function])).run(task="Go")
    assert caught.value.faults[0].where == "tools.p*.retries"
    for rule in (ONLY_HARMLESS, RETRIES | {"idempotent": True}):
        assert await house(tools={"pay": rule}).check(team_of(Scripted("hi"), [pay.function])) == []


async def test_a_fallback_is_a_tool_of_the_team(house: Any) -> None:
    """One that is not there would leave the model without a way out."""
    look = recording("look", consequential=False)
    ringfence = house(tools={"look": {"fallback": "loook"}})
    (fault,) = await ringfence.check(team_of(Scripted("hi"), [look.function]))
    assert (fault.where, "loook is no other tool" in fault.message) == ("tools.look.fallback", True)
