"""Facts beside the eight rules that the fence rests on as well."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent, SocietyOfMindAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.messages import ModelClientStreamingChunkEvent, TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import EVENT_LOGGER_NAME, CancellationToken
from autogen_core.logging import ToolCallEvent
from autogen_core.models import UserMessage
from autogen_core.tools import FunctionTool, StaticStreamWorkbench, ToolResult
from autogen_core.tools._workbench import StreamWorkbench
from scripted import Bench, Scripted, call, result, speaker

pytestmark = pytest.mark.timeout(20)


async def test_two_calls_of_one_reply_run_at_the_same_time() -> None:
    """The second tool call starts before the first has ended.

    The fence relies on it: limits and approvals count calls that run side by side.
    """
    both = asyncio.Barrier(2)

    async def meet() -> ToolResult:
        await both.wait()
        return result("met")

    model = Scripted([call(id="call-1"), call(id="call-2")], "done")
    agent = AssistantAgent("a", model, workbench=Bench(meet), max_tool_iterations=2)
    await agent.run(task="go")
    assert model.tool_results() == ["met", "met"]


class Streams:
    """Streams one result."""

    async def call_tool_stream(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> AsyncGenerator[Any, None]:
        """Stream it."""
        yield result("streamed")


class StreamedBench(Streams, Bench, StreamWorkbench):
    """A workbench that can stream, but is none of AutoGen's own."""


class StaticBench(Streams, StaticStreamWorkbench):
    """A workbench that AutoGen takes for its own."""


async def test_only_autogens_own_workbench_is_streamed() -> None:
    """An agent uses call_tool_stream for subclasses of StaticStreamWorkbench, and call_tool for all others.

    The fence relies on it: it guards both methods, and passes inner events on only by such a subclass.
    """

    def act() -> str:
        """Act."""
        return "done"

    for bench, expected in (
        (StreamedBench(), "done"),
        (StaticBench([FunctionTool(act, description="Act.")]), "streamed"),
    ):
        model = Scripted([call()], "fine")
        await AssistantAgent("a", model, workbench=bench, max_tool_iterations=2).run(task="go")
        assert model.tool_results() == [expected]


async def test_a_run_without_a_task_continues() -> None:
    """run() without a task lets the next speaker go on with the same thread.

    The fence relies on it: one turn at a time, with a checkpoint between.
    """
    model = Scripted("one", "two", "three")
    team = RoundRobinGroupChat([AssistantAgent(name, model) for name in ("a", "b")], max_turns=1)
    runs = [await team.run(task="go"), await team.run(), await team.run()]
    assert [
        [(m.source, m.to_text()) for m in run.messages if isinstance(m, TextMessage)] for run in runs
    ] == [
        [("user", "go"), ("a", "one")],
        [("b", "two")],
        [("a", "three")],
    ]


async def test_a_saved_state_is_json_and_carries_context_and_turn() -> None:
    """A state saved between runs survives JSON; a fresh team that loads it knows thread and turn.

    The fence relies on it: a conversation outlives its process.
    """
    team = RoundRobinGroupChat([speaker("a", "my name is Ada"), speaker("b")], max_turns=1)
    await team.run(task="who are you?")
    state = json.loads(json.dumps(await team.save_state()))

    model = Scripted("hello Ada")
    fresh = RoundRobinGroupChat([speaker("a"), AssistantAgent("b", model)], max_turns=1)
    await fresh.load_state(state)
    outcome = await fresh.run()
    assert [message.source for message in outcome.messages] == ["b"]
    asked = [message.content for message in model.prompts[0] if isinstance(message, UserMessage)]
    assert asked == ["who are you?", "my name is Ada"]


async def test_one_agent_in_two_teams_mixes_their_contexts() -> None:
    """An agent's context belongs to the agent: what one team said, the other team's model reads.

    The fence relies on it: the factory is called afresh for each conversation.
    """
    model = Scripted("hi")
    shared = AssistantAgent("a", model)
    await RoundRobinGroupChat([shared], max_turns=1).run(task="contoso's secret")
    await RoundRobinGroupChat([shared], max_turns=1).run(task="acme's question")
    asked = [message.content for message in model.prompts[-1] if isinstance(message, UserMessage)]
    assert asked == ["contoso's secret", "acme's question"]


@pytest.mark.parametrize("way", ["team", "society"])
async def test_a_nested_teams_end_ends_its_turn_only(way: str) -> None:
    """The inner team's condition ends the inner run; the outer team goes on to its next speaker.

    The fence relies on it: a halt must reach the outer team as well.
    """
    inner = RoundRobinGroupChat(
        [speaker("worker", "STOP")], termination_condition=TextMentionTermination("STOP"), name="inner"
    )
    member = inner if way == "team" else SocietyOfMindAgent("society", inner, model_client=Scripted("outer"))
    outcome = await RoundRobinGroupChat([member, speaker("b")], max_turns=2).run(task="go")
    assert outcome.messages[-1].source == "b"
    assert outcome.stop_reason == "Maximum number of turns 2 reached."


async def test_streamed_chunks_are_out_before_the_reply_is_whole() -> None:
    """With model_client_stream each chunk reaches the caller before the full text exists.

    The fence relies on it: it holds chunks back until they are checked.
    """
    agent = AssistantAgent("a", Scripted("123-45-6789"), model_client_stream=True)
    stream = [m async for m in agent.run_stream(task="go") if not isinstance(m, TaskResult)]
    assert [type(message) for message in stream] == [TextMessage, ModelClientStreamingChunkEvent, TextMessage]
    assert stream[1].to_text() == "123-45-6789"


async def test_autogens_log_carries_raw_arguments_and_results(caplog: pytest.LogCaptureFixture) -> None:
    """BaseTool.run_json logs a ToolCallEvent at INFO on "autogen_core.events": raw arguments and result.

    The fence relies on it: it filters this logger, because unmasked values pass it.
    """

    async def send(to: str) -> str:
        return f"sent to {to}"

    assert EVENT_LOGGER_NAME == "autogen_core.events"
    tool = FunctionTool(send, description="Send.")
    with caplog.at_level(logging.INFO, EVENT_LOGGER_NAME):
        await tool.run_json({"to": "jane@acme.com"}, CancellationToken())
    (record,) = [record for record in caplog.records if isinstance(record.msg, ToolCallEvent)]
    assert (record.name, record.levelno) == (EVENT_LOGGER_NAME, logging.INFO)
    assert json.loads(record.getMessage()) == {
        "type": "ToolCall",
        "tool_name": "send",
        "arguments": {"to": "jane@acme.com"},
        "result": "sent to jane@acme.com",
        "agent_id": None,
    }


async def test_a_tool_that_fails_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The ToolCallEvent is written on success only.

    The fence relies on it: AutoGen's log is no audit.
    """

    async def send(to: str) -> str:
        raise ConnectionError(to)

    tool = FunctionTool(send, description="Send.")
    with caplog.at_level(logging.INFO, EVENT_LOGGER_NAME), pytest.raises(ConnectionError):
        await tool.run_json({"to": "jane@acme.com"}, CancellationToken())
    assert not [record for record in caplog.records if isinstance(record.msg, ToolCallEvent)]
