"""Money and tokens are reserved before they are spent, and settled after."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from time import monotonic

from ringfence.budgets.limits import Limits
from ringfence.budgets.usage import Step, Usage
from ringfence.errors import LimitExceeded

_SCOPE = "conversation"


@dataclass(frozen=True, slots=True)
class Reservation:
    """The worst case of one model call, held back until the call is settled."""

    worst_case: Usage


class Ledger:
    """What one conversation has spent and reserved, against its limits.

    Nothing here awaits, so a reservation is atomic on an event loop, however many calls run at once.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._spent = Usage()
        self._reserved = Usage()
        self._steps: list[Step] = []
        self.run_turns = 0
        """Turns of the run that is under way."""
        self._deadline: float | None = None

    def renewed(self, limits: Limits) -> "Ledger":
        """A ledger with other limits that has spent as much. Between two runs nothing is reserved."""
        ledger = Ledger(limits, self._clock)
        ledger._spent, ledger._steps = self._spent, [*self._steps]
        ledger.run_turns = self.run_turns
        return ledger

    def restore(self, spent: Usage, steps: Iterable[Step]) -> None:
        """Take up what was spent before this process."""
        self._spent, self._steps = spent, [*steps]

    @property
    def limits(self) -> Limits:
        """The limits that are kept."""
        return self._limits

    @property
    def spent(self) -> Usage:
        """What was settled so far."""
        return self._spent

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every settled model call, in order."""
        return tuple(self._steps)

    def start_run(self, *, resumes: bool = False) -> None:
        """Start counting the seconds of a run, and its turns unless it goes on where it stopped."""
        if not resumes:
            self.run_turns = 0
        seconds = self._limits.seconds
        self._deadline = None if seconds is None else self._clock() + seconds

    def tokens_left(self) -> int | None:
        """Tokens that are neither spent nor reserved; None when there is no limit."""
        limit = self._limits.tokens
        return None if limit is None else max(limit - self._spent.tokens - self._reserved.tokens, 0)

    def usd_left(self) -> Decimal | None:
        """US dollars that are neither spent nor reserved; None when there is no limit."""
        limit = self._limits.usd
        return None if limit is None else max(limit - self._spent.usd - self._reserved.usd, Decimal(0))

    def reserve(self, worst_case: Usage) -> Reservation:
        """Hold back what a call may use at most.

        Raises:
            LimitExceeded: The call might pass a limit, so it must not start.
        """
        self.check_time()
        would_be = self._spent + self._reserved + worst_case
        limits = self._limits
        _check("model_calls", would_be.model_calls, limits.model_calls)
        _check("tokens", would_be.tokens, limits.tokens)
        _check("usd", would_be.usd, limits.usd)
        self._reserved = self._reserved + worst_case
        return Reservation(worst_case)

    def settle(self, reservation: Reservation, step: Step) -> None:
        """Replace a reservation by what was really used, even when that is more."""
        self._reserved = self._reserved - reservation.worst_case
        self._spent = self._spent + step.usage
        self._steps.append(step)

    def check_spent(self) -> None:
        """Raise when more was spent than there was.

        Raises:
            LimitExceeded: A provider reported more than it was asked for at most.
        """
        _check("tokens", self._spent.tokens, self._limits.tokens)
        _check("usd", self._spent.usd, self._limits.usd)

    def seconds_left(self) -> float | None:
        """Seconds that this run may still take; None when there is no limit."""
        return None if self._deadline is None else max(self._deadline - self._clock(), 0.0)

    def count_tool_call(self) -> None:
        """Count a tool call that is about to run.

        Raises:
            LimitExceeded: It would be one too many.
        """
        self.check_time()
        _check("tool_calls", self._spent.tool_calls + 1, self._limits.tool_calls)
        self._spent = self._spent + Usage(tool_calls=1)

    def count_turn(self) -> None:
        """Count a turn that an agent has finished.

        Raises:
            LimitExceeded: It was the last one of this run.
        """
        self._spent = self._spent + Usage(turns=1)
        self.run_turns += 1
        limit = self._limits.turns
        if limit is not None and self.run_turns >= limit:
            raise LimitExceeded(kind="turns", value=self.run_turns, limit=limit, scope="run")

    def check_time(self) -> None:
        """Raise when the time of this run is over.

        Raises:
            LimitExceeded: It is.
        """
        if self._deadline is not None and self._clock() >= self._deadline:
            raise self.out_of_time()

    def out_of_time(self) -> LimitExceeded:
        """The error that says that the time of this run is over."""
        seconds = self._limits.seconds or 0.0
        return LimitExceeded(kind="seconds", value=seconds, limit=seconds, scope="run")


def _check(kind: str, value: Decimal | int, limit: Decimal | int | None) -> None:
    if limit is not None and value > limit:
        raise LimitExceeded(kind=kind, value=value, limit=limit, scope=_SCOPE)
