"""What the policy and a tool's own schema say beforehand of the values of its arguments."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from ringfence.guardrails.argument_rules import ArgumentRule
from ringfence.guardrails.call_values import kind_of, kind_of_number
from ringfence.guardrails.fetch_targets import says_target
from ringfence.guardrails.provenance import ArgumentTerms, SourceKind

_DEEPEST = 16


def terms_of(
    rule_of: Callable[[str], ArgumentRule | None], schema: Mapping[str, Any], arguments: Mapping[str, Any]
) -> ArgumentTerms:
    """The terms of the arguments that a call gives."""
    properties = schema.get("properties")
    own = properties if isinstance(properties, Mapping) else {}
    definitions = schema.get("$defs")
    shared = definitions if isinstance(definitions, Mapping) else {}
    suppliers: dict[str, tuple[SourceKind, ...]] = {}
    listed: dict[str, set[str]] = {}
    for name in arguments:
        rule = rule_of(name)
        if rule is not None and rule.from_ is not None:
            suppliers[name] = rule.from_
        stated = {*_stated(own.get(name), 0), *(_stated(shared, 0) if shared else ())}
        stated |= {_key(one) for one in (rule.one_of or () if rule else ())}
        if stated:
            listed[name] = stated
    targets = {name for name in arguments if says_target(own.get(name), shared)}
    return ArgumentTerms(suppliers, listed, targets)


def _stated(schema: Any, depth: int) -> Iterator[str]:
    """The values that a schema lists, its defaults, and the names of its fields."""
    if depth > _DEEPEST:
        return
    if isinstance(schema, Mapping):
        for word in ("enum", "const", "default"):
            yield from _listed(schema.get(word))
        fields = schema.get("properties")
        yield from map(_key, fields if isinstance(fields, Mapping) else ())
    inner = schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ()
    for one in inner:
        yield from _stated(one, depth + 1)


def _listed(said: Any) -> Iterator[str]:
    for one in said if isinstance(said, list) else [said]:
        if isinstance(one, str | int | float) and not isinstance(one, bool):
            yield _key(one)


def _key(value: object) -> str:
    if isinstance(value, str):
        return kind_of(value)[1]
    try:
        return kind_of_number(Decimal(str(value)))[1]
    except ArithmeticError:
        return ""
