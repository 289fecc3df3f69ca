"""What a conversation may use at most: each limit ends the run with a reason that a person understands."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import MagenticOneGroupChat, RoundRobinGroupChat, SelectorGroupChat
from autogen_agentchat.tools import AgentTool
from fenced import agent, audit, fence_of, recording, reply_of, team_of, texts
from scripted import Scripted, call, created

from ringfence import Fence, Ringfence, Status, tool

House = Callable[..., Ringfence]
DOLLAR_A_TOKEN = {
    "scripted": {"input_usd_per_million_tokens": 1_000_000, "output_usd_per_million_tokens": 1_000_000}
}


def calls(number: int) -> list[Any]:
    """Replies that each call the tool once."""
    return [[call(id=f"call-{index}")] for index in range(number)]


async def test_turns_are_limited_in_each_run(house: House) -> None:
    """After the last turn the run ends; the next run has its turns again."""
    model = Scripted("one", "two", "three", "four", "five")
    ringfence = house(limits={"turns": 2})
    conversation = ringfence.conversation(team_of(model, turns=9))
    for _ in range(2):
        result = await conversation.run(task="Go")
        assert "turns limit" in str(result.stop_reason)
        assert conversation.status is Status.LIMIT_REACHED
    assert model.calls == 4


async def test_model_calls_are_limited_within_a_turn(house: House) -> None:
    """One turn may make many calls; the limit stops it in the middle, where AutoGen's conditions cannot."""
    act, model = recording(consequential=False), Scripted(*calls(20))
    conversation = house(limits={"model_calls": 3}).conversation(
        team_of(model, [act.function], max_tool_iterations=20)
    )
    result = await conversation.run(task="Go")
    assert (model.calls, len(act.calls)) == (3, 3)
    assert "model_calls limit" in str(result.stop_reason)
    assert conversation.status is Status.LIMIT_REACHED


async def test_tool_calls_are_limited_even_within_one_reply(house: House) -> None:
    """Of parallel calls only as many run as are left, and the next model call does not start."""
    act = recording(consequential=False)
    model = Scripted([call(id=f"call-{index}") for index in range(5)], "never")
    conversation = house(limits={"tool_calls": 2}).conversation(
        team_of(model, [act.function], max_tool_iterations=2)
    )
    result = await conversation.run(task="Go")
    assert (len(act.calls), model.calls) == (2, 1)
    assert "tool_calls limit" in str(result.stop_reason)
    assert conversation.usage.tool_calls == 2


async def test_an_approved_call_counts_once(house: House) -> None:
    """A call that waited for a person is one call: with one left, it may run."""
    act = recording()
    conversation = house(limits={"tool_calls": 1}).conversation(
        team_of(Scripted([call()], "ok"), [act.function])
    )
    await conversation.run(task="Go")
    (request,) = conversation.pending_approvals
    await conversation.approve(request.id, by="bob")
    await conversation.resume()
    assert len(act.calls) == 1
    assert conversation.usage.tool_calls == 1


async def test_tokens_are_reserved_before_they_are_spent(house: House) -> None:
    """A call whose worst case would pass the limit does not start."""
    model = Scripted(created("one", usage=(500, 400)), "never")
    conversation = house(limits={"tokens": 1_000}).conversation(team_of(model, turns=5))
    result = await conversation.run(task="Go " + "and on " * 100)
    assert model.calls == 1
    assert "tokens limit" in str(result.stop_reason)
    assert conversation.usage.tokens == 900


async def test_money_is_limited_to_the_cent(house: House) -> None:
    """US dollars are counted exactly, and the call that could cost too much is not made."""
    model = Scripted(created("one", usage=(60, 7)), "never")
    conversation = house(prices=DOLLAR_A_TOKEN, limits={"usd": 100}).conversation(team_of(model, turns=5))
    result = await conversation.run(task="Go")
    assert model.calls == 1
    assert conversation.usage.usd == Decimal(67)
    assert "usd limit" in str(result.stop_reason)
    assert conversation.status is Status.LIMIT_REACHED


async def test_time_ends_a_call_that_is_under_way(house: House) -> None:
    """A model that does not answer is stopped when the seconds are over; the run ends as for any limit."""
    stopped = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    conversation = house(limits={"seconds": 1}).conversation(team_of(Scripted("never", on_call=wait)))
    result = await conversation.run(task="Go")
    assert "seconds limit" in str(result.stop_reason)
    assert conversation.status is Status.LIMIT_REACHED
    assert stopped.is_set()
    assert "never" not in texts(result)


async def test_time_ends_a_tool_that_is_under_way(house: House) -> None:
    """A tool within its own time is stopped by the run's."""
    stopped = asyncio.Event()

    @tool(consequential=False)
    async def act() -> str:
        """Wait."""
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return "never"

    conversation = house(limits={"seconds": 1}).conversation(team_of(Scripted([call()], "never"), [act]))
    result = await conversation.run(task="Go")
    assert "seconds limit" in str(result.stop_reason)
    assert stopped.is_set()


async def test_after_a_limit_that_is_per_run_the_next_run_works(house: House) -> None:
    """Out of time now is not out of time for ever."""
    waits = [asyncio.Event()]

    async def once() -> None:
        if waits:
            await waits.pop().wait()

    conversation = house(limits={"seconds": 0.2}).conversation(team_of(Scripted("ok", on_call=once)))
    await conversation.run(task="Go")
    assert [conversation.status] == [Status.LIMIT_REACHED]
    assert reply_of(await conversation.run(task="Again")) == "ok"
    assert conversation.status is Status.DONE


async def test_after_a_limit_of_the_conversation_no_model_is_called_again(house: House) -> None:
    """Money that is spent stays spent, however often one runs, resets or loads a state."""
    model = Scripted("one", "never")
    conversation = house(limits={"model_calls": 1}).conversation(team_of(model))
    await conversation.run(task="Go")
    for _ in range(2):
        result = await conversation.run(task="Again")
        assert "model_calls limit" in str(result.stop_reason)
        await conversation.reset()
    assert model.calls == 1


async def test_parallel_model_calls_share_one_budget(house: House) -> None:
    """Two agents that are asked at once cannot both take the last call."""
    inner = [Scripted("one"), Scripted("two")]

    def factory(fence: Fence) -> RoundRobinGroupChat:
        helpers = [AgentTool(agent(fence, model, name=f"helper{index}")) for index, model in enumerate(inner)]
        replies = [call(f"helper{index}", '{"task": "Go"}', id=str(index)) for index in range(2)]
        desk = agent(fence, Scripted(replies, "never"), tools=helpers)
        return RoundRobinGroupChat([desk], max_turns=1)

    ringfence = house(limits={"model_calls": 2}, tools={"helper*": {"read_only": True}})
    conversation = ringfence.conversation(factory)
    await conversation.run(task="Go")
    assert sum(model.calls for model in inner) == 1
    assert conversation.usage.model_calls == 2
    assert conversation.status is Status.LIMIT_REACHED


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_a_selector_is_stopped_like_everybody_else(house: House, limit: int) -> None:
    """The selector's calls count, and a stop ends the team however the selector reads it."""
    selector, model = Scripted("a"), Scripted("hm")

    def factory(fence: Fence) -> SelectorGroupChat:
        agents: list[Any] = [agent(fence, model, name=name) for name in ("a", "b")]
        client = fence.model_client(selector, model="scripted")
        return SelectorGroupChat(
            agents, client, allow_repeated_speaker=True, termination_condition=MaxMessageTermination(99)
        )

    conversation = house(limits={"model_calls": limit}).conversation(factory)
    result = await conversation.run(task="Go")
    assert selector.calls + model.calls == limit
    assert "model_calls limit" in str(result.stop_reason)
    assert conversation.status is Status.LIMIT_REACHED


async def test_magentic_one_is_stopped_like_everybody_else(house: House) -> None:
    """The orchestrator cannot read the stop and fails; what comes out is the limit all the same."""
    orchestrator = Scripted("facts", "plan", "never")

    def factory(fence: Fence) -> MagenticOneGroupChat:
        client = fence.model_client(orchestrator, model="scripted")
        return MagenticOneGroupChat([agent(fence, Scripted("hm"))], model_client=client)

    conversation = house(limits={"model_calls": 2}).conversation(factory)
    result = await conversation.run(task="Go")
    assert orchestrator.calls == 2
    assert "model_calls limit" in str(result.stop_reason)
    assert conversation.status is Status.LIMIT_REACHED


async def test_a_reflection_is_stopped_like_everybody_else(house: House) -> None:
    """The call in which an agent reflects on its tools counts as any other."""
    act, model = recording(consequential=False), Scripted([call()], "never")
    conversation = house(limits={"model_calls": 1}).conversation(
        team_of(model, [act.function], reflect_on_tool_use=True)
    )
    result = await conversation.run(task="Go")
    assert model.calls == 1
    assert "model_calls limit" in str(result.stop_reason)


async def test_a_failed_call_is_settled_at_its_worst_case(house: House) -> None:
    """When nobody knows what was charged, the reservation counts as spent, and nothing stays reserved."""
    model = Scripted(ValueError("boom"), "ok")
    conversation = house(prices=DOLLAR_A_TOKEN, limits={"usd": 5000}).conversation(team_of(model))
    with pytest.raises(Exception, match="ValueError"):
        await conversation.run(task="Go")
    assert conversation.usage.output_tokens == 1024
    assert conversation.usage.usd == conversation.usage.tokens
    assert conversation._session.ledger.usd_left() == 5000 - conversation.usage.usd


async def test_without_limits_nothing_is_bounded(house: House) -> None:
    """A limit that is null does not bound."""
    names = ("turns", "model_calls", "tool_calls", "tokens", "usd", "seconds")
    model = Scripted("on and on")
    ringfence = house(limits=dict.fromkeys(names), prices=DOLLAR_A_TOKEN)
    conversation = ringfence.conversation(team_of(model, turns=150))
    await conversation.run(task="Go")
    assert model.calls == 150
    assert conversation.status is Status.DONE


async def test_the_audit_says_what_every_call_cost_and_why_the_run_ended(house: House) -> None:
    """Reserved and used tokens, dollars, and the limit's reason."""
    ringfence = house(prices=DOLLAR_A_TOKEN, limits={"usd": 2000, "model_calls": 1})
    await ringfence.conversation(team_of(Scripted("one"), turns=2)).run(task="Go")
    used = next(line for line in audit(ringfence) if line["event"] == "model_usage")
    assert (used["agent"], used["input_tokens"], used["output_tokens"], used["usd"]) == (
        "desk",
        100,
        10,
        "110",
    )
    assert used["reserved_tokens"] > 1024
    ended = audit(ringfence)[-1]
    assert (ended["event"], ended["status"], ended["usd"]) == ("run_ended", "limit_reached", "110")
    assert "model_calls limit" in ended["reason"]


def test_a_model_without_a_price_is_refused_before_anything_runs(house: House) -> None:
    """A budget in dollars cannot be kept for it, so the team is not built."""
    from ringfence import PolicyError

    ringfence = house(prices={})
    fence, _ = fence_of(ringfence)
    with pytest.raises(PolicyError, match="price"):
        AssistantAgent("desk", fence.model_client(Scripted("ok"), model="nobody-knows-it"))
    with pytest.raises(PolicyError, match="model="):
        fence.model_client(Scripted("ok"))
