"""Arguments as an obedient model makes them up, from a few words to what a tool's schema asks for."""

import json
import re
from collections.abc import Mapping
from typing import Any

from autogen_core.tools import ToolSchema

__all__ = ["QUOTED", "completed", "parsed_call", "parsed_words", "recipient_of", "typed"]

QUOTED = r"""\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"""

_RECIPIENTS = ("to", "recipient", "recipients", "to_address")
_BODIES = ("body", "text", "message", "content", "data")
_PARENTHESES = re.compile(rf"\(((?:{QUOTED}|[^\"'()])*)\)|\(([^)]*)\)")
_ARGUMENT = re.compile(
    rf"(?:(?P<key>\w+)\s*(?:=|:(?!//))\s*)?(?P<value>{QUOTED}|[^\s,;].*?)"
    r"\s*(?:(?:[,;]|\band\b)\s*(?:and\s+)?(?=\w+\s*[=:])|[,;]|\Z)\s*",
    re.DOTALL,
)


def parsed_call(text: str, schema: ToolSchema) -> dict[str, Any] | None:
    """The arguments in `(to="x")` or ` {"to": "x"}`, right after a tool's name; None when there are none."""
    if hit := _PARENTHESES.match(text):
        return parsed_words(hit[1] if hit[1] is not None else hit[2], schema, positional=True)
    brace = re.match(r"[`\"']?\s*:?\s*(?=\{)", text)
    if brace is None:
        return None
    try:
        arguments, _ = json.JSONDecoder().raw_decode(text, brace.end())
    except (ValueError, RecursionError):
        return None
    return typed(arguments, schema)


def parsed_words(text: str, schema: ToolSchema, *, positional: bool = False) -> dict[str, Any]:
    """The arguments in `to=x, body="y"`; where `positional`, `x, "y"` are in the tool's own order."""
    names = list(_properties(schema)) if positional else []
    arguments: dict[str, Any] = {}
    for number, hit in enumerate(_ARGUMENT.finditer(text.strip())):
        value = hit["value"]
        if re.fullmatch(QUOTED, value, re.DOTALL):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        arguments[hit["key"] or (names[number] if number < len(names) else "")] = value
    return typed(arguments, schema)


def recipient_of(schema: ToolSchema) -> str | None:
    """The argument that says to whom the tool sends something, if it has one."""
    return next((name for name in _RECIPIENTS if name in _properties(schema)), None)


def typed(arguments: Mapping[str, Any], schema: ToolSchema) -> dict[str, Any]:
    """Those of the arguments that the tool has, as the types that it has them in."""
    known = _properties(schema)
    return {name: _as_type(value, known[name]) for name, value in arguments.items() if name in known}


def completed(arguments: Mapping[str, Any], schema: ToolSchema, *, enclosed: str) -> dict[str, Any]:
    """The arguments, and something sensible for each one that is required; a message gets `enclosed`."""
    known = _properties(schema)
    made_up = {name: _sensible(known.get(name, {})) for name in required_of(schema)}
    body = next((name for name in _BODIES if name in known), None) if recipient_of(schema) else None
    return {**made_up, **({body: enclosed or "Nothing yet."} if body else {}), **arguments}


def required_of(schema: ToolSchema) -> list[str]:
    """The arguments that the tool does not work without."""
    parameters = schema.get("parameters")
    return list(parameters.get("required", [])) if parameters else []


def _properties(schema: ToolSchema) -> dict[str, Any]:
    parameters = schema.get("parameters")
    return parameters["properties"] if parameters else {}


def _as_type(value: Any, wanted: Mapping[str, Any]) -> Any:
    kind = wanted.get("type")
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if kind == "string" else value
    if kind == "array":
        return [value]
    if kind in {"integer", "number", "boolean"}:
        try:
            return json.loads(value.lower())
        except ValueError:
            # The tool will say what is wrong with it, as it would to any model.
            return value
    return value


def _sensible(wanted: Mapping[str, Any]) -> Any:
    if wanted.get("enum"):
        return wanted["enum"][0]
    made_up: dict[str, Any] = {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    return made_up.get(str(wanted.get("type")), "As you asked.")
