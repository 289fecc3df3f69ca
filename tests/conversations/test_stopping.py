"""However a run is ended or fails, it ends: nothing is left running, and the next run works."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from autogen_core import CancellationToken
from fenced import (
    EMAIL,
    Talk,
    agent,
    audit,
    canaries_in,
    every_word,
    recording,
    reply_of,
    team_of,
)
from scripted import Scripted, call

from ringfence import (
    ConversationInterrupted,
    CoverageError,
    Fence,
    GuardrailTripped,
    ModelCallFailed,
    Ringfence,
    RingfenceError,
    Status,
    tool,
)

House = Callable[..., Ringfence]


class Waiting:
    """Something that waits for ever, and notes that it was reached and stopped."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.stopped = False

    async def __call__(self) -> None:
        """Wait until cancelled."""
        self.reached.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.stopped = True
            raise


@pytest.fixture
def thread_may_end() -> Iterator[threading.Event]:
    """Releases a thread at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def waits_in_model(waiting: Waiting) -> Callable[[Fence], RoundRobinGroupChat]:
    """A team whose model never answers."""
    return team_of(Scripted("never", on_call=waiting))  # type: ignore[return-value]  # it is a round robin


def waits_in_deaf_model(waiting: Waiting) -> Callable[[Fence], RoundRobinGroupChat]:
    """A team whose model never answers, and whose client does not look at the cancellation token."""

    class Deaf(Scripted):
        async def create(self, *args: Any, **kwargs: Any) -> Any:
            await waiting()

    return team_of(Deaf("never"))  # type: ignore[return-value]  # it is a round robin


def waits_in_tool(waiting: Waiting) -> Callable[[Fence], RoundRobinGroupChat]:
    """A team whose tool never answers."""

    @tool(consequential=False)
    async def act() -> str:
        """Wait."""
        await waiting()
        return "never"

    return team_of(Scripted([call()], "never"), [act])  # type: ignore[return-value]  # it is a round robin


def waits_in_second_tool(waiting: Waiting) -> Callable[[Fence], RoundRobinGroupChat]:
    """A team of which one of two parallel tools never answers."""
    quick = recording("quick", consequential=False)

    @tool(consequential=False)
    async def act() -> str:
        """Wait."""
        await waiting()
        return "never"

    model = Scripted([call("quick", id="1"), call(id="2")], "never")
    return team_of(model, [quick.function, act])  # type: ignore[return-value]  # it is a round robin


PLACES = pytest.mark.parametrize(
    "place", [waits_in_model, waits_in_deaf_model, waits_in_tool, waits_in_second_tool]
)


@PLACES
async def test_a_cancellation_token_ends_a_run_wherever_it_is(
    house: House, place: Callable[[Waiting], Any]
) -> None:
    """The run raises ConversationInterrupted; what was waiting was stopped."""
    waiting, token = Waiting(), CancellationToken()
    conversation = house().conversation(place(waiting))
    run = asyncio.create_task(conversation.run(task="Go", cancellation_token=token))
    await waiting.reached.wait()
    token.cancel()
    with pytest.raises(ConversationInterrupted, match="cancelled"):
        await run
    assert waiting.stopped
    assert conversation.status is Status.FAILED


@PLACES
async def test_cancelling_the_task_stops_the_team_as_well(
    house: House, place: Callable[[Waiting], Any]
) -> None:
    """`asyncio` cancellation, and so `asyncio.timeout`, ends the team and not only the waiting for it."""
    waiting = Waiting()
    conversation = house().conversation(place(waiting))
    run = asyncio.create_task(conversation.run(task="Go"))
    await waiting.reached.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert waiting.stopped
    assert conversation.status is Status.FAILED


@PLACES
async def test_leaving_the_stream_stops_the_team(house: House, place: Callable[[Waiting], Any]) -> None:
    """A `break` out of `run_stream` ends the run: nothing goes on where nobody looks."""
    waiting = Waiting()
    conversation = house().conversation(place(waiting))
    async for _ in conversation.run_stream(task="Go"):
        await waiting.reached.wait()
        break
    await until_idle(conversation)
    assert waiting.stopped


@PLACES
async def test_closing_the_stream_stops_the_team(house: House, place: Callable[[Waiting], Any]) -> None:
    """`aclose` returns when the team has ended."""
    waiting = Waiting()
    conversation = house().conversation(place(waiting))
    stream = conversation.run_stream(task="Go")
    await anext(stream)
    await waiting.reached.wait()
    await stream.aclose()
    assert waiting.stopped
    assert conversation.status is not Status.RUNNING


async def test_a_token_that_was_cancelled_before_stops_the_run_at_once(house: House) -> None:
    """No model is called."""
    token, model = CancellationToken(), Scripted("never")
    token.cancel()
    conversation = house().conversation(team_of(model))
    with pytest.raises(ConversationInterrupted, match="cancelled"):
        await conversation.run(task="Go", cancellation_token=token)
    assert model.calls == 0


async def test_a_thread_that_hangs_does_not_keep_a_cancelled_run(
    house: House, thread_may_end: threading.Event
) -> None:
    """The run ends although the tool's thread cannot be stopped."""
    token, reached, loop = CancellationToken(), asyncio.Event(), asyncio.get_running_loop()

    @tool(consequential=False)
    def act() -> str:
        """Wait in a thread."""
        loop.call_soon_threadsafe(reached.set)
        thread_may_end.wait()
        return "late"

    conversation = house().conversation(team_of(Scripted([call()], "never"), [act]))
    run = asyncio.create_task(conversation.run(task="Go", cancellation_token=token))
    await reached.wait()
    token.cancel()
    with pytest.raises(ConversationInterrupted):
        await run
    assert not thread_may_end.is_set()


async def test_a_cancelled_call_that_waits_for_its_approver_does_not_run(house: House) -> None:
    """Cancelling while a person thinks it over is a no."""
    act, waiting, token = recording(), Waiting(), CancellationToken()

    async def approver(_request: object) -> None:
        await waiting()

    conversation = house().conversation(
        team_of(Scripted([call()], "never"), [act.function]), approver=approver
    )
    run = asyncio.create_task(conversation.run(task="Go", cancellation_token=token))
    await waiting.reached.wait()
    token.cancel()
    with pytest.raises(ConversationInterrupted):
        await run
    assert act.calls == []
    assert waiting.stopped


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        pytest.param(ValueError("boom"), ModelCallFailed, id="the provider failed"),
        pytest.param("the secret", GuardrailTripped, id="a guardrail tripped"),
        pytest.param(None, ModelCallFailed, id="no reply"),
    ],
)
async def test_after_a_failure_the_next_run_has_a_fresh_team_and_the_earlier_state(
    house: House, reply: Any, error: type[RingfenceError]
) -> None:
    """What was said before the failed run is remembered, the failed run is not."""
    rule = {"use": "ringfence/banned_phrases", "at": ["message"], "with": {"phrases": ["secret"]}}
    model = Scripted("one", reply, "three")
    built: list[Fence] = []

    def factory(fence: Fence) -> RoundRobinGroupChat:
        built.append(fence)
        return RoundRobinGroupChat([agent(fence, model)], max_turns=1)

    conversation = house(guardrails=[rule]).conversation(factory)
    await conversation.run(task="First")
    with pytest.raises(error):
        await conversation.run(task="Second")
    assert reply_of(await conversation.run(task="Third")) == "three"
    assert len(built) == 2
    shown = str(model.prompts[-1])
    assert ("First" in shown, "one" in shown, "Second" in shown, "Third" in shown) == (
        True,
        True,
        False,
        True,
    )
    assert conversation.status is Status.DONE


async def test_after_a_cancellation_the_next_run_works(house: House) -> None:
    """A cancelled team is poisoned for AutoGen, so a fresh one takes over."""
    waiting, token = Waiting(), CancellationToken()
    hooks = [waiting]

    async def once() -> None:
        if hooks:
            await hooks.pop()()

    conversation = house().conversation(team_of(Scripted("one", on_call=once)))
    run = asyncio.create_task(conversation.run(task="Go", cancellation_token=token))
    await waiting.reached.wait()
    token.cancel()
    with pytest.raises(ConversationInterrupted):
        await run
    assert reply_of(await conversation.run(task="Again")) == "one"


async def test_a_factory_that_hands_out_a_failed_team_again_is_refused(house: House) -> None:
    """AutoGen cannot use it again, and would end after a turn as if all were well."""
    made: list[RoundRobinGroupChat] = []

    def factory(fence: Fence) -> RoundRobinGroupChat:
        if not made:
            made.append(RoundRobinGroupChat([agent(fence, Scripted(ValueError("boom"), "two"))], max_turns=1))
        return made[0]

    conversation = house().conversation(factory)
    with pytest.raises(ModelCallFailed):
        await conversation.run(task="Go")
    with pytest.raises(CoverageError, match="used before"):
        await conversation.run(task="Again")


async def test_an_error_of_the_team_itself_comes_out_typed_and_masked(house: House) -> None:
    """What AutoGen or user code raises inside the team is a ConversationInterrupted without personal data."""

    def fails(_messages: object) -> str:
        raise ValueError(f"cannot choose for {EMAIL}")

    def factory(fence: Fence) -> Any:
        agents = [agent(fence, Scripted("one"), name=name) for name in ("a", "b")]
        client = fence.model_client(Scripted("a"), model="scripted")
        return SelectorGroupChat(agents, client, selector_func=fails)  # type: ignore[arg-type]

    ringfence = house()
    conversation = ringfence.conversation(factory)
    with pytest.raises(ConversationInterrupted, match="cannot choose for <EMAIL_ADDRESS_1>") as failed:
        await conversation.run(task="Go")
    assert not canaries_in(every_word(failed.value) + str(audit(ringfence)) + str(conversation.transcript))
    assert conversation.status is Status.FAILED


async def test_a_consumer_that_fails_stops_the_team(house: House) -> None:
    """An exception in the loop over `run_stream` ends the run as leaving it does."""
    waiting = Waiting()
    conversation = house().conversation(waits_in_model(waiting))

    async def consume() -> None:
        async for _ in conversation.run_stream(task="Go"):
            await waiting.reached.wait()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await consume()
    await until_idle(conversation)
    assert waiting.stopped


async def test_two_cancellations_do_no_harm(house: House) -> None:
    """Cancelling again while the team is being stopped still stops it."""
    waiting = Waiting()
    conversation = house().conversation(waits_in_tool(waiting))
    run = asyncio.create_task(conversation.run(task="Go"))
    await waiting.reached.wait()
    run.cancel()
    asyncio.get_running_loop().call_soon(run.cancel)
    with pytest.raises(asyncio.CancelledError):
        await run
    await until_idle(conversation)
    assert waiting.stopped


async def until_idle(conversation: Talk) -> None:
    """Wait for the end of what a conversation still does."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=5)
    assert conversation.status is not Status.RUNNING


@pytest.mark.parametrize("way", ["the model fails", "the answer is blocked", "the run is cancelled"])
async def test_what_a_failed_run_did_is_told_to_the_next_team(house: House, way: str) -> None:
    """The failed team is thrown away, and what it did in the world is not: else it is done twice."""
    act, waiting, token = recording(answer="receipt 7"), Waiting(), CancellationToken()
    hooks: list[Waiting] = []

    async def wait_if_told() -> None:
        if len(act.calls) == 1 and hooks:
            await hooks.pop()()

    last = {"the model fails": ValueError("boom")}.get(way, "the secret")
    model = Scripted("Hello.", [call(arguments='{"what": "5 USD"}')], last, "After.", on_call=wait_if_told)
    rule = {"use": "ringfence/banned_phrases", "at": ["output"], "with": {"phrases": ["secret"]}}
    ringfence = house(guardrails=[rule], tools={"act": {"decision": "allow"}})
    conversation = ringfence.conversation(team_of(model, [act.function], max_tool_iterations=2))
    await conversation.run(task="Hi")
    if way == "the run is cancelled":
        hooks.append(waiting)
        run = asyncio.create_task(conversation.run(task="Pay", cancellation_token=token))
        await waiting.reached.wait()
        token.cancel()
        with pytest.raises(ConversationInterrupted):
            await run
    else:
        with pytest.raises((ModelCallFailed, GuardrailTripped)):
            await conversation.run(task="Pay")
    await conversation.run(task="Did you pay?")
    shown = str(model.prompts[-1])
    assert len(act.calls) == 1
    assert "receipt 7" in shown
    assert "5 USD" in shown
