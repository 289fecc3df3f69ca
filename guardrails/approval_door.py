"""A call waits at the tool door for a person, and runs only as that person saw or made it."""

import json
from collections.abc import Callable

from ringfence.errors import GuardrailTripped
from ringfence.guardrails.approval_book import ApprovalBook
from ringfence.guardrails.call_judge import CallJudge, JudgedCall
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.middleware import Handler, Middleware
from ringfence.guardrails.texts import TextResultContent, ToolResult
from ringfence.guardrails.tool_directory import ToolDirectory
from ringfence.guardrails.verdicts import Allow, Block, Escalate


class Approve:
    """Judges a cleared call once more, on its final arguments, and asks a person where the policy says so."""

    def __init__(
        self,
        *,
        book: ApprovalBook,
        judge: CallJudge,
        directory: ToolDirectory,
        has_started: Callable[[ToolCall], bool] = lambda _: False,
        changed: Callable[[ToolCall], None] = lambda _: None,
        recheck: Middleware[ToolCall, ToolCall] | None = None,
    ) -> None:
        self._has_started = has_started
        """Whether the call was approved and begun before the process ended."""
        self._changed = changed
        """Told of a call that a person changed, before it runs."""
        self._recheck = recheck
        """The guardrails that judged the agent's own arguments."""
        self._book = book
        self._judge = judge
        self._directory = directory

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """Answer the call if it is allowed, or a person approved it.

        Raises:
            ApprovalRequired: Nobody has decided yet.
            ApprovalDenied: The person said no, or the approval has expired.
            GuardrailTripped: The policy does not allow it.
        """
        judged = self._judged(call)
        if isinstance(judged.verdict, Escalate) and not self._has_started(call):
            settled = await self._settled(call, judged)
            if settled is not call:
                call, judged = settled, self._judged(settled)
                await self._check_change(call)
                self._changed(call)
        result = await call_next(judged.revealed)
        return _told(result, call) if call.changed_by else result

    async def _check_change(self, call: ToolCall) -> None:
        if self._recheck is None:
            return
        checked = await self._recheck(call, _itself)
        if checked.arguments != call.arguments:
            said = "a guardrail would rewrite the arguments that a person gave"
            raise GuardrailTripped(guardrail="approval", point="tool_call", reason=said)

    def _judged(self, call: ToolCall) -> JudgedCall:
        judged = self._judge.judge(call)
        verdict = judged.verdict
        if isinstance(verdict, Allow | Escalate):
            return judged
        hint = verdict.hint if isinstance(verdict, Block) else ""
        raise GuardrailTripped(
            guardrail=verdict.guardrail, point="tool_call", reason=verdict.reason, hint=hint
        )

    async def _settled(self, call: ToolCall, judged: JudgedCall) -> ToolCall:
        spec = self._directory.specs[call.tool]
        return await self._book.settle(
            call,
            real_arguments=judged.revealed.arguments,
            reason=judged.verdict.reason,
            reveals=spec.reveals,
            supplied=spec.supplied,
            traces=judged.traces,
            evidence=self._judge.evidence(call.tool, judged.traces),
        )


async def _itself(call: ToolCall) -> ToolCall:
    return call


def _told(result: ToolResult, call: ToolCall) -> ToolResult:
    """The result of a call that a person changed, which says so, or the model believes that its own ran."""
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    said = f"[A person changed the arguments of this call before it ran: {arguments}]"
    return result.model_copy(update={"result": [TextResultContent(content=said), *result.result]})


def without_change(result: ToolResult) -> ToolResult:
    """What the tool itself gave, of a call that a person changed."""
    return result.model_copy(update={"result": result.result[1:]})
