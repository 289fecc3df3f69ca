"""Waiting for what other tasks and other processes write, without asking over and over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.store_engine import Place
from ringfence.conversations.store_errors import failure_of

_LOOK_EVERY_SECONDS = 0.2
_RECONNECT_SECONDS = 0.5

Wait = Callable[[float], Awaitable[None]]


@dataclass(eq=False)
class _Waiter:
    channel: str
    loop: asyncio.AbstractEventLoop
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        # A loop that is closed has nobody left who waits.
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.changed.set)


@dataclass
class _Watch:
    """What one event loop does to hear of other processes."""

    task: "asyncio.Task[None]"
    hears: asyncio.Event
    users: int = 0


class Changes:
    """Who waits for changes of a store, and who wakes them."""

    def __init__(
        self,
        place: Place,
        channel: str,
        opened: Callable[[], AbstractAsyncContextManager[None]],
        connection: Callable[[], AsyncConnection],
    ) -> None:
        """Take where the store is, its channel on PostgreSQL, and what opens and connects it."""
        self._place = place
        self._channel = channel
        self._opened = opened
        self._connection = connection
        self._waiters: set[_Waiter] = set()
        self._watches: dict[asyncio.AbstractEventLoop, _Watch] = {}

    def wake(self, channel: str | None = None) -> None:
        """Wake those in this process who wait for a channel, or all."""
        for waiter in [*self._waiters]:
            if channel is None or waiter.channel == channel:
                waiter.wake()

    @asynccontextmanager
    async def waiting(self, channel: str) -> AsyncIterator[Wait]:
        """Within it, `await wait(seconds)` ends when something changed since the last wait.

        Raises:
            StoreError: The database cannot be used.
        """
        waiter = _Waiter(channel, asyncio.get_running_loop())

        async def wait(seconds: float) -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await waiter.changed.wait()
            waiter.changed.clear()

        self._waiters.add(waiter)
        try:
            async with self._opened(), self._watching():
                yield wait
        finally:
            self._waiters.discard(waiter)

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[None]:
        """One task an event loop hears for all who wait in it."""
        if self._place.is_private:
            yield
            return
        loop = asyncio.get_running_loop()
        watch = self._watches.get(loop)
        if watch is None:
            hears = asyncio.Event()
            hear = self._look if self._place.is_sqlite else self._listen
            watch = self._watches[loop] = _Watch(asyncio.create_task(self._hear(hear, hears)), hears)
        watch.users += 1
        try:
            await watch.hears.wait()
            yield
        finally:
            watch.users -= 1
            if not watch.users:
                del self._watches[loop]
                watch.task.cancel()
                await asyncio.wait([watch.task])
                if not watch.task.cancelled():
                    watch.task.result()

    async def _hear(
        self, hear: Callable[[Callable[[], None]], Awaitable[None]], hears: asyncio.Event
    ) -> None:
        try:
            while True:
                try:
                    await hear(hears.set)
                except Exception as error:
                    # While it cannot hear, waiting ends by its time; whoever reads then is told the error.
                    if failure_of(error) is None:
                        raise
                hears.set()
                await asyncio.sleep(_RECONNECT_SECONDS)
                # Something may have been missed.
                self.wake()
        finally:
            hears.set()

    async def _look(self, begun: Callable[[], None]) -> None:
        """See when another process changed the file of SQLite."""
        seen: Any = None
        while True:
            async with self._connection() as db:
                found = (await db.exec_driver_sql("PRAGMA data_version")).scalar()
            if found != seen and seen is not None:
                self.wake()
            seen = found
            begun()
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def _listen(self, begun: Callable[[], None]) -> None:
        """Hear what PostgreSQL tells, on a connection of its own."""
        async with self._connection() as db:
            driver: Any = (await db.get_raw_connection()).driver_connection
            try:
                await driver.set_autocommit(True)
                await driver.execute(f'LISTEN "{self._channel}"')
                begun()
                async for heard in driver.notifies():
                    self.wake(heard.payload.partition(":")[0])
            finally:
                # Nobody else shall get a connection that listens.
                await db.invalidate()
