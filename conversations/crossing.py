"""What the audit log says of each crossing of a door."""

from time import monotonic
from typing import Any

from ringfence.guardrails.calls import Delivery, ModelCall, ToolCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.records import Record


class RecordCrossing:
    """Writes down who crossed which door, how it ended and how long it took. Never what was said."""

    def __init__(self, *, door: str, record: Record) -> None:
        self._door = door
        self._record = record

    async def __call__(self, call: Any, call_next: Handler[Any, Any]) -> Any:
        """Answer the call and write the line; when the line cannot be written, the crossing failed."""
        fields = _fields(call)
        self._record("enters", door=self._door, **fields)
        started = monotonic()
        outcome = "interrupted"
        try:
            reply = await call_next(call)
            outcome = "failed" if getattr(reply, "is_error", False) else "passed"
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            seconds = round(monotonic() - started, 4)
            self._record("leaves", door=self._door, **fields, outcome=outcome, seconds=seconds)
        return reply


class RecordDelivery:
    """Writes down that a message went out to the user. Innermost: what was stopped did not go out."""

    def __init__(self, record: Record) -> None:
        self._record = record

    async def __call__(self, call: Delivery, call_next: Handler[Delivery, None]) -> None:
        """Write the line, then hand the message out."""
        source = str(getattr(call.message, "source", ""))
        self._record("delivers", door="user", agent=source, message=type(call.message).__name__)
        await call_next(call)


def _fields(call: Any) -> dict[str, object]:
    match call:
        case ModelCall():
            return {"agent": call.agent, "model": call.model, "messages": len(call.messages)}
        case ToolCall():
            return {"agent": call.agent, "tool": call.tool, "call_id": call.call_id}
        case _:
            return {}
