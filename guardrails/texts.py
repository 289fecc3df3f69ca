"""Where text hides in AutoGen's messages. The only module of the lower rooms that knows their types."""

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

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
from pydantic import BaseModel

__all__ = [
    "AssistantMessage",
    "CreateResult",
    "FunctionCall",
    "FunctionExecutionResult",
    "LLMMessage",
    "RequestUsage",
    "SystemMessage",
    "TextResultContent",
    "ToolResult",
    "UncheckableContentError",
    "UserMessage",
    "clean_text",
    "map_text",
    "parse_arguments",
    "texts_of",
]

T = TypeVar("T")

_STRUCTURAL = frozenset({"id", "call_id", "type", "request_id", "full_message_id", "finish_reason"})
"""Field names that hold identifiers and tags of the protocol, never somebody's text."""

_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # control characters but tab, newline, return, NEL
    r"\u00ad\u200b\u2060\ufeff"  # invisible separators, with which a value can be split out of sight
    r"\u202a-\u202e\u2066-\u2069]"  # bidirectional controls
)
_ESCAPED = re.compile(r"(\\\\)|\\u([0-9a-fA-F]{4})")
_DEEPEST = 64


class UncheckableContentError(ValueError):
    """A message carries something that no text guardrail can read, such as an image."""


def clean_text(text: str) -> str:
    r"""The text as every door takes it in: no control or invisible characters, no lone surrogates.

    JSON escapes are spelled out (`\u0040` becomes `@`), because a value that is escaped is found by nobody
    and read by every model.
    """
    text = _ESCAPED.sub(_spell_out, text)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _UNPRINTABLE.sub("", text)


def _spell_out(escape: re.Match[str]) -> str:
    if escape[1]:
        return escape[1]
    character = chr(int(escape[2], 16))
    # A quote, a backslash or a control character would change what the JSON around it means.
    return escape[0] if character in '"\\' or character < " " else character


def map_text(value: T, change: Callable[[str], str]) -> T:
    """A copy of a message, call or reply in which every text went through `change`.

    Every string counts as text unless its field is structural, so that a field which a later AutoGen adds
    is checked from its first day.

    Raises:
        UncheckableContentError: There is an image, or the value is nested too deeply to be read.
    """
    mapped: T = _map(value, change, 0)
    return mapped


def texts_of(value: object) -> list[str]:
    """Every text that `map_text` would change, in order.

    Raises:
        UncheckableContentError: As `map_text`.
    """
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    map_text(value, note)
    return found


def parse_arguments(text: str) -> dict[str, Any] | None:
    """The arguments of a function call, or None when they are not one plain JSON object.

    Duplicate keys, NaN and numbers that Python refuses are not plain: two readers could read them apart.
    """
    try:
        parsed = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _map(value: Any, change: Callable[[str], str], depth: int) -> Any:
    if depth > _DEEPEST:
        raise UncheckableContentError("something nested too deeply to be read")
    deeper = depth + 1
    match value:
        case str():
            # A subclass of str, such as an enum member, is the protocol's own.
            return change(value) if type(value) is str else value
        case Image():
            raise UncheckableContentError("an image, which no text guardrail can read")
        case FunctionCall():
            return FunctionCall(
                id=value.id,
                name=change(value.name),
                arguments=_map_json(value.arguments, change, deeper),
            )
        case BaseModel():
            return _map_model(value, change, deeper)
        case Mapping():
            return {_map(key, change, deeper): _map(item, change, deeper) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            items = [_map(item, change, deeper) for item in value]
            return items if isinstance(value, list) else tuple(items)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {
            field.name: _map(getattr(value, field.name), change, deeper)
            for field in dataclasses.fields(value)
            if field.init and field.name not in _STRUCTURAL
        }
        return dataclasses.replace(value, **changes)
    return value


def _map_model(model: BaseModel, change: Callable[[str], str], depth: int) -> BaseModel:
    fields = {name: getattr(model, name) for name in type(model).model_fields} | (model.model_extra or {})
    changes = {name: _map(item, change, depth) for name, item in fields.items() if name not in _STRUCTURAL}
    return model.model_copy(update=changes)


def _map_json(text: str, change: Callable[[str], str], depth: int) -> str:
    parsed = parse_arguments(text)
    if parsed is None:
        return change(text)
    return json.dumps(_map(parsed, change, depth), ensure_ascii=False)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) != len(pairs):
        raise ValueError("duplicate keys")
    return parsed


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def offered_name(tool: object) -> str:
    """The name under which a tool, or the schema of one, is offered to a model."""
    return str(tool["name"]) if isinstance(tool, Mapping) else str(getattr(tool, "name", ""))


def is_result_message(message: object) -> bool:
    """Whether a model message carries results of tools."""
    return isinstance(message, FunctionExecutionResultMessage)
