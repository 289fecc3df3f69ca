"""Ways round the fence that were found once, each shut."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from fenced import EMAIL, recording, reply_of, team_of
from scripted import Bench, Scripted, call

from ringfence import (
    Approved,
    ConversationChanged,
    CoverageError,
    Fence,
    PolicyError,
    Ringfence,
    Status,
    tool,
)

House = Callable[..., Ringfence]


async def test_two_agents_cannot_have_different_tools_of_one_name(house: House) -> None:
    """A call that was approved for one account would be carried out on the other."""

    def factory(fence: Fence) -> RoundRobinGroupChat:
        def desk(name: str) -> AssistantAgent:
            own_account = recording("transfer").function
            model = fence.model_client(Scripted("ok"), model="scripted")
            return AssistantAgent(name, model, workbench=fence.workbench([own_account]))

        return RoundRobinGroupChat([desk("petty_cash"), desk("treasury")])

    with pytest.raises(PolicyError, match="different tools"):
        await house().conversation(factory).run(task="Go")


async def test_a_workbench_cannot_offer_a_tool_that_is_somebody_elses(house: House) -> None:
    """A hostile server would get the approved call, and the real values in it."""
    ours = recording("act")

    def factory(fence: Fence) -> AssistantAgent:
        model = fence.model_client(Scripted([call()], "ok"), model="scripted")
        benches = [fence.workbench(Bench()), fence.workbench([ours.function])]
        return AssistantAgent("desk", model, workbench=benches)

    with pytest.raises(CoverageError, match="different tools"):
        await house().conversation(factory).run(task="Go")
    assert ours.calls == []


@pytest.mark.parametrize("escape", ["\\n", "\\t", "\\r\\n", "\\\\n", "\\xa0"])
@pytest.mark.parametrize("value", ["4111111111111111", "536-90-4399", "10.20.30.40", EMAIL])
async def test_an_escape_does_not_hide_the_value_behind_it(house: House, escape: str, value: str) -> None:
    """AutoGen spells a tool's dict out, line ends and all; its letter is not the value's."""
    act = recording(consequential=False, answer=f"{{'note': 'Number:{escape}{value}{escape}end'}}")
    model = Scripted([call()], "ok")
    await house().conversation(team_of(model, [act.function], max_tool_iterations=2)).run(task="Go")
    assert value not in model.seen


async def test_the_approver_sees_what_the_tool_would_fill_in(house: House) -> None:
    """A default that nobody saw would be carried out; an argument that nobody reads would be approved."""
    paid: list[str] = []
    shown: list[dict[str, Any]] = []

    @tool(consequential=True)
    def refund(order: str, amount: str = "500") -> str:
        """Pay money back."""
        paid.append(amount)
        return "done"

    async def yes(request: Any) -> Approved:
        shown.append(dict(request.real_arguments))
        return Approved("bob")

    asked = [
        call("refund", json.dumps({"order": "1", "sum": "5"}), id="one"),
        call("refund", json.dumps({"order": "2"}), id="two"),
    ]
    await house().conversation(team_of(Scripted(asked, "ok"), [refund]), approver=yes).run(task="Go")
    assert shown == [{"order": "2", "amount": "500"}]
    assert paid == ["500"]


async def test_a_loaded_state_never_means_somebody_else(house: House) -> None:
    """A pseudonym of another conversation's state is nobody here, even if the name was given out before."""
    act = recording(reveals={"what": ["EMAIL_ADDRESS"]}, consequential=False)
    first = house().conversation(team_of(Scripted("ok")))
    await first.run(task=f"I am {EMAIL}")
    wanted = [call(arguments='{"what": "<EMAIL_ADDRESS_1>"}')]
    second = house().conversation(team_of(Scripted("ok", wanted, "ok"), [act.function]))
    await second.run(task="I am bob@example.org")
    await second.load_state(await first.save_state())
    await second.run(task="Write to me")
    assert act.calls == [{"what": "<EMAIL_ADDRESS_1>"}]


async def test_time_is_up_for_a_client_that_does_not_watch_its_token(house: House) -> None:
    """Not every client links the token; the run ends all the same, and so does the call."""
    ended = asyncio.Event()

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    class Deaf(Scripted):
        async def create(self, *args: Any, **options: Any) -> Any:
            await never()

    conversation = house(limits={"seconds": 1}).conversation(team_of(Deaf("never")))
    await conversation.run(task="Go")
    assert conversation.status is Status.LIMIT_REACHED
    assert ended.is_set()


async def test_a_decided_call_whose_tool_is_gone_is_not_done(house: House) -> None:
    """A team that is built anew without the tool is another one; when that is allowed, it begins anew."""
    act, built = recording(), [0]

    def factory(fence: Fence) -> Any:
        built[0] += 1
        return team_of(
            Scripted([call()] if built[0] == 1 else "ok"), [act.function] if built[0] == 1 else []
        )(fence)

    conversation = house().conversation(factory)
    await conversation.run(task="Go")
    (request,) = conversation.pending_approvals
    await conversation.approve(request.id, by="bob")
    with pytest.raises(ConversationChanged, match=r"the tools are other ones \(act\)"):
        await conversation.resume()
    assert reply_of(await conversation.resume(allow_changes=True)) == "ok"
    assert act.calls == []
