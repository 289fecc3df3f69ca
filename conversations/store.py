"""The store: where conversations are kept, in a file of SQLite or in a database of PostgreSQL."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ringfence.conversations import schema_version
from ringfence.conversations.key_file import keys_of
from ringfence.conversations.schema import SCHEMA_VERSION, Tables
from ringfence.conversations.sealed_rows import Sealer
from ringfence.conversations.store_changes import Changes, Wait
from ringfence.conversations.store_connections import Connections
from ringfence.conversations.store_engine import place_of, place_of_engine, private_place
from ringfence.conversations.store_errors import failure_of
from ringfence.conversations.store_patience import patiently
from ringfence.conversations.store_settings import StoreSettings
from ringfence.guardrails.sealing import KeySource

__all__ = ["Store", "StoreSettings"]

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

_TOLD = "ringfence_told"
_SECONDS_A_DAY = 86_400


class Store:
    """Where conversations are kept. Its connections exist only while somebody uses it.

    It may be used from several event loops, and there may be several stores in one process.
    """

    def __init__(
        self,
        target: str | Path | AsyncEngine | None = None,
        *,
        settings: StoreSettings | None = None,
        keys: KeySource = None,
        prefix: str = "ringfence_",
        folder: Path | None = None,
    ) -> None:
        """Name the database; nothing is connected to before it is used.

        Args:
            target: A URL, a file of SQLite, an engine of the application (it is never disposed of), or None
                for a private store that does not survive the process.
            settings: Leases, patience and retention; their URL is not looked at.
            keys: What its rows are sealed with; None takes those of RINGFENCE_VAULT_KEYS, or else, for a file
                of SQLite, those of the file `FILE.key` beside it, which is made.
            prefix: What the names of its tables begin with.
            folder: What a relative file is relative to.

        Raises:
            StoreError: The target is no database that can be a store.
        """
        self.settings = settings or StoreSettings()
        self.prefix = prefix
        self.tables = Tables.of(prefix)
        given = target if isinstance(target, AsyncEngine) else None
        if isinstance(target, AsyncEngine):
            self.place = place_of_engine(target)
        else:
            self.place = private_place(self) if target is None else place_of(target, folder)
        self.name = self.place.name
        """Its file name, or its host and database."""
        self.is_private = self.place.is_private
        """Nothing of it survives the process."""
        self.sealer = Sealer(lambda: keys_of(keys, self.place), self.name)
        self._checked = False
        self._connections = Connections(self.place, self.settings, given)
        self._changes = Changes(self.place, f"{prefix}changes", self.opened, self._connections.connection)

    def __repr__(self) -> str:
        return f"Store({self.name})"

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Keep the connections while within it, so that they are not made anew for each use.

        Raises:
            StoreError: The database cannot be used, or has another schema.
        """
        async with self._connections.held() as held:
            async with held.checking:
                if not self._checked:
                    await self._check_schema()
            yield

    async def run(self, work: Work[T], *, patience_seconds: float | None = None) -> T:
        """Do the work in one transaction, and again while the database does not answer.

        Args:
            work: What writes. It may be called more than once, also when an earlier call was
                committed and only the answer was lost.
            patience_seconds: How long to try; None takes the setting.

        Raises:
            StoreError: It could not be written.
        """
        async with self.opened():
            return await self._patiently(lambda: self._once(work, writes=True), patience_seconds)

    async def read(self, work: Work[T], *, patience_seconds: float | None = None) -> T:
        """Do work that only reads, with one view of the database, and again while it does not answer.

        Raises:
            StoreError: It could not be read.
        """
        async with self.opened():
            return await self._patiently(lambda: self._once(work, writes=False), patience_seconds)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end, without another try.

        On SQLite everybody else who writes waits for it.

        Raises:
            StoreError: It could not be begun or committed.
        """
        async with self.opened():
            try:
                async with self._transaction(writes=True) as db:
                    yield db
            except SQLAlchemyError as error:
                failure = failure_of(error)
                raise failure.as_error(self.name) if failure else error from None

    async def now(self, db: AsyncConnection) -> float:
        """Seconds since 1970 by the clock that all processes of this store share."""
        if self.place.is_sqlite:
            return time.time()
        found = await db.execute(text("SELECT extract(epoch FROM clock_timestamp())::float8"))
        return float(found.scalar_one())

    async def upgrade(self) -> None:
        """Give the database the newest schema; on PostgreSQL that of procrastinate, too, if it is installed.

        Raises:
            StoreError: It cannot be used, or was written by a newer Ringfence.
        """
        async with self._connections.held():
            await self._upgrade_schema()
            if not self.place.is_sqlite:
                await self._patiently(lambda: self._once(schema_version.add_procrastinate, writes=True))

    async def version(self) -> str | None:
        """The version of its schema; None when it has none yet. Nothing is upgraded.

        Raises:
            StoreError: It cannot be read, or was written by a newer Ringfence.
        """

        async def look(db: AsyncConnection) -> str | None:
            return await db.run_sync(schema_version.version_of, self.tables, self.prefix, self.name)

        async with self._connections.held():
            return await self._patiently(lambda: self._once(look, writes=False))

    async def prune(self, days: float | None = None) -> int:
        """Delete what ended longer ago than this, and say how many conversations and jobs that was.

        Args:
            days: None takes `keep_days` of the settings; without either, everything is kept.

        Raises:
            StoreError: It could not be written.
        """
        from ringfence.conversations import retention  # it knows the store

        days = self.settings.keep_days if days is None else days
        return 0 if days is None else await retention.prune(self, days * _SECONDS_A_DAY)

    async def forget(self, user: str) -> int:
        """Delete all conversations and jobs of a user, and say how many that was.

        Raises:
            StoreError: One of them is running now, or it could not be written; then nothing is deleted.
            VaultError: There is no key to look the user up with.
        """
        from ringfence.conversations import retention  # it knows the store

        return await retention.forget(self, user)

    async def notify(self, db: AsyncConnection, channel: str, payload: str = "") -> None:
        """Wake those who wait for a channel, in whatever process, once the transaction is committed.

        Args:
            db: The transaction.
            channel: A word without a colon.
            payload: At most 7,000 bytes; not secret.
        """
        if not self.place.is_sqlite:
            values = {"name": f"{self.prefix}changes", "payload": f"{channel}:{payload}"}
            await db.execute(text("SELECT pg_notify(:name, :payload)"), values)
        db.info.setdefault(_TOLD, set()).add(channel)

    def changes(self, channel: str) -> AbstractAsyncContextManager[Wait]:
        """Within it, `await wait(seconds)` ends when the channel was notified since the last wait.

        Or after the seconds, and now and then without a reason: so look at what there is.

        Raises:
            StoreError: The database cannot be used.
        """
        return self._changes.waiting(channel)

    async def close(self) -> None:
        """Give up the connections of this event loop, whoever uses them."""
        await self._connections.close()

    async def _check_schema(self) -> None:
        version = await self.version()
        if version != SCHEMA_VERSION:
            upgrades = self.settings.upgrade
            if not (self.place.is_sqlite if upgrades is None else upgrades):
                raise schema_version.outdated(version, self.name)
            await self._upgrade_schema()
        self._checked = True

    async def _upgrade_schema(self) -> None:
        async def upgrade(db: AsyncConnection) -> None:
            await db.run_sync(schema_version.upgrade, self.tables, self.prefix, self.name)

        seconds = self.settings.patience_seconds
        once = partial(self._once, upgrade, writes=True)
        await patiently(once, store=self.name, seconds=seconds, may_take_long=True)
        self._checked = True

    async def _patiently(self, once: Callable[[], Awaitable[T]], seconds: float | None = None) -> T:
        seconds = self.settings.patience_seconds if seconds is None else seconds
        return await patiently(once, store=self.name, seconds=seconds)

    async def _once(self, work: Work[T], *, writes: bool) -> T:
        async with self._transaction(writes=writes) as db:
            return await work(db)

    @asynccontextmanager
    async def _transaction(self, *, writes: bool) -> AsyncIterator[AsyncConnection]:
        async with self._connections.transaction(writes=writes) as db:
            db.info.pop(_TOLD, None)
            yield db
            told = db.info.pop(_TOLD, ())
        for channel in told:
            self._changes.wake(channel)
