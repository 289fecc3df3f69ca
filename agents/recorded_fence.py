"""A fence behind which models and tools say what was recorded of them, so that nothing is called."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from autogen_core.memory import ListMemory, Memory
from autogen_core.models import CreateResult
from autogen_core.tools import ToolResult

from ringfence.agents.fence import Fence
from ringfence.agents.memory import FencedMemory
from ringfence.agents.recorded_answers import Script
from ringfence.conversations.decisions import NOT_RECORDED
from ringfence.conversations.outcomes import model_reply
from ringfence.conversations.records import Row
from ringfence.errors import GuardrailTripped, ModelCallFailed
from ringfence.guardrails.calls import ModelCall, ToolCall
from ringfence.guardrails.middleware import Handler, Middleware
from ringfence.guardrails.passages import Point
from ringfence.guardrails.refusal import failed
from ringfence.guardrails.texts import RequestUsage

_NO_RESULT = f"{NOT_RECORDED} This call was not made when the conversation was recorded, and is not made now."


class RecordedFence(Fence):
    """A fence behind which nothing is called."""

    script: Script
    """Set before a team is built."""

    def memory(self, memory: Memory) -> FencedMemory:  # noqa: ARG002 - the memory itself is left alone
        """An empty memory: what one recalled is not in the recording."""
        return super().memory(ListMemory())

    def _model_door(
        self, meter: Middleware[ModelCall, CreateResult], delivery: Middleware[ModelCall, CreateResult]
    ) -> Sequence[Middleware[ModelCall, CreateResult]]:
        # What was tried again, or answered by another tier, is one reply of the recording.
        *before, _, _ = super()._model_door(meter, delivery)
        return (*before, _TakeReply(self.script), meter, _GiveReply())

    def _tool_door(self) -> Sequence[Middleware[ToolCall, ToolResult]]:
        # A recorded result was delivered once, and is told as it was then.
        *before, _ = super()._tool_door()
        return (*before, _GiveResult(self.script, self))

    def suspect(self, point: Point, tool: str = "") -> None:
        """Suspect what was suspected; the hidden signs in a text were taken away before it was kept."""
        if self._compiled.scanners.get(point):
            self._session.suspicions.load(self.script.suspected(point, tool))


@dataclass(frozen=True, slots=True)
class _PlayedCall(ModelCall):
    """A model call with what was recorded of it."""

    row: Row | None = field(default=None, repr=False, metadata={"structural": True})


class _TakeReply:
    """Finds the reply that was recorded; a refused one is refused again, because its text was not kept."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def __call__(self, call: ModelCall, call_next: Handler[ModelCall, CreateResult]) -> CreateResult:
        """Answer the call.

        Raises:
            GuardrailTripped: The recorded reply was refused.
            ConversationInterrupted: Nothing more was recorded.
        """
        row = self._script.reply(call)
        values = {one.name: getattr(call, one.name) for one in fields(ModelCall)}
        reply = await call_next(_PlayedCall(**values, row=row))
        if "tripped" in (row.outcome or {}):
            raise GuardrailTripped(**(row.outcome or {})["tripped"])
        return reply


class _GiveReply:
    """Stands in the model's place, so that what a reply cost is counted anew."""

    async def __call__(self, call: ModelCall, call_next: Handler[ModelCall, CreateResult]) -> CreateResult:  # noqa: ARG002 - nobody is called
        """Answer the call.

        Raises:
            ModelCallFailed: As recorded.
        """
        row = call.row if isinstance(call, _PlayedCall) else None
        outcome = {} if row is None or row.outcome is None else row.outcome
        used = [step["usage"] for step in outcome.get("steps", ())]
        if "failed" in outcome:
            raise ModelCallFailed(
                model=call.model,
                reason=str(outcome["failed"]).partition("failed: ")[2],
                retryable=False,
                billing_unknown=any(one["input_tokens"] for one in used),
            )
        if "answered" in outcome:
            return model_reply(outcome)
        return CreateResult(
            content="",
            finish_reason="stop",
            usage=RequestUsage(
                prompt_tokens=sum(one["input_tokens"] for one in used),
                completion_tokens=sum(one["output_tokens"] for one in used),
            ),
            cached=False,
        )


class _GiveResult:
    """Stands in the tool's place; an agent or a team as a tool is played, for its own steps are recorded."""

    def __init__(self, script: Script, fence: RecordedFence) -> None:
        self._script = script
        self._fence = fence

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """Answer the call."""
        if self._fence.tools[call.tool].composite:
            return await call_next(call)
        result = self._script.result(call)
        if result is None:
            return failed(call, _NO_RESULT)
        self._fence.suspect(Point.TOOL_RESULT, call.tool)
        return result
