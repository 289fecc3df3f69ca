"""A service that fails again and again is left alone for a while, and then tried with a single call."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from purgatory.domain.model import CLOSED, OPENED, Context, HalfOpenedState

from ringfence.guardrails.delivery_rules import BreakerRule

_MOST = 1000
"""Breakers that are kept; the one that was not used for longest goes first."""


class LeftAlone(Exception):
    """The service is not called for now."""

    def __init__(self, failures: int, seconds: float) -> None:
        self.seconds = seconds
        """Until it is tried again."""
        super().__init__(f"after {failures} failures in a row it is not called for {seconds:.3g} s")


class Breaker:
    """One service's breaker. Whoever was let in says how that ended, or that nobody knows.

    The states are purgatory's. It would let everybody in once the time is over, and reads the wall clock, so
    when to try, and who, is decided here.
    """

    def __init__(self, name: str, rule: BreakerRule, clock: Callable[[], float]) -> None:
        self._circuit = Context(name, threshold=rule.failures, ttl=rule.seconds)
        self._rule = rule
        self._clock = clock
        self._opened_at = 0.0
        self._tries = 0
        """Numbers the calls that tried the service; what began before such a call says nothing of it."""

    @property
    def state(self) -> str:
        """`closed`, `opened`, or `half-opened` while one call tries the service."""
        return self._circuit.state

    def enter(self) -> int:
        """Let a call in; what is returned goes to `leave`.

        Raises:
            LeftAlone: The service is left alone, or another call tries it at this moment.
        """
        if self._circuit.state == CLOSED:
            return self._tries
        left = self._opened_at + self._rule.seconds - self._clock()
        if self._circuit.state != OPENED or left > 0:
            raise LeftAlone(self._rule.failures, max(left, 1.0))
        self._circuit.set_state(HalfOpenedState())
        self._tries += 1
        return self._tries

    def leave(self, entered: int, error: Exception | None) -> None:
        """Note how a call ended: with an error of the service, or with an answer, be it a no."""
        if entered != self._tries or self._circuit.state == OPENED:
            return
        if error is None:
            self._circuit.handle_end_request()
        else:
            self._circuit.handle_exception(error)
            self._opened_at = self._clock()
        self._circuit.messages.clear()

    def give_up(self, entered: int) -> None:
        """Note that a call was cut off; when it was to try the service, another one may."""
        if entered == self._tries and self._circuit.state not in {CLOSED, OPENED}:
            self._circuit = Context(
                self._circuit.name,
                threshold=self._rule.failures,
                ttl=self._rule.seconds,
                state=OPENED,
                opened_at=self._opened_at,
            )


class Breakers:
    """The breakers of one process's services, shared by its conversations."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._breakers: OrderedDict[tuple[str, int, float], Breaker] = OrderedDict()

    def of(self, service: str, rule: BreakerRule) -> Breaker:
        """The breaker of a service; a rule that was changed begins with a new one."""
        key = (service, rule.failures, rule.seconds)
        if key not in self._breakers:
            self._breakers[key] = Breaker(service, rule, self._clock)
            if len(self._breakers) > _MOST:
                self._breakers.popitem(last=False)
        self._breakers.move_to_end(key)
        return self._breakers[key]
