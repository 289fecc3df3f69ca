"""The rehearsal model: answers by rules from a file, where a language model would cost money or a network.

It is no language model and never passes for one: its family, its model name and its `repr` say so. Tests
write a conversation with it, and a person can talk to an example before there is any account or key.
`rehearsal_rules` says how rules are written.
"""

import asyncio
import json
import re
import uuid
import warnings
from bisect import bisect_right
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from autogen_core import CancellationToken, Component, FunctionCall
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelCapabilities,  # type: ignore[deprecated]
    ModelInfo,
    RequestUsage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from ringfence.agents.rehearsal_obedience import instructions
from ringfence.agents.rehearsal_rules import Rules, rules_from
from ringfence.agents.rehearsal_talk import Answer, answer, read_talk
from ringfence.budgets.token_count import count_prompt, count_text
from ringfence.guardrails.texts import texts_of
from ringfence.policy_file import load_section

__all__ = ["RehearsalConfig", "RehearsalModel"]

_WINDOW = 128_000


class RehearsalConfig(BaseModel):
    """What a rehearsal model is made from."""

    rules: Rules
    obedient: bool = False


class RehearsalModel(ChatCompletionClient, Component[RehearsalConfig]):
    """A stand-in for a language model that answers by rules, offline and always alike.

    >>> import asyncio
    >>> from autogen_core.models import UserMessage
    >>> model = RehearsalModel([{"when": {"user": "(hello|hi)"}, "say": "Hello! What is broken?"}])
    >>> asyncio.run(model.create([UserMessage(content="Hi there", source="user")])).content
    'Hello! What is broken?'

    Args:
        rules: Rules, the mapping that a file of rules would hold, or a list of rules for any agent.
        obedient: Follow every instruction in tool results and in other agents' messages before the rules are
            tried. It is what an attacker hopes for; use it to test what the model is fenced in with.

    Raises:
        PolicyError: The rules are wrong; it lists every fault.
    """

    component_type = "model"
    component_config_schema = RehearsalConfig
    model = "rehearsal"

    def __init__(
        self, rules: Rules | Mapping[str, Any] | Sequence[Mapping[str, Any]], *, obedient: bool = False
    ) -> None:
        self._rules = rules_from(rules)
        self._obedient = obedient
        self._actual = RequestUsage(prompt_tokens=0, completion_tokens=0)
        self._total = RequestUsage(prompt_tokens=0, completion_tokens=0)

    @classmethod
    def from_file(cls, path: Path | str, *, obedient: bool = False) -> Self:
        """A model with the rules in a YAML file.

        Raises:
            PolicyError: The file is wrong; it lists every fault with its line.
        """
        return cls(load_section(path, Rules), obedient=obedient)

    def __repr__(self) -> str:
        """Say what this is, wherever it is printed."""
        kind = "obedient rehearsal model" if self._obedient else "rehearsal model"
        return f"<RehearsalModel: {kind}, not a language model; {len(self._rules.roles)} roles>"

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """The answer of the first rule that fits; `max_tokens` in `extra_create_args` cuts it.

        A rule that calls a tool is passed over where that tool may not be called. `json_output` asks for
        nothing more: a rule whose `say` is a mapping answers in JSON.

        Raises:
            CancelledError: The token was cancelled already.
        """
        del json_output
        _stop_if_cancelled(cancellation_token)
        schemas = {tool["name"]: tool for tool in map(_schema, tools)}
        must_call = tool_choice == "required" or not isinstance(tool_choice, str)
        match tool_choice:
            case "none":
                callable_tools = {}
            case "auto" | "required":
                callable_tools = schemas
            case _:
                callable_tools = {
                    name: schema for name, schema in schemas.items() if name == tool_choice.name
                }
        calls = instructions(messages, callable_tools) if self._obedient else []
        if calls:
            given = Answer(calls=tuple(calls))
        else:
            given = answer(self._rules, read_talk(messages), callable_tools, must_call=must_call)
        result = _result(
            given, _most_tokens(extra_create_args or {}), self.count_tokens(messages, tools=tools)
        )
        self._actual = result.usage
        self._total = _sum(self._total, result.usage)
        return result

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
        """The answer word by word, then as a whole.

        Raises:
            CancelledError: The token is cancelled, before or between the words.
        """
        result = await self.create(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )
        if isinstance(result.content, str):
            for word in re.findall(r"\s*\S+\s*|\s+", result.content):
                yield word
                _stop_if_cancelled(cancellation_token)
        yield result

    async def close(self) -> None:
        """There is nothing to close."""

    def actual_usage(self) -> RequestUsage:
        """Tokens of the latest call."""
        return self._actual

    def total_usage(self) -> RequestUsage:
        """Tokens of all calls."""
        return self._total

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """Tokens of a prompt, counted offline."""
        return count_prompt(
            (text for message in messages for text in texts_of(message)),
            messages=len(messages),
            tools=(json.dumps(_schema(tool), ensure_ascii=False, default=str) for tool in tools),
        )

    def remaining_tokens(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()
    ) -> int:
        """Tokens that a context window of 128,000 has left beside this prompt."""
        return max(0, _WINDOW - self.count_tokens(messages, tools=tools))

    @property
    def model_info(self) -> ModelInfo:
        """What this model can do."""
        return ModelInfo(
            vision=False, function_calling=True, json_output=True, structured_output=True, family="rehearsal"
        )

    @property
    def capabilities(self) -> ModelCapabilities:  # type: ignore[deprecated]
        """What AutoGen called `model_info` before."""
        warnings.warn("use model_info instead of capabilities", DeprecationWarning, stacklevel=2)
        return ModelCapabilities(vision=False, function_calling=True, json_output=True)  # type: ignore[deprecated]

    def _to_config(self) -> RehearsalConfig:
        return RehearsalConfig(rules=self._rules, obedient=self._obedient)

    @classmethod
    def _from_config(cls, config: RehearsalConfig) -> Self:
        return cls(config.rules, obedient=config.obedient)


def _stop_if_cancelled(token: CancellationToken | None) -> None:
    if token is not None and token.is_cancelled():
        raise asyncio.CancelledError


def _schema(tool: Tool | ToolSchema) -> ToolSchema:
    return tool.schema if isinstance(tool, Tool) else tool


def _sum(one: RequestUsage, other: RequestUsage) -> RequestUsage:
    return RequestUsage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
    )


def _most_tokens(options: Mapping[str, Any]) -> int | None:
    limits = [
        options[name] for name in ("max_tokens", "max_completion_tokens") if options.get(name) is not None
    ]
    return min(map(int, limits), default=None)


def _result(given: Answer, most: int | None, prompt_tokens: int) -> CreateResult:
    """The answer as AutoGen has it, no longer than `most` tokens."""
    calls = [
        FunctionCall(id=f"call_{uuid.uuid4().hex}", name=tool, arguments=json.dumps(each, ensure_ascii=False))
        for tool, each in given.calls
    ]
    thought = given.thought if most is None else _cut(given.thought or "", most) or None
    spent = count_text(thought or "")
    left = None if most is None else most - spent
    length = sum(count_text(call.name) + count_text(call.arguments) for call in calls) or count_text(
        given.text
    )
    fits = left is None or length <= left
    content: str | list[FunctionCall]
    if calls and fits:
        content = calls
    else:
        # Half a call is none: its arguments would be no JSON. Half a text is one.
        content = given.text if fits else _cut(given.text, left or 0)
        length = count_text(content)
    return CreateResult(
        finish_reason="length" if not fits else "function_calls" if calls else "stop",
        content=content,
        usage=RequestUsage(prompt_tokens=prompt_tokens, completion_tokens=spent + length),
        cached=False,
        thought=thought,
    )


def _cut(text: str, tokens: int) -> str:
    """The longest beginning of a text that has no more tokens than these."""
    lengths = range(len(text) + 1)
    return text[: max(0, bisect_right(lengths, tokens, key=lambda length: count_text(text[:length])) - 1)]
