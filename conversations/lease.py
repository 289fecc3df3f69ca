"""Who runs a conversation: one process at a time, and one that lost it may write no more."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.processes import is_gone, shown, this_process
from ringfence.conversations.store import Store
from ringfence.errors import ConversationInterrupted, LeaseLost, StoreError

_BEATS_A_LEASE = 3
SANE = 2
"""A lease that ends later than in so many lease times was given by a clock that has been moved back since."""
_seen: "WeakKeyDictionary[Store, dict[str, tuple[tuple[int, int], float]]]" = WeakKeyDictionary()
"""Of leases with a senseless time: the heartbeat that was seen last, and since when it stands still."""


class Lease:
    """The right to run one conversation, for as long as a heartbeat renews it.

    Each time it is taken the epoch grows, and whatever is written names the epoch: who was away for too long,
    and does not know it yet, changes nothing any more.
    """

    def __init__(self, store: Store, conversation: str) -> None:
        self._store = store
        self._conversation = conversation
        self._seconds = store.settings.lease_seconds
        self._held_until = 0.0
        self._beating: asyncio.Task[None] | None = None
        self.when_lost: Callable[[LeaseLost], None] = lambda _: None
        """Stops what is under way."""
        self.epoch = 0

    @property
    def is_held(self) -> bool:
        """Whether a run of this process holds it."""
        return self._beating is not None

    async def take(self, db: AsyncConnection, *, seen: int, **values: Any) -> None:
        """Take it within a transaction, and write `values` to the conversation's row.

        Args:
            db: The transaction.
            seen: The mark of the last write that this process knows of.
            **values: Columns.

        Raises:
            ConversationInterrupted: Somebody else holds it, or has written since.
        """
        table, asked_at = self._store.tables.conversations, monotonic()
        now = await self._store.now(db)
        columns = (table.c.epoch, table.c.owner, table.c.beat, table.c.leased_until, table.c.writes)
        row = (await db.execute(select(*columns).where(table.c.id == self._conversation))).one()
        if row.owner and row.leased_until > now and not is_gone(row.owner) and not self._is_stale(row, now):
            raise running_elsewhere(row.owner)
        if row.writes != seen:
            # What it did meanwhile would be done again.
            raise ConversationInterrupted("Another process has just worked on this conversation; try again")
        taken = await db.execute(
            update(table)
            .where(table.c.id == self._conversation, table.c.epoch == row.epoch, table.c.writes == row.writes)
            .values(
                epoch=row.epoch + 1,
                owner=this_process(),
                beat=0,
                leased_until=now + self._seconds,
                **values,
            )
        )
        if taken.rowcount != 1:
            raise ConversationInterrupted("Another process has just begun to run this conversation")
        self.epoch = row.epoch + 1
        self._held_until = asked_at + self._seconds

    def start_beating(self) -> None:
        """Renew it until `stop_beating`."""
        self._beating = asyncio.ensure_future(self._beat())

    async def stop_beating(self) -> None:
        """Renew it no more; the row is released with the run's last write."""
        if self._beating is not None:
            beating, self._beating = self._beating, None
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating

    async def check(self) -> None:
        """Make sure that it still holds, before something is done that cannot be undone.

        Raises:
            LeaseLost: Another process has it.
            StoreError: Nobody can say, because the store does not answer.
        """
        if monotonic() >= self._held_until:
            await self._renew()

    def lost(self) -> LeaseLost:
        """The error that says so."""
        return LeaseLost(
            "Another process has taken this conversation over, so this one may write no more; "
            "what it was doing goes on there"
        )

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._seconds / _BEATS_A_LEASE)
            try:
                await self._renew()
            except LeaseLost as error:
                self.when_lost(error)
                return
            except StoreError:
                continue  # without the store nothing is written either; the next write says so

    async def _renew(self) -> None:
        table, asked_at = self._store.tables.conversations, monotonic()

        async def renew(db: AsyncConnection) -> int:
            now = await self._store.now(db)
            renewed = await db.execute(
                update(table)
                .where(table.c.id == self._conversation, table.c.epoch == self.epoch)
                .values(beat=table.c.beat + 1, leased_until=now + self._seconds)
            )
            return renewed.rowcount

        if await self._store.run(renew, patience_seconds=self._seconds / _BEATS_A_LEASE) != 1:
            raise self.lost()
        self._held_until = asked_at + self._seconds

    def _is_stale(self, row: Any, now: float) -> bool:
        if row.leased_until <= now + SANE * self._seconds:
            return False
        # The times in the row mean nothing, so what counts is whether anybody renews it.
        seen = _seen.setdefault(self._store, {})
        beat = (row.epoch, row.beat)
        if seen.get(self._conversation, (None, 0.0))[0] != beat:
            seen[self._conversation] = (beat, monotonic())
        return monotonic() - seen[self._conversation][1] > self._seconds


def running_elsewhere(owner: str) -> ConversationInterrupted:
    """The error of whoever wants to run a conversation that somebody runs."""
    said = f"This conversation is running elsewhere, by {shown(owner)}; wait for it, or cancel it there"
    return ConversationInterrupted(said)


def new_token() -> int:
    """Marks one write, so that it is told from every other."""
    return secrets.randbits(62)
