"""Waiting for what others write: told by the database, in whatever process they are."""

import asyncio

import pytest
from databases import note, postgres_url, python, store_at, store_url, turns_in
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.store import Store
from ringfence.conversations.store_changes import Wait

__all__ = ["postgres_url", "store_url"]

_LONG = 30.0
"""Seconds after which a test would fail; nothing waits for so long."""
_WRITE = """
import asyncio, sys
from databases import store_at
async def work(db):
    await store.notify(db, "events", "c-1")
    await db.execute(store.tables.turns.insert().values(conversation="c-1", turn=1, run=1, said="-"))
store = store_at(sys.argv[1])
asyncio.run(store.run(work))
"""


async def tell(store: Store, channel: str) -> None:
    """Commit a transaction that tells of a change."""

    async def work(db: AsyncConnection) -> None:
        await store.notify(db, channel, "c-1")

    await store.run(work)


async def is_told(wait: Wait) -> bool:
    """Whether something is told before the time is over."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await wait(_LONG)
    return loop.time() - begun < _LONG


async def test_who_waits_is_told_within_the_process(store_url: str) -> None:
    """Also of what happened between two waits."""
    store = store_at(store_url)

    async with store.changes("events") as wait:
        waiting = asyncio.create_task(is_told(wait))
        await tell(store, "events")
        assert await waiting
        await tell(store, "events")
        assert await is_told(wait)


async def test_who_waits_is_told_by_another_process(store_url: str) -> None:
    """On PostgreSQL by the server, on SQLite because the file changed."""
    store = store_at(store_url)

    async with store.changes("events") as wait:
        await wait(0)
        with python(_WRITE, store_url) as other:
            assert await is_told(wait)
            _, errors = other.communicate()
            assert errors == ""

    assert await turns_in(store) == [1]


async def test_another_channel_wakes_nobody(store_url: str) -> None:
    """What is told on one channel is not told on another one."""
    store = store_at(store_url)

    async with store.changes("events") as events, store.changes("jobs") as jobs:
        await events(0)
        await tell(store, "jobs")
        assert await is_told(jobs)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await events(0.05)
        assert loop.time() - begun >= 0.05


async def test_what_is_not_committed_is_not_told() -> None:
    """The transaction failed, so nothing happened."""
    store = Store()

    async def work(db: AsyncConnection) -> None:
        await store.notify(db, "events", "c-1")
        raise LookupError

    async with store.changes("events") as wait:
        with pytest.raises(LookupError):
            await store.run(work)
        await note(store, 1)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await wait(0.05)
        assert loop.time() - begun >= 0.05


async def test_who_waits_hears_again_after_a_lost_connection(postgres_url: str) -> None:
    """It is made anew, and a wait ends meanwhile, because something may have been missed."""
    import psycopg

    store, other = store_at(postgres_url), store_at(postgres_url)
    end_it = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"

    async with store.changes("events") as wait:
        await wait(0)
        with psycopg.connect(postgres_url) as admin:
            assert admin.execute(end_it).fetchone() == (1,)
        assert await is_told(wait)
        await wait(0)
        async with asyncio.timeout(_LONG):
            while not await _hears(wait, other):
                pass


async def test_many_who_wait_share_one_connection(postgres_url: str) -> None:
    """A server has few to give."""
    import psycopg

    store = store_at(postgres_url)
    count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
    ready = asyncio.Barrier(31)
    told = []

    async def watch() -> None:
        async with store.changes("events") as wait:
            await ready.wait()
            told.append(await is_told(wait))

    async with asyncio.TaskGroup() as group:
        for _ in range(30):
            group.create_task(watch())
        await ready.wait()
        with psycopg.connect(postgres_url) as admin:
            assert admin.execute(count).fetchone() == (1,)
        await tell(store_at(postgres_url), "events")

    assert told == [True] * 30


async def _hears(wait: Wait, other: Store) -> bool:
    await tell(other, "events")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await wait(1)
    return loop.time() - begun < 1
