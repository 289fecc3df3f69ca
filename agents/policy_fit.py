"""Whether a policy fits a team: what it names that the team does not have would silently do nothing."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from autogen_core.tools import ToolSchema

from ringfence.errors import Fault
from ringfence.guardrails.presidio import unknown_type
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.policy import Policy

_NO_TEXT = {"integer", "number", "boolean", "null"}


def misplaced_names(policy: Policy, *, tools: Collection[str], agents: Collection[str]) -> Iterator[Fault]:
    """Tools and agents that the team does not have; a glob may be there for what comes later."""
    yield from _nowhere(policy.tools, tools, what="tool", where="tools.{}")
    for index, use in enumerate(policy.guardrails):
        place = f"guardrails[{index}]"
        yield from _nowhere(use.tools or (), tools, what="tool", where=f"{place}.tools")
        yield from _nowhere(use.agents or (), agents, what="agent", where=f"{place}.agents")


def undescribed_tools(specs: Mapping[str, ToolSpec], names: Iterable[str]) -> Iterator[Fault]:
    """Tools of which nobody said what they do; none of their calls would run."""
    for name in sorted(names):
        if not specs[name].described and not specs[name].composite:
            code = "@tool(consequential=False) on the function if it only reads, else @tool()"
            rule = f"`tools: {{{name}: {{read_only: true}}}}`, or `{{{name}: {{}}}}`"
            said = f"nobody said what it does: put {code} (from ringfence import tool)"
            yield Fault(
                f"{said}; or in the policy {rule}, under which a person is asked each time",
                where=f"tools.{name}",
            )


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
    rule = policy.tools.get(name)
    said = {
        f"tools.{name}.arguments": {*rule.arguments} if rule else set(),
        f"tools.{name}.reveals": {*spec.reveals},
    }
    for where, arguments in said.items():
        for argument in sorted(arguments.intersection(spec.supplied)):
            yield Fault("no model writes there, because the fence fills it in", where=f"{where}.{argument}")
    if known is None or parameters.get("additionalProperties"):
        return
    for argument, entities in spec.reveals.items():
        for entity in sorted({*entities} - {*types}):
            place = f"tools.{name}.reveals.{argument}"
            yield Fault(f"{entity}: {unknown_type(entity, types)}", where=place)
    for where, arguments in said.items():
        for argument in sorted(arguments.difference(known, spec.supplied)):
            there = ", ".join(sorted(known)) or "none"
            yield Fault(f"{name} has no argument {argument}; it has: {there}", where=f"{where}.{argument}")


def unread_arguments(policy: Policy, schemas: Sequence[ToolSchema]) -> Iterator[Fault]:
    """Arguments that guardrails name and no tool of theirs has, or that hold no text to judge."""
    for index, use in enumerate(policy.guardrails):
        tools = [one for one in schemas if _is_named(one["name"], use.tools or ("*",))]
        for argument in use.arguments or ():
            where = f"guardrails[{index}].arguments"
            found = [kinds for one in tools if (kinds := _kinds_of(one, argument)) is not None]
            if tools and not found and not _is_glob(argument):
                names = ", ".join(one["name"] for one in tools)
                yield Fault(f"none of {names} has an argument {argument}, so it would never run", where=where)
            elif found and all(kinds and kinds <= _NO_TEXT for kinds in found):
                said = f"{argument} holds no text, so it would never run"
                yield Fault(f"{said}; bound it with tools.<name>.arguments", where=where)


def _kinds_of(schema: ToolSchema, argument: str) -> set[str] | None:
    """The JSON types of an argument, empty when it does not say; None when there is no such argument."""
    parameters: Mapping[str, Any] = schema.get("parameters") or {}
    known = parameters.get("properties")
    if known is None or (argument not in known and parameters.get("additionalProperties")):
        return set()
    if argument not in known:
        return None
    said = known[argument].get("type")
    return {said} if isinstance(said, str) else set()


def _is_named(name: str, globs: Collection[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _is_glob(name: str) -> bool:
    return any(character in name for character in "*?[")


def _nowhere(names: Iterable[str], known: Collection[str], *, what: str, where: str) -> Iterator[Fault]:
    for name in names:
        if name not in known and not _is_glob(name):
            there = ", ".join(sorted(known)) or "none"
            yield Fault(f"the team has no such {what}; it has: {there}", where=where.format(name))
