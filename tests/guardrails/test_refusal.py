"""The doors say no without raising into a team."""

import asyncio

import pytest

from ringfence.errors import (
    ApprovalDenied,
    ApprovalRequired,
    ConversationInterrupted,
    GuardrailTripped,
    LimitExceeded,
    ModelCallFailed,
    RingfenceError,
    StoreError,
)
from ringfence.guardrails.masking import Masker
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.presidio import PiiFinder
from ringfence.guardrails.refusal import RefuseInsteadOfRaise, StopInsteadOfRaise
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.vault import Vault
from tests.guardrails.parts import Handler, model_call, reply, text_of, tool_call, tool_result


def tripped(point: str = "message", *, halt: bool = False) -> GuardrailTripped:
    return GuardrailTripped(guardrail="tone", point=point, reason="it is rude", halt=halt)


LIMIT = LimitExceeded(kind="tokens", value=11, limit=10, scope="conversation")
WAITS = ApprovalRequired(approval_id="approval-1", tool="refund")
DENIED = ApprovalDenied(approval_id="approval-1", tool="refund", reason="was rejected by bob")
STORE = StoreError("The audit log cannot be written: disk full")
FAILED = ModelCallFailed(model="m", reason="busy", retryable=True)


@pytest.fixture
def masker() -> Masker:
    """Masks e-mail addresses."""
    settings = PiiSettings(detection="patterns")
    return Masker(finder=PiiFinder(settings), settings=settings, vault=Vault())


@pytest.fixture
def stop() -> StopSignal:
    """Why the conversation has to stop."""
    return StopSignal()


class TestModelDoor:
    """An answer in place of an error."""

    async def test_an_answer_passes(self, stop: StopSignal) -> None:
        """As it is."""
        answer = reply("good")
        assert await StopInsteadOfRaise(stop)(model_call("hi"), Handler(answer)) is answer
        assert stop.error is None

    @pytest.mark.parametrize("error", [tripped(), LIMIT, WAITS, STORE, FAILED])
    async def test_an_error_of_ours_is_remembered(self, stop: StopSignal, error: RingfenceError) -> None:
        """The team gets a text that says why it has to end, and that was free."""
        answer = await StopInsteadOfRaise(stop)(model_call("hi"), Handler(error))
        assert stop.error is error
        assert answer.content == f"[Ringfence stopped this conversation. {error}]"
        assert answer.finish_reason == "stop"
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (0, 0)

    async def test_any_other_error_is_told_by_its_kind(self, stop: StopSignal) -> None:
        """Its text may quote the prompt."""
        answer = await StopInsteadOfRaise(stop)(model_call("hi"), Handler(ValueError("jane@acme.com")))
        assert isinstance(stop.error, ConversationInterrupted)
        assert "The model door failed with ValueError" in answer.content
        assert "jane" not in answer.content

    async def test_a_cancellation_goes_on(self, stop: StopSignal) -> None:
        """Whoever cancels the run wants it to end."""
        with pytest.raises(asyncio.CancelledError):
            await StopInsteadOfRaise(stop)(model_call("hi"), Handler(asyncio.CancelledError()))
        assert stop.error is None

    async def test_after_a_stop_no_model_is_called(self, stop: StopSignal) -> None:
        """And the first reason stays."""
        stop.set(LIMIT)
        handler = Handler(reply("good"))
        answer = await StopInsteadOfRaise(stop)(model_call("hi"), handler)
        assert handler.calls == []
        assert str(LIMIT) in answer.content


class TestToolDoor:
    """A result that the model can use."""

    async def test_a_result_passes(self, stop: StopSignal, masker: Masker) -> None:
        """As it is."""
        result = tool_result()
        assert await RefuseInsteadOfRaise(stop, masker)(tool_call(), Handler(result)) is result

    @pytest.mark.parametrize(
        ("error", "said", "stops"),
        [
            (tripped("tool_call"), "Refused: it is rude. The call was not run.", False),
            (tripped("tool_call", halt=True), "Refused: it is rude. The call was not run.", True),
            (
                tripped("tool_result"),
                "The call has run, but its result is withheld: it is rude. Do not repeat the call.",
                False,
            ),
            (DENIED, "Refused: refund was rejected by bob. The call was not run.", False),
            (WAITS, "Not done yet: refund waits for approval. Do not repeat the call.", True),
            (LIMIT, f"Refused: {LIMIT}. The call was not run.", True),
            (STORE, f"{STORE}. It is not known whether the call took effect.", True),
            (RingfenceError("no"), "Refused: no. The call was not run.", False),
            (
                asyncio.CancelledError(),
                "The run was cancelled. It is not known whether the call took effect.",
                False,
            ),
            (
                ValueError("jane@acme.com"),
                "The tool door failed with ValueError. It is not known whether the call took effect.",
                False,
            ),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
    )
    async def test_an_error_becomes_a_result(
        self, stop: StopSignal, masker: Masker, error: BaseException, said: str, stops: bool
    ) -> None:
        """Nothing is raised into AutoGen's agent; what has to stop the conversation does."""
        result = await RefuseInsteadOfRaise(stop, masker)(tool_call(), Handler(error))
        assert text_of(result) == said
        assert result.name == "refund"
        assert stop.error is (error if stops else None)

    async def test_after_a_stop_no_tool_runs(self, stop: StopSignal, masker: Masker) -> None:
        """Calls that the model had asked for together are refused, too."""
        stop.set(LIMIT)
        handler = Handler(tool_result())
        result = await RefuseInsteadOfRaise(stop, masker)(tool_call(), handler)
        assert text_of(result) == f"Refused: {LIMIT}. The call was not run."
        assert handler.calls == []

    async def test_while_one_call_waits_the_others_go_on(self, stop: StopSignal, masker: Masker) -> None:
        """Each of several calls can ask for its own approval."""
        stop.set(WAITS)
        assert await RefuseInsteadOfRaise(stop, masker)(tool_call(), Handler(tool_result())) == tool_result()

    async def test_a_reason_is_masked(self, stop: StopSignal, masker: Masker) -> None:
        """An approver sees real values, and may write one of them down."""
        error = ApprovalDenied(
            approval_id="approval-1", tool="refund", reason="was rejected: ask jane@acme.com"
        )
        result = await RefuseInsteadOfRaise(stop, masker)(tool_call(), Handler(error))
        assert text_of(result) == (
            "Refused: refund was rejected: ask <EMAIL_ADDRESS_1>. The call was not run."
        )

    @pytest.mark.parametrize("failure", [ValueError("jane@acme.com"), asyncio.CancelledError()])
    async def test_a_reason_that_cannot_be_masked(
        self, stop: StopSignal, masker: Masker, failure: BaseException, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Is not told; nothing is raised for that."""

        async def fails(*_: object, **__: object) -> None:
            raise failure

        monkeypatch.setattr(Masker, "mask", fails)
        result = await RefuseInsteadOfRaise(stop, masker)(tool_call(), Handler(tripped()))
        assert text_of(result) == "Refused, for a reason that cannot be shown here."
