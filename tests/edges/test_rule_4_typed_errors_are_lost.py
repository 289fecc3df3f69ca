"""Rule 4: typed errors do not survive a team."""

from collections.abc import Callable

import pytest
from autogen_agentchat.agents import AssistantAgent, SocietyOfMindAgent
from autogen_agentchat.base import ChatAgent, Team
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from autogen_agentchat.tools import AgentTool, TeamTool
from scripted import Reply, Scripted, call, speaker

pytestmark = pytest.mark.timeout(20)


class LimitExceededError(Exception):
    """An error with a type that a caller would want to catch."""


def over_limit() -> LimitExceededError:
    return LimitExceededError("5 of 3 tokens")


def breaks(name: str = "a") -> AssistantAgent:
    """An agent whose model client raises."""
    return speaker(name, over_limit())


def nested() -> RoundRobinGroupChat:
    return RoundRobinGroupChat([breaks()], max_turns=1, name="inner")


def as_member() -> ChatAgent | Team:
    return nested()


def as_society() -> ChatAgent | Team:
    return SocietyOfMindAgent("society", team=nested(), model_client=Scripted("outer speaks"))


@pytest.mark.parametrize("member", [breaks, as_member, as_society])
async def test_an_error_of_a_model_client_leaves_the_team_as_runtime_error(
    member: Callable[[], ChatAgent | Team],
) -> None:
    """What a model client raises comes out of team.run as RuntimeError(str); type, cause, context are gone.

    The fence relies on it: it remembers its verdict, and the conversation raises it typed.
    """
    with pytest.raises(RuntimeError) as raised:
        await RoundRobinGroupChat([member()], max_turns=1).run(task="go")
    assert type(raised.value) is RuntimeError
    assert "LimitExceededError: 5 of 3 tokens" in str(raised.value)
    assert "Traceback" in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


async def test_an_agent_on_its_own_keeps_the_type() -> None:
    """Without a team the error comes out of agent.run as it was raised.

    The fence relies on it: the loss is the team's, so the client may raise typed errors.
    """
    with pytest.raises(LimitExceededError, match="5 of 3"):
        await breaks().run(task="go")


async def test_the_selectors_error_keeps_its_type_in_the_first_turn_only() -> None:
    """A selector's error in the first turn is raised as it is; in a later turn it is a RuntimeError.

    The fence relies on it: it can rely on neither, and asks its own memory.
    """

    def team(*selector: Reply) -> SelectorGroupChat:
        members = [speaker("a"), speaker("b"), speaker("c")]
        return SelectorGroupChat(list(members), model_client=Scripted(*selector), max_turns=3)

    with pytest.raises(LimitExceededError):
        await team(over_limit()).run(task="go")
    with pytest.raises(RuntimeError, match="LimitExceededError"):
        await team("a", over_limit()).run(task="go")


@pytest.mark.parametrize("as_tool", ["agent", "team"])
async def test_an_error_inside_an_agent_tool_becomes_a_tool_result(as_tool: str) -> None:
    """Inside AgentTool and TeamTool the error becomes an error result, and the outer agent simply goes on.

    The fence relies on it: a halt is a flag that every client looks at, not only an exception.
    """
    tool = (
        AgentTool(breaks("helper"))
        if as_tool == "agent"
        else TeamTool(team=nested(), name="helper", description="Help.")
    )
    model = Scripted([call("helper", '{"task": "go"}')], "never mind")
    agent = AssistantAgent("boss", model_client=model, tools=[tool], max_tool_iterations=2)
    await RoundRobinGroupChat([agent], max_turns=1).run(task="go")
    assert model.calls == 2
    (shown,) = model.tool_results()
    assert "5 of 3 tokens" in shown
