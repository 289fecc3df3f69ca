"""A JSON Schema (Draft 2020-12) that a hostile text can neither stop nor keep busy.

Faults name the place in the schema and what is asked for there, never what the text says instead.
"""

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from itertools import chain
from typing import Any

import regex
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator as SchemaValidator
from jsonschema.validators import extend
from jsonschema_specifications import REGISTRY
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from ringfence.guardrails.custom_patterns import problem_of

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_MOST_FAULTS = 5
_PATTERN_SECONDS = 0.5
_TYPES: Mapping[str, str] = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_WORDS: Mapping[str, str] = {
    "additionalProperties": "has a key that is not allowed",
    "unevaluatedProperties": "has a key that is not allowed",
    "unevaluatedItems": "has more items than are allowed",
    "propertyNames": "has a key that is not allowed",
    "enum": "must be one of the values that the schema lists",
    "const": "must be the value that the schema states",
    "pattern": "must have the form that the schema states",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "uniqueItems": "must have no item twice",
    "contains": "must have an item of the kind that the schema states",
    "minProperties": "must have at least {} keys",
    "maxProperties": "must have at most {} keys",
    "anyOf": "must fit one of the forms that the schema lists",
    "oneOf": "must fit exactly one of the forms that the schema lists",
    "not": "must not have the form that the schema rules out",
}

_steps_left: ContextVar[int] = ContextVar("steps_left")


class _TooIntricateError(Exception):
    """A schema that refers to itself in several ways can double the work with each level of a text."""


class SchemaCheck:
    """A schema that was checked itself."""

    def __init__(self, schema: Any) -> None:
        draft = schema.get("$schema", _DRAFT) if isinstance(schema, Mapping) else None
        if str(draft).rstrip("#") != _DRAFT:
            raise ValueError(f"schema must be a mapping, a JSON Schema of Draft 2020-12 ({_DRAFT})")
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise ValueError(f"schema is no JSON Schema: {error.json_path}: {error.message}") from None
        self._validator: SchemaValidator = _Checked(schema, registry=REGISTRY)
        self._names: set[str] = set()
        self._keywords: set[str] = set()
        self._walk(DRAFT202012.create_resource(schema), None)
        if {"patternProperties", "unevaluatedProperties"} <= self._keywords:
            # Where both meet, jsonschema matches keys by itself, without a time limit.
            raise ValueError("schema must not have both patternProperties and unevaluatedProperties")

    def _walk(self, resource: Any, resolver: Any) -> None:
        """Look at each schema within: whether what it refers to is there, and its patterns are quick."""
        resolver = resolver.in_subresource(resource) if resolver else REGISTRY.resolver_with_root(resource)
        schema = resource.contents
        if not isinstance(schema, Mapping):
            return
        self._names.update(schema.get("properties", ()))
        for reference in (schema.get("$ref"), schema.get("$dynamicRef")):
            _check_reference(resolver, reference)
        for pattern in chain([schema.get("pattern")], schema.get("patternProperties", ())):
            _check_pattern(pattern)
        self._keywords.update(schema)
        for inner in resource.subresources():
            self._walk(inner, resolver)

    def faults(self, value: Any, *, most_steps: int) -> list[str]:
        """What does not fit, at most five places."""
        token = _steps_left.set(most_steps)
        found: dict[str, None] = {}
        try:
            for error in self._validator.iter_errors(value):
                found[self._said(error)] = None
                if len(found) == _MOST_FAULTS:
                    break
        except Exception:  # too many steps, too deep, too slow, or a fault of jsonschema: it has not passed
            return ["it is too intricate to be checked"]
        finally:
            _steps_left.reset(token)
        return [*found]

    def _said(self, error: ValidationError) -> str:
        place = ""
        for part in error.absolute_path:
            # A key that the schema does not name is the text's own.
            name = str(part) if part in self._names else "*"
            place += f"[{part}]" if isinstance(part, int) else f".{name}" if place else name
        return f"{place or 'the whole'}: {_words(error)}"


def _words(error: ValidationError) -> str:
    keyword, asked = str(error.validator), error.validator_value
    match keyword:
        case "type":
            kinds = [asked] if isinstance(asked, str) else asked
            return f"must be {' or '.join(_TYPES[kind] for kind in kinds)}"
        case "required":
            missing = [name for name in asked if name not in error.instance]
            return f"lacks {', '.join(missing)}"
        case "dependentRequired":
            return "lacks a key that another one demands"
        case "None":
            return "must not be there"
        case _:
            return _WORDS.get(keyword, "does not fit").format(asked)


def _check_reference(resolver: Any, reference: Any) -> None:
    if isinstance(reference, str):
        try:
            resolver.lookup(reference)
        except Unresolvable:
            raise ValueError(
                f"schema refers to {reference!r}, which is not in it; nothing is fetched"
            ) from None


def _check_pattern(pattern: Any) -> None:
    if pattern is not None:
        # A pattern that the empty text fits is no problem here.
        problem = problem_of(rf"(?s:(?:{pattern})(?<=.))")
        if problem:
            raise ValueError(f"schema has a pattern ({pattern!r}) that {problem}")


# --- Keywords whose work a text could multiply ---


def _step() -> None:
    left = _steps_left.get() - 1
    _steps_left.set(left)
    if left < 0:
        raise _TooIntricateError


def _counted(keyword: str) -> Callable[..., Iterator[ValidationError]]:
    original = Draft202012Validator.VALIDATORS[keyword]

    def check(*arguments: Any) -> Iterator[ValidationError]:
        _step()
        yield from original(*arguments) or ()

    return check


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _matches(pattern, value):
        yield ValidationError("pattern")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], value: Any, _: Any
) -> Iterator[ValidationError]:
    for key, one in value.items() if isinstance(value, Mapping) else ():
        for pattern, schema in patterns.items():
            if _matches(pattern, key):
                yield from validator.descend(one, schema, path=key, schema_path=pattern)


def _additional_properties(
    validator: Any, additional: Any, value: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    named, patterns = schema.get("properties", ()), schema.get("patternProperties", ())
    for key, one in value.items() if isinstance(value, Mapping) else ():
        if key in named or any(_matches(pattern, key) for pattern in patterns):
            continue
        if additional is False:
            yield ValidationError("additionalProperties")
        else:
            yield from validator.descend(one, additional, path=key)


def _matches(pattern: str, text: str) -> bool:
    # jsonschema's own would take as long as the pattern does.
    compiled = regex.compile(pattern)  # type: ignore[no-untyped-call]  # regex has no types
    return compiled.search(text, timeout=_PATTERN_SECONDS) is not None


def _unique_items(_: Any, wanted: bool, value: Any, __: Any) -> Iterator[ValidationError]:
    # jsonschema compares each with each.
    if wanted and isinstance(value, list) and len(set(map(_comparable, value))) < len(value):
        yield ValidationError("uniqueItems")


def _comparable(value: Any) -> Any:
    """Something hashable that is equal where the values are equal in JSON: 1 and 1.0, but not 1 and true."""
    match value:
        case bool():
            return bool, value
        case dict():
            return dict, frozenset((key, _comparable(one)) for key, one in value.items())
        case list():
            return list, tuple(map(_comparable, value))
        case _:
            return value


_Checked: Any = extend(  # type: ignore[no-untyped-call]  # jsonschema has no types
    Draft202012Validator,
    {
        "$ref": _counted("$ref"),
        "$dynamicRef": _counted("$dynamicRef"),
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    },
)
