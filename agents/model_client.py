"""A model client behind the model door."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from copy import copy
from dataclasses import replace
from typing import Any, Literal, Self

from autogen_core import CancellationToken, Component, ComponentModel, MessageHandlerContext
from autogen_core.models import ChatCompletionClient, CreateResult, LLMMessage, ModelInfo, RequestUsage
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from ringfence.agents.client_facts import output_limit, stream_arguments
from ringfence.agents.error_facts import retry_after
from ringfence.agents.failures import classify_failure
from ringfence.agents.quiet_logs import quiet_events
from ringfence.budgets.token_count import count_prompt
from ringfence.errors import ModelCallFailed, PolicyError, RingfenceError
from ringfence.guardrails.calls import ModelCall
from ringfence.guardrails.clean_text import clean_text
from ringfence.guardrails.live_pieces import LivePieces
from ringfence.guardrails.middleware import Handler, Middleware, door
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.texts import texts_of

_TEAM_SUFFIX = re.compile(r"_[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$")
_OUTPUT_LIMITS = ("max_tokens", "max_completion_tokens")


class FencedModelClientConfig(BaseModel):
    """What is saved of a fenced client: the client inside, never the fence."""

    client: ComponentModel


class FencedModelClient(ChatCompletionClient, Component[FencedModelClientConfig]):
    """Calls a model only through the model door. Made by `fence.model_client(...)`."""

    component_type = "model"
    component_config_schema = FencedModelClientConfig
    component_provider_override = "ringfence.agents.model_client.FencedModelClient"

    def __init__(
        self,
        client: ChatCompletionClient,
        *,
        model: str,
        max_output_tokens: int,
        middlewares: Sequence[Middleware[ModelCall, CreateResult]],
        stop: StopSignal,
        fence: object,
        live_pieces: LivePieces | None = None,
    ) -> None:
        self._client = client
        self._model = model
        self._max_output_tokens = max_output_tokens
        self._middlewares = middlewares
        self._stop = stop
        self._live_pieces = live_pieces
        self.fence = fence
        """The fence that this client belongs to; another conversation's fence does not accept it."""
        self.agent = ""
        """Whose it is; empty until the fence has taken the team in, and for a selector's."""

    def __repr__(self) -> str:
        return f"FencedModelClient({self._model!r})"

    def of(self, agent: str) -> Self:
        """The same client, for one agent."""
        own = copy(self)
        own.agent = agent
        return own

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """One reply, after it passed the door. Never raises but when it is cancelled."""
        options = _options(tool_choice, json_output, extra_create_args, cancellation_token)
        return await door(self._middlewares, self._create)(self._call(messages, tools, options))

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """The reply's text in pieces that passed the door, sentence by sentence, and then the reply.

        Where a guardrail has to see the whole reply, its text comes in one piece once all of it passed.
        """
        options = _options(tool_choice, json_output, extra_create_args, cancellation_token)
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        call = replace(self._call(messages, tools, options), emit=pieces.put)
        work = asyncio.ensure_future(door(self._middlewares, self._create_stream)(call))
        work.add_done_callback(lambda _: pieces.put_nowait(None))
        shown = False
        try:
            while (piece := await pieces.get()) is not None:
                shown = True
                yield self._noted(piece)
            reply = await work
        finally:
            # Whoever stops listening does not pay for the rest.
            work.cancel()
        if not shown and isinstance(reply.content, str) and reply.content:
            yield self._noted(reply.content)
        yield reply

    async def close(self) -> None:
        """Close the client inside."""
        await self._client.close()

    def actual_usage(self) -> RequestUsage:
        """As the client inside counts it."""
        return self._client.actual_usage()

    def total_usage(self) -> RequestUsage:
        """As the client inside counts it."""
        return self._client.total_usage()

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """Tokens of a prompt, counted offline; a client's own count may fetch its encoding."""
        return prompt_tokens(messages, tools)

    def remaining_tokens(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []
    ) -> int:
        """As the client inside counts it."""
        return self._client.remaining_tokens(messages, tools=tools)

    @property
    def capabilities(self) -> Any:
        """As the client inside says."""
        return self._client.capabilities

    @property
    def model_info(self) -> ModelInfo:
        """As the client inside says."""
        return self._client.model_info

    def _to_config(self) -> FencedModelClientConfig:
        return FencedModelClientConfig(client=self._client.dump_component())

    @classmethod
    def _from_config(cls, config: FencedModelClientConfig) -> Self:
        client = ChatCompletionClient.load_component(config.client)
        return cls(
            client,
            model="loaded",
            max_output_tokens=1,
            middlewares=(_sealed,),
            stop=StopSignal(),
            fence=None,
        )

    def _call(
        self, messages: Sequence[LLMMessage], tools: Sequence[Any], options: Mapping[str, Any]
    ) -> ModelCall:
        return ModelCall(
            agent=self.agent or current_agent(),
            model=self._model,
            messages=tuple(messages),
            tools=tuple(tools),
            options=options,
            max_output_tokens=self._max_output_tokens,
        )

    async def answer(self, call: ModelCall) -> CreateResult:
        """Have the client inside answer a call that passed another client's door, live if it wants that."""
        return await (self._create(call) if call.emit is None else self._create_stream(call))

    async def _create(self, call: ModelCall) -> CreateResult:
        return await self._answered(call, {}, lambda options: self._client.create(call.messages, **options))

    async def _create_stream(self, call: ModelCall) -> CreateResult:
        async def last(options: Mapping[str, Any]) -> Any:
            item: object = None
            async with aclosing(self._client.create_stream(call.messages, **options)) as items:
                async for item in items:
                    if isinstance(item, str) and call.emit is not None:
                        await call.emit(item)
            return item

        return await self._answered(call, stream_arguments(self._client), last)

    def _noted(self, piece: str) -> str:
        if self._live_pieces is not None:
            self._live_pieces.note(piece)
        return piece

    async def _answered(
        self, call: ModelCall, more: Mapping[str, Any], ask: Callable[[dict[str, Any]], Awaitable[Any]]
    ) -> CreateResult:
        chosen = {
            key: value
            for key, value in call.options["extra_create_args"].items()
            if key not in _OUTPUT_LIMITS
        }
        extra = {**chosen, **more, **output_limit(self._client, call.max_output_tokens)}
        try:
            with quiet_events():
                work = asyncio.ensure_future(
                    ask({**call.options, "tools": call.tools, "extra_create_args": extra})
                )
                # Not every client watches the token.
                self._stop.link(work)
                reply = await work
        except asyncio.CancelledError as error:
            if self._stop.interrupted or _is_wanted(call.options["cancellation_token"]):
                raise
            # An SDK's own, which would leave AutoGen waiting for ever.
            raise self._failure(error) from None
        except RingfenceError:
            raise  # a guardrail stopped a reply that was under way
        except Exception as error:  # every provider has its own errors; their texts may quote the prompt
            raise self._failure(error) from None
        if not isinstance(reply, CreateResult):
            raise ModelCallFailed(model=self._model, reason="it answered nothing", retryable=True)
        return reply

    def _failure(self, error: BaseException) -> ModelCallFailed:
        failure = classify_failure(error)
        return ModelCallFailed(
            model=self._model,
            reason=failure.reason,
            retryable=failure.retryable,
            billing_unknown=failure.billing_unknown,
            retry_after=retry_after(error),
        )


def _is_wanted(token: CancellationToken | None) -> bool:
    """Whether somebody cancelled the call, or the task that makes it."""
    task = asyncio.current_task()
    return (token is not None and token.is_cancelled()) or (task is not None and task.cancelling() > 0)


def current_agent() -> str:
    """The name of the agent for which the current call is made, as AutoGen's runtime knows it."""
    try:
        return _TEAM_SUFFIX.sub("", MessageHandlerContext.agent_id().type)
    except RuntimeError:
        # An agent that runs without a team has no runtime.
        return ""


def prompt_tokens(messages: Sequence[Any], tools: Sequence[Any], structure: object = None) -> int:
    """Tokens of a prompt with its tools and the schema that the reply has to fit, counted offline."""
    schemas = [json.dumps(_schema(tool), default=str) for tool in tools]
    if isinstance(structure, type) and issubclass(structure, BaseModel):
        schemas.append(json.dumps(structure.model_json_schema()))
    texts = [clean_text(text) for text in texts_of(list(messages))]
    return count_prompt(texts, messages=len(messages), tools=schemas)


def _schema(tool: Any) -> Any:
    return tool if isinstance(tool, Mapping) else tool.schema


def _options(
    tool_choice: Any, json_output: Any, extra_create_args: Mapping[str, Any], token: CancellationToken | None
) -> dict[str, Any]:
    return {
        "tool_choice": tool_choice,
        "json_output": json_output,
        "extra_create_args": dict(extra_create_args),
        "cancellation_token": token,
    }


async def _sealed(call: ModelCall, call_next: Handler[ModelCall, CreateResult]) -> CreateResult:  # noqa: ARG001
    said = "This model client was loaded from a saved definition; fence it with fence.model_client(...)"
    raise PolicyError(said)
