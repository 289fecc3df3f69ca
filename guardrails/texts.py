"""Where text hides in AutoGen's messages. The only module of the lower rooms that knows their types."""

import copy
import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from typing import Any, TypeVar
from uuid import UUID

from autogen_core import FunctionCall, Image
from autogen_core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import TextResultContent, ToolResult
from pydantic import AnyUrl, BaseModel

from ringfence.guardrails.passages import ARGUMENT, CONTENT, FIELD, LABEL, THOUGHT, Part, PartKind

__all__ = [
    "AssistantMessage",
    "CreateResult",
    "FunctionCall",
    "FunctionExecutionResult",
    "FunctionExecutionResultMessage",
    "LLMMessage",
    "RequestUsage",
    "SystemMessage",
    "TextResultContent",
    "ToolResult",
    "UncheckableContentError",
    "UserMessage",
    "map_parts",
    "map_text",
    "parse_arguments",
    "parts_of",
    "texts_of",
]

T = TypeVar("T")

_STRUCTURAL = frozenset({"id", "call_id", "type", "request_id", "full_message_id", "finish_reason"})
"""Field names of AutoGen's and our own types that hold identifiers and tags, never somebody's text."""
_PROTOCOL = ("autogen_agentchat.", "autogen_core.models", "autogen_core.tools", "ringfence.")
"""Where those types stand. Not in `autogen_core.utils`, which makes models of other people's schemas."""
_PARTS: Mapping[str, Part] = {
    "thought": THOUGHT,
    "arguments": ARGUMENT,
    **dict.fromkeys(("source", "name", "target", "metadata", "stop_reason", "description"), LABEL),
}
"""What stands in these fields of those types; the others hold what the message holds."""
_PLAIN = {type(None), bool, int, float, datetime}
_NO_TEXT = (type(None), bool, int, float, Decimal, date, time, timedelta, UUID, Enum, type)

_DEEPEST = 64
_MOST_PARTS = 250_000
"""More than any context window holds; a structure that holds itself twice would never end."""
_SHORTEST_NUMBER = 1_000_000
"""Numbers from here on are long enough to be personal."""


class UncheckableContentError(ValueError):
    """A message carries something that no text guardrail can read, such as an image."""


def map_text(value: T, change: Callable[[str], str]) -> T:
    """A copy of a message, call or reply in which every text went through `change`.

    Every string counts as text unless its field is structural, so that a field which a later AutoGen adds
    is checked from its first day.

    Raises:
        UncheckableContentError: There is an image, bytes or an unknown object, or the value is nested too
            deeply or has too many parts to be read.
    """
    return map_parts(value, lambda text, _: change(text))


def map_parts(value: T, change: Callable[[str, Part], str]) -> T:
    """As `map_text`; `change` is also told where in the message the text stands."""
    mapped: T = _Walk(change).map(value, CONTENT, 0)
    return mapped


def texts_of(value: object) -> list[str]:
    """Every text that `map_text` would change, in order.

    Raises:
        UncheckableContentError: As `map_text`.
    """
    return [text for text, _ in parts_of(value)]


def parts_of(value: object) -> list[tuple[str, Part]]:
    """Every text that `map_parts` would change, with its place, in order.

    Raises:
        UncheckableContentError: As `map_text`.
    """
    found: list[tuple[str, Part]] = []

    def note(text: str, part: Part) -> str:
        found.append((text, part))
        return text

    _Walk(note, only_reads=True).map(value, CONTENT, 0)
    return found


def parse_arguments(text: str) -> dict[str, Any] | None:
    """The arguments of a function call, or None when they are not one plain JSON object.

    Duplicate keys, NaN, and numbers that Python refuses or takes for infinite are not plain: two readers
    could read them apart.
    """
    try:
        parsed = json.loads(text, object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


class _Walk:
    """One way through a value, which ends however the value is made."""

    def __init__(self, change: Callable[[str, Part], str], *, only_reads: bool = False) -> None:
        self._change = change
        self._only_reads = only_reads
        self._left = _MOST_PARTS

    def map(self, value: Any, part: Part, depth: int) -> Any:
        if type(value) in _PLAIN:
            return value
        self._count(depth)
        return self._change(value, part) if type(value) is str else self._map_other(value, part, depth + 1)

    def _map_other(self, value: Any, part: Part, deeper: int) -> Any:
        if isinstance(value, BaseModel):  # first, because most of what comes is one
            fields = self._map_fields(value, _fields_of(value), part, deeper)
            return value if self._only_reads else value.model_copy(update=fields)
        match value:
            case _ if isinstance(value, _NO_TEXT):
                return value
            case str():
                return self._change(str.__str__(value), part)
            case Image() | bytes() | bytearray() | memoryview():
                raise UncheckableContentError("an image or bytes, which no text guardrail can read")
            case FunctionCall():
                name = self._change(value.name, LABEL)
                arguments = self._map_json(value.arguments, value.name, deeper)
                return FunctionCall(id=value.id, name=name, arguments=arguments)
            case AnyUrl() | PurePath() | IPv4Address() | IPv6Address():
                return self._map_spelled(value, part)
            case Mapping():
                self._left -= len(value)
                # Keys inside an argument are as free as its texts.
                keys = part if part.argument else LABEL
                return {
                    self.map(key, keys, deeper): self.map(item, _within(part, key), deeper)
                    for key, item in value.items()
                }
            case list() | tuple() | Sequence() | AbstractSet():
                plain = next((kind for kind in (list, set, frozenset) if isinstance(value, kind)), tuple)
                make = getattr(value, "_make", plain)  # as a named tuple has it
                self._left -= len(value)
                self._count(deeper)
                return make(self.map(item, part, deeper) for item in value)
        return self._map_object(value, part, deeper)

    def _count(self, depth: int) -> None:
        self._left -= 1
        if depth > _DEEPEST:
            raise UncheckableContentError("something nested too deeply to be read")
        if self._left < 0:
            raise UncheckableContentError("something with too many parts to be read")

    def _map_object(self, value: Any, part: Part, depth: int) -> Any:
        if dataclasses.is_dataclass(value):
            kind: Any = type(value)
            fields = {name: getattr(value, name) for name in _readable_fields(kind)}
            changed = self._map_fields(value, fields, part, depth)
            if self._only_reads:
                return value
            mapped = copy.copy(value)
            for name, item in changed.items():
                object.__setattr__(mapped, name, item)
            return mapped
        if any(base.__module__.startswith("autogen_") for base in type(value).__mro__):
            return value  # a tool or a token of AutoGen's, which holds nobody's text
        raise UncheckableContentError(f"an object ({type(value).__name__}), which no text guardrail can read")

    def _map_fields(self, value: object, fields: Mapping[str, Any], part: Part, depth: int) -> dict[str, Any]:
        kind: Any = type(value)
        if not _is_protocol(kind):
            within = FIELD if part == CONTENT else part
            return {name: self.map(item, within, depth) for name, item in fields.items()}
        return {
            name: self.map(item, _PARTS.get(name, part), depth)
            for name, item in fields.items()
            if name not in _STRUCTURAL
        }

    def _map_json(self, text: str, tool: str, depth: int) -> str:
        part = Part(PartKind.ARGUMENT, tool=tool)
        parsed = parse_arguments(text)
        if parsed is None:
            return self._change(text, part)
        mapped = self._without_numbers(self.map(parsed, part, depth), part)
        return json.dumps(mapped, ensure_ascii=False)

    def _without_numbers(self, value: Any, part: Part) -> Any:
        """JSON in which a number that is somebody's card or phone number became the text in its place."""
        if isinstance(value, dict):
            return {key: self._without_numbers(item, _within(part, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._without_numbers(item, part) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _SHORTEST_NUMBER:
            return self._map_spelled(value, part)
        return value

    def _map_spelled(self, value: Any, part: Part) -> Any:
        text = str(value)
        changed = self._change(text, part)
        return value if changed == text else changed


@lru_cache(maxsize=1_000)
def _readable_fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind) if not field.metadata.get("structural"))


@lru_cache(maxsize=1_000)
def _is_protocol(kind: Any) -> bool:
    return any(base.__module__.startswith(_PROTOCOL) for base in kind.__mro__)


def _within(part: Part, key: object) -> Part:
    """The part under one key of a mapping: of arguments, the argument of that name."""
    if part.kind is PartKind.ARGUMENT:
        return part if part.argument else Part(PartKind.ARGUMENT, argument=str(key), tool=part.tool)
    return FIELD if part == CONTENT else part


def _fields_of(model: BaseModel) -> dict[str, Any]:
    fields = {name: getattr(model, name) for name in type(model).model_fields}
    if model.model_extra:
        fields |= model.model_extra
    if isinstance(model, CreateResult):
        # They spell the reply out once more, in pieces in which no guardrail finds anything.
        fields["logprobs"] = None
    return fields


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) != len(pairs):
        raise ValueError("duplicate keys")
    return parsed


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is not JSON")
    return number


def offered_parameters(tool: object) -> Mapping[str, Any]:
    """The JSON schema of the arguments of a tool, or of the schema of one, as it is offered to a model."""
    schema = tool if isinstance(tool, Mapping) else getattr(tool, "schema", {})
    parameters = schema.get("parameters", {})
    return parameters if isinstance(parameters, Mapping) else {}


def offered_name(tool: object) -> str:
    """The name under which a tool, or the schema of one, is offered to a model."""
    return str(tool["name"]) if isinstance(tool, Mapping) else str(getattr(tool, "name", ""))
