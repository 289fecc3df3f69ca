"""Fixtures for tests that talk to a model provider."""

from types import SimpleNamespace

import openai
import pytest


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of OpenAI's SDK between its attempts, in seconds; noted, not slept."""
    noted: list[float] = []

    async def note(seconds: float) -> None:
        noted.append(seconds)

    monkeypatch.setattr(openai._base_client, "anyio", SimpleNamespace(sleep=note))
    return noted
