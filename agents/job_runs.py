"""Working on a job: its conversation is begun or taken up, and what became of it is written down."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from enum import Enum
from typing import Any

from autogen_core import CancellationToken

from ringfence.agents.job_talk import talk_through
from ringfence.agents.ringfence import Ringfence
from ringfence.conversations.job_records import Claim
from ringfence.conversations.job_status import CANCELLED, JobStatus
from ringfence.conversations.records import find_record
from ringfence.errors import (
    ConversationChanged,
    ConversationInterrupted,
    GuardrailTripped,
    LimitExceeded,
    ModelCallFailed,
    RingfenceError,
    StoreError,
    is_suspension,
)

_BEATS_A_LEASE = 3

Told = Callable[[str, JobStatus, str], None]
"""Hears the id of a job, its new status, and what went wrong."""


class Stop(Enum):
    """Why a job that runs shall stop."""

    CANCELLED = "cancelled"
    """Somebody cancelled it, or another worker has it by now."""
    HANDED_BACK = "handed back"
    """Its worker ends, and another one goes on with it."""


class JobRun:
    """A job that this process works on."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.token = CancellationToken()
        self.reason: Stop | None = None

    def stop(self, reason: Stop) -> None:
        """Let its conversation stop soon."""
        self.reason = self.reason or reason
        self.token.cancel()


class JobRuns:
    """The jobs that one event loop works on."""

    def __init__(self, ringfence: Ringfence, *, name: str | None = None, told: Told | None = None) -> None:
        """Set up for a worker.

        Args:
            ringfence: Whose jobs they are.
            name: The worker's; None is that of the host and the process.
            told: Hears of every job that begins and ends.
        """
        self._ringfence = ringfence
        self._queue = ringfence.jobs.queue
        self._name = name or f"{socket.gethostname()}:{os.getpid()}"
        self._told = told or (lambda _job, _status, _error: None)
        self._runs: dict[str, JobRun] = {}

    async def take(self, job: str | None = None) -> JobRun | None:
        """The next job that may run, or this one; None when there is none."""
        claim = await self._queue.claim(self._name, job)
        if claim is None:
            return None
        run = self._runs[claim.ticket] = JobRun(claim)
        self._told(claim.id, JobStatus.RUNNING, "")
        return run

    async def work(self, run: JobRun) -> None:
        """Work on a job until it ends, waits or is stopped, and write down what became of it."""
        # When the store does not answer, nothing is lost: the job is found again as one without a worker.
        with suppress(StoreError):
            try:
                await self._work(run)
            except asyncio.CancelledError:
                await self._queue.hand_back(run.claim)
                raise
            finally:
                del self._runs[run.claim.ticket]
            await self._ringfence.jobs.deliver_next()

    def stop_all(self) -> None:
        """Let all jobs stop, so that other workers go on with them."""
        for run in self._runs.values():
            run.stop(Stop.HANDED_BACK)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Meanwhile, show that the jobs are worked on, and stop those that somebody cancels."""
        watch = asyncio.ensure_future(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def _watch(self) -> None:
        store = self._ringfence.store
        async with store.changes(CANCELLED) as changed:
            while True:
                await changed(store.settings.lease_seconds / _BEATS_A_LEASE)
                with suppress(StoreError):
                    for ticket in await self._queue.beat([*self._runs]):
                        if ticket in self._runs:
                            self._runs[ticket].stop(Stop.CANCELLED)

    async def _work(self, run: JobRun) -> None:
        claim = run.claim
        try:
            ended = await talk_through(self._ringfence, claim, run.token)
        except Exception as error:
            await self._failed(run, error)
        else:
            await self._end(claim, ended.status, ended.result)

    async def _failed(self, run: JobRun, error: Exception) -> None:
        claim, said = run.claim, _words(error)
        match error:
            case _ if run.reason is Stop.CANCELLED:
                await self._end(
                    claim, JobStatus.CANCELLED, {"error": "It was cancelled while it was running"}
                )
            case _ if run.reason is Stop.HANDED_BACK:
                await self._hand_back(claim)
            case _ if is_suspension(error):
                await self._end(claim, JobStatus.WAITING, {})
            case GuardrailTripped():
                await self._end(claim, JobStatus.BLOCKED, {"error": said})
            case LimitExceeded():
                await self._end(claim, JobStatus.LIMIT_REACHED, {"error": said})
            case _ if not _may_pass(error):
                await self._end(claim, JobStatus.FAILED, {"error": said})
            case _ if await self._runs_elsewhere(claim.id):
                await self._hand_back(claim, after_seconds=self._ringfence.store.settings.lease_seconds)
            case _:
                if status := await self._queue.try_again(claim, said):
                    self._told(claim.id, status, said)
                    await self._ringfence.jobs.deliver(claim.id)

    async def _end(self, claim: Claim, status: JobStatus, result: dict[str, Any]) -> None:
        if await self._queue.end(claim, status, result):
            self._told(claim.id, status, result.get("error", ""))
            await self._ringfence.jobs.deliver(claim.id)  # when its person was quicker than this

    async def _hand_back(self, claim: Claim, *, after_seconds: float = 0.0) -> None:
        await self._queue.hand_back(claim, after_seconds=after_seconds)
        self._told(claim.id, JobStatus.QUEUED, "")
        await self._ringfence.jobs.deliver(claim.id)

    async def _runs_elsewhere(self, conversation: str) -> bool:
        store = self._ringfence.store
        record = await store.read(lambda db: find_record(db, store, conversation))
        return record is not None and record.is_running


def _may_pass(error: Exception) -> bool:
    match error:
        case ModelCallFailed():
            return error.retryable
        case ConversationChanged():
            return False
        case _:
            return isinstance(error, ConversationInterrupted | StoreError)


def _words(error: Exception) -> str:
    """What went wrong; of an error that nobody foresaw only the type, for its text may hold anything."""
    return str(error) if isinstance(error, RingfenceError) else f"It failed with {type(error).__name__}"
