"""A store that kills its own process at one of its writes."""

import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.chaos.world import World
from ringfence.conversations.store import Store

T = TypeVar("T")
When = Literal["before the commit", "after the commit", "between effect and result"]


@dataclass
class Killer:
    """Counts, and sends its process a signal at the number that was said."""

    world: World
    when: When
    at: int | None
    """None never kills."""
    sends: signal.Signals = signal.SIGKILL
    count: int = 0
    is_unrecorded: Callable[[], bool] = lambda: False
    """Whether a model has replied, and that is not written down yet."""

    def passed(self, when: When) -> None:
        """Come by a place where the process may die."""
        if when != self.when:
            return
        self.count += 1
        if self.count == self.at:
            self.world.note("kills", json.dumps({"unrecorded": self.is_unrecorded()}))
            os.kill(os.getpid(), self.sends)


class KillingStore(Store):
    """Comes by the killer before and after each commit. Heartbeats do not count: they come when they like."""

    killer: Killer
    recorded: Callable[[], None]
    """Called after each commit."""

    async def run(
        self, work: Callable[[AsyncConnection], Awaitable[T]], *, patience_seconds: float | None = None
    ) -> T:
        """As a store, with death before or after the commit."""
        if "renew" in getattr(work, "__qualname__", ""):
            return await super().run(work, patience_seconds=patience_seconds)

        async def doomed(db: AsyncConnection) -> T:
            done = await work(db)
            self.killer.passed("before the commit")
            return done

        done = await super().run(doomed, patience_seconds=patience_seconds)
        self._committed()
        return done

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """As a store, with death before or after the commit."""
        async with super().transaction() as db:
            yield db
            self.killer.passed("before the commit")
        self._committed()

    def _committed(self) -> None:
        self.recorded()
        self.killer.passed("after the commit")
