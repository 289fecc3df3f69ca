"""Threads for checks that may block: one that never ends keeps neither event loop nor exit waiting."""

import asyncio
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

_Work = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]
_Inbox = SimpleQueue[_Work | None]


class DaemonThreads:
    """Runs functions in a bounded number of threads, which are started when they are needed.

    The standard library's executors wait for their threads when the program ends, for ever if one hangs.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._started = 0
        self._idle = threading.Semaphore(0)
        self._inbox: _Inbox = SimpleQueue()
        weakref.finalize(self, _dismiss, self._inbox, most)

    async def run(self, work: Callable[[], T]) -> T:
        """What the function returns or raises; waits while all threads are taken.

        Cancelled, it runs on where it has begun, and nobody hears of it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        # In the context of the caller, as a coroutine would be: no other conversation's is seen.
        self._inbox.put((_bind(work), loop, future))
        if not self._idle.acquire(blocking=False) and self._started < self._most:
            self._started += 1
            asked = (self._inbox, self._idle)
            threading.Thread(target=_serve, args=asked, daemon=True, name="ringfence-check").start()
        return await future


def _serve(inbox: _Inbox, idle: threading.Semaphore) -> None:
    while (asked := inbox.get()) is not None:
        work, loop, future = asked
        if not future.cancelled():
            _run(work, loop, future)
        del asked, work, loop, future
        idle.release()


def _dismiss(inbox: _Inbox, threads: int) -> None:
    for _ in range(threads):
        inbox.put(None)


def _run(work: Callable[[], Any], loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Any]") -> None:
    answer, failure = None, None
    try:
        answer = work()
    except BaseException as error:  # even what ends a program is only the end of this check
        failure = error
    # The loop may have been closed meanwhile: then nobody waits any more.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(_settle, future, answer, failure)


def _bind(work: Callable[[], T]) -> Callable[[], T]:
    context = copy_context()
    return lambda: context.run(work)


def _settle(future: "asyncio.Future[Any]", answer: Any, failure: BaseException | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(answer)
    elif isinstance(failure, Exception):
        # A future takes no StopIteration.
        future.set_exception(RuntimeError() if isinstance(failure, StopIteration) else failure)
    else:
        future.set_exception(RuntimeError(type(failure).__name__))
