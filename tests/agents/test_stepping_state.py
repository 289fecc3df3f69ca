"""The state between two turns holds what AutoGen leaves out, and no call without a result."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.tools import AgentTool, TeamTool
from fenced import agent
from scripted import call
from stepped import (
    KINDS,
    Factory,
    NoFence,
    Script,
    Walked,
    ask,
    from_process_to_process,
    go_on,
    in_another_process,
    one_step,
    runner_of,
    walk,
)

from ringfence import Ringfence, tool

House = Callable[..., Ringfence]


def helped(script: Script) -> Factory:
    """A desk that asks an agent and a team, both as tools, once in each turn."""
    asks = [
        [call("helper", '{"task": "help"}')],
        [call("crew", '{"task": "work"}', id="call-2")],
    ]
    desk, helper, deep = script(*asks, "one", *asks, "two"), script("helped"), script("worked")

    def factory(fence: Any) -> RoundRobinGroupChat:
        crew = RoundRobinGroupChat([agent(fence, deep, name="deep")], max_turns=1)
        tools = [
            AgentTool(agent(fence, helper, name="helper")),
            TeamTool(crew, name="crew", description="Crew."),
        ]
        return RoundRobinGroupChat([agent(fence, desk, tools=tools, max_tool_iterations=3)], max_turns=2)

    return factory


async def test_agents_and_teams_within_tools_remember(house: House) -> None:
    """AutoGen saves no tool; an agent in one knows in another process what it was asked before."""
    ringfence = house(tools={"helper": {"read_only": True}, "crew": {"read_only": True}})
    before, script = Script(), Script()
    undisturbed = await walk(await runner_of(ringfence, helped(before)))
    factory = helped(script)
    runner = await runner_of(ringfence, factory)
    walked = await walk(runner, steps=1)
    await from_process_to_process(ringfence, factory, runner, walked)
    assert walked.said == undisturbed.said
    assert script.prompts == before.prompts
    assert "helped" in script.prompts[1][1]
    assert "worked" in script.prompts[2][1]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_saved_state_does_not_change_when_the_team_goes_on(house: House, kind: str) -> None:
    """Nor does the team change what it was given; AutoGen's graph keeps the very dictionaries."""
    ringfence = house()
    factory = KINDS[kind](Script())
    runner = await runner_of(ringfence, factory)
    walked = await walk(runner, steps=1)
    state = await runner.save_state()
    saved = json.dumps(state)
    fresh = await runner_of(ringfence, factory)
    await fresh.load_state(state, walked.turns)
    await go_on(runner, Walked(), steps=1)
    await go_on(fresh, walked)
    assert json.dumps(state) == saved


async def test_a_state_of_autogen_itself_can_be_taken_up(house: House) -> None:
    """As `team.save_state()` gives it between two runs."""
    script = Script()
    factory = KINDS["round_robin"](script)
    team: Any = factory(NoFence())
    await team.run(task="go")
    state = json.loads(json.dumps(await team.save_state()))
    runner = await runner_of(house(), factory)
    await runner.load_state(state)
    await walk(runner, ask("again"))
    assert "three" in script.prompts[0][-1]
    assert "again" in script.prompts[0][-1]


@pytest.mark.parametrize("calls", [1, 3])
async def test_a_call_that_was_cut_off_gets_a_result(house: House, calls: int) -> None:
    """A state that AutoGen saved while a tool ran holds calls without results, which providers refuse."""
    states: list[str] = []
    team: Any = None

    @tool(consequential=False)
    async def act() -> str:
        """Save the state in the middle of the call."""
        states.append(json.dumps(await team.save_state()))
        return "done"

    script = Script()
    model = script([call(id=f"call-{number}") for number in range(calls)], "all done")

    def factory(fence: Any) -> RoundRobinGroupChat:
        return RoundRobinGroupChat([agent(fence, model, tools=[act])], max_turns=1)

    team = factory(NoFence())
    await team.run(task="go")
    runner = await runner_of(house(), factory)
    await runner.load_state(json.loads(states[0]))
    walked = Walked()
    await one_step(runner, (), walked)
    assert walked.said[-1] == ("TextMessage", "desk", "all done")
    assert model.tool_results() == ["No result of this call is known: it may have been run, or not."] * calls


async def test_a_result_that_is_known_stays(house: House) -> None:
    """Only the calls without one get one, in the message that holds the others'."""
    model = Script()("all done")

    def factory(fence: Any) -> RoundRobinGroupChat:
        return RoundRobinGroupChat([agent(fence, model)], max_turns=1)

    runner = await runner_of(house(), factory)
    state = json.loads(json.dumps(await runner.save_state()))
    asked = [{"id": name, "name": "act", "arguments": "{}"} for name in ("one", "two")]
    known = {"content": "done", "name": "act", "call_id": "two", "is_error": False}
    state["agent_states"]["desk"]["agent_state"]["llm_context"]["messages"] = [
        {"type": "AssistantMessage", "source": "desk", "content": asked, "thought": None},
        {"type": "FunctionExecutionResultMessage", "content": [known]},
    ]
    await runner.load_state(state)
    await walk(runner)
    assert model.tool_results() == ["done", "No result of this call is known: it may have been run, or not."]


async def test_what_a_changed_team_no_longer_has_is_left_aside(house: House) -> None:
    """A tool's agent that is gone does not keep the rest from being loaded, and a new one starts fresh."""
    ringfence = house(tools={"helper": {"read_only": True}, "crew": {"read_only": True}})
    script = Script()
    factory = helped(script)
    runner = await runner_of(ringfence, factory)
    walked = await walk(runner, steps=1)
    state = dict(await runner.save_state())
    parts = dict(state["ringfence_parts"])
    first = next(iter(parts))
    parts["team › nobody"] = parts.pop(first)
    fresh = await runner_of(ringfence, factory)
    await fresh.load_state({**state, "ringfence_parts": parts}, walked.turns)
    await go_on(fresh, walked)
    assert walked.said[-1] == ("TextMessage", "desk", "two")


async def test_a_run_of_one_agent_is_one_turn(house: House) -> None:
    """It is finished after its step, and what it said is recorded."""
    ringfence, factory = house(), KINDS["single"](Script())
    runner = await runner_of(ringfence, factory)
    walked = await walk(runner)
    assert (walked.steps, runner.finished) == (1, True)
    assert [one["type"] for one in walked.turns[0]] == [kind for kind, _, _ in walked.said]
    fresh = await in_another_process(ringfence, factory, runner, Walked())
    assert (await walk(fresh, ask("again"))).said[-1] == ("TextMessage", "desk", "seen")
