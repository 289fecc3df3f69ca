"""A model call that fails in a way that may pass is made again, or answered by the model of another tier."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ringfence.agents.delivery_breaker import Breaker, LeftAlone
from ringfence.agents.delivery_retries import repeated
from ringfence.agents.services import Services
from ringfence.errors import Fault, ModelCallFailed, PolicyError
from ringfence.guardrails.calls import Emit, ModelCall
from ringfence.guardrails.delivery_rules import BackoffRule, BreakerRule
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.records import Record
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.texts import CreateResult
from ringfence.model_tier import ModelTier
from ringfence.policy import Policy

_ONCE = BackoffRule(times=0)
_MOST_RETRIES = 10


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a model is tried."""

    tier: str = ""
    """Empty for a client that is of no tier."""
    retries: BackoffRule = _ONCE
    breaker: BreakerRule | None = None


@dataclass(frozen=True, slots=True)
class Fallback:
    """A model that answers when the one before it does not, at its own price."""

    patience: Patience
    model: str
    max_output_tokens: int
    ask: Handler[ModelCall, CreateResult] = field(repr=False)
    """Reserves what the call may cost, makes it, and settles."""


@dataclass(slots=True)
class _Way:
    """One call on its way through the models that may answer it."""

    call: ModelCall
    attempts: int = 0
    is_shown: bool = False
    """A piece of a reply went out, so another reply could only follow on half of one."""
    failures: list[ModelCallFailed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Tried:
    reply: CreateResult | None = None
    failure: ModelCallFailed | None = None
    is_left_alone: bool = False


class DeliverModelCalls:
    """Makes a failed call again, and then asks the fallbacks in turn.

    It stands outside the meter, so that each attempt is reserved and settled by itself. Only what a provider
    failed at is tried again, never a stop, a limit or a guardrail's no; and no reply of which a piece is out.
    """

    def __init__(
        self,
        patience: Patience,
        *,
        fallbacks: Sequence[Fallback] = (),
        services: Services,
        stop: StopSignal,
        seconds_left: Callable[[], float | None],
        record: Record,
    ) -> None:
        self._patience = patience
        self._fallbacks = fallbacks
        self._services = services
        self._stop = stop
        self._seconds_left = seconds_left
        self._record = record

    async def __call__(self, call: ModelCall, call_next: Handler[ModelCall, CreateResult]) -> CreateResult:
        """Answer the call.

        Raises:
            ModelCallFailed: Nobody answered it.
        """
        way = _Way(call)
        own = Fallback(self._patience, call.model, call.max_output_tokens, call_next)
        for asked in (own, *self._fallbacks):
            tried = await self._ask(way, asked)
            if tried.reply is not None:
                if way.failures:
                    self._note("model_answered", way, asked)
                return tried.reply
            if not self._may_go_on(way, tried):
                break
        raise _together(call, way) from None

    async def _ask(self, way: _Way, asked: Fallback) -> _Tried:
        rule = asked.patience.breaker
        name = f"model:{asked.patience.tier or asked.model}"
        breaker = None if rule is None else self._services.breakers.of(name, rule)
        tokens = min(way.call.max_output_tokens, asked.max_output_tokens)

        async def attempt() -> _Tried:
            call = replace(
                way.call,
                model=asked.model,
                max_output_tokens=tokens,
                emit=_noting(way),
                # What a process that died may have paid for is settled once.
                is_repeated=way.call.is_repeated and way.attempts == 0,
            )
            tried = await self._attempt(way, call, asked, breaker)
            if tried.failure is not None:
                way.failures.append(tried.failure)
                self._note("model_attempt", way, asked, tried.failure)
            return tried

        return await repeated(
            attempt,
            asked.patience.retries,
            may_repeat=lambda tried: not tried.is_left_alone and self._may_go_on(way, tried),
            asks=lambda tried: None if tried.failure is None else tried.failure.retry_after,
            longest_wait=lambda: self._longest_wait(asked.patience.retries),
            sleep=lambda seconds: self._wait(way.call, seconds),
        )

    async def _attempt(self, way: _Way, call: ModelCall, asked: Fallback, breaker: Breaker | None) -> _Tried:
        try:
            entered = 0 if breaker is None else breaker.enter()
        except LeftAlone as left:
            failure = ModelCallFailed(
                model=asked.model, reason=str(left), retryable=True, billing_unknown=False
            )
            return _Tried(failure=failure, is_left_alone=True)
        way.attempts += 1
        ended: _Tried | None = None
        try:
            ended = _Tried(reply=await asked.ask(call))
        except ModelCallFailed as failure:
            ended = _Tried(failure=failure)
        finally:
            if breaker is not None and ended is None:
                breaker.give_up(entered)
        if breaker is not None:
            # A request that the provider does not accept says nothing of its health.
            failed = ended.failure if ended.failure is not None and ended.failure.retryable else None
            breaker.leave(entered, failed)
        return ended

    def _may_go_on(self, way: _Way, tried: _Tried) -> bool:
        may_pass = tried.failure is not None and tried.failure.retryable
        return may_pass and not way.is_shown and self._stop.error is None

    def _longest_wait(self, rule: BackoffRule) -> float:
        left = self._seconds_left()
        return rule.longest_wait_seconds if left is None else min(rule.longest_wait_seconds, left)

    async def _wait(self, call: ModelCall, seconds: float) -> None:
        waiting = asyncio.ensure_future(self._services.sleep(seconds))
        # Whoever cancels the run does not wait for a provider to recover.
        self._stop.link(waiting)
        token = call.options.get("cancellation_token")
        if token is not None:
            token.link_future(waiting)
        await waiting

    def _note(self, event: str, way: _Way, asked: Fallback, failure: ModelCallFailed | None = None) -> None:
        self._record(
            event,
            agent=way.call.agent,
            model=asked.model,
            tier=asked.patience.tier,
            attempt=way.attempts,
            reason="" if failure is None else failure.reason,
            retry_after=None if failure is None else failure.retry_after,
        )


def _noting(way: _Way) -> Emit | None:
    emit = way.call.emit
    if emit is None:
        return None

    async def noted(piece: str) -> None:
        way.is_shown = True
        await emit(piece)

    return noted


def _together(call: ModelCall, way: _Way) -> ModelCallFailed:
    last = way.failures[-1]
    if len(way.failures) == 1:
        return last
    said = "; ".join(dict.fromkeys(f"{one.model}: {one.reason}" for one in way.failures))
    return ModelCallFailed(
        model=call.model,
        reason=f"after {way.attempts} attempts. {said}",
        retryable=last.retryable,
        billing_unknown=any(one.billing_unknown for one in way.failures),
        retry_after=last.retry_after,
    )


def patience_of(name: str, tier: ModelTier | None, retries: int | None = None) -> Patience:
    """How long the model of a tier is tried, or a client that is of none.

    Raises:
        PolicyError: `retries` is no number that a policy may name.
    """
    rule = _ONCE if tier is None else tier.retries
    if retries is not None:
        if not 0 <= retries <= _MOST_RETRIES:
            raise PolicyError(f"retries must be from 0 to {_MOST_RETRIES}, not {retries}")
        rule = rule.model_copy(update={"times": retries})
    return Patience(name, rule, tier.breaker if tier else None)


def fallbacks_of(policy: Policy, first: str | None) -> list[str]:
    """The tiers that are asked in turn, from the first one on.

    Raises:
        PolicyError: There is no such tier.
    """
    found: list[str] = []
    while first is not None and first not in found:
        if first not in policy.models:
            known = ", ".join(sorted(policy.models)) or "none"
            said = f"no model tier has this name; there is: {known}"
            raise PolicyError([Fault(said, where=f"models.{first}")])
        found.append(first)
        first = policy.models[first].fallback
    return found
