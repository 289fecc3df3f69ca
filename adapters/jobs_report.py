"""Jobs in words and tables."""

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ringfence.adapters.console import call_line, usage_line
from ringfence.adapters.harmless import harmless, one_line
from ringfence.adapters.outcome import Exit
from ringfence.conversations.job_records import Job
from ringfence.conversations.job_status import JobStatus

_COLORS = {
    JobStatus.RUNNING: "cyan",
    JobStatus.WAITING: "yellow",
    JobStatus.DONE: "green",
    JobStatus.LIMIT_REACHED: "yellow",
    JobStatus.BLOCKED: "red",
    JobStatus.FAILED: "red",
}
_LONGEST_ERROR = 80


def exit_of_job(job: Job) -> Exit:
    """The exit code of a job's status."""
    match job.status:
        case JobStatus.DONE | JobStatus.QUEUED | JobStatus.RUNNING:
            return Exit.DONE
        case JobStatus.WAITING:
            return Exit.WAITING_FOR_APPROVAL
        case JobStatus.LIMIT_REACHED:
            return Exit.LIMIT_REACHED
        case JobStatus.BLOCKED:
            return Exit.BLOCKED
        case _:
            return Exit.FAILED


def print_jobs(console: Console, jobs: Sequence[Job]) -> None:
    """One line for each job."""
    if not jobs:
        console.print("There are no such jobs.")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("job", "status", "user", "handed in", "tried", "error"):
        table.add_column(name, header_style="dim", overflow="fold")
    for job in jobs:
        table.add_row(
            Text(one_line(job.id)),
            Text(status_words(job), _COLORS.get(job.status, "")),
            Text(one_line(job.user)),
            Text(f"{job.created_at:%Y-%m-%d %H:%M}"),
            Text(f"{job.attempts} of {job.most_attempts}"),
            Text(one_line(job.error, most=_LONGEST_ERROR)),
        )
    console.print(table)


def print_job(console: Console, job: Job, answer: str | None) -> None:
    """All that is known of a job."""
    console.print(summary(job))
    if answer is not None:
        console.print(Text(harmless(answer)))


def summary(job: Job) -> RenderableType:
    """Where a job stands, what it has used, what went wrong, and what waits for whom."""
    lines = [Text.assemble((one_line(job.id), "bold"), " ", (status_words(job), _COLORS.get(job.status, "")))]
    if job.progress is not None:
        lines.append(Text(usage_line(job.progress.usage, job.progress.limits), "dim"))
    if job.error:
        lines.append(Text(one_line(job.error), "red"))
    if job.progress is not None:
        lines += [
            Text(f"Waits for approval: {one_line(call_line(one.tool, one.arguments))} ({one.id})")
            for one in job.progress.approvals
        ]
        lines += [
            Text(f"Waits for an answer: {one_line(one.prompt)} ({one.id})") for one in job.progress.questions
        ]
    return Group(*lines)


def status_words(job: Job) -> str:
    """The status of a job, with what one has to know of it."""
    if job.is_being_cancelled:
        return "running, and is being cancelled"
    if job.status is JobStatus.QUEUED and job.due_at > max(job.created_at, job.updated_at):
        return f"queued until {job.due_at:%Y-%m-%d %H:%M:%S} UTC"
    return job.status.value.replace("_", " ")
