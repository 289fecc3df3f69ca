"""The JSON Schema of the policy file, in the form that editors show while one writes."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from typing import Any

from ringfence.fault_words import field_types, is_section, members
from ringfence.guardrails.shipped_validators import MODULES
from ringfence.policy import Policy, json_schema

_NONE = re.compile(r"\bNone\b")


def policy_schema() -> dict[str, Any]:
    """The schema, with what the docstrings say of each key and of each word that may stand there."""
    schema = json_schema()
    definitions: dict[str, dict[str, Any]] = schema["$defs"]
    for kind in _enums(Policy, set()):
        definition = definitions[kind.__name__]
        said = [f"- `{word}`: {text}" for word, text in _member_docs(kind)]
        definition["description"] = "\n".join([definition["description"], *said])
    for part in (schema, *definitions.values()):
        for key in part.get("properties", {}).values():
            # Made from the key's own name, so that an editor would say the same thing twice.
            key.pop("title", None)
            # A schema is read beside YAML, where nothing is called None.
            if "description" in key:
                key["description"] = _NONE.sub("null", key["description"])
    use = definitions["GuardrailUse"]["properties"]
    use["use"]["examples"] = sorted(MODULES)
    use["at"]["minItems"] = 1
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Ringfence policy",
        "description": "What a fenced AutoGen team may do.",
    }


def _enums(model: Any, seen: set[type]) -> Iterator[type[Enum]]:
    """Every enum that a key of the section, or of the sections in it, takes."""
    for annotation in field_types(model).values():
        yield from _enums_in(annotation, seen)


def _enums_in(annotation: Any, seen: set[type]) -> Iterator[type[Enum]]:
    for kind in members(annotation):
        inner = getattr(kind, "__args__", ())
        if isinstance(kind, type) and not inner:
            if kind in seen:
                continue
            seen.add(kind)
            if issubclass(kind, Enum):
                yield kind
            elif is_section(kind):
                yield from _enums(kind, seen)
        for one in inner:
            yield from _enums_in(one, seen)


def _member_docs(kind: type[Enum]) -> Iterator[tuple[str, str]]:
    """The words of an enum with their docstrings, which Python does not keep: they stand in the source."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for statement, after in pairwise(body):
        match statement, after:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield str(kind[name].value), inspect.cleandoc(text)
