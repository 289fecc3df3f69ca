"""Ways round the fence by way of suspension, resumption and the store, each of which was open once."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.tools import AgentTool
from fenced import EMAIL, agent, canaries_in, make, recording, team_of
from scripted import Scripted, call

from ringfence import (
    ApprovalRequest,
    Fence,
    Ringfence,
    RingfenceError,
    Status,
    StoreError,
    UnknownConversation,
    tool,
)
from ringfence.conversations.journal import Journal

House = Callable[..., Ringfence]


async def test_an_approved_call_of_an_agent_within_a_tool_runs_once(house: House) -> None:
    """That the inner agent was stopped is no result of the outer call."""
    act = recording(answer="receipt 7")
    inner, outer = Scripted([call()], "Paid."), Scripted([call("inner", '{"task": "pay"}')], "Done.")

    def factory(fence: Fence) -> Any:
        within = agent(fence, inner, name="inner", tools=[act.function], max_tool_iterations=3)
        return agent(fence, outer, tools=[AgentTool(within)], max_tool_iterations=3)

    conversation = house(tools={"inner": {"decision": "allow"}}).conversation(factory)
    await conversation.run(task="Go")
    (waiting,) = conversation.pending_approvals
    await conversation.approve(waiting.id, by="bob")
    result = await conversation.resume()
    assert (len(act.calls), conversation.status) == (1, Status.DONE)
    assert "Paid." in outer.tool_results()[-1]
    assert "stopped this conversation" not in outer.seen + str(result)


async def test_a_conversation_that_never_began_is_its_users_all_the_same(tmp_path: Path) -> None:
    """Its process died when it had written no more than the row."""
    ringfence = make(tmp_path)
    mine = ringfence.conversation(team_of(Scripted("Hello.")), id="c-1", user="alice")
    await ringfence.store.run(lambda db: mine._kept.create(db, mine._session, ""))
    with pytest.raises(UnknownConversation):
        await ringfence.conversation(team_of(Scripted("Hi.")), id="c-1", user="mallory").run(task="Go")
    await mine.run(task="Go")
    await ringfence.close()


async def test_a_result_that_did_not_pass_the_door_is_told_to_nobody(tmp_path: Path) -> None:
    """The tool's work was committed, and the process died before its result was masked and searched."""

    @tool(consequential=True, transaction="db")
    async def act(db: Any) -> str:
        """Act."""
        return f"done for {EMAIL}"

    model = Scripted([call()], "After.")
    ringfence = make(tmp_path, tools={"act": {"decision": "allow"}})
    conversation = ringfence.conversation(team_of(model, [act], max_tool_iterations=2), id="c-1")
    finish = Journal.finish

    async def dies(journal: Journal, key: str, *more: Any, **options: Any) -> None:
        if key.startswith("tool:"):
            raise StoreError("died here")
        await finish(journal, key, *more, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "finish", dies)
        with pytest.raises(StoreError):
            await conversation.run(task="Go")
    await conversation.run(task="And now?")
    assert "its result was not checked" in model.seen
    assert not canaries_in(model.seen + str(conversation.transcript) + str(await conversation.save_state()))
    await ringfence.close()


async def test_a_changed_store_is_refused_again_and_again(tmp_path: Path) -> None:
    """Whoever tries a second time does not pass over what was wrong the first time."""
    ringfence = make(tmp_path)
    factory = team_of(Scripted("Hello."))
    await ringfence.conversation(factory, id="c-1").run(task="Go")
    with closing(sqlite3.connect(tmp_path / "ringfence.sqlite")) as db, db:
        db.execute("UPDATE ringfence_conversations SET state = NULL")
    again = ringfence.conversation(factory, id="c-1")
    for _ in range(2):
        with pytest.raises(StoreError, match="state"):
            await again.run(task="Go on")
    await ringfence.close()


async def test_what_was_approved_of_a_value_is_not_approved_of_its_stand_in(house: House) -> None:
    """A value that was forgotten between approval and resume is another argument than the person saw."""
    seen: list[ApprovalRequest] = []
    sent: list[str] = []

    @tool(consequential=True, reveals={"to": ["EMAIL_ADDRESS"]})
    def send(to: str) -> str:
        """Send."""
        sent.append(to)
        return "sent"

    model = Scripted([call("send", '{"to": "<EMAIL_ADDRESS_1>"}')], "After.")
    conversation = house().conversation(team_of(model, [send], max_tool_iterations=2))
    await conversation.run(task=f"Write to {EMAIL}")
    seen.extend(conversation.pending_approvals)
    assert seen[0].real_arguments == {"to": EMAIL}
    await conversation.approve(seen[0].id, by="bob")
    conversation.forget(EMAIL)
    await conversation.resume()
    assert sent == []
    assert conversation.pending_approvals[0].id != seen[0].id


async def test_two_conversations_of_one_id_share_no_call_ids(tmp_path: Path) -> None:
    """So an approval, or an idempotency key, of a store fits in no other one."""
    ids = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        ringfence = make(tmp_path / name)
        act = recording()
        conversation = ringfence.conversation(team_of(Scripted([call()], "ok"), [act.function]), id="c-1")
        await conversation.run(task="Go")
        ids.append(conversation.pending_approvals[0].id)
        await ringfence.close()
    assert ids[0] != ids[1]


async def test_deciding_twice_says_who_decided(house: House) -> None:
    """A bot that delivers twice can tell it from a wrong id."""
    act = recording()
    conversation = house().conversation(team_of(Scripted([call()], "ok"), [act.function]))
    await conversation.run(task="Go")
    (waiting,) = conversation.pending_approvals
    await conversation.approve(waiting.id, by="bob")
    with pytest.raises(RingfenceError, match="approved already, by bob"):
        await conversation.reject(waiting.id, by="mallory")
