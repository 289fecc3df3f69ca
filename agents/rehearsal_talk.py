"""What one agent of a rehearsal sees of its conversation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)

__all__ = ["Talk", "Wanted", "read_talk", "text_of"]

Wanted = tuple[str, dict[str, Any]]
"""A call that the model wants to make: the tool and its arguments."""


@dataclass(slots=True)
class Talk:
    """A conversation as one agent's context has it."""

    system: str = ""
    user: str = ""
    """The latest message from the user."""
    last: str = ""
    """The last message, whoever it is from."""
    said: str = ""
    """What this agent said last."""
    times_spoken: int = 0
    heard: list[str] = field(default_factory=list)
    """Every message, the agent's own included, but no tool results."""
    since: list[str] = field(default_factory=list)
    """Every message and every tool result since the latest message from the user."""
    results: dict[str, str] = field(default_factory=dict)
    """Tool → its newest result."""
    called: set[str] = field(default_factory=set)
    """Tools that this agent has called since the latest message from the user."""


def read_talk(messages: Sequence[LLMMessage]) -> Talk:
    """The conversation that these messages are."""
    talk = Talk()
    for message in messages:
        text = text_of(message)
        match message:
            case SystemMessage():
                talk.system = f"{talk.system}\n{text}".strip()
                continue
            case FunctionExecutionResultMessage():
                talk.results.update({result.name: result.content for result in message.content})
                talk.since.extend(result.content for result in message.content)
            case AssistantMessage() if not isinstance(message.content, str):
                talk.called.update(call.name for call in message.content)
            case AssistantMessage():
                talk.said = text
                talk.times_spoken += 1
                talk.heard.append(text)
                talk.since.append(text)
            case UserMessage(source="user"):
                talk.user = text
                talk.heard.append(text)
                talk.since.clear()
                talk.called.clear()
            case _:
                talk.heard.append(text)
                talk.since.append(text)
        talk.last = text
    return talk


def text_of(message: LLMMessage) -> str:
    """What a message says in words; images and calls say nothing."""
    match message:
        case FunctionExecutionResultMessage():
            return "\n".join(result.content for result in message.content)
        case SystemMessage() | UserMessage() | AssistantMessage() if isinstance(message.content, str):
            return message.content
        case _:
            return "\n".join(part for part in message.content if isinstance(part, str))
