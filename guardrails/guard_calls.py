"""Asking a Guard of guardrails-ai from a thread of ours, without any thread of its own."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

_threads = threading.local()


class _Here(ThreadPoolExecutor):
    """Runs what it is given at once, in the thread that asks."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run it."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        except BaseException as error:  # a task lets it through, and the loop would end without an answer
            future.set_exception(RuntimeError(type(error).__name__))
        return future


class _OwnLoop:
    """The event loop of one thread, closed when the thread ends."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        # guardrails-ai hands validators to the loop's executor, whose threads a program waits for at its end.
        self.loop.set_default_executor(_Here(max_workers=1))
        asyncio.set_event_loop(self.loop)

    def __del__(self) -> None:
        self.loop.close()


def ask_guard(guard: Any, text: str, metadata: dict[str, Any]) -> Any:
    """What a Guard or AsyncGuard says of a text. Blocks; to be called in a thread without an event loop."""
    if not hasattr(_threads, "own"):
        _threads.own = _OwnLoop()
    said = guard.validate(text, metadata=metadata)
    return _threads.own.loop.run_until_complete(said) if asyncio.iscoroutine(said) else said
