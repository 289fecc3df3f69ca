"""Clients of the policy's tiers: how they are built, and how they call a provider."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from autogen_core.models import CreateResult
from openai_server import OpenAIServer, text, tool_calls
from pydantic import BaseModel
from tier_clients import HELLO, call, client_for, client_of, stream, tier

from ringfence.agents.providers import build_client, model_name, output_limit, provider_id, stream_arguments
from ringfence.errors import PolicyError
from ringfence.model_tier import Capabilities

PINNED = "gpt-4o-2024-08-06"
CLAUDE = "claude-sonnet-4-5-20250929"
AZURE = {"azure_endpoint": "https://contoso.openai.azure.com", "azure_deployment": "desk"}

needs_anthropic_0 = pytest.mark.skipif(
    not version("anthropic").startswith("0."), reason="AutoGen 0.7 cannot use this version of Anthropic's SDK"
)


class Answer(BaseModel):
    """A form to ask a model for."""

    number: int


@pytest.fixture(autouse=True)
def _keys(provider_keys: str) -> None:
    pass


# Building


@pytest.mark.parametrize(
    ("provider", "fields", "name", "prices"),
    [
        ("openai", {"model": PINNED}, PINNED, "openai"),
        ("azure_openai", {"model": PINNED, **AZURE, "api_version": "2024-10-21"}, PINNED, "azure"),
        pytest.param("anthropic", {"model": CLAUDE}, CLAUDE, "anthropic", marks=needs_anthropic_0),
        ("ollama", {"model": "llama3.2"}, "llama3.2", None),
        ("openai_compatible", {"base_url": "https://api.groq.com/openai/v1"}, "some-model", "groq"),
        ("openai_compatible", {"base_url": "http://127.0.0.1:9/v1"}, "some-model", None),
    ],
)
def test_each_tier_gets_its_client(
    provider: str, fields: dict[str, Any], name: str, prices: str | None
) -> None:
    """A tier's provider decides the client, and the client tells its model and whose prices hold."""
    client = client_of(provider, **fields)
    kinds = {"azure_openai": "AzureOpenAI", "anthropic": "Anthropic", "ollama": "Ollama"}
    assert type(client).__name__ == kinds.get(provider, "OpenAI") + "ChatCompletionClient"
    assert (model_name(client), provider_id(client)) == (name, prices)


async def test_a_rehearsal_needs_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rules stand beside the policy, and its output can be bounded like a provider's."""
    monkeypatch.delenv("OPENAI_API_KEY")
    line = "One two three four five six seven eight"
    (tmp_path / "rules.yaml").write_text(f"roles:\n  - rules: [{{say: {line}}}]\notherwise: Nothing\n")
    client = build_client(tier("rehearsal", rules="rules.yaml"), folder=tmp_path)
    assert (model_name(client), provider_id(client), dict(stream_arguments(client))) == (
        "rehearsal",
        None,
        {},
    )
    whole = await client.create(HELLO)
    short = await client.create(HELLO, extra_create_args=output_limit(client, 2))
    assert (whole.content, whole.finish_reason, short.finish_reason) == (line, "stop", "length")
    assert short.usage.completion_tokens <= 2


def test_a_provider_is_loaded_only_when_used() -> None:
    """Importing the module loads no SDK."""
    loaded = "[m for m in ('openai', 'anthropic', 'ollama', 'autogen_ext.models') if m in sys.modules]"
    code = f"import sys, ringfence.agents.providers; print({loaded})"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)  # our own code
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_key_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    """The fault names the variable and the tier."""
    monkeypatch.delenv("DESK_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("DESK_KEY", value)
    wanted = tier("openai", model=PINNED, api_key_env="DESK_KEY")
    with pytest.raises(PolicyError) as caught:
        build_client(wanted, folder=Path(), name="frontier")
    (fault,) = caught.value.faults
    assert fault.where == "models.frontier.api_key_env"
    assert "DESK_KEY" in fault.message
    assert "openai" in fault.message


def test_the_usual_variable_is_asked_for_when_the_tier_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `api_key_env` the provider's usual variable must be set."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(PolicyError, match="ANTHROPIC_API_KEY"):
        client_of("anthropic", model=CLAUDE)


@pytest.mark.parametrize(("provider", "model"), [("anthropic", CLAUDE), ("ollama", "llama3.2")])
def test_a_missing_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, provider: str, model: str
) -> None:
    """The fault is the command that mends it."""
    monkeypatch.setitem(sys.modules, f"autogen_ext.models.{provider}", None)
    with pytest.raises(PolicyError) as caught:
        client_of(provider, model=model)
    assert f'pip install "ringfence[{provider}]"' in str(caught.value)


def test_a_version_of_an_sdk_that_autogen_cannot_use_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise each call would fail with a TypeError about `temperature`."""
    monkeypatch.setattr("ringfence.agents.providers.version", lambda name: "1.0.0")
    with pytest.raises(PolicyError, match='pip install "anthropic<1"'):
        client_of("anthropic", model=CLAUDE)


def test_an_unknown_model_needs_its_capabilities() -> None:
    """AutoGen's table is older than the newest models, so the policy may say what a model can do."""
    new = {"model": "gpt-99-2031-01-01"}
    with pytest.raises(PolicyError) as caught:
        build_client(tier("openai", **new), folder=Path(), name="frontier")
    assert caught.value.faults[0].where == "models.frontier.capabilities"
    info = client_of("openai", **new, capabilities=Capabilities(vision=True)).model_info
    assert (info["vision"], info["function_calling"], info["structured_output"]) == (True, True, False)


@needs_anthropic_0
def test_a_new_claude_is_not_taken_for_claude_2() -> None:
    """AutoGen's table says of each Claude that it does not have that it cannot call tools."""
    new = {"model": "claude-haiku-4-5-20251001"}
    with pytest.raises(PolicyError, match="does not know the model"):
        client_of("anthropic", **new)
    info = client_of("anthropic", **new, capabilities=Capabilities(vision=True)).model_info
    assert (info["vision"], info["function_calling"]) == (True, True)


def test_capabilities_change_what_autogen_knows_and_no_more() -> None:
    """What the policy does not mention stays; AutoGen's own table is left alone."""
    less = client_of("openai", model=PINNED, capabilities=Capabilities(vision=False))
    usual = client_of("openai", model=PINNED)
    assert dict(less.model_info) == {**usual.model_info, "vision": False}
    assert usual.model_info["vision"] is True


# Calling


async def test_a_server_of_ones_own_is_not_told_the_key_of_openai(provider_keys: str) -> None:
    """A tier without a key sends a placeholder, not what stands in OPENAI_API_KEY."""
    with OpenAIServer(text("Hello")) as server:
        await call(server)
    assert provider_keys not in server.wire
    assert server.requests[0].headers["Authorization"] == "Bearer none"


async def test_a_named_key_goes_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """`api_key_env` works for compatible servers too."""
    monkeypatch.setenv("DESK_KEY", "abc")
    with OpenAIServer(text("Hello")) as server:
        await call(server, api_key_env="DESK_KEY")
    assert server.requests[0].headers["Authorization"] == "Bearer abc"


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
