"""The connections of a store: one engine for each event loop, and only while somebody uses it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ringfence.conversations.store_engine import Place, begin, make_engine
from ringfence.conversations.store_settings import StoreSettings


@dataclass
class Held:
    """The engine of one event loop, and how many are using it."""

    engine: AsyncEngine
    users: int = 0
    checking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One task looks at the schema, and the others wait for it."""


class Connections:
    """The engines of a store, by event loop."""

    def __init__(self, place: Place, settings: StoreSettings, given: AsyncEngine | None) -> None:
        """Take where the database is, and the engine of the application, if it gave one."""
        self._place = place
        self._settings = settings
        self._given = given
        self._held: dict[asyncio.AbstractEventLoop, Held] = {}

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Held]:
        """Keep the engine while within it; the last to leave disposes of it, unless it is the application's.

        Raises:
            StoreError: The file cannot be made, or the driver of PostgreSQL is not installed.
        """
        loop = asyncio.get_running_loop()
        held = self._held.get(loop)
        if held is None:
            held = self._held[loop] = Held(self._given or make_engine(self._place, self._settings))
        held.users += 1
        try:
            yield held
        finally:
            held.users -= 1
            if not held.users and self._held.get(loop) is held:
                await self.close()

    def connection(self) -> AsyncConnection:
        """A connection, to be entered while the engine is held; it begins and ends nothing."""
        return self._held[asyncio.get_running_loop()].engine.connect()

    @asynccontextmanager
    async def transaction(self, *, writes: bool) -> AsyncIterator[AsyncConnection]:
        """One transaction, while the engine is held; one that only reads has one view of the database."""
        async with self.connection() as db:
            if not writes and not self._place.is_sqlite:
                await db.execution_options(isolation_level="REPEATABLE READ")
            async with db.begin():
                if self._place.is_sqlite:
                    await begin(db, writes=writes)
                yield db

    async def close(self) -> None:
        """Give up the connections of this event loop, whoever uses them."""
        held = self._held.pop(asyncio.get_running_loop(), None)
        if held is not None and held.engine is not self._given:
            await held.engine.dispose()
