"""Processes that are forked from one which has imported everything, so that a start costs milliseconds."""

import contextlib
import gc
import os
import sys
import traceback
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
Process = tuple[Callable[[], None], Path]
"""What a process shall do, and the file that takes what it has to say of a failure."""
Story = Generator[Process, int, T]
"""Yields processes one after the other; each is answered with its exit status, or minus its signal."""


def play(stories: Iterable[Story[T]], *, at_once: int) -> list[T]:
    """Play stories side by side, each as a sequence of processes; answers in their order.

    This process must have one thread and no event loop.
    """
    waiting = list(enumerate(stories))[::-1]
    running: dict[int, tuple[int, Story[T]]] = {}
    ended: dict[int, T] = {}

    def go_on(number: int, story: Story[T], status: int | None) -> None:
        try:
            process = next(story) if status is None else story.send(status)
        except StopIteration as end:
            ended[number] = end.value
            return
        running[fork(*process)] = (number, story)

    gc.freeze()
    while waiting or running:
        while waiting and len(running) < at_once:
            go_on(*waiting.pop(), None)
        if running:
            pid, wait_status = os.wait()
            if pid in running:
                go_on(*running.pop(pid), os.waitstatus_to_exitcode(wait_status))
    return [ended[number] for number in sorted(ended)]


def fork(work: Callable[[], None], said: Path) -> int:
    """Start a process, and say its id."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    with contextlib.suppress(BaseException):
        try:
            work()
            status = 0
        except BaseException:  # whatever it is: this process has no other way to tell
            with said.open("a", encoding="utf-8") as file:
                traceback.print_exc(file=file)
    os._exit(status)
