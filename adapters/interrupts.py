"""Ctrl-C, with which a person ends a command at once."""

import asyncio
import os
import sys
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

INTERRUPTED = 130
"""The exit code that shells give to a command that Ctrl-C ended."""


def run_until_interrupted(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, but after Ctrl-C it waits for no tool that hangs in a thread."""

    async def guarded() -> T:
        try:
            return await work
        except (asyncio.CancelledError, KeyboardInterrupt):
            leave_threads_behind()
            raise

    return asyncio.run(guarded())


def leave_threads_behind() -> None:
    """End the process now if Python would wait for a thread first; nothing can stop one from outside."""
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    if any(not thread.daemon for thread in others):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(INTERRUPTED)
