"""A model's words reach the user while it writes, and none of them unchecked."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import pytest
from autogen_agentchat.base import TaskResult
from autogen_agentchat.messages import ModelClientStreamingChunkEvent, TextMessage
from autogen_core.models import CreateResult
from fenced import CANARIES, EMAIL, agent, recording, team_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import Scripted, call, created

from ringfence import Fence, GuardrailTripped, ModelCallFailed, Policy, Ringfence

House = Callable[..., Ringfence]
PARCEL = "Your parcel has left the depot. It will be at your door tomorrow. Thanks for your patience."


class Streams(Scripted):
    """A model that writes its text in these pieces; the last item may be an error, calls or another reply."""

    def __init__(self, *items: Any, whole: Any = None) -> None:
        super().__init__("".join(one for one in items if isinstance(one, str)))
        self._items = items
        self._whole = whole
        self.written: list[str] = []
        """What it has written so far."""

    async def create_stream(self, messages: Any, **options: Any) -> AsyncGenerator[str | CreateResult, None]:
        """The pieces, each when the one before was taken."""
        self.prompts.append(list(messages))
        for item in self._items:
            if isinstance(item, Exception):
                raise item
            self.written.append(item)
            yield item
            await asyncio.sleep(0)
        yield created(self._whole or "".join(self._items))


def words(text: str) -> list[str]:
    """A text in pieces of a word."""
    return [word + " " for word in text.split(" ")[:-1]] + text.split(" ")[-1:]


def live(model: Scripted, tools: Any = (), **more: Any) -> Callable[[Fence], Any]:
    """A single agent that shows what its model writes."""
    return lambda fence: agent(fence, model, tools=tools, model_client_stream=True, **more)


async def events_of(conversation: Any, task: str = "Where is it?") -> tuple[list[Any], Exception | None]:
    """What the user gets, without the task, until the end or an error."""
    seen: list[Any] = []
    try:
        async for event in conversation.run_stream(task=task):
            seen.append(event)  # noqa: PERF401 - what was seen before an error counts
    except Exception as error:
        return seen[1:], error
    return seen[1:], None


def pieces_of(events: list[Any]) -> list[str]:
    """The pieces of messages among them."""
    return [one.content for one in events if isinstance(one, ModelClientStreamingChunkEvent)]


def message_of(events: list[Any]) -> str:
    """The last message."""
    return next(one.content for one in reversed(events) if isinstance(one, TextMessage))


def rule(point: str = "message", on_fail: str = "exception", *phrases: str, **more: Any) -> dict[str, Any]:
    """A guardrail that bans phrases."""
    options = {"phrases": [*phrases] or ["secret"]}
    return {"use": "ringfence/banned_phrases", "at": [point], "on_fail": on_fail, "with": options} | more


async def test_a_sentence_is_there_before_the_next_one_is(house: House) -> None:
    """The user reads one sentence behind the model."""
    model = Streams(*words(PARCEL))
    behind = [
        "".join(model.written)
        async for event in house().conversation(live(model)).run_stream(task="Where?")
        if isinstance(event, ModelClientStreamingChunkEvent)
    ]
    assert len(behind) == 3
    assert "door tomorrow." not in behind[0]


async def test_the_pieces_are_the_message(house: House) -> None:
    """And the message is that of a run without a stream."""
    text = f"Write to {EMAIL} or call {CANARIES['PHONE_NUMBER']}. Thanks for waiting. Ask for Dr. Who then."
    events, _ = await events_of(house().conversation(live(Streams(*words(text)))))
    still, _ = await events_of(house().conversation(team_of(Scripted(text))))
    assert "".join(pieces_of(events)) == message_of(events) == message_of(still) == text


@given(
    st.lists(
        st.sampled_from(["Hello there. ", "Ann ", EMAIL, "\n", "now. ", "4111 1111 ", "1111 1111", "`a` "])
    )
)
@settings(max_examples=30, deadline=None)
def test_any_text_in_any_pieces(parts: list[str]) -> None:
    """Pieces and message agree, however the model cuts."""
    ringfence = Ringfence(Policy.model_validate({"prices": {"scripted": "free"}}))
    items = [*parts, "The end."]
    events, error = asyncio.run(events_of(ringfence.conversation(live(Streams(*items)))))
    assert error is None
    assert "".join(pieces_of(events)) == message_of(events) == "".join(items)


async def test_five_hundred_pieces_of_one_sign(house: House) -> None:
    """They come out as sentences, and the whole is the same."""
    text = (PARCEL + " ") * 5 + "Bye for now then."
    signs = [*text[:500]]
    events, _ = await events_of(house().conversation(live(Streams(*signs))))
    assert "".join(pieces_of(events)) == message_of(events) == text[:500]
    assert len(pieces_of(events)) < 30


@pytest.mark.parametrize("cut", [["a ", "sec", "ret plan. "], [*"a secret plan. "], ["a secret plan. "]])
async def test_what_is_forbidden_is_never_shown(house: House, cut: list[str]) -> None:
    """However it is cut; what stood before it was good, and was shown."""
    model = Streams("All is well today. ", "Here is ", *cut, "More of it comes. ", "And a last word.")
    events, error = await events_of(house(guardrails=[rule()]).conversation(live(model)))
    assert isinstance(error, GuardrailTripped)
    assert pieces_of(events)[0] == "All is well today. "
    assert "secret" not in "".join(pieces_of(events))
    assert "And a last word." not in model.written


async def test_what_is_forbidden_across_two_sentences_is_not_completed(house: House) -> None:
    """A window is judged with the one before it."""
    model = Streams("I will launch. ", "The rockets are ready now. ", "Soon enough.")
    banned = rule("message", "exception", "launch. the rockets")
    events, error = await events_of(house(guardrails=[banned]).conversation(live(model)))
    assert isinstance(error, GuardrailTripped)
    assert "rockets" not in "".join(pieces_of(events))


@pytest.mark.parametrize(
    "guardrail",
    [
        rule("message", "fix"),
        rule("message", "filter"),
        rule("message", "reask"),
        rule("message", "exception", window="reply"),
        {"use": "ringfence/length", "at": ["message"], "with": {"maximum_characters": 1_000}},
        rule("output", "fix"),
    ],
    ids=["fix", "filter", "reask", "whole", "a validator of wholes", "output"],
)
async def test_what_has_to_be_seen_whole_waits(house: House, guardrail: dict[str, Any]) -> None:
    """What went out cannot be taken back, so it goes out once it is sure."""
    model = Streams(*words(PARCEL))
    events, error = await events_of(house(guardrails=[guardrail]).conversation(live(model)))
    assert error is None
    assert pieces_of(events) == [PARCEL]
    assert message_of(events) == PARCEL


@pytest.mark.parametrize("point", ["message", "output"])
async def test_a_fix_is_in_what_is_shown(house: House, point: str) -> None:
    """Nobody reads what it took away."""
    model = Streams("The sec", "ret is out. ", "Bye for now.")
    events, _ = await events_of(house(guardrails=[rule(point, "fix")]).conversation(live(model)))
    assert "".join(pieces_of(events)) == message_of(events) == "The *** is out. Bye for now."


@pytest.mark.parametrize("point", ["message", "output"])
async def test_a_refused_reply_that_had_to_be_seen_whole_was_never_shown(house: House, point: str) -> None:
    """Not even its good beginning."""
    model = Streams("All is well today. ", "The secret is out.")
    banned = rule(point, "exception", window="reply")
    events, error = await events_of(house(guardrails=[banned]).conversation(live(model)))
    assert isinstance(error, GuardrailTripped)
    assert "well" not in "".join(pieces_of(events))


async def test_a_shadow_does_not_hold_back(house: House) -> None:
    """It would see the whole, later."""
    shadowed = rule("message", "exception", window="reply", mode="shadow")
    events, error = await events_of(house(guardrails=[shadowed]).conversation(live(Streams(*words(PARCEL)))))
    assert error is None
    assert len(pieces_of(events)) == 3


async def test_a_second_answer_is_the_only_one_shown(house: House) -> None:
    """What was refused and written again was never seen."""

    class Mends(Streams):
        async def create_stream(self, messages: Any, **options: Any) -> AsyncGenerator[Any, None]:
            self._items = ("The secret is out. ",) if not self.prompts else ("All is well today.",)
            async for item in super().create_stream(messages, **options):
                yield item

    model = Mends("unused")
    events, _ = await events_of(house(guardrails=[rule("message", "reask")]).conversation(live(model)))
    assert "".join(pieces_of(events)) == message_of(events) == "All is well today."
    assert len(model.prompts) == 2


async def test_a_stream_that_dies(house: House) -> None:
    """What was shown had passed; the run says that the model failed, and no message pretends to be whole."""
    model = Streams("All is well today. ", "And then ", RuntimeError("jane@acme.com"))
    events, error = await events_of(house().conversation(live(model)))
    assert isinstance(error, ModelCallFailed)
    assert pieces_of(events)[0] == "All is well today. "
    assert "And then" not in "".join(pieces_of(events))
    assert not [one for one in events if isinstance(one, TextMessage) and "All is well" in one.content]


async def test_a_call_waits_for_the_whole_reply(house: House) -> None:
    """The text before it was shown; the tool did not run, because the reply did not pass."""
    act = recording(consequential=False)
    model = Streams("I will look now. ", "It is about the secret.", whole=[call("act", '{"what": "secret"}')])
    events, error = await events_of(house(guardrails=[rule()]).conversation(live(model, [act.function])))
    assert isinstance(error, GuardrailTripped)
    assert act.calls == []
    assert "secret" not in "".join(pieces_of(events))


async def test_two_hundred_streams_do_not_mix(house: House) -> None:
    """Each user reads the own model's words, although all share one guardrail."""
    ringfence = house(guardrails=[rule()])

    async def talk(number: int) -> str:
        text = f"Parcel {number} has left the depot. Number {number} is on its way today. Bye for now."
        places = [*range(0, len(text), 1 + number % 7), len(text)]
        cut = [text[start:end] for start, end in pairwise(places)]
        events, _ = await events_of(ringfence.conversation(live(Streams(*cut))))
        assert "".join(pieces_of(events)) == text
        return message_of(events)

    told = await asyncio.gather(*map(talk, range(200)))
    assert [f"Parcel {number} " in one for number, one in enumerate(told)] == [True] * 200


async def test_who_leaves_early_stops_the_model(house: House) -> None:
    """It is not paid for words that nobody reads."""
    model = Streams(*words(PARCEL * 20))
    conversation = house().conversation(live(model))
    async with aclosing(conversation.run_stream(task="Where?")) as events:
        async for event in events:
            if isinstance(event, ModelClientStreamingChunkEvent):
                break
    written = len(model.written)
    await asyncio.sleep(0)
    assert len(model.written) <= written + 1 < len(words(PARCEL * 20))


async def test_the_result_holds_whole_messages(house: House) -> None:
    """As without a stream."""
    result = await house().conversation(live(Streams(*words(PARCEL)))).run(task="Where?")
    assert isinstance(result, TaskResult)
    assert [one.to_text() for one in result.messages] == ["Where?", PARCEL]
