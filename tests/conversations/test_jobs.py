"""Jobs in the store: handed in once, taken by one worker each, in order and within their limits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from databases import postgres_url, store_at, store_url
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.job_records import Claim
from ringfence.conversations.job_settings import JobSettings
from ringfence.conversations.job_status import JobStatus
from ringfence.conversations.jobs import Jobs
from ringfence.conversations.store import Store
from ringfence.errors import JobError, StoreError, TaskError, UnknownConversation

__all__ = ["postgres_url", "store_url"]

LEASE = 30.0


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """A store of its own, on each database."""
    store = store_at(store_url, lease_seconds=LEASE)
    async with store.opened():
        yield store


@pytest.fixture
def jobs(store: Store) -> Jobs:
    return Jobs(store)


async def taken(jobs: Jobs, worker: str = "worker") -> Claim:
    """The claim of the next job."""
    claim = await jobs.queue.claim(worker)
    assert claim is not None
    return claim


async def failed(jobs: Jobs, claim: Claim | None = None) -> JobStatus | None:
    """What becomes of a job, or the next one, that failed in a way that may pass."""
    return await jobs.queue.try_again(claim or await taken(jobs), "The model did not answer")


async def status(jobs: Jobs, job: str) -> JobStatus:
    return (await jobs.status(job)).status


async def pass_time(store: Store, seconds: float) -> None:
    """Let all that stands in the store be older by so much."""
    talks, jobs, requests = store.tables.conversations, store.tables.jobs, store.tables.requests

    async def age(db: AsyncConnection) -> None:
        await db.execute(update(talks).values(leased_until=talks.c.leased_until - seconds))
        times = {name: jobs.c[name] - seconds for name in ("due_at", "created_at", "updated_at")}
        await db.execute(update(jobs).values(times))
        await db.execute(update(requests).values(expires_at=requests.c.expires_at - seconds))

    await store.run(age)


async def conversation(store: Store, job: str, *, steps: int = 0, leased_for: float = 0.0) -> None:
    """Let the job have a conversation of so many steps, which somebody runs for so long."""

    async def write(db: AsyncConnection) -> None:
        now = await store.now(db)
        row = {
            "id": job, "user_hash": "", "user_sealed": "",
            "status": "running", "epoch": 1, "owner": "somebody" if leased_for else "",
            "leased_until": now + leased_for, "journal_rows": steps, "created_at": now, "updated_at": now,
        }  # fmt: skip
        await db.execute(store.tables.conversations.delete().where(store.tables.conversations.c.id == job))
        await db.execute(insert(store.tables.conversations).values(row))

    await store.run(write)


async def ask(store: Store, job: str, request: str, *, seconds: float = 600) -> None:
    """Let a request of the job's conversation wait for a person."""

    async def write(db: AsyncConnection) -> None:
        now = await store.now(db)
        row = {
            "id": request, "conversation": job, "turn": 1, "kind": "approval", "key": "tool:1",
            "status": "waiting", "content": "", "asked_at": now, "expires_at": now + seconds,
        }  # fmt: skip
        await db.execute(insert(store.tables.requests).values(row))

    await store.run(write)


async def decide(store: Store, jobs: Jobs, job: str, request: str) -> bool:
    """Decide a request, as a conversation does it; says whether the job is due now."""
    table = store.tables.requests

    async def write(db: AsyncConnection) -> bool:
        await db.execute(update(table).where(table.c.id == request).values(status="decided"))
        return await jobs.wake(job, db)

    return bool(await store.run(write))


# Handing in


async def test_a_task_is_handed_in_once(jobs: Jobs) -> None:
    """The same id with the same task is the same job; it runs once."""
    assert await jobs.submit("Refund order 1182", id="ticket-1", user="jane") == "ticket-1"
    assert await jobs.submit("Refund order 1182", id="ticket-1", user="jane") == "ticket-1"
    assert [job.id for job in await jobs.list()] == ["ticket-1"]
    await taken(jobs)
    assert await jobs.queue.claim("another worker") is None


async def test_two_that_hand_in_the_same_at_once_make_one_job(jobs: Jobs) -> None:
    """Whoever comes second finds the job of the first."""
    ids = await asyncio.gather(*(jobs.submit("Look", id="same") for _ in range(8)))
    assert set(ids) == {"same"}
    assert len(await jobs.list()) == 1


async def test_an_id_belongs_to_one_task(jobs: Jobs, store: Store) -> None:
    """Another task, or another user, under the same id is an error and changes nothing."""
    await jobs.submit("Refund order 1182", id="ticket-1", user="jane")
    with pytest.raises(JobError, match="another job's"):
        await jobs.submit("Refund order 9999", id="ticket-1", user="jane")
    with pytest.raises(JobError, match="another job's"):
        await jobs.submit("Refund order 1182", id="ticket-1", user="bob")
    assert (await jobs.status("ticket-1")).task == "Refund order 1182"
    await conversation(store, "talk-1")
    with pytest.raises(JobError, match="There is a conversation 'talk-1' already"):
        await jobs.submit("Refund order 1182", id="talk-1")


async def test_what_cannot_be_a_job_is_refused_before_it_is_stored(store: Store) -> None:
    """With the reason, and with what to do."""

    def check(task: str) -> None:
        if not task.strip():
            raise TaskError("The task is empty; say what the team shall do")

    jobs = Jobs(store, check_task=check)
    with pytest.raises(TaskError, match="is empty"):
        await jobs.submit(" ")
    with pytest.raises(TaskError, match="is a text, not int"):
        await jobs.submit(7)  # type: ignore[arg-type]  # what a caller without a type checker does
    with pytest.raises(JobError, match="register\\(name, factory\\)"):
        await jobs.submit("Look", team=lambda fence: None)  # type: ignore[arg-type]  # likewise
    with pytest.raises(JobError, match="time zone"):
        await jobs.submit("Look", at=datetime(2030, 1, 1))  # noqa: DTZ001 - that is what is wrong with it
    with pytest.raises(JobError, match="1 to 200 printable"):
        await jobs.submit("Look", id="a\nb")
    with pytest.raises(JobError, match="priority"):
        await jobs.submit("Look", priority=2**40)
    assert await jobs.list() == []


async def test_nothing_of_the_task_stands_in_the_clear(jobs: Jobs, store: Store) -> None:
    """Task, user and tenant are sealed, and so is an error."""
    await jobs.submit("Write to jane@acme.com", user="bob@acme.com", tenant="acme")
    await jobs.queue.try_again(await taken(jobs), "The provider of acme.com failed")

    async def rows(db: AsyncConnection) -> Any:
        return (await db.execute(store.tables.jobs.select())).all()

    assert "acme" not in str(await store.read(rows))


# Taking


async def test_the_highest_priority_comes_first_then_the_oldest(jobs: Jobs) -> None:
    """Whatever the order in which jobs were handed in."""
    for job, priority in [("a", 0), ("b", 0), ("urgent", 9), ("later", -1)]:
        await jobs.submit("Look", id=job, priority=priority)
    assert [(await taken(jobs)).id for _ in range(4)] == ["urgent", "a", "b", "later"]


async def test_a_job_is_taken_by_one_worker(jobs: Jobs) -> None:
    """However many ask at the same moment."""
    for number in range(6):
        await jobs.submit("Look", id=f"job-{number}")
    claims = await asyncio.gather(*(jobs.queue.claim(f"worker {number}") for number in range(10)))
    ids = [claim.id for claim in claims if claim is not None]
    assert sorted(ids) == [f"job-{number}" for number in range(6)]


@pytest.mark.parametrize("settings", [{"per_user": 2}, {"per_tenant": 2}], ids=["user", "tenant"])
async def test_no_more_jobs_of_one_run_at_once_than_may(store: Store, settings: dict[str, int]) -> None:
    """Jobs of others go first, even when they are less urgent; the end of one makes room for the next."""
    jobs = Jobs(store, settings=JobSettings.model_validate(settings))
    for number in range(4):
        await jobs.submit("Look", id=f"jane-{number}", user="jane", tenant="acme", priority=5)
    await jobs.submit("Look", id="bob-0", user="bob", tenant="other")
    claims = await asyncio.gather(*(jobs.queue.claim(f"worker {number}") for number in range(6)))
    running = [claim for claim in claims if claim is not None]
    assert sorted(claim.id.partition("-")[0] for claim in running) == ["bob", "jane", "jane"]
    assert await jobs.queue.due(9) == []
    await jobs.queue.end(next(one for one in running if one.user == "jane"), JobStatus.DONE, {"answer": ""})
    assert (await taken(jobs)).user == "jane"
    assert await jobs.queue.claim("worker") is None


async def test_jobs_without_a_tenant_count_for_none(store: Store) -> None:
    """A limit by tenant does not make one tenant of all who name none."""
    jobs = Jobs(store, settings=JobSettings(per_tenant=1))
    await jobs.submit("Look", id="a")
    await jobs.submit("Look", id="b")
    assert {(await taken(jobs)).id, (await taken(jobs)).id} == {"a", "b"}


async def test_a_job_starts_at_its_time(jobs: Jobs, store: Store) -> None:
    """And not before; a worker knows how long it may sleep."""
    await jobs.submit("Look", id="tonight", at=datetime.now(UTC) + timedelta(hours=8))
    assert await jobs.queue.claim("worker") is None
    wait = await jobs.queue.next_due()
    assert wait is not None
    assert 8 * 3600 - 60 < wait <= 8 * 3600
    await pass_time(store, 8 * 3600 + 1)
    assert (await taken(jobs)).id == "tonight"


async def test_a_clock_that_is_set_back_holds_no_job_up(jobs: Jobs, store: Store) -> None:
    """A job that was due when it was handed in is due, whatever the time."""
    await jobs.submit("Look", id="a")
    await pass_time(store, -3600)
    assert (await taken(jobs)).id == "a"


# Failing


async def test_a_job_that_fails_is_tried_again_later_and_later(store: Store) -> None:
    """Until its attempts are used up; then it has failed, and says of what."""
    jobs = Jobs(store, settings=JobSettings(retries=2, backoff_seconds=10))
    await jobs.submit("Look", id="a")
    waits = []
    while await failed(jobs) is JobStatus.QUEUED:
        assert await jobs.queue.claim("worker") is None
        waits.append(await jobs.queue.next_due() or 0)
        await pass_time(store, waits[-1] + 1)
    assert [round(wait, -1) for wait in waits] == [10, 20]
    job = await jobs.status("a")
    assert (job.status, job.attempts, job.error) == (JobStatus.FAILED, 3, "The model did not answer")
    with pytest.raises(JobError, match="is failed: The model did not answer"):
        await jobs.result("a")
    assert (await jobs.retry("a")).status is JobStatus.QUEUED
    assert (await taken(jobs)).attempts == 1


async def test_attempts_count_only_while_nothing_is_achieved(store: Store) -> None:
    """A long conversation may meet many failures, if it gets on between them."""
    jobs = Jobs(store, settings=JobSettings(retries=1))
    await jobs.submit("Look", id="a")
    for steps in range(1, 6):
        claim = await taken(jobs)
        await conversation(store, "a", steps=steps)
        assert await failed(jobs, claim) is JobStatus.QUEUED
        await pass_time(store, 3600)
    assert await failed(jobs) is JobStatus.QUEUED
    await pass_time(store, 3600)
    assert await failed(jobs) is JobStatus.FAILED


async def test_a_job_that_ended_well_is_not_retried(jobs: Jobs) -> None:
    """It would do its work twice."""
    await jobs.submit("Look", id="a")
    await jobs.queue.end(await taken(jobs), JobStatus.DONE, {"answer": "Seen."})
    with pytest.raises(JobError, match="is done"):
        await jobs.retry("a")
    assert await jobs.result("a") == "Seen."


# Losing


async def test_a_job_whose_worker_is_gone_is_taken_over(jobs: Jobs, store: Store) -> None:
    """A lease after its last sign of life, and not before; what the lost worker says then counts no more."""
    await jobs.submit("Look", id="a")
    lost = await taken(jobs, "lost")
    assert await jobs.queue.look_after() == []
    await pass_time(store, LEASE + 1)
    assert await jobs.queue.look_after() == ["a"]
    claim = await taken(jobs, "another")
    assert (claim.id, claim.attempts) == ("a", 2)
    assert not await jobs.queue.end(lost, JobStatus.FAILED, {"error": "It is not mine any more"})
    assert await jobs.queue.beat([lost.ticket, claim.ticket]) == {lost.ticket}
    assert await jobs.queue.end(claim, JobStatus.DONE, {"answer": "Seen."})


async def test_a_job_that_is_worked_on_is_nobody_elses(jobs: Jobs, store: Store) -> None:
    """A heartbeat of the worker, or the lease of the conversation, shows that somebody does."""
    for job in ("beating", "leased", "lost"):
        await jobs.submit("Look", id=job)
    claims = {claim.id: claim for claim in [await taken(jobs), await taken(jobs), await taken(jobs)]}
    await pass_time(store, LEASE + 1)
    await jobs.queue.beat([claims["beating"].ticket])
    await conversation(store, "leased", leased_for=LEASE)
    assert await jobs.queue.look_after() == ["lost"]


async def test_a_job_that_kills_its_workers_is_given_up(store: Store) -> None:
    """After its attempts, so that it does not take down one worker after the other for ever."""
    jobs = Jobs(store, settings=JobSettings(retries=1))
    await jobs.submit("Look", id="deadly")
    for _ in range(2):
        await taken(jobs)
        await pass_time(store, LEASE + 1)
        await jobs.queue.look_after()
    job = await jobs.status("deadly")
    assert (job.status, job.error) == (
        JobStatus.FAILED,
        "Its worker was lost 2 times, and it made no step in the last one",
    )


async def test_a_worker_that_ends_hands_its_job_back(jobs: Jobs) -> None:
    """Another one takes it at once, and it counts as no attempt."""
    await jobs.submit("Look", id="a")
    await jobs.queue.hand_back(await taken(jobs))
    assert (await taken(jobs)).attempts == 1


# Waiting for a person


async def test_a_waiting_job_is_due_again_when_the_last_request_is_decided(jobs: Jobs, store: Store) -> None:
    """It takes no place meanwhile, and its decision counts in whatever process it is made."""
    await jobs.submit("Look", id="a")
    claim = await taken(jobs)
    await ask(store, "a", "first")
    await ask(store, "a", "second")
    await jobs.queue.end(claim, JobStatus.WAITING, {})
    assert (await jobs.wait("a")).status is JobStatus.WAITING
    assert not await decide(store, jobs, "a", "first")
    assert await jobs.queue.claim("worker") is None
    assert await decide(store, jobs, "a", "second")
    assert (await taken(jobs)).id == "a"
    assert not await decide(store, jobs, "no job", "second")


async def test_a_decision_that_is_quicker_than_the_worker_is_not_lost(jobs: Jobs, store: Store) -> None:
    """The person decides between the end of the conversation's run and the worker's note of it."""
    await jobs.submit("Look", id="a")
    claim = await taken(jobs)
    await ask(store, "a", "first")
    assert not await decide(store, jobs, "a", "first")
    await jobs.queue.end(claim, JobStatus.WAITING, {})
    assert await status(jobs, "a") is JobStatus.QUEUED


async def test_a_decision_and_the_workers_note_at_the_same_moment(jobs: Jobs, store: Store) -> None:
    """Whichever of the two comes first, the job is due afterwards."""
    for number in range(20):
        job = f"job-{number}"
        await jobs.submit("Look", id=job)
        claim = await taken(jobs)
        await ask(store, job, f"request-{number}")
        await asyncio.gather(
            jobs.queue.end(claim, JobStatus.WAITING, {}), decide(store, jobs, job, f"request-{number}")
        )
        assert await status(jobs, job) is JobStatus.QUEUED
        await taken(jobs)


async def test_a_request_that_nobody_decided_in_time_does_not_hold_its_job_for_ever(
    jobs: Jobs, store: Store
) -> None:
    """The team hears that the time is over."""
    await jobs.submit("Look", id="a")
    claim = await taken(jobs)
    await ask(store, "a", "first", seconds=600)
    await jobs.queue.end(claim, JobStatus.WAITING, {})
    assert await jobs.queue.look_after() == []
    await pass_time(store, 601)
    assert await jobs.queue.look_after() == ["a"]


# Cancelling


async def test_a_queued_job_is_cancelled_at_once(jobs: Jobs) -> None:
    """Nobody takes it any more, until it is retried."""
    await jobs.submit("Look", id="a")
    assert (await jobs.cancel("a")).status is JobStatus.CANCELLED
    assert await jobs.queue.claim("worker") is None
    assert (await jobs.retry("a")).status is JobStatus.QUEUED


async def test_a_running_job_is_flagged_and_its_worker_hears_of_it(jobs: Jobs, store: Store) -> None:
    """With its next heartbeat at the latest; one whose worker is gone is cancelled, and not taken over."""
    await jobs.submit("Look", id="a")
    claim = await taken(jobs)
    assert await jobs.queue.beat([claim.ticket]) == set()
    job = await jobs.cancel("a")
    assert (job.status, job.is_being_cancelled) == (JobStatus.RUNNING, True)
    assert await jobs.queue.beat([claim.ticket]) == {claim.ticket}
    await pass_time(store, LEASE + 1)
    assert await jobs.queue.look_after() == []
    assert await status(jobs, "a") is JobStatus.CANCELLED


async def test_a_job_that_is_cancelled_as_its_run_ends_does_not_go_on(jobs: Jobs) -> None:
    """Whether it was about to wait for a person, to be tried again, or to be handed back."""
    for job in ("waiting", "failing", "handed back"):
        await jobs.submit("Look", id=job)
    claims = {claim.id: claim for claim in [await taken(jobs), await taken(jobs), await taken(jobs)]}
    for job in claims:
        await jobs.cancel(job)
    await jobs.queue.end(claims["waiting"], JobStatus.WAITING, {})
    await failed(jobs, claims["failing"])
    await jobs.queue.hand_back(claims["handed back"])
    assert {job.status for job in await jobs.list()} == {JobStatus.CANCELLED}


async def test_cancelling_what_has_ended_changes_nothing(jobs: Jobs) -> None:
    """What is done stays done."""
    await jobs.submit("Look", id="a")
    await jobs.queue.end(await taken(jobs), JobStatus.DONE, {"answer": "Seen."})
    assert (await jobs.cancel("a")).status is JobStatus.DONE


# Looking


async def test_an_unknown_id_is_said_to_be_unknown(jobs: Jobs) -> None:
    """By everything that takes an id."""
    asking: list[Callable[[str], object]] = [jobs.status, jobs.result, jobs.wait, jobs.cancel, jobs.retry]
    for ask_for in asking:
        with pytest.raises(UnknownConversation, match="knows no job 'nobody'"):
            await ask_for("nobody")  # type: ignore[misc]  # all of them are coroutines
    with pytest.raises(UnknownConversation):
        await anext(jobs.events("nobody"))


async def test_lists_are_by_status_and_by_user(jobs: Jobs) -> None:
    """The newest first."""
    await jobs.submit("Look", id="a", user="jane")
    await jobs.submit("Look", id="b", user="bob")
    await jobs.submit("Look", id="c", user="jane")
    assert (await taken(jobs)).id == "a"
    assert [job.id for job in await jobs.list(user="jane")] == ["c", "a"]
    assert [job.id for job in await jobs.list(status="running")] == ["a"]


async def test_somebody_who_waits_hears_of_the_end(jobs: Jobs) -> None:
    """Without asking over and over; and when the time is over, of that."""
    await jobs.submit("Look", id="a")
    with pytest.raises(TimeoutError, match="is queued after 0"):
        await jobs.wait("a", 0)
    with pytest.raises(JobError, match="no result yet"):
        await jobs.result("a")
    waiting = asyncio.ensure_future(jobs.wait("a", 20))
    claim = await taken(jobs)
    await jobs.queue.end(claim, JobStatus.DONE, {"answer": "Seen."})
    assert (await waiting).status is JobStatus.DONE


async def test_a_changed_row_does_not_pass_for_a_job(jobs: Jobs, store: Store) -> None:
    """The task of one job is no task of another one, even for somebody who can write to the database."""
    await jobs.submit("Look", id="a")
    await jobs.submit("Refund everything", id="b")
    table = store.tables.jobs

    async def swap(db: AsyncConnection) -> None:
        content = (await db.execute(table.select().where(table.c.id == "b"))).one().content
        await db.execute(update(table).where(table.c.id == "a").values(content=content))

    await store.run(swap)
    with pytest.raises(StoreError, match="was changed"):
        await jobs.status("a")


async def test_two_stores_in_one_database_know_nothing_of_each_other(store_url: str, store: Store) -> None:
    """Each prefix has jobs of its own."""
    await Jobs(store).submit("Look", id="a")
    other = store_at(store_url, prefix="other_")
    async with other.opened():
        assert await Jobs(other).list() == []
