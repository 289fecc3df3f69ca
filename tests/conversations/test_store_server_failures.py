"""A server that fails: the store says what is wrong, writes nothing halfway, and goes on when it can."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from databases import note, postgres_url, store_at, turns_in
from relay import relay_to
from sqlalchemy import insert, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ringfence.errors import StoreError

__all__ = ["postgres_url"]


async def test_connections_that_the_server_ended_are_made_anew(postgres_url: str) -> None:
    """In the pool, and in the midst of a transaction."""
    store = store_at(postgres_url, patience_seconds=30)
    tries = 0

    async def is_cut_off_once(db: AsyncConnection) -> None:
        nonlocal tries
        tries += 1
        await db.execute(insert(store.tables.turns).values(conversation="c-1", turn=2, run=1, said="-"))
        if tries == 1:
            _end_all_connections(postgres_url)

    async with store.opened():
        await note(store, 1)
        _end_all_connections(postgres_url)
        await store.run(is_cut_off_once)

        assert tries == 2
        assert await turns_in(store) == [1, 2]


async def test_two_that_wait_for_each_other_both_come_through(postgres_url: str) -> None:
    """PostgreSQL ends one of two transactions that lock each other out; it is made again."""
    store = store_at(postgres_url, patience_seconds=30)
    table = store.tables.turns
    await note(store, 1)
    await note(store, 2)
    meet = asyncio.Barrier(2)
    tries: list[int] = []

    async def write(first: int, second: int) -> None:
        async def work(db: AsyncConnection) -> None:
            tries.append(first)
            await db.execute(table.update().where(table.c.turn == first).values(run=table.c.run + 1))
            if tries.count(first) == 1:
                await meet.wait()
            await db.execute(table.update().where(table.c.turn == second).values(run=table.c.run + 1))

        await store.run(work)

    await asyncio.gather(write(1, 2), write(2, 1))

    async def runs(db: AsyncConnection) -> list[int]:
        return [*(await db.execute(table.select().with_only_columns(table.c.run))).scalars()]

    assert await store.read(runs) == [3, 3]
    assert len(tries) == 3


async def test_a_server_that_comes_back_is_waited_for(postgres_url: str) -> None:
    """Nobody listens, and then somebody does: the write is made."""
    async with relay_to(postgres_url) as relay:
        store = store_at(relay.url, patience_seconds=30)
        await note(store, 1)
        await relay.stop()
        write = asyncio.create_task(note(store, 2))
        done, _ = await asyncio.wait([write], timeout=0.3)
        assert not done
        await relay.start()
        await write

        assert await turns_in(store) == [1, 2]


async def test_a_server_that_stays_away_is_told(postgres_url: str) -> None:
    """With its host and database, and without the user's name and the password."""
    async with relay_to(postgres_url) as relay:
        await note(store_at(relay.url), 1)
        await relay.stop()
        url = make_url(relay.url).set(username="jane", password="hunter2")
        store = store_at(url.render_as_string(hide_password=False), patience_seconds=0.2)

        with pytest.raises(StoreError, match=rf"127\.0\.0\.1:{url.port}/.* is not reachable") as told:
            await note(store, 2)

    assert "hunter2" not in f"{told.value} {store!r}"
    assert "jane" not in f"{told.value} {store!r}"


async def test_a_server_that_hangs_is_given_up(postgres_url: str) -> None:
    """It takes the connection and never answers."""
    async with relay_to(postgres_url) as relay:
        store = store_at(relay.url, patience_seconds=0.5)
        await note(store, 1)
        relay.hangs = True

        with pytest.raises(StoreError, match="does not answer in time"):
            await note(store, 2)

    assert await turns_in(store_at(postgres_url)) == [1]


async def test_a_database_that_does_not_exist_is_told(postgres_url: str) -> None:
    """It is not waited for."""
    url = make_url(postgres_url).set(database="no-such-database").render_as_string(hide_password=False)

    with pytest.raises(StoreError, match="no-such-database does not exist on this server"):
        await note(store_at(url), 1)


async def test_a_user_who_may_not_come_in_is_told(postgres_url: str) -> None:
    """It is not waited for; the message repeats no name."""
    url = make_url(postgres_url).set(username="no_such_user").render_as_string(hide_password=False)

    with pytest.raises(StoreError, match="does not let this user in") as told:
        await note(store_at(url), 1)

    assert "no_such_user" not in str(told.value)


async def test_a_user_who_may_not_make_tables_is_told(postgres_url: str) -> None:
    """PostgreSQL lets only the owner of a database do so."""
    async with _engine(postgres_url) as engine:
        role = f"ringfence_test_{os.getpid()}"
        async with engine.begin() as db:
            await db.execute(text(f"CREATE ROLE {role} LOGIN"))
        try:
            url = make_url(postgres_url).set(username=role).render_as_string(hide_password=False)
            with pytest.raises(StoreError, match="a privilege is missing"):
                await note(store_at(url), 1)
        finally:
            async with engine.begin() as db:
                await db.execute(text(f"DROP ROLE {role}"))


async def test_a_read_only_server_is_told_and_can_be_read(postgres_url: str) -> None:
    """A standby, for example."""
    await note(store_at(postgres_url), 1)
    async with _engine(postgres_url) as engine, engine.begin() as db:
        name = make_url(postgres_url).database
        await db.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))

    assert await turns_in(store_at(postgres_url)) == [1]
    with pytest.raises(StoreError, match="is read-only"):
        await note(store_at(postgres_url), 2)


async def test_a_process_that_stops_within_a_transaction_holds_its_locks_for_a_lease_at_most(
    postgres_url: str,
) -> None:
    """The server ends the transaction; whoever waits goes on, and the late one is made again."""
    late = store_at(postgres_url, lease_seconds=0.2, patience_seconds=30)
    other = store_at(postgres_url, patience_seconds=30)
    await note(other, 1)
    lock = other.tables.turns.update().values(run=2)
    tries = 0

    async def stands_still_once(db: AsyncConnection) -> None:
        nonlocal tries
        tries += 1
        await db.execute(lock)
        if tries == 1:
            await other.run(lambda theirs: theirs.execute(lock))
        await db.execute(lock)

    await late.run(stands_still_once)

    assert tries == 2


def _end_all_connections(url: str) -> None:
    import psycopg

    with psycopg.connect(url) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@asynccontextmanager
async def _engine(url: str) -> AsyncIterator[Any]:
    engine = create_async_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        yield engine
    finally:
        await engine.dispose()
