"""Work in a process of its own, so that nothing of another part is measured."""

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any


def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """What the function, or coroutine function, returns."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, work, *arguments).result()


def _run(work: Callable[..., Any], *arguments: Any) -> Any:
    made = work(*arguments)
    return asyncio.run(made) if inspect.iscoroutine(made) else made
