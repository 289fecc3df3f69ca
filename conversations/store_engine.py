"""The database of a store: where it is, what it is called in messages, and how it is connected to."""

import os
import sqlite3
import uuid
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util import LRUCache

from ringfence.conversations.store_settings import SCHEMES, StoreSettings
from ringfence.errors import StoreError

_BUSY_SECONDS = 1.0
"""How long SQLite itself waits for a lock; then the store waits on, and can be cancelled."""
_CONNECTIONS = 4
_OVERFLOW = 4
_LIBPQ = {
    "application_name": "ringfence",
    "connect_timeout": 5,
    # A server that vanished without a word is given up after so many seconds, and not after two hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


@dataclass(frozen=True)
class Place:
    """A database, before anything is connected to it."""

    url: URL
    name: str
    """Its file name, or its host and database; never a user name or a password."""
    file: Path | None = None
    """The file of SQLite; None for a private store and for PostgreSQL."""
    is_private: bool = False
    """Nothing of it survives the process."""
    compiled: Any = field(default_factory=lambda: LRUCache(500), compare=False, repr=False)
    """The statements that SQLAlchemy has compiled for it."""

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite, and not PostgreSQL."""
        return self.url.get_backend_name() == "sqlite"


def private_place(owner: object) -> Place:
    """A database in memory that lives as long as its owner."""
    name = f"file:/ringfence-{uuid.uuid4().hex}?vfs=memdb"
    kept = sqlite3.connect(name, uri=True, check_same_thread=False)
    weakref.finalize(owner, kept.close)
    url = URL.create(
        "sqlite+aiosqlite", database=name.partition("?")[0], query={"vfs": "memdb", "uri": "true"}
    )
    return Place(url, "in memory", is_private=True)


def place_of(target: str | Path, folder: Path | None = None) -> Place:
    """The database that a URL or a path names; relative paths are relative to the folder.

    Raises:
        StoreError: It names no database that can be a store.
    """
    if isinstance(target, Path) or "://" not in target:
        return _file_place(Path(target), folder)
    scheme, _, rest = target.partition("://")
    if scheme not in SCHEMES:
        raise StoreError("The URL of a store begins with sqlite:/// or postgresql://")
    driver = "sqlite+aiosqlite" if scheme.startswith("sqlite") else "postgresql+psycopg"
    try:
        url = make_url(f"{driver}://{rest}")
    except (ArgumentError, ValueError):
        raise StoreError(
            "The URL of the store cannot be read; write it as postgresql://USER@HOST/DATABASE"
        ) from None
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:" or url.query:
            raise StoreError("The URL of a SQLite store names a file and nothing else: sqlite:///FILE")
        return _file_place(Path(url.database), folder)
    return Place(url, _server_name(url))


def place_of_engine(engine: AsyncEngine) -> Place:
    """The database of an engine that the application made.

    Raises:
        StoreError: It has another driver than aiosqlite or psycopg, or is of a database in memory.
    """
    driver = f"{engine.dialect.name}+{engine.dialect.driver}"
    if driver not in {"sqlite+aiosqlite", "postgresql+psycopg"}:
        raise StoreError(
            f"A store takes an engine of sqlite+aiosqlite or postgresql+psycopg, and this one is of {driver}"
        )
    if engine.dialect.name != "sqlite":
        return Place(engine.url, _server_name(engine.url))
    database = engine.url.database
    if not database or database == ":memory:" or engine.url.query.get("uri"):
        raise StoreError(
            "An engine of SQLite for a store names a plain file; for a private store, give no engine"
        )
    return Place(engine.url, Path(database).name, Path(database).absolute())


def make_engine(place: Place, settings: StoreSettings) -> AsyncEngine:
    """An engine for one event loop.

    Raises:
        StoreError: The file cannot be made, or the driver of PostgreSQL is not installed.
    """
    # Values of rows stand in no error message.
    common: dict[str, Any] = {
        "hide_parameters": True,
        "pool_timeout": settings.patience_seconds,
        # The engine is made anew when somebody comes back; its statements are not.
        "execution_options": {"compiled_cache": place.compiled},
    }
    if place.is_sqlite:
        if place.file is not None:
            _touch(place.file)
        busy = min(_BUSY_SECONDS, settings.patience_seconds)
        engine = create_async_engine(
            place.url,
            # One connection: writers of this process queue for it in order, and not for the file's lock.
            poolclass=AsyncAdaptedQueuePool,
            pool_size=1,
            max_overflow=0,
            connect_args={"isolation_level": None, "timeout": busy},
            **common,
        )
        if place.file is not None:
            _on_connect(engine, _write_ahead)
        return engine
    try:
        engine = create_async_engine(
            place.url,
            pool_size=_CONNECTIONS,
            max_overflow=_OVERFLOW,
            pool_pre_ping=True,
            connect_args={name: value for name, value in _LIBPQ.items() if name not in place.url.query},
            **common,
        )
    except ModuleNotFoundError:
        raise StoreError('For a store on PostgreSQL, install "ringfence[postgres]"') from None
    # A process that is stopped within a transaction must not hold its locks for longer than its lease.
    milliseconds = max(1, int(settings.lease_seconds * 1000))
    limit = f"SET idle_in_transaction_session_timeout = {milliseconds}"
    _on_connect(engine, lambda cursor: cursor.execute(limit))
    return engine


async def begin(db: AsyncConnection, *, writes: bool) -> None:
    """Begin a transaction of SQLite: the driver does it late, and then a write can fail that read before."""
    driver = (await db.get_raw_connection()).driver_connection
    # An engine of the application may have begun it on its own.
    if driver is not None and not driver.in_transaction:
        await db.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _on_connect(engine: AsyncEngine, prepare: Callable[[Any], None]) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        prepare(cursor)
        cursor.close()
        connection.commit()


def _write_ahead(cursor: Any) -> None:
    """Readers and a writer do not wait for each other, and what is committed survives a power cut."""
    cursor.execute("PRAGMA journal_mode")
    # Who may only read a file may not ask for what it has already.
    if cursor.fetchone() != ("wal",):
        cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")


def _file_place(file: Path, folder: Path | None) -> Place:
    file = ((folder or Path()) / file.expanduser()).absolute()
    return Place(URL.create("sqlite+aiosqlite", database=str(file)), file.name, file)


def _server_name(url: URL) -> str:
    host = url.host or url.query.get("host") or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"{host}{port}/{url.database or ''}"


def _touch(file: Path) -> None:
    """Make the file, readable by its owner alone, unless it is there."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise StoreError(f"The store {file.name} cannot be made in {file.parent}: {reason}") from None
