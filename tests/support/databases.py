"""Real databases for tests: a file of SQLite, and a database of PostgreSQL that is dropped afterwards."""

import base64
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest
from sqlalchemy import func, insert, make_url, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.store import Store, StoreSettings
from ringfence.guardrails.sealing import Keyring

POSTGRES_VARIABLE = "RINGFENCE_TEST_POSTGRES_URL"
POSTGRES = os.environ.get(POSTGRES_VARIABLE, "")
"""A server on which tests may make databases, such as postgresql://postgres@127.0.0.1:5432/postgres."""
KEYS_TEXT = "test:" + base64.b64encode(bytes(32)).decode()
"""What RINGFENCE_VAULT_KEYS may hold; for tests only, everybody knows it."""
KEYS = Keyring.from_text(KEYS_TEXT)

needs_postgres = pytest.mark.skipif(not POSTGRES, reason=f"needs PostgreSQL: set {POSTGRES_VARIABLE}")


@contextmanager
def postgres_database() -> Iterator[str]:
    """The URL of a new, empty database."""
    import psycopg

    name = f"ringfence_test_{uuid.uuid4().hex}"
    server = make_url(POSTGRES).set(drivername="postgresql")
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The URL of a new, empty database of PostgreSQL."""
    if not POSTGRES:
        pytest.skip(f"needs PostgreSQL: set {POSTGRES_VARIABLE}")
    with postgres_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database: once of SQLite, once of PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


def store_at(target: str | Path, *, prefix: str = "ringfence_", **settings: Any) -> Store:
    """A store that makes its tables by itself, and is sealed with the keys of tests."""
    return Store(target, settings=StoreSettings(upgrade=True, **settings), keys=KEYS, prefix=prefix)


async def note(store: Store, turn: int, *, conversation: str = "c-1") -> None:
    """Write a row."""

    async def work(db: AsyncConnection) -> None:
        await db.execute(
            insert(store.tables.turns).values(conversation=conversation, turn=turn, run=1, said="-")
        )

    await store.run(work)


async def turns_in(store: Store) -> list[int]:
    """The rows that were written."""
    turn = store.tables.turns.c.turn

    async def work(db: AsyncConnection) -> list[int]:
        return [*(await db.execute(select(turn).order_by(turn))).scalars()]

    return await store.read(work)


async def rows_of(store: Store) -> dict[str, int]:
    """How many rows each table has, but for those that have none."""

    async def work(db: AsyncConnection) -> dict[str, int]:
        counts = {}
        for name, table in store.tables.metadata.tables.items():
            counts[name] = (await db.execute(select(func.count()).select_from(table))).scalar_one()
        return {name.removeprefix(store.prefix): count for name, count in counts.items() if count}

    return await store.read(work)


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for what another process is about to do."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.01)


def python(code: str, *arguments: str) -> "Popen[str]":
    """Start a process that runs the code, with warnings as errors; wait for it or end it yourself."""
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True, env=environment)
