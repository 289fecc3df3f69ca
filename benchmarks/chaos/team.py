"""The team of a chaos run: its model replies by what it is shown alone, so it is alike in every process."""

import asyncio
import hashlib
import json
import random
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import ChatAgent, Team
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import FunctionCall, SingleThreadedAgentRuntime
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelFamily,
    ModelInfo,
    RequestUsage,
)
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.chaos.world import BOOKINGS, KINDS, World
from ringfence import Fence, TeamFactory, tool

STEPS = 20
STEPS_A_TURN = 5
TASK = "Work on all steps, and write to jane.doe@acme-canary.com."
EMAIL = "jane.doe@acme-canary.com"
_SO_FAR = re.compile(r"so far (\d+)")
_STAND_IN = re.compile(r"<EMAIL_ADDRESS_\d+>")
_INFO = ModelInfo(
    vision=False,
    function_calling=True,
    json_output=False,
    structured_output=False,
    family=ModelFamily.UNKNOWN,
)


class Derived(ChatCompletionClient):
    """Sees in its prompt how far the work is, and asks for the next steps; counts its calls in a file."""

    def __init__(self, world: World, at_once: int) -> None:
        self._world = world
        self._at_once = at_once
        self.unrecorded = False
        """It has replied, and whoever writes that down has not said so yet."""

    async def create(self, messages: Sequence[LLMMessage], **_options: Any) -> CreateResult:
        """The reply that follows from the messages."""
        said = json.dumps([message.model_dump(mode="json") for message in messages], sort_keys=True)
        self._world.note("model_calls", hashlib.sha256(said.encode()).hexdigest())
        self.unrecorded = True
        before, in_turn = _progress(messages)
        done = before + in_turn
        if in_turn >= STEPS_A_TURN or done >= STEPS:
            return _reply(f"so far {done}" + (", and that is all" if done >= STEPS else ""))
        found = _STAND_IN.search(said)
        steps = range(done, min(done + self._at_once, STEPS))
        return _reply([_call(step, found[0] if found else "nobody") for step in steps])

    async def create_stream(
        self, messages: Sequence[LLMMessage], **_options: Any
    ) -> AsyncGenerator[str | CreateResult, None]:
        """The reply in one piece."""
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
        return 100

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


def team_of(
    world: World, model: ChatCompletionClient, *, external: bool, took_effect: Callable[[], None]
) -> TeamFactory:
    """A round robin of two agents that share the work, five steps a turn.

    Args:
        world: Where the tools leave their marks.
        model: The model of both.
        external: On a runtime that the factory makes, and not on AutoGen's embedded one.
        took_effect: Called by every tool between its effect and its answer.
    """
    tools = _tools(world, took_effect)

    def factory(fence: Fence) -> RoundRobinGroupChat:
        runtime = SingleThreadedAgentRuntime(ignore_unhandled_exceptions=False) if external else None
        agents: list[ChatAgent | Team] = [
            AssistantAgent(
                name,
                fence.model_client(model, model="derived"),
                workbench=fence.workbench(tools),
                max_tool_iterations=STEPS_A_TURN + 1,
            )
            for name in ("clerk", "teller")
        ]
        return RoundRobinGroupChat(agents, max_turns=STEPS // STEPS_A_TURN, runtime=runtime)

    return factory


def _tools(world: World, took_effect: Callable[[], None]) -> list[Callable[..., Any]]:
    async def answered(kind: str, step: int) -> str:
        took_effect()
        await asyncio.sleep(random.uniform(0, 0.004))  # noqa: S311 - parallel calls end in any order
        return f"{kind} {step} is done"

    @tool(consequential=False)
    async def look(step: int) -> str:
        """Look something up."""
        world.note("effects", f"look {step}")
        return await answered("look", step)

    @tool(idempotency_key="key")
    async def pay(step: int, key: str) -> str:
        """Pay."""
        world.pay(step, key)
        return await answered("pay", step)

    @tool(reveals={"to": ["EMAIL_ADDRESS"]})
    async def send(step: int, to: str) -> str:
        """Send a message."""
        world.note("effects", f"send {step} {to}")
        return await answered("send", step)

    @tool(transaction="db")
    async def book(step: int, db: AsyncConnection) -> str:
        """Book a seat in the store's own database."""
        await db.execute(text(f"INSERT INTO {BOOKINGS} VALUES ('c', :step)"), {"step": step})  # noqa: S608 - a constant
        return await answered("book", step)

    @tool(idempotency_key="key")
    async def refund(step: int, key: str) -> str:
        """Refund, once a person agrees."""
        world.pay(step, key)
        return await answered("refund", step)

    return [look, pay, send, book, refund]


def _progress(messages: Sequence[LLMMessage]) -> tuple[int, int]:
    """The steps of earlier turns, and those of this one."""
    results = 0
    for message in reversed(messages):
        if isinstance(message, FunctionExecutionResultMessage):
            results += len(message.content)
        elif found := _SO_FAR.search(str(message.content)):
            return int(found[1]), results
    return 0, results


def _call(step: int, to: str) -> FunctionCall:
    kind = KINDS[step % len(KINDS)]
    arguments: Mapping[str, Any] = {"step": step} | ({"to": to} if kind == "send" else {})
    return FunctionCall(id=f"call-{step}", name=kind, arguments=json.dumps(arguments))


def _reply(content: Any) -> CreateResult:
    return CreateResult(
        finish_reason="stop" if isinstance(content, str) else "function_calls",
        content=content,
        usage=RequestUsage(prompt_tokens=100, completion_tokens=10),
        cached=False,
    )
