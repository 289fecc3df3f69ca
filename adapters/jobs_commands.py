"""The commands of `ringfence jobs`, and `ringfence worker`.

What a command needs is imported when it runs, so that `--help` answers at once.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ringfence.adapters.arguments import plain_text
from ringfence.adapters.interrupts import run_until_interrupted
from ringfence.adapters.streams import only_json, print_json

if TYPE_CHECKING:
    from ringfence.agents.ringfence import Ringfence
    from ringfence.conversations.job_records import Job

T = TypeVar("T")

jobs_commands = typer.Typer(
    help="Tasks that are handed in now and worked on by `ringfence worker`, here or on another machine.",
    epilog="Of a job that ended or waits, show and watch answer with the exit code of its status.",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
File = Annotated[Path, typer.Argument(metavar="FILE")]
Id = Annotated[str, typer.Argument(metavar="ID", callback=plain_text)]


class Delivery(StrEnum):
    """What brings jobs to a worker."""

    LOCAL = "local"
    PROCRASTINATE = "procrastinate"


@jobs_commands.callback(invoke_without_command=True)
def _jobs(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@jobs_commands.command("submit")
def jobs_submit(  # noqa: PLR0917 - they are the options of a command
    file: File,
    task: Annotated[
        str, typer.Option(metavar="TEXT", help="What the team shall do; - reads it from the input.")
    ],
    job: Annotated[
        str | None,
        typer.Option(
            "--id", metavar="ID", help="Yours; the same task under it runs only once.", callback=plain_text
        ),
    ] = None,
    user: Annotated[str, typer.Option(metavar="NAME", help="Who hands it in.", callback=plain_text)] = "user",
    tenant: Annotated[str, typer.Option(metavar="NAME", help="On whose behalf.", callback=plain_text)] = "",
    priority: Annotated[int, typer.Option(metavar="N", help="Higher comes first.")] = 0,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Not to start before, such as 2027-01-31T08:00+01:00."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Hand in a task for a worker of the policy file FILE; its id is known at once."""
    import sys

    words = sys.stdin.read() if task == "-" else task
    when = None if at is None else _time(at)

    async def work(ringfence: "Ringfence") -> str:
        return await ringfence.jobs.submit(
            words, id=job, user=user, tenant=tenant, priority=priority, at=when
        )

    made = with_ringfence(file, work, as_json=as_json)
    if as_json:
        print_json({"id": made})
    else:
        typer.echo(made)
    return 0


@jobs_commands.command("list")
def jobs_list(
    file: File,
    status: Annotated[
        str | None, typer.Option(metavar="STATUS", help="Only those that are queued, running, done, ...")
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only those of this user.", callback=plain_text)
    ] = None,
    most: Annotated[int, typer.Option(min=1, metavar="N", help="No more than so many.")] = 100,
    as_json: AsJson = False,
) -> int:
    """List the jobs of the policy file FILE, the newest first."""
    from ringfence.adapters.console import make_console
    from ringfence.adapters.jobs_report import print_jobs
    from ringfence.conversations.job_status import JobStatus

    if status is not None and status not in set(JobStatus):
        raise typer.BadParameter(f"--status is one of {', '.join(JobStatus)}")

    async def work(ringfence: "Ringfence") -> "list[Job]":
        return await ringfence.jobs.list(status=status, user=user, most=most)

    found = with_ringfence(file, work, as_json=as_json)
    if as_json:
        print_json({"jobs": [job.as_dict() for job in found]})
    else:
        print_jobs(make_console(), found)
    return 0


@jobs_commands.command("show")
def jobs_show(file: File, job: Id, as_json: AsJson = False) -> int:
    """Show where the job ID stands, what it has used, what waits, and its answer."""
    from ringfence.adapters.console import make_console
    from ringfence.adapters.jobs_report import exit_of_job, print_job
    from ringfence.conversations.job_status import JobStatus

    async def work(ringfence: "Ringfence") -> "tuple[Job, str | None]":
        found = await ringfence.jobs.status(job)
        return found, await ringfence.jobs.result(job) if found.status is JobStatus.DONE else None

    found, answer = with_ringfence(file, work, as_json=as_json)
    if as_json:
        print_json(found.as_dict() | {"answer": answer})
    else:
        print_job(make_console(), found, answer)
    return exit_of_job(found)


@jobs_commands.command("watch")
def jobs_watch(
    file: File,
    job: Id,
    since: Annotated[int, typer.Option(min=0, metavar="N", help="Only events after this number.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each event, and one at the end.")
    ] = False,
) -> int:
    """Watch the job ID live until it ends or waits for a person."""
    from ringfence.adapters.jobs_report import exit_of_job
    from ringfence.adapters.jobs_watch import watch

    async def work(ringfence: "Ringfence") -> "Job":
        return await watch(ringfence.jobs, job, since=since, as_json=as_json)

    return exit_of_job(with_ringfence(file, work, as_json=False))


@jobs_commands.command("cancel")
def jobs_cancel(file: File, job: Id, as_json: AsJson = False) -> int:
    """Stop the job ID: at once when it does not run, and soon when it does."""
    return _changed(file, lambda ringfence: ringfence.jobs.cancel(job), as_json=as_json)


@jobs_commands.command("retry")
def jobs_retry(
    file: File,
    job: Id,
    allow_changes: Annotated[
        bool,
        typer.Option("--allow-changes", help="Also with another team, policy or model than it began with."),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Let the job ID, which failed or was cancelled, go on where it stopped."""
    return _changed(
        file, lambda ringfence: ringfence.jobs.retry(job, allow_changes=allow_changes), as_json=as_json
    )


def worker(
    file: File,
    concurrency: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Jobs at once. [default: the policy's]")
    ] = None,
    delivery: Annotated[
        Delivery | None, typer.Option(help="What brings the jobs. [default: the policy's]")
    ] = None,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="End when no job is due.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each job that begins or ends.")
    ] = False,
) -> int:
    """Run the jobs that were handed in for the policy file FILE, until SIGTERM or Ctrl-C.

    Start as many as you like, on as many machines as reach the store. What a worker was doing that is lost,
    another one goes on with.
    """
    from ringfence.adapters.console import make_console
    from ringfence.adapters.worker_command import run_worker

    run_until_interrupted(
        run_worker(
            file,
            make_console(),
            concurrency=concurrency,
            delivery=delivery,
            until_idle=until_idle,
            as_json=as_json,
        )
    )
    return 0


def with_ringfence(file: Path, work: "Callable[[Ringfence], Awaitable[T]]", *, as_json: bool) -> T:
    """Do the work with the Ringfence of a policy file, in a loop of its own."""

    async def whole() -> T:
        async with opened(file) as ringfence:
            return await work(ringfence)

    with only_json() if as_json else nullcontext():
        return run_until_interrupted(whole())


@asynccontextmanager
async def opened(file: Path) -> "AsyncIterator[Ringfence]":
    """The Ringfence of a policy file, closed afterwards."""
    from ringfence.agents.ringfence import Ringfence

    ringfence = Ringfence.from_file(file)
    try:
        async with ringfence.store.opened():
            yield ringfence
    finally:
        await ringfence.close()


def _changed(file: Path, change: "Callable[[Ringfence], Awaitable[Job]]", *, as_json: bool) -> int:
    from ringfence.adapters.jobs_report import status_words

    found = with_ringfence(file, change, as_json=as_json)
    if as_json:
        print_json(found.as_dict())
    else:
        typer.echo(f"{found.id} {status_words(found)}")
    return 0


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"--at {text!r} is no time such as 2027-01-31T08:00+01:00") from None
