"""Rows of the table of jobs: what is sealed in them, and the conditions by which they are chosen."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.job_records import Job, Progress, moment
from ringfence.conversations.job_status import JobStatus
from ringfence.conversations.store import Store
from ringfence.errors import UnknownConversation


def content_binding(job: str) -> tuple[str | int, ...]:
    """What the sealed task is bound to."""
    return ("jobs", job, "content")


def result_binding(job: str) -> tuple[str | int, ...]:
    """What the sealed result is bound to."""
    return ("jobs", job, "result")


async def find_row(db: AsyncConnection, store: Store, job: str, *, lock: bool = False) -> Any:
    """The row of a job, or None; locked until the transaction ends, if the database has locks of rows."""
    table = store.tables.jobs
    wanted = select(table).where(table.c.id == job)
    return (await db.execute(wanted.with_for_update() if lock else wanted)).one_or_none()


async def read_row(db: AsyncConnection, store: Store, job: str, *, lock: bool = False) -> Any:
    """The row of a job.

    Raises:
        UnknownConversation: There is none.
    """
    row = await find_row(db, store, job, lock=lock)
    if row is None:
        raise UnknownConversation(f"The store {store.name} knows no job {job!r}")
    return row


def job_of(row: Any, store: Store, progress: Progress | None = None) -> Job:
    """What is told of a row."""
    content = store.sealer.open(row.content, *content_binding(row.id))
    result = store.sealer.open(row.result, *result_binding(row.id)) if row.result else {}
    status = JobStatus(row.status)
    return Job(
        id=row.id,
        status=status,
        user=content["user"],
        tenant=content["tenant"],
        task=content["task"],
        team=content["team"],
        priority=row.priority,
        attempts=row.attempts,
        most_attempts=row.most_attempts,
        due_at=moment(row.due_at),
        created_at=moment(row.created_at),
        updated_at=moment(row.updated_at),
        is_being_cancelled=bool(row.cancelled) and status is JobStatus.RUNNING,
        error=result.get("error", ""),
        progress=progress,
    )


def is_due(store: Store, now: float) -> ColumnElement[bool]:
    """Queued, and its time has come."""
    table = store.tables.jobs
    # What was never put off is due even if the clock was moved back since.
    has_come = or_(table.c.due_at <= now, table.c.due_at <= table.c.created_at)
    return and_(table.c.status == JobStatus.QUEUED, has_come)


def is_lost(store: Store, now: float) -> ColumnElement[bool]:
    """Running, although neither its worker nor a run of its conversation gave a sign of life for a lease."""
    table, talks, lease = store.tables.jobs, store.tables.conversations, store.settings.lease_seconds
    # A time in the future was written by a clock that was moved back since, and says nothing.
    lives = exists().where(
        talks.c.id == table.c.id, talks.c.owner != "", talks.c.leased_until.between(now, now + 2 * lease)
    )
    is_silent = or_(table.c.updated_at < now - lease, table.c.updated_at > now + lease)
    return and_(table.c.status == JobStatus.RUNNING, is_silent, ~lives)


def steps_of(store: Store) -> ColumnElement[int]:
    """How many steps the conversation of a job has made."""
    table, talks = store.tables.jobs, store.tables.conversations
    steps = select(talks.c.journal_rows).where(talks.c.id == table.c.id).scalar_subquery()
    return func.coalesce(steps, 0)


def has_room(store: Store, column: str, most: int) -> ColumnElement[bool]:
    """Fewer jobs run of its user or its tenant than may; `column` says of which."""
    table = store.tables.jobs
    others = table.alias("others")
    running = (
        select(func.count())
        .select_from(others)
        .where(others.c[column] == table.c[column], others.c.status == JobStatus.RUNNING)
        .scalar_subquery()
    )
    return or_(table.c[column] == "", running < most)


def in_turn(store: Store, wanted: Select[Any]) -> Select[Any]:
    """The jobs in the order in which they are taken: the highest priority first, then the oldest."""
    table = store.tables.jobs
    return wanted.order_by(table.c.priority.desc(), table.c.due_at, table.c.created_at, table.c.id)
