"""A file that fails: the store says what is wrong, writes nothing halfway, and goes on when it can."""

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from databases import KEYS, note, python, store_at, turns_in
from sqlalchemy import event, insert
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ringfence.conversations.store import Store, StoreSettings
from ringfence.conversations.store_patience import patiently
from ringfence.errors import StoreError

_HOLD_THE_LOCK = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
db.execute("COMMIT")
db.close()
"""


async def test_a_locked_file_is_waited_for(tmp_path: Path) -> None:
    """Another process holds the lock; once it lets go, the write is made."""
    file = tmp_path / "store.sqlite"
    store = store_at(file, patience_seconds=30)
    await note(store, 1)

    with python(_HOLD_THE_LOCK, str(file)) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        write = asyncio.create_task(note(store, 2))
        done, _ = await asyncio.wait([write], timeout=0.3)
        assert not done
        assert await turns_in(store_at(file)) == [1]
        other.communicate("\n")
        await write

    assert await turns_in(store) == [1, 2]


async def test_a_file_that_stays_locked_is_told(tmp_path: Path) -> None:
    """After the patience that is set; nothing was written."""
    file = tmp_path / "store.sqlite"
    store = store_at(file, patience_seconds=0.2)
    await note(store, 1)

    with python(_HOLD_THE_LOCK, str(file)) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(StoreError, match=r"store\.sqlite is locked by another process"):
            await note(store, 2)
        other.communicate("\n")

    assert await turns_in(store) == [1]


async def test_one_who_does_not_let_go_within_the_process_is_not_waited_for_longer(tmp_path: Path) -> None:
    """A short patience holds for the connection, too: a lease is renewed in time, or given up."""
    store = store_at(tmp_path / "store.sqlite")

    async with store.transaction():
        with pytest.raises(StoreError, match="does not answer in time"):
            await store.run(store.now, patience_seconds=0.2)

    await note(store, 1)


async def test_the_reason_is_that_of_the_last_try_that_gave_one(tmp_path: Path) -> None:
    """A last try that was cut short says less than the one before it."""
    tries = 0

    async def once() -> None:
        nonlocal tries
        tries += 1
        if tries > 1:
            await asyncio.Event().wait()
        with (
            closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)) as holder,
            closing(sqlite3.connect(tmp_path / "a.sqlite", timeout=0)) as late,
        ):
            holder.execute("BEGIN IMMEDIATE")
            late.execute("CREATE TABLE orders (id INTEGER)")

    with pytest.raises(StoreError, match="is locked by another process"):
        await patiently(once, store="a.sqlite", seconds=0.2)


async def test_a_read_only_file_is_told_and_can_be_read() -> None:
    """It is not waited for: a permission does not come back by itself."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "store.sqlite"
        store = store_at(file)

        async with store.opened():
            await note(store, 1)
            with _read_only(file):
                other = store_at(file)
                assert await turns_in(other) == [1]
                with pytest.raises(StoreError, match=r"store\.sqlite is read-only"):
                    await note(other, 2)

        await note(store, 3)
        assert await turns_in(store) == [1, 3]


async def test_a_full_disk_is_waited_for_and_told(tmp_path: Path) -> None:
    """What does not fit is not written in part; with room again, it is."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'store.sqlite'}")

    @event.listens_for(engine.sync_engine, "connect")
    def small_disk(connection: Any, _record: object) -> None:
        connection.cursor().execute("PRAGMA max_page_count = 50")

    store = Store(engine, keys=KEYS, settings=StoreSettings(patience_seconds=0.3))
    large = insert(store.tables.turns).values(conversation="c-1", run=1, said="x" * 500_000)
    tries = 0

    async def write(db: AsyncConnection) -> None:
        await db.execute(large.values(turn=1, said="-"))
        await db.execute(large.values(turn=2))

    async def write_with_room_at_last(db: AsyncConnection) -> None:
        nonlocal tries
        tries += 1
        if tries == 3:
            await db.exec_driver_sql("PRAGMA max_page_count = 5000")
        await write(db)

    try:
        with pytest.raises(StoreError, match=r"store\.sqlite is full: there is no space left"):
            await store.run(write)
        assert await turns_in(store) == []

        await store.run(write_with_room_at_last, patience_seconds=30)
        assert await turns_in(store) == [1, 2]
    finally:
        await engine.dispose()


async def test_what_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """A text, for example, whose name stands in the policy by mistake."""
    file = tmp_path / "notes.txt"
    file.write_text("Dear diary, " * 100)

    with pytest.raises(StoreError, match=r"notes\.txt is no SQLite database, or a damaged one"):
        await note(store_at(file), 1)

    assert file.read_text() == "Dear diary, " * 100


async def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    """A page in the middle was overwritten."""
    file = tmp_path / "store.sqlite"
    store = store_at(file)
    for turn in range(50):
        await note(store, turn)
    whole = file.read_bytes()
    with closing(sqlite3.connect(file)) as db:
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name LIKE '%turns_1'").fetchone()[0]
    start = (root - 1) * 4096
    file.write_bytes(whole[:start] + b"\xff" * 4096 + whole[start + 4096 :])

    with pytest.raises(StoreError, match="or a damaged one"):
        await turns_in(store_at(file))


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """It is not made: a typing mistake would hide."""
    with pytest.raises(StoreError, match=r"store\.sqlite cannot be made in .*no-such: no such file"):
        await note(store_at(tmp_path / "no-such" / "store.sqlite"), 1)


async def test_a_file_that_was_deleted_while_in_use_is_told(tmp_path: Path) -> None:
    """A new and empty one is not taken for it."""
    file = tmp_path / "store.sqlite"
    store = store_at(file)
    await note(store, 1)
    file.unlink()

    with pytest.raises(StoreError, match="was it replaced while it was in use"):
        await note(store, 2)


@contextmanager
def _read_only(file: Path) -> Iterator[None]:
    """Everybody may read the file, and nobody write it; root, who may do all, is somebody else meanwhile."""
    file.parent.chmod(0o755)
    files = [*file.parent.iterdir()]
    modes = [one.stat().st_mode for one in files]
    for one in files:
        one.chmod(0o444)
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)
        for one, mode in zip(files, modes, strict=True):
            one.chmod(mode)
