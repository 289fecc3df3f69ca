"""Trying again, for as long as a database may yet come back."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ringfence.conversations.store_errors import Failure, failure_of

T = TypeVar("T")

_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 1.0
_LEAST_SECONDS = 2.0
"""What even the last try gets; SQLite waits up to a second for a lock by itself."""


async def patiently(
    once: Callable[[], Awaitable[T]], *, store: str, seconds: float, may_take_long: bool = False
) -> T:
    """The result of the first try that the database answers.

    Args:
        once: One try.
        store: The name of the store, for messages.
        seconds: How long to try.
        may_take_long: A try is not given up after these seconds, as long as the database works on it.

    Raises:
        StoreError: It did not answer in time, or said something that waiting does not mend.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    pause = _FIRST_PAUSE_SECONDS
    before: Failure | None = None
    while True:
        limit = None if may_take_long else max(until, loop.time() + _LEAST_SECONDS)
        try:
            async with asyncio.timeout_at(limit):
                return await once()
        except Exception as error:
            # A try that was cut short tells less than the one before it.
            failure = before if before and isinstance(error, TimeoutError) else failure_of(error)
            if failure is None:
                raise
            if not failure.passes or loop.time() + pause > until:
                raise failure.as_error(store) from None
            before = failure
        # Two processes that are in each other's way must not stay in step.
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret depends on it
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
