"""How the model door and the tool door say no: never by raising into a team."""

import asyncio

from ringfence.errors import (
    ApprovalDenied,
    ApprovalRequired,
    ConversationInterrupted,
    GuardrailTripped,
    LimitExceeded,
    RingfenceError,
    StoreError,
    is_suspension,
)
from ringfence.guardrails.calls import ModelCall, ToolCall
from ringfence.guardrails.masking import Masker
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.texts import CreateResult, RequestUsage, TextResultContent, ToolResult


class StopInsteadOfRaise:
    """The outermost middleware of the model door.

    An error that is raised inside a team loses its type and leaves the team unusable, so the reason is
    remembered and the team gets an answer that says it has to end.
    """

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop

    async def __call__(self, call: ModelCall, call_next: Handler[ModelCall, CreateResult]) -> CreateResult:
        """Answer the call; after a stop, without a model."""
        if self._stop.error is None:
            try:
                return await call_next(call)
            except RingfenceError as error:
                self._stop.set(error)
            except Exception as error:  # whatever broke, the model's reply may not act
                self._stop.set(ConversationInterrupted(f"The model door failed with {type(error).__name__}"))
        return CreateResult(
            content=f"[Ringfence stopped this conversation. {self._stop.error}]",
            finish_reason="stop",
            usage=RequestUsage(prompt_tokens=0, completion_tokens=0),
            cached=False,
        )


class RefuseInsteadOfRaise:
    """The outermost middleware of the tool door.

    Anything that is raised there, even a cancellation, makes AutoGen's agent wait for ever.
    """

    def __init__(self, stop: StopSignal, masker: Masker) -> None:
        self._stop = stop
        self._masker = masker

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """Answer the call; a refusal is a result that the model can use."""
        if self._stop.error is not None and not is_suspension(self._stop.error):
            return await self._masked(call, f"Refused: {self._stop.error}. The call was not run.")
        try:
            return await call_next(call)
        except (Exception, asyncio.CancelledError) as error:
            if _stops(error):
                self._stop.set(error)  # type: ignore[arg-type]  # _stops says that it is one of ours
            return await self._masked(call, _explain(error))

    async def _masked(self, call: ToolCall, text: str) -> ToolResult:
        # A reason may be somebody's words, such as an approver's, who sees real values.
        try:
            return await self._masker.mask(failed(call, text), point="refusal")
        except (Exception, asyncio.CancelledError):
            return failed(call, "Refused, for a reason that cannot be shown here.")


def failed(call: ToolCall, text: str) -> ToolResult:
    """A result that no model can mistake for success."""
    return ToolResult(name=call.tool, result=[TextResultContent(content=text)], is_error=True)


def _stops(error: BaseException) -> bool:
    if isinstance(error, GuardrailTripped):
        return error.halt
    return isinstance(error, LimitExceeded | StoreError | ConversationInterrupted) or is_suspension(error)


def _explain(error: BaseException) -> str:
    match error:
        case GuardrailTripped(point="tool_result"):
            return f"The call has run, but its result is withheld: {error.hint}. Do not repeat the call."
        case GuardrailTripped():
            return f"Refused: {error.hint}. The call was not run."
        case ApprovalDenied(was_begun=True):
            unknown = "It is not known whether an earlier try took effect, and it was not run again."
            return f"{unknown} {error.tool} {error.reason}."
        case ApprovalDenied():
            return f"Refused: {error.tool} {error.reason}. The call was not run."
        case ApprovalRequired():
            return f"Not done yet: {error.tool} waits for approval. Do not repeat the call."
        case StoreError():
            return f"{error}. It is not known whether the call took effect."
        case RingfenceError():
            return f"Refused: {error}. The call was not run."
        case asyncio.CancelledError():
            return "The run was cancelled. It is not known whether the call took effect."
        case _:
            said = f"The tool door failed with {type(error).__name__}."
            return f"{said} It is not known whether the call took effect."
