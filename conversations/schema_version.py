"""Which version of the schema a database has, and how it gets the newest one."""

import re
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    inspect,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.schema import SCHEMA_VERSION, Tables
from ringfence.errors import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")
_VERSION = re.compile(r"(?!0000)\d{4}")
_LOCK = 0x52494E47
"""Of an advisory lock of PostgreSQL: one process at a time changes the schema."""


def version_of(db: Connection, tables: Tables, prefix: str, name: str) -> str | None:
    """The version of the schema that the database has; None when it has none yet.

    Raises:
        StoreError: It is newer than this Ringfence, or nothing that a Ringfence wrote.
    """
    version_table = _version_table(prefix)
    known = set(inspect(db).get_table_names())
    if version_table.name not in known:
        if there := sorted(known & set(tables.metadata.tables)):
            raise StoreError(
                f"The store {name} has a table {there[0]} and no schema version, so it is not Ringfence's; "
                "give the store another prefix or another database"
            )
        return None
    versions = [str(version) for (version,) in db.execute(select(version_table.c.version_num))]
    if len(versions) != 1 or not _VERSION.fullmatch(versions[0]):
        raise StoreError(
            f"The store {name} has a schema version that no Ringfence wrote; restore it from a copy"
        )
    if versions[0] > SCHEMA_VERSION:
        raise StoreError(
            f"The store {name} was written by a newer Ringfence (schema {versions[0]}, and this one knows "
            f"{SCHEMA_VERSION}); upgrade Ringfence"
        )
    return versions[0]


def outdated(version: str | None, name: str) -> StoreError:
    """The error for a database whose schema is not the newest, and is not upgraded by itself."""
    state = f"has the older schema {version}" if version else "has no tables yet"
    return StoreError(f"The store {name} {state}; run: ringfence store upgrade FILE")


def upgrade(db: Connection, tables: Tables, prefix: str, name: str) -> None:
    """Give the database the newest schema, within the transaction that is open; who comes last finds it done.

    Raises:
        StoreError: It is newer than this Ringfence, or nothing that a Ringfence wrote.
    """
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    version = version_of(db, tables, prefix, name)
    if version is None:
        tables.metadata.create_all(db)
        version_table = _version_table(prefix)
        version_table.create(db)
        db.execute(version_table.insert().values(version_num=SCHEMA_VERSION))
    elif version != SCHEMA_VERSION:
        migrate(db, prefix)


def migrate(db: Connection, prefix: str) -> None:
    """Run the migrations that the database has not seen, within the transaction that is open."""
    # Takes a third of a second to import, and is rarely needed.
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(MIGRATIONS, version_locations=[MIGRATIONS])
    context = MigrationContext.configure(
        db,
        opts={
            "version_table": _version_table(prefix).name,
            # The same that `alembic.command.upgrade` calls.
            "fn": lambda revision, _: scripts._upgrade_revs("head", revision),  # noqa: SLF001
        },
    )
    context.run_migrations(operations=Operations(context), prefix=prefix)


def _version_table(prefix: str) -> Table:
    """The table that Alembic keeps, as Alembic makes it."""
    name = f"{prefix}schema_version"
    return Table(
        name,
        MetaData(),
        Column("version_num", String(32), nullable=False),
        PrimaryKeyConstraint("version_num", name=f"{name}_pkc"),
    )


async def add_procrastinate(db: AsyncConnection) -> None:
    """Make the tables of procrastinate, which delivers jobs to workers, unless they are there."""
    try:
        from procrastinate.schema import SchemaManager
    except ModuleNotFoundError:
        return
    await db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if (await db.execute(text("SELECT to_regclass('procrastinate_jobs')"))).scalar() is None:
        driver = (await db.get_raw_connection()).driver_connection
        assert driver is not None  # noqa: S101 - a connection that just answered
        await driver.execute(SchemaManager.get_schema())
