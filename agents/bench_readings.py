"""What an agent's own memory tells of the calls that it asked for last."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autogen_core.models import AssistantMessage, FunctionExecutionResultMessage, LLMMessage, UserMessage


@dataclass(frozen=True, slots=True)
class Answered:
    """A call as the agent asked for it, and what it heard."""

    tool: str
    text: str = field(default="", repr=False)
    is_error: bool = True
    """Also when nothing was heard, for then nothing was done."""
    seen: Mapping[str, Any] | None = field(default=None, repr=False)
    """The arguments with pseudonyms; None when no agent came to see the call."""


def answers_in(messages: Sequence[LLMMessage]) -> list[Answered]:
    """The calls that were answered since the user spoke last, oldest first."""
    asked: dict[str, str] = {}
    answers: list[Answered] = []
    for message in messages:
        if isinstance(message, UserMessage) and message.source == "user":
            answers.clear()
        elif isinstance(message, AssistantMessage) and not isinstance(message.content, str):
            asked |= {call.id: call.arguments for call in message.content}
        elif isinstance(message, FunctionExecutionResultMessage):
            answers += [
                Answered(
                    tool=result.name,
                    text=result.content,
                    is_error=bool(result.is_error),
                    # The model door has made a plain JSON object of whatever the model wrote.
                    seen=json.loads(asked[result.call_id]) if result.call_id in asked else None,
                )
                for result in message.content
            ]
    return answers
