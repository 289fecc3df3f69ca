"""Where text hides in AutoGen's messages. The only module of the lower rooms that knows their types."""

import copy
import dataclasses
import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from typing import Any, TypeVar
from uuid import UUID

from autogen_core import FunctionCall, Image
from autogen_core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import TextResultContent, ToolResult
from pydantic import AnyUrl, BaseModel

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
"""Field names of AutoGen's and our own types that hold identifiers and tags, never somebody's text."""
_PROTOCOL = ("autogen_agentchat.", "autogen_core.models", "autogen_core.tools", "ringfence.")
"""Where those types stand. Not in `autogen_core.utils`, which makes models of other people's schemas."""
_NO_TEXT = (type(None), bool, int, float, Decimal, date, time, timedelta, UUID, Enum, type)

_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # control characters but tab, newline, return, NEL
    r"\u00ad\u034f\u115f\u1160\u17b4\u17b5\u200b\u2060-\u206f\u3164\ufeff\uffa0"  # invisible
    r"\u061c\u200e\u200f\u202a-\u202e\ufff0-\ufffb"  # marks of direction and annotation
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # of shorthand and music
    r"\U000e0000-\U000e0fff]"  # tags: invisible letters, which models read all the same
)
# Joiners and variation selectors belong to some scripts and to emoji, never to a plain letter or digit.
_STRAY_JOINER = re.compile(
    r"(?<=[\x00-\x7f])[\u180b-\u180f\u200c\u200d\ufe00-\ufe0f]++"
    r"|(?<![\u200c\u200d])[\u200c\u200d]++(?=[\x00-\x7f])"  # a run is looked at once, from where it begins
)
# An escaped character, however often the backslash in front was escaped in turn.
_ESCAPED = re.compile(r"(?<!\\)(?<!\\u005[cC])(?:\\(?:u005[cC])?)++u([0-9a-fA-F]{4})")
_MOST_ROUNDS = 8
_DEEPEST = 64
_SHORTEST_NUMBER = 1_000_000
"""Numbers from here on are long enough to be personal."""


class UncheckableContentError(ValueError):
    """A message carries something that no text guardrail can read, such as an image."""


def clean_text(text: str) -> str:
    r"""The text as every door takes it in: no control or invisible characters, no lone surrogates.

    JSON escapes are spelled out (`\u0040` becomes `@`), because a value that is escaped is found by nobody
    and read by every model.
    """
    for _ in range(_MOST_ROUNDS):
        # What was spelled out or taken out may have stood in the middle of another escape.
        if (cleaned := _cleaned(text)) == text:
            return text
        text = cleaned
    # Nobody but an attacker nests escapes this deeply; without backslashes there are none.
    return _cleaned(text.replace("\\", ""))


def _cleaned(text: str) -> str:
    text = _ESCAPED.sub(_spell_out, text)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    # One sign for what may be written as a letter and its accent.
    text = text if text.isascii() else unicodedata.normalize("NFC", text)
    return _STRAY_JOINER.sub("", _UNPRINTABLE.sub("", text))


def _spell_out(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    # A quote, a backslash or a control character would change what the JSON around it means.
    return escape[0] if character in '"\\' or character < " " else character


def map_text(value: T, change: Callable[[str], str]) -> T:
    """A copy of a message, call or reply in which every text went through `change`.

    Every string counts as text unless its field is structural, so that a field which a later AutoGen adds
    is checked from its first day.

    Raises:
        UncheckableContentError: There is an image, bytes or an unknown object, or the value is nested too
            deeply to be read.
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

    Duplicate keys, NaN, and numbers that Python refuses or takes for infinite are not plain: two readers
    could read them apart.
    """
    try:
        parsed = json.loads(text, object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _map(value: Any, change: Callable[[str], str], depth: int) -> Any:
    if depth > _DEEPEST:
        raise UncheckableContentError("something nested too deeply to be read")
    deeper = depth + 1
    match value:
        case _ if isinstance(value, _NO_TEXT):
            return value
        case str():
            return change(str.__str__(value))
        case Image() | bytes() | bytearray() | memoryview():
            raise UncheckableContentError("an image or bytes, which no text guardrail can read")
        case FunctionCall():
            name, arguments = change(value.name), _map_json(value.arguments, change, deeper)
            return FunctionCall(id=value.id, name=name, arguments=arguments)
        case AnyUrl() | PurePath() | IPv4Address() | IPv6Address():
            text = str(value)
            changed = change(text)
            return value if changed == text else changed
        case BaseModel():
            return value.model_copy(update=_map_fields(value, _fields_of(value), change, deeper))
        case Mapping():
            return {_map(key, change, deeper): _map(item, change, deeper) for key, item in value.items()}
        case Sequence() | AbstractSet():
            plain = next((kind for kind in (list, set, frozenset) if isinstance(value, kind)), tuple)
            make = getattr(value, "_make", plain)  # as a named tuple has it
            return make(_map(item, change, deeper) for item in value)
    return _map_object(value, change, deeper)


def _map_object(value: Any, change: Callable[[str], str], depth: int) -> Any:
    if dataclasses.is_dataclass(value):
        known = [field for field in dataclasses.fields(value) if not field.metadata.get("structural")]
        fields = {field.name: getattr(value, field.name) for field in known}
        mapped = copy.copy(value)
        for name, item in _map_fields(value, fields, change, depth).items():
            object.__setattr__(mapped, name, item)
        return mapped
    if any(base.__module__.startswith("autogen_") for base in type(value).__mro__):
        return value  # a tool or a token of AutoGen's, which holds nobody's text
    raise UncheckableContentError(f"an object ({type(value).__name__}), which no text guardrail can read")


def _fields_of(model: BaseModel) -> dict[str, Any]:
    fields = {name: getattr(model, name) for name in type(model).model_fields} | (model.model_extra or {})
    if isinstance(model, CreateResult):
        # They spell the reply out once more, in pieces in which no guardrail finds anything.
        fields["logprobs"] = None
    return fields


def _map_fields(
    value: object, fields: Mapping[str, Any], change: Callable[[str], str], depth: int
) -> dict[str, Any]:
    kept = _STRUCTURAL if any(base.__module__.startswith(_PROTOCOL) for base in type(value).__mro__) else ()
    return {name: _map(item, change, depth) for name, item in fields.items() if name not in kept}


def _map_json(text: str, change: Callable[[str], str], depth: int) -> str:
    parsed = parse_arguments(text)
    if parsed is None:
        return change(text)
    return json.dumps(_without_numbers(_map(parsed, change, depth), change), ensure_ascii=False)


def _without_numbers(value: Any, change: Callable[[str], str]) -> Any:
    """JSON in which a number that is somebody's card or phone number became the text that stands for it."""
    if isinstance(value, dict):
        return {key: _without_numbers(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_numbers(item, change) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _SHORTEST_NUMBER:
        text = str(value)
        changed = change(text)
        return value if changed == text else changed
    return value


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
