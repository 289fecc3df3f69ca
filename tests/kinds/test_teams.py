"""Teams of each kind that AutoGen has: a member's call waits, whoever chooses the speaker, and runs once."""

from collections.abc import Callable
from typing import Any

from autogen_agentchat.agents import SocietyOfMindAgent
from autogen_agentchat.base import Handoff
from autogen_agentchat.conditions import HandoffTermination, MaxMessageTermination
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from fenced import agent, recording
from kinds import RESULT, asks, fenced, is_refused, refused, runs_once_approved
from scripted import Scripted, call
from stepped import ledger

from ringfence import Fence, Ringfence, Status

House = Callable[..., Ringfence]


def acting(fence: Fence, model: Scripted, act: Any, name: str = "desk", **more: Any) -> Any:
    """An agent with the consequential tool, which reads its result."""
    return agent(fence, model, name=name, tools=[act.function], max_tool_iterations=3, **more)


@fenced("Teams", "`RoundRobinGroupChat`", "its members' parts are fenced; nothing else is needed")
async def test_round_robin(house: House) -> None:
    """The other member reads what was done."""
    act, model, other = recording(answer=RESULT), asks(), Scripted("I see.")

    def factory(fence: Fence) -> Any:
        return RoundRobinGroupChat([acting(fence, model, act), agent(fence, other, name="b")], max_turns=2)

    await runs_once_approved(house(), factory, act.calls, model, other)


@fenced("Teams", "`SelectorGroupChat`", "`SelectorGroupChat(members, fence.model_client(...))`")
async def test_selector(house: House) -> None:
    """The model that chooses passes the model door, too."""
    act, model, chooser = recording(answer=RESULT), asks(), Scripted("desk", "b")

    def factory(fence: Fence) -> Any:
        members: list[Any] = [acting(fence, model, act), agent(fence, Scripted("I see."), name="b")]
        selector = fence.model_client(chooser, model="scripted")
        return SelectorGroupChat(members, selector, max_turns=2)

    await runs_once_approved(house(), factory, act.calls, model, chooser)


@fenced(
    "Teams", "`Swarm` and handoffs", "a handoff is decided at the model door; `tools.<handoff>` may deny it"
)
async def test_swarm(house: House) -> None:
    """Who was handed over to acts only when it may."""
    act, first, second = recording(answer=RESULT), Scripted([call("transfer_to_b")]), asks()

    def factory(fence: Fence) -> Any:
        members: list[Any] = [agent(fence, first, name="a", handoffs=["b"]), acting(fence, second, act, "b")]
        return Swarm(members, termination_condition=HandoffTermination("a") | MaxMessageTermination(6))

    await runs_once_approved(house(), factory, act.calls, first, second)


async def test_a_handoff_that_the_policy_denies_hands_nothing_over(house: House) -> None:
    """AutoGen would run it past every workbench, so it is taken out of the model's reply."""
    act, first = recording(), Scripted([call("transfer_to_b")])

    def factory(fence: Fence) -> Any:
        members: list[Any] = [agent(fence, first, name="a", handoffs=["b"]), acting(fence, asks(), act, "b")]
        return Swarm(members, max_turns=2)

    conversation = house(tools={"transfer_to_b": {"decision": "deny"}}).conversation(factory)
    await conversation.run(task="Go")
    assert (conversation.status, act.calls) == (Status.DONE, [])


async def test_a_call_beside_a_handoff_waits_all_the_same(house: House) -> None:
    """AutoGen runs both; the conversation is suspended before anybody is handed over to."""
    act = recording(answer=RESULT)
    first = Scripted([call("act", '{"what": "it"}', id="1"), call("transfer_to_b", id="2")])
    second = Scripted("I see.")

    def factory(fence: Fence) -> Any:
        members: list[Any] = [acting(fence, first, act, "a", handoffs=["b"]), agent(fence, second, name="b")]
        return Swarm(members, max_turns=2)

    await runs_once_approved(house(), factory, act.calls, first, second)


@fenced("Teams", "`MagenticOneGroupChat`", "`MagenticOneGroupChat(members, fence.model_client(...))`")
async def test_magentic_one(house: House) -> None:
    """The orchestrator plans, and still nothing runs without a person."""
    act, model = recording(answer=RESULT), asks()
    plans = Scripted("facts", "plan", ledger("desk"), ledger("desk", satisfied=True), "The end.")

    def factory(fence: Fence) -> Any:
        orchestrator = fence.model_client(plans, model="scripted")
        return MagenticOneGroupChat([acting(fence, model, act)], orchestrator)

    await runs_once_approved(house(), factory, act.calls, model, plans)


@fenced("Teams", "`GraphFlow`", "its members' parts are fenced")
async def test_graph(house: House) -> None:
    """One node acts, the next one reads it."""
    act, model, other = recording(answer=RESULT), asks(), Scripted("I see.")

    def factory(fence: Fence) -> Any:
        a, b = acting(fence, model, act), agent(fence, other, name="b")
        return GraphFlow([a, b], DiGraphBuilder().add_node(a).add_node(b).add_edge(a, b).build())

    await runs_once_approved(house(), factory, act.calls, model, other)


@fenced("Teams", "A team within a team", "the walk goes in, however deep")
async def test_nested(house: House) -> None:
    """A member of the inner team acts."""
    act, model, other = recording(answer=RESULT), asks(), Scripted("I see.")

    def factory(fence: Fence) -> Any:
        inner = RoundRobinGroupChat([acting(fence, model, act)], name="inner", max_turns=1)
        return RoundRobinGroupChat([inner, agent(fence, other, name="b")], max_turns=2)

    await runs_once_approved(house(), factory, act.calls, model, other)


@fenced("Teams", "`SocietyOfMindAgent`", "`SocietyOfMindAgent(name, team, fence.model_client(...))`")
async def test_society_of_mind(house: House) -> None:
    """What the team within did is summed up by a fenced model."""
    act, model, mind = recording(answer=RESULT), asks(), Scripted("We did it.")

    def factory(fence: Fence) -> Any:
        team = RoundRobinGroupChat([acting(fence, model, act)], max_turns=1)
        thinker = SocietyOfMindAgent("mind", team, fence.model_client(mind, model="scripted"))
        return RoundRobinGroupChat([thinker], max_turns=1)

    await runs_once_approved(house(), factory, act.calls, model, mind)


class OwnTeam(RoundRobinGroupChat):
    """A team that runs in its own way."""

    async def run_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Do as it likes."""
        yield None


class OwnHandoff(Handoff):
    """A handoff that does more than hand over."""


@refused("Teams", "A team of your own kind", "nobody knows what it does; use AutoGen's own")
async def test_a_team_of_ones_own(house: House) -> None:
    """Also when it is made of one of AutoGen's."""
    await is_refused(house(), lambda fence: OwnTeam([agent(fence, Scripted("x"))]), "overrides run_stream")


@refused("Teams", "A handoff of your own kind", "AutoGen runs it past every workbench; use `Handoff`")
async def test_a_handoff_of_ones_own(house: House) -> None:
    """The walk names it."""

    def factory(fence: Fence) -> Any:
        first: Any = agent(fence, Scripted("x"), name="a", handoffs=[OwnHandoff(target="b")])
        return Swarm([first, agent(fence, Scripted("x"), name="b")])

    await is_refused(house(), factory, "only AutoGen's own Handoff can be fenced")
