"""Code that an agent runs by itself is decided as a function call is, although no model door sees one."""

from collections.abc import Callable
from dataclasses import replace

from ringfence.guardrails.call_judge import CallJudge
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.clearance import Clearances, canonical, digest
from ringfence.guardrails.records import Record
from ringfence.guardrails.texts import FunctionCall


class ClearCode:
    """Decides a call of a tool that runs code, and notes the clearance that the tool door will ask for."""

    def __init__(
        self,
        *,
        judge: CallJudge,
        clearances: Clearances,
        record: Record,
        new_id: Callable[[str], str],
    ) -> None:
        self._judge = judge
        self._clearances = clearances
        self._record = record
        self._new_id = new_id
        """Makes an id that is the same when the turn is played again."""

    def __call__(self, call: ToolCall) -> ToolCall:
        """The call with an id of its own, decided.

        Raises:
            StoreError: The decision could not be written down.
        """
        marks = digest(call.tool, call.arguments)
        call = replace(call, call_id=self._new_id(f"code:{call.agent}:{marks}"))
        verdict = self._judge.judge(call).verdict
        asked = FunctionCall(id=call.call_id, name=call.tool, arguments=canonical(call.arguments))
        self._clearances.note(asked, call.arguments, verdict)
        self._record(
            "clearance",
            door="code",
            agent=call.agent,
            tool=call.tool,
            verdict=type(verdict).__name__.lower(),
            guardrail=verdict.guardrail,
            reason=verdict.reason,
            digest=marks[:16],
        )
        return call
