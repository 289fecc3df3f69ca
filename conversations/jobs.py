"""Tasks that are handed in now and worked on by a worker, in this process or in another."""

import uuid
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.budgets.limits import Limits
from ringfence.conversations.job_changes import cancel_job, retry_job
from ringfence.conversations.job_delivery import Delivery
from ringfence.conversations.job_queue import JobQueue
from ringfence.conversations.job_records import Job, JobEvent, moment
from ringfence.conversations.job_rows import (
    job_of,
    read_row,
)
from ringfence.conversations.job_settings import JobSettings
from ringfence.conversations.job_status import JobStatus
from ringfence.conversations.job_views import JobViews, News
from ringfence.conversations.job_wakes import wake_job
from ringfence.conversations.journal import EVENTS
from ringfence.conversations.new_job import NewJob
from ringfence.conversations.store import Store
from ringfence.errors import JobError

_LATE_AT_ONCE = 100
_LOOK_AGAIN_SECONDS = 30.0
"""How long a subscriber waits for a notification before it looks by itself."""


class Jobs:
    """The jobs of a store: handed in, looked at, cancelled. A worker runs them.

    A job is a conversation, and its id is the conversation's.
    """

    def __init__(
        self,
        store: Store,
        *,
        settings: JobSettings | None = None,
        check_task: Callable[[str], object] = str,
        limits: Callable[[], Limits] = Limits,
        reveal_to_user: Callable[[], Collection[str] | None] = lambda: None,
        delivery: Delivery | None = None,
    ) -> None:
        """Set up over a store.

        Args:
            store: Holds the jobs and their conversations.
            settings: The `jobs` section of the policy.
            check_task: Raises TaskError when a task cannot be worked on.
            limits: What a conversation may use; shown beside its progress.
            reveal_to_user: The entity types whose real values users see; None means all.
            delivery: Brings jobs to workers; None leaves it to workers that listen to the store.
        """
        self._store = store
        self._check_task = check_task
        self._views = JobViews(store, limits, reveal_to_user)
        self.settings = settings or JobSettings()
        self.queue = JobQueue(store, self.settings)
        self.delivery = delivery
        self.teams: dict[str, Callable[[Any], Any]] = {}
        """Team factories by the names that `register` gave them."""

    def register(self, name: str, factory: Callable[[Any], Any]) -> None:
        """Let the workers of this process build the team of this name with this factory.

        Raises:
            JobError: Another factory has the name.
        """
        if self.teams.setdefault(name, factory) is not factory:
            raise JobError(f"The team {name!r} is registered already, with another factory")

    async def submit(
        self,
        task: str,
        *,
        id: str | None = None,  # noqa: A002 - the word that everybody uses for it
        user: str = "user",
        tenant: str = "",
        team: str | None = None,
        priority: int = 0,
        at: datetime | None = None,
        retries: int | None = None,
    ) -> str:
        """Hand in a task and get its id at once; the same task under the same id is handed in only once.

        Args:
            task: What the team shall do.
            id: Yours; becomes the id of the conversation, too. None makes one.
            user: Who hands it in; a limit counts by user.
            tenant: On whose behalf; a limit counts by tenant, except by the empty one.
            team: None is the team of the policy. Otherwise a name that the workers registered, or
                `file.py:name` beside the policy file.
            priority: Higher comes first.
            at: Not to start before; with a time zone.
            retries: How often it is tried again while it makes no step; None takes the policy's.

        Raises:
            TaskError: The task cannot be worked on.
            JobError: The id is taken, by another task or by a conversation; or an argument is wrong.
            StoreError: It could not be written, so it was not handed in.
        """
        new = NewJob(
            id=f"job-{uuid.uuid4().hex[:12]}" if id is None else id,
            task=task,
            user=user,
            tenant=tenant,
            team=team,
            priority=priority,
            at=at,
            retries=self.settings.retries if retries is None else retries,
        )
        new.check()
        self._check_task(task)
        await self._store.run(lambda db: new.write(db, self._store))
        await self.deliver(new.id)
        return new.id

    async def status(self, id: str) -> Job:  # noqa: A002
        """Where a job stands, with its progress.

        Raises:
            UnknownConversation: There is no such job.
        """
        return await self._store.read(lambda db: self._views.job(db, id))

    async def result(self, id: str) -> str:  # noqa: A002
        """The team's answer as the user may see it.

        Raises:
            UnknownConversation: There is no such job.
            JobError: It has no answer, because it has not ended, or not well; says which.
        """
        job = await self.status(id)
        if not job.status.has_ended:
            raise JobError(f"Job {id!r} is {job.status}; it has no result yet")
        if job.status is not JobStatus.DONE:
            raise JobError(f"Job {id!r} is {job.status}{job.error and ': ' + job.error}")
        return await self._store.read(lambda db: self._views.answer(db, id))

    async def wait(self, id: str, timeout: float | None = None) -> Job:  # noqa: A002, ASYNC109 - as asyncio.wait
        """Wait until a job has ended or waits for a person.

        Args:
            id: The job's.
            timeout: In seconds.

        Raises:
            UnknownConversation: There is no such job.
            TimeoutError: It is neither yet.
        """
        until = None if timeout is None else monotonic() + timeout
        async with self._store.changes(EVENTS) as changed:
            while True:
                row = await self._store.read(lambda db: read_row(db, self._store, id))
                status = JobStatus(row.status)
                if status.has_ended or status is JobStatus.WAITING:
                    return await self.status(id)
                left = _LOOK_AGAIN_SECONDS if until is None else until - monotonic()
                if left <= 0:
                    raise TimeoutError(f"Job {id!r} is {status} after {timeout:g} s")
                await changed(min(left, _LOOK_AGAIN_SECONDS))

    async def events(self, id: str, since: int = 0) -> AsyncGenerator[tuple[int, JobEvent], None]:  # noqa: A002
        """What happens in a job, numbered from 1, as the user may see it; ends with the job.

        Args:
            id: The job's.
            since: Only what comes after this number.

        Raises:
            UnknownConversation: There is no such job.
        """
        async for _, news in self.updates(id, since):
            for number, event in news:
                yield number, event

    async def updates(
        self,
        id: str,  # noqa: A002
        since: int = 0,
    ) -> AsyncGenerator[tuple[Job, News], None]:
        """The job and what is new in it, now and after each change; ends with the job. Raises as `events`."""
        seen: object = ()
        async with self._store.changes(EVENTS) as changed:
            while True:
                # Most of what is told is told of other conversations.
                if (mark := await self._store.read(lambda db: self._views.mark(db, id))) != seen:
                    job, news = await self._news(id, since)
                    seen, since = mark, news[-1][0] if news else since
                    yield job, news
                    if job.status.has_ended:
                        return
                await changed(_LOOK_AGAIN_SECONDS)

    async def _news(self, job: str, since: int) -> tuple[Job, News]:
        return await self._store.read(lambda db: self._views.news(db, job, since))

    async def cancel(self, id: str) -> Job:  # noqa: A002
        """Stop a job: at once when it does not run, and soon when it does; an ended one stays as it is.

        Raises:
            UnknownConversation: There is no such job.
        """
        await self._store.run(lambda db: cancel_job(db, self._store, id))
        return await self.status(id)

    async def retry(self, id: str, *, allow_changes: bool = False) -> Job:  # noqa: A002
        """Let a job that failed or was cancelled go on where it stopped, with all its attempts.

        Args:
            id: The job's.
            allow_changes: Also with another team, policy or model than its turn began with: the turn is
                begun anew then.

        Raises:
            UnknownConversation: There is no such job.
            JobError: It did not fail, and was not cancelled.
        """
        await self._store.run(lambda db: retry_job(db, self._store, id, allow_changes=allow_changes))
        await self.deliver(id)
        return await self.status(id)

    async def list(
        self, *, status: JobStatus | str | None = None, user: str | None = None, most: int = 1000
    ) -> list[Job]:
        """Jobs, the newest first; without their progress."""
        store, table = self._store, self._store.tables.jobs
        wanted = select(table).order_by(table.c.created_at.desc(), table.c.id).limit(most)
        if status is not None:
            wanted = wanted.where(table.c.status == JobStatus(status))
        if user is not None:
            wanted = wanted.where(table.c.user_hash.in_(store.sealer.hashes_of(user)))

        async def read(db: AsyncConnection) -> Any:
            return (await db.execute(wanted)).all()

        return [job_of(row, store) for row in await store.read(read)]

    async def wake(self, conversation: str, db: AsyncConnection) -> bool:
        """Make a waiting job due, when nothing of it waits for a person any more.

        Belongs into the transaction that writes the decision. Says whether it is due; then call `deliver`
        after the transaction. A conversation that is no job is none of our business.
        """
        return await wake_job(db, self._store, conversation)

    async def deliver(self, id: str) -> None:  # noqa: A002
        """Have a due job brought to a worker; without a delivery the workers have heard of it already."""
        if self.delivery is None:
            return
        row = await self._store.read(lambda db: read_row(db, self._store, id))
        if row.status == JobStatus.QUEUED:
            later = moment(row.due_at) if row.due_at > row.created_at else None
            # The job is stored; what was not delivered is found by `look_after`.
            with suppress(Exception):
                await self.delivery.deliver(id, priority=row.priority, at=later)

    async def look_after(self) -> None:
        """Find jobs whose worker was lost, whose person ran out of time, or that no delivery brought.

        A worker does so twice in a lease; where none runs all the time, something has to call it regularly.
        """
        woken = await self.queue.look_after()
        if self.delivery is not None:
            late = await self.queue.due(_LATE_AT_ONCE, for_seconds=self._store.settings.lease_seconds / 2)
            for job in dict.fromkeys([*woken, *late]):
                await self.deliver(job)

    async def deliver_next(self) -> None:
        """Have the job brought to a worker that the end of another one has made room for."""
        if self.delivery is not None and self.queue.counts:
            for job in await self.queue.due(1):
                await self.deliver(job)
