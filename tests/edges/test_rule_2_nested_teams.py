"""Rule 2: a nested team passes neither the outer workbench nor the outer runtime."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent, SocietyOfMindAgent
from autogen_agentchat.base import ChatAgent, Team
from autogen_agentchat.messages import ToolCallRequestEvent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.tools import TeamTool
from autogen_core import (
    AgentId,
    CancellationToken,
    DefaultInterventionHandler,
    MessageContext,
    SingleThreadedAgentRuntime,
)
from autogen_core.tools import BaseTool, StaticStreamWorkbench
from scripted import Bench, Scripted, call

pytestmark = pytest.mark.timeout(20)


class Watch(DefaultInterventionHandler):
    """Remembers the topics and recipients of all that passes a runtime."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        """Note the topic."""
        assert message_context.topic_id is not None
        self.addresses.append(message_context.topic_id.type)
        return message

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        """Note the recipient."""
        self.addresses.append(recipient.type)
        return message


class Recording(StaticStreamWorkbench):
    """AutoGen's own workbench, which notes the tools that are called."""

    def __init__(self, tools: list[BaseTool[Any, Any]], names: list[str]) -> None:
        super().__init__(tools)
        self._names = names

    async def call_tool_stream(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> AsyncGenerator[Any, None]:
        """Note the name and call the tool."""
        self._names.append(name)
        async for event in super().call_tool_stream(name, arguments, cancellation_token, call_id):
            yield event


class Nested:
    """An inner team whose one agent uses a tool, in one of the three ways of nesting."""

    def __init__(self, way: str) -> None:
        self.model = Scripted([call()], "inner speaks")
        self.bench = Bench()
        self.outer_calls: list[str] = []
        worker = AssistantAgent("worker", self.model, workbench=self.bench, max_tool_iterations=2)
        self.team = RoundRobinGroupChat([worker], max_turns=1, name="inner")
        self.member: ChatAgent | Team = self.team
        if way == "society":
            self.member = SocietyOfMindAgent("society", team=self.team, model_client=Scripted("outer speaks"))
        elif way == "tool":
            tool = TeamTool(team=self.team, name="ask_team", description="Ask the team.")
            asks = Scripted([call("ask_team", '{"task": "go"}')])
            self.member = AssistantAgent("boss", asks, workbench=Recording([tool], self.outer_calls))


@pytest.mark.filterwarnings("ignore:Intervention handler on_response returned None")
@pytest.mark.parametrize("way", ["team", "society", "tool"])
async def test_an_inner_teams_messages_do_not_pass_the_outer_runtime(way: str) -> None:
    """Inner agents are addressed on the inner team's own runtime; the outer handlers see none of it.

    The fence relies on it: it wraps each client and each workbench, inside as well.
    """
    nested, watch = Nested(way), Watch()
    runtime = SingleThreadedAgentRuntime(intervention_handlers=[watch], ignore_unhandled_exceptions=False)
    runtime.start()
    outer = RoundRobinGroupChat([nested.member], max_turns=1, runtime=runtime)
    outcome = await outer.run(task="go")
    await runtime.stop_when_idle()

    assert nested.bench.calls == [{}], "the inner tool ran"
    assert any(outer._team_id in address for address in watch.addresses)
    assert not any(nested.team._team_id in address for address in watch.addresses)
    if way == "tool":
        shown = [m.source for m in outcome.messages if isinstance(m, ToolCallRequestEvent)]
        assert shown == ["boss", "worker"], (
            "inner events are shown outside, when they can no longer be stopped"
        )


@pytest.mark.parametrize("way", ["team", "society", "tool"])
async def test_an_inner_agents_model_calls_pass_its_client(way: str) -> None:
    """Whatever the nesting, an inner agent's prompts and replies pass the ChatCompletionClient it was given.

    The fence relies on it: the model door on each client has no way round.
    """
    nested = Nested(way)
    await RoundRobinGroupChat([nested.member], max_turns=1).run(task="go")
    assert nested.model.calls == 2
    assert nested.model.tool_results() == ["done"]


async def test_the_outer_workbench_sees_the_team_tool_but_not_the_inner_tool() -> None:
    """The call of a TeamTool passes the outer agent's workbench; the calls made inside do not.

    The fence relies on it: the inner agents' workbenches are fenced, too.
    """
    nested = Nested("tool")
    await nested.member.run(task="go")
    assert nested.outer_calls == ["ask_team"]
    assert nested.bench.calls == [{}]
