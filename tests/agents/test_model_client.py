"""A fenced model client is a ChatCompletionClient like the one inside, but for the door."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_core import CancellationToken, ComponentModel
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import FunctionTool
from autogen_ext.models.openai import OpenAIChatCompletionClient
from autogen_ext.models.replay import ReplayChatCompletionClient
from fenced import EMAIL, agent, canaries_in, fence_of, team_of
from pydantic import BaseModel
from scripted import MODEL, Scripted, call, created

from ringfence import CoverageError, Fence, ModelCallFailed, PolicyError, Ringfence
from ringfence.agents.model_client import FencedModelClient

House = Callable[..., Ringfence]
HELLO: list[LLMMessage] = [
    SystemMessage(content="Be brief."),
    UserMessage(content=f"I am {EMAIL}", source="user"),
]


class Form(BaseModel):
    """A structure to ask for."""

    number: int


class Noting(Scripted):
    """Notes the arguments of each call."""

    def __init__(self, *replies: Any) -> None:
        super().__init__(*replies)
        self.given: list[dict[str, Any]] = []
        self.closed = 0

    async def create(self, messages: Any, **given: Any) -> CreateResult:
        """Note and answer."""
        self.given.append(given)
        return await super().create(messages, **given)

    async def close(self) -> None:
        """Note that it was closed."""
        self.closed += 1


def a_fence(house: House, **policy: Any) -> Fence:
    """The fence of a conversation."""
    return fence_of(house(**policy))[0]


def do(what: str) -> str:
    """Do something."""
    return what


async def test_a_call_reaches_the_client_inside_as_it_was_made(house: House) -> None:
    """Tools, choice, structure, extra arguments and the token are handed on; texts are masked."""
    inside, token = Noting('{"number": 7}'), CancellationToken()
    tool = FunctionTool(do, "Do something.")
    client = a_fence(house).model_client(inside, model="scripted")
    await client.create(
        HELLO,
        tools=[tool, tool.schema],
        tool_choice=tool,
        json_output=Form,
        extra_create_args={"temperature": 0},
        cancellation_token=token,
    )
    (given,) = inside.given
    assert [one if isinstance(one, dict) else one.schema for one in given.pop("tools")] == [tool.schema] * 2
    assert given == {
        "tool_choice": tool,
        "json_output": Form,
        "extra_create_args": {"temperature": 0},
        "cancellation_token": token,
    }
    assert not canaries_in(inside.seen)


async def test_nobody_raises_the_limit_of_the_output(house: House) -> None:
    """An agent's own `max_tokens` is dropped: what was reserved is what may be used."""
    inside = Noting("ok")
    client = a_fence(house).model_client(inside, model="scripted", max_output_tokens=7)
    for name in ("max_tokens", "max_completion_tokens"):
        await client.create(HELLO, extra_create_args={name: 100_000, "seed": 1})
    assert [given["extra_create_args"] for given in inside.given] == [{"seed": 1}] * 2


async def test_a_client_that_bounds_its_output_is_told_the_bound(house: House) -> None:
    """The reservation's worst case and the request's limit are the same number."""

    class NotingOpenAI(OpenAIChatCompletionClient):
        asked: list[Mapping[str, Any]] = []  # noqa: RUF012 - one list for the one object of this test

        async def create(self, messages: Any, **given: Any) -> CreateResult:
            self.asked.append(given["extra_create_args"])
            return created("ok")

    inside = NotingOpenAI(model="gpt-4o-2024-08-06", api_key="none")
    conversation_fence, session = fence_of(house())
    client = conversation_fence.model_client(inside, max_output_tokens=77)
    await client.create(HELLO)
    assert inside.asked == [{"max_completion_tokens": 77}]
    assert session.ledger.steps[0].usage.usd > 0
    await client.close()


async def test_a_stream_gives_the_text_in_one_piece_and_then_the_reply(house: House) -> None:
    """Nothing of a text leaves before all of it has passed."""
    client = a_fence(house).model_client(Scripted(f"Write to {EMAIL}."), model="scripted")
    items = [item async for item in client.create_stream(HELLO)]
    assert items[0] == "Write to <EMAIL_ADDRESS_1>."
    assert isinstance(items[1], CreateResult)
    assert items[1].content == items[0]
    assert len(items) == 2


async def test_a_stream_of_calls_gives_the_reply_alone(house: House) -> None:
    """There is no text to show."""
    fence = a_fence(house)
    fence.workbench([do])
    client = fence.model_client(Scripted([call("do")]), model="scripted")
    (reply,) = [item async for item in client.create_stream(HELLO)]
    assert isinstance(reply, CreateResult)
    assert isinstance(reply.content, list)


async def test_a_stream_that_ends_without_a_reply_is_a_failed_call(house: House) -> None:
    """It stops the conversation, and is answered with a text that says so."""

    class Mute(Scripted):
        async def create_stream(self, *args: Any, **kwargs: Any) -> Any:
            for nothing in list[str]():
                yield nothing

    fence, session = fence_of(house())
    items = [item async for item in fence.model_client(Mute("never"), model="scripted").create_stream(HELLO)]
    assert "stopped this conversation" in str(items[0])
    assert isinstance(session.stop.error, ModelCallFailed)


async def test_after_a_stop_no_model_is_called(house: House) -> None:
    """Every later call of the conversation is answered at the door."""
    fence, session = fence_of(house())
    inside = Scripted(ValueError("boom"), "never")
    client = fence.model_client(inside, model="scripted")
    replies = [await client.create(HELLO) for _ in range(3)]
    assert inside.calls == 1
    assert {str(reply.content) for reply in replies} == {
        f"[Ringfence stopped this conversation. {session.stop.error}]"
    }
    assert all(reply.usage == RequestUsage(prompt_tokens=0, completion_tokens=0) for reply in replies)


@pytest.mark.parametrize("by_token", [True, False])
async def test_a_cancelled_call_is_cancelled_inside(house: House, by_token: bool) -> None:
    """Cancelling the call, or its token, ends the provider's call; the reservation is settled."""
    reached, stopped = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    fence, session = fence_of(house())
    inside, token = Scripted("never", on_call=wait), CancellationToken()
    client = fence.model_client(inside, model="scripted")
    running = asyncio.create_task(client.create(HELLO, cancellation_token=token))
    await reached.wait()
    if by_token:
        token.cancel()
    else:
        running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stopped.is_set()
    assert len(session.ledger.steps) == 1
    assert session.ledger.tokens_left() == 100_000 - session.ledger.spent.tokens


async def test_what_is_no_call_is_answered_by_the_client_inside(house: House) -> None:
    """Usage, abilities, remaining tokens and closing are the wrapped client's."""
    inside = Noting("ok")
    client = a_fence(house).model_client(inside, model="scripted")
    await client.create(HELLO)
    assert client.actual_usage() == client.total_usage() == inside.total_usage()
    assert client.model_info == client.capabilities == MODEL
    assert client.remaining_tokens(HELLO) == 1_000_000
    assert client.count_tokens(HELLO) > client.count_tokens(HELLO[:1]) > 0
    assert client.count_tokens(HELLO, tools=[FunctionTool(do, "Do something.")]) > client.count_tokens(HELLO)
    await client.close()
    assert inside.closed == 1


def test_a_repr_names_the_model_and_nothing_else(house: House) -> None:
    """No key and no prompt in a log or traceback."""
    fence = a_fence(house)
    inside = OpenAIChatCompletionClient(model="gpt-4o-2024-08-06", api_key="sk-very-secret")
    assert repr(fence.model_client(inside)) == "FencedModelClient('gpt-4o-2024-08-06')"
    assert repr(fence) == "Fence(conversation='any')"


async def test_a_loaded_client_is_sealed_until_it_is_fenced(house: House) -> None:
    """A saved definition holds no fence: alone it calls nothing, and in a team it is refused."""
    fence = a_fence(house)
    saved = fence.model_client(ReplayChatCompletionClient(["Hello."])).dump_component()
    assert isinstance(saved, ComponentModel)
    loaded = ChatCompletionClient.load_component(saved)
    assert isinstance(loaded, FencedModelClient)
    with pytest.raises(PolicyError, match="fence it"):
        await loaded.create(HELLO)
    with pytest.raises(CoverageError, match="fence"):
        await house().conversation(lambda _: AssistantAgent("a", loaded)).run(task="Go")
    again = fence.model_client(loaded)
    assert (await again.create(HELLO)).content == "Hello."


@pytest.mark.parametrize(
    ("client", "options", "says"),
    [
        ("nope", {}, "no model tier has this name; there is: replay"),
        (Scripted("ok"), {}, "model=..."),
        (Scripted("ok"), {"model": "nobody-knows-it"}, "price"),
    ],
    ids=["an unknown tier", "a client that tells no model", "a model without a price"],
)
def test_a_client_that_cannot_be_metered_is_refused(
    house: House, client: Any, options: dict[str, Any], says: str
) -> None:
    """With a PolicyError that says what to do."""
    policy = {
        "models": {
            "replay": {"provider": "openai_compatible", "model": "m", "base_url": "http://127.0.0.1:9"}
        }
    }
    fence = a_fence(house, prices={"m": "free"}, **policy)
    with pytest.raises(PolicyError, match=says):
        fence.model_client(client, **options)


async def test_a_cached_reply_costs_nothing(house: House) -> None:
    """A client that answers from its cache says so; the call counts, tokens and dollars do not."""
    price = {"input_usd_per_million_tokens": 1_000_000, "output_usd_per_million_tokens": 1_000_000}
    fence, session = fence_of(house(prices={"scripted": price}, limits={"usd": 5000}))
    cached = created("ok").model_copy(update={"cached": True})
    client = fence.model_client(Scripted("ok", cached), model="scripted")
    await client.create(HELLO)
    await client.create(HELLO)
    assert [step.usage.usd for step in session.ledger.steps] == [110, 0]
    assert session.ledger.spent.model_calls == 2


async def test_who_is_asking_is_known_in_a_team_and_alone(house: House) -> None:
    """Steps carry the agent's name without AutoGen's suffix."""
    ringfence = house()
    conversation = ringfence.conversation(team_of(Scripted("ok")))
    await conversation.run(task="Go")
    assert [step.agent for step in conversation.steps] == ["desk"]
    alone = ringfence.conversation(lambda fence: agent(fence, Scripted("ok"), name="lonely"))
    await alone.run(task="Go")
    assert [step.agent for step in alone.steps] == ["lonely"]
