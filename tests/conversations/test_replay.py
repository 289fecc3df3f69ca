"""What happened in a conversation is read from its store, whatever became of it."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.agents import UserProxyAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from databases import KEYS, KEYS_TEXT, postgres_url, python, store_at, store_url
from fenced import EMAIL, agent, recording, team_of
from scripted import Scripted, call
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence import Fence, Ringfence, Status
from ringfence.conversations.recording import Recording, TurnEnd, cost_of, problem_of
from ringfence.conversations.replay import read_recording
from ringfence.conversations.store import Store
from ringfence.errors import ModelCallFailed, StoreError, UnknownConversation
from ringfence.guardrails.sealing import KEYS_VARIABLE
from ringfence.policy import Policy

__all__ = ["postgres_url", "store_url"]

POLICY: dict[str, Any] = {"prices": {"scripted": "free"}, "tools": {"deny*": {"decision": "deny"}}}
DYING = """
import asyncio, os, sys
from autogen_agentchat.agents import AssistantAgent
from scripted import Scripted, call
from ringfence import Ringfence
from ringfence.policy import Policy

def act() -> str:
    os._exit(7)

def team(fence):
    model = fence.model_client(Scripted([call("act")]), model="scripted")
    return AssistantAgent("desk", model, workbench=fence.workbench([act]))

policy = Policy.model_validate({
    "prices": {"scripted": "free"}, "tools": {"act": {"decision": "allow"}},
    "store": {"url": sys.argv[1], "upgrade": True, "lease_seconds": 0.5},
})
asyncio.run(Ringfence(policy).conversation(team, id="c-1").run(task="go"))
"""


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """A store of its own, on each database."""
    store = store_at(store_url)
    async with store.opened():
        yield store


@pytest.fixture
def ringfence(store: Store) -> Ringfence:
    return Ringfence(Policy.model_validate(POLICY), store=store)


def steps(recording: Recording) -> list[tuple[str, str, str, str]]:
    """Every step in short."""
    every = [step for turn in recording.turns for step in turn.steps]
    return [(step.kind, step.agent, step.name, step.status) for step in every]


async def test_a_finished_conversation(ringfence: Ringfence, store: Store) -> None:
    """Turn by turn: what was asked, called, answered and told, and what it cost."""
    act = recording(answer=f"ask {EMAIL}", consequential=False)
    model = Scripted([call("act", '{"what": "it"}')], "done")
    team = team_of(model, [act.function], turns=1, max_tool_iterations=2)
    conversation = ringfence.conversation(team, id="c-1", user="alice")
    await conversation.run(task="first")
    await conversation.run(task="second")

    made = await read_recording(store, "c-1")

    assert (made.record.user, made.status, made.reason) == ("alice", Status.DONE, "")
    assert [(turn.number, turn.run, turn.ended) for turn in made.turns] == [
        (1, 1, TurnEnd.DONE),
        (2, 2, TurnEnd.DONE),
    ]
    assert steps(made) == [
        ("model", "desk", "scripted", "done"),
        ("tool", "desk", "act", "done"),
        ("model", "desk", "scripted", "done"),
        ("model", "desk", "scripted", "done"),
    ]
    assert [event.content["entry"]["text"] for event in made.turns[0].events] == [
        "first",
        'act {"what": "it"}',
        "ask <EMAIL_ADDRESS_1>",
        "done",
    ]
    assert made.usage == conversation.usage
    assert cost_of(made.turns[0].steps[0]).tokens == 110
    assert EMAIL not in str([(step.request, step.outcome) for step in made.turns[0].steps])


async def test_nothing_is_changed(ringfence: Ringfence, store: Store) -> None:
    """No lease is taken; the conversation is as it was."""
    await ringfence.conversation(team_of(Scripted("done")), id="c-1").run(task="go")
    before = await read_recording(store, "c-1")
    after = await read_recording(store, "c-1")
    assert (before.record.writes, before.record.updated_at) == (after.record.writes, after.record.updated_at)


async def test_while_it_runs(ringfence: Ringfence, store: Store) -> None:
    """A running conversation can be read; its step of this moment has no outcome yet."""
    seen: list[Recording] = []

    async def look() -> str:
        """Look into the journal."""
        seen.append(await read_recording(store, "c-1"))
        return "seen"

    policy = Policy.model_validate(POLICY | {"tools": {"look": {"decision": "allow"}}})
    team = team_of(Scripted([call("look")], "done"), [look])
    await Ringfence(policy, store=store).conversation(team, id="c-1").run(task="go")
    (made,) = seen
    assert made.status is Status.RUNNING
    assert (made.turns[0].ended, problem_of(made.turns[0].steps[-1])) == (TurnEnd.OPEN, "outcome unknown")


async def test_real_values_only_when_wanted(ringfence: Ringfence, store: Store) -> None:
    """In texts, arguments and results."""
    act = recording(answer=f"ask {EMAIL}", consequential=False)
    model = Scripted([call("act", '{"what": "<EMAIL_ADDRESS_1>"}')], "done")
    await ringfence.conversation(team_of(model, [act.function]), id="c-1").run(task=f"write to {EMAIL}")

    masked = await read_recording(store, "c-1")
    real = await read_recording(store, "c-1", reveal=True)

    assert masked.turns[0].steps[1].request["arguments"] == {"what": "<EMAIL_ADDRESS_1>"}
    assert real.turns[0].steps[1].request["arguments"] == {"what": EMAIL}
    assert EMAIL in str(real.turns[0].steps[1].outcome)
    assert real.turns[0].events[0].content["entry"]["text"] == f"write to {EMAIL}"


async def test_who_decided_and_when(ringfence: Ringfence, store: Store) -> None:
    """And what still waits; what was decided stays told when a later turn is withdrawn."""
    act = recording()
    conversation = ringfence.conversation(team_of(Scripted([call("act")]), [act.function]), id="c-1")
    await conversation.run(task="go")
    waits = await read_recording(store, "c-1")
    (request,) = conversation.pending_approvals
    await conversation.reject(request.id, by="bob", reason=f"ask {EMAIL} first")
    await conversation.resume()
    await conversation.run(task="again")
    await conversation.withdraw()

    made = await read_recording(store, "c-1")

    assert waits.reason == f"a person has to decide on {request.id}"
    assert [one.request.id for one in waits.turns[0].unsettled] == [request.id]
    (asked,) = made.turns[0].asked_about(made.turns[0].steps[1])
    assert asked.request.status == "rejected"
    assert asked.request.decision is not None
    assert asked.request.decision["by"] == "bob"
    assert asked.decided_at is not None
    assert problem_of(made.turns[0].steps[1]) == "act was rejected by bob"
    assert [turn.ended for turn in made.turns] == [TurnEnd.DONE, TurnEnd.GIVEN_UP, TurnEnd.GIVEN_UP]
    assert [turn.is_empty for turn in made.turns] == [False, False, True]


async def test_a_call_that_the_policy_denies(ringfence: Ringfence, store: Store) -> None:
    """It came no further than the door; what the agent heard is told."""
    model = Scripted([call("deny_it", '{"what": "x"}')], "done")
    team = team_of(model, [recording("deny_it").function])
    await ringfence.conversation(team, id="c-1").run(task="go")
    (refused,) = (await read_recording(store, "c-1")).turns[0].refused
    assert (refused.agent, refused.tool, refused.arguments) == ("desk", "deny_it", '{"what": "x"}')
    assert refused.said == "Refused: the policy denies deny_it. The call was not run."


async def test_a_question_and_its_answer(ringfence: Ringfence, store: Store) -> None:
    """As the agents heard it."""

    def factory(fence: Fence) -> RoundRobinGroupChat:
        person = UserProxyAgent("person", input_func=fence.user_input())
        return RoundRobinGroupChat([person, agent(fence, Scripted("thanks"))], max_turns=2)

    conversation = ringfence.conversation(factory, id="c-1")
    await conversation.run(task="go")
    waits = await read_recording(store, "c-1")
    await conversation.answer(conversation.pending_questions[0].id, f"I am {EMAIL}", by="jane")
    await conversation.resume()

    made = await read_recording(store, "c-1")

    assert (waits.status, len(waits.waiting)) == (Status.WAITING_FOR_ANSWER, 1)
    assert made.turns[0].steps[0].kind == "question"
    assert made.turns[0].steps[0].outcome == {"text": "I am <EMAIL_ADDRESS_1>"}


async def test_a_model_that_failed(ringfence: Ringfence, store: Store) -> None:
    """Why the run stopped; and the turn was given up for another task."""
    down = ModelCallFailed(model="scripted", reason="it is down", retryable=True, billing_unknown=False)
    conversation = ringfence.conversation(team_of(Scripted(down, "done")), id="c-1")
    with pytest.raises(ModelCallFailed):
        await conversation.run(task="first")
    broken = await read_recording(store, "c-1")
    await conversation.run(task="second")

    made = await read_recording(store, "c-1")

    assert (broken.status, broken.reason) == (Status.FAILED, str(down))
    assert [turn.ended for turn in made.turns] == [TurnEnd.GIVEN_UP, TurnEnd.DONE]
    assert (made.turns[0].run, made.reason) == (None, "")


async def test_a_refused_reply_and_the_one_after_it(store: Store) -> None:
    """With the guardrail that refused it."""
    use = {"use": "ringfence/banned_phrases", "at": ["message"], "on_fail": "reask"}
    banned = POLICY | {"guardrails": [use | {"with": {"phrases": ["for free"]}}]}
    ringfence = Ringfence(Policy.model_validate(banned), store=store)
    await ringfence.conversation(team_of(Scripted("all for free", "no")), id="c-1").run(task="go")
    first, second = (await read_recording(store, "c-1")).turns[0].steps
    assert problem_of(first).startswith("ringfence/banned_phrases blocked the message: ")
    assert (first.kind, second.kind, problem_of(second)) == ("model", "reask", "")


async def test_entries_are_in_order(ringfence: Ringfence, store: Store) -> None:
    """Steps, refusals and events of a turn in one line."""
    model = Scripted([call("deny_it")], "done")
    await ringfence.conversation(team_of(model, [recording("deny_it").function]), id="c-1").run(task="go")
    kinds = [type(entry).__name__ for entry in (await read_recording(store, "c-1")).turns[0].entries]
    assert kinds.index("RefusedCall") > kinds.index("Row")
    assert sorted(kinds) == ["RefusedCall", *["Row"] * kinds.count("Row"), *["StoredEvent"] * 4]


async def test_a_process_that_died_within_a_tool(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows what came of the call, and the recording says so."""
    monkeypatch.setenv(KEYS_VARIABLE, KEYS_TEXT)
    process = python(DYING, store_url)
    _, said = process.communicate(timeout=50)
    assert process.returncode == 7, said
    async with (store := store_at(store_url)).opened():
        made = await read_recording(store, "c-1")
        while made.record.is_running:  # until its lease is over
            async with store.changes("nothing") as wait:
                await wait(0.2)
            made = await read_recording(store, "c-1")
    assert made.status is Status.INTERRUPTED
    assert made.reason == "its process ended within the turn; resume() goes on"
    assert [problem_of(step) for step in made.turns[0].steps] == ["", "outcome unknown"]


async def test_an_unknown_id(store: Store) -> None:
    """There is no such conversation."""
    with pytest.raises(UnknownConversation):
        await read_recording(store, "c-1")


async def test_to_look_makes_no_file(tmp_path: Path) -> None:
    """Where there is no store, there is none afterwards."""
    with pytest.raises(UnknownConversation, match=r"no store none\.sqlite yet"):
        await read_recording(store_at(tmp_path / "none.sqlite"), "c-1")
    assert not (tmp_path / "none.sqlite").exists()


async def test_a_tampered_row(ringfence: Ringfence, store: Store) -> None:
    """It does not open."""
    await ringfence.conversation(team_of(Scripted("done")), id="c-1").run(task="go")

    async def tamper(db: AsyncConnection) -> None:
        await db.execute(update(store.tables.journal).values(agent="eve"))

    await store.run(tamper)
    with pytest.raises(StoreError, match="does not open"):
        await read_recording(store, "c-1")


async def test_a_truncated_journal(ringfence: Ringfence, store: Store) -> None:
    """A missing row is noticed."""
    await ringfence.conversation(team_of(Scripted("done")), id="c-1").run(task="go")

    async def cut(db: AsyncConnection) -> None:
        await db.execute(delete(store.tables.journal))

    await store.run(cut)
    with pytest.raises(StoreError, match="has 0 rows and not 1"):
        await read_recording(store, "c-1")


async def test_a_foreign_schema(tmp_path: Path) -> None:
    """A database of something else, or of a newer Ringfence."""
    file = tmp_path / "other.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE ringfence_journal (id)")
    db.close()
    with pytest.raises(StoreError, match="is not Ringfence's"):
        await read_recording(Store(file, keys=KEYS), "c-1")
