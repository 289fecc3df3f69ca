"""A scripted model client, a workbench of one tool, and short ways to write what a model replies."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from autogen_agentchat.agents import AssistantAgent
from autogen_core import AgentId, CancellationToken, FunctionCall, MessageHandlerContext
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelFamily,
    ModelInfo,
    RequestUsage,
)
from autogen_core.tools import TextResultContent, Tool, ToolResult, ToolSchema, Workbench
from pydantic import BaseModel

Reply = Any
"""A text, function calls, a whole CreateResult, an exception to raise, or whatever else a client answers."""
Hook = Callable[[], Awaitable[None]]

MODEL = ModelInfo(
    vision=False,
    function_calling=True,
    json_output=False,
    structured_output=False,
    family=ModelFamily.UNKNOWN,
)
TOKENS_A_CALL = 110


class Scripted(ChatCompletionClient):
    """Gives its replies in order and the last one for ever; an exception among them is raised."""

    def __init__(self, *replies: Reply, on_call: Hook | None = None) -> None:
        self._replies = replies
        self._on_call = on_call
        self.prompts: list[list[LLMMessage]] = []
        """What each call was asked."""
        self.callers: list[AgentId | None] = []
        """For whom AutoGen says that each call was made."""
        self.tools: list[list[str]] = []
        """The names of the tools that each call offered."""
        self.called = asyncio.Event()

    @property
    def calls(self) -> int:
        """How often the model was called."""
        return len(self.prompts)

    @property
    def seen(self) -> str:
        """Everything that the model was ever shown, as one text."""
        return "\n".join(str(message.model_dump()) for prompt in self.prompts for message in prompt)

    def tool_results(self) -> list[str]:
        """The texts of the tool results that the last prompt shows to the model."""
        return [
            result.content
            for message in self.prompts[-1]
            if isinstance(message, FunctionExecutionResultMessage)
            for result in message.content
        ]

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """The next reply."""
        reply = self._replies[min(self.calls, len(self._replies) - 1)]
        self.prompts.append(list(messages))
        self.callers.append(caller())
        self.tools.append([tool["name"] if isinstance(tool, dict) else tool.name for tool in tools])
        self.called.set()
        if self._on_call is not None:
            hook = asyncio.ensure_future(self._on_call())
            if cancellation_token is not None:
                cancellation_token.link_future(hook)
            await hook
        if isinstance(reply, BaseException):
            raise reply
        if isinstance(reply, str) or is_calls(reply):
            return created(reply)
        answer: CreateResult = reply
        return answer

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """The next reply, its text first."""
        result = await self.create(messages, tools=tools, cancellation_token=cancellation_token)
        if isinstance(result.content, str):
            yield result.content
        yield result

    async def close(self) -> None:
        """Nothing to close."""

    def actual_usage(self) -> RequestUsage:
        """What was used so far."""
        return RequestUsage(prompt_tokens=100 * self.calls, completion_tokens=10 * self.calls)

    def total_usage(self) -> RequestUsage:
        """What was used so far."""
        return self.actual_usage()

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """The same for every prompt."""
        return 100

    def remaining_tokens(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()
    ) -> int:
        """Always enough."""
        return 1_000_000

    @property
    def capabilities(self) -> ModelInfo:
        """The old name of model_info."""
        return MODEL

    @property
    def model_info(self) -> ModelInfo:
        """A model that calls functions."""
        return MODEL


def is_calls(reply: object) -> bool:
    """Whether a reply is a list of function calls."""
    return isinstance(reply, list) and all(isinstance(item, FunctionCall) for item in reply)


def created(content: Any, *, usage: tuple[int, int] = (100, 10), thought: str | None = None) -> CreateResult:
    """A whole reply, as a client answers it."""
    return CreateResult(
        finish_reason="stop" if isinstance(content, str) else "function_calls",
        content=content,
        usage=RequestUsage(prompt_tokens=usage[0], completion_tokens=usage[1]),
        cached=False,
        thought=thought,
    )


def caller() -> AgentId | None:
    """The agent whose message handler we are in, by AutoGen's own account."""
    try:
        return MessageHandlerContext.agent_id()
    except RuntimeError:
        return None


def call(name: str = "act", arguments: str = "{}", *, id: str = "call-1") -> FunctionCall:  # noqa: A002
    """One function call, as a model would ask for it."""
    return FunctionCall(id=id, name=name, arguments=arguments)


def result(text: str, *, is_error: bool = False) -> ToolResult:
    """What a workbench answers."""
    return ToolResult(name="act", result=[TextResultContent(content=text)], is_error=is_error)


class Bench(Workbench):
    """A workbench that is none of AutoGen's own: one tool, `act`, which does as the test says."""

    def __init__(self, act: Callable[[], Awaitable[Any]] | None = None) -> None:
        self._act = act
        self.calls: list[object] = []
        """The arguments of each call."""
        self.called = asyncio.Event()

    async def list_tools(self) -> list[ToolSchema]:
        """The one tool."""
        return [ToolSchema(name="act", description="Act.")]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Remember the call and do as the test says."""
        self.calls.append(arguments)
        self.called.set()
        answer: ToolResult = await self._act() if self._act is not None else result("done")
        return answer

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def reset(self) -> None:
        """Nothing to reset."""

    async def save_state(self) -> Mapping[str, Any]:
        """No state."""
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """No state."""


def speaker(name: str, *replies: Reply) -> AssistantAgent:
    """An agent without tools, and without a fence, that says its replies."""
    return AssistantAgent(name, model_client=Scripted(*(replies or (f"{name} speaks",))))
