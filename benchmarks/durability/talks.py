"""Conversations to measure with: a model that answers at once, and tools that do next to nothing."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import FunctionCall
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelFamily,
    ModelInfo,
    RequestUsage,
)

from ringfence import Fence, Policy, Ringfence, tool
from ringfence.conversations.store import Store, StoreSettings
from ringfence.guardrails.sealing import Keyring

STEPS = 5
"""Tool calls of one conversation; it has one model call more."""
TASK = "Do what is to be done."
_KEYS = Keyring({"benchmark": bytes(32)})
_INFO = ModelInfo(
    vision=False,
    function_calling=True,
    json_output=False,
    structured_output=False,
    family=ModelFamily.UNKNOWN,
)


class AtOnce(ChatCompletionClient):
    """Asks for one tool call after the other, as its prompt shows how many there were, and then says so."""

    def __init__(self, name: str, steps: int) -> None:
        self._name = name
        self._steps = steps

    async def create(self, messages: Sequence[LLMMessage], **_options: Any) -> CreateResult:
        """The next reply."""
        done = sum(isinstance(message, FunctionExecutionResultMessage) for message in messages)
        content: Any = "It is done."
        if done < self._steps:
            content = [FunctionCall(id=f"call-{done}", name=self._name, arguments=f'{{"step": {done}}}')]
        usage = RequestUsage(prompt_tokens=10, completion_tokens=1)
        reason = "stop" if isinstance(content, str) else "function_calls"
        return CreateResult(finish_reason=reason, content=content, usage=usage, cached=False)

    async def create_stream(
        self, messages: Sequence[LLMMessage], **_options: Any
    ) -> AsyncGenerator[str | CreateResult, None]:
        """The next reply in one piece."""
        yield await self.create(messages)

    async def close(self) -> None:
        """Nothing to close."""

    def actual_usage(self) -> RequestUsage:
        """Nothing is counted here."""
        return RequestUsage(prompt_tokens=0, completion_tokens=0)

    def total_usage(self) -> RequestUsage:
        """Nothing is counted here."""
        return self.actual_usage()

    def count_tokens(self, *_messages: Any, **_options: Any) -> int:
        """The same for every prompt."""
        return 10

    def remaining_tokens(self, *_messages: Any, **_options: Any) -> int:
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


@tool(consequential=False)
async def note(step: int) -> str:
    """Note a step."""
    return f"step {step} is noted"


@tool(consequential=True)
async def pay(step: int) -> str:
    """Pay; a person is asked."""
    return f"step {step} is paid"


def team(fence: Fence) -> RoundRobinGroupChat:
    """One agent, one turn, five tool calls."""
    return _team(fence, note, STEPS)


def waiting_team(fence: Fence) -> RoundRobinGroupChat:
    """One agent whose one tool call waits for a person."""
    return _team(fence, pay, 1)


def bare_team(steps: int = STEPS) -> RoundRobinGroupChat:
    """What `team` is without a fence."""
    agent = AssistantAgent("clerk", AtOnce("note", steps), tools=[note], max_tool_iterations=steps + 1)
    return RoundRobinGroupChat([agent], max_turns=1)


def ringfence_at(store: Store | Path | str | None) -> Ringfence:
    """A Ringfence whose tools run, but for `pay`, which a person is asked about."""
    policy = Policy.model_validate({"prices": {"scripted": "free"}})
    if isinstance(store, Path | str):
        store = Store(store, settings=StoreSettings(upgrade=True), keys=_KEYS)
    return Ringfence(policy, store=store)


def _team(fence: Fence, act: Any, steps: int) -> RoundRobinGroupChat:
    agent = AssistantAgent(
        "clerk",
        fence.model_client(AtOnce(act.__name__, steps), model="scripted"),
        workbench=fence.workbench([act]),
        max_tool_iterations=steps + 1,
    )
    return RoundRobinGroupChat([agent], max_turns=1)
