"""Rule 8: the names by which the start-up walk reaches what it must fence; most are private to AutoGen."""

from typing import Any

import pytest
from autogen_agentchat.agents import (
    AssistantAgent,
    BaseChatAgent,
    CodeExecutorAgent,
    MessageFilterAgent,
    MessageFilterConfig,
    SocietyOfMindAgent,
    UserProxyAgent,
)
from autogen_agentchat.base import Handoff, Team, TerminationCondition
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import (
    BaseGroupChat,
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import CancellationToken, SingleThreadedAgentRuntime
from autogen_core.code_executor import CodeBlock, CodeExecutor, CodeResult
from autogen_core.memory import ListMemory
from autogen_core.model_context import UnboundedChatCompletionContext
from autogen_core.tools import FunctionTool, StaticStreamWorkbench
from scripted import Bench, Scripted, speaker

pytestmark = pytest.mark.timeout(20)


def flow(member: AssistantAgent, condition: TerminationCondition | None, runtime: Any) -> GraphFlow:
    """A graph of one node."""
    graph = DiGraphBuilder().add_node(member).build()
    return GraphFlow([member], graph, termination_condition=condition, runtime=runtime)


def teams(condition: TerminationCondition | None = None, runtime: Any = None) -> list[BaseGroupChat]:
    """One team of each kind."""
    model = Scripted("a")
    settings: dict[str, Any] = {"termination_condition": condition, "runtime": runtime}
    return [
        RoundRobinGroupChat([speaker("a")], **settings),
        SelectorGroupChat([speaker("a"), speaker("b")], model_client=model, **settings),
        Swarm([AssistantAgent("a", model_client=model, handoffs=["a"])], **settings),
        MagenticOneGroupChat([speaker("a")], model_client=model, **settings),
        flow(speaker("a"), condition, runtime),
    ]


async def test_each_team_holds_participants_condition_and_runtime() -> None:
    """Every team has _participants, _termination_condition, _runtime and _embedded_runtime.

    The fence relies on it: the walk starts from these.
    """
    ours, runtime = MaxMessageTermination(3), SingleThreadedAgentRuntime()
    for team in teams():
        assert team._participants[0].name == "a"
        assert team._termination_condition is None
        assert team._embedded_runtime is True
        assert isinstance(team._runtime, SingleThreadedAgentRuntime)
        assert team._initialized is False
    for team in teams(ours, runtime):
        assert team._termination_condition is ours
        assert team._embedded_runtime is False
        assert team._runtime is runtime


async def test_the_teams_that_ask_a_model_hold_it() -> None:
    """SelectorGroupChat and MagenticOneGroupChat hold their client as _model_client; no other team has one.

    The fence relies on it: these clients spend, too.
    """
    holders = {type(team) for team in teams() if hasattr(team, "_model_client")}
    assert holders == {SelectorGroupChat, MagenticOneGroupChat}
    for team in teams():
        if isinstance(team, SelectorGroupChat | MagenticOneGroupChat):
            assert isinstance(team._model_client, Scripted)


async def test_a_team_accepts_a_team_as_participant() -> None:
    """A participant may be a team itself; it stands in _participants as it is.

    The fence relies on it: the walk goes down into teams.
    """
    inner = RoundRobinGroupChat([speaker("a")], name="inner")
    (held,) = RoundRobinGroupChat([inner])._participants
    assert held is inner
    assert isinstance(held, Team)


async def test_what_an_assistant_agent_holds() -> None:
    """_model_client, _workbench, _tools, _handoffs (by tool name), _handoff_tools, _memory, _model_context.

    The fence relies on it: these are an agent's doors.
    """

    def act() -> str:
        """Act."""
        return "done"

    model, memory, context = Scripted("hi"), ListMemory(), UnboundedChatCompletionContext()
    agent = AssistantAgent("a", model, tools=[act], handoffs=["Boss"], memory=[memory], model_context=context)
    assert agent._model_client is model
    assert agent._memory == [memory]
    assert agent._model_context is context
    (bench,) = agent._workbench
    assert type(bench) is StaticStreamWorkbench
    assert [type(tool) for tool in bench._tools] == [FunctionTool]
    assert bench._tools is agent._tools
    assert list(agent._handoffs) == ["transfer_to_boss"]
    assert isinstance(agent._handoffs["transfer_to_boss"], Handoff)
    assert [tool.name for tool in agent._handoff_tools] == ["transfer_to_boss"]

    plain = AssistantAgent("a", model)
    (bench,) = plain._workbench
    assert type(bench) is StaticStreamWorkbench
    assert (bench._tools, plain._handoffs, plain._handoff_tools, plain._memory) == ([], {}, [], None)
    assert type(plain._model_context) is UnboundedChatCompletionContext


async def test_a_workbench_is_held_as_a_list_but_a_given_sequence_as_it_is() -> None:
    """One workbench is put into a list; a sequence of workbenches is kept as given, even a tuple.

    The fence relies on it: it assigns a new list instead of changing the one it finds.
    """
    one, two = Bench(), Bench()
    assert AssistantAgent("a", Scripted("hi"), workbench=one)._workbench == [one]
    pair = (one, two)
    assert AssistantAgent("a", Scripted("hi"), workbench=pair)._workbench is pair


class NoExecutor(CodeExecutor):
    """Executes nothing."""

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        """Nothing."""
        return CodeResult(exit_code=0, output="")

    async def start(self) -> None:
        """Nothing."""

    async def stop(self) -> None:
        """Nothing."""

    async def restart(self) -> None:
        """Nothing."""


async def test_what_the_other_agents_hold() -> None:
    """SocietyOfMind: _team, _model_client; MessageFilter: _wrapped_agent; UserProxy: input_func, public.

    The fence relies on it: these hide teams, agents and people.
    """
    model = Scripted("hi")
    team = RoundRobinGroupChat([speaker("a")])
    society = SocietyOfMindAgent("society", team=team, model_client=model)
    assert society._team is team
    assert society._model_client is model
    assert type(society._model_context) is UnboundedChatCompletionContext

    wrapped = speaker("a")
    filtered = MessageFilterAgent("filter", wrapped_agent=wrapped, filter=MessageFilterConfig(per_source=[]))
    assert filtered._wrapped_agent is wrapped

    assert UserProxyAgent("user", input_func=input).input_func is input
    assert callable(UserProxyAgent("user").input_func)


async def test_what_a_code_executor_agent_holds() -> None:
    """_code_executor, _model_client (None without one) and _approval_func; without approval it warns.

    The fence relies on it: an executor without a fence is refused.
    """
    executor, model = NoExecutor(), Scripted("hi")
    with pytest.warns(UserWarning, match="No approval function set"):
        coder = CodeExecutorAgent("coder", executor)
    assert coder._code_executor is executor
    assert coder._model_client is None
    assert coder._approval_func is None
    with pytest.warns(UserWarning, match="No approval function set"):
        coder = CodeExecutorAgent("coder", executor, model_client=model)
    assert coder._model_client is model


async def test_what_the_tools_that_run_agents_hold() -> None:
    """AgentTool holds _agent, TeamTool _team, and both hold the same as _task_runner, which is what runs.

    The fence relies on it: the walk goes down into tools.
    """
    agent: BaseChatAgent = speaker("helper")
    agent_tool = AgentTool(agent)
    assert agent_tool._agent is agent_tool._task_runner is agent
    team = RoundRobinGroupChat([speaker("a")])
    team_tool = TeamTool(team=team, name="ask", description="Ask.")
    assert team_tool._team is team_tool._task_runner is team
