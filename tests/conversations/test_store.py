"""The store on both databases: what is written is there, whole or not at all, and idle costs nothing."""

import asyncio
import stat
import threading
from pathlib import Path

import pytest
from databases import KEYS, note, postgres_url, store_at, store_url, turns_in, wait_until
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ringfence.conversations.store import Store
from ringfence.errors import StoreError

__all__ = ["postgres_url", "store_url"]


async def test_what_one_store_wrote_another_one_reads(store_url: str) -> None:
    """Two stores of one database stand for two processes."""
    await note(store_at(store_url), 7)

    assert await turns_in(store_at(store_url)) == [7]


async def test_an_error_in_the_work_undoes_all_of_it(store_url: str) -> None:
    """The error comes out as it is, and nothing was written."""
    store = store_at(store_url)

    async def fails(db: AsyncConnection) -> None:
        await db.execute(insert(store.tables.turns).values(conversation="c-1", turn=1, run=1, said="-"))
        raise LookupError("of the caller")

    with pytest.raises(LookupError, match="of the caller"):
        await store.run(fails)

    assert await turns_in(store) == []


async def test_a_transaction_is_committed_at_its_end(store_url: str) -> None:
    """For a tool that writes its effect and the journal's row at once."""
    store = store_at(store_url)
    row = insert(store.tables.turns).values(conversation="c-1", turn=1, run=1, said="-")

    async def write(turn: int, then: Exception | None) -> None:
        async with store.transaction() as db:
            await db.execute(row.values(turn=turn))
            if then is not None:
                raise then

    await write(1, None)
    with pytest.raises(LookupError):
        await write(2, LookupError())

    assert await turns_in(store) == [1]


async def test_a_row_that_is_there_already_is_told_without_its_values(store_url: str) -> None:
    """The message names the store, and neither the statement nor what it was to write."""
    store = store_at(store_url)
    await note(store, 1, conversation="jane@acme-canary.com")

    with pytest.raises(StoreError) as told:
        await note(store, 1, conversation="jane@acme-canary.com")

    assert str(told.value) == f"The store {store.name} holds a row with this key already"
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


async def test_many_write_at_once(store_url: str) -> None:
    """Two hundred tasks over two stores: all rows are there."""
    one, other = store_at(store_url), store_at(store_url)

    async with one.opened(), other.opened():
        await asyncio.gather(*(note((one, other)[turn % 2], turn) for turn in range(200)))

    assert await turns_in(one) == [*range(200)]


async def test_a_read_has_one_view(store_url: str) -> None:
    """What is committed while somebody reads is not seen halfway through."""
    store, other = store_at(store_url), store_at(store_url)
    await note(other, 1)
    count = text("SELECT count(*) FROM ringfence_turns")

    async def work(db: AsyncConnection) -> tuple[int, int]:
        before = (await db.execute(count)).scalar_one()
        await note(other, 2)
        return before, (await db.execute(count)).scalar_one()

    assert await store.read(work) == (1, 1)
    assert await turns_in(store) == [1, 2]


async def test_who_reads_and_then_writes_is_not_overtaken(tmp_path: Path) -> None:
    """On SQLite the lock is taken at the beginning, so that what was read still holds when it is written."""
    store, other = store_at(tmp_path / "store.sqlite"), store_at(tmp_path / "store.sqlite")
    await note(store, 1)
    tries = 0
    overtaking: list[asyncio.Task[None]] = []

    async def work(db: AsyncConnection) -> None:
        nonlocal tries
        tries += 1
        count = (await db.execute(text("SELECT count(*) FROM ringfence_turns"))).scalar_one()
        overtaking.append(asyncio.create_task(note(other, 100)))
        done, _ = await asyncio.wait(overtaking, timeout=0.2)
        assert not done
        row = insert(store.tables.turns).values(conversation="c-1", turn=count + 1, run=1, said="-")
        await db.execute(row)

    await store.run(work)
    await asyncio.gather(*overtaking)

    assert tries == 1
    assert await turns_in(store) == [1, 2, 100]


async def test_a_cancelled_write_leaves_nothing_open(store_url: str) -> None:
    """Whoever comes next can write at once."""
    store = store_at(store_url, patience_seconds=5)
    begun = asyncio.Event()

    async def hangs(db: AsyncConnection) -> None:
        await db.execute(insert(store.tables.turns).values(conversation="c-1", turn=1, run=1, said="-"))
        begun.set()
        await asyncio.Event().wait()

    async with store.opened():
        task = asyncio.create_task(store.run(hangs))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await note(store_at(store_url, patience_seconds=5), 2)
        await note(store, 3)

    assert await turns_in(store) == [2, 3]


async def test_an_idle_store_holds_no_thread_and_no_connection(store_url: str) -> None:
    """After the last use, nothing is left that costs memory or that a server counts."""
    threads = set(threading.enumerate())
    store = store_at(store_url)

    await note(store, 1)

    for thread in set(threading.enumerate()) - threads:
        thread.join(timeout=10)  # it was told to end, and is about to
    assert set(threading.enumerate()) == threads
    if store_url.startswith("postgresql"):
        import psycopg

        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        with psycopg.connect(store_url, autocommit=True) as db:
            # The server takes a moment to see that somebody left.
            wait_until(lambda: db.execute(others).fetchone() == (1,))


def test_one_store_serves_several_event_loops(store_url: str) -> None:
    """One after the other, as in a notebook, and two at once in two threads."""
    store = store_at(store_url)
    asyncio.run(note(store, 1))
    asyncio.run(note(store, 2))

    async def busy(first: int) -> None:
        async with store.opened():
            await asyncio.gather(*(note(store, turn) for turn in range(first, first + 20)))

    threads = [threading.Thread(target=asyncio.run, args=(busy(first),)) for first in (100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert asyncio.run(turns_in(store)) == [1, 2, *range(100, 120), *range(200, 220)]


async def test_two_prefixes_are_two_stores(store_url: str) -> None:
    """They share a database and nothing else."""
    ours, theirs = store_at(store_url), store_at(store_url, prefix="staging_")

    await note(ours, 1)
    await note(theirs, 2)

    assert (await turns_in(ours), await turns_in(theirs)) == ([1], [2])


async def test_a_private_store_keeps_what_it_holds_between_uses_and_shares_nothing() -> None:
    """In memory, for a policy in code: it lives as long as the store, and a second one is another one."""
    one, other = Store(), Store()

    await note(one, 1)
    await note(other, 2)

    assert (await turns_in(one), await turns_in(other)) == ([1], [2])
    assert one.is_private
    assert one.sealer.open(one.sealer.seal("-", "turns"), "turns") == "-"
    with pytest.raises(StoreError):
        other.sealer.open(one.sealer.seal("-", "turns"), "turns")


async def test_an_engine_of_the_application_is_used_and_not_disposed_of(store_url: str) -> None:
    """The application's own connection lives on, and its tables are left alone."""
    driver = store_url.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+psycopg:")
    engine = create_async_engine(driver)
    try:
        async with engine.begin() as db:
            await db.execute(text("CREATE TABLE orders (id INTEGER)"))
        store = Store(engine, keys=KEYS)
        await store.upgrade()
        async with store.transaction() as db:
            await db.execute(text("INSERT INTO orders VALUES (4711)"))
            await db.execute(insert(store.tables.turns).values(conversation="c-1", turn=1, run=1, said="-"))
        pool_before = engine.pool
        await note(store, 2)

        assert await turns_in(store) == [1, 2]
        assert engine.pool is pool_before
        async with engine.connect() as db:
            assert (await db.execute(text("SELECT id FROM orders"))).scalars().all() == [4711]
    finally:
        await engine.dispose()


async def test_the_clock_is_the_databases(store_url: str) -> None:
    """All processes of a store read one clock, in seconds since 1970."""
    store = store_at(store_url)

    first, second = await store.read(store.now), await store.read(store.now)

    assert 1_700_000_000 < first <= second


async def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """So are the file of its key, and what SQLite puts beside it while it is in use."""
    store = Store(tmp_path / "store.sqlite")

    async with store.opened():
        store.sealer.seal("-", "turns")
        modes = await asyncio.to_thread(_modes, tmp_path)

    assert modes.keys() >= {"store.sqlite", "store.sqlite.key", "store.sqlite-wal"}
    assert set(modes.values()) == {0o600}


async def test_a_commit_of_sqlite_survives_a_power_cut(tmp_path: Path) -> None:
    """The write-ahead log is flushed to the disk at each commit."""
    store = store_at(tmp_path / "store.sqlite")

    async def pragmas(db: AsyncConnection) -> tuple[str, int]:
        mode = (await db.exec_driver_sql("PRAGMA journal_mode")).scalar_one()
        return mode, (await db.exec_driver_sql("PRAGMA synchronous")).scalar_one()

    assert await store.read(pragmas) == ("wal", 2)


def test_a_relative_file_is_relative_to_the_folder(tmp_path: Path) -> None:
    """The policy's folder, and not that in which the process was started."""
    store = Store("sqlite:///kept/store.sqlite", folder=tmp_path)

    assert store.place.file == tmp_path / "kept" / "store.sqlite"
    assert store.name == "store.sqlite"


@pytest.mark.parametrize(
    "url", ["mysql://root@db/x", "sqlite://", "sqlite:///x?mode=memory", "postgresql://host:port/x"]
)
def test_what_is_no_store_is_refused(url: str) -> None:
    """At once, before anything is connected to."""
    with pytest.raises(StoreError, match="URL"):
        Store(url)


async def test_an_engine_of_another_driver_is_refused() -> None:
    """Its name is told."""
    engine = create_async_engine("sqlite+aiosqlite:///x.sqlite")
    engine.dialect.driver = "another"

    with pytest.raises(StoreError, match=r"sqlite\+another"):
        Store(engine)


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///file:x?vfs=memdb&uri=true"])
def test_an_engine_in_memory_is_refused(url: str) -> None:
    """All tasks would share one connection, and so each other's transactions."""
    with pytest.raises(StoreError, match="names a plain file"):
        Store(create_async_engine(url))


def _modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
