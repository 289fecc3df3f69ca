"""What workers do to the table of jobs. Each method is one transaction."""

import secrets
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, case, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.job_records import Claim
from ringfence.conversations.job_rows import (
    content_binding,
    find_row,
    has_room,
    in_turn,
    is_due,
    is_lost,
    result_binding,
    steps_of,
)
from ringfence.conversations.job_settings import JobSettings
from ringfence.conversations.job_status import JOBS, JobStatus
from ringfence.conversations.job_wakes import asks_nobody, wake_job, wake_jobs
from ringfence.conversations.journal import EVENTS
from ringfence.conversations.store import Store

_AT_ONCE = 100
"""How many lost jobs are looked after in one transaction."""


class JobQueue:
    """Hands out jobs, each to one worker, and takes in what became of them."""

    def __init__(self, store: Store, settings: JobSettings) -> None:
        self._store = store
        self._settings = settings

    @property
    def counts(self) -> bool:
        """Whether the end of one job can make room for another one, of the same user or tenant."""
        return self._settings.per_user is not None or self._settings.per_tenant is not None

    async def claim(self, worker: str, job: str | None = None) -> Claim | None:
        """Take the next job that is due, or this one; None when there is none that may run now."""
        store, table = self._store, self._store.tables.jobs
        ticket = f"{worker[:160]}/{secrets.token_hex(8)}"
        is_repeated = False

        async def take(db: AsyncConnection) -> Any:
            nonlocal is_repeated
            if is_repeated and (row := await self._held(db, ticket)) is not None:
                return row  # it was committed, and only the answer was lost
            is_repeated = True
            if self.counts:
                await self._one_at_a_time(db)
            now = await store.now(db)
            mine = () if job is None else (table.c.id == job,)
            may_run = select(table.c.id).where(is_due(store, now), *self._has_room(), *mine)
            chosen = in_turn(store, may_run).limit(1).with_for_update(skip_locked=True, of=table)
            steps = steps_of(store)
            taken = await db.execute(
                update(table)
                .where(table.c.id == chosen.scalar_subquery(), table.c.status == JobStatus.QUEUED)
                .values(
                    status=JobStatus.RUNNING,
                    worker=ticket,
                    attempts=case((steps > table.c.steps, 1), else_=table.c.attempts + 1),
                    steps=steps,
                    updated_at=now,
                )
                .returning(table)
            )
            row = taken.one_or_none()
            if row is not None:
                await store.notify(db, EVENTS, row.id)
            return row

        row = await store.run(take)
        if row is None:
            return None
        content = store.sealer.open(row.content, *content_binding(row.id))
        return Claim(
            id=row.id,
            ticket=ticket,
            task=content["task"],
            user=content["user"],
            team=content["team"],
            allow_changes=content.get("allow_changes", False),
            attempts=row.attempts,
            most_attempts=row.most_attempts,
        )

    async def end(self, claim: Claim, status: JobStatus, result: Mapping[str, Any]) -> bool:
        """Write down how a job ended, or that it waits; False when it is another worker's by now."""
        store = self._store

        async def write(db: AsyncConnection) -> bool:
            values: dict[str, Any] = {"status": status, "worker": ""}
            if not await self._change(db, claim, **values, result=self._sealed(claim.id, result)):
                return False
            if status is JobStatus.WAITING:
                # The person may have been quicker than this line.
                await wake_job(db, store, claim.id)
            await store.notify(db, EVENTS, claim.id)
            await store.notify(db, JOBS, claim.id)  # there is room for another one of this user
            return True

        return await store.run(write)

    async def try_again(self, claim: Claim, error: str) -> JobStatus | None:
        """Put a job back that failed but may work later, or end it after its last attempt.

        The wait grows while it makes no step. Answers with its status; None when it is another worker's.
        """
        store, table = self._store, self._store.tables.jobs

        async def write(db: AsyncConnection) -> JobStatus | None:
            row = await find_row(db, store, claim.id, lock=True)
            if row is None or row.worker != claim.ticket:
                return None
            steps = await db.execute(select(steps_of(store)).where(table.c.id == claim.id))
            gets_on = steps.scalar_one() > row.steps
            is_over = row.attempts >= row.most_attempts and not gets_on
            status = JobStatus.FAILED if is_over else JobStatus.QUEUED
            wait = self._settings.backoff(1 if gets_on else row.attempts)
            due_at = await store.now(db) + wait
            result = self._sealed(claim.id, {"error": error})
            await self._change(db, claim, status=status, worker="", due_at=due_at, result=result)
            await store.notify(db, EVENTS, claim.id)
            await store.notify(db, JOBS, claim.id)
            return status

        return await store.run(write)

    async def hand_back(self, claim: Claim, *, after_seconds: float = 0.0) -> None:
        """Put a job back that its worker did not get to run to its end; it does not count as an attempt."""
        store, table = self._store, self._store.tables.jobs

        async def write(db: AsyncConnection) -> None:
            due_at = await store.now(db) + after_seconds if after_seconds else table.c.created_at
            values = {"status": JobStatus.QUEUED, "worker": "", "due_at": due_at}
            if await self._change(db, claim, **values, attempts=max(claim.attempts - 1, 0)):
                await store.notify(db, JOBS, claim.id)
                await store.notify(db, EVENTS, claim.id)

        await store.run(write)

    async def beat(self, tickets: Collection[str]) -> set[str]:
        """Show that these jobs are still worked on; answers with the tickets of those that shall stop."""
        store, table = self._store, self._store.tables.jobs

        async def write(db: AsyncConnection) -> set[str]:
            mine = (table.c.worker.in_(tickets), table.c.status == JobStatus.RUNNING)
            await db.execute(update(table).where(*mine).values(updated_at=await store.now(db)))
            rows = await db.execute(select(table.c.worker).where(*mine, table.c.cancelled == 0))
            return {*tickets} - {*rows.scalars()}

        return await store.run(write) if tickets else set()

    async def look_after(self) -> list[str]:
        """Make those jobs due whose worker was lost, and those whose person had no more time to decide.

        Answers with the ids of the jobs that are due now because of that.
        """
        store, table = self._store, self._store.tables.jobs

        async def work(db: AsyncConnection) -> list[str]:
            now = await store.now(db)
            waiting = select(table.c.id).where(table.c.status == JobStatus.WAITING, asks_nobody(store, now))
            decided = (await db.execute(waiting.limit(_AT_ONCE))).scalars().all()
            woken = await wake_jobs(db, store, decided, now=now)
            lost = await db.execute(
                select(table, steps_of(store).label("steps_now"))
                .where(is_lost(store, now))
                .limit(_AT_ONCE)
                .with_for_update(skip_locked=True, of=table)
            )
            return [*woken, *[row.id for row in lost if await self._take_back(db, row, now)]]

        return await store.run(work)

    async def next_due(self) -> float | None:
        """In how many seconds the next job becomes due that was put off; None when there is none."""
        store, table = self._store, self._store.tables.jobs

        async def work(db: AsyncConnection) -> float | None:
            now = await store.now(db)
            later = (table.c.status == JobStatus.QUEUED, ~is_due(store, now))
            first = (await db.execute(select(func.min(table.c.due_at)).where(*later))).scalar_one()
            return None if first is None else max(float(first) - now, 0.0)

        return await store.read(work)

    async def due(self, most: int, *, for_seconds: float = 0.0) -> list[str]:
        """The next jobs that may run, and might have for so long, in order."""
        store, table = self._store, self._store.tables.jobs

        async def work(db: AsyncConnection) -> list[str]:
            now = await store.now(db)
            wanted = select(table.c.id).where(is_due(store, now), *self._has_room())
            if for_seconds:
                since = now - for_seconds
                wanted = wanted.where(table.c.due_at <= since, table.c.updated_at <= since)
            return [*(await db.execute(in_turn(store, wanted).limit(most))).scalars()]

        return await store.read(work)

    async def _take_back(self, db: AsyncConnection, row: Any, now: float) -> bool:
        table = self._store.tables.jobs
        values: dict[str, Any] = {"status": JobStatus.QUEUED, "due_at": table.c.created_at}
        if row.cancelled:
            values = {"status": JobStatus.CANCELLED}
        elif row.attempts >= row.most_attempts and row.steps_now <= row.steps:
            error = f"Its worker was lost {row.attempts} times, and it made no step in the last one"
            values = {"status": JobStatus.FAILED, "result": self._sealed(row.id, {"error": error})}
        same = (table.c.id == row.id, table.c.worker == row.worker, table.c.status == JobStatus.RUNNING)
        done = await db.execute(update(table).where(*same).values(**values, worker="", updated_at=now))
        await self._store.notify(db, JOBS, row.id)
        await self._store.notify(db, EVENTS, row.id)
        return done.rowcount == 1 and values["status"] is JobStatus.QUEUED

    async def _change(self, db: AsyncConnection, claim: Claim, **values: Any) -> bool:
        table = self._store.tables.jobs
        mine = (table.c.id == claim.id, table.c.worker == claim.ticket, table.c.status == JobStatus.RUNNING)
        if not JobStatus(values["status"]).has_ended:
            # Somebody cancelled it, and its run came to an end all the same.
            values["status"] = case((table.c.cancelled == 1, JobStatus.CANCELLED), else_=values["status"])
        now = await self._store.now(db)
        done = await db.execute(update(table).where(*mine).values(**values, updated_at=now))
        return done.rowcount == 1

    def _has_room(self) -> list[ColumnElement[bool]]:
        limits = {"user_hash": self._settings.per_user, "tenant_hash": self._settings.per_tenant}
        return [has_room(self._store, name, most) for name, most in limits.items() if most is not None]

    async def _held(self, db: AsyncConnection, ticket: str) -> Any:
        table = self._store.tables.jobs
        return (await db.execute(select(table).where(table.c.worker == ticket))).one_or_none()

    async def _one_at_a_time(self, db: AsyncConnection) -> None:
        # Two workers that count at the same moment would both see room; SQLite has one writer anyway.
        if db.dialect.name == "postgresql":
            name = self._store.tables.jobs.name
            await db.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})

    def _sealed(self, job: str, result: Mapping[str, Any]) -> str:
        return self._store.sealer.seal(dict(result), *result_binding(job))
