"""How often, and how many at once, a service is called; shared by the conversations of one process."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from weakref import WeakKeyDictionary

from ringfence.guardrails.delivery_rules import RateRule

_MOST = 1000
"""Services whose calls are counted; the one that was not called for longest goes first."""
Sleep = Callable[[float], Awaitable[None]]


class TooMany(Exception):
    """A call would wait longer than it has time."""

    def __init__(self, said: str, seconds: float | None = None) -> None:
        self.seconds = seconds
        """Until there is room; None when nobody knows."""
        super().__init__(said)


class _Rate:
    """When the next call may begin, so that no more than so many do in any window of the rule's seconds."""

    def __init__(self) -> None:
        self.begun: list[float] = []
        """When the latest calls began or will begin, oldest first; as many as the rule allows."""

    def place(self, rule: RateRule, now: float) -> float:
        """Seconds that the next call has to wait."""
        self.begun = self.begun[-rule.calls :]
        if len(self.begun) < rule.calls:
            return 0.0
        return max(self.begun[0] + rule.seconds - now, 0.0)


class CallLimits:
    """Holds calls back until there is room for them, as long as they have time."""

    def __init__(self, sleep: Sleep = asyncio.sleep, clock: Callable[[], float] = monotonic) -> None:
        self._sleep = sleep
        self._clock = clock
        self._rates: OrderedDict[str, _Rate] = OrderedDict()
        # A semaphore serves one event loop.
        self._rooms: WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[tuple[str, int], asyncio.Semaphore]
        ] = WeakKeyDictionary()

    @asynccontextmanager
    async def room(
        self, service: str, *, rate: RateRule | None, concurrency: int | None, time_left: Callable[[], float]
    ) -> AsyncIterator[None]:
        """Enter when the call may begin; leave when it has ended.

        Raises:
            TooMany: It would have to wait longer than it has time, so it must not begin.
        """
        semaphore = None if concurrency is None else self._room(service, concurrency)
        if semaphore is not None:
            try:
                async with asyncio.timeout(time_left()):
                    await semaphore.acquire()
            except TimeoutError:
                raise TooMany(
                    f"{concurrency} calls of {service} are under way, and none ended in time"
                ) from None
        try:
            if rate is not None:
                await self._wait_for(service, rate, time_left())
            yield
        finally:
            if semaphore is not None:
                semaphore.release()

    async def _wait_for(self, service: str, rule: RateRule, time_left: float) -> None:
        rate = self._rates.setdefault(service, _Rate())
        self._rates.move_to_end(service)
        if len(self._rates) > _MOST:
            self._rates.popitem(last=False)
        now = self._clock()
        wait = rate.place(rule, now)
        if wait >= time_left:
            said = f"{rule.calls} calls in {rule.seconds:g} s are allowed; there is room in {wait:.3g} s"
            raise TooMany(said, wait)
        # Its place is taken before it waits, so that two never take the same one.
        rate.begun.append(now + wait)
        if wait:
            await self._sleep(wait)

    def _room(self, service: str, concurrency: int) -> asyncio.Semaphore:
        rooms = self._rooms.setdefault(asyncio.get_running_loop(), {})
        return rooms.setdefault((service, concurrency), asyncio.Semaphore(concurrency))
