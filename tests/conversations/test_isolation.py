"""Conversations of one process share nothing that belongs to one of them."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.tools import AgentTool
from autogen_core.memory import ListMemory
from autogen_core.model_context import UnboundedChatCompletionContext
from fenced import EMAIL, agent, audit, recording, reply_of, team_of, texts
from scripted import Scripted, call

from ringfence import CoverageError, Fence, Ringfence, RingfenceError, Status

House = Callable[..., Ringfence]


async def test_pseudonyms_belong_to_one_conversation(house: House) -> None:
    """The first address of each is number 1, and nobody can have the other's turned back."""
    ringfence = house()
    one = ringfence.conversation(team_of(Scripted("<EMAIL_ADDRESS_1> <EMAIL_ADDRESS_2>")))
    two = ringfence.conversation(team_of(Scripted("<EMAIL_ADDRESS_1> <EMAIL_ADDRESS_2>")))
    first, second = await asyncio.gather(one.run(task="I am ann@acme.com"), two.run(task="I am bob@acme.com"))
    assert reply_of(first) == "ann@acme.com <EMAIL_ADDRESS_2>"
    assert reply_of(second) == "bob@acme.com <EMAIL_ADDRESS_2>"


async def test_ledgers_belong_to_one_conversation(house: House) -> None:
    """What one spends is not taken from the other."""
    ringfence = house(limits={"model_calls": 2})
    spender = ringfence.conversation(team_of(Scripted("on"), turns=5))
    saver = ringfence.conversation(team_of(Scripted("once")))
    await asyncio.gather(spender.run(task="Go"), saver.run(task="Go"))
    assert (spender.status, saver.status) == (Status.LIMIT_REACHED, Status.DONE)
    assert (spender.usage.model_calls, saver.usage.model_calls) == (2, 1)


async def test_twenty_conversations_at_once_do_not_mix(house: House) -> None:
    """Each gets its own answer and its own trace."""
    ringfence = house()
    model = Scripted("Hello <EMAIL_ADDRESS_1>")
    conversations = [ringfence.conversation(team_of(model)) for _ in range(20)]
    results = await asyncio.gather(
        *(one.run(task=f"I am user{number}@acme.com") for number, one in enumerate(conversations))
    )
    assert [reply_of(result) for result in results] == [
        f"Hello user{number}@acme.com" for number in range(20)
    ]
    traces = {line["trace"]: line["conversation"] for line in audit(ringfence)}
    assert traces == {one.trace_id: one.id for one in conversations}


async def test_an_approval_of_one_conversation_is_none_of_another(house: House) -> None:
    """Equal calls under equal ids in two conversations: only the approved one runs."""
    ringfence, acts = house(), [recording(), recording()]
    one, two = (ringfence.conversation(team_of(Scripted([call()], "ok"), [act.function])) for act in acts)
    await asyncio.gather(one.run(task="Go"), two.run(task="Go"))
    with pytest.raises(RingfenceError):
        await two.approve(one.pending_approvals[0].id, by="bob")
    await one.approve(one.pending_approvals[0].id, by="bob")
    await one.resume()
    assert [len(act.calls) for act in acts] == [1, 0]


def borrowed(part: str, lender: Fence, fence: Fence) -> AssistantAgent:
    """An agent of `fence` with one part of another conversation's fence."""
    model, act = Scripted("never"), recording().function
    match part:
        case "model client":
            return AssistantAgent("desk", lender.model_client(model, model="scripted"))
        case "workbench":
            ours = fence.model_client(model, model="scripted")
            return AssistantAgent("desk", ours, workbench=lender.workbench([act]))
        case "memory":
            return agent(fence, model, memory=[lender.memory(ListMemory())])
        case _:
            helper = AgentTool(agent(lender, model, name="helper"))
            return agent(fence, model, tools=[helper])


@pytest.mark.parametrize("part", ["model client", "workbench", "memory", "tool"])
@pytest.mark.parametrize("same_process", [True, False])
async def test_a_part_of_another_conversations_fence_is_refused(
    house: House, part: str, same_process: bool
) -> None:
    """It would mask with the wrong vault and spend from the wrong purse."""
    ringfence = house()
    fences: list[Fence] = []

    def lends(fence: Fence) -> RoundRobinGroupChat:
        fences.append(fence)
        return RoundRobinGroupChat([agent(fence, Scripted("ok"))], max_turns=1)

    await ringfence.conversation(lends).run(task="Go")
    other = ringfence if same_process else house()
    conversation = other.conversation(
        lambda fence: RoundRobinGroupChat([borrowed(part, fences[0], fence)], max_turns=1)
    )
    with pytest.raises(CoverageError, match="another conversation"):
        await conversation.run(task="Go")


async def test_a_team_serves_one_conversation(house: House) -> None:
    """A factory that hands the same team to a second conversation is refused, before or after a run."""
    made: list[RoundRobinGroupChat] = []

    def factory(fence: Fence) -> RoundRobinGroupChat:
        made.append(made[0] if made else RoundRobinGroupChat([agent(fence, Scripted("ok"))], max_turns=1))
        return made[-1]

    ringfence = house()
    await ringfence.conversation(factory).run(task=f"I am {EMAIL}")
    with pytest.raises(CoverageError) as refused:
        await ringfence.conversation(factory).run(task="Who am I?")
    assert "anew" in str(refused.value)


async def test_an_agent_serves_one_conversation(house: House) -> None:
    """An agent that is shared by two teams would tell one user what the other said."""
    shared: list[AssistantAgent] = []

    def factory(fence: Fence) -> RoundRobinGroupChat:
        if not shared:
            shared.append(agent(fence, Scripted("ok"), name="shared"))
        return RoundRobinGroupChat([agent(fence, Scripted("ok")), shared[0]], max_turns=2)

    ringfence = house()
    await ringfence.conversation(factory).run(task=f"I am {EMAIL}")
    with pytest.raises(CoverageError, match="shared"):
        await ringfence.conversation(factory).run(task="Who am I?")


async def test_a_model_context_serves_one_conversation(house: House) -> None:
    """Fresh agents with a context that is not would know what somebody else said."""
    context = UnboundedChatCompletionContext()
    factory = team_of(Scripted("ok"), model_context=context)
    ringfence = house()
    await ringfence.conversation(factory).run(task=f"I am {EMAIL}")
    with pytest.raises(CoverageError, match="Context"):
        await ringfence.conversation(factory).run(task="Who am I?")


async def test_two_conversations_that_share_a_team_cannot_even_start_together(house: House) -> None:
    """Of two that begin at the same moment at most one gets the team."""
    made: list[Any] = []

    def factory(fence: Fence) -> Any:
        if not made:
            made.append(team_of(Scripted("ok"))(fence))
        return made[0]

    ringfence = house()
    ends = await asyncio.gather(
        *(ringfence.conversation(factory).run(task="Go") for _ in range(2)), return_exceptions=True
    )
    assert sum(isinstance(end, CoverageError) for end in ends) == 1


async def test_one_provider_client_may_serve_all_conversations(house: House) -> None:
    """What talks to the provider holds nobody's data, so it is shared; each fence wraps it afresh."""
    ringfence, model = house(), Scripted("Hello.")
    for _ in range(2):
        assert texts(await ringfence.conversation(team_of(model)).run(task="Go"))[-1] == "Hello."
    assert model.calls == 2


async def test_a_fenced_part_that_is_fenced_again_belongs_to_the_new_fence(house: House) -> None:
    """`fence.model_client(other_fences_client)` takes what is inside, not the other's doors."""
    ringfence, model = house(), Scripted("Hello.")
    act = recording(consequential=False)
    fences: list[Fence] = []

    def factory(fence: Fence) -> RoundRobinGroupChat:
        fences.append(fence)
        client = fences[0].model_client(model, model="scripted")
        bench = fences[0].workbench([act.function])
        ours = AssistantAgent(
            "desk", fence.model_client(client, model="scripted"), workbench=fence.workbench(bench)
        )
        return RoundRobinGroupChat([ours], max_turns=1)

    first, second = ringfence.conversation(factory), ringfence.conversation(factory)
    await first.run(task="Go")
    await second.run(task=f"Go {EMAIL}")
    assert (first.usage.model_calls, second.usage.model_calls) == (1, 1)
    assert EMAIL not in model.seen


async def test_ids_and_users_are_who_they_are(house: House) -> None:
    """A given id is kept, a missing one is made, and the user stands in the audit log."""
    ringfence = house()
    named = ringfence.conversation(team_of(Scripted("ok")), id="ticket-7", user="alice")
    unnamed = ringfence.conversation(team_of(Scripted("ok")))
    await named.run(task="Go")
    assert (named.id, named.user) == ("ticket-7", "alice")
    assert unnamed.id != ringfence.conversation(team_of(Scripted("ok"))).id
    started = next(line for line in audit(ringfence) if line["event"] == "run_started")
    assert (started["conversation"], started["user"]) == ("ticket-7", "alice")
    assert "ticket-7" in repr(named)
