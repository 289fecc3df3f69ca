"""The desk's refund and the journal's record of it are one transaction, where they share a file."""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ringfence import ApprovalRequest, Approved, Approver, Conversation, Ringfence, StoreError

DESK = Path(__file__).parents[2] / "examples" / "support_desk"
BOOKED = "SELECT order_id, amount_cents FROM refunds"
TASK = "Refund order 1182"

Open = Callable[..., Conversation[Any, Any]]


async def yes(_request: ApprovalRequest) -> Approved:
    """Whoever asks may."""
    return Approved(by="bob@shop.example")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The desk in a folder of its own."""
    monkeypatch.delenv("SUPPORT_DESK_SHOP", raising=False)
    dirt = shutil.ignore_patterns("__pycache__", "*.sqlite*", "*.jsonl")
    return Path(shutil.copytree(DESK, tmp_path / "desk", ignore=dirt))


@pytest.fixture
async def open_desk(folder: Path) -> AsyncIterator[Open]:
    """Opens a conversation with the desk; the store is the policy's, or another one."""
    opened: list[Ringfence] = []

    def made(*, approver: Approver = yes, **options: Any) -> Conversation[Any, Any]:
        opened.append(Ringfence.from_file(folder / "ringfence.yaml", **options))
        return opened[-1].conversation(id="ticket-1182", approver=approver)

    yield made
    for ringfence in opened:
        await ringfence.close()


def in_the_shop(folder: Path, statement: str) -> list[tuple[Any, ...]]:
    """What a statement finds in the shop's file."""
    with closing(sqlite3.connect(folder / "shop.sqlite")) as db, db:
        return db.execute(statement).fetchall()


async def test_a_refund_is_booked_beside_the_conversation(open_desk: Open, folder: Path) -> None:
    """One file holds the shop and the store; the refund has a key of its own."""
    await open_desk().run(task=TASK)
    assert in_the_shop(folder, BOOKED) == [("1182", 4990)]
    ((key,),) = in_the_shop(folder, "SELECT idempotency_key FROM refunds")
    assert key
    tools = in_the_shop(folder, "SELECT name FROM ringfence_journal WHERE kind = 'tool'")
    assert ("refund",) in tools


async def test_a_refund_that_cannot_be_recorded_is_not_booked(open_desk: Open, folder: Path) -> None:
    """Nobody gets money of which the conversation knows nothing; played again, it is paid, and paid once."""

    async def tear(_request: ApprovalRequest) -> Approved:
        in_the_shop(
            folder,
            "CREATE TRIGGER torn BEFORE UPDATE ON ringfence_journal WHEN NEW.outcome IS NOT NULL"
            " AND NEW.name = 'refund' BEGIN SELECT RAISE(ABORT, 'torn'); END",
        )
        return Approved(by="bob@shop.example")

    with pytest.raises(StoreError):
        await open_desk(approver=tear).run(task=TASK)
    assert in_the_shop(folder, BOOKED) == []
    in_the_shop(folder, "DROP TRIGGER torn")
    await open_desk().resume()
    assert in_the_shop(folder, BOOKED) == [("1182", 4990)]


async def test_a_refund_is_booked_once_where_conversations_are_kept_elsewhere(
    open_desk: Open, folder: Path
) -> None:
    """In a transaction of its own, under the same key."""
    await open_desk(store=folder / "elsewhere.sqlite").run(task=TASK)
    assert in_the_shop(folder, BOOKED) == [("1182", 4990)]
    assert in_the_shop(folder, "SELECT * FROM sqlite_master WHERE name = 'ringfence_journal'") == []
