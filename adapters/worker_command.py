"""`ringfence worker`: runs jobs until it is told to stop."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ringfence.adapters.harmless import one_line
from ringfence.adapters.jobs_commands import opened
from ringfence.adapters.streams import print_json
from ringfence.agents.worker import Worker, worker_of
from ringfence.conversations.job_status import JobStatus
from ringfence.errors import PolicyError


async def run_worker(
    file: Path,
    console: Console,
    *,
    concurrency: int | None,
    delivery: str | None,
    until_idle: bool,
    as_json: bool,
) -> None:
    """Run the jobs of a policy file until SIGTERM or SIGINT, and tell of each that begins or ends.

    Raises:
        PolicyError: The team of the policy cannot be fenced; no job is taken.
        StoreError: The store cannot be opened.
    """

    def told(job: str, status: JobStatus, error: str) -> None:
        if as_json:
            print_json({"job": job, "status": status.value, "error": error or None})
            return
        said = f": {one_line(error)}" if error else ""
        console.print(Text(f"{one_line(job)} {status.value.replace('_', ' ')}{said}"))

    async with opened(file) as ringfence:
        if ringfence.policy.team is not None and (faults := await ringfence.check()):
            raise PolicyError(faults)
        worker = worker_of(ringfence, delivery=delivery, concurrency=concurrency, told=told)
        with _stopped_by_signals(worker):
            await worker.run(until_idle=until_idle)


@contextmanager
def _stopped_by_signals(worker: Worker) -> Iterator[None]:
    """The first signal lets jobs end or be handed back; a second one ends the process as usual."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)

    def stop() -> None:
        worker.stop()
        for one in signals:
            loop.remove_signal_handler(one)

    with suppress(NotImplementedError):  # Windows has no such handlers, and ends the process at once
        for one in signals:
            loop.add_signal_handler(one, stop)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            for one in signals:
                loop.remove_signal_handler(one)
