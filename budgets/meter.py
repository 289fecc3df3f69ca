"""No model call starts unless its worst case is reserved, and no tool call unless one is left."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from ringfence.budgets.ledger import Ledger, Reservation
from ringfence.budgets.prices import Price
from ringfence.budgets.usage import Step, Usage
from ringfence.errors import ModelCallFailed
from ringfence.guardrails.calls import ModelCall, ToolCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.records import Record
from ringfence.guardrails.texts import CreateResult, ToolResult

_LEAST_OUTPUT_TOKENS = 16
"""With less than this left a reply would be cut to pieces, so the limit counts as reached."""


class MeterModelCalls:
    """Reserves the worst case of a model call, bounds its output to it, and settles what was used."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        price: Price,
        count_prompt: Callable[[ModelCall], int],
        record: Record,
    ) -> None:
        self._ledger = ledger
        self._price = price
        self._count_prompt = count_prompt
        self._record = record

    async def __call__(self, call: ModelCall, call_next: Handler[ModelCall, CreateResult]) -> CreateResult:
        """Answer the call within what is left.

        Raises:
            LimitExceeded: The worst case would pass a limit, the time is over, or the provider used more
                than it was asked for at most.
        """
        prompt_tokens = self._count_prompt(call)
        output_tokens = self._affordable_output(prompt_tokens, call.max_output_tokens)
        worst_case = self._used(prompt_tokens, output_tokens)
        if call.is_repeated:
            # Nobody knows what the provider charged for the call that was lost.
            self._settle(
                call, self._ledger.reserve(worst_case), Step(call.agent, call.model, worst_case, 0.0)
            )
        reservation = self._ledger.reserve(worst_case)
        used, started = worst_case, monotonic()
        try:
            async with asyncio.timeout(self._ledger.seconds_left()):
                reply = await call_next(replace(call, max_output_tokens=output_tokens))
            used = self._reported(reply, worst_case)
        except TimeoutError:
            raise self._ledger.out_of_time() from None
        except ModelCallFailed as failure:
            # An answer that says "error" is not charged; a call that got none may have been.
            used = worst_case if failure.billing_unknown else Usage(model_calls=1)
            raise
        finally:
            seconds = monotonic() - started
            self._settle(call, reservation, Step(call.agent, call.model, used, seconds))
            self._record(
                "model_usage",
                agent=call.agent,
                model=call.model,
                input_tokens=used.input_tokens,
                output_tokens=used.output_tokens,
                usd=str(used.usd),
                reserved_tokens=worst_case.tokens,
                seconds=round(seconds, 4),
            )
        self._ledger.check_spent()
        return reply

    def _settle(self, call: ModelCall, reservation: Reservation, step: Step) -> None:
        self._ledger.settle(reservation, step)
        if call.settled is not None:
            call.settled(step)

    def _affordable_output(self, prompt_tokens: int, wanted: int) -> int:
        tokens_left, usd_left = self._ledger.tokens_left(), self._ledger.usd_left()
        room = wanted if tokens_left is None else min(wanted, tokens_left - prompt_tokens)
        per_token = self._price.usd(0, 1)
        if usd_left is not None and per_token:
            room = min(room, int((usd_left - self._price.usd(prompt_tokens, 0)) / per_token))
        # Too little left: ask for the least, so that the ledger says which limit is in the way.
        return max(room, min(wanted, _LEAST_OUTPUT_TOKENS))

    def _reported(self, reply: CreateResult, worst_case: Usage) -> Usage:
        if reply.cached:
            return Usage(model_calls=1)
        # Where the provider said nothing that makes sense, the worst case stands.
        return self._used(
            _sensible(reply.usage.prompt_tokens) or worst_case.input_tokens,
            _sensible(reply.usage.completion_tokens) or worst_case.output_tokens,
        )

    def _used(self, input_tokens: int, output_tokens: int) -> Usage:
        return Usage(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            usd=self._price.usd(input_tokens, output_tokens),
            model_calls=1,
        )


def _sensible(tokens: object) -> int:
    return tokens if isinstance(tokens, int) and tokens > 0 else 0


class MeterToolCalls:
    """Counts each tool call before it runs."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """Answer the call if one is left.

        Raises:
            LimitExceeded: It would be one too many.
        """
        self._ledger.count_tool_call()
        return await call_next(call)
