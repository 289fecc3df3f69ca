"""Deleting: what ended long ago, and all that is kept of a person."""

from pathlib import Path
from typing import Any

import pytest
from databases import KEYS, postgres_url, rows_of, store_at, store_url
from sqlalchemy import Table, event, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ringfence.conversations.status import Status
from ringfence.conversations.store import Store
from ringfence.errors import StoreError
from ringfence.guardrails.sealing import Keyring

__all__ = ["postgres_url", "store_url"]

_DAY = 86_400.0


async def test_prune_deletes_what_ended_long_ago_with_all_its_rows(store_url: str) -> None:
    """What ended today is kept, and so is what waits for a person or was interrupted, however old."""
    store = store_at(store_url)
    for status in Status:
        await talk(store, f"old-{status}", status=status, days=40)
        await talk(store, f"new-{status}", status=status, days=20)

    pruned = await store.prune(30)

    kept = await ids_in(store)
    assert pruned == 5
    assert {one for one in kept if one.startswith("old")} == {
        "old-running",
        "old-interrupted",
        "old-waiting_for_approval",
        "old-waiting_for_answer",
    }
    assert len([one for one in kept if one.startswith("new")]) == len(Status)
    assert set((await rows_of(store)).values()) == {len(kept)}
    assert await store.prune(30) == 0


async def test_prune_keeps_what_a_job_goes_on_with(store_url: str) -> None:
    """A failed conversation whose job is queued again is tried once more; an ended job goes with it."""
    store = store_at(store_url)
    await talk(store, "c-1", status=Status.FAILED, days=40, job="queued")
    await talk(store, "c-2", status=Status.FAILED, days=40, job="failed")
    await job(store, "c-3", status="cancelled", days=40)
    await job(store, "c-4", status="queued", days=40)

    assert await store.prune(30) == 2

    assert await ids_in(store) == ["c-1"]
    assert await ids_in(store, "jobs") == ["c-1", "c-4"]


async def test_prune_keeps_what_is_running(store_url: str) -> None:
    """Its status may be old: it is written at the end of a turn."""
    store = store_at(store_url)
    await talk(store, "c-1", status=Status.DONE, days=40, leased=True)

    assert await store.prune(30) == 0


async def test_prune_goes_by_the_settings(store_url: str) -> None:
    """Without `keep_days`, everything is kept."""
    store = store_at(store_url)
    await talk(store, "c-1", days=40)

    assert await store.prune() == 0
    assert await store_at(store_url, keep_days=30).prune() == 1


async def test_prune_deletes_thousands(tmp_path: Path) -> None:
    """In many short transactions."""
    store = store_at(tmp_path / "store.sqlite")
    values = await _values(store, "c-{}", Status.DONE, days=40)

    async def write(db: AsyncConnection) -> None:
        await db.execute(
            insert(store.tables.conversations), [values | {"id": f"c-{one}"} for one in range(1234)]
        )

    await store.run(write)

    assert await store.prune(30) == 1234
    assert await ids_in(store) == []


async def test_forget_deletes_all_of_a_user_and_nothing_of_others(store_url: str) -> None:
    """Conversations in whatever status, and jobs that never began."""
    store = store_at(store_url)
    for status in Status:
        await talk(store, f"jane-{status}", user="jane", status=status, job="done")
    await talk(store, "john-1", user="john")
    await job(store, "jane-job", user="jane")
    await job(store, "john-job", user="john")

    assert await store.forget("jane") == len(Status) + 1

    assert await ids_in(store) == ["john-1"]
    assert await ids_in(store, "jobs") == ["john-1", "john-job"]
    one_each = dict.fromkeys(("conversations", "journal", "turns", "events", "requests"), 1)
    assert await rows_of(store) == one_each | {"jobs": 2}
    assert await store.forget("jane") == 0
    assert await store.forget("nobody") == 0


async def test_forget_refuses_while_something_runs(store_url: str) -> None:
    """The conversation is named, and nothing is deleted; after its lease, it is."""
    store = store_at(store_url)
    await talk(store, "c-1", user="jane", status=Status.DONE)
    await talk(store, "c-2", user="jane", status=Status.RUNNING, leased=True)

    with pytest.raises(StoreError, match="Conversation c-2 of this user is running"):
        await store.forget("jane")

    assert await ids_in(store) == ["c-1", "c-2"]
    table = store.tables.conversations
    await store.run(lambda db: db.execute(table.update().values(leased_until=1.0)))
    assert await store.forget("jane") == 2


async def test_forget_refuses_while_a_worker_begins_a_job(store_url: str) -> None:
    """Its conversation is not there yet, and would be made after all was forgotten."""
    store = store_at(store_url)
    await job(store, "c-1", user="jane", status="running")

    with pytest.raises(StoreError, match="Conversation c-1 of this user is running"):
        await store.forget("jane")

    table = store.tables.jobs
    await store.run(lambda db: db.execute(table.update().values(updated_at=1.0)))
    assert await store.forget("jane") == 1


async def test_forget_finds_what_was_written_with_an_older_key(tmp_path: Path) -> None:
    """The hashes of all keys of the ring are looked up."""
    old = store_at(tmp_path / "store.sqlite")
    await talk(old, "c-1", user="jane")
    both = Keyring({"new": bytes([1]) * 32, "test": bytes(32)})
    new = Store(tmp_path / "store.sqlite", keys=both)
    await talk(new, "c-2", user="jane")

    assert await new.forget("jane") == 2


async def test_what_was_deleted_is_not_left_in_the_file(tmp_path: Path) -> None:
    """Free pages of SQLite are overwritten, also where its makers left that off."""
    file = tmp_path / "store.sqlite"
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}")

    @event.listens_for(engine.sync_engine, "connect")
    def as_sqlite_is_by_itself(connection: Any, _record: object) -> None:
        connection.cursor().execute("PRAGMA secure_delete = OFF")

    store = Store(engine, keys=KEYS)
    try:
        await talk(store, "c-1", user="jane", content="a sealed value that can be searched for")
        assert b"that can be searched for" in file.read_bytes()

        await store.forget("jane")
    finally:
        await engine.dispose()

    assert b"that can be searched for" not in file.read_bytes()


async def talk(
    store: Store,
    id: str,  # noqa: A002 - the name of the column
    *,
    user: str = "user",
    status: Status = Status.DONE,
    days: float = 0,
    leased: bool = False,
    content: str = "-",
    job: str = "done",
) -> None:
    """A conversation with one row in each table."""
    tables = store.tables
    own = await _values(store, user, status, days)
    if leased:
        own |= {"owner": "somebody", "leased_until": await store.read(store.now) + 100}
    of_it = {"conversation": id, "turn": 1, "key": "-", "number": 1, "run": 1, "kind": "-", "request": "-"}
    of_it |= {"said": content, "content": content, "at": 0.0, "asked_at": 0.0, "expires_at": 0.0}
    of_it |= {"status": "-", "epoch": 1, "started_at": 0.0}

    async def write(db: AsyncConnection) -> None:
        await db.execute(insert(tables.conversations).values(own | {"id": id}))
        for table in (tables.journal, tables.turns, tables.events, tables.requests):
            more = {"id": f"r-{id}"} if table is tables.requests else {}
            await db.execute(insert(table).values(_fitting(table, of_it | more)))
        await db.execute(_job(store, id, user, job, own["updated_at"]))

    await store.run(write)


async def job(
    store: Store,
    id: str,  # noqa: A002 - the name of the column
    *,
    user: str = "user",
    status: str = "queued",
    days: float = 0,
) -> None:
    """A job that has no conversation yet."""
    updated_at = await store.read(store.now) - days * _DAY
    await store.run(lambda db: db.execute(_job(store, id, user, status, updated_at)))


async def ids_in(store: Store, table: str = "conversations") -> list[str]:
    """The ids of all conversations, or jobs."""
    found = getattr(store.tables, table).c.id

    async def work(db: AsyncConnection) -> list[str]:
        return [*(await db.execute(select(found).order_by(found))).scalars()]

    return await store.read(work)


def _job(store: Store, job: str, user: str, status: str, updated_at: float) -> Any:
    return insert(store.tables.jobs).values(
        id=job,
        user_hash=store.sealer.hash_of(user),
        status=status,
        due_at=0.0,
        most_attempts=1,
        content="-",
        created_at=0.0,
        updated_at=updated_at,
    )


async def _values(store: Store, user: str, status: Status, days: float) -> dict[str, Any]:
    updated_at = await store.read(store.now) - days * _DAY
    return {
        "user_hash": store.sealer.hash_of(user),
        "user_sealed": "-",
        "status": status,
        "created_at": 0.0,
        "updated_at": updated_at,
    }


def _fitting(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in table.c}
