"""Failed calls are made again after waits that grow, or as long as the service asked for.

The engine is tenacity, on which stamina is built. Stamina itself would log each retry with the repr of the
error, which may hold real values, and through structlog as it is set up by default: on standard output.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_result, wait_exponential, wait_random

from ringfence.agents.delivery_limits import Sleep
from ringfence.guardrails.delivery_rules import BackoffRule

T = TypeVar("T")


async def repeated(
    attempt: Callable[[], Awaitable[T]],
    rule: BackoffRule,
    *,
    may_repeat: Callable[[T], bool],
    asks: Callable[[T], float | None],
    longest_wait: Callable[[], float],
    sleep: Sleep,
) -> T:
    """What the last attempt came to. What an attempt raises is raised at once.

    Args:
        attempt: Makes the call.
        rule: How often it is made again, and after which waits.
        may_repeat: Whether another attempt may be made after this one.
        asks: Seconds that the service asked to wait; None when it did not.
        longest_wait: Seconds that the next wait may take; when it would be longer, this was the last attempt.
        sleep: Waits.
    """
    # At random, so that not all who failed together come back together.
    backoff = wait_exponential(multiplier=rule.first_wait_seconds) + wait_random(0, rule.first_wait_seconds)

    def outcome(state: RetryCallState) -> T:
        assert state.outcome is not None  # noqa: S101 - tenacity asks after an attempt
        ended: T = state.outcome.result()
        return ended

    def wait(state: RetryCallState) -> float:
        grown = min(backoff(state), rule.longest_wait_seconds)
        if state.outcome is None or state.outcome.failed:
            return grown
        return max(grown, asks(outcome(state)) or 0.0)

    retrying = AsyncRetrying(
        sleep=sleep,
        retry=retry_if_result(may_repeat),
        wait=wait,
        stop=lambda state: state.attempt_number > rule.times or state.upcoming_sleep > longest_wait(),
        retry_error_callback=outcome,
    )
    return await retrying(attempt)
