"""A job that waited for a person is due again when nobody has to decide anything any more."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.job_status import JOBS, JobStatus
from ringfence.conversations.journal import EVENTS
from ringfence.conversations.store import Store

_UNDECIDED = "waiting"
"""The status of a request that nobody has decided."""


async def wake_job(db: AsyncConnection, store: Store, conversation: str) -> bool:
    """Make the job of a conversation due, if it waits and nothing waits for a person any more.

    Belongs into the transaction that writes a decision. Says whether it is due now; a conversation that is
    no job is left alone.
    """
    # The lock lets either the worker's note that the job waits see this decision, or this see the note.
    table = store.tables.jobs
    found = await db.execute(select(table.c.status).where(table.c.id == conversation).with_for_update())
    if found.scalar_one_or_none() != JobStatus.WAITING:
        return False
    return bool(await wake_jobs(db, store, [conversation]))


async def wake_jobs(
    db: AsyncConnection, store: Store, jobs: Sequence[str], *, now: float | None = None
) -> list[str]:
    """Make those of the jobs due that wait, but for nobody; with a time, also if it was up for the person."""
    if not jobs:
        return []
    table = store.tables.jobs
    woken = await db.execute(
        update(table)
        .where(table.c.id.in_(jobs), table.c.status == JobStatus.WAITING, asks_nobody(store, now))
        # What was begun first goes on first, and what failed before the decision counts no more.
        .values(
            status=JobStatus.QUEUED,
            due_at=table.c.created_at,
            attempts=0,
            updated_at=await store.now(db),
        )
        .returning(table.c.id)
    )
    ids = [*woken.scalars()]
    for job in ids:
        await store.notify(db, JOBS, job)
        await store.notify(db, EVENTS, job)
    return ids


def asks_nobody(store: Store, now: float | None = None) -> ColumnElement[bool]:
    """No request of the job's conversation waits for a person; with a time, none that is still in time."""
    table, requests = store.tables.jobs, store.tables.requests
    waits = [requests.c.conversation == table.c.id, requests.c.status == _UNDECIDED]
    if now is not None:
        waits.append(requests.c.expires_at > now)
    return ~exists().where(*waits)
