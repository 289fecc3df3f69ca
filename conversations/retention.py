"""Deleting what is no longer needed, and all that is kept of a person."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.job_rows import is_lost
from ringfence.conversations.job_status import JobStatus
from ringfence.conversations.status import Status
from ringfence.conversations.store import Store
from ringfence.errors import StoreError

_ENDED = (Status.READY, Status.DONE, Status.LIMIT_REACHED, Status.BLOCKED, Status.FAILED)
"""Nobody waits for these; what waits for a person, or was interrupted, is kept."""
_OPEN_JOBS = tuple(status for status in JobStatus if not status.has_ended)
_AT_ONCE = 500
"""How many go in one transaction, so that nobody waits long for it."""


async def prune(store: Store, older_than_seconds: float) -> int:
    """Delete what ended longer ago than this, and say how many conversations and jobs that was.

    Raises:
        StoreError: The store cannot be written.
    """
    pruned = 0
    while count := await store.run(lambda db: _prune_some(store, db, older_than_seconds)):
        pruned += count
    return pruned


async def forget(store: Store, user: str) -> int:
    """Delete all conversations and jobs of a user, and say how many that was.

    Raises:
        StoreError: One of them is running now, or the store cannot be written; then nothing is deleted.
        VaultError: There is no key to look the user up with.
    """
    hashes = store.sealer.hashes_of(user)

    async def work(db: AsyncConnection) -> int:
        talks, jobs = store.tables.conversations, store.tables.jobs
        now = await store.now(db)
        # The rows of its conversations stay locked until they are gone, so that no run begins meanwhile.
        is_running = case((_is_leased(store, now), 1), else_=0)
        talked = select(talks.c.id, is_running).where(talks.c.user_hash.in_(hashes)).with_for_update()
        is_worked_on = case((and_(jobs.c.status == JobStatus.RUNNING, ~is_lost(store, now)), 1), else_=0)
        asked = select(jobs.c.id, is_worked_on).where(jobs.c.user_hash.in_(hashes)).with_for_update()
        found = [*(await db.execute(talked)), *(await db.execute(asked))]
        if running := sorted(one for one, runs in found if runs):
            raise StoreError(
                f"Conversation {running[0]} of this user is running; wait for its end, or stop it"
            )
        ids = sorted({one for one, _ in found})
        await _delete(store, db, ids)
        return len(ids)

    return await store.run(work)


async def _prune_some(store: Store, db: AsyncConnection, older_than_seconds: float) -> int:
    talks, jobs = store.tables.conversations, store.tables.jobs
    now = await store.now(db)
    before = now - older_than_seconds
    goes_on = exists().where(jobs.c.id == talks.c.id, jobs.c.status.in_(_OPEN_JOBS))
    ended = select(talks.c.id).where(
        talks.c.status.in_(_ENDED), talks.c.updated_at < before, ~_is_leased(store, now), ~goes_on
    )
    talked = exists().where(talks.c.id == jobs.c.id)
    never_talked = select(jobs.c.id).where(
        jobs.c.status.not_in(_OPEN_JOBS), jobs.c.updated_at < before, ~talked
    )
    ids: list[str] = []
    for wanted in (ended, never_talked):
        # Whoever has a row locked is about to go on with it.
        some = wanted.limit(_AT_ONCE).with_for_update(skip_locked=True)
        ids += (await db.execute(some)).scalars()
    await _delete(store, db, ids)
    return len(ids)


def _is_leased(store: Store, now: float) -> ColumnElement[bool]:
    talks = store.tables.conversations
    return and_(talks.c.owner != "", talks.c.leased_until > now)


async def _delete(store: Store, db: AsyncConnection, ids: Sequence[str]) -> None:
    tables = store.tables
    if store.place.is_sqlite:
        # Else what was deleted stays in free pages of the file.
        await db.exec_driver_sql("PRAGMA secure_delete=ON")
    for some in _parts(ids):
        # First the row that a run has to write to, so that a run which has just begun is stopped.
        for column in (
            tables.conversations.c.id,
            tables.jobs.c.id,
            tables.requests.c.conversation,
            tables.events.c.conversation,
            tables.turns.c.conversation,
            tables.journal.c.conversation,
        ):
            await db.execute(delete(column.table).where(column.in_(some)))


def _parts(ids: Sequence[str]) -> list[Sequence[Any]]:
    return [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
