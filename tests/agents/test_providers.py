"""Clients of the policy's tiers, as they behave against a server that speaks the provider's protocol."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import httpx
import openai
import pytest
from autogen_core.models import ChatCompletionClient, CreateResult, SystemMessage, UserMessage
from autogen_ext.models.anthropic import AnthropicChatCompletionClient
from autogen_ext.models.cache import ChatCompletionCache
from autogen_ext.models.ollama import OllamaChatCompletionClient
from autogen_ext.models.openai import OpenAIChatCompletionClient
from autogen_ext.models.replay import ReplayChatCompletionClient
from ollama import Options
from openai_server import (
    OpenAIServer,
    Reply,
    dropped,
    empty_choices,
    error,
    hanging,
    malformed,
    raw,
    stream_error,
    text,
    tool_calls,
)
from pydantic import BaseModel

from ringfence.agents.providers import (
    Failure,
    build_client,
    classify_failure,
    model_name,
    output_limit,
    provider_id,
    stream_arguments,
)
from ringfence.errors import PolicyError
from ringfence.model_tier import Capabilities, ModelTier

HERE = Path(__file__).parent
HELLO = [SystemMessage(content="Be brief."), UserMessage(content="Grüße an jane@acme.com", source="user")]
PINNED = "gpt-4o-2024-08-06"
CLAUDE = "claude-sonnet-4-5-20250929"
KEY = "sk-very-secret"


NO_ANTHROPIC = pytest.mark.skipif(
    not version("anthropic").startswith("0."), reason="AutoGen 0.7 cannot use this version of Anthropic's SDK"
)


class Answer(BaseModel):
    """A form to ask a model for."""

    number: int


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(variable, KEY)


def tier(provider: str = "openai_compatible", **fields: Any) -> ModelTier:
    return ModelTier.model_validate({"provider": provider, "model": "some-model"} | fields)


@asynccontextmanager
async def client_for(server: OpenAIServer, **fields: Any) -> AsyncIterator[ChatCompletionClient]:
    client = build_client(tier(base_url=server.base_url, **fields), folder=HERE)
    try:
        yield client
    finally:
        await client.close()


async def call(server: OpenAIServer, **fields: Any) -> CreateResult:
    async with client_for(server, **fields) as client:
        return await client.create(HELLO)


async def stream(
    server: OpenAIServer, *, extra: Mapping[str, Any] | None = None, **fields: Any
) -> tuple[list[str], CreateResult]:
    async with client_for(server, **fields) as client:
        extra = stream_arguments(client) if extra is None else extra
        items = [item async for item in client.create_stream(HELLO, extra_create_args=extra)]
    assert isinstance(items[-1], CreateResult)
    return [item for item in items if isinstance(item, str)], items[-1]


# Building


@pytest.mark.parametrize(
    ("fields", "kind", "name", "prices"),
    [
        ({"provider": "openai", "model": PINNED}, "OpenAIChatCompletionClient", PINNED, "openai"),
        (
            {
                "provider": "azure_openai",
                "model": PINNED,
                "azure_endpoint": "https://contoso.openai.azure.com",
                "azure_deployment": "desk",
                "api_version": "2024-10-21",
            },
            "AzureOpenAIChatCompletionClient",
            PINNED,
            "azure",
        ),
        pytest.param(
            {"provider": "anthropic", "model": CLAUDE},
            "AnthropicChatCompletionClient",
            CLAUDE,
            "anthropic",
            marks=NO_ANTHROPIC,
        ),
        ({"provider": "ollama", "model": "llama3.2"}, "OllamaChatCompletionClient", "llama3.2", None),
        ({"base_url": "https://api.groq.com/openai/v1"}, "OpenAIChatCompletionClient", "some-model", "groq"),
        ({"base_url": "http://127.0.0.1:9/v1"}, "OpenAIChatCompletionClient", "some-model", None),
    ],
)
def test_each_tier_gets_its_client(fields: dict[str, Any], kind: str, name: str, prices: str | None) -> None:
    """A tier's provider decides the client, and the client tells its model and whose prices hold."""
    client = build_client(tier(**fields), folder=HERE)
    assert type(client).__name__ == kind
    assert (model_name(client), provider_id(client)) == (name, prices)


def test_a_provider_is_loaded_only_when_used() -> None:
    """Importing the module loads no SDK."""
    loaded = "[m for m in ('openai', 'anthropic', 'ollama', 'autogen_ext.models') if m in sys.modules]"
    code = f"import sys, ringfence.agents.providers; print({loaded})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # our own code
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_key_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    """The fault names the variable and the tier."""
    monkeypatch.delenv("DESK_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("DESK_KEY", value)
    wanted = tier("openai", model=PINNED, api_key_env="DESK_KEY")
    with pytest.raises(PolicyError) as caught:
        build_client(wanted, folder=HERE, name="frontier")
    (fault,) = caught.value.faults
    assert fault.where == "models.frontier.api_key_env"
    assert "DESK_KEY" in fault.message
    assert "openai" in fault.message


def test_the_usual_variable_is_asked_for_when_the_tier_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `api_key_env` the provider's usual variable must be set."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(PolicyError, match="ANTHROPIC_API_KEY"):
        build_client(tier("anthropic", model=CLAUDE), folder=HERE)


@pytest.mark.parametrize(
    ("provider", "model", "module"),
    [("anthropic", CLAUDE, "anthropic"), ("ollama", "llama3.2", "ollama")],
)
def test_a_missing_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, provider: str, model: str, module: str
) -> None:
    """The fault is the command that mends it."""
    monkeypatch.setitem(sys.modules, f"autogen_ext.models.{module}", None)
    with pytest.raises(PolicyError) as caught:
        build_client(tier(provider, model=model), folder=HERE)
    assert f'pip install "ringfence[{module}]"' in str(caught.value)


def test_a_version_of_an_sdk_that_autogen_cannot_use_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise each call would fail with a TypeError about `temperature`."""
    monkeypatch.setattr("ringfence.agents.providers.version", lambda name: "1.0.0")
    with pytest.raises(PolicyError, match='pip install "anthropic<1"'):
        build_client(tier("anthropic", model=CLAUDE), folder=HERE)


async def test_a_server_of_ones_own_is_not_told_the_key_of_openai() -> None:
    """A tier without a key sends a placeholder, not what stands in OPENAI_API_KEY."""
    with OpenAIServer(text("Hello")) as server:
        await call(server)
    assert KEY not in server.wire
    assert server.requests[0].headers["Authorization"] == "Bearer none"


async def test_a_named_key_goes_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """`api_key_env` works for compatible servers too."""
    monkeypatch.setenv("DESK_KEY", "abc")
    with OpenAIServer(text("Hello")) as server:
        await call(server, api_key_env="DESK_KEY")
    assert server.requests[0].headers["Authorization"] == "Bearer abc"


def test_an_unknown_model_needs_its_capabilities() -> None:
    """AutoGen's table is older than the newest models, so the policy may say what a model can do."""
    new = {"model": "gpt-99-2031-01-01"}
    with pytest.raises(PolicyError) as caught:
        build_client(tier("openai", **new), folder=HERE, name="frontier")
    assert caught.value.faults[0].where == "models.frontier.capabilities"
    info = build_client(tier("openai", **new, capabilities=Capabilities(vision=True)), folder=HERE).model_info
    assert (info["vision"], info["function_calling"], info["structured_output"]) == (True, True, False)


@NO_ANTHROPIC
def test_a_new_claude_is_not_taken_for_claude_2() -> None:
    """AutoGen's table says of each Claude that it does not have that it cannot call tools."""
    new = {"model": "claude-haiku-4-5-20251001"}
    with pytest.raises(PolicyError, match="does not know the model"):
        build_client(tier("anthropic", **new), folder=HERE)
    client = build_client(tier("anthropic", **new, capabilities=Capabilities(vision=True)), folder=HERE)
    assert (client.model_info["vision"], client.model_info["function_calling"]) == (True, True)


def test_capabilities_change_what_autogen_knows_and_no_more() -> None:
    """What the policy does not mention stays; AutoGen's own table is left alone."""
    less = build_client(tier("openai", model=PINNED, capabilities=Capabilities(vision=False)), folder=HERE)
    usual = build_client(tier("openai", model=PINNED), folder=HERE)
    assert dict(less.model_info) == {**usual.model_info, "vision": False}
    assert usual.model_info["vision"] is True


# Calling


async def test_a_plain_call() -> None:
    """Text and usage come back; what went over the wire can be looked at."""
    with OpenAIServer(text("Hello", usage=(11, 2))) as server:
        result = await call(server)
    assert result.content == "Hello"
    assert (result.usage.prompt_tokens, result.usage.completion_tokens) == (11, 2)
    assert "Grüße an jane@acme.com" in server.wire
    assert server.bodies[0]["messages"][0]["content"] == "Be brief."


@pytest.mark.parametrize("streamed", [False, True])
async def test_parallel_tool_calls_and_broken_arguments(streamed: bool) -> None:
    """Several calls arrive in order; arguments that are no JSON arrive as the model wrote them."""
    with OpenAIServer(tool_calls(("find_order", {"id": 1182}), ("refund", '{"id": 11'))) as server:
        result = (await stream(server))[1] if streamed else await call(server)
    assert result.finish_reason == "function_calls"
    assert isinstance(result.content, list)
    calls = [(called.id, called.name, called.arguments) for called in result.content]
    assert calls == [("call_1", "find_order", '{"id": 1182}'), ("call_2", "refund", '{"id": 11')]


async def test_a_stream_reports_usage_only_when_asked() -> None:
    """`stream_arguments` turn usage on; without them it is 0."""
    with OpenAIServer(text("Hello there"), text("Hello there")) as server:
        pieces, result = await stream(server)
        _, silent = await stream(server, extra={})
    assert "".join(pieces) == result.content == "Hello there"
    assert (result.usage.prompt_tokens, result.usage.completion_tokens) == (10, 5)
    assert (silent.usage.prompt_tokens, silent.usage.completion_tokens) == (0, 0)


async def test_a_server_that_ignores_stream_options_does_no_harm() -> None:
    """The reply is whole, and its usage is 0."""
    with OpenAIServer(text("Hello there", ignores_stream_options=True)) as server:
        _, result = await stream(server)
    assert server.bodies[0]["stream_options"] == {"include_usage": True}
    assert (result.content, result.usage.completion_tokens) == ("Hello there", 0)


async def test_a_form_asked_for_goes_with_limit_and_usage() -> None:
    """Structured output takes another way through the SDK, and the arguments go with it."""
    with OpenAIServer(text('{"number": 1}')) as server:
        async with client_for(server, capabilities=Capabilities(structured_output=True)) as client:
            extra = {**output_limit(client, 99), **stream_arguments(client)}
            found = client.create_stream(HELLO, json_output=Answer, extra_create_args=extra)
            items = [item async for item in found]
    assert isinstance(items[-1], CreateResult)
    assert items[-1].usage.prompt_tokens == 10
    assert server.bodies[0]["max_tokens"] == 99
    assert server.bodies[0]["response_format"]["type"] == "json_schema"


# Limits of the output


def azure(version: str) -> ModelTier:
    endpoint = {"azure_endpoint": "https://contoso.openai.azure.com", "azure_deployment": "desk"}
    return tier("azure_openai", model=PINNED, api_version=version, **endpoint)


@pytest.mark.parametrize(
    ("wanted", "limit", "streamed"),
    [
        (tier("openai", model=PINNED), "max_completion_tokens", True),
        (tier("openai", model=PINNED, base_url="https://gateway.example/v1"), "max_tokens", True),
        (tier(base_url="http://127.0.0.1:9/v1"), "max_tokens", True),
        (azure("2024-10-21"), "max_completion_tokens", True),
        (azure("preview"), "max_completion_tokens", True),
        (azure("2024-06-01"), "max_tokens", False),
        pytest.param(tier("anthropic", model=CLAUDE), "max_tokens", False, marks=NO_ANTHROPIC),
    ],
)
def test_each_provider_has_its_own_word(wanted: ModelTier, limit: str, streamed: bool) -> None:
    """OpenAI and newer versions of Azure take the new name; the others the old one."""
    client = build_client(wanted, folder=HERE)
    assert output_limit(client, 50) == {limit: 50}
    assert stream_arguments(client) == ({"stream_options": {"include_usage": True}} if streamed else {})


def test_a_limit_that_the_client_was_made_with_stays() -> None:
    """The lower one of both, under the name that the client uses already."""
    own = OpenAIChatCompletionClient(model=PINNED, api_key=KEY, max_tokens=20)
    assert output_limit(own, 50) == {"max_tokens": 20}
    assert output_limit(own, 10) == {"max_tokens": 10}
    claude = AnthropicChatCompletionClient(model=CLAUDE, api_key=KEY, max_tokens=20)
    assert output_limit(claude, 50) == {"max_tokens": 20}
    options: list[Mapping[str, Any] | Options] = [
        {"num_predict": 20, "seed": 1},
        Options(num_predict=20, seed=1),
    ]
    for given in options:
        llama = OllamaChatCompletionClient(model="llama3.2", options=given)
        assert output_limit(llama, 50) == {"options": {"num_predict": 20, "seed": 1}}
    endless = OllamaChatCompletionClient(model="llama3.2", options={"num_predict": -1})
    assert output_limit(endless, 50) == {"options": {"num_predict": 50}}


def test_other_clients() -> None:
    """A cache tells of the client inside; a client that nobody knows has no limit and no name."""
    replay = ReplayChatCompletionClient(["Hello"])
    assert (model_name(replay), provider_id(replay)) == ("replay", None)
    assert (output_limit(replay, 50), stream_arguments(replay)) == ({}, {})
    cache = ChatCompletionCache(build_client(tier("openai", model=PINNED), folder=HERE))
    assert (model_name(cache), output_limit(cache, 50)) == (PINNED, {"max_completion_tokens": 50})

    unknown = cast(ChatCompletionClient, object())
    assert (model_name(unknown), provider_id(unknown)) == (None, None)
    assert (output_limit(unknown, 50), stream_arguments(unknown)) == ({}, {})


async def test_the_limit_goes_over_the_wire_to_openai() -> None:
    """The client accepts the argument and sends it."""
    with OpenAIServer(text("Hello")) as server:
        async with client_for(server) as client:
            await client.create(HELLO, extra_create_args={"max_completion_tokens": 50})
    assert server.bodies[0]["max_completion_tokens"] == 50


@NO_ANTHROPIC
@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")  # from the SDK, once the model is old
async def test_the_limit_goes_over_the_wire_to_anthropic() -> None:
    """Anthropic's client takes `max_tokens`, and a stream reports usage unasked."""
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": CLAUDE,
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }
    events = [
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]
    sse = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    with OpenAIServer(raw(message), raw(sse.encode(), content_type="text/event-stream")) as server:
        wanted = tier("anthropic", model=message["model"], base_url=server.origin)
        client = build_client(wanted, folder=HERE)
        result = await client.create(HELLO, extra_create_args=output_limit(client, 50))
        items = [
            item async for item in client.create_stream(HELLO, extra_create_args=output_limit(client, 60))
        ]
        await client.close()
    assert (result.content, result.usage.completion_tokens) == ("Hello", 5)
    assert isinstance(items[-1], CreateResult)
    assert (items[-1].usage.prompt_tokens, items[-1].usage.completion_tokens) == (10, 7)
    assert [body["max_tokens"] for body in server.bodies] == [50, 60]


def ollama_line(content: str, *, done: bool, **fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {
        "model": "llama3.2",
        "created_at": "2026-01-01T00:00:00Z",
        "message": message,
        "done": done,
    } | fields


async def test_the_limit_goes_over_the_wire_to_ollama(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ollama's option goes with the client's other options, and streams report usage unasked."""
    monkeypatch.setenv("DESK_KEY", "abc")
    ended = {"done_reason": "stop", "prompt_eval_count": 10, "eval_count": 5}
    lines = [ollama_line("Hello", done=False), ollama_line("", done=True, **ended)]
    ndjson = "".join(json.dumps(line) + "\n" for line in lines).encode()
    with OpenAIServer(raw(ollama_line("Hello", done=True, **ended)), raw(ndjson)) as server:
        wanted = tier("ollama", model="llama3.2", base_url=server.origin, api_key_env="DESK_KEY")
        client: Any = build_client(wanted, folder=HERE)
        result = await client.create(HELLO, extra_create_args=output_limit(client, 50))
        items = [
            item async for item in client.create_stream(HELLO, extra_create_args=output_limit(client, 60))
        ]
        await client._client.close()
    assert (result.content, result.usage.completion_tokens) == ("Hello", 5)
    assert (items[-1].content, items[-1].usage.completion_tokens) == ("Hello", 5)
    assert [body["options"] for body in server.bodies] == [{"num_predict": 50}, {"num_predict": 60}]
    assert server.requests[0].headers["authorization"] == "Bearer abc"


async def test_ollama_does_not_wait_for_ever() -> None:
    """AutoGen drops the timeout; the tier's client has it."""
    with OpenAIServer(hanging()) as server:
        wanted = tier("ollama", model="llama3.2", base_url=server.origin, timeout_seconds=0.05)
        client: Any = build_client(wanted, folder=HERE)
        with pytest.raises(httpx.ReadTimeout) as caught:
            await client.create(HELLO)
        await client._client.close()
    assert classify_failure(caught.value) == Failure("ReadTimeout: no answer in time", True, True)


# Failing


async def test_a_busy_provider_is_asked_again_after_the_pause_it_asks_for(pauses: list[float]) -> None:
    """Status 429 with Retry-After is waited out by the SDK."""
    with OpenAIServer(error(429, retry_after="7"), text("Hello")) as server:
        result = await call(server)
    assert result.content == "Hello"
    assert (len(server.requests), pauses) == (2, [7.0])


async def test_a_pause_of_zero_becomes_the_sdks_own(pauses: list[float]) -> None:
    """Retry-After: 0 does not hammer the provider."""
    with OpenAIServer(error(429, retry_after="0"), text("Hello")) as server:
        await call(server)
    assert len(pauses) == 1
    assert 0.3 < pauses[0] <= 0.5


async def test_a_pause_that_is_too_long_is_not_waited_for(pauses: list[float]) -> None:
    """More than two minutes, and the SDK gives up at once."""
    with OpenAIServer(error(429, retry_after="121")) as server, pytest.raises(openai.RateLimitError):
        await call(server)
    assert (len(server.requests), pauses) == (1, [])


Case = tuple[Reply, type[BaseException], int, Failure]
CASES: dict[str, Case] = {
    "500": (
        error(500),
        openai.InternalServerError,
        3,
        Failure("InternalServerError (status 500): the provider is in trouble", True, False),
    ),
    "504": (
        error(504),
        openai.InternalServerError,
        3,
        Failure("InternalServerError (status 504): the provider is in trouble", True, True),
    ),
    "429": (
        error(429),
        openai.RateLimitError,
        3,
        Failure("RateLimitError (status 429): too many requests", True, False),
    ),
    "no quota": (
        error(429, code="insufficient_quota"),
        openai.RateLimitError,
        3,
        Failure("RateLimitError (status 429): the account's quota is used up", False, False),
    ),
    "400": (
        error(400),
        openai.BadRequestError,
        1,
        Failure("BadRequestError (status 400): the provider does not accept the request", False, False),
    ),
    "too long": (
        error(400, code="context_length_exceeded"),
        openai.BadRequestError,
        1,
        Failure("BadRequestError (status 400): the prompt is longer than the model's context", False, True),
    ),
    "filtered": (
        error(400, code="content_filter"),
        openai.BadRequestError,
        1,
        Failure(
            "BadRequestError (status 400): the provider's content filter refused the prompt", False, True
        ),
    ),
    "401": (
        error(401),
        openai.AuthenticationError,
        1,
        Failure("AuthenticationError (status 401): the provider does not accept the key", False, False),
    ),
    "dropped before the answer": (
        dropped("before"),
        openai.APIConnectionError,
        3,
        Failure("APIConnectionError: the connection broke", True, True),
    ),
    "dropped in the answer": (
        dropped("mid-body"),
        openai.APIConnectionError,
        3,
        Failure("APIConnectionError: the connection broke", True, True),
    ),
    "no JSON": (
        malformed(),
        json.JSONDecodeError,
        1,
        Failure("JSONDecodeError: the answer cannot be read", True, True),
    ),
    "a web page": (
        raw(b"<html>", content_type="text/html"),
        AttributeError,
        1,
        Failure("AttributeError: the answer is not a chat completion", False, True),
    ),
    "no choice": (
        empty_choices(),
        IndexError,
        1,
        Failure("IndexError: the answer holds no reply", True, True),
    ),
    "null choices": (
        empty_choices(null=True),
        TypeError,
        1,
        Failure("TypeError: the answer is not a chat completion", False, True),
    ),
}


@pytest.mark.parametrize(("reply", "kind", "attempts", "failure"), CASES.values(), ids=CASES)
async def test_what_fails_and_how(
    reply: Reply, kind: type[BaseException], attempts: int, failure: Failure, pauses: list[float]
) -> None:
    """The exception of each failure, how often the SDK tried, and what the fence makes of it."""
    with OpenAIServer(then=reply) as server, pytest.raises(kind) as caught:
        await call(server)
    assert type(caught.value) is kind
    assert len(server.requests) == attempts
    assert classify_failure(caught.value) == failure


STREAMS: dict[str, Case] = {
    "500": CASES["500"],
    "dropped before the answer": CASES["dropped before the answer"],
    "dropped in the answer": (
        dropped("mid-stream"),
        httpx.RemoteProtocolError,
        1,
        Failure("RemoteProtocolError: the connection broke", True, True),
    ),
    "no JSON": CASES["no JSON"],
    "an error in the stream": (
        stream_error(),
        openai.APIError,
        1,
        Failure("APIError: the provider broke off with an error", True, True),
    ),
}


@pytest.mark.parametrize(("reply", "kind", "attempts", "failure"), STREAMS.values(), ids=STREAMS)
async def test_what_fails_in_streams(
    reply: Reply, kind: type[BaseException], attempts: int, failure: Failure, pauses: list[float]
) -> None:
    """A stream that has begun is not tried again."""
    with OpenAIServer(then=reply) as server, pytest.raises(kind) as caught:
        await stream(server)
    assert type(caught.value) is kind
    assert len(server.requests) == attempts
    assert classify_failure(caught.value) == failure


async def test_a_stream_that_ends_early_looks_like_a_reply() -> None:
    """Nothing raises when a stream is cut off in good order; only the finish reason and the usage tell."""
    with OpenAIServer(dropped("ends-early")) as server:
        _, result = await stream(server)
    assert (result.content, result.finish_reason) == ("Half a r", "unknown")
    assert (result.usage.prompt_tokens, result.usage.completion_tokens) == (0, 0)


async def test_a_provider_that_does_not_answer(pauses: list[float]) -> None:
    """The tier's timeout holds for each attempt."""
    with OpenAIServer(then=hanging()) as server, pytest.raises(openai.APITimeoutError) as caught:
        await call(server, timeout_seconds=0.05)
    assert len(server.requests) == 3
    assert classify_failure(caught.value) == Failure("APITimeoutError: no answer in time", True, True)


async def test_a_provider_that_is_not_there(pauses: list[float]) -> None:
    """Nothing was sent, so nothing was charged."""
    with OpenAIServer() as server:
        gone = server
    with pytest.raises(openai.APIConnectionError) as caught:
        await call(gone)
    reason = "APIConnectionError: the provider could not be reached"
    assert classify_failure(caught.value) == Failure(reason, True, False)


async def test_a_form_that_is_cut_off_was_paid_for() -> None:
    """With a form asked for, the SDK raises where it otherwise would return the half reply."""
    with OpenAIServer(text('{"num', finish_reason="length")) as server:
        async with client_for(server, capabilities=Capabilities(structured_output=True)) as client:
            with pytest.raises(openai.LengthFinishReasonError) as caught:
                await client.create(HELLO, json_output=Answer)
    reason = "LengthFinishReasonError: the reply was cut off at the output limit"
    assert classify_failure(caught.value) == Failure(reason, False, True)
    assert caught.value.completion.usage is not None


def broken(kind: type[BaseException], *, status: object = None, code: object = None) -> BaseException:
    failure = kind("jane@acme.com sk-secret")
    failure.status_code, failure.code = status, code  # type: ignore[attr-defined]  # as SDKs do
    return failure


@pytest.mark.parametrize(
    "failure",
    [
        broken(Exception),
        broken(ValueError),
        broken(TimeoutError),
        broken(ConnectionResetError),
        broken(Exception, status=418, code="jane@acme.com"),
        broken(Exception, status=503, code=["jane@acme.com"]),
        broken(Exception, status=-1),
        broken(Exception, status="jane@acme.com"),
    ],
)
def test_a_reason_quotes_nothing(failure: BaseException) -> None:
    """What an exception says may be the prompt or the key."""
    assert "jane" not in str(classify_failure(failure))
    assert "sk-" not in str(classify_failure(failure))
    assert classify_failure(failure).reason.startswith(type(failure).__name__)


def test_what_is_unknown_may_have_been_charged_and_is_not_repeated() -> None:
    """The careful answer is the default."""
    assert classify_failure(ValueError("?")) == Failure("ValueError: the call failed", False, True)
