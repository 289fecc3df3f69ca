"""What a model writes piece by piece reaches the user with real values, and no stand-in is cut."""

from collections.abc import AsyncGenerator, Callable
from itertools import pairwise
from typing import Any

import pytest
from autogen_agentchat.base import TaskResult
from autogen_agentchat.messages import ModelClientStreamingChunkEvent, TextMessage
from fenced import CANARIES, EMAIL, team_of
from scripted import Scripted

from ringfence import ConversationInterrupted, GuardrailTripped, Ringfence
from ringfence.agents.team_runner import TeamRunner

House = Callable[..., Ringfence]
CARD = CANARIES["CREDIT_CARD"]
SAID = "Write to <EMAIL_ADDRESS_1> or EMAIL_ADDRESS_1. Bye"
SHOWN = f"Write to {EMAIL} or {EMAIL}. Bye"


def piece(text: str, source: str = "desk") -> ModelClientStreamingChunkEvent:
    return ModelClientStreamingChunkEvent(content=text, source=source)


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes every team say these items, after the task."""

    def arrange(*items: Any) -> None:
        async def step(runner: TeamRunner, messages: Any, token: Any, **__: Any) -> AsyncGenerator[Any, None]:
            for item in (*messages, *items):
                if isinstance(item, Exception):
                    raise item
                yield item
            runner.finished = True
            yield TaskResult(messages=[], stop_reason="done")

        monkeypatch.setattr(TeamRunner, "step", step)

    return arrange


async def heard(house: House, **policy: Any) -> list[Any]:
    """What the user gets of a conversation about an address, without the task and the result."""
    conversation = house(**policy).conversation(team_of(Scripted("unused")))
    items: list[Any] = [event async for event in conversation.run_stream(task=f"I am {EMAIL}")]
    _, *events, result = items
    assert [type(one) for one in result.messages] == [
        TextMessage,
        *(type(event) for event in events if isinstance(event, TextMessage)),
    ]
    return events


def said_by(events: list[Any], source: str = "desk") -> str:
    """The pieces of somebody, put together."""
    chunks = [one for one in events if isinstance(one, ModelClientStreamingChunkEvent)]
    return "".join(one.content for one in chunks if one.source == source)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 100])
async def test_pieces_are_revealed_as_the_whole_is(
    house: House, says: Callable[..., None], size: int
) -> None:
    """Whatever their size; the whole message comes after the last of them."""
    places = [*range(0, len(SAID), size), len(SAID)]
    cut = [SAID[start:end] for start, end in pairwise(places)]
    says(*map(piece, cut), TextMessage(content=SAID, source="desk"))
    events = await heard(house)
    assert said_by(events) == events[-1].content == SHOWN


async def test_what_is_held_back_comes_before_the_next_message(
    house: House, says: Callable[..., None]
) -> None:
    """Of the same speaker; others may speak in between."""
    says(piece("<EMAIL"), TextMessage(content="I", source="other"), TextMessage(content="II", source="desk"))
    assert [(event.source, event.content) for event in await heard(house)] == [
        ("other", "I"),
        ("desk", "<EMAIL"),
        ("desk", "II"),
    ]


async def test_two_may_speak_at_once(house: House, says: Callable[..., None]) -> None:
    """Each has its own pieces."""
    says(piece("<EMAIL_"), piece("EMAIL_", "other"), piece("ADDRESS_1>"), piece("ADDRESS_1 is", "other"))
    events = await heard(house)
    assert (said_by(events), said_by(events, "other")) == (EMAIL, f"{EMAIL} is")


async def test_the_rest_comes_at_the_end(house: House, says: Callable[..., None]) -> None:
    """When no message follows."""
    says(piece("at EMAIL_"), piece("ADDRESS_1"))
    assert said_by(await heard(house)) == f"at {EMAIL}"


async def test_long_messages_do_not_wait_for_their_end(house: House, says: Callable[..., None]) -> None:
    """Whole sentences go out as soon as enough stands behind them."""
    says(*[piece(f"{SAID} now.\n")] * 40)
    events = await heard(house)
    assert len(events) > 20
    assert said_by(events) == f"{SHOWN} now.\n" * 40


async def test_a_value_that_is_cut_is_masked(house: House, says: Callable[..., None]) -> None:
    """No piece holds it, and nobody sees it but the user."""
    says(*map(piece, f"Her card is {CARD}."))
    ringfence = house()
    conversation = ringfence.conversation(team_of(Scripted("unused")))
    events = [event async for event in conversation.run_stream(task="Go")]
    assert said_by(events) == f"Her card is {CARD}."
    said = "".join(entry.text for entry in conversation.transcript)
    assert said == "GoHer card is <CREDIT_CARD_1>."


async def test_a_value_that_is_cut_may_be_blocked(house: House, says: Callable[..., None]) -> None:
    """Then nothing of it is shown."""
    says(*map(piece, f"Her card is {CARD}."))
    conversation = house(pii={"entities": {"CREDIT_CARD": "block"}}).conversation(team_of(Scripted("unused")))
    stream = conversation.run_stream(task="Go")
    assert (await anext(stream)).content == "Go"  # type: ignore[union-attr]  # it is the task
    with pytest.raises(GuardrailTripped, match="CREDIT_CARD"):
        await anext(stream)


async def test_what_no_door_has_seen_is_not_shown_when_the_team_fails(
    house: House, says: Callable[..., None]
) -> None:
    """It could be the beginning of a value."""
    says(piece("at 4111 1111"), ValueError("broken"))
    stream = house().conversation(team_of(Scripted("unused"))).run_stream(task="Go")
    assert (await anext(stream)).content == "Go"  # type: ignore[union-attr]  # it is the task
    with pytest.raises(ConversationInterrupted):
        await anext(stream)


async def test_the_policy_may_keep_values_from_the_user(house: House, says: Callable[..., None]) -> None:
    """In pieces as in whole messages."""
    says(*map(piece, SAID))
    assert said_by(await heard(house, pii={"reveal_to_user": ["PHONE_NUMBER"]})) == SAID
