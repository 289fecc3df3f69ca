"""A process that runs conversations on a store, as a test needs it: it dies, loses its store, and is late."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from autogen_core import CancellationToken
from databases import KEYS
from fenced import Talk as Conversation
from gate_facts import Law, Setting, Talk
from gate_teams import SHAPES, Gates, Making
from gate_world import World
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence import Fence, Ringfence, RingfenceError
from ringfence.conversations.store import Store, StoreSettings
from ringfence.errors import StoreError
from ringfence.policy import Policy

BEFORE, AFTER = "before", "after"
_QUIET = 30
"""Rounds of the event loop in which nobody uses the store, after which nothing more is going to happen."""


class Disk(Store):
    """A store that fails when the test says so, on the clock of the test."""

    def __init__(self, file: Path, world: World) -> None:
        super().__init__(file, settings=StoreSettings(upgrade=True, patience_seconds=5), keys=KEYS)
        self._world = world
        self.is_dead = False
        """Its process is dead: whatever still runs of it changes nothing."""
        self.fails: list[str] = []
        """When the next writes fail: before anything is written, or after, when only the answer is lost."""
        self.busy = 0

    async def now(self, db: AsyncConnection) -> float:
        """The time of the test."""
        return self._world.now

    async def run(self, work: Callable[[AsyncConnection], Awaitable[Any]], **how: Any) -> Any:
        """As a store, with failures."""
        async with self._troubled():
            return await super().run(work, **how)

    async def read(self, work: Callable[[AsyncConnection], Awaitable[Any]], **how: Any) -> Any:
        """As a store, while its process lives."""
        self._check()
        self.busy += 1
        try:
            return await super().read(work, **how)
        finally:
            self.busy -= 1

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """As a store, with failures."""
        async with self._troubled(), super().transaction() as db:
            yield db

    @asynccontextmanager
    async def _troubled(self) -> AsyncIterator[None]:
        self._check()
        trouble = self.fails.pop(0) if self.fails else ""
        if trouble == BEFORE:
            raise StoreError("The store is full; nothing was written")
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1
        if trouble == AFTER:
            raise StoreError("The store is not reachable; nothing is known to be written")

    def _check(self) -> None:
        if self.is_dead:
            raise StoreError("This process is dead")


class Office:
    """One process with its own Ringfence, which shares the store's file with others."""

    def __init__(self, folder: Path, world: World, gates: Gates, law: Law) -> None:
        self._world = world
        self._gates = gates
        self.law = law
        self.disk = Disk(folder / "store.sqlite", world)
        self.ringfence = Ringfence(policy_of(law), store=self.disk)
        self._open = AsyncExitStack()
        self._conversations: dict[str, Conversation] = {}
        self._settings: dict[str, Setting] = {}
        self.benches: dict[str, list[Any]] = {}
        self.running: dict[str, tuple[asyncio.Task[Any], CancellationToken]] = {}
        """The runs that wait at a gate, by conversation."""

    async def open(self) -> None:
        """Keep the store's connections until it is closed."""
        await self._open.enter_async_context(self.disk.opened())

    async def close(self) -> None:
        """End everything in an orderly way."""
        for task, token in self.running.values():
            token.cancel()
            with suppress(Exception, asyncio.CancelledError):
                await task
        self.disk.is_dead = False
        await self._open.aclose()
        await self.ringfence.close()

    async def die(self) -> None:
        """End as a process does that is killed: from now on nothing of it reaches the store."""
        self.disk.is_dead = True
        await self.close()

    def reload(self, law: Law) -> None:
        """Take another policy; runs that are under way keep the one that they began with."""
        self.law = law
        self.ringfence.reload(policy_of(law))

    def conversation(self, talk: Talk) -> Conversation:
        """The conversation as this process sees it."""
        if talk.name not in self._conversations:
            self._conversations[talk.name] = self.ringfence.conversation(
                self._team(talk), id=talk.name, user="alice"
            )
        return self._conversations[talk.name]

    def setting(self, talk: Talk) -> Setting | None:
        """Under what the team acts that was built last."""
        return self._settings.get(talk.name)

    async def drive(
        self, talk: Talk, start: Callable[[Conversation, CancellationToken], Awaitable[Any]]
    ) -> None:
        """Run a conversation until it ends, or waits at a gate."""
        if talk.name in self.running:
            with suppress(RingfenceError):
                await start(self.conversation(talk), CancellationToken())
            return
        self._begin(talk)
        token = CancellationToken()
        task = asyncio.ensure_future(start(self.conversation(talk), token))
        self.running[talk.name] = (task, token)
        await self.until_quiet(talk)

    async def until_quiet(self, talk: Talk) -> None:
        """Return when the run of a conversation has ended, or nothing in it moves any more."""
        task, _ = self.running[talk.name]
        quiet = 0
        while not task.done() and quiet < _QUIET:
            await asyncio.sleep(0)
            is_still = not self.disk.busy and self._gates.waiting.get(talk.name, 0) > 0
            quiet = quiet + 1 if is_still else 0
        if task.done():
            del self.running[talk.name]
            with suppress(RingfenceError):
                task.result()

    async def cancel(self, talk: Talk) -> None:
        """Cancel a run that waits at a gate, and wait for its end."""
        if talk.name in self.running:
            task, token = self.running.pop(talk.name)
            token.cancel()
            with suppress(RingfenceError, asyncio.CancelledError):
                await task

    def _begin(self, talk: Talk) -> None:
        if (setting := self._settings.get(talk.name)) is not None:
            setting.law, setting.begun_before = self.law, self._world.begun(talk.name)

    def _team(self, talk: Talk) -> Callable[[Fence], Any]:
        def team(fence: Fence) -> Any:
            setting = Setting(talk, self.law, talk.prompt, self._world.begun(talk.name))
            making = Making(fence, self._world, self._gates, setting)
            made = SHAPES[talk.shape](making)
            self._settings[talk.name] = setting
            self.benches[talk.name] = making.benches
            return made

        team.__name__ = f"team_of_{talk.name}".replace("-", "_")
        return team


def policy_of(law: Law) -> Policy:
    """The policy of a law, of which nothing but its tools matters here."""
    sections: Mapping[str, Any] = {
        "version": 1,
        "prices": {"scripted": "free"},
        "pii": {"entities": {}},
        **law.sections,
    }
    return Policy.model_validate(sections)
