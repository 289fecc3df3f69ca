"""Rule 9: what has to be known of AutoGen to run a team turn by turn, and to save all of it in between."""

import json
from typing import Any

import pytest
from autogen_agentchat.agents import (
    AssistantAgent,
    MessageFilterAgent,
    MessageFilterConfig,
    PerSourceFilter,
    SocietyOfMindAgent,
)
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
)
from autogen_agentchat.teams._group_chat._graph._digraph_group_chat import GraphFlowManager
from autogen_agentchat.tools import AgentTool
from autogen_core import AgentId, SingleThreadedAgentRuntime
from autogen_core.tools import FunctionTool
from pydantic import BaseModel
from scripted import Bench, Scripted, call, speaker

pytestmark = pytest.mark.timeout(20)


async def test_a_run_without_a_task_goes_on_with_the_next_speaker() -> None:
    """After each turn the team may be stopped, and started again without messages.

    The steps rely on it.
    """
    team = RoundRobinGroupChat([speaker("a"), speaker("b"), speaker("c")], max_turns=1)
    said = [(await team.run(task="go")).messages[-1].source]
    said += [(await team.run()).messages[-1].source for _ in range(3)]
    assert said == ["a", "b", "c", "a"]


async def test_magentic_one_cannot_be_started_without_a_task() -> None:
    """Its orchestrator asserts that there are messages.

    So the steps give it one that goes on.
    """
    team = MagenticOneGroupChat([speaker("a")], model_client=Scripted("facts"))
    with pytest.raises(AssertionError):
        await team.run()


async def test_every_stop_resets_the_condition() -> None:
    """Also a stop after one turn: a condition that counts would begin anew with each.

    So the fence's own condition holds the team's, and does not hand the reset on.
    """
    own = MaxMessageTermination(4)
    team = RoundRobinGroupChat([speaker("a")], termination_condition=own, max_turns=1)
    await team.run(task="go")
    for _ in range(4):
        assert (await team.run()).stop_reason == "Maximum number of turns 1 reached."
    assert own._message_count == 0


async def test_a_graph_comes_to_its_end_without_asking_the_condition() -> None:
    """The text that it waits for was said, and is not the reason.

    So the steps look whether a turn was shown to the condition, and count it if not.
    """
    a = speaker("a")
    mentioned = TextMentionTermination("a speaks")
    flow = GraphFlow([a], DiGraphBuilder().add_node(a).build(), termination_condition=mentioned)
    assert (await flow.run(task="go")).stop_reason == "Digraph execution is complete"


async def test_the_state_leaves_parts_out() -> None:
    """Of a filter the agent within, of a society what it was told, of tools all, of a graph what starts what.

    So the runner saves these beside AutoGen's state.
    """
    hears = MessageFilterConfig(per_source=[PerSourceFilter(source="user")])
    wrapped: Any = speaker("a", "from within")
    filtered = MessageFilterAgent("filter", wrapped, hears)
    await RoundRobinGroupChat([filtered], max_turns=1).run(task="go")
    assert "from within" not in json.dumps(await filtered.save_state())
    assert "from within" in json.dumps(await wrapped.save_state())

    mind = SocietyOfMindAgent("mind", RoundRobinGroupChat([speaker("a")], max_turns=1), Scripted("so"))
    await mind.run(task="remember me")
    assert "remember me" not in json.dumps(await mind.save_state())
    assert "remember me" in json.dumps(await mind.model_context.save_state())

    helper = speaker("helper", "helped")
    asks = Scripted([call("helper", '{"task": "help"}')], "done")
    desk = AssistantAgent("desk", asks, tools=[AgentTool(helper)], max_tool_iterations=2)
    await desk.run(task="go")
    assert len((await helper.save_state())["llm_context"]["messages"]) == 2
    assert set(await desk.save_state()) == {"type", "version", "llm_context"}

    a, b = speaker("a"), speaker("b")
    graph = DiGraphBuilder().add_node(a).add_node(b).add_edge(a, b).build()
    flow = GraphFlow([a, b], graph, max_turns=1)
    await flow.run(task="go")
    runtime: Any = flow._runtime
    manager = await runtime.try_get_underlying_agent_instance(
        AgentId(flow._group_chat_manager_topic_type, flow._team_id), GraphFlowManager
    )
    assert manager._triggered_activation_groups == {"b": {"b"}}
    assert "triggered" not in json.dumps(await flow.save_state())


async def test_a_state_saved_in_the_middle_of_a_turn_has_calls_without_results() -> None:
    """As providers refuse them.

    So the runner gives each a result when it loads.
    """
    states: list[Any] = []

    async def act() -> str:
        """Save the state."""
        states.append(await team.save_state())
        return "done"

    desk = AssistantAgent("desk", Scripted([call()], "done"), tools=[FunctionTool(act, "Act.")])
    team = RoundRobinGroupChat([desk], max_turns=1)
    await team.run(task="go")
    context = states[0]["agent_states"]["desk"]["agent_state"]["llm_context"]["messages"]
    assert [message["type"] for message in context] == ["UserMessage", "AssistantMessage"]
    assert context[-1]["content"][0]["name"] == "act"
    assert set(context[-1]["content"][0]) == {"id", "name", "arguments"}


class Fruit(BaseModel):
    """What an agent answers with."""

    name: str


async def test_the_names_by_which_a_team_is_stepped_and_saved() -> None:
    """Most are private to AutoGen.

    The runner relies on them.
    """
    team = MagenticOneGroupChat([speaker("a")], Scripted("a"), max_turns=7, emit_team_events=True)
    assert (team._max_turns, team._max_stalls, team._emit_team_events) == (7, 3, True)
    assert isinstance(team._final_answer_prompt, str)
    assert team._base_group_chat_manager_class.__name__ == "MagenticOneOrchestrator"
    assert callable(team._create_group_chat_manager_factory)
    assert "TextMessage" in team._message_factory._message_types

    mixed = (MaxMessageTermination(1) & MaxMessageTermination(2)) | MaxMessageTermination(3)
    assert [type(one).__name__ for one in mixed._conditions] == [  # type: ignore[attr-defined]  # of an `or`
        "AndTerminationCondition",
        "MaxMessageTermination",
    ]

    agent = AssistantAgent(
        "a", Scripted("a"), workbench=Bench(), output_content_type=Fruit, handoffs=["b"], system_message="Be."
    )
    assert agent._system_messages[0].content == "Be."
    assert agent._output_content_type is Fruit
    assert agent._tool_call_summary_format
    assert agent._description
    assert [tool.schema["name"] for tool in agent._handoff_tools] == ["transfer_to_b"]
    chooser = SelectorGroupChat([speaker("a"), speaker("b")], Scripted("a"), selector_prompt="{roles}")
    assert chooser._selector_prompt == "{roles}"
    mind = SocietyOfMindAgent("mind", RoundRobinGroupChat([speaker("a")]), Scripted("so"))
    assert isinstance(mind._instruction, str)
    assert isinstance(mind._response_prompt, str)


async def test_the_names_by_which_a_runtime_is_watched() -> None:
    """Its queue, its pump, the handlers at work, and who is registered on it.

    The runner relies on them for a runtime that the factory made.
    """
    runtime = SingleThreadedAgentRuntime()
    team = RoundRobinGroupChat([speaker("a")], max_turns=1, runtime=runtime)
    assert (runtime._run_context, runtime._known_agent_names) == (None, set())
    runtime.start()
    context = runtime._run_context
    await team.run(task="go")
    await runtime._message_queue.join()
    assert runtime._known_agent_names == {
        *team._participant_topic_types,
        team._group_chat_manager_topic_type,
    }
    assert context is not None
    assert not context._run_task.done()
    await runtime.stop()
    assert context._run_task.done()
    assert runtime._background_tasks == set()
