"""What the fence must know about a model client, whoever made it.

AutoGen's clients differ in how their output is bounded and in how a stream reports its usage. They are told
apart by the names of their classes, so that no provider's SDK is loaded for the question.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from autogen_core.models import ChatCompletionClient
from genai_prices.data_snapshot import get_snapshot

__all__ = ["is_free", "model_name", "output_limit", "provider_id", "stream_arguments"]

_FAMILIES = {
    "BaseOpenAIChatCompletionClient": "openai",
    "BaseAnthropicChatCompletionClient": "anthropic",
    "BaseOllamaChatCompletionClient": "ollama",
    "ReplayChatCompletionClient": "replay",
    "RehearsalModel": "rehearsal",
}
_AZURE_SINCE = "2024-09-01"
"""First version of Azure's API that takes `max_completion_tokens` and `stream_options`."""


def model_name(client: ChatCompletionClient) -> str | None:
    """The model that a client calls; None when the client does not tell."""
    client = _inner(client)
    model = _settings(client).get("model")
    if isinstance(model, str):
        return model
    family = _family(client)
    return family if family in {"rehearsal", "replay"} else None


def provider_id(client: ChatCompletionClient) -> str | None:
    """The provider's name in genai-prices; None where it has no prices, such as for a server of one's own."""
    client = _inner(client)
    match _family(client):
        case "anthropic":
            return "aws" if "Bedrock" in type(client).__name__ else "anthropic"
        case "openai" if _is_azure(client):
            return "azure"
        case "openai":
            try:
                return get_snapshot().find_provider(None, None, _base_url(client)).id
            except LookupError:
                return None
        case _:
            return None


def is_free(client: ChatCompletionClient) -> bool:
    """Whether this client's calls cost nothing by themselves: a stand-in, or a model on one's own server."""
    return _family(_inner(client)) in {"ollama", "replay", "rehearsal"}


def output_limit(client: ChatCompletionClient, tokens: int) -> Mapping[str, Any]:
    """The `extra_create_args` that keep one call's output within `tokens`; empty when the client has no way.

    A lower limit that the client was made with stays.
    """
    client = _inner(client)
    settings = _settings(client)
    match _family(client):
        case "openai":
            names = ("max_completion_tokens", "max_tokens")
            usual = names[0] if _takes_new_names(client) else names[1]
            # Providers refuse a call that has both names, so the one that the client was made with stays.
            name = next((name for name in names if settings.get(name)), usual)
            return {name: min(tokens, settings.get(name) or tokens)}
        case "anthropic" | "rehearsal":
            return {"max_tokens": min(tokens, settings.get("max_tokens") or tokens)}
        case "ollama":
            # All options are repeated, because AutoGen drops options that came as an object.
            options = settings.get("options") or {}
            options = options if isinstance(options, Mapping) else options.model_dump(exclude_none=True)
            present = options.get("num_predict") or 0
            return {"options": {**options, "num_predict": min(tokens, present) if present > 0 else tokens}}
        case _:
            return {}


def stream_arguments(client: ChatCompletionClient) -> Mapping[str, Any]:
    """The `extra_create_args` that make a stream report its usage; for `create_stream` only.

    Empty for clients that report it anyway, or cannot.
    """
    client = _inner(client)
    if _family(client) != "openai" or (_is_azure(client) and not _takes_new_names(client)):
        return {}
    return {"stream_options": {**(_settings(client).get("stream_options") or {}), "include_usage": True}}


def _inner(client: Any) -> Any:
    return _inner(client.client) if _is_a(client, "ChatCompletionCache") else client


def _is_a(client: Any, name: str) -> bool:
    return any(base.__name__ == name for base in type(client).__mro__)


def _family(client: Any) -> str:
    return next((_FAMILIES[base.__name__] for base in type(client).__mro__ if base.__name__ in _FAMILIES), "")


def _settings(client: Any) -> Mapping[str, Any]:
    settings = getattr(client, "_create_args", None)
    return settings if isinstance(settings, Mapping) else {}


def _is_azure(client: Any) -> bool:
    return _is_a(client, "AzureOpenAIChatCompletionClient")


def _base_url(client: Any) -> str:
    return str(getattr(getattr(client, "_client", None), "base_url", ""))


def _takes_new_names(client: Any) -> bool:
    if not _is_azure(client):
        return f".{urlsplit(_base_url(client)).hostname}".endswith(".api.openai.com")
    version = str(getattr(getattr(client, "_client", None), "_api_version", ""))
    return not re.match(r"\d{4}-\d\d-\d\d", version) or version >= _AZURE_SINCE
