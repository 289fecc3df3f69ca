"""What a tool does to the world, and what the policy says of calling it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import Field

from ringfence.settings import Section

F = TypeVar("F", bound=Callable[..., Any])

_SPEC_ATTRIBUTE = "__ringfence_tool__"


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a tool says about itself. A tool that says nothing is consequential and reveals nothing."""

    consequential: bool = True
    """The call changes the world: money, data, a message to somebody."""
    idempotent: bool = False
    """The same call twice has the effect of one (MCP's `idempotentHint`)."""
    reveals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Argument name → entity types whose real values the tool may see in that argument."""


def tool(
    *,
    consequential: bool = True,
    idempotent: bool = False,
    reveals: Mapping[str, list[str] | tuple[str, ...]] | None = None,
) -> Callable[[F], F]:
    """Say what a tool does, on the plain typed function that it is.

    >>> @tool(consequential=True, reveals={"to": ["EMAIL_ADDRESS"]})
    ... def send_email(to: str, body: str) -> str: ...
    """
    spec = ToolSpec(
        consequential=consequential,
        idempotent=idempotent,
        reveals={name: tuple(types) for name, types in (reveals or {}).items()},
    )

    def attach(function: F) -> F:
        setattr(function, _SPEC_ATTRIBUTE, spec)
        return function

    return attach


def spec_of(candidate: object) -> ToolSpec:
    """The spec attached to a function or tool; consequential when it says nothing."""
    spec = getattr(candidate, _SPEC_ATTRIBUTE, None)
    return spec if isinstance(spec, ToolSpec) else ToolSpec()


class Decision(StrEnum):
    """What the policy says of a tool's calls."""

    ALLOW = "allow"
    APPROVE = "approve"
    """A person is asked before each call."""
    DENY = "deny"


class ArgumentRule(Section):
    """What one argument may be; checked on the real value, as the tool would see it."""

    pattern: str | None = None
    """A regular expression that the whole value must match."""
    one_of: tuple[str | int | float | bool, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None


class ToolRule(Section):
    """What the policy says of the tools that a name or glob stands for."""

    decision: Decision | None = None
    """None: read-only tools are allowed, consequential ones wait for approval."""
    read_only: bool | None = None
    """Overrides what the tool says of itself; needed for tools that cannot say it, such as MCP's."""
    arguments: dict[str, ArgumentRule] = Field(default_factory=dict)
    reveals: dict[str, tuple[str, ...]] | None = None
    """Overrides what the tool says: argument → entity types whose real values it may see."""
    timeout_seconds: Annotated[float, Field(gt=0)] | None = None
    """Longest time of one call; None takes 60 seconds."""
