"""The `models` section: which model stands behind the name of a tier, and how to reach it."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, model_validator

from ringfence.guardrails.delivery_rules import BackoffRule, BreakerRule
from ringfence.located_yaml import Loc
from ringfence.policy_file import SectionError
from ringfence.settings import Section

Provider = Literal["rehearsal", "openai", "azure_openai", "anthropic", "ollama", "openai_compatible"]
Text = Annotated[str, Field(min_length=1)]

PAID: frozenset[Provider] = frozenset({"openai", "azure_openai", "anthropic", "openai_compatible"})
"""Providers whose calls cost money unless the policy says `free`."""

_PINNED: dict[Provider, str] = {
    "openai": "gpt-4o-2024-08-06",
    "azure_openai": "gpt-4o-2024-08-06",
    "anthropic": "claude-haiku-4-5-20251001",
}
"""Providers that serve dated models, with an example."""
_NEEDED: dict[Provider, tuple[str, ...]] = {
    "rehearsal": ("rules",),
    "openai": ("model",),
    "azure_openai": ("model", "azure_endpoint", "azure_deployment", "api_version"),
    "anthropic": ("model",),
    "ollama": ("model",),
    "openai_compatible": ("model", "base_url"),
}
_POSSIBLE: dict[Provider, tuple[str, ...]] = {
    "rehearsal": ("model", "obedient"),
    "openai": ("base_url", "api_key_env", "unpinned", "capabilities"),
    "azure_openai": ("api_key_env", "unpinned", "capabilities"),
    "anthropic": ("base_url", "api_key_env", "unpinned", "capabilities"),
    "ollama": ("base_url", "api_key_env", "capabilities"),
    "openai_compatible": ("api_key_env", "capabilities"),
}
_ANY_PROVIDER = {"provider", "max_output_tokens", "timeout_seconds", "retries", "breaker", "fallback"}

_MONTH_DAY = r"(0[1-9]|1[0-2])-?(0[1-9]|[12][0-9]|3[01])"
_DATE = re.compile(rf"(?<![0-9])20[0-9]{{2}}-?{_MONTH_DAY}(?![0-9])|-{_MONTH_DAY.replace('-?', '')}(?![0-9])")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_NO_KEYS_HERE = (
    "a key does not belong in a file; put it into an environment variable, and that variable's name here as "
    "`api_key_env`"
)
_NOT_A_VARIABLE = (
    "this is the name of an environment variable, in capitals, such as OPENAI_API_KEY; never the key itself"
)
_NO_ADDRESS = "must be an address such as https://models.example.com/v1, without a password"


class Capabilities(Section):
    """What a model can do. None takes what AutoGen knows of the model."""

    vision: bool | None = None
    function_calling: bool | None = None
    json_output: bool | None = None
    structured_output: bool | None = None


class ModelTier(Section):
    """One entry of the `models` section."""

    model_config = ConfigDict(hide_input_in_errors=True)
    advice: ClassVar[dict[str, str]] = dict.fromkeys(
        ("api_key", "apikey", "api-key", "key", "token", "secret", "password"), _NO_KEYS_HERE
    )

    provider: Provider
    model: Text | None = None
    """The provider's name for the model, dated where the provider serves dated models."""
    rules: Text | None = None
    """Rehearsal only: the file of its rules, relative to the policy file."""
    obedient: bool = False
    """Rehearsal only: obey every instruction in a text, injected ones too."""
    base_url: Text | None = None
    api_key_env: Text | None = None
    """The name of the environment variable that holds the key; None takes the provider's usual one."""
    azure_endpoint: Text | None = None
    azure_deployment: Text | None = None
    api_version: Text | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] = 1024
    """Most tokens of one reply; the budget reserves their price before each call."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 60.0
    """Longest wait for one reply."""
    retries: BackoffRule = Field(default_factory=BackoffRule)
    """How often a call is made again that failed in a way that may pass."""
    breaker: BreakerRule | None = None
    """When the model is left alone because it fails again and again."""
    fallback: Text | None = None
    """The tier that answers when this one fails in a way that may pass."""
    unpinned: bool = False
    """Accept a model whose name has no date, so that the provider may exchange it."""
    capabilities: Capabilities | None = None
    """What the model can do, where its name does not tell."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [*self._wrong_keys(), *self._wrong_values()]
        if problems:
            raise SectionError(*problems)
        return self

    def _wrong_keys(self) -> Iterator[tuple[Loc, str]]:
        needed = _NEEDED[self.provider]
        for key in needed:
            if getattr(self, key) is None:
                yield (key,), f"is missing; provider {self.provider} needs it"
        for key in sorted(self.model_fields_set - _ANY_PROVIDER - {*needed, *_POSSIBLE[self.provider]}):
            yield (key,), f"provider {self.provider} has no use for this key; remove it"

    def _wrong_values(self) -> Iterator[tuple[Loc, str]]:
        if self.api_key_env is not None and not _VARIABLE.fullmatch(self.api_key_env):
            yield ("api_key_env",), _NOT_A_VARIABLE
        for key in ("base_url", "azure_endpoint"):
            value = getattr(self, key)
            if value is not None and not _is_address(value):
                yield (key,), _NO_ADDRESS
        example = _PINNED.get(self.provider)
        if example and self.model and not self.unpinned and not _is_pinned(self.model):
            advice = f"name a dated one such as {example}, or say `unpinned: true`"
            yield ("model",), f"is not pinned, so the provider may exchange the model; {advice}"


def lost_fallbacks(models: Mapping[str, ModelTier], known: Collection[str] = ()) -> Iterator[tuple[Loc, str]]:
    """Fallbacks that lead nowhere, or back to where they came from; `known` are other tiers, faulty ones."""
    for name, tier in models.items():
        if tier.fallback is None:
            continue
        if tier.fallback not in {*models, *known}:
            there = ", ".join(sorted({*models, *known} - {name})) or "none"
            yield ("models", name, "fallback"), f"no model tier has this name; there is: {there}"
        way, after = [name], tier.fallback
        while after in models and after not in way:
            way.append(after)
            after = models[after].fallback or ""
        if after == name:
            turns = " → ".join([*way, name])
            yield ("models", name, "fallback"), f"leads back to this tier: {turns}"


def _is_pinned(model: str) -> bool:
    return bool(_DATE.search(model)) and not model.endswith("latest")


def _is_address(value: str) -> bool:
    try:
        url = urlsplit(value)
        return url.scheme in {"http", "https"} and bool(url.hostname) and url.username is None
    except ValueError:
        return False
