"""What passes the doors: a user's turn, a model call, a tool call, and a message to the user."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.guardrails.texts import LLMMessage

Emit = Callable[[str], Awaitable[None]]

_STRUCTURAL = {"structural": True}
"""Marks what says who calls what: no guardrail reads or rewrites it, or a call could become another one."""


@dataclass(frozen=True, slots=True)
class UserTurn:
    """What the user hands in. Answered when the team has stopped."""

    messages: tuple[Any, ...]
    """AutoGen chat messages; empty when the team shall just go on."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message or event of the team, on its way to the user."""

    message: Any
    is_answer: bool = field(default=True, metadata=_STRUCTURAL)
    """A message that an agent says; not an event, and not the task as it came in."""
    before: str | None = field(default=None, repr=False, metadata=_STRUCTURAL)
    """Of a piece of a message on its way: the piece before it. None for everything else."""
    piece: str = field(default="", repr=False, metadata=_STRUCTURAL)
    """Its text."""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a language model. Answered with AutoGen's CreateResult."""

    agent: str = field(metadata=_STRUCTURAL)
    model: str = field(metadata=_STRUCTURAL)
    messages: tuple[LLMMessage, ...] = field(repr=False)
    tools: tuple[Any, ...] = field(default=(), repr=False)
    """AutoGen tools or tool schemas, as offered to the model."""
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The other arguments of `ChatCompletionClient.create`."""
    max_output_tokens: int = 1024
    """Upper bound of the reply, in tokens."""
    emit: Emit | None = field(default=None, repr=False, metadata=_STRUCTURAL)
    """Takes the reply's text piece by piece as the model writes it, if somebody wants to see it live."""
    attempt: int = field(default=0, metadata=_STRUCTURAL)
    """How often the model was asked to mend its reply before."""
    is_repeated: bool = field(default=False, metadata=_STRUCTURAL)
    """It was begun before, in a process that died, and may have been paid for."""
    settled: Callable[[Any], None] | None = field(default=None, repr=False, metadata=_STRUCTURAL)
    """Told what the call has cost, if somebody wants to know."""

    @property
    def structure(self) -> Any:
        """The pydantic model that the reply's text must parse into, if one was asked for."""
        return self.options.get("json_output")


@dataclass(frozen=True, slots=True)
class CallOrigin:
    """The model call that asked for a tool call; what is approved of it is approved of no other."""

    model: str = ""
    prompt: str = ""
    """A hash of what the model was told to be: its system messages."""
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The tool's arguments as a JSON Schema, as they were offered to the model."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool. Answered with AutoGen's ToolResult."""

    agent: str = field(metadata=_STRUCTURAL)
    tool: str = field(metadata=_STRUCTURAL)
    arguments: Mapping[str, Any] = field(repr=False)
    call_id: str = field(metadata=_STRUCTURAL)
    idempotency_key: str = field(default="", repr=False, metadata=_STRUCTURAL)
    """The same for this call however often it is played again, and for no other call; empty: not set."""
    transaction: Any = field(default=None, repr=False, metadata=_STRUCTURAL)
    """An SQLAlchemy `AsyncConnection` in the transaction that records the result; None: not asked for."""
    origin: CallOrigin = field(default_factory=CallOrigin, repr=False, metadata=_STRUCTURAL)
    """Who asked for it; empty for a call that no model asked for."""
    changed_by: str = field(default="", repr=False, metadata=_STRUCTURAL)
    """The person, masked, who put these arguments in the place of the agent's."""
