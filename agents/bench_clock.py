"""The time of a bench: waits cost nothing, and a service that hangs takes no longer than a test."""

import asyncio
from time import monotonic


class BenchClock:
    """What services wait by: it goes as ever, and jumps over every wait."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self.waits: list[float] = []
        """The waits that were jumped over, in seconds."""

    def __call__(self) -> float:
        """Seconds since some moment."""
        return monotonic() + self._ahead

    def pass_by(self, seconds: float) -> None:
        """Be later by so many seconds."""
        self._ahead += seconds

    async def sleep(self, seconds: float) -> None:
        """Wait, in no time."""
        self.waits.append(seconds)
        self.pass_by(seconds)
        await asyncio.sleep(0)

    async def hang(self, seconds: float) -> None:
        """Never return; whoever waits no longer than so many seconds has waited already."""
        loop = asyncio.get_running_loop()
        before = loop.time
        loop.time = lambda: before() + seconds  # type: ignore[method-assign]  # timers go by what the loop says
        self.pass_by(seconds)
        await asyncio.Event().wait()
