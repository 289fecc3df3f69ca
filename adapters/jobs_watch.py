"""`ringfence jobs watch`: what happens in a job, as it happens."""

import sys
from collections import deque
from contextlib import aclosing
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from ringfence.adapters.console import make_console
from ringfence.adapters.harmless import harmless, one_line
from ringfence.adapters.jobs_report import summary
from ringfence.adapters.streams import print_json
from ringfence.conversations.job_records import Job, JobEvent
from ringfence.conversations.job_status import JobStatus
from ringfence.conversations.jobs import Jobs

_SHOWN = 8
"""How many of the last events stand above where the job stands."""
_LONGEST_TEXT = 400


async def watch(jobs: Jobs, job: str, *, since: int, as_json: bool) -> Job:
    """Show the job until it ends or waits for a person; answers with it."""
    if as_json:
        return await _follow(jobs, job, since, _Lines())
    console = make_console()
    if not console.is_terminal:
        return await _follow(jobs, job, since, _Log(console))
    # Each change is drawn when it comes; nothing is drawn in between.
    with Live(console=console, auto_refresh=False, transient=False) as live:
        return await _follow(jobs, job, since, _View(live))


async def _follow(jobs: Jobs, job: str, since: int, shown: "_Lines | _Log | _View") -> Job:
    updates = jobs.updates(job, since)
    async with aclosing(updates):
        async for found, news in updates:
            for number, event in news:
                shown.event(number, event)
            if found.status.has_ended or found.status is JobStatus.WAITING:
                shown.end(found)
                return found
            shown.change(found)
    raise AssertionError  # updates go on until the job has ended


class _Lines:
    """JSON for scripts: a line for each event, and one for the job at the end."""

    def event(self, number: int, event: JobEvent) -> None:
        facts: dict[str, Any] = {
            "number": number,
            "turn": event.turn,
            "at": event.at.isoformat(),
            "type": event.kind,
            "source": event.source,
            "text": event.text,
        }
        print_json(facts)
        sys.stdout.flush()  # whoever reads it waits for this one

    def change(self, job: Job) -> None:
        """Scripts are told of the end."""

    def end(self, job: Job) -> None:
        print_json({"job": job.as_dict()})


class _Log:
    """Lines for a file or a pipe."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def event(self, number: int, event: JobEvent) -> None:
        self._console.print(_line(number, event))

    def change(self, job: Job) -> None:
        """Only the terminal shows what passes."""

    def end(self, job: Job) -> None:
        self._console.print(summary(job))


class _View:
    """The last events and where the job stands, drawn over and over in the same place."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._last: deque[Text] = deque(maxlen=_SHOWN)

    def event(self, number: int, event: JobEvent) -> None:
        self._last.append(_line(number, event))

    def change(self, job: Job) -> None:
        self._live.update(self._drawn(job), refresh=True)

    def end(self, job: Job) -> None:
        self.change(job)

    def _drawn(self, job: Job) -> RenderableType:
        return Group(*self._last, summary(job))


def _line(number: int, event: JobEvent) -> Text:
    text = harmless(one_line(event.text, most=_LONGEST_TEXT))
    return Text.assemble((f"{number:>4} ", "dim"), (one_line(event.source), "bold"), " ", text)
