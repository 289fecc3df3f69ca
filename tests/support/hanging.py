"""A way to see that something hangs, and to leave nothing behind."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest


async def assert_hangs(run: Coroutine[Any, Any, object], *, after: asyncio.Event) -> None:
    """Fail if the run ends within half a second of the event; the fixture `swept` ends what is left of it."""
    task = asyncio.create_task(run)
    trapped = asyncio.create_task(after.wait())
    await asyncio.wait({task, trapped}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        await asyncio.wait({task}, timeout=0.5)
    if task.done():
        reached = "" if after.is_set() else " and did not even come to the trap"
        pytest.fail(f"it does not hang{reached}: {task.exception() or task.result()!r}")
