"""Rule 8: what may be put in place of what the walk finds, and until when."""

import pytest
from autogen_agentchat.agents import AssistantAgent, UserProxyAgent
from autogen_agentchat.base import OrTerminationCondition
from autogen_agentchat.conditions import ExternalTermination, MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from autogen_core import CancellationToken
from scripted import Bench, Scripted, call, speaker

pytestmark = pytest.mark.timeout(20)


async def test_a_client_put_in_place_before_the_run_is_used() -> None:
    """A client assigned to _model_client of agent and selector before the first run is the one that is asked.

    The fence relies on it: guard(team) fences in place.
    """
    replaced, selector, ours = Scripted("unfenced"), Scripted("unfenced"), Scripted("a")
    members = [AssistantAgent(name, model_client=replaced) for name in ("a", "b")]
    team = SelectorGroupChat(list(members), model_client=selector, max_turns=1)
    team._model_client = ours
    for member in members:
        member._model_client = ours
    await team.run(task="go")
    assert (replaced.calls, selector.calls, ours.calls) == (0, 0, 2)


async def test_the_selectors_client_cannot_be_replaced_after_the_first_run() -> None:
    """The manager keeps the client of the first run; one assigned to the team later is never asked.

    The fence relies on it: it refuses to fence a team that has run.
    """
    first, later = Scripted("a"), Scripted("a")
    team = SelectorGroupChat([speaker("a"), speaker("b"), speaker("c")], model_client=first, max_turns=1)
    await team.run(task="go")
    assert team._initialized is True
    team._model_client = later
    await team.run(task="go")
    assert first.calls > 1
    assert later.calls == 0


async def test_a_workbench_put_in_place_is_used() -> None:
    """A list assigned to _workbench takes effect at the next turn, even between runs.

    The fence relies on it: guard(team) fences in place.
    """
    theirs, ours = Bench(), Bench()
    agent = AssistantAgent("a", Scripted([call()]), workbench=theirs)
    agent._workbench = [ours]
    await agent.run(task="go")
    assert (theirs.calls, ours.calls) == ([], [{}])


async def test_a_condition_put_in_place_before_the_first_run_takes_effect() -> None:
    """team._termination_condition = ours | theirs works until the team is initialized.

    The fence relies on it: the graceful stop is put in this way.
    """
    theirs, ours = MaxMessageTermination(5), ExternalTermination()
    team = RoundRobinGroupChat([speaker("a")], termination_condition=theirs)
    assert team._termination_condition is theirs
    team._termination_condition = ours | theirs
    assert isinstance(team._termination_condition, OrTerminationCondition)
    ours.set()
    assert (await team.run(task="go")).stop_reason == "External termination requested"
    assert (
        await team.run(task="go")
    ).stop_reason == "Maximum number of messages 5 reached, current message count: 5"


@pytest.mark.parametrize("first", ["run", "save_state", "reset"])
async def test_a_condition_put_in_place_later_has_no_effect(first: str) -> None:
    """The first run, save_state or reset hands the condition to the manager; a later one is ignored.

    The fence relies on it: it puts its condition in before it loads a state.
    """
    team = RoundRobinGroupChat([speaker("a")], max_turns=2)
    await (team.run(task="go") if first == "run" else getattr(team, first)())
    assert team._initialized is True
    ours = ExternalTermination()
    ours.set()
    team._termination_condition = ours
    assert (await team.run(task="go")).stop_reason == "Maximum number of turns 2 reached."


async def test_loading_a_state_hands_the_condition_over_too() -> None:
    """After load_state the team is initialized, as after a run.

    The fence relies on it: it puts its condition in before it loads a state.
    """
    state = await RoundRobinGroupChat([speaker("a")]).save_state()
    team = RoundRobinGroupChat([speaker("a")], max_turns=2)
    await team.load_state(state)
    assert team._initialized is True


async def test_participants_are_bound_at_the_first_run() -> None:
    """Each participant gets its container at first use; replacing one in the list later is ignored.

    The fence relies on it: it changes the agents themselves, not the list.
    """
    team = RoundRobinGroupChat([speaker("a", "original")], max_turns=1)
    await team.run(task="go")
    team._participants[0] = speaker("a", "replacement")
    outcome = await team.run(task="go")
    assert outcome.messages[-1].to_text() == "original"


async def test_a_user_proxy_decides_once_whether_its_input_function_is_async() -> None:
    """_is_async is set at construction: an async function put in place of a sync one needs it set as well.

    The fence relies on it: it replaces input_func and _is_async together.
    """

    async def fenced(prompt: str, cancellation_token: CancellationToken | None = None) -> str:
        return "fenced"

    user = UserProxyAgent("user", input_func=input)
    assert user._is_async is False
    user.input_func = fenced
    assert user._is_async is False
    user._is_async = True
    assert (await user.run(task="go")).messages[-1].to_text() == "fenced"
