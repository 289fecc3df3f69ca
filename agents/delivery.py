"""Running a tool so that nothing it does can hang or break the team, and a failure is told as one."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ringfence.agents.bounded_results import bounded
from ringfence.agents.delivery_attempts import Attempts
from ringfence.agents.delivery_failures import Tried
from ringfence.agents.error_facts import name_of
from ringfence.agents.services import Services
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.records import Record
from ringfence.guardrails.texts import TextResultContent, ToolResult
from ringfence.guardrails.tool_failure import FailureKind, ToolFailure
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.tool_rules import ToolRule
from ringfence.guardrails.tool_spec import ToolSpec

DEFAULT_TIMEOUT_SECONDS = 60.0
_TO_LET_GO_SECONDS = 5.0


class Deliver:
    """Runs the tool within its time, and again where that cannot act twice; never raises what it raises."""

    def __init__(
        self,
        policy: ToolPolicy,
        *,
        spec_of: Callable[[str], ToolSpec],
        services: Services,
        record: Record,
    ) -> None:
        self._policy = policy
        self._spec_of = spec_of
        self._services = services
        self._record = record

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """The tool's result, or a failure that the model can use.

        Raises:
            StoreError: What came of it could not be written into the audit log.
        """
        rule = self._policy.rule(call.tool)
        timeout = rule.timeout_seconds or DEFAULT_TIMEOUT_SECONDS
        attempts = Attempts(
            call=call,
            run=call_next,
            rule=rule,
            spec=self._spec_of(call.tool),
            services=self._services,
            deadline=self._services.clock() + timeout,
            note=partial(self._note, call),
        )
        work = asyncio.ensure_future(attempts.made_in_turn())
        try:
            await asyncio.wait({work}, timeout=timeout)
        except asyncio.CancelledError:
            work.cancel()
            raise
        if work.cancelled():
            tried = attempts.cancelled()
        elif work.done():
            tried = work.result()
        else:
            # A thread cannot be stopped, so nobody waits for it: it may still finish, and nobody would know.
            attempts.is_late = True
            tried = attempts.late(timeout)
            work.cancel()
            if call.transaction is not None:
                # What it did is undone, and nobody may use the connection meanwhile.
                await asyncio.wait({work}, timeout=_TO_LET_GO_SECONDS)
        failure = attempts.whole(tried)
        if failure is None:
            assert tried.result is not None  # noqa: S101 - there is one or the other
            return bounded(tried.result)
        return self._told(call, rule, attempts.spec, failure)

    def _told(self, call: ToolCall, rule: ToolRule, spec: ToolSpec, failure: ToolFailure) -> ToolResult:
        self._record(
            "tool_failure",
            agent=call.agent,
            tool=call.tool,
            call_id=call.call_id,
            kind=failure.kind.value,
            retryable=failure.retryable,
            outcome_unknown=failure.unknown,
            attempts=failure.attempts,
        )
        if failure.kind is FailureKind.REJECTED:
            return failure.result(call)
        if rule.answer is not None and not spec.consequential:
            said = f"[Not from {call.tool}: it failed (kind: {failure.kind}), and the policy answers.]"
            return ToolResult(name=call.tool, result=[TextResultContent(content=f"{said} {rule.answer}")])
        if rule.answer is not None:
            failure = replace(failure, said=f"{failure.said} The policy says for this case: {rule.answer}")
        elif rule.fallback is not None and not failure.unknown:
            failure = replace(failure, said=f"{failure.said} Call {rule.fallback} in its place.")
        return failure.result(call)

    def _note(self, call: ToolCall, tried: Tried, made: int) -> None:
        self._record(
            "tool_attempt",
            agent=call.agent,
            tool=call.tool,
            call_id=call.call_id,
            attempt=made,
            kind="" if tried.failure is None else tried.failure.kind.value,
            error="" if tried.error is None else name_of(tried.error),
        )
