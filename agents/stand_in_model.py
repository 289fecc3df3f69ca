"""A stand-in for a language model that asks for the calls that it is told to ask for, in a test of tools."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal

from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelFamily,
    ModelInfo,
    RequestUsage,
    UserMessage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

STAND_IN = "stand-in"
"""Its name in the price list."""
_SAID = "That is all."
_INFO = ModelInfo(
    vision=False,
    function_calling=True,
    json_output=False,
    structured_output=False,
    family=ModelFamily.UNKNOWN,
)
_NO_TOKENS = RequestUsage(prompt_tokens=0, completion_tokens=0)


class StandInModel(ChatCompletionClient):
    """Asks for the calls of `wanted`, one after the other, and then says that this is all."""

    def __init__(self) -> None:
        self.wanted: Sequence[tuple[str, str]] = ()
        """Names of tools and their arguments in JSON, from the first call of a turn to its last."""

    def __repr__(self) -> str:
        """Say what this is, wherever it is printed."""
        return "<StandInModel: not a language model; it asks for the calls that a test wants>"

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),  # noqa: ARG002 - AutoGen's interface
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",  # noqa: ARG002 - as above
        json_output: bool | type[BaseModel] | None = None,  # noqa: ARG002 - as above
        extra_create_args: Mapping[str, Any] | None = None,  # noqa: ARG002 - as above
        cancellation_token: CancellationToken | None = None,  # noqa: ARG002 - as above
    ) -> CreateResult:
        """The next call: told by the prompt alone, so that a turn that is played again goes alike."""
        done = _answered(messages)
        if done >= len(self.wanted):
            return CreateResult(finish_reason="stop", content=_SAID, usage=_NO_TOKENS, cached=False)
        name, arguments = self.wanted[done]
        calls = [FunctionCall(id=f"call-{_answered(messages, ever=True)}", name=name, arguments=arguments)]
        return CreateResult(finish_reason="function_calls", content=calls, usage=_NO_TOKENS, cached=False)

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """The same in one piece."""
        yield await self.create(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )

    async def close(self) -> None:
        """Nothing to close."""

    def actual_usage(self) -> RequestUsage:
        """Nothing: it costs nothing."""
        return _NO_TOKENS

    def total_usage(self) -> RequestUsage:
        """Nothing: it costs nothing."""
        return _NO_TOKENS

    def count_tokens(
        self,
        messages: Sequence[LLMMessage],  # noqa: ARG002 - AutoGen's interface
        *,
        tools: Sequence[Tool | ToolSchema] = (),  # noqa: ARG002 - as above
    ) -> int:
        """None: it reads for nothing."""
        return 0

    def remaining_tokens(
        self,
        messages: Sequence[LLMMessage],  # noqa: ARG002 - AutoGen's interface
        *,
        tools: Sequence[Tool | ToolSchema] = (),  # noqa: ARG002 - as above
    ) -> int:
        """Always enough."""
        return 1_000_000

    @property
    def capabilities(self) -> ModelInfo:
        """The old name of model_info."""
        return _INFO

    @property
    def model_info(self) -> ModelInfo:
        """A model that calls functions."""
        return _INFO


def _answered(messages: Sequence[LLMMessage], *, ever: bool = False) -> int:
    """How many calls were answered, ever or since the user spoke last."""
    answered = 0
    for message in messages:
        if isinstance(message, FunctionExecutionResultMessage):
            answered += 1
        elif isinstance(message, UserMessage) and message.source == "user" and not ever:
            answered = 0
    return answered
