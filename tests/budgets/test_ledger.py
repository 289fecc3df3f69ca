"""What is reserved and spent never passes a limit, unless a provider took more than it was allowed."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from ringfence.budgets.ledger import Ledger, Reservation
from ringfence.budgets.limits import Limits
from ringfence.budgets.usage import Step, Usage
from ringfence.errors import LimitExceeded


def ledger(**limits: Any) -> Ledger:
    """A ledger with only these limits."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("turns", "model_calls", "tool_calls", "tokens", "usd", "seconds")
    )
    return Ledger(Limits.model_validate(nothing | limits))


def call(tokens: int = 0, usd: str = "0") -> Usage:
    return Usage(input_tokens=tokens, usd=Decimal(usd), model_calls=1)


def step(usage: Usage) -> Step:
    return Step("desk", "some-model", usage, 0.1)


class Clock:
    """The time of a test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Now."""
        return self.now


class TestReserve:
    """Before a model call."""

    @pytest.mark.parametrize(
        ("limits", "kind", "value"),
        [
            ({"tokens": 25}, "tokens", 30),
            ({"usd": "0.29"}, "usd", Decimal("0.3")),
            ({"model_calls": 2}, "model_calls", 3),
        ],
    )
    def test_the_call_that_would_pass_a_limit_does_not_start(
        self, limits: dict[str, Any], kind: str, value: object
    ) -> None:
        """What is reserved counts like what is spent; the error says what and how much."""
        one = ledger(**limits)
        one.settle(one.reserve(call(10, "0.1")), step(call(10, "0.1")))
        one.reserve(call(10, "0.1"))
        with pytest.raises(LimitExceeded) as caught:
            one.reserve(call(10, "0.1"))
        assert (caught.value.kind, caught.value.value, caught.value.scope) == (kind, value, "conversation")
        assert caught.value.limit == Limits.model_validate(limits).model_dump()[kind]
        assert one.spent == call(10, "0.1")

    def test_the_last_bit_of_a_limit_can_be_used(self) -> None:
        """Reached is not passed."""
        one = ledger(tokens=10, usd="0.3", model_calls=3)
        for _ in range(3):
            one.settle(one.reserve(call(3, "0.1")), step(call(3, "0.1")))
        assert (one.tokens_left(), one.usd_left()) == (1, Decimal(0))

    def test_a_refused_reservation_holds_nothing_back(self) -> None:
        """A smaller call may still fit."""
        one = ledger(tokens=10)
        with pytest.raises(LimitExceeded):
            one.reserve(call(11))
        assert one.tokens_left() == 10
        one.reserve(call(10))

    def test_several_limits_at_once(self) -> None:
        """Each of them counts, and the first of calls, tokens and dollars is named."""
        for limits, kind in (
            ({"model_calls": 1, "tokens": 1, "usd": "0.01"}, "tokens"),
            ({"tokens": 9, "usd": "0.01"}, "tokens"),
            ({"tokens": 10, "usd": "0.01"}, "usd"),
        ):
            with pytest.raises(LimitExceeded) as caught:
                ledger(**limits).reserve(call(10, "0.02"))
            assert caught.value.kind == kind

    def test_without_limits(self) -> None:
        """Everything is counted all the same."""
        one = ledger()
        one.settle(one.reserve(call(10**12, "10000")), step(call(10**12, "10000")))
        assert (one.tokens_left(), one.usd_left(), one.spent.tokens) == (None, None, 10**12)


class TestSettle:
    """After a model call."""

    def test_what_was_not_used_is_free_again(self) -> None:
        """The worst case is only held back."""
        one = ledger(tokens=100, usd=1)
        reservation = one.reserve(call(80, "0.8"))
        assert (one.tokens_left(), one.usd_left()) == (20, Decimal("0.2"))
        one.settle(reservation, step(call(5, "0.05")))
        assert (one.tokens_left(), one.usd_left()) == (95, Decimal("0.95"))

    def test_a_provider_that_takes_more_than_was_reserved(self) -> None:
        """Is counted with what it took; then nothing more starts."""
        one = ledger(tokens=100, usd=1)
        one.settle(one.reserve(call(10)), step(call(500, "7")))
        assert one.spent == call(500, "7")
        assert (one.tokens_left(), one.usd_left()) == (0, Decimal(0))
        with pytest.raises(LimitExceeded):
            one.reserve(call(0))

    @pytest.mark.parametrize(
        ("limits", "kind"),
        [({"tokens": 9}, "tokens"), ({"usd": "0.09"}, "usd"), ({"tokens": 10, "usd": "0.1"}, "")],
    )
    def test_what_was_spent_is_checked_by_itself(self, limits: dict[str, Any], kind: str) -> None:
        """Without what is held back; a limit that is just reached is kept."""
        one = ledger(**limits)
        one.settle(one.reserve(call()), step(call(10, "0.1")))
        if not kind:
            one.check_spent()
            return
        with pytest.raises(LimitExceeded) as caught:
            one.check_spent()
        assert caught.value.kind == kind

    def test_steps_in_their_order(self) -> None:
        """As they were settled, not as they were reserved."""
        one = ledger()
        first, second = one.reserve(call(1)), one.reserve(call(2))
        one.settle(second, step(call(2)))
        one.settle(first, step(call(1)))
        assert [each.usage.tokens for each in one.steps] == [2, 1]

    def test_a_thousand_cents_are_ten_dollars(self) -> None:
        """And not one call more."""
        one = ledger(usd=10)
        for _ in range(1000):
            one.settle(one.reserve(call(0, "0.01")), step(call(0, "0.01")))
        assert one.spent.usd == 10
        with pytest.raises(LimitExceeded):
            one.reserve(call(0, "0.00000001"))


class TestTurnsAndTools:
    """What else is counted."""

    def test_tool_calls(self) -> None:
        """Before each runs."""
        one = ledger(tool_calls=2)
        one.count_tool_call()
        one.count_tool_call()
        with pytest.raises(LimitExceeded) as caught:
            one.count_tool_call()
        error = caught.value
        assert (error.kind, error.value, error.limit, error.scope) == ("tool_calls", 3, 2, "conversation")
        assert one.spent.tool_calls == 2

    def test_turns_of_one_run(self) -> None:
        """The last one may end; the next run has as many again, and the sum goes on."""
        one = ledger(turns=2)
        for run in (1, 2):
            one.start_run()
            one.count_turn()
            with pytest.raises(LimitExceeded) as caught:
                one.count_turn()
            error = caught.value
            assert (error.kind, error.value, error.limit, error.scope) == ("turns", 2, 2, "run")
            assert one.spent.turns == 2 * run

    def test_turns_without_a_limit(self) -> None:
        """Are counted."""
        one = ledger()
        for _ in range(100):
            one.count_turn()
        assert one.spent.turns == 100


class TestTime:
    """A run's time."""

    @pytest.fixture
    def clock(self) -> Clock:
        """A clock to set."""
        return Clock()

    @pytest.fixture
    def timed(self, clock: Clock) -> Ledger:
        """Ten seconds a run."""
        return Ledger(Limits(seconds=10), clock)

    def test_when_it_is_over(self, timed: Ledger, clock: Clock) -> None:
        """Neither model nor tool is called any more."""
        timed.start_run()
        clock.now += 9.99
        timed.check_time()
        timed.reserve(call())
        timed.count_tool_call()
        clock.now += 0.01
        for act in (timed.check_time, timed.count_tool_call, lambda: timed.reserve(call())):
            with pytest.raises(LimitExceeded) as caught:
                act()
            assert (caught.value.kind, caught.value.limit, caught.value.scope) == ("seconds", 10, "run")

    def test_each_run_has_its_own(self, timed: Ledger, clock: Clock) -> None:
        """A run that starts late is not over."""
        timed.start_run()
        clock.now += 100
        timed.start_run()
        timed.check_time()

    def test_before_a_run_and_without_a_limit(self, timed: Ledger, clock: Clock) -> None:
        """There is no deadline."""
        clock.now += 10**9
        timed.check_time()
        unlimited = ledger()
        unlimited.start_run()
        unlimited.check_time()
        assert unlimited.limits.seconds is None
        assert unlimited.out_of_time().limit == 0

    def test_what_is_left(self, timed: Ledger, clock: Clock) -> None:
        """Nothing is less than nothing."""
        assert timed.seconds_left() is None
        timed.start_run()
        for passed, left in ((0, 10), (4, 6), (6, 0), (1, 0)):
            clock.now += passed
            assert timed.seconds_left() == left

    def test_a_clock_that_goes_back(self, timed: Ledger, clock: Clock) -> None:
        """Gives time, and takes nothing that was spent."""
        timed.start_run()
        timed.settle(timed.reserve(call(5)), step(call(5)))
        clock.now -= 500
        timed.check_time()
        timed.reserve(call())
        assert timed.spent == call(5)


USD = Decimal("3.141592")
CENTS = st.decimals(0, 2, places=6)
USES = st.builds(
    lambda tokens, usd: Usage(input_tokens=tokens, usd=usd, model_calls=1), st.integers(0, 60), CENTS
)


class KeepsTheLimits(RuleBasedStateMachine):
    """Calls that start and end in any order, honest providers and others."""

    reservations: Bundle[Reservation] = Bundle("reservations")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = ledger(tokens=100, usd=USD, model_calls=20, tool_calls=3)
        self.held: list[Usage] = []
        self.settled = Usage()
        self.over = Usage()
        """What providers took beyond what was reserved."""

    @rule(target=reservations, worst=USES)
    def reserve(self, worst: Usage) -> Any:
        """A call wants to start."""
        would_be = sum([*self.held, worst], self.settled)
        fits = would_be.tokens <= 100 and would_be.usd <= USD and would_be.model_calls <= 20
        try:
            reservation = self.ledger.reserve(worst)
        except LimitExceeded:
            assert not fits
            return Reservation(Usage())
        assert fits
        self.held.append(worst)
        return reservation

    @rule(reservation=consumes(reservations), share=st.integers(0, 3))
    def settle(self, reservation: Reservation, share: int) -> None:
        """A call ends, having used none, a half, all of what was reserved, or more."""
        worst = reservation.worst_case
        if worst not in self.held:
            return
        factor = Decimal(share) / 2
        used = Usage(int(worst.tokens * factor), 0, worst.usd * factor, 1)
        self.ledger.settle(reservation, step(used))
        self.held.remove(worst)
        self.settled += used
        self.over += Usage(max(used.tokens - worst.tokens, 0), 0, max(used.usd - worst.usd, Decimal(0)))

    @rule()
    def call_tool(self) -> None:
        """A tool wants to run."""
        left = self.ledger.spent.tool_calls < 3
        try:
            self.ledger.count_tool_call()
            assert left
            self.settled += Usage(tool_calls=1)
        except LimitExceeded:
            assert not left

    @invariant()
    def the_limits_hold(self) -> None:
        """Over what is settled and what is held back together."""
        assert self.ledger.spent == self.settled
        total = sum(self.held, self.settled)
        assert total.tokens <= 100 + self.over.tokens
        assert total.usd <= USD + self.over.usd
        assert total.model_calls <= 20
        assert self.ledger.tokens_left() == max(100 - total.tokens, 0)
        assert self.ledger.usd_left() == max(USD - total.usd, Decimal(0))


def test_no_interleaving_passes_a_limit() -> None:
    """Over any sequence of reservations and settlements."""
    run_state_machine_as_test(KeepsTheLimits)
