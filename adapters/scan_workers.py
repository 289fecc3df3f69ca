"""Processes that look for personal data side by side. One that dies takes no other's work with it."""

import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Self

from ringfence.errors import RingfenceError

if TYPE_CHECKING:
    from ringfence.adapters.scan_texts import Found

__all__ = ["DIED", "ScanWorkers", "usable_cores"]

DIED = "died"
"""The failure of a text whose analysis ended its process."""
_STARTS = 3
"""How often a process is started that ends before it is ready."""
_START_SECONDS = 120.0
_SPARE_SECONDS = 60.0
"""What a worker may take beyond the timeouts of its texts; then it hangs, and is ended."""
# The matrices are small, and every core has a worker of its own.
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def usable_cores() -> int:
    """The cores that this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class WorkerError(RingfenceError):
    """No process to scan with can be started, or none any more."""


class ScanWorkers:
    """So many processes, each with a thread that talks to it."""

    def __init__(self, settings_json: str, jobs: int, *, timeout_seconds: float) -> None:
        self._settings_json = settings_json
        self._timeout_seconds = timeout_seconds
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="scan")
        self._idle: SimpleQueue[_Worker | None] = SimpleQueue()
        for _ in range(jobs):
            self._idle.put(None)
        self._all: set[_Worker] = set()
        self._lock = Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End all processes, whatever they are at."""
        with self._lock:
            self._closed = True
            for worker in self._all:
                worker.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._all:
            worker.forget()

    def submit(self, texts: Sequence[str]) -> "Future[list[Found]]":
        """Look into these texts."""
        return self._threads.submit(self._look_into, texts)

    def _look_into(self, texts: Sequence[str]) -> "list[Found]":
        with suppress(EOFError, OSError):
            return self._ask(texts)
        # Each by itself: one of them ends its process, and the others are not to blame.
        return [self._look_into_one(text) for text in texts]

    def _look_into_one(self, text: str) -> "Found":
        from ringfence.adapters.scan_texts import Found

        try:
            return self._ask([text])[0]
        except (EOFError, OSError):
            return Found(failure=DIED)

    def _ask(self, texts: Sequence[str]) -> "list[Found]":
        worker = self._idle.get()
        try:
            if worker is None:
                worker = self._started()
            return worker.ask(texts, seconds=len(texts) * 2 * self._timeout_seconds + _SPARE_SECONDS)
        except (EOFError, OSError):
            if worker:
                self._drop(worker)
            worker = None
            raise
        finally:
            self._idle.put(worker)

    def _started(self) -> "_Worker":
        for _ in range(_STARTS):
            with self._lock:
                if self._closed:
                    raise WorkerError("The scan was ended")
                worker = _Worker(self._settings_json)
                self._all.add(worker)
            try:
                worker.wait_until_ready()
            except (EOFError, OSError):
                self._drop(worker)
            else:
                return worker
        raise WorkerError("No process to scan with can be started; --jobs 1 needs none")

    def _drop(self, worker: "_Worker") -> None:
        worker.kill()
        worker.forget()
        with self._lock:
            self._all.discard(worker)


class _Worker:
    """A process and the pipe to it."""

    def __init__(self, settings_json: str) -> None:
        # Fork would copy the locks of other threads as they happen to be.
        context = multiprocessing.get_context("spawn")
        self._pipe, far_end = context.Pipe()
        self._process = context.Process(target=serve, args=(far_end, settings_json), daemon=True)
        with _no_interrupts():
            self._process.start()
        far_end.close()

    def wait_until_ready(self) -> None:
        """Wait for the first word of the process."""
        self._receive(_START_SECONDS)

    def ask(self, texts: Sequence[str], *, seconds: float) -> "list[Found]":
        """What the process finds.

        Raises:
            EOFError: It died.
            OSError: It died, or takes longer than this.
        """
        self._pipe.send(list(texts))
        found: list[Found] = self._receive(seconds)
        return found

    def _receive(self, seconds: float) -> "list[Found]":
        if not self._pipe.poll(seconds):
            raise TimeoutError
        received: list[Found] = self._pipe.recv()
        return received

    def kill(self) -> None:
        """End the process; whoever waits for it gets an EOFError."""
        self._process.kill()

    def forget(self) -> None:
        """Give back what the system keeps of a process that was ended."""
        self._process.join()
        self._pipe.close()


def serve(pipe: "Connection[list[Found], list[str]]", settings_json: str) -> None:
    """The life of a worker process; it ends with its parent, for the pipe ends then."""
    # What a library prints must not stand among the records.
    sys.stdout = sys.stderr
    with suppress(OSError):
        os.dup2(2, 1)
    logging.getLogger().addHandler(logging.NullHandler())
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    import asyncio

    from ringfence.adapters.scan_texts import look_into
    from ringfence.guardrails.pii import PiiSettings
    from ringfence.guardrails.presidio import PiiFinder

    with suppress(EOFError, OSError), asyncio.Runner() as runner:
        loop = runner.get_loop()
        finder = PiiFinder(PiiSettings.model_validate_json(settings_json))
        pipe.send([])
        while True:
            pipe.send([loop.run_until_complete(look_into(finder, text)) for text in pipe.recv()])


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Processes that start within do not see Ctrl-C, which a terminal sends to all: the parent ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
