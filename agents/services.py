"""What the conversations of one process know together of the services that they call."""

import asyncio
from collections.abc import Callable
from time import monotonic

from ringfence.agents.delivery_breaker import Breakers
from ringfence.agents.delivery_limits import CallLimits, Sleep


class Services:
    """Which services are left alone for now, and how often each was called."""

    def __init__(self, sleep: Sleep = asyncio.sleep, clock: Callable[[], float] = monotonic) -> None:
        self.sleep = sleep
        self.clock = clock
        self.breakers = Breakers(clock)
        self.limits = CallLimits(sleep, clock)
