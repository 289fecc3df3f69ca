"""Calls that go to a scripted provider through the client of a policy's tier."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from autogen_core.models import ChatCompletionClient, CreateResult, LLMMessage, SystemMessage, UserMessage
from openai_server import OpenAIServer

from ringfence.agents.providers import build_client, stream_arguments
from ringfence.model_tier import ModelTier

__all__ = ["HELLO", "call", "client_for", "client_of", "stream", "tier"]

HELLO: list[LLMMessage] = [
    SystemMessage(content="Be brief."),
    UserMessage(content="Grüße an jane@acme.com", source="user"),
]


def tier(provider: str = "openai_compatible", **fields: Any) -> ModelTier:
    """A tier of the policy."""
    return ModelTier.model_validate({"provider": provider, "model": "some-model"} | fields)


def client_of(provider: str = "openai_compatible", **fields: Any) -> ChatCompletionClient:
    """The client of a tier that is never called, so nothing has to be closed."""
    return build_client(tier(provider, **fields), folder=Path())


@asynccontextmanager
async def client_for(server: OpenAIServer, **fields: Any) -> AsyncIterator[ChatCompletionClient]:
    """The client of a tier whose provider is `server`; `fields` are those of the tier."""
    client = client_of(base_url=server.base_url, **fields)
    try:
        yield client
    finally:
        await client.close()


async def call(server: OpenAIServer, **fields: Any) -> CreateResult:
    """One call."""
    async with client_for(server, **fields) as client:
        return await client.create(HELLO)


async def stream(
    server: OpenAIServer, *, extra: Mapping[str, Any] | None = None, **fields: Any
) -> tuple[list[str], CreateResult]:
    """One streamed call: its pieces and its result; `extra` in place of `stream_arguments`."""
    async with client_for(server, **fields) as client:
        extra = stream_arguments(client) if extra is None else extra
        items = [item async for item in client.create_stream(HELLO, extra_create_args=extra)]
    assert isinstance(items[-1], CreateResult)
    return [item for item in items if isinstance(item, str)], items[-1]
