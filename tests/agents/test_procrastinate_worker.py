"""Jobs that procrastinate delivers, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from databases import postgres_url
from job_team import WAIT_SECONDS, JobTeam

from ringfence import Ringfence
from ringfence.agents.procrastinate_delivery import make_app
from ringfence.agents.procrastinate_worker import ProcrastinateWorker
from ringfence.agents.worker import worker_of
from ringfence.conversations.job_status import JobStatus
from ringfence.errors import PolicyError, StoreError

__all__ = ["postgres_url"]


@pytest.fixture
def team(tmp_path: Path, postgres_url: str) -> JobTeam:
    return JobTeam(tmp_path / "team", postgres_url, delivery="procrastinate", lease_seconds=4, per_user=1)


@pytest.fixture
async def ringfence(team: JobTeam) -> AsyncIterator[Ringfence]:
    ringfence = team.ringfence()
    await ringfence.store.upgrade()
    yield ringfence
    await ringfence.close()


async def delivered(ringfence: Ringfence) -> list[tuple[object, int]]:
    """What procrastinate has to deliver: the ids of jobs with their priorities."""
    async with make_app(ringfence.store).open_async() as app:
        return [(one.task_kwargs["job"], one.priority) for one in await app.job_manager.list_jobs_async()]


async def test_a_job_is_deferred_once_and_run(ringfence: Ringfence) -> None:
    """With its priority; handed in twice, it is on its way once."""
    for _ in range(2):
        await ringfence.jobs.submit("Look", id="job", priority=3)
    assert await delivered(ringfence) == [("job", 3)]
    worker = worker_of(ringfence)
    assert isinstance(worker, ProcrastinateWorker)
    await worker.run(until_idle=True)
    assert await ringfence.jobs.result("job") == "Said: Look. DONE"
    assert await delivered(ringfence) == []


async def test_limits_hold_and_the_end_of_one_job_delivers_the_next(
    team: JobTeam, ringfence: Ringfence
) -> None:
    """A delivery that finds no room leaves its job due."""
    worker = worker_of(ringfence, concurrency=4)
    running = asyncio.ensure_future(worker.run())
    await ringfence.jobs.submit("wait for a", id="a", user="jane")
    await team.until("begin a")
    await ringfence.jobs.submit("wait for b", id="b", user="jane")
    await ringfence.jobs.submit("wait for c", id="c", user="bob")
    await team.until("begin c")
    assert (await ringfence.jobs.status("b")).status is JobStatus.QUEUED
    for gate in ("a", "b", "c"):
        team.open(gate)
    for job in ("a", "b", "c"):
        assert (await ringfence.jobs.wait(job, WAIT_SECONDS)).status is JobStatus.DONE
    worker.stop()
    await running


async def test_what_was_not_delivered_is_found_and_what_was_running_is_handed_back(
    team: JobTeam, ringfence: Ringfence
) -> None:
    """The store says what is to be done, whatever procrastinate knows of it."""
    ringfence.jobs.delivery = None
    await ringfence.jobs.submit("wait for a", id="a")
    worker = worker_of(ringfence)
    running = asyncio.ensure_future(worker.run())
    await team.until("begin a")
    worker.stop()
    await running
    assert (await ringfence.jobs.status("a")).status is JobStatus.QUEUED
    team.open("a")
    await worker_of(ringfence).run(until_idle=True)
    assert (await ringfence.jobs.status("a")).status is JobStatus.DONE


async def test_an_approved_job_is_delivered_again(team: JobTeam, ringfence: Ringfence) -> None:
    """Its first delivery is over by then."""
    await ringfence.jobs.submit("pay 700", id="job")
    await worker_of(ringfence).run(until_idle=True)
    job = await ringfence.jobs.status("job")
    assert job.progress is not None
    await (await ringfence.open("job")).approve(job.progress.approvals[0].id, by="bob")
    await ringfence.jobs.deliver("job")
    await worker_of(ringfence).run(until_idle=True)
    assert (await ringfence.jobs.status("job")).status is JobStatus.DONE
    assert team.effects == ["paid 700"]


async def test_a_database_without_its_tables_is_said_to_lack_them(team: JobTeam) -> None:
    """A job is stored all the same, and the worker says what to do."""
    ringfence = team.ringfence()
    await ringfence.jobs.submit("Look", id="job")
    with pytest.raises(StoreError, match="`ringfence store upgrade` makes them"):
        await worker_of(ringfence).run()
    assert (await ringfence.jobs.status("job")).status is JobStatus.QUEUED
    await ringfence.close()


def test_procrastinate_needs_postgresql(tmp_path: Path) -> None:
    """A policy that asks for it with a file of SQLite is wrong."""
    team = JobTeam(tmp_path / "team", "sqlite:///store.sqlite", delivery="procrastinate")
    with pytest.raises(
        PolicyError, match=r"jobs\.delivery: is procrastinate, which needs a store on PostgreSQL"
    ):
        team.ringfence()
