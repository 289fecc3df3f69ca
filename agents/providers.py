"""Model clients for the tiers of the policy.

A provider's SDK is loaded only when a tier uses it. What the fence must know about a client, and about its
failures, is offered here as well, so there is one place to import from.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from autogen_core.models import ChatCompletionClient, ModelFamily

from ringfence.agents.client_facts import model_name, output_limit, provider_id, stream_arguments
from ringfence.agents.failures import Failure, classify_failure
from ringfence.agents.rehearsal import RehearsalModel
from ringfence.errors import Fault, PolicyError
from ringfence.model_tier import ModelTier

__all__ = [
    "Failure",
    "build_client",
    "classify_failure",
    "model_name",
    "output_limit",
    "provider_id",
    "stream_arguments",
]

_ABILITIES = ("vision", "function_calling", "json_output", "structured_output")
_UNKNOWN_MODEL = {
    "family": ModelFamily.UNKNOWN,
    "vision": False,
    "function_calling": True,
    "json_output": False,
    "structured_output": False,
}


@dataclass(frozen=True, slots=True)
class _Maker:
    module: str
    client: str
    install: str
    key: str | None
    """Environment variable of the key where the tier names none; None where no key is needed."""


_OPENAI = "autogen_ext.models.openai"
_MAKERS = {
    "openai": _Maker(_OPENAI, "OpenAIChatCompletionClient", "ringfence", "OPENAI_API_KEY"),
    "openai_compatible": _Maker(_OPENAI, "OpenAIChatCompletionClient", "ringfence", None),
    "azure_openai": _Maker(
        _OPENAI, "AzureOpenAIChatCompletionClient", "ringfence[azure]", "AZURE_OPENAI_API_KEY"
    ),
    "anthropic": _Maker(
        "autogen_ext.models.anthropic",
        "AnthropicChatCompletionClient",
        "ringfence[anthropic]",
        "ANTHROPIC_API_KEY",
    ),
    "ollama": _Maker("autogen_ext.models.ollama", "OllamaChatCompletionClient", "ringfence[ollama]", None),
}


def build_client(
    tier: ModelTier, *, folder: Path, name: str = "", key: str | None = None
) -> ChatCompletionClient:
    """The client of a tier; PolicyError says what is missing, and never the value of a key.

    The client does not bound its output: pass `output_limit` with each call. No SDK repeats a failed call by
    itself: the model door does, so that each attempt is paid from the budget and stands in the audit log.

    Args:
        tier: A tier of the policy.
        folder: The folder that `tier.rules` is relative to.
        name: The tier's name in the policy, for error messages.
        key: In place of the environment's, for a client that is never called.
    """
    where = f"models.{name}" if name else "models"
    if tier.provider == "rehearsal":
        return RehearsalModel.from_file(folder / str(tier.rules), obedient=tier.obedient)
    maker = _MAKERS[tier.provider]
    arguments: dict[str, Any] = {"model": tier.model, "timeout": tier.timeout_seconds}
    if tier.provider != "ollama":  # whose client repeats nothing, and has no such argument
        arguments["max_retries"] = 0
    if tier.provider == "azure_openai":
        arguments |= {"azure_endpoint": tier.azure_endpoint, "azure_deployment": tier.azure_deployment}
        arguments["api_version"] = tier.api_version
    elif tier.base_url:
        arguments["host" if tier.provider == "ollama" else "base_url"] = tier.base_url
    key = key or _key(tier, maker, where)
    if tier.provider == "ollama":
        client = _with_timeout(_construct(tier, maker, arguments, where), arguments, key)
    else:
        # A placeholder, because the SDK would send OPENAI_API_KEY to whatever server stands at base_url.
        client = _construct(tier, maker, arguments | {"api_key": key or "none"}, where)
    return cast(ChatCompletionClient, client)


def _construct(tier: ModelTier, maker: _Maker, arguments: Mapping[str, Any], where: str) -> Any:
    make = getattr(_load(maker, where), maker.client)
    given = {key: able for key in _ABILITIES if (able := _able(tier, key)) is not None}
    client = None if tier.provider == "openai_compatible" else _if_known(make, arguments)
    if client is not None and not given:
        return client
    if client is None and not given and tier.provider != "openai_compatible":
        message = f"this AutoGen does not know the model; say what it can do: {', '.join(_ABILITIES)}"
        raise PolicyError([Fault(message, where=f"{where}.capabilities")])
    known = _UNKNOWN_MODEL if client is None else client.model_info
    return make(**arguments, model_info={**known, **given})


def _if_known(make: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """The client as AutoGen makes it; None for a model that its table does not have."""
    try:
        client = make(**arguments)
    except ValueError:
        return None
    # The table takes a Claude that it does not have for Claude 2, which could not call tools.
    is_mistaken = arguments["model"].startswith("claude-") and not client.model_info["function_calling"]
    return None if is_mistaken else client


def _with_timeout(client: Any, arguments: Mapping[str, Any], key: str | None) -> Any:
    """AutoGen hands Ollama's client the host only, so without this it would wait for ever."""
    headers = {"authorization": f"Bearer {key}"} if key else None
    patient = import_module("ollama").AsyncClient(
        host=arguments.get("host"), timeout=arguments["timeout"], headers=headers
    )
    client._client = patient  # noqa: SLF001  # AutoGen has no public way
    return client


def _load(maker: _Maker, where: str) -> Any:
    try:
        module = import_module(maker.module)
    except ImportError:
        message = f'its provider is not installed; run: pip install "{maker.install}"'
        raise PolicyError([Fault(message, where=f"{where}.provider")]) from None
    # AutoGen sends `temperature` with each call, which Anthropic's SDK refuses from its version 1 on.
    if maker.module.endswith(".anthropic") and not version("anthropic").startswith("0."):
        message = 'AutoGen cannot use this version of Anthropic\'s SDK; run: pip install "anthropic<1"'
        raise PolicyError([Fault(message, where=f"{where}.provider")])
    return module


def _key(tier: ModelTier, maker: _Maker, where: str) -> str | None:
    variable = tier.api_key_env or maker.key
    if variable is None:
        return None
    if key := os.environ.get(variable, "").strip():
        return key
    message = f"the environment variable {variable} is not set; it must hold the key for {tier.provider}"
    raise PolicyError([Fault(message, where=f"{where}.api_key_env")])


def _able(tier: ModelTier, key: str) -> bool | None:
    able: bool | None = getattr(tier.capabilities, key, None)
    return able
