"""A call is counted in the same step in which its totals are checked, and stays counted in every process."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ringfence.conversations.journal import Journal
from ringfence.conversations.journaled_tools import key_of
from ringfence.conversations.records import Row
from ringfence.errors import GuardrailTripped
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.made_calls import MadeCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.plain_numbers import plain_number
from ringfence.guardrails.standing import Standing
from ringfence.guardrails.texts import ToolResult
from ringfence.guardrails.tool_policy import Situation, ToolPolicy
from ringfence.guardrails.verdicts import Allow

_RUN, _COUNTED = "begun_in_run", "counted"
"""In the request of a journal row: the run in which the call was begun, and the numbers that totals count."""


class CountCalls:
    """Counts a call that is about to run, unless a total has no room for it any more.

    Nothing is awaited between check and count, so that of many parallel calls only as many run as fit. A call
    is never taken back: nobody knows for sure that one which failed had no effect.
    """

    def __init__(self, policy: ToolPolicy, standing: Standing, journal: Journal) -> None:
        self._policy = policy
        self._standing = standing
        self._journal = journal

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """Answer the call; its arguments are real.

        Raises:
            GuardrailTripped: It would pass a total, even if a person approved it before others ran.
        """
        made = self._standing.made
        others = Situation(run=made.run, made=made.but(call.call_id))
        verdict = self._policy.judge_totals(call.tool, call.arguments, others)
        if not isinstance(verdict, Allow):
            raise GuardrailTripped(guardrail=verdict.guardrail, point="tool_call", reason=verdict.reason)
        counted = self._policy.counted(call.tool, call.arguments)
        made.note(call.call_id, call.tool, {**_numbers(call.arguments), **counted})
        intents = self._journal.intents
        if intent := intents.get(key_of(call)):
            # Only what begins is written down with this, so that a refused call counts nowhere.
            request = {
                **intent.request,
                _RUN: made.run,
                _COUNTED: {name: str(one) for name, one in counted.items()},
            }
            intents[intent.key] = replace(intent, request=request)
        return await call_next(call)


def counted_calls(rows: Iterable[Row], reveal: Callable[[str], str]) -> Iterator[tuple[int, str, MadeCall]]:
    """The calls among the steps of a journal that have begun, by turn and id.

    Args:
        rows: Of all turns.
        reveal: Gives a masked text its real values back.
    """
    for row in rows:
        if row.kind == "tool" and _RUN in row.request:
            arguments = {
                name: reveal(value) if isinstance(value, str) else value
                for name, value in row.request["arguments"].items()
            }
            values = _numbers(arguments) | row.request[_COUNTED]
            yield row.turn, row.key.removeprefix("tool:"), MadeCall(row.name, row.request[_RUN], values)


def _numbers(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a total may ever count, also one that a later policy brings."""
    return {name: value for name, value in arguments.items() if plain_number(value) is not None}
