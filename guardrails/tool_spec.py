"""What a tool says of itself: what it does to the world, and what may be shown to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])

_SPEC_ATTRIBUTE = "__ringfence_tool__"


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a tool says about itself. A tool that says nothing is consequential and reveals nothing."""

    consequential: bool = True
    """The call changes the world: money, data, a message to somebody."""
    idempotent: bool = False
    """The same call twice has the effect of one (MCP's `idempotentHint`)."""
    destructive: bool = True
    """The change takes something away or overwrites it, instead of adding (MCP's `destructiveHint`)."""
    open_world: bool = True
    """The tool reaches what strangers write or see, such as the web (MCP's `openWorldHint`)."""
    trusted: bool = False
    """Only the operator or the user can write what the tool gives back."""
    free_text: tuple[str, ...] = ()
    """Arguments that hold prose, such as a mail's body; of those, only links and addresses are traced."""
    words: tuple[str, ...] = ()
    """Words by which a user asks for the tool or speaks of what it gives, beside those of its name."""
    reveals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Argument name → entity types whose real values the tool may see in that argument."""
    idempotency_key: str | None = None
    """The argument that takes the call's idempotency key; with the same key the tool acts once."""
    transaction: str | None = None
    """The argument that takes the connection on which the tool's effect is committed with its result."""
    described: bool = False
    """Somebody said what the tool does: its decorator, the policy, or a server whose word is taken."""
    composite: bool = False
    """An agent or a team that runs as a tool: its own steps pass the doors by themselves."""

    @property
    def supplied(self) -> tuple[str, ...]:
        """The arguments that the fence fills in; no model is offered them, or has a say in them."""
        return tuple(name for name in (self.idempotency_key, self.transaction) if name is not None)


@overload
def tool(function: F, /) -> F: ...


@overload
def tool(
    *,
    consequential: bool = True,
    idempotent: bool = False,
    destructive: bool = True,
    open_world: bool = True,
    trusted: bool = False,
    free_text: list[str] | tuple[str, ...] = (),
    words: list[str] | tuple[str, ...] = (),
    reveals: Mapping[str, list[str] | tuple[str, ...]] | None = None,
    idempotency_key: str | None = None,
    transaction: str | None = None,
) -> Callable[[F], F]: ...


def tool(
    function: F | None = None,
    /,
    *,
    consequential: bool = True,
    idempotent: bool = False,
    destructive: bool = True,
    open_world: bool = True,
    trusted: bool = False,
    free_text: list[str] | tuple[str, ...] = (),
    words: list[str] | tuple[str, ...] = (),
    reveals: Mapping[str, list[str] | tuple[str, ...]] | None = None,
    idempotency_key: str | None = None,
    transaction: str | None = None,
) -> F | Callable[[F], F]:
    """Say what a tool does, on the plain typed function that it is; `@tool` alone means `@tool()`.

    >>> @tool(consequential=True, reveals={"to": ["EMAIL_ADDRESS"]}, idempotency_key="key")
    ... def send_email(to: str, body: str, key: str) -> str: ...

    Args:
        function: The tool, where nothing else is said of it.
        consequential: The call changes the world.
        idempotent: The same call twice has the effect of one.
        destructive: The change takes something away or overwrites it, instead of adding.
        open_world: The tool reaches what strangers write or see, such as the web.
        trusted: Only the operator or the user can write what the tool gives back.
        free_text: Arguments that hold prose; of those, only links and addresses are traced.
        words: Words by which a user asks for the tool or speaks of what it gives, beside those of its name.
        reveals: Argument name → entity types whose real values the tool may see in that argument.
        idempotency_key: The argument that takes the call's key, a text; with the same key the tool must
            act once.
        transaction: The argument of an async function that takes an SQLAlchemy `AsyncConnection`. What is
            done on it is committed with the record of the result, or not at all; the tool itself neither
            commits nor rolls back.
    """
    if function is not None and not callable(function):
        raise TypeError("@tool stands on a function, and takes what is said of it by name")
    spec = ToolSpec(
        consequential=consequential,
        idempotent=idempotent,
        destructive=destructive,
        open_world=open_world,
        trusted=trusted,
        free_text=tuple(free_text),
        words=tuple(words),
        described=True,
        reveals={name: tuple(types) for name, types in (reveals or {}).items()},
        idempotency_key=idempotency_key,
        transaction=transaction,
    )

    def attach(function: F) -> F:
        setattr(function, _SPEC_ATTRIBUTE, spec)
        return function

    return attach if function is None else attach(function)


def spec_of(candidate: object) -> ToolSpec:
    """The spec attached to a function or tool; consequential when it says nothing."""
    spec = getattr(candidate, _SPEC_ATTRIBUTE, None)
    return spec if isinstance(spec, ToolSpec) else ToolSpec()
