"""How many conversations a second, with workers on PostgreSQL, and many at once in one process."""

import asyncio
import sys
import time
from pathlib import Path

from benchmarks.durability.suspended import resident_bytes
from benchmarks.durability.talks import TASK, bare_team, ringfence_at, team
from ringfence.agents.worker import Worker
from ringfence.conversations.job_status import JobStatus

_CONCURRENT_A_WORKER = 8


async def with_workers(url: str, workers: int, jobs: int) -> float:
    """Conversations a second of so many workers, each a process of its own."""
    ringfence = ringfence_at(url)
    ringfence.jobs.register("benchmark", team)
    async with ringfence.store.opened():
        ids = [await ringfence.jobs.submit(TASK, team="benchmark") for _ in range(jobs)]
        command = [sys.executable, "-m", "benchmarks.durability.throughput", url]
        # They import for a second or two, which is no part of the work.
        pipe = asyncio.subprocess.PIPE
        processes = [
            await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe) for _ in range(workers)
        ]
        for process in processes:
            await process.stdout.readline()  # type: ignore[union-attr]  # it is a pipe
        began = time.monotonic()
        await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
        seconds = time.monotonic() - began
        ended = [(await ringfence.jobs.status(one)).status for one in ids]
    await ringfence.close()
    if any(status is not JobStatus.DONE for status in ended):
        raise RuntimeError(f"jobs are left: {sorted(ended)}")
    return jobs / seconds


async def at_once(store: Path, count: int) -> tuple[float, float, float]:
    """So many conversations at once in one process.

    Returns:
        Conversations a second; bytes of each while all are alive; bytes of each of AutoGen's teams alone.
    """
    await bare_team().run(task=TASK)
    bare = [bare_team() for _ in range(count)]
    before = resident_bytes()
    await asyncio.gather(*(one.run(task=TASK) for one in bare))
    of_autogen = (resident_bytes() - before) / count
    ringfence = ringfence_at(store)
    async with ringfence.store.opened():
        await ringfence.conversation(team).run(task=TASK)
        before = resident_bytes()
        talks = [ringfence.conversation(team) for _ in range(count)]
        began = time.monotonic()
        await asyncio.gather(*(talk.run(task=TASK) for talk in talks))
        seconds = time.monotonic() - began
        ours = (resident_bytes() - before) / count
        if any(talk.status != "done" for talk in talks):
            raise RuntimeError("a conversation did not come to its end")
    await ringfence.close()
    return count / seconds, ours, of_autogen


async def _work(url: str) -> None:
    ringfence = ringfence_at(url)
    ringfence.jobs.register("benchmark", team)
    await ringfence.store.upgrade()
    # What is loaded once only is loaded before the start.
    warm = ringfence_at(None)
    await warm.conversation(team).run(task=TASK)
    await warm.close()
    print("ready", flush=True)
    sys.stdin.readline()
    await Worker(ringfence, concurrency=_CONCURRENT_A_WORKER).run(until_idle=True)
    await ringfence.close()


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1]))
