"""Whether a policy fits a team: what it names that the team does not have would silently do nothing."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from autogen_core.tools import ToolSchema

from ringfence.errors import Fault
from ringfence.guardrails.presidio import unknown_type
from ringfence.guardrails.tool_policy import ToolSpec
from ringfence.policy import Policy


def misplaced_names(policy: Policy, *, tools: Collection[str], agents: Collection[str]) -> Iterator[Fault]:
    """Tools and agents that the team does not have; a glob may be there for what comes later."""
    yield from _nowhere(policy.tools, tools, what="tool", where="tools.{}")
    for index, use in enumerate(policy.guardrails):
        place = f"guardrails[{index}]"
        yield from _nowhere(use.tools or (), tools, what="tool", where=f"{place}.tools")
        yield from _nowhere(use.agents or (), agents, what="agent", where=f"{place}.agents")


def misplaced_arguments(
    policy: Policy, schema: ToolSchema, spec: ToolSpec, *, types: Collection[str]
) -> Iterator[Fault]:
    """Rules of one tool that would never fit, or always refuse, because it has no such argument.

    Args:
        policy: What is looked at.
        schema: The tool as it is offered to a model.
        spec: What the tool says of itself.
        types: The entity types that something could find.
    """
    name = schema["name"]
    parameters: Mapping[str, Any] = schema.get("parameters") or {}
    known = parameters.get("properties")
    if known is None or parameters.get("additionalProperties"):
        return
    rule = policy.tools.get(name)
    said = {
        f"tools.{name}.arguments": rule.arguments if rule else {},
        f"tools.{name}.reveals": spec.reveals,
    }
    for argument, entities in spec.reveals.items():
        for entity in sorted({*entities} - {*types}):
            place = f"tools.{name}.reveals.{argument}"
            yield Fault(f"{entity}: {unknown_type(entity, types)}", where=place)
    for where, arguments in said.items():
        for argument in arguments.keys() - known.keys():
            there = ", ".join(sorted(known)) or "none"
            yield Fault(f"{name} has no argument {argument}; it has: {there}", where=f"{where}.{argument}")


def _nowhere(names: Iterable[str], known: Collection[str], *, what: str, where: str) -> Iterator[Fault]:
    for name in names:
        if name not in known and not any(character in name for character in "*?["):
            there = ", ".join(sorted(known)) or "none"
            yield Fault(f"the team has no such {what}; it has: {there}", where=where.format(name))
