"""A model without a mind: it asks for a task's known calls, and for an attacker's once it reads of them."""

import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from autogen_core import FunctionCall
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelFamily,
    ModelInfo,
    RequestUsage,
)

MODEL = "obedient"
_INFO = ModelInfo(
    vision=False,
    function_calling=True,
    json_output=False,
    structured_output=False,
    family=ModelFamily.UNKNOWN,
)
_NO_USAGE = RequestUsage(prompt_tokens=1, completion_tokens=1)
_ESCAPE = re.compile(r"\\[nrt]")
_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool."""

    tool: str
    arguments: Mapping[str, Any]


class Order(StrEnum):
    """When the attacker is obeyed."""

    AT_ONCE = "at once"
    """Before whatever is left of the user's calls."""
    AT_THE_END = "at the end"
    """When the user's calls have been made."""


@dataclass(frozen=True, slots=True)
class Script:
    """What the model does."""

    calls: tuple[Call, ...]
    """The user's."""
    answer: str = ""
    """What it says at the end."""
    injected: tuple[Call, ...] = ()
    """The attacker's."""
    trigger: str = ""
    """The text that makes it obey the attacker, once a tool's result shows it."""
    order: Order = Order.AT_ONCE

    def after(self, results: Sequence[str]) -> Call | None:
        """The next call after those whose results these are; None when all have been made."""
        seen = next((at for at, result in enumerate(results, start=1) if self.shows(result)), None)
        if seen is None:
            plan = self.calls
        else:
            begins = min(seen, len(self.calls)) if self.order is Order.AT_ONCE else len(self.calls)
            plan = (*self.calls[:begins], *self.injected, *self.calls[begins:])
        return plan[len(results)] if len(results) < len(plan) else None

    def shows(self, result: str) -> bool:
        """Whether a tool's result makes the model obey the attacker."""
        return bool(self.trigger) and _letters(self.trigger) in _letters(result)


def _letters(text: str) -> str:
    """A text as it stays the same in JSON and in YAML, however its lines are broken."""
    return _NO_LETTER.sub("", _ESCAPE.sub(" ", text))


class ObedientModel(ChatCompletionClient):
    """Follows its script by what its prompt shows alone, so that a turn that is played again goes alike."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def create(self, messages: Sequence[LLMMessage], **_options: Any) -> CreateResult:
        """The next call, or the answer."""
        results = [
            result.content
            for message in messages
            if isinstance(message, FunctionExecutionResultMessage)
            for result in message.content
        ]
        if (call := self._script.after(results)) is None:
            return _reply(self._script.answer or "Done.")
        # An id of its own for each call, and the same one each time that the turn is played.
        made = sum(isinstance(message, AssistantMessage) for message in messages)
        arguments = json.dumps(dict(call.arguments))
        return _reply([FunctionCall(id=f"call-{made}", name=call.tool, arguments=arguments)])

    async def create_stream(
        self, messages: Sequence[LLMMessage], **options: Any
    ) -> AsyncGenerator[str | CreateResult, None]:
        """As `create`, in one piece."""
        yield await self.create(messages, **options)

    async def close(self) -> None:
        """Nothing to close."""

    def actual_usage(self) -> RequestUsage:
        """It costs nothing."""
        return _NO_USAGE

    def total_usage(self) -> RequestUsage:
        """It costs nothing."""
        return _NO_USAGE

    def count_tokens(self, messages: Sequence[LLMMessage], **_options: Any) -> int:
        """Nobody counts."""
        del messages
        return 1

    def remaining_tokens(self, messages: Sequence[LLMMessage], **_options: Any) -> int:
        """Always enough."""
        del messages
        return 1_000_000

    @property
    def capabilities(self) -> ModelInfo:
        """The old name of model_info."""
        return _INFO

    @property
    def model_info(self) -> ModelInfo:
        """A model that calls tools."""
        return _INFO


def _reply(content: str | list[FunctionCall]) -> CreateResult:
    return CreateResult(
        finish_reason="stop" if isinstance(content, str) else "function_calls",
        content=content,
        usage=_NO_USAGE,
        cached=False,
    )
