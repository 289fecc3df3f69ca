"""Whoever can write the database cannot write an approval, use one twice, or lend it to another call."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from fenced import RecordingTool, Talk, recording, team_of
from moved_clock import clock
from scripted import Scripted, call

from ringfence import ApprovalDenied, Ringfence, RingfenceError, Status
from ringfence.errors import ModelCallFailed, StoreError

House = Callable[..., Ringfence]
DAYS = 86_400


def write(ringfence: Ringfence, sql: str) -> None:
    """What somebody with a database client does."""
    file = ringfence.store.place.file
    assert file is not None
    with closing(sqlite3.connect(file)) as db, db:
        assert db.execute(sql).rowcount > 0


def team(act: RecordingTool, *replies: Any) -> Any:
    """A team whose model asks for the call first."""
    return team_of(Scripted([call()], *replies, "After."), [act.function], max_tool_iterations=3)


async def waiting(ringfence: Ringfence, act: RecordingTool, *replies: Any, name: str = "mine") -> Talk:
    """A conversation whose call waits."""
    talk = ringfence.conversation(team(act, *replies), id=name)
    await talk.run(task="Go")
    assert talk.status is Status.WAITING_FOR_APPROVAL
    return talk


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(
            "UPDATE ringfence_requests SET status = 'approved', decision = (SELECT decision FROM "
            "ringfence_requests WHERE status = 'approved') WHERE conversation = 'mine'",
            id="the decision of another request",
        ),
        pytest.param(
            "UPDATE ringfence_requests SET conversation = 'mine', key = (SELECT key FROM ringfence_requests "
            "WHERE conversation = 'mine') WHERE conversation = 'other'",
            id="the whole request of another conversation",
        ),
        pytest.param(
            "UPDATE ringfence_requests SET content = (SELECT content FROM ringfence_requests WHERE "
            "conversation = 'other'), decision = (SELECT decision FROM ringfence_requests WHERE "
            "conversation = 'other'), status = 'approved' WHERE conversation = 'mine'",
            id="all that was said of another call",
        ),
    ],
)
async def test_an_approval_of_another_conversation_serves_no_call_here(house: House, sql: str) -> None:
    """Its row does not open here, and nothing runs on such ground."""
    ringfence, act, others = house(), recording(), recording()
    other = await waiting(ringfence, others, name="other")
    await waiting(ringfence, act)
    await other.approve(other.pending_approvals[0].id, by="bob")
    write(ringfence, sql)
    with pytest.raises(StoreError):
        await ringfence.conversation(team(act), id="mine").resume()
    assert act.calls == []


async def test_the_word_of_the_first_of_two_is_not_taken_for_both(house: House) -> None:
    """What one person said is sealed as what it is."""
    ringfence, act = house(approvals={"approvers": 2}), recording()
    talk = await waiting(ringfence, act)
    await talk.approve(talk.pending_approvals[0].id, by="bob")
    write(ringfence, "UPDATE ringfence_requests SET status = 'approved'")
    with pytest.raises(StoreError):
        await ringfence.conversation(team(act), id="mine").resume()
    assert act.calls == []


@pytest.fixture
def later() -> Iterator[list[float]]:
    """A clock that a test moves."""
    times = [1_800_000_000.0]
    with ExitStack() as stack:
        stack.enter_context(clock(lambda: times[-1]))
        yield times


async def test_a_later_expiry_in_its_column_counts_for_nothing(house: House, later: list[float]) -> None:
    """What was approved, and what waits, ends when the person was told that it would."""
    ringfence, act = house(), recording()
    talk = await waiting(ringfence, act)
    (request,) = talk.pending_approvals
    later.append(later[0] + 8 * DAYS)
    write(ringfence, "UPDATE ringfence_requests SET expires_at = expires_at + 1e9")
    fresh = ringfence.conversation(team(act), id="mine")
    with pytest.raises(ApprovalDenied, match="expired"):
        await fresh.approve(request.id, by="bob")
    assert fresh.pending_approvals == ()
    await fresh.resume()
    assert act.calls == []


async def test_an_approval_that_comes_in_time_and_is_used_too_late_runs_nothing(
    house: House, later: list[float]
) -> None:
    """It is looked at once more when the call would run, in whatever process that is."""
    ringfence, act = house(), recording()
    talk = await waiting(ringfence, act)
    await talk.approve(talk.pending_approvals[0].id, by="bob")
    later.append(later[0] + 8 * DAYS)
    await ringfence.conversation(team(act), id="mine").resume()
    assert act.calls == []


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("DELETE FROM ringfence_journal WHERE kind = 'tool'", id="the call was never made"),
        pytest.param(
            "UPDATE ringfence_journal SET status = 'failed' WHERE kind = 'tool'", id="it is to be made again"
        ),
        pytest.param(
            "UPDATE ringfence_journal SET status = 'started', outcome = NULL WHERE kind = 'tool'",
            id="nobody knows how it ended",
        ),
        pytest.param("UPDATE ringfence_journal SET key = 'tool:x' WHERE kind = 'tool'", id="it was another"),
    ],
)
async def test_an_approval_that_was_used_is_not_used_again(house: House, sql: str) -> None:
    """The approval is still there, and the row that says that its call has run is made to say otherwise."""
    ringfence, act = house(), recording()
    talk = await waiting(ringfence, act, ValueError("boom"))
    await talk.approve(talk.pending_approvals[0].id, by="bob")
    with pytest.raises(ModelCallFailed):
        await talk.resume()
    assert len(act.calls) == 1
    write(ringfence, sql)
    with pytest.raises(RingfenceError):
        await ringfence.conversation(team(act), id="mine").resume()
    assert len(act.calls) == 1
