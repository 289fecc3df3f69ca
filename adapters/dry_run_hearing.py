"""Listening at a door: what guardrails say there, and what the doors tell a user or a model of a refusal."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from ringfence.errors import RingfenceError
from ringfence.guardrails.calls import ModelCall, ToolCall
from ringfence.guardrails.enforcement import Enforce
from ringfence.guardrails.judging import Judged
from ringfence.guardrails.masking import Masker
from ringfence.guardrails.middleware import Handler, door
from ringfence.guardrails.passages import Passage, Point
from ringfence.guardrails.reask import Reask
from ringfence.guardrails.records import record_nothing
from ringfence.guardrails.refusal import RefuseInsteadOfRaise, StopInsteadOfRaise
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.texts import CreateResult, RequestUsage
from ringfence.guardrails.verdicts import Verdict, strictest


@dataclass(frozen=True, slots=True)
class Hearing:
    """What somebody is told."""

    who: Literal["user", "model"]
    text: str


class Watched(Enforce):
    """Enforces as the door does, and keeps what was said."""

    def __init__(self, **checks: Any) -> None:
        super().__init__(record=record_nothing, **checks)
        self.judged: list[Judged] = []

    @property
    def verdict(self) -> Verdict:
        """The strictest word that counted."""
        return strictest(judged.verdict for judged in self.judged)

    def _act(self, judged: Judged) -> None:
        self.judged.append(judged)
        super()._act(judged)


class Trouble:
    """Remembers the first error that passes, before what stands around it makes words of it."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    async def __call__(self, call: Any, call_next: Handler[Any, Any]) -> Any:
        """Answer the call."""
        try:
            return await call_next(call)
        except Exception as error:
            self.error = self.error or error
            raise


async def hearings(
    error: RingfenceError, passage: Passage, *, reasks: int, masker: Masker
) -> tuple[Hearing, ...]:
    """Who is told what when a passage is refused with this error."""
    match passage.point:
        case Point.MESSAGE:
            return await _at_the_model_door(error, passage, reasks)
        case Point.TOOL_CALL | Point.TOOL_RESULT:
            return await _at_the_tool_door(error, passage, masker)
        case _:
            return (Hearing("user", str(error)),)


async def _at_the_model_door(error: RingfenceError, passage: Passage, reasks: int) -> tuple[Hearing, ...]:
    corrections: list[str] = []

    async def model(call: ModelCall) -> CreateResult:
        if not call.messages:
            raise error
        corrections.append(str(call.messages[-1].content))
        usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
        return CreateResult(finish_reason="stop", content="", usage=usage, cached=False)

    stop = StopSignal()
    refusing = (StopInsteadOfRaise(stop), Reask(times=reasks, record=record_nothing))
    await door(refusing, model)(ModelCall(passage.agent, "", ()))
    if corrections:
        return (Hearing("model", corrections[0]),)
    return (Hearing("user", str(stop.error)),)


async def _at_the_tool_door(error: RingfenceError, passage: Passage, masker: Masker) -> tuple[Hearing, ...]:
    stop = StopSignal()
    call = ToolCall(passage.agent, passage.tool, {}, "")
    result = await RefuseInsteadOfRaise(stop, masker)(call, _raises(error))
    heard = (Hearing("model", result.to_text()),)
    return heard if stop.error is None else (*heard, Hearing("user", str(stop.error)))


def _raises(error: Exception) -> Callable[[Any], Coroutine[Any, Any, Any]]:
    async def refused(_call: Any) -> Any:
        raise error

    return refused
