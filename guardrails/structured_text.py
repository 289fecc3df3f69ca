"""The fields of a text that really is structured: JSON, or what Python shows of a list or dictionary."""

import ast
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ringfence.guardrails.number_keys import number_key

_LONGEST_LITERAL = 50_000
_DEEPEST = 64
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_ESCAPED = re.compile(r"\\+(?:[nrt]|([\"']))")


def structure_of(text: str) -> Any:
    """What a text holds when it is the JSON of an object or list, or Python's; None otherwise."""
    text = text.strip()
    if not text.startswith(("[", "{", "(")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if len(text) > _LONGEST_LITERAL:
        return None
    try:
        # So AutoGen shows its agents what a function of Python gave.
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def leaves(value: Any, place: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """The fields' texts, numbers and names, each with its place, such as `notes[1].body`."""
    if depth > _DEEPEST:
        return
    match value:
        case dict():
            for key, item in value.items():
                name = str(key)
                yield name, place
                # A stranger may have chosen it, and people and models read where a value stands.
                inner = name if _NAME.fullmatch(name) else "…"
                yield from leaves(item, f"{place}.{inner}" if place else inner, depth + 1)
        case list() | tuple() | set():
            for index, item in enumerate(value):
                yield from leaves(item, f"{place}[{index}]", depth + 1)
        case bool() | None:
            return
        case int() | float():
            try:
                yield number_key(Decimal(str(value))), place
            except (ArithmeticError, ValueError):
                return
        case str() if value.strip():
            yield value, place


def unescaped(text: str) -> str:
    """A text that looks like a structure and is none, without the escapes that would stick to its values."""
    if "\\" not in text or not text.lstrip().startswith(("[", "{", "(")):
        return text
    return _ESCAPED.sub(lambda match: match[1] or " ", text)
