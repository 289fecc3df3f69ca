"""Rule 8: MessageHandlerContext.agent_id() tells a model client for whom it is asked, within limits."""

import json

import pytest
from autogen_agentchat.agents import AssistantAgent, SocietyOfMindAgent
from autogen_agentchat.teams import MagenticOneGroupChat, RoundRobinGroupChat, SelectorGroupChat
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import AgentId, MessageHandlerContext
from scripted import Scripted, call, speaker

pytestmark = pytest.mark.timeout(20)


async def test_a_participant_is_named_with_its_team() -> None:
    """Inside a team the id is AgentId("<agent name>_<team uuid>", "<team uuid>").

    The fence relies on it: it books the call to the right agent.
    """
    model = Scripted("hi")
    team = RoundRobinGroupChat([AssistantAgent("desk", model)], max_turns=1)
    await team.run(task="go")
    assert model.callers == [AgentId(f"desk_{team._team_id}", team._team_id)]


async def test_an_agent_on_its_own_has_no_id() -> None:
    """A standalone agent.run has no message handler: agent_id() raises RuntimeError.

    The fence relies on it: it must know the agent's name by itself.
    """
    with pytest.raises(RuntimeError, match="must be called within a message handler"):
        MessageHandlerContext.agent_id()
    model = Scripted("hi")
    await AssistantAgent("desk", model).run(task="go")
    assert model.callers == [None]


async def test_the_selector_is_named_as_the_manager() -> None:
    """The selector's calls are made by "SelectorGroupChatManager_<team uuid>", in the first turn and later.

    The fence relies on it: selection is booked apart from the agents.
    """
    selector = Scripted("a", "b")
    team = SelectorGroupChat([speaker("a"), speaker("b"), speaker("c")], model_client=selector, max_turns=2)
    await team.run(task="go")
    manager = AgentId(f"SelectorGroupChatManager_{team._team_id}", team._team_id)
    assert selector.callers == [manager, manager]


async def test_the_orchestrator_is_named_as_the_manager() -> None:
    """MagenticOne's calls are made by "MagenticOneOrchestrator_<team uuid>".

    The fence relies on it: planning is booked apart from the agents.
    """
    keys = [
        "is_request_satisfied",
        "is_progress_being_made",
        "is_in_loop",
        "instruction_or_question",
        "next_speaker",
    ]
    ledger = json.dumps({key: {"reason": "done", "answer": True} for key in keys})
    orchestrator = Scripted("facts", "plan", ledger, "final answer")
    team = MagenticOneGroupChat([speaker("a")], model_client=orchestrator)
    await team.run(task="go")
    assert set(orchestrator.callers) == {AgentId(f"MagenticOneOrchestrator_{team._team_id}", team._team_id)}


async def test_a_nested_team_names_its_own_members() -> None:
    """Inside a nested team the id is of the inner team; SocietyOfMind's own call is of the outer one.

    The fence relies on it: name and team are read together.
    """
    inner_model, society_model = Scripted("inner"), Scripted("outer")
    inner = RoundRobinGroupChat([AssistantAgent("worker", inner_model)], max_turns=1)
    society = SocietyOfMindAgent("society", team=inner, model_client=society_model)
    outer = RoundRobinGroupChat([society], max_turns=1)
    await outer.run(task="go")
    assert inner_model.callers == [AgentId(f"worker_{inner._team_id}", inner._team_id)]
    assert society_model.callers == [AgentId(f"society_{outer._team_id}", outer._team_id)]


async def test_an_agent_inside_a_tool_passes_for_the_agent_that_called_it() -> None:
    """Inside AgentTool the id is the outer agent's, as no runtime is between; inside TeamTool the inner's.

    The fence relies on it: it must know the name of an agent inside an AgentTool by itself.
    """
    helper_model, worker_model = Scripted("helped"), Scripted("worked")
    helper = AgentTool(AssistantAgent("helper", helper_model))
    inner = RoundRobinGroupChat([AssistantAgent("worker", worker_model)], max_turns=1)
    ask = TeamTool(team=inner, name="ask", description="Ask.")
    task = '{"task": "go"}'
    boss = AssistantAgent(
        "boss",
        Scripted([call("helper", task)], [call("ask", task)], "done"),
        tools=[helper, ask],
        max_tool_iterations=3,
    )
    team = RoundRobinGroupChat([boss], max_turns=1)
    await team.run(task="go")
    assert helper_model.callers == [AgentId(f"boss_{team._team_id}", team._team_id)]
    assert worker_model.callers == [AgentId(f"worker_{inner._team_id}", inner._team_id)]
