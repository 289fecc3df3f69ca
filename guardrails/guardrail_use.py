"""The `guardrails` section of the policy file."""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from ringfence.guardrails.passages import Point
from ringfence.guardrails.validator_traits import Reads, Window
from ringfence.policy_file import SectionError
from ringfence.settings import Section

Names = Annotated[tuple[str, ...], Field(min_length=1)]


class OnFail(StrEnum):
    """What a validator's "no" leads to: guardrails-ai's words, and what becomes of a passage."""

    EXCEPTION = "exception"
    """Block: the passage goes no further."""
    REASK = "reask"
    """Ask the model again, a bounded number of times, then block. At other points than `message`, a block."""
    FIX = "fix"
    """Rewrite the text to the validator's own fix; block when it has none, or when that does not pass."""
    FILTER = "filter"
    """Rewrite the text without the spans that the validator names; without any, as `refrain`."""
    REFRAIN = "refrain"
    """Rewrite the text to `[withheld]`."""
    NOOP = "noop"
    """Let it pass and record it."""


class Mode(StrEnum):
    """Whether a guardrail's word counts."""

    ENFORCE = "enforce"
    SHADOW = "shadow"
    """It is asked and recorded, and nothing follows."""


_SCOPES = {
    "tools": (Point.MESSAGE, Point.TOOL_CALL, Point.TOOL_RESULT),
    "arguments": (Point.MESSAGE, Point.TOOL_CALL),
    "agents": (Point.MESSAGE, Point.TOOL_CALL, Point.TOOL_RESULT, Point.OUTPUT),
}
"""Where a passage has one."""


class GuardrailUse(Section):
    """One entry of the `guardrails` section."""

    use: str = Field(min_length=1)
    """A validator's name (`ringfence/length`, `guardrails/regex_match`), `file.py:name`, or schema."""
    name: str | None = Field(default=None, min_length=1)
    """Under which its verdicts are recorded; needed where one validator is used twice."""
    at: tuple[Point, ...]
    on_fail: OnFail = OnFail.EXCEPTION
    mode: Mode = Mode.ENFORCE
    timeout_seconds: float = Field(default=10.0, gt=0)
    """Longest time that the validator may take; past it the passage is blocked."""
    reads: Reads | None = None
    """Only what is said, or every text; None takes what the validator states, else everything."""
    window: Window | None = None
    """How much of a streamed reply it has to see; None takes what the validator states, else all of it."""
    tools: Names | None = None
    """Names or globs: only passages of these tools."""
    agents: Names | None = None
    arguments: Names | None = None
    """Of a tool's call."""
    hint: str | None = Field(default=None, min_length=1)
    """What a model is told of a no; None takes the validator's words, without what only the policy says."""
    options: dict[str, Any] = Field(default_factory=dict, alias="with")
    """Keyword arguments of the validator."""

    @property
    def known_as(self) -> str:
        """The name under which it is recorded."""
        return self.name or self.use

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        if self.on_fail is OnFail.REASK and self.at and Point.MESSAGE not in self.at:
            said = "is reask, and only a reply at `message` can be written again"
            raise SectionError((("on_fail",), said))
        if self.on_fail in {OnFail.FILTER, OnFail.REFRAIN} and Point.TOOL_CALL in self.at:
            said = "a call without one of its words is another call; at `tool_call` use exception or fix"
            raise ValueError(said)
        for scope, points in _SCOPES.items():
            idle = [point.value for point in self.at if point not in points]
            if getattr(self, scope) and idle:
                there = ", ".join(point.value for point in points)
                said = f"{scope} are there at {there} only; at {', '.join(idle)} it would never run"
                raise ValueError(said)
        if len({*self.at}) < len(self.at):
            raise ValueError("at names a point twice")
        return self
