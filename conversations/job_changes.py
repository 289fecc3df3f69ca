"""What people do to a job that was handed in: stop it, and let it go on."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.job_rows import content_binding, read_row
from ringfence.conversations.job_status import CANCELLED, JOBS, JobStatus
from ringfence.conversations.journal import EVENTS
from ringfence.conversations.store import Store
from ringfence.errors import JobError

_RETRIED = (JobStatus.FAILED, JobStatus.CANCELLED)


async def cancel_job(db: AsyncConnection, store: Store, job: str) -> None:
    """Cancel a job that does not run, and let the worker of one that runs know; an ended one stays as it is.

    Raises:
        UnknownConversation: There is no such job.
    """
    table = store.tables.jobs
    row = await read_row(db, store, job, lock=True)
    if JobStatus(row.status).has_ended:
        return
    values: dict[str, Any] = {"cancelled": 1}
    if row.status != JobStatus.RUNNING:
        values |= {"status": JobStatus.CANCELLED, "updated_at": await store.now(db)}
    await db.execute(update(table).where(table.c.id == job).values(values))
    await store.notify(db, CANCELLED, job)
    await store.notify(db, EVENTS, job)


async def retry_job(db: AsyncConnection, store: Store, job: str, *, allow_changes: bool) -> None:
    """Queue a job anew that failed or was cancelled; a queued one stays as it is.

    Raises:
        UnknownConversation: There is no such job.
        JobError: It has another status.
    """
    table = store.tables.jobs
    row = await read_row(db, store, job, lock=True)
    if row.status == JobStatus.QUEUED:
        return
    if row.status not in _RETRIED:
        raise JobError(f"Job {job!r} is {row.status}; only one that failed or was cancelled is retried")
    values: dict[str, Any] = {"status": JobStatus.QUEUED, "attempts": 0, "cancelled": 0, "result": None}
    values |= {"due_at": table.c.created_at, "updated_at": await store.now(db)}
    if allow_changes:
        bound = content_binding(job)
        content = store.sealer.open(row.content, *bound) | {"allow_changes": True}
        values["content"] = store.sealer.seal(content, *bound)
    await db.execute(update(table).where(table.c.id == job).values(values))
    await store.notify(db, JOBS, job)
    await store.notify(db, EVENTS, job)
