"""AutoGen's OpenAI client behind the fence, over real HTTP: what comes out, is settled, was on the wire."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from fenced import (
    CANARIES,
    EMAIL,
    EVERY_CANARY,
    Talk,
    canaries_in,
    left_behind,
    recording,
    reply_of,
    texts,
)
from openai_server import (
    OpenAIServer,
    Reply,
    dropped,
    empty_choices,
    error,
    hanging,
    malformed,
    stream_error,
    text,
    tool_calls,
)

from ringfence import Approved, Fence, ModelCallFailed, Ringfence, Status

House = Callable[..., Ringfence]
PRICE = {
    "some-model": {"input_usd_per_million_tokens": 1_000_000, "output_usd_per_million_tokens": 1_000_000}
}
BOTH_WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture(autouse=True)
def _no_pauses(pauses: list[float]) -> None:
    """The waits between attempts are noted and not slept."""


def ringfence_for(house: House, server: OpenAIServer, *, retries: int = 2, **policy: Any) -> Ringfence:
    """A policy whose tier `worker` is the server, at a dollar a token."""
    tier: dict[str, Any] = {"provider": "openai_compatible", "model": "some-model"}
    tier |= {"base_url": server.base_url, "retries": {"times": retries}}
    limits = {"usd": 100_000, **policy.pop("limits", {})}
    models = {"worker": tier | {"max_output_tokens": 50}}
    return house(models=models, prices=PRICE, limits=limits, **policy)


def desk(*tools: Callable[..., Any], stream: bool, iterations: int = 2) -> Callable[[Fence], AssistantAgent]:
    """One agent with the tier's model."""

    def factory(fence: Fence) -> AssistantAgent:
        bench: dict[str, Any] = {"workbench": fence.workbench(tools)} if tools else {}
        return AssistantAgent(
            "desk",
            fence.model_client("worker"),
            model_client_stream=stream,
            max_tool_iterations=iterations,
            **bench,
        )

    return factory


def only_step(conversation: Talk) -> tuple[int, int]:
    """Tokens of the one call that was settled; nothing is left reserved."""
    (step,) = conversation.steps
    ledger = conversation._session.ledger
    assert ledger.usd_left() == 100_000 - conversation.usage.usd
    assert conversation.usage.usd == conversation.usage.tokens
    return step.usage.input_tokens, step.usage.output_tokens


@BOTH_WAYS
async def test_a_plain_answer(house: House, logs: pytest.LogCaptureFixture, stream: bool) -> None:
    """Pseudonyms on the wire, real values for the user, the provider's own usage on the bill."""
    with OpenAIServer(text("I wrote to <EMAIL_ADDRESS_1>.")) as server:
        ringfence = ringfence_for(house, server)
        conversation = ringfence.conversation(desk(stream=stream))
        result = await conversation.run(task=f"Write to {EVERY_CANARY}")
    assert reply_of(result) == f"I wrote to {EMAIL}."
    assert only_step(conversation) == (10, 5)
    (sent,) = server.bodies
    assert sent.get("max_tokens", sent.get("max_completion_tokens")) == 50
    assert bool(sent.get("stream")) == stream
    assert "<CREDIT_CARD_1>" in server.wire
    assert not canaries_in(server.wire + await left_behind(conversation, ringfence, logs))


@BOTH_WAYS
async def test_personal_data_that_the_provider_answers_with(
    house: House, logs: pytest.LogCaptureFixture, stream: bool
) -> None:
    """What a model knows of people is masked before anybody reads, logs or stores it."""
    with OpenAIServer(text(f"Ask {EVERY_CANARY}"), text("ok")) as server:
        ringfence = ringfence_for(house, server)
        conversation = ringfence.conversation(desk(stream=stream))
        result = await conversation.run(task="Whom shall I ask?")
        await conversation.run(task="Thank you")
    assert reply_of(result) == f"Ask {EVERY_CANARY}"
    assert not canaries_in(server.wire + await left_behind(conversation, ringfence, logs))


@BOTH_WAYS
async def test_parallel_tool_calls(house: House, logs: pytest.LogCaptureFixture, stream: bool) -> None:
    """Each runs once with its own arguments, and the provider gets each result under the call's id."""
    act = recording(reveals={"what": ["EMAIL_ADDRESS"]}, answer=lambda: f"done for {EVERY_CANARY}")
    calls = tool_calls(("act", {"what": EMAIL}), ("act", {"what": "x"}), ("nope", {}))

    async def yes(_request: object) -> Approved:
        return Approved("bob")

    with OpenAIServer(calls, text("All done.")) as server:
        ringfence = ringfence_for(house, server)
        conversation = ringfence.conversation(desk(act.function, stream=stream), approver=yes)
        result = await conversation.run(task=f"Go {EMAIL}")
    assert reply_of(result) == "All done."
    assert sorted(one["what"] for one in act.calls) == [EMAIL, "x"]
    messages = server.bodies[1]["messages"]
    asked = [one["id"] for message in messages for one in message.get("tool_calls") or ()]
    answered = [message["tool_call_id"] for message in messages if message["role"] == "tool"]
    assert len(set(asked)) == 3
    assert answered == asked
    assert not canaries_in(server.wire + await left_behind(conversation, ringfence, logs))
    assert conversation.usage.model_calls == 2


@BOTH_WAYS
@pytest.mark.parametrize("arguments", ['{"what": ', "[]", '{"what": NaN}', f'{{"what": "{EMAIL}'])
async def test_arguments_that_are_none(house: House, stream: bool, arguments: str) -> None:
    """The provider hears that the call was refused, and nothing ran."""
    act = recording(consequential=False)
    with OpenAIServer(tool_calls(("act", arguments)), text("I see.")) as server:
        conversation = ringfence_for(house, server).conversation(desk(act.function, stream=stream))
        result = await conversation.run(task="Go")
    assert reply_of(result) == "I see."
    assert act.calls == []
    assert "not one plain JSON object" in server.wire
    assert not canaries_in(server.wire)


@BOTH_WAYS
async def test_a_provider_that_is_busy_for_a_moment(house: House, pauses: list[float], stream: bool) -> None:
    """It is asked again after the wait that `Retry-After` asks for; each attempt is settled by itself."""
    with OpenAIServer(error(429, retry_after="7"), text("Hello.")) as server:
        conversation = ringfence_for(house, server).conversation(desk(stream=stream))
        result = await conversation.run(task="Go")
    assert reply_of(result) == "Hello."
    assert pauses == [7.0]
    assert len(server.requests) == 2
    assert [one.usage.tokens for one in conversation.steps] == [0, 15]
    assert conversation.usage.model_calls == 2


NOT_CHARGED = (0, 0)
WORST = None


@pytest.mark.parametrize(
    ("reply", "streams", "says", "retryable", "settled"),
    [
        pytest.param(error(429), (0, 1), "429.*too many requests", True, NOT_CHARGED, id="busy for ever"),
        pytest.param(error(500), (0, 1), "500.*in trouble", True, NOT_CHARGED, id="status 500"),
        pytest.param(error(504), (0, 1), "504", True, WORST, id="a gateway gives up"),
        pytest.param(error(400, message=EVERY_CANARY), (0, 1), "400", False, NOT_CHARGED, id="status 400"),
        pytest.param(error(401, message=EVERY_CANARY), (0, 1), "key", False, NOT_CHARGED, id="a bad key"),
        pytest.param(
            error(400, code="context_length_exceeded", message=EMAIL),
            (0, 1),
            "longer",
            False,
            WORST,
            id="too long",
        ),
        pytest.param(dropped("before"), (0, 1), "connection broke", True, WORST, id="hangs up at once"),
        pytest.param(dropped("mid-body"), (0,), "connection broke", True, WORST, id="hangs up in the body"),
        pytest.param(
            dropped("mid-stream"), (1,), "connection broke", True, WORST, id="hangs up in the stream"
        ),
        pytest.param(malformed(), (0, 1), "failed", None, WORST, id="no JSON"),
        pytest.param(empty_choices(), (0,), "holds no reply", True, WORST, id="no choice"),
        pytest.param(stream_error(EVERY_CANARY), (1,), "broke off", True, WORST, id="an error in the stream"),
    ],
)
async def test_a_provider_that_fails(  # noqa: PLR0917 - a row of the table has this many columns
    house: House,
    logs: pytest.LogCaptureFixture,
    reply: Reply,
    streams: tuple[int, ...],
    says: str,
    retryable: bool | None,
    settled: tuple[int, int] | None,
) -> None:
    """A ModelCallFailed that says why and quotes nothing; what may have been charged counts at its worst."""
    for stream in streams:
        with OpenAIServer(then=reply) as server:
            ringfence = ringfence_for(house, server, retries=0)
            conversation = ringfence.conversation(desk(stream=bool(stream)))
            with pytest.raises(ModelCallFailed, match=says) as failed:
                await conversation.run(task=f"Go {EVERY_CANARY}")
        assert retryable in (None, failed.value.retryable)
        tokens = only_step(conversation)
        assert tokens == settled if settled else (tokens[0] > 0 and tokens[1] == 50)
        assert conversation.status is Status.FAILED
        assert conversation.usage.model_calls == 1
        assert not canaries_in(server.wire + await left_behind(conversation, ringfence, logs, failed.value))


@pytest.mark.parametrize("reply", [dropped("ends-early"), Reply(content="Hel", usage=None)])
async def test_a_stream_without_a_usage_is_settled_at_its_worst(house: House, reply: Reply) -> None:
    """A stream that ends early, or a server that reports nothing: the reservation counts as spent."""
    with OpenAIServer(reply) as server:
        conversation = ringfence_for(house, server).conversation(desk(stream=True))
        await conversation.run(task="Go")
    assert only_step(conversation)[1] == 50
    assert server.bodies[0]["stream_options"] == {"include_usage": True}


@BOTH_WAYS
async def test_a_provider_that_never_answers(house: House, stream: bool) -> None:
    """The run's time ends it, and the request is dropped."""
    with OpenAIServer(hanging()) as server:
        ringfence = ringfence_for(house, server, limits={"seconds": 1.5})
        conversation = ringfence.conversation(desk(stream=stream))
        result = await conversation.run(task="Go")
        assert "seconds limit" in str(result.stop_reason)
        assert conversation.status is Status.LIMIT_REACHED
        assert only_step(conversation)[1] == 50


async def test_cancelling_drops_the_request(house: House) -> None:
    """Nothing waits for the provider any longer."""
    with OpenAIServer(hanging()) as server:
        conversation = ringfence_for(house, server).conversation(desk(stream=False))
        run = asyncio.create_task(conversation.run(task="Go"))
        while not server.requests:
            await asyncio.wait({run}, timeout=0.01)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert only_step(conversation)[1] == 50


async def test_a_provider_that_counts_more_than_it_was_allowed(house: House) -> None:
    """What the provider says is what is settled, also above the reservation; the next call does not start."""
    with OpenAIServer(text("Hello.", usage=(10, 200_000)), text("never")) as server:
        conversation = ringfence_for(house, server).conversation(desk(stream=False))
        await conversation.run(task="Go")
        await conversation.run(task="Again")
    assert conversation.usage.output_tokens == 200_000
    assert conversation.status is Status.LIMIT_REACHED
    assert len(server.requests) == 1


async def test_every_kind_of_personal_data_is_gone_from_the_wire_in_every_form(house: House) -> None:
    """In the user's text, a tool's result and error, and names: the raw bytes hold none of it."""
    values = list(CANARIES.values())
    read = recording("read", consequential=False, answer=json.dumps(values))
    fail = recording("fail", consequential=False, answer=ValueError(" / ".join(values)))
    replies = [tool_calls(("read", {"what": EMAIL}), ("fail", {})), text(EVERY_CANARY), text("ok")]
    with OpenAIServer(*replies) as server:
        ringfence = ringfence_for(house, server)
        conversation = ringfence.conversation(desk(read.function, fail.function, stream=False))
        first = await conversation.run(task="\n".join(values))
        await conversation.run(task=json.dumps({"who": values}))
    assert texts(first)[-1] == EVERY_CANARY
    assert not canaries_in(server.wire)
    assert server.wire.count("<IBAN_CODE_1>") > 3
