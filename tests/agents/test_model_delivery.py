"""A model call that fails in a way that may pass is made again, or another tier's model answers it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_core import CancellationToken
from fenced import audit, fence_of, reply_of
from openai_server import OpenAIServer, Reply, dropped, error, hanging, text
from scripted import Scripted

from ringfence import (
    ConversationInterrupted,
    Fence,
    GuardrailTripped,
    ModelCallFailed,
    PolicyError,
    Ringfence,
    Status,
)

House = Callable[..., Ringfence]
BOTH_WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
FRONTIER, BACKUP = 10, 1
"""US dollars for a token of each tier."""


@pytest.fixture(autouse=True)
def waits(pauses: list[float]) -> list[float]:
    """The waits between attempts: noted, not slept."""
    return pauses


@pytest.fixture
def servers() -> Iterator[Callable[..., OpenAIServer]]:
    """Starts providers on loopback."""
    with ExitStack() as stack:
        yield lambda *script, then=None: stack.enter_context(OpenAIServer(*script, then=then))


def two_tiers(house: House, first: OpenAIServer, second: OpenAIServer, **more: Any) -> Ringfence:
    """A policy with a tier `frontier` and a cheaper one, `backup`, that takes its place."""

    def tier(server: OpenAIServer, name: str, **fields: Any) -> dict[str, Any]:
        base = {"provider": "openai_compatible", "model": name, "base_url": server.base_url}
        return base | {"max_output_tokens": 50} | fields

    def price(dollars: int) -> dict[str, int]:
        million = dollars * 1_000_000
        return {"input_usd_per_million_tokens": million, "output_usd_per_million_tokens": million}

    given = more.pop("frontier", {})
    models = {
        "frontier": tier(first, "big", **({"fallback": "backup"} | given)),
        "backup": tier(second, "small", retries={"times": 0}),
    }
    prices = {"big": price(FRONTIER), "small": price(BACKUP)}
    limits = {"usd": 1_000_000, **more.pop("limits", {})}
    return house(models=models, prices=prices, limits=limits, **more)


def desk(*, stream: bool = False, tier: str = "frontier") -> Callable[[Fence], AssistantAgent]:
    """One agent with a tier's model."""
    return lambda fence: AssistantAgent("desk", fence.model_client(tier), model_client_stream=stream)


def told(ringfence: Ringfence, event: str) -> list[tuple[Any, ...]]:
    """What the audit log says of attempts: tier, model, and which attempt."""
    lines = [line for line in audit(ringfence) if line["event"] == event]
    return [(line.get("tier"), line["model"], line["attempt"]) for line in lines]


@BOTH_WAYS
async def test_another_tier_answers_at_its_own_price(
    house: House, servers: Callable[..., OpenAIServer], stream: bool
) -> None:
    """Three attempts fail, then the fallback answers; each is settled, and stands in the audit log."""
    first, second = servers(then=error(503)), servers(text("Hello."))
    ringfence = two_tiers(house, first, second)
    conversation = ringfence.conversation(desk(stream=stream))
    assert reply_of(await conversation.run(task="Go")) == "Hello."
    assert (len(first.requests), len(second.requests)) == (3, 1)
    assert [(step.model, int(step.usage.usd)) for step in conversation.steps] == [
        ("big", 0), ("big", 0), ("big", 0), ("small", 15 * BACKUP),
    ]  # fmt: skip
    assert conversation.usage.model_calls == 4
    assert told(ringfence, "model_attempt") == [("frontier", "big", number) for number in (1, 2, 3)]
    assert told(ringfence, "model_answered") == [("backup", "small", 4)]


@BOTH_WAYS
@pytest.mark.parametrize("trouble", [error(429), error(500), error(599), dropped("before")], ids=str)
async def test_what_may_pass_is_tried_again(
    house: House, servers: Callable[..., OpenAIServer], waits: list[float], stream: bool, trouble: Reply
) -> None:
    """After half a second or a little more, as the tier's default is."""
    first = servers(trouble, text("Hello."))
    conversation = two_tiers(house, first, servers()).conversation(desk(stream=stream))
    assert reply_of(await conversation.run(task="Go")) == "Hello."
    (wait,) = waits
    assert 0.5 <= wait <= 1


async def test_a_provider_that_hangs_is_asked_again(
    house: House, servers: Callable[..., OpenAIServer]
) -> None:
    """Nobody knows whether it charged, so its worst case counts as spent."""
    first = servers(hanging(), text("Hello."))
    ringfence = two_tiers(house, first, servers(), frontier={"timeout_seconds": 0.05})
    conversation = ringfence.conversation(desk())
    assert reply_of(await conversation.run(task="Go")) == "Hello."
    assert [step.usage.output_tokens for step in conversation.steps] == [50, 5]


async def test_a_provider_says_when_to_come_back(
    house: House, servers: Callable[..., OpenAIServer], waits: list[float]
) -> None:
    """Up to the tier's longest wait; what would be longer goes to the fallback at once."""
    first = servers(error(429, retry_after="7"), error(429, retry_after="31"))
    ringfence = two_tiers(house, first, servers(text("Hello.")))
    assert reply_of(await ringfence.conversation(desk()).run(task="Go")) == "Hello."
    assert (waits, len(first.requests)) == ([7.0], 2)


@pytest.mark.parametrize("fault", [error(400), error(401), error(404)], ids=["400", "401", "404"])
async def test_what_cannot_pass_is_told_at_once(
    house: House, servers: Callable[..., OpenAIServer], fault: Reply
) -> None:
    """A request that is not accepted, or a key: neither another attempt nor another model hides it."""
    first, second = servers(then=fault), servers(text("never"))
    conversation = two_tiers(house, first, second).conversation(desk())
    with pytest.raises(ModelCallFailed):
        await conversation.run(task="Go")
    assert (len(first.requests), len(second.requests)) == (1, 0)


async def test_when_nobody_answers_the_error_names_them_all(
    house: House, servers: Callable[..., OpenAIServer]
) -> None:
    """How often they were asked, and why each failed."""
    first, second = servers(then=error(503)), servers(then=error(500))
    conversation = two_tiers(house, first, second).conversation(desk())
    with pytest.raises(ModelCallFailed, match=r"after 4 attempts\. big: .*503.*; small: .*500") as failed:
        await conversation.run(task="Go")
    assert failed.value.retryable


async def test_nothing_is_tried_again_once_a_piece_went_out(
    house: House, servers: Callable[..., OpenAIServer]
) -> None:
    """Another reply would follow on half of this one."""
    first, second = servers(then=dropped("mid-stream")), servers(text("never"))
    conversation = two_tiers(house, first, second).conversation(desk(stream=True))
    with pytest.raises(ModelCallFailed):
        await conversation.run(task="Go")
    assert (len(first.requests), len(second.requests)) == (1, 0)


async def test_a_guardrails_no_is_not_tried_again(house: House, servers: Callable[..., OpenAIServer]) -> None:
    """No other model is asked until one says what the guardrail lets pass."""
    first, second = servers(then=text("the secret")), servers(text("never"))
    rule = {"use": "ringfence/banned_phrases", "at": ["message"], "with": {"phrases": ["secret"]}}
    conversation = two_tiers(house, first, second, guardrails=[rule]).conversation(desk())
    with pytest.raises(GuardrailTripped):
        await conversation.run(task="Go")
    assert (len(first.requests), len(second.requests)) == (1, 0)


async def test_each_attempt_needs_room_in_the_budget(
    house: House, servers: Callable[..., OpenAIServer]
) -> None:
    """A limit ends the attempts, whatever the policy says of retries."""
    first, second = servers(then=error(503)), servers(text("never"))
    ringfence = two_tiers(house, first, second, limits={"model_calls": 2})
    conversation = ringfence.conversation(desk())
    result = await conversation.run(task="Go")
    assert "model_calls limit" in str(result.stop_reason)
    assert (len(first.requests), len(second.requests)) == (2, 0)
    assert conversation.status is Status.LIMIT_REACHED


async def test_a_wait_that_passes_the_runs_time_is_not_begun(
    house: House, servers: Callable[..., OpenAIServer], waits: list[float]
) -> None:
    """The failure is told while there is time to tell it."""
    first = servers(then=error(429, retry_after="20"))
    ringfence = two_tiers(house, first, servers(), limits={"seconds": 10}, frontier={"fallback": None})
    with pytest.raises(ModelCallFailed) as failed:
        await ringfence.conversation(desk()).run(task="Go")
    assert (waits, failed.value.retry_after) == ([], 20.0)


async def test_a_cancelled_run_does_not_wait_for_a_provider(
    house: House, servers: Callable[..., OpenAIServer]
) -> None:
    """The wait between two attempts ends with the run."""
    began = asyncio.Event()

    async def wait(_seconds: float) -> None:
        began.set()
        await asyncio.Event().wait()

    first, token = servers(then=error(503)), CancellationToken()
    ringfence = two_tiers(house, first, servers())
    ringfence._services.sleep = wait
    run = asyncio.ensure_future(ringfence.conversation(desk()).run(task="Go", cancellation_token=token))
    await began.wait()
    token.cancel()
    with pytest.raises((ConversationInterrupted, asyncio.CancelledError)):
        await run
    assert len(first.requests) == 1


async def test_a_tier_that_fails_again_and_again_is_left_alone(
    house: House, servers: Callable[..., OpenAIServer]
) -> None:
    """By all conversations of the process; the fallback answers without the wait, and nothing is reserved."""
    first, second = servers(then=error(503)), servers(then=text("Hello."))
    more = {"retries": {"times": 0}, "breaker": {"failures": 2, "seconds": 3600}}
    ringfence = two_tiers(house, first, second, frontier=more)
    for _ in range(4):
        await ringfence.conversation(desk()).run(task="Go")
    assert (len(first.requests), len(second.requests)) == (2, 4)
    last = ringfence.conversation(desk())
    await last.run(task="Go")
    assert [step.model for step in last.steps] == ["small"]


async def test_a_resumed_turn_asks_nobody_again(house: House, servers: Callable[..., OpenAIServer]) -> None:
    """One row of the journal holds the call, with what all of its attempts cost."""
    first, second = servers(then=error(504)), servers(text("Hello."))
    ringfence = two_tiers(house, first, second)
    conversation = ringfence.conversation(desk(), id="talk")
    await conversation.run(task="Go")
    again = await ringfence.open("talk", team=desk())
    assert [step.model for step in again.steps] == ["big", "big", "big", "small"]
    assert again.usage == conversation.usage


# Clients that are handed in


async def test_a_client_that_was_handed_in_is_asked_once(house: House) -> None:
    """It may have retries of its own."""
    model = Scripted(TimeoutError(), "Hello.")
    with pytest.raises(ModelCallFailed):
        await (
            house()
            .conversation(lambda fence: AssistantAgent("desk", fence.model_client(model, model="scripted")))
            .run(task="Go")
        )
    assert model.calls == 1


async def test_a_client_that_was_handed_in_gets_retries_and_a_fallback_by_word(
    house: House, servers: Callable[..., OpenAIServer]
) -> None:
    """The same words as a tier's."""
    model, second = Scripted(TimeoutError()), servers(text("Hello."))
    tier = {"provider": "openai_compatible", "model": "small", "base_url": second.base_url}
    ringfence = house(models={"backup": tier}, prices={"small": "free", "scripted": "free"})

    def factory(fence: Fence) -> AssistantAgent:
        client = fence.model_client(model, model="scripted", retries=1, fallback="backup")
        return AssistantAgent("desk", client)

    assert reply_of(await ringfence.conversation(factory).run(task="Go")) == "Hello."
    assert model.calls == 2


@pytest.mark.parametrize(
    "words", [{"retries": -1}, {"retries": 11}, {"fallback": "nobody"}], ids=["few", "many", "unknown"]
)
async def test_words_that_make_no_sense_are_a_fault(house: House, words: dict[str, Any]) -> None:
    """Told while the team is built."""
    fence, _ = fence_of(house())
    with pytest.raises(PolicyError):
        fence.model_client(Scripted("hi"), model="scripted", **words)


# The policy


@pytest.mark.parametrize(
    ("fallbacks", "where", "says"),
    [
        ({"a": "c"}, "models.a.fallback", "no model tier has this name; there is: b"),
        ({"a": "a"}, "models.a.fallback", "leads back to this tier: a → a"),
        ({"a": "b", "b": "a"}, "models.a.fallback", "leads back to this tier: a → b → a"),
    ],
)
def test_a_fallback_that_leads_nowhere_is_a_fault(
    house: House, fallbacks: dict[str, str], where: str, says: str
) -> None:
    """Before anything runs, with the place and the way round."""
    tier = {"provider": "ollama", "model": "llama3.2"}
    models = {name: tier | ({"fallback": fallbacks[name]} if name in fallbacks else {}) for name in "ab"}
    with pytest.raises(PolicyError) as caught:
        house(models=models)
    fault = caught.value.faults[0]
    assert (fault.where, fault.message) == (where, says)
