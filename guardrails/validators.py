"""Guardrails AI validators at the doors."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from ringfence.settings import Section


class Point(StrEnum):
    """Where a text is checked."""

    INPUT = "input"
    """What the user says."""
    OUTPUT = "output"
    """What the user gets to see."""
    MESSAGE = "message"
    """A model's reply, before any agent reads it."""
    TOOL_CALL = "tool_call"
    """The arguments of a tool call."""
    TOOL_RESULT = "tool_result"
    """What a tool gave back."""


class OnFail(StrEnum):
    """What a validator's "no" leads to."""

    EXCEPTION = "exception"
    """Block: the passage goes no further."""
    REASK = "reask"
    """Ask the model again, a bounded number of times, then block. Only at `message`; elsewhere a block."""
    FIX = "fix"
    """Rewrite the text to the validator's own fix; block when it has none."""
    NOOP = "noop"
    """Let it pass and record it."""


class GuardrailUse(Section):
    """One entry of the `guardrails` section."""

    use: str
    """The name under which the validator is registered with guardrails-ai, such as `ringfence/max_length`."""
    at: tuple[Point, ...]
    on_fail: OnFail = OnFail.EXCEPTION
    timeout_seconds: float = Field(default=10.0, gt=0)
    """Longest time that the validator may take; past it the passage is blocked."""
    options: dict[str, Any] = Field(default_factory=dict, alias="with")
    """Keyword arguments of the validator."""
