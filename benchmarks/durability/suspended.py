"""Conversations that wait for a person: none is lost in a restart, and they cost a process nothing."""

import asyncio
import gc
import os
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.durability.talks import TASK, ringfence_at, waiting_team
from ringfence.conversations.status import Status

_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int:
    """What the process holds in memory now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE


async def suspend(store: str, count: int) -> dict[str, Any]:
    """Let so many conversations run until they wait, and say what the process holds then."""
    ringfence = ringfence_at(store)
    async with ringfence.store.opened():
        for number in range(20):  # what is made once only does not count
            await ringfence.conversation(waiting_team, id=f"warm-{number}").run(task=TASK)
    idle, tasks, threads = resident_bytes(), len(asyncio.all_tasks()), threading.active_count()
    began = time.monotonic()
    async with ringfence.store.opened():
        for number in range(count):
            talk = ringfence.conversation(waiting_team, id=f"talk-{number}")
            await talk.run(task=TASK)
            if talk.status is not Status.WAITING_FOR_APPROVAL:
                raise RuntimeError(f"{talk} does not wait")
        del talk
    seconds = time.monotonic() - began
    rows = resident_bytes()
    held = [ringfence.conversation(waiting_team, id=f"talk-{number}") for number in range(count)]
    async with ringfence.store.opened():
        for talk in held:
            await talk.load()
    measured = {
        "seconds": seconds,
        "more bytes as rows": rows - idle,
        "more bytes as loaded objects": resident_bytes() - idle,
        "more tasks": len(asyncio.all_tasks()) - tasks,
        "more threads": threading.active_count() - threads,
        "held": sum(one.status is Status.WAITING_FOR_APPROVAL for one in held),
    }
    await ringfence.close()
    return measured


async def resume_all(store: str, count: int) -> dict[str, Any]:
    """In another process: approve all of them and let them end; says how many did."""
    ringfence = ringfence_at(store)
    began, done = time.monotonic(), 0
    async with ringfence.store.opened():
        for number in range(count):
            talk = await ringfence.open(f"talk-{number}", team=waiting_team)
            for request in talk.pending_approvals:
                await talk.approve(request.id, by="person")
            result = await talk.resume()
            said = any("step 0 is paid" in entry.text for entry in talk.transcript)
            done += said and talk.status is Status.DONE and bool(result.messages)
    await ringfence.close()
    return {"seconds": time.monotonic() - began, "done": done}
