"""Workers: jobs run to their end, whatever happens to the worker, and none of them twice."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from databases import KEYS_TEXT, postgres_url, store_url
from fenced import team_of
from job_team import WAIT_SECONDS, JobTeam
from scripted import Scripted

from ringfence import Ringfence
from ringfence.agents.worker import Worker, run_or_resume
from ringfence.conversations.job_status import JobStatus
from ringfence.errors import JobError

__all__ = ["postgres_url", "store_url"]

Make = Callable[..., JobTeam]


@pytest.fixture
def at(tmp_path: Path, store_url: str) -> Make:
    """Makes the team with a policy whose `store` and `jobs` sections the test gives."""
    return lambda **sections: JobTeam(tmp_path / "team", store_url, **sections)


@asynccontextmanager
async def process(team: JobTeam) -> AsyncIterator[Ringfence]:
    """A Ringfence of its own, as each process has one."""
    ringfence = team.ringfence()
    try:
        yield ringfence
    finally:
        await ringfence.close()


@asynccontextmanager
async def working(ringfence: Ringfence, **options: Any) -> AsyncIterator[Worker]:
    """A worker that runs meanwhile."""
    worker = Worker(ringfence, **options)
    running = asyncio.ensure_future(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await running


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes that are ended with the test."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for one in processes:
        one.kill()
        one.communicate()


ENVIRONMENT = os.environ | {"RINGFENCE_VAULT_KEYS": KEYS_TEXT}


# To the end


async def test_a_job_runs_to_its_answer(at: Make) -> None:
    """Its events are numbered and end with it, and its user sees real values where the team saw none."""
    async with process(at()) as ringfence, working(ringfence):
        jobs = ringfence.jobs
        job = await jobs.submit("Write to jane@acme.com", user="bob")
        told = [(number, event.source, event.text) async for number, event in jobs.events(job)]
        assert told == [
            (1, "user", "Write to jane@acme.com"),
            (2, "clerk", "Said: Write to jane@acme.com. DONE"),
        ]
        assert [number async for number, _ in jobs.events(job, since=1)] == [2]
        assert await jobs.result(job) == "Said: Write to jane@acme.com. DONE"
        found = await jobs.status(job)
        assert found.status is JobStatus.DONE
        assert found.progress is not None
        assert (found.progress.usage.model_calls, found.progress.limits.turns) == (1, 3)
        talk = await ringfence.open(job)
        assert talk.user == "bob"
        assert "jane@acme.com" not in str(talk.transcript)


async def test_no_more_jobs_run_at_once_than_the_worker_may(at: Make) -> None:
    """The next one begins when one ends."""
    team = at(concurrency=2)
    async with process(team) as ringfence, working(ringfence):
        for gate in ("a", "b", "c"):
            await ringfence.jobs.submit(f"wait for {gate}", id=gate)
        await team.until("begin a", "begin b")
        assert (await ringfence.jobs.status("c")).status is JobStatus.QUEUED
        team.open("c")
        team.open("a")
        await team.until("end a", "end c")
        assert "end b" not in team.effects
        team.open("b")
        assert (await ringfence.jobs.wait("b", WAIT_SECONDS)).status is JobStatus.DONE


async def test_a_job_that_is_delivered_twice_runs_once(at: Make) -> None:
    """Whoever comes second returns; and so does whoever comes when all is done."""
    team = at()
    team.open("gate")
    async with process(team) as one, process(team) as another:
        await one.jobs.submit("wait for gate", id="job")
        await asyncio.gather(*(run_or_resume(each, "job") for each in (one, another, one, another)))
        await run_or_resume(one, "job")
        await run_or_resume(one, "nobody")
        assert (await one.jobs.status("job")).status is JobStatus.DONE
    assert team.effects == ["begin gate", "end gate"]


async def test_two_workers_share_the_jobs(at: Make) -> None:
    """Each job is run by one of them, once."""
    team = at()
    team.open("gate")
    async with process(team) as one, process(team) as another:
        for number in range(12):
            await one.jobs.submit("wait for gate", id=f"job-{number}")
        await asyncio.gather(*(Worker(each).run(until_idle=True) for each in (one, another)))
        ended = [await one.jobs.wait(f"job-{number}", WAIT_SECONDS) for number in range(12)]
        assert {job.status for job in ended} == {JobStatus.DONE}
    assert team.effects.count("begin gate") == team.effects.count("end gate") == 12


# Failures


async def test_a_provider_that_fails_for_a_while_is_asked_again(at: Make) -> None:
    """The job goes on where it stopped: the tool does not run again."""
    replies = iter([ConnectionError("down"), ConnectionError("down"), "Up again. DONE"])

    async def fail() -> None:
        reply = next(replies)
        if isinstance(reply, Exception):
            raise reply

    model = Scripted("Up again. DONE", on_call=fail)
    async with process(at()) as ringfence:
        ringfence.jobs.register("flaky", team_of(model))
        await ringfence.jobs.submit("Look", id="job", team="flaky")
        told: list[tuple[JobStatus, str]] = []
        async with working(ringfence, told=lambda _job, status, error: told.append((status, error))):
            assert (await ringfence.jobs.wait("job", WAIT_SECONDS)).error == ""
        assert await ringfence.jobs.result("job") == "Up again. DONE"
    assert [status.value for status, _ in told] == [
        "running",
        "queued",
        "running",
        "queued",
        "running",
        "done",
    ]


async def test_a_guardrails_no_and_a_limit_are_final(at: Make) -> None:
    """They are not tried again, and say why."""
    async with process(at()) as ringfence:
        jobs = ringfence.jobs
        await jobs.submit("My number is 536-90-4399", id="blocked")
        await jobs.submit("talk for ever", id="endless")
        await Worker(ringfence).run(until_idle=True)
        blocked, endless = await jobs.status("blocked"), await jobs.status("endless")
        assert (blocked.status, blocked.attempts) == (JobStatus.BLOCKED, 1)
        assert "blocked the input" in blocked.error
        assert (endless.status, endless.attempts) == (JobStatus.LIMIT_REACHED, 1)
        assert "turns limit" in endless.error
        with pytest.raises(JobError, match="is limit_reached: The turns limit"):
            await jobs.result("endless")


async def test_a_team_that_no_worker_knows_is_said_to_be_missing(at: Make) -> None:
    """A name has to be registered; a reference is found beside the policy."""
    async with process(at()) as ringfence:
        await ringfence.jobs.submit("Look", id="named", team="support")
        await ringfence.jobs.submit("Look", id="referred", team="team.py:other")
        await Worker(ringfence).run(until_idle=True)
        named = await ringfence.jobs.status("named")
        assert named.status is JobStatus.FAILED
        assert "has no team 'support'; let it call jobs.register('support', factory)" in named.error
        assert await ringfence.jobs.result("referred") == "Said: Look. DONE"


async def test_a_bug_in_a_team_shows_its_type_and_nothing_of_its_text(at: Make) -> None:
    """What an error says that nobody foresaw may be personal."""

    def broken(_fence: object) -> Any:
        raise KeyError("jane@acme.com")

    async with process(at()) as ringfence:
        ringfence.jobs.register("broken", broken)
        await ringfence.jobs.submit("Look", id="job", team="broken")
        await Worker(ringfence).run(until_idle=True)
        assert (await ringfence.jobs.status("job")).error == "It failed with KeyError"


# People


async def test_an_approval_in_another_process_lets_the_job_go_on(at: Make) -> None:
    """The worker hears of it; meanwhile the job takes no place, and the call runs once."""
    team = at(concurrency=1)
    async with process(team) as ringfence, process(team) as elsewhere, working(ringfence):
        await ringfence.jobs.submit("pay 700", id="job")
        job = await ringfence.jobs.wait("job", WAIT_SECONDS)
        assert job.status is JobStatus.WAITING
        assert job.progress is not None
        (request,) = job.progress.approvals
        await ringfence.jobs.submit("Look", id="another")
        assert (await ringfence.jobs.wait("another", WAIT_SECONDS)).status is JobStatus.DONE
        talk = await elsewhere.open("job")
        await talk.approve(request.id, by="bob")
        async for _ in elsewhere.jobs.events("job"):
            pass
        assert await elsewhere.jobs.result("job") == "Said: paid 700. DONE"
    assert team.effects == ["paid 700"]


async def test_what_was_withdrawn_is_not_begun_anew(at: Make) -> None:
    """The job counts as cancelled."""
    async with process(at()) as ringfence:
        await ringfence.jobs.submit("pay 700", id="job")
        await Worker(ringfence).run(until_idle=True)
        await (await ringfence.open("job")).withdraw()
        await Worker(ringfence).run(until_idle=True)
        assert (await ringfence.jobs.status("job")).status is JobStatus.CANCELLED


async def test_a_running_job_is_cancelled_from_another_process(at: Make) -> None:
    """Its team stops; a retry goes on where it stopped."""
    team = at()
    async with process(team) as ringfence, process(team) as elsewhere, working(ringfence):
        await ringfence.jobs.submit("wait for gate", id="job")
        await team.until("begin gate")
        await elsewhere.jobs.cancel("job")
        assert (await ringfence.jobs.wait("job", WAIT_SECONDS)).status is JobStatus.CANCELLED
        team.open("gate")
        await elsewhere.jobs.retry("job")
        assert (await ringfence.jobs.wait("job", WAIT_SECONDS)).status is JobStatus.DONE
    assert team.effects == ["begin gate", "begin gate", "end gate"]


async def test_a_job_does_not_go_on_with_another_policy_unless_that_is_allowed(at: Make) -> None:
    """It fails and says what changed; a retry may allow it."""
    team = at()
    async with process(team) as ringfence:
        await ringfence.jobs.submit("pay 700", id="job")
        await Worker(ringfence).run(until_idle=True)
    team.policy.write_text(team.policy.read_text() + "reasks: 2\n")
    async with process(team) as ringfence:
        jobs = ringfence.jobs
        job = await jobs.status("job")
        assert job.progress is not None
        await (await ringfence.open("job")).reject(job.progress.approvals[0].id, by="bob")
        await Worker(ringfence).run(until_idle=True)
        job = await jobs.status("job")
        assert job.status is JobStatus.FAILED
        assert "policy" in job.error
        await jobs.retry("job", allow_changes=True)
        await Worker(ringfence).run(until_idle=True)
        assert (await jobs.status("job")).status is JobStatus.WAITING
    assert team.effects == []


# Workers that end


async def test_a_worker_that_is_told_to_stop_hands_its_jobs_back(at: Make) -> None:
    """Another one goes on at once, where the first one stopped."""
    team = at()
    async with process(team) as one, process(team) as another:
        await one.jobs.submit("wait for gate", id="job")
        async with working(one):
            await team.until("begin gate")
        job = await one.jobs.status("job")
        assert (job.status, job.attempts) == (JobStatus.QUEUED, 0)
        team.open("gate")
        await Worker(another).run(until_idle=True)
        assert (await one.jobs.status("job")).status is JobStatus.DONE
    assert team.effects == ["begin gate", "begin gate", "end gate"]


async def test_a_worker_lets_its_jobs_end_within_the_grace_time(at: Make) -> None:
    """What ends in time is not handed back."""
    team = at(grace_seconds=WAIT_SECONDS)
    async with process(team) as ringfence:
        await ringfence.jobs.submit("wait for gate", id="job")
        worker = Worker(ringfence)
        running = asyncio.ensure_future(worker.run())
        await team.until("begin gate")
        worker.stop()
        team.open("gate")
        await running
        assert (await ringfence.jobs.status("job")).status is JobStatus.DONE


async def test_a_job_of_a_killed_process_is_taken_over(
    at: Make, started: list["subprocess.Popen[str]"]
) -> None:
    """The model is not asked again for what it said before, and what the tool was doing it does again."""
    team = at(lease_seconds=2)
    async with process(team) as ringfence:
        await ringfence.jobs.submit("wait for gate", id="job")
        killed = team.worker(environment=ENVIRONMENT)
        started.append(killed)
        await team.until("begin gate")
        killed.kill()
        team.open("gate")
        async with working(ringfence):
            job = await ringfence.jobs.wait("job", WAIT_SECONDS)
        assert (job.status, job.attempts) == (JobStatus.DONE, 1)
        assert job.progress is not None
        assert job.progress.usage.model_calls == 2
    assert team.effects == ["begin gate", "begin gate", "end gate"]


async def test_a_process_that_is_told_to_end_hands_its_jobs_back(
    at: Make, started: list["subprocess.Popen[str]"]
) -> None:
    """SIGTERM ends it well, and nobody has to wait for its lease to run out."""
    team = at()
    async with process(team) as ringfence:
        await ringfence.jobs.submit("wait for gate", id="job")
        ended = team.worker(environment=ENVIRONMENT)
        started.append(ended)
        await team.until("begin gate")
        ended.terminate()
        assert await asyncio.to_thread(ended.wait, WAIT_SECONDS) == 0
        assert (await ringfence.jobs.status("job")).status is JobStatus.QUEUED
        team.open("gate")
        await Worker(ringfence).run(until_idle=True)
        assert (await ringfence.jobs.status("job")).status is JobStatus.DONE
    assert team.effects == ["begin gate", "begin gate", "end gate"]


async def test_a_worker_that_slept_past_its_lease_does_nothing_any_more(
    at: Make, started: list["subprocess.Popen[str]"]
) -> None:
    """Woken after another one took its job over, it cannot write, and its word does not count."""
    team = at(lease_seconds=2)
    async with process(team) as ringfence:
        await ringfence.jobs.submit("wait for gate", id="job")
        sleeper = team.worker("--json", environment=ENVIRONMENT)
        started.append(sleeper)
        await team.until("begin gate")
        sleeper.send_signal(signal.SIGSTOP)
        async with working(ringfence):
            await team.until("begin gate", "begin gate")
            sleeper.send_signal(signal.SIGCONT)
            team.open("gate")
            assert (await ringfence.jobs.wait("job", WAIT_SECONDS)).status is JobStatus.DONE
        sleeper.send_signal(signal.SIGTERM)
        out, _ = await asyncio.to_thread(sleeper.communicate)
        assert '"done"' not in out
        talk = await ringfence.open("job")
        assert [entry.text for entry in talk.transcript][-1] == "Said: went through gate. DONE"
        assert len(talk.transcript) == 4


async def test_events_of_another_process_come_as_they_happen(
    at: Make, started: list["subprocess.Popen[str]"]
) -> None:
    """The subscriber hears what the team did before while the job still runs."""
    team = at()
    team.open("first")
    async with process(team) as ringfence:
        await ringfence.jobs.submit("wait for first and hold second", id="job")
        started.append(team.worker("--until-idle", environment=ENVIRONMENT))
        kinds = []
        async for _, event in ringfence.jobs.events("job"):
            kinds.append(event.kind)
            if event.text == "went through first":
                assert (await ringfence.jobs.status("job")).status is JobStatus.RUNNING
                assert "end second" not in team.effects
                team.open("second")
    calls = ["ToolCallRequestEvent", "ToolCallExecutionEvent"]
    assert kinds == ["TextMessage", *calls, *calls, "TextMessage"]
