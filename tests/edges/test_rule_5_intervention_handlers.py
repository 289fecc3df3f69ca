"""Rule 5: intervention handlers can hang a team and cannot see tools. They are not a seam."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import TextMessage, ToolCallRequestEvent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.teams._group_chat._events import GroupChatMessage, GroupChatRequestPublish
from autogen_core import (
    DefaultInterventionHandler,
    DropMessage,
    InterventionHandler,
    MessageContext,
    SingleThreadedAgentRuntime,
)
from hanging import assert_hangs
from scripted import Bench, Scripted, call

pytestmark = [
    pytest.mark.timeout(20),
    pytest.mark.filterwarnings("ignore:Intervention handler on_response returned None"),
]


class OnPublish(DefaultInterventionHandler):
    """Does something to each published message."""

    def __init__(self, do: Callable[[Any], Any]) -> None:
        self._do = do
        self.did = asyncio.Event()

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        """Do it."""
        done = self._do(message)
        if done is not message:
            self.did.set()
        return done


def team(
    *handlers: InterventionHandler, embedded: bool = True, bench: Bench | None = None
) -> RoundRobinGroupChat:
    """A team whose one agent uses a tool, with these handlers on its runtime."""
    agent = AssistantAgent("a", model_client=Scripted([call()]), workbench=bench or Bench())
    if embedded:
        team = RoundRobinGroupChat([agent], max_turns=1)
        assert isinstance(team._runtime, SingleThreadedAgentRuntime)
        team._runtime._intervention_handlers = list(handlers)
        return team
    runtime = SingleThreadedAgentRuntime(
        intervention_handlers=list(handlers), ignore_unhandled_exceptions=False
    )
    runtime.start()
    return RoundRobinGroupChat([agent], max_turns=1, runtime=runtime)


def drop(message: Any) -> Any:
    """Drop the message that asks an agent to speak."""
    return DropMessage if isinstance(message, GroupChatRequestPublish) else message


@pytest.mark.parametrize("embedded", [True, False])
async def test_dropping_a_published_message_hangs_the_team(embedded: bool) -> None:
    """DropMessage out of on_publish makes team.run wait for ever, on both kinds of runtime.

    The fence relies on it: it blocks at its own doors and never drops a message.
    """
    handler = OnPublish(drop)
    await assert_hangs(team(handler, embedded=embedded).run(task="go"), after=handler.did)


@pytest.mark.parametrize("embedded", [True, False])
async def test_an_exception_in_a_handler_hangs_the_team(embedded: bool) -> None:
    """An exception out of on_publish is logged, the message is lost, and team.run waits for ever.

    The fence relies on it: nothing of it that could fail runs in a handler.
    """
    raised = asyncio.Event()

    def fail(message: Any) -> Any:
        if drop(message) is DropMessage:
            raised.set()
            raise RuntimeError("the guardrail broke")
        return message

    await assert_hangs(team(OnPublish(fail), embedded=embedded).run(task="go"), after=raised)


async def test_a_handler_cannot_stop_a_tool() -> None:
    """The tool call is only reported to the runtime, and runs even if that report is dropped.

    The fence relies on it: tools are stopped at the tool door.
    """

    def drop_the_report(message: Any) -> Any:
        if isinstance(message, GroupChatMessage) and isinstance(message.message, ToolCallRequestEvent):
            return DropMessage
        return message

    handler, bench = OnPublish(drop_the_report), Bench()
    outcome = await team(handler, embedded=False, bench=bench).run(task="go")
    assert handler.did.is_set()
    assert not any(isinstance(message, ToolCallRequestEvent) for message in outcome.messages)
    assert bench.calls == [{}]


async def test_of_two_handlers_only_the_last_counts() -> None:
    """Each handler gets the original message, and only the last one's answer is kept: a redaction is undone.

    The fence relies on it: it does not share the bus with other people's handlers.
    """

    def redact(message: Any) -> Any:
        if isinstance(message, GroupChatMessage) and isinstance(message.message, TextMessage):
            return GroupChatMessage(message=TextMessage(content="[redacted]", source=message.message.source))
        return message

    async def said(*handlers: InterventionHandler) -> str:
        agent = AssistantAgent("a", model_client=Scripted("123-45-6789"))
        team = RoundRobinGroupChat([agent], max_turns=1)
        assert isinstance(team._runtime, SingleThreadedAgentRuntime)
        team._runtime._intervention_handlers = list(handlers)
        last = (await team.run(task="go")).messages[-1]
        assert isinstance(last, TextMessage)
        return last.content

    auditor = OnPublish(lambda message: message)
    assert await said(OnPublish(redact)) == "[redacted]"
    assert await said(OnPublish(redact), auditor) == "123-45-6789"
    assert await said(auditor, OnPublish(redact)) == "[redacted]"


async def test_even_the_default_handler_warns_inside_a_team() -> None:
    """A team's own handlers answer None, of which DefaultInterventionHandler.on_response makes a warning.

    The fence relies on it: with warnings as errors any handler at all would end the run.
    """
    with pytest.warns(RuntimeWarning, match="on_response returned None"):
        await team(DefaultInterventionHandler()).run(task="go")
