"""Fixtures for tests that talk to a model provider, and for those that run whole teams behind the fence."""

import pytest
from fenced import house, logs, nothing_runs_on

from ringfence.agents.services import Services

__all__ = ["house", "logs", "nothing_runs_on"]

_KEY = "sk-very-secret"


@pytest.fixture
def provider_keys(monkeypatch: pytest.MonkeyPatch) -> str:
    """The key that stands in each provider's usual environment variable."""
    for variable in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(variable, _KEY)
    return _KEY


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between the attempts of a call, in seconds; noted, not slept."""
    noted: list[float] = []

    async def note(seconds: float) -> None:
        noted.append(seconds)

    monkeypatch.setattr("ringfence.agents.ringfence.Services", lambda: Services(note))
    return noted
