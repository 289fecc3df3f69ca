"""What the policy and a tool's own schema say beforehand of where the values of its arguments may come from."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from ringfence.guardrails.argument_rules import ArgumentRule
from ringfence.guardrails.provenance import ArgumentTerms, SourceKind
from ringfence.guardrails.value_kinds import kind_of, number_key

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
    return ArgumentTerms(suppliers, listed)


def _stated(schema: Any, depth: int) -> Iterator[str]:
    """The values that a schema lists, its defaults, and the names of its fields."""
    if depth > _DEEPEST:
        return
    if isinstance(schema, list):
        for one in schema:
            yield from _stated(one, depth + 1)
    if not isinstance(schema, Mapping):
        return
    for word, said in schema.items():
        if word in {"enum", "const", "default"}:
            for one in said if isinstance(said, list) else [said]:
                if isinstance(one, str | int | float) and not isinstance(one, bool):
                    yield _key(one)
        elif word == "properties" and isinstance(said, Mapping):
            yield from map(_key, said)
            yield from _stated([*said.values()], depth + 1)
        elif isinstance(said, Mapping | list):
            yield from _stated(said, depth + 1)


def _key(value: object) -> str:
    if isinstance(value, str):
        return kind_of(value)[1]
    try:
        return number_key(Decimal(str(value)))
    except ArithmeticError:
        return ""
