"""Every event that a team can give is made JSON and comes back the same."""

import json
from collections.abc import Callable
from typing import Any, Literal

import pytest
from autogen_agentchat.base import TaskResult
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    MultiModalMessage,
    StructuredMessage,
    TextMessage,
)
from autogen_agentchat.teams import SelectorGroupChat
from autogen_core import CancellationToken, Image
from autogen_core.memory import ListMemory, MemoryContent
from autogen_core.models import RequestUsage
from fenced import agent
from PIL import Image as Pictures
from pydantic import BaseModel
from scripted import Scripted, created
from stepped import KINDS, Script, ask, runner_of

from ringfence import Ringfence
from ringfence.agents.team_runner import TeamRunner

House = Callable[..., Ringfence]


class Fruit(BaseModel):
    """What an agent answers with."""

    name: str


class Note(BaseAgentEvent):
    """An event of somebody's own."""

    text: str
    type: Literal["Note"] = "Note"

    def to_text(self) -> str:
        """The text."""
        return self.text


async def events(runner: TeamRunner) -> list[Any]:
    """All that a run gives, but for its results."""
    await runner.start_run()
    given: list[Any] = []
    messages: list[BaseChatMessage] = ask()
    while not (given and runner.finished):
        given += [one async for one in runner.step(messages, CancellationToken(), output_task_messages=True)]
        messages = []
    return [one for one in given if not isinstance(one, TaskResult)]


def back(runner: TeamRunner, event: Any) -> Any:
    """An event that was JSON in between."""
    return runner.load(json.loads(json.dumps(runner.dump(event))))


@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_team_says_comes_back_the_same(house: House, kind: str) -> None:
    """With its type, id, time, usage and metadata."""
    runner = await runner_of(house(), KINDS[kind](Script()))
    for event in await events(runner):
        assert back(runner, event) == event
        assert type(back(runner, event)) is type(event)


async def test_types_of_all_kinds_and_of_ones_own_are_known(house: House) -> None:
    """Structured answers, a selector's words, recollections, pieces, thoughts, and a team's own events."""
    memory = ListMemory()
    await memory.add(MemoryContent(content="It rains.", mime_type="text/plain"))
    model = Scripted(created(Fruit(name="pear").model_dump_json(), thought="a pear"))

    def factory(fence: Any) -> SelectorGroupChat:
        fruit = agent(
            fence,
            model,
            name="a",
            output_content_type=Fruit,
            memory=[fence.memory(memory)],
            model_client_stream=True,
        )
        return SelectorGroupChat(
            [fruit, agent(fence, Scripted("b"), name="b")],
            fence.model_client(Scripted("a"), model="scripted"),
            emit_team_events=True,
            model_client_streaming=True,
            max_turns=1,
            custom_message_types=[Note, StructuredMessage[Fruit]],
        )

    runner = await runner_of(house(), factory)
    given = [*await events(runner), Note(source="a", text="noted")]
    assert {event.type for event in given} >= {
        "StructuredMessage[Fruit]",
        "MemoryQueryEvent",
        "ModelClientStreamingChunkEvent",
        "ThoughtEvent",
        "SelectSpeakerEvent",
        "SelectorEvent",
    }
    for event in given:
        assert back(runner, event) == event
    structured = next(back(runner, event) for event in given if isinstance(event, StructuredMessage))
    assert structured.content == Fruit(name="pear")


async def test_the_structured_answer_of_a_single_agent_is_known(house: House) -> None:
    """It has no team that would have to be told of the type."""
    model = Scripted(Fruit(name="pear").model_dump_json())
    runner = await runner_of(house(), lambda fence: agent(fence, model, output_content_type=Fruit))
    answer = (await events(runner))[-1]
    assert back(runner, answer) == answer
    assert back(runner, answer).content.name == "pear"


async def test_usage_metadata_and_pictures_are_kept(house: House) -> None:
    """What a message carries beside its text."""
    runner = await runner_of(house(), KINDS["single"](Script()))
    usage = RequestUsage(prompt_tokens=3, completion_tokens=4)
    text = TextMessage(source="a", content="hi", models_usage=usage, metadata={"seen": "yes"})
    assert back(runner, text) == text
    picture = Image(Pictures.new("RGB", (2, 2), "red"))
    shown = MultiModalMessage(source="a", content=["look", picture])
    again = back(runner, shown)
    assert (again.id, again.created_at, again.content[0]) == (shown.id, shown.created_at, "look")
    assert again.content[1].to_base64() == picture.to_base64()


async def test_a_type_that_nobody_knows_is_refused(house: House) -> None:
    """By its name."""
    runner = await runner_of(house(), KINDS["single"](Script()))
    with pytest.raises(ValueError, match="Unknown message type: Note"):
        runner.load({"type": "Note", "source": "a", "text": "noted"})
