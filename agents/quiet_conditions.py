"""Termination conditions that may be shown again what was said, without asking a model about it."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

from autogen_agentchat.base import (
    AndTerminationCondition,
    ChatAgent,
    OrTerminationCondition,
    Team,
    TerminationCondition,
)
from autogen_agentchat.messages import StopMessage
from autogen_core.models import ChatCompletionClient

_DEEPEST = 3


def without_models(condition: TerminationCondition) -> TerminationCondition:
    """The same condition, in which those that hold a model say nothing."""
    if isinstance(condition, AndTerminationCondition | OrTerminationCondition):
        own = copy(condition)  # it remembers in the list of the first one what it has heard
        inner = tuple(without_models(one) for one in condition._conditions)  # noqa: SLF001 - AutoGen tells it no other way
        own._conditions = inner  # noqa: SLF001 - likewise
        return own
    return _Silent() if any(_models(condition)) else condition


def _models(owner: object, depth: int = 0) -> Iterator[object]:
    for value in getattr(owner, "__dict__", {}).values():
        if isinstance(value, ChatCompletionClient | ChatAgent | Team):
            yield value
        elif depth < _DEEPEST and not isinstance(value, type):
            yield from _models(value, depth + 1)


class _Silent(TerminationCondition):
    @property
    def terminated(self) -> bool:
        return False

    async def __call__(self, messages: Sequence[Any]) -> StopMessage | None:  # noqa: ARG002 - as AutoGen calls it
        return None

    async def reset(self) -> None:
        return None
