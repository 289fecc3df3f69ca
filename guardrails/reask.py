"""A model may mend a reply that a guardrail refused."""

from dataclasses import replace

from ringfence.errors import GuardrailTripped
from ringfence.guardrails.calls import ModelCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.records import Record
from ringfence.guardrails.texts import CreateResult, UserMessage


class Reask:
    """Lets a model answer again when a guardrail asks for it, a bounded number of times.

    It stands outside the meter, so each answer is paid from the budget, and before any tool call of the reply
    is cleared, so no tool runs twice. Tools and the structure asked for stay as they were.
    """

    def __init__(self, *, times: int, record: Record) -> None:
        self._times = times
        self._record = record

    async def __call__(self, call: ModelCall, call_next: Handler[ModelCall, CreateResult]) -> CreateResult:
        """Answer the call; on a refusal that may be mended, say why and ask again.

        Raises:
            GuardrailTripped: The last answer was refused, too.
        """
        for attempt in range(1, self._times + 1):
            try:
                return await call_next(call)
            except GuardrailTripped as tripped:
                if not tripped.reask:
                    raise
                self._record("reask", agent=call.agent, model=call.model, guardrail=tripped.guardrail)
                said = f"Your last reply was not accepted: {tripped.hint}. Write it again."
                # Without the refused reply: it may hold what nobody shall read, or calls without results.
                correction = UserMessage(content=said, source="ringfence")
                call = replace(call, messages=(*call.messages, correction), attempt=attempt)
        return await call_next(call)
