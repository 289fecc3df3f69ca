"""Runs the jobs of a store, as many at once as it may, until it is told to stop."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

from ringfence.agents.job_runs import JobRuns, Told
from ringfence.agents.ringfence import Ringfence
from ringfence.conversations.job_status import JOBS
from ringfence.errors import StoreError

_LOOKS_A_LEASE = 2
_PRUNE_SECONDS = 3600.0
"""How often what is older than the policy keeps it is deleted."""
HARD_STOP_SECONDS = 5.0
"""How long a conversation that was cancelled has to end by itself."""


async def run_or_resume(ringfence: Ringfence, job: str) -> None:
    """Work on this job, if it is due and nobody does; what a delivery has to call with a job's id.

    May be called too often, too early and at several places at once: one works on the job, and the others
    return. A job that has no room now stays due.

    Args:
        ringfence: With the store that holds the job.
        job: Its id.
    """
    runs = JobRuns(ringfence)
    async with ringfence.store.opened(), runs.watching():
        run = await runs.take(job)
        if run is not None:
            await runs.work(run)


class Worker:
    """Takes jobs that are due, hears of new ones, and looks after those whose worker was lost."""

    def __init__(
        self,
        ringfence: Ringfence,
        *,
        concurrency: int | None = None,
        grace_seconds: float | None = None,
        name: str | None = None,
        told: Told | None = None,
    ) -> None:
        """Set up over a Ringfence.

        Args:
            ringfence: Whose jobs it runs.
            concurrency: How many at once; None takes the policy's.
            grace_seconds: How long its jobs run on when it shall stop; None takes the policy's.
            name: Shown with what it runs; None is that of the host and the process.
            told: Hears of every job that begins and ends: its id, its status, and what went wrong.
        """
        settings = ringfence.jobs.settings
        self._ringfence = ringfence
        self._concurrency = settings.concurrency if concurrency is None else concurrency
        self._grace_seconds = settings.grace_seconds if grace_seconds is None else grace_seconds
        self._look_seconds = ringfence.store.settings.lease_seconds / _LOOKS_A_LEASE
        self._runs = JobRuns(ringfence, name=name, told=told)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._looked_at = self._pruned_at = 0.0

    def stop(self) -> None:
        """Take no more jobs; those that run have the grace time to end, and are handed back then."""
        self._stopping.set()

    async def run(self, *, until_idle: bool = False) -> None:
        """Work until `stop`.

        Args:
            until_idle: End, too, when no job runs and none is due.

        Raises:
            StoreError: The store cannot be opened. Later on, the worker waits until it answers again.
        """
        store = self._ringfence.store
        async with store.opened(), self._runs.watching(), store.changes(JOBS) as changed:
            try:
                while not self._stopping.is_set():
                    pause = self._look_seconds
                    # A store that does not answer is asked again later.
                    with suppress(StoreError):
                        pause = min(pause, await self._take_what_is_due())
                        if until_idle and not self._tasks:
                            return
                    await self._pause(changed, pause)
            finally:
                await self._finish()

    async def _take_what_is_due(self) -> float:
        """Begin as many jobs as there is room for; answers with the seconds after which to look again."""
        jobs = self._ringfence.jobs
        if monotonic() >= self._looked_at + self._look_seconds or not self._looked_at:
            await jobs.look_after()
            self._looked_at = monotonic()
        if monotonic() >= self._pruned_at + _PRUNE_SECONDS or not self._pruned_at:
            await self._ringfence.store.prune()
            self._pruned_at = monotonic()
        while len(self._tasks) < self._concurrency and not self._stopping.is_set():
            run = await self._runs.take()
            if run is None:
                later = await jobs.queue.next_due()
                return self._look_seconds if later is None else later
            task = asyncio.ensure_future(self._runs.work(run))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return self._look_seconds

    async def _pause(self, changed: Callable[[float], Awaitable[None]], seconds: float) -> None:
        """Wait until a job becomes due or ends, until the worker shall stop, or for so long."""
        waits = [asyncio.ensure_future(changed(seconds)), asyncio.ensure_future(self._stopping.wait())]
        try:
            await asyncio.wait([*waits, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _finish(self) -> None:
        if self._tasks and self._grace_seconds:
            await asyncio.wait(self._tasks, timeout=self._grace_seconds)
        self._runs.stop_all()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=HARD_STOP_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def worker_of(
    ringfence: Ringfence,
    *,
    delivery: str | None = None,
    concurrency: int | None = None,
    told: Told | None = None,
) -> Worker:
    """A worker for what the policy says of the delivery, or for this one.

    Raises:
        PolicyError: The store is not on PostgreSQL, or procrastinate is not installed.
    """
    if (delivery or ringfence.jobs.settings.delivery) == "local":
        return Worker(ringfence, concurrency=concurrency, told=told)
    from ringfence.agents.procrastinate_worker import ProcrastinateWorker

    return ProcrastinateWorker(ringfence, concurrency=concurrency, told=told)
