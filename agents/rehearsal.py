"""The rehearsal model: answers by rules from a file, where a language model would cost money or a network.

It is no language model and never passes for one: its family, its model name and its `repr` say so. Tests
write a conversation with it, and a person can talk to an example before there is any account or key.
`rehearsal_rules` says how rules are written.
"""

import asyncio
import json
import re
import warnings
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from autogen_core import CancellationToken, Component
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelCapabilities,
    ModelInfo,
    RequestUsage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from ringfence.agents.rehearsal_answers import Answer, answer_by, result_of
from ringfence.agents.rehearsal_obedience import instructions
from ringfence.agents.rehearsal_rules import Rules, rules_from
from ringfence.agents.rehearsal_talk import read_talk
from ringfence.budgets.token_count import count_prompt
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
        most = _most_tokens(extra_create_args or {})
        offered = {schema["name"]: schema for schema in map(_schema, tools)}
        if tool_choice == "none":
            offered = {}
        elif not isinstance(tool_choice, str):
            offered = {name: schema for name, schema in offered.items() if name == tool_choice.name}
        calls = instructions(messages, offered, most=most) if self._obedient else []
        if calls:
            answer = Answer(calls=tuple(calls))
        else:
            must_call = tool_choice == "required" or not isinstance(tool_choice, str)
            answer = answer_by(self._rules, read_talk(messages), offered, must_call=must_call)
        prompt_tokens = self.count_tokens(messages, tools=tools)
        result = result_of(answer, prompt_tokens=prompt_tokens, most=most)
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
    def capabilities(self) -> ModelCapabilities:
        """What AutoGen called `model_info` before."""
        warnings.warn("use model_info instead of capabilities", DeprecationWarning, stacklevel=2)
        return ModelCapabilities(vision=False, function_calling=True, json_output=True)

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
    limits = (options.get(name) for name in ("max_tokens", "max_completion_tokens"))
    return min((int(limit) for limit in limits if limit is not None), default=None)
