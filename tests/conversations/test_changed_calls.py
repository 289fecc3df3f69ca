"""A person approves a call with other arguments: they are checked twice, run once, and everybody is told."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from autogen_core import CancellationToken
from fenced import EMAIL, RecordingTool, Talk, audit, recording, reply_of, team_of
from scripted import Scripted, call
from sqlalchemy import update

from ringfence import (
    ApprovalRequest,
    Approved,
    ConversationInterrupted,
    ModelCallFailed,
    Ringfence,
    RingfenceError,
    Status,
    StoreError,
    tool,
)
from ringfence.conversations.pending_requests import find_request

House = Callable[..., Ringfence]


def pay(amount: float = 500, to: str = "Dora") -> Any:
    """The model wants to pay."""
    return call("pay", json.dumps({"amount": amount, "to": to}))


def paying(**spec: Any) -> RecordingTool:
    """A tool that pays and remembers what."""
    calls: list[dict[str, Any]] = []

    @tool(consequential=True, **spec)
    def pay(amount: float, to: str, memo: str = "") -> str:
        """Pay."""
        calls.append({"amount": amount, "to": to, "memo": memo})
        return "paid"

    return RecordingTool(pay, calls)


async def waiting(house: House, act: RecordingTool, *replies: Any, **policy: Any) -> tuple[Ringfence, Talk]:
    """A conversation whose first call waits for a person."""
    ringfence = house(**policy)
    model = Scripted(*(replies or ([pay()], "After.")))
    talk = ringfence.conversation(team_of(model, [act.function], max_tool_iterations=2), id="t", user="alice")
    await talk.run(task="Pay Dora 500")
    assert talk.status is Status.WAITING_FOR_APPROVAL
    return ringfence, talk


async def test_the_call_runs_as_the_person_changed_it(house: House) -> None:
    """Once, with what the person wrote; the model hears that it was changed, and to what."""
    act = paying()
    ringfence, talk = await waiting(house, act)
    (request,) = talk.pending_approvals
    await talk.approve(request.id, by="bob", arguments={"amount": 5, "to": "Dora"})
    result = await talk.resume()
    assert act.calls == [{"amount": 5, "to": "Dora", "memo": ""}]
    assert "A person changed the arguments of this call before it ran" in str(result.messages)
    assert reply_of(result) == "After."
    line = next(line for line in audit(ringfence) if line["event"] == "approval")
    assert (line["verdict"], line["by"], line["changed"]) == ("approved", "bob", True)
    assert line["digest"] != request.digest[:16]


async def test_the_approver_who_is_there_may_change_it_too(house: House) -> None:
    """By what it returns; its own arguments, written as the person said them, are the same call."""
    act, seen = paying(), []

    async def approver(request: ApprovalRequest) -> Approved:
        seen.append(request)
        return Approved("bob", {"amount": 5, "to": "Dora"} if len(seen) == 1 else request.real_arguments)

    model = Scripted([pay()], [pay(7)], "After.")
    talk = house().conversation(team_of(model, [act.function], max_tool_iterations=3), approver=approver)
    await talk.run(task="Pay Dora 500")
    assert [one["amount"] for one in act.calls] == [5, 7]
    first, second = model.tool_results()
    assert "changed the arguments of this call" in first
    assert second == "paid"


async def test_real_values_of_the_person_are_masked_for_the_agents(house: House) -> None:
    """The tool gets them where it may see them; agents, journal and audit do not."""
    sent: list[str] = []

    @tool(consequential=True, reveals={"to": ["EMAIL_ADDRESS"]})
    def send(to: str) -> str:
        """Send a mail."""
        sent.append(to)
        return "sent"

    model, ringfence = Scripted([call("send", '{"to": "nobody"}')], "After."), house()
    talk = ringfence.conversation(team_of(model, [send], max_tool_iterations=2), user="alice")
    await talk.run(task="Write")
    (request,) = talk.pending_approvals
    await talk.approve(request.id, by="bob", arguments={"to": EMAIL})
    await talk.resume()
    assert sent == [EMAIL]
    assert EMAIL not in model.seen + json.dumps(audit(ringfence))
    assert '"to": "<EMAIL_ADDRESS_1>"' in model.tool_results()[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"amount": 300, "to": "Dora"}, "argument `amount` of pay is above 200"),
        ({"amount": 5, "to": "Eve"}, "argument `to` of pay is none of the values"),
        ({"amount": 5, "to": "Dora", "account": "x"}, "pay has no argument `account`"),
        ({"amount": 5, "to": "Dora", "key": "mine"}, "pay has no argument `key`"),
        ({"amount": 5, "to": "Dora", EMAIL: "x"}, "pay got 1 unknown argument"),
        ({"amount": "five", "to": "Dora"}, "do not fit pay: amount: must be a number"),
        ({"amount": 5}, "lacks to"),
        ({"amount": float("nan"), "to": "Dora"}, "not one plain JSON object"),
        ([5], "not one plain JSON object"),
        ({"amount": 5, "to": "Dora", "memo": EMAIL}, "`memo` of pay holds something that the policy hides"),
    ],
)
async def test_what_must_not_run_cannot_be_put_in(house: House, arguments: Any, said: str) -> None:
    """The person hears which argument is wrong, never its value; the call waits on as it was."""
    calls: list[str] = []

    @tool(consequential=True, idempotency_key="key")
    def pay(amount: float, to: str, key: str, memo: str = "") -> str:
        """Pay."""
        calls.append(key)
        return "paid"

    rules = {"amount": {"maximum": 200}, "to": {"one_of": ["Dora"]}}
    ringfence = house(tools={"pay": {"arguments": rules}})
    model = Scripted([call("pay", '{"amount": 50, "to": "Dora"}')], "After.")
    talk = ringfence.conversation(team_of(model, [pay], max_tool_iterations=2))
    await talk.run(task="Pay Dora 50")
    pending = talk.pending_approvals
    with pytest.raises(RingfenceError) as refused:
        await talk.approve(pending[0].id, by="bob", arguments=arguments)
    assert said in str(refused.value)
    assert "Eve" not in str(refused.value)
    assert EMAIL not in str(refused.value)
    assert talk.pending_approvals == pending
    assert calls == []


async def test_a_tool_with_arguments_of_the_fence_gets_them_all_the_same(house: House) -> None:
    """Its idempotency key is no argument that a person gives or takes away."""
    calls: list[tuple[float, str]] = []

    @tool(consequential=True, idempotency_key="key")
    def pay(amount: float, key: str) -> str:
        """Pay."""
        calls.append((amount, key))
        return "paid"

    talk = house().conversation(team_of(Scripted([call("pay", '{"amount": 50}')], "After."), [pay]))
    await talk.run(task="Pay 50")
    (request,) = talk.pending_approvals
    await talk.approve(request.id, by="bob", arguments={"amount": 5})
    await talk.resume()
    ((amount, key),) = calls
    assert amount == 5
    assert key.startswith("ringfence-")


async def test_a_person_who_changed_the_call_in_another_process(house: House, tmp_path: Path) -> None:
    """Needs neither the team nor its tools there; what the tool sees is what was written there."""
    store = {"store": {"url": f"sqlite:///{tmp_path}/desk.sqlite"}}
    act = paying()
    _, talk = await waiting(house, act, **store)
    elsewhere = house(**store).conversation(lambda _: None, id="t", user="alice")  # type: ignore[arg-type,return-value]  # no team is built
    await elsewhere.load()
    (request,) = elsewhere.pending_approvals
    with pytest.raises(RingfenceError, match="has no argument `account`"):
        await elsewhere.approve(request.id, by="bob", arguments={"amount": 5, "account": "x"})
    await elsewhere.approve(request.id, by="bob", arguments={"amount": 5, "to": "Dora", "memo": "less"})
    await talk.resume()
    assert act.calls == [{"amount": 5, "to": "Dora", "memo": "less"}]


@pytest.mark.parametrize("is_idempotent", [False, True])
async def test_a_changed_call_that_was_cut_off_goes_on_as_it_was_begun(
    house: House, is_idempotent: bool
) -> None:
    """What runs again is what had begun, not what the agent had asked for; and it is in doubt as that."""
    token, began = CancellationToken(), list[str]()

    @tool(consequential=True, idempotent=is_idempotent)
    async def pay(what: str) -> str:
        """Pay."""
        began.append(what)
        if len(began) == 1:
            token.cancel()
            await asyncio.Event().wait()
        return "paid"

    model = Scripted([call("pay", '{"what": "500"}')], "After.")
    talk = house().conversation(team_of(model, [pay], max_tool_iterations=2))
    await talk.run(task="Pay 500")
    await talk.approve(talk.pending_approvals[0].id, by="bob", arguments={"what": "5"})
    with pytest.raises(ConversationInterrupted):
        await talk.resume(cancellation_token=token)
    await talk.resume()
    if not is_idempotent:
        (doubt,) = talk.pending_approvals
        assert (doubt.kind, doubt.arguments) == ("doubt", {"what": "5"})
        with pytest.raises(RingfenceError, match="approve it as it is, or reject it"):
            await talk.approve(doubt.id, by="bob", arguments={"what": "7"})
        await talk.approve(doubt.id, by="bob")
        await talk.resume()
    assert began == ["5", "5"]
    assert "changed the arguments of this call" in model.tool_results()[0]


async def test_the_team_that_starts_anew_hears_what_really_ran(house: House) -> None:
    """The journal tells of the changed call."""
    act = recording("pay")
    model = Scripted([call("pay", '{"what": "500"}')], ValueError("boom"), "After.")
    talk = house().conversation(team_of(model, [act.function], max_tool_iterations=2))
    await talk.run(task="Pay 500")
    await talk.approve(talk.pending_approvals[0].id, by="bob", arguments={"what": "5"})
    with pytest.raises(ModelCallFailed):
        await talk.resume()
    result = await talk.run(task="And?")
    assert 'pay {"what": "5"}' in str(result.messages)
    assert act.calls == [{"what": "5"}]


async def test_an_edited_row_is_refused(house: House, tmp_path: Path) -> None:
    """Who writes into the store decides nothing."""
    url = f"sqlite:///{tmp_path}/desk.sqlite"
    act = paying()
    ringfence, talk = await waiting(house, act, store={"url": url})
    (request,) = talk.pending_approvals
    await talk.approve(request.id, by="bob", arguments={"amount": 5, "to": "Dora"})
    table = ringfence.store.tables.requests
    await ringfence.store.run(lambda db: db.execute(update(table).values(status="waiting")))
    again = house(store={"url": url}).conversation(lambda _: None, id="t", user="alice")  # type: ignore[arg-type,return-value]  # as above
    with pytest.raises(StoreError, match="changed"):
        await again.load()
    assert act.calls == []


async def test_what_was_changed_is_shown(house: House) -> None:
    """With who did it; real values only to those who ask for them."""
    act = paying(reveals={"to": ["EMAIL_ADDRESS"]})
    ringfence, talk = await waiting(house, act, approvals={"approvers": 2})
    (request,) = talk.pending_approvals
    await talk.approve(request.id, by="bob", arguments={"amount": 5, "to": EMAIL})
    shown = await find_request(ringfence.store, request.id)
    revealed = await find_request(ringfence.store, request.id, reveal=True)
    assert (shown.changed_by, shown.approved_by, shown.still_needed) == ("bob", ("bob",), 1)
    assert shown.arguments == {"amount": 5, "to": "<EMAIL_ADDRESS_1>", "memo": ""}
    assert revealed.arguments == {"amount": 5, "to": EMAIL, "memo": ""}
    with pytest.raises(RingfenceError, match="of another call by now"):
        await talk.approve(request.id, by="carol", seen=request.digest)
    await talk.approve(request.id, by="carol", seen=revealed.digest)
    await talk.resume()
    assert act.calls == [{"amount": 5, "to": EMAIL, "memo": ""}]


async def test_a_change_that_the_policy_of_the_moment_refuses_does_not_run(house: House) -> None:
    """It is checked again when it would run, not only when it was decided."""
    act = paying()
    _, talk = await waiting(house, act)
    (request,) = talk.pending_approvals
    await talk.approve(request.id, by="bob", arguments={"amount": 5, "to": "Dora"})
    book = talk._session.approvals
    (decided,) = book.decided
    assert decided.change is not None
    decided.change.arguments["amount"] = 5_000  # type: ignore[index]  # as nobody may
    load = type(book).load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(book), "load", lambda self, waiting, _decided: load(self, waiting, [decided]))
        result = await talk.resume()
    assert act.calls == []
    assert "the change is not the one that was approved" in str(result.messages)


async def test_what_a_person_wrote_passes_the_guardrails_of_calls(house: House) -> None:
    """As the agent's own arguments do; a no of them keeps the call from running."""
    act = paying()
    guard = {
        "use": "ringfence/banned_phrases",
        "at": ["tool_call"],
        "on_fail": "exception",
        "with": {"phrases": ["zeppelin"]},
    }
    _, talk = await waiting(house, act, guardrails=[guard])
    (request,) = talk.pending_approvals
    await talk.approve(request.id, by="bob", arguments={"amount": 5, "to": "Dora", "memo": "zeppelin"})
    result = await talk.resume()
    assert not act.calls
    assert "The call was not run" in str(result.messages)
