"""How each provider's client bounds its output, down to what goes over the wire."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, cast

import httpx
import pytest
from autogen_core.models import ChatCompletionClient, CreateResult
from autogen_ext.models.anthropic import AnthropicChatCompletionClient
from autogen_ext.models.cache import ChatCompletionCache
from autogen_ext.models.ollama import OllamaChatCompletionClient
from autogen_ext.models.openai import OpenAIChatCompletionClient
from autogen_ext.models.replay import ReplayChatCompletionClient
from ollama import Options
from openai_server import OpenAIServer, hanging, raw, text
from tier_clients import HELLO, client_for, client_of, tier

from ringfence.agents.client_facts import is_free, model_name, output_limit, provider_id, stream_arguments
from ringfence.agents.failures import Failure, classify_failure
from ringfence.model_tier import ModelTier

PINNED = "gpt-4o-2024-08-06"
CLAUDE = "claude-sonnet-4-5-20250929"
AZURE = {"azure_endpoint": "https://contoso.openai.azure.com", "azure_deployment": "desk", "model": PINNED}

needs_anthropic_0 = pytest.mark.skipif(
    not version("anthropic").startswith("0."), reason="AutoGen 0.7 cannot use this version of Anthropic's SDK"
)


@pytest.fixture(autouse=True)
def _keys(provider_keys: str) -> None:
    pass


@pytest.mark.parametrize(
    ("wanted", "limit", "streamed"),
    [
        (tier("openai", model=PINNED), "max_completion_tokens", True),
        (tier("openai", model=PINNED, base_url="https://gateway.example/v1"), "max_tokens", True),
        (tier(base_url="http://127.0.0.1:9/v1"), "max_tokens", True),
        (tier("azure_openai", **AZURE, api_version="2024-10-21"), "max_completion_tokens", True),
        (tier("azure_openai", **AZURE, api_version="preview"), "max_completion_tokens", True),
        (tier("azure_openai", **AZURE, api_version="2024-06-01"), "max_tokens", False),
        pytest.param(tier("anthropic", model=CLAUDE), "max_tokens", False, marks=needs_anthropic_0),
    ],
)
def test_each_provider_has_its_own_word(wanted: ModelTier, limit: str, streamed: bool) -> None:
    """OpenAI and newer versions of Azure take the new name; the others the old one."""
    client = client_of(**wanted.model_dump(exclude_unset=True))
    assert output_limit(client, 50) == {limit: 50}
    assert stream_arguments(client) == ({"stream_options": {"include_usage": True}} if streamed else {})


def test_a_limit_that_the_client_was_made_with_stays() -> None:
    """The lower one of both, under the name that the client uses already."""
    own = OpenAIChatCompletionClient(model=PINNED, max_tokens=20)
    assert output_limit(own, 50) == {"max_tokens": 20}
    assert output_limit(own, 10) == {"max_tokens": 10}
    claude = AnthropicChatCompletionClient(model=CLAUDE, max_tokens=20)
    assert output_limit(claude, 50) == {"max_tokens": 20}


@pytest.mark.parametrize("options", [{"num_predict": 20, "seed": 1}, Options(num_predict=20, seed=1)])
def test_ollamas_other_options_stay(options: Mapping[str, Any] | Options) -> None:
    """However they were given; AutoGen itself would drop an object's."""
    llama = OllamaChatCompletionClient(model="llama3.2", options=options)
    assert output_limit(llama, 50) == {"options": {"num_predict": 20, "seed": 1}}


def test_an_endless_ollama_gets_a_limit() -> None:
    """Ollama writes -1 for no limit."""
    endless = OllamaChatCompletionClient(model="llama3.2", options={"num_predict": -1})
    assert output_limit(endless, 50) == {"options": {"num_predict": 50}}


def test_other_clients() -> None:
    """A cache tells of the client inside; a client that nobody knows has no limit and no name."""
    replay = ReplayChatCompletionClient(["Hello"])
    assert (model_name(replay), provider_id(replay)) == ("replay", None)
    assert (output_limit(replay, 50), stream_arguments(replay)) == ({}, {})
    cache = ChatCompletionCache(client_of("openai", model=PINNED))
    assert (model_name(cache), output_limit(cache, 50)) == (PINNED, {"max_completion_tokens": 50})
    assert (is_free(replay), is_free(cache)) == (True, False)
    unknown = cast(ChatCompletionClient, object())
    assert not is_free(unknown)
    assert (model_name(unknown), provider_id(unknown)) == (None, None)
    assert (output_limit(unknown, 50), stream_arguments(unknown)) == ({}, {})


async def test_the_limit_goes_over_the_wire_to_openai() -> None:
    """AutoGen's client accepts both names and sends them."""
    with OpenAIServer(text("Hello"), text("Hello")) as server:
        async with client_for(server) as client:
            await client.create(HELLO, extra_create_args=output_limit(client, 50))
            await client.create(HELLO, extra_create_args={"max_completion_tokens": 60})
    assert server.bodies[0]["max_tokens"] == 50
    assert server.bodies[1]["max_completion_tokens"] == 60


@needs_anthropic_0
@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")  # from the SDK, once the model is old
async def test_the_limit_goes_over_the_wire_to_anthropic() -> None:
    """Anthropic's client takes `max_tokens`, and a stream reports usage unasked."""
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": CLAUDE,
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]
    sse = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    with OpenAIServer(raw(message), raw(sse.encode(), content_type="text/event-stream")) as server:
        client = client_of("anthropic", model=CLAUDE, base_url=server.origin)
        result = await client.create(HELLO, extra_create_args=output_limit(client, 50))
        items = [
            item async for item in client.create_stream(HELLO, extra_create_args=output_limit(client, 60))
        ]
        await client.close()
    assert (result.content, result.usage.completion_tokens) == ("Hello", 5)
    assert isinstance(items[-1], CreateResult)
    assert (items[-1].usage.prompt_tokens, items[-1].usage.completion_tokens) == (10, 7)
    assert [body["max_tokens"] for body in server.bodies] == [50, 60]


def ollama_line(content: str, **fields: Any) -> dict[str, Any]:
    line = {"model": "llama3.2", "created_at": "2026-01-01T00:00:00Z", "done": bool(fields)}
    return line | {"message": {"role": "assistant", "content": content}} | fields


async def test_the_limit_goes_over_the_wire_to_ollama(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ollama's option goes with the client's other options, and streams report usage unasked."""
    monkeypatch.setenv("DESK_KEY", "abc")
    ended = {"done_reason": "stop", "prompt_eval_count": 10, "eval_count": 5}
    lines = "".join(json.dumps(line) + "\n" for line in (ollama_line("Hello"), ollama_line("", **ended)))
    with OpenAIServer(raw(ollama_line("Hello", **ended)), raw(lines.encode())) as server:
        client: Any = client_of("ollama", model="llama3.2", base_url=server.origin, api_key_env="DESK_KEY")
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
        client: Any = client_of("ollama", model="llama3.2", base_url=server.origin, timeout_seconds=0.05)
        with pytest.raises(httpx.ReadTimeout) as caught:
            await client.create(HELLO)
        await client._client.close()
    reason = "ReadTimeout: no answer in time"
    assert classify_failure(caught.value) == Failure(reason, retryable=True, billing_unknown=True)
