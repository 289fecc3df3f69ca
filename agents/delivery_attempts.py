"""The attempts to run one tool call, and what they come to together."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from ringfence.agents.delivery_breaker import LeftAlone
from ringfence.agents.delivery_failures import Tried, not_run, raised, told
from ringfence.agents.delivery_limits import TooMany
from ringfence.agents.delivery_retries import repeated
from ringfence.agents.error_facts import is_named
from ringfence.agents.services import Services
from ringfence.conversations.journaled_tools import may_repeat
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.nothing_happened import NothingHappened
from ringfence.guardrails.texts import TextResultContent, ToolResult
from ringfence.guardrails.tool_failure import FailureKind, ToolFailure
from ringfence.guardrails.tool_rules import ToolRule
from ringfence.guardrails.tool_spec import ToolSpec


@dataclass(slots=True)
class Attempts:
    """One call on its way to its tool."""

    call: ToolCall
    run: Handler[ToolCall, ToolResult]
    rule: ToolRule
    spec: ToolSpec
    services: Services
    deadline: float
    """By the services' clock."""
    note: Callable[[Tried, int], None]
    """Told of each failed attempt, and of how many were made so far."""
    made: int = 0
    """Attempts in which the tool was run."""
    is_running: bool = False
    is_late: bool = False
    """The call's time is over."""
    was_unknown: bool = False
    """Of an earlier attempt nobody knows whether it took effect."""
    last: Tried | None = field(default=None, repr=False)

    async def made_in_turn(self) -> Tried:
        """What the last attempt came to."""
        if self.rule.retries is None:
            return await self._attempt()
        return await repeated(
            self._attempt,
            self.rule.retries,
            may_repeat=self._may_repeat,
            asks=lambda tried: tried.seconds,
            longest_wait=self._time_left,
            sleep=self.services.sleep,
        )

    def late(self, timeout: float) -> Tried:
        """What it means that the time is over."""
        if not self.is_running:
            return self.last or not_run(
                self.call.tool, TooMany(f"there was no room for it within {timeout:g} s")
            )
        said = f"No answer within {timeout:g} s."
        return Tried(failure=told(ToolFailure(FailureKind.TIMEOUT, said, unknown=True), self.spec))

    def cancelled(self) -> Tried:
        """What it means that the tool itself ended as if it had been cancelled."""
        said = f"{self.call.tool} was cancelled."
        return Tried(failure=told(ToolFailure(FailureKind.CANCELLED, said, unknown=True), self.spec))

    def whole(self, tried: Tried) -> ToolFailure | None:
        """The failure with what came before it."""
        if tried.failure is None:
            return None
        failure = replace(tried.failure, attempts=self.made)
        if tried.seconds is not None and not isinstance(tried.error, LeftAlone | TooMany):
            failure = replace(failure, said=f"{failure.said} It asks to be called in {tried.seconds:g} s.")
        if self.made and self.last is not None and self.last is not tried and self.last.failure is not None:
            failure = replace(failure, said=f"{failure.said} Before: {self.last.failure.said}")
        if self.was_unknown:
            failure = replace(failure, unknown=True, retryable=False)
        return failure

    def _time_left(self) -> float:
        return max(self.deadline - self.services.clock(), 0.0)

    def _may_repeat(self, tried: Tried) -> bool:
        retries, error = self.rule.retries, tried.error
        if retries is None or error is None or isinstance(error, LeftAlone | TooMany):
            return False
        if isinstance(error, NothingHappened):
            return True
        # An agent as a tool would make other calls than before.
        return may_repeat(self.spec) and not self.spec.composite and is_named(error, retries.errors)

    async def _attempt(self) -> Tried:
        if self.last is not None and self.last.failure is not None:
            self.was_unknown = self.was_unknown or self.last.failure.unknown
        try:
            async with self._let_in() as leave:
                self.made += 1
                self.is_running = True
                try:
                    tried = await self._run()
                finally:
                    self.is_running = False
                leave(tried)
        except (LeftAlone, TooMany) as error:
            return not_run(self.call.tool, error)
        if tried.failure is not None:
            self.last = tried
            self.note(tried, self.made)
        return tried

    @asynccontextmanager
    async def _let_in(self) -> AsyncIterator[Callable[[Tried], None]]:
        """Wait until the tool may be called, and tell its breaker how that ended."""
        rule, tool = self.rule, self.call.tool
        breaker = None if rule.breaker is None else self.services.breakers.of(f"tool:{tool}", rule.breaker)
        entered = 0 if breaker is None else breaker.enter()
        ended: Tried | None = None

        def leave(tried: Tried) -> None:
            nonlocal ended
            ended = tried

        try:
            async with self.services.limits.room(
                f"tool:{tool}", rate=rule.rate, concurrency=rule.concurrency, time_left=self._time_left
            ):
                yield leave
        finally:
            if breaker is not None and ended is not None:
                breaker.leave(entered, ConnectionError() if ended.is_of_the_service else None)
            elif breaker is not None and self.is_late and self.made:
                breaker.leave(entered, TimeoutError())
            elif breaker is not None:
                breaker.give_up(entered)

    async def _run(self) -> Tried:
        try:
            async with self._undone_if_repeated():
                result = await self.run(self.call)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # a tool's SystemExit would end the whole process
            return raised(self.call.tool, self.spec, error)
        if not isinstance(result, ToolResult):
            said = f"{self.call.tool} gave no result that can be used."
            return Tried(failure=told(ToolFailure(FailureKind.BAD_RESULT, said, unknown=True), self.spec))
        return Tried(result=_with_head(result) if result.is_error else result)

    @asynccontextmanager
    async def _undone_if_repeated(self) -> AsyncIterator[None]:
        """What a failed attempt did in the call's transaction is not there for the next one."""
        if self.call.transaction is None or self.rule.retries is None:
            yield
            return
        async with self.call.transaction.begin_nested():
            yield


def _with_head(result: ToolResult) -> ToolResult:
    """A failure that a server reports in words of its own."""
    head = TextResultContent(content=str(ToolFailure(FailureKind.REJECTED, "")))
    texts = [part for part in result.result if isinstance(part, TextResultContent)]
    if len(texts) == len(result.result) == 1:
        head = TextResultContent(content=f"{head.content} {texts[0].content}")
        return result.model_copy(update={"result": [head]})
    return result.model_copy(update={"result": [head, *result.result]})
