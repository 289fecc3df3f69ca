"""CPU time text by text, and what is said of it beside an aim."""

import gc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from statistics import median
from time import process_time
from typing import Any, TypeVar

T = TypeVar("T")

_TAIL = 0.95


@dataclass(frozen=True, slots=True)
class Times:
    """What each of many calls took, in seconds."""

    seconds: tuple[float, ...]

    @property
    def p50(self) -> float:
        """The median."""
        return median(self.seconds)

    @property
    def p95(self) -> float:
        """All but one in twenty took no longer (nearest rank)."""
        return sorted(self.seconds)[ceil(_TAIL * len(self.seconds)) - 1]


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure that is to be reached."""

    most: float
    unit: str = ""

    def words(self, figure: float) -> str:
        """The aim, and whether a figure reaches it."""
        limit = f"{self.most:.0%}" if self.unit == "%" else f"{self.most:g} {self.unit}".strip()
        return f"aim ≤ {limit}: {'reached' if figure <= self.most else 'missed'}"


@contextmanager
def steady() -> Iterator[None]:
    """Without garbage collection in between: it would fall on whichever call is running."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def cpu_seconds(call: Callable[[T], object], item: T) -> float:
    """CPU seconds of the process for a call, all its threads together."""
    started = process_time()
    call(item)
    return process_time() - started


async def cpu_seconds_of(call: Callable[[T], Awaitable[Any]], item: T) -> float:
    """As `cpu_seconds`, on the event loop."""
    started = process_time()
    await call(item)
    return process_time() - started


def milliseconds(seconds: float) -> str:
    """A time as it stands in the tables."""
    return f"{1000 * seconds:.3f}"
