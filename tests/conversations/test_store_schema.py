"""The schema of the store: made, upgraded, and refused when it is another one's."""

import logging
from pathlib import Path
from typing import Any

import pytest
from databases import KEYS, note, postgres_url, python, store_at, store_url, turns_in
from sqlalchemy import Connection, inspect, text

from ringfence.conversations import schema_version
from ringfence.conversations import store as store_module
from ringfence.conversations.schema import SCHEMA_VERSION
from ringfence.conversations.store import Store
from ringfence.errors import StoreError

__all__ = ["postgres_url", "store_url"]

_OPEN = """
import asyncio, sys
from databases import note, store_at
store = store_at(sys.argv[1], patience_seconds=30)
print("ready", flush=True)
sys.stdin.readline()
asyncio.run(note(store, int(sys.argv[2])))
"""
_NEXT = '''
"""One column more."""
from sqlalchemy import Column, Text
revision = "0002"
down_revision = "0001"
def upgrade(*, operations, prefix):
    """Add it."""
    operations.add_column(prefix + "turns", Column("mood", Text))
'''


async def test_tables_that_were_made_at_once_are_those_of_the_migrations(store_url: str) -> None:
    """Columns, keys and indexes are the same, whichever way they came about."""
    made = store_at(store_url)
    migrated = store_at(store_url, prefix="migrated_")

    def migrate(db: Connection) -> None:
        schema_version.migrate(db, "migrated_")

    await made.upgrade()
    await made.run(lambda db: db.run_sync(migrate))

    schema = await made.read(lambda db: db.run_sync(_schema, "ringfence_"))
    assert len(schema) == 7
    assert await made.read(lambda db: db.run_sync(_schema, "migrated_")) == schema
    assert await migrated.version() == SCHEMA_VERSION
    await note(migrated, 1)


async def test_an_older_schema_of_sqlite_is_upgraded_when_it_is_opened(
    tmp_path: Path, next_schema: None
) -> None:
    """What it holds is kept, and nothing is logged that an application would see."""
    await _write_with_schema_1(tmp_path / "store.sqlite")
    store = Store(tmp_path / "store.sqlite", keys=KEYS)

    assert await turns_in(store) == [1]
    assert await store.version() == "0002"
    assert "mood" in (await store.read(lambda db: db.run_sync(_schema, "ringfence_")))["turns"][0]


async def test_an_older_schema_of_a_server_waits_for_the_command(
    postgres_url: str, next_schema: None
) -> None:
    """Other processes may still run the older Ringfence."""
    await _write_with_schema_1(postgres_url)
    store = Store(postgres_url, keys=KEYS)

    with pytest.raises(StoreError, match="has the older schema 0001; run: ringfence store upgrade FILE"):
        await turns_in(store)
    await store.upgrade()

    assert await turns_in(store) == [1]


async def test_a_migration_that_fails_changes_nothing(
    tmp_path: Path, next_schema: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All migrations are one transaction."""
    await _write_with_schema_1(tmp_path / "store.sqlite")
    broken = _NEXT + "    raise LookupError('of the migration')\n"
    (schema_version.MIGRATIONS / "v0002_mood.py").write_text(broken)
    store = Store(tmp_path / "store.sqlite", keys=KEYS)

    with pytest.raises(LookupError, match="of the migration"):
        await turns_in(store)

    assert await store.version() == "0001"
    (schema_version.MIGRATIONS / "v0002_mood.py").write_text(_NEXT)
    assert await turns_in(store) == [1]


async def test_an_empty_server_waits_for_the_command(postgres_url: str) -> None:
    """A typing mistake in the URL makes no tables in somebody's database."""
    store = Store(postgres_url, keys=KEYS)

    with pytest.raises(StoreError, match="has no tables yet; run: ringfence store upgrade FILE"):
        await turns_in(store)
    await store.upgrade()
    await store.upgrade()

    assert await turns_in(store) == []


async def test_upgrading_a_server_makes_the_tables_of_procrastinate(postgres_url: str) -> None:
    """Workers on several machines use them; they are made once."""
    store = Store(postgres_url, keys=KEYS)

    await store.upgrade()
    await store.upgrade()

    names = await store.read(lambda db: db.run_sync(lambda one: inspect(one).get_table_names()))
    assert "procrastinate_jobs" in names


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE ringfence_schema_version SET version_num = '0099'", "was written by a newer Ringfence"),
        ("UPDATE ringfence_schema_version SET version_num = 'main'", "that no Ringfence wrote"),
        ("UPDATE ringfence_schema_version SET version_num = '0000'", "that no Ringfence wrote"),
        ("DELETE FROM ringfence_schema_version", "that no Ringfence wrote"),
        ("INSERT INTO ringfence_schema_version VALUES ('0000')", "that no Ringfence wrote"),
        ("DROP TABLE ringfence_schema_version", "and no schema version"),
    ],
)
async def test_a_foreign_schema_is_refused(store_url: str, change: str, told: str) -> None:
    """By whoever opens it, and by the upgrade; nothing in it is changed."""
    await note(store_at(store_url), 1)
    await store_at(store_url).run(lambda db: db.execute(text(change)))

    with pytest.raises(StoreError, match=told):
        await turns_in(store_at(store_url))
    with pytest.raises(StoreError, match=told):
        await store_at(store_url).upgrade()


async def test_processes_that_open_a_new_store_at_once_all_come_through(store_url: str) -> None:
    """One of them makes the tables, and the others find them made."""
    processes = [python(_OPEN, store_url, str(number)) for number in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in processes]

    assert errors == [""] * 4
    assert await turns_in(store_at(store_url)) == [0, 1, 2, 3]


async def test_migrating_leaves_the_logs_of_the_application_alone(tmp_path: Path) -> None:
    """Alembic's own command line would set them up anew."""
    root = logging.getLogger()
    before = [*root.handlers], root.level
    store = store_at(tmp_path / "store.sqlite", prefix="a_")

    await store.run(lambda db: db.run_sync(schema_version.migrate, "b_"))

    assert ([*root.handlers], root.level) == before
    assert logging.getLogger("ringfence").isEnabledFor(logging.WARNING)


@pytest.fixture
def next_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ringfence that knows one migration more; `_write_with_schema_1` is the one before."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for file in schema_version.MIGRATIONS.glob("v*.py"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "v0002_mood.py").write_text(_NEXT)
    monkeypatch.setattr(schema_version, "MIGRATIONS", folder)
    for module in (schema_version, store_module):
        monkeypatch.setattr(module, "SCHEMA_VERSION", "0002")


async def _write_with_schema_1(target: str | Path) -> None:
    with pytest.MonkeyPatch.context() as before:
        for module in (schema_version, store_module):
            before.setattr(module, "SCHEMA_VERSION", "0001")
        await note(store_at(target), 1)


def _schema(db: Connection, prefix: str) -> dict[str, Any]:
    """What can be told of the tables with a prefix, without the prefix."""
    found = inspect(db)

    def without(name: str | None) -> str:
        return (name or "").removeprefix(prefix)

    return {
        without(table): (
            {
                column["name"]: (str(column["type"]), column["nullable"], column.get("default"))
                for column in found.get_columns(table)
            },
            found.get_pk_constraint(table)["constrained_columns"],
            {without(index["name"]): index["column_names"] for index in found.get_indexes(table)},
        )
        for table in found.get_table_names()
        if table.startswith(prefix)
    }
