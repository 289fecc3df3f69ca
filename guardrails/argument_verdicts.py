"""What follows from the arguments of a call, by the rules for them."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ringfence.guardrails.argument_rules import Span
from ringfence.guardrails.decision import Decision
from ringfence.guardrails.made_calls import MadeCall
from ringfence.guardrails.plain_numbers import plain_number
from ringfence.guardrails.tool_rules import ToolRule

Said = list[tuple[Decision, str]]
"""Decisions with their reasons."""


def judge_arguments(tool: str, rule: ToolRule, arguments: Mapping[str, Any]) -> Said:
    """What the rules say of each argument by itself; the reasons name it, and do not quote it."""
    return [*_judged(tool, rule, arguments)]


def _judged(tool: str, rule: ToolRule, arguments: Mapping[str, Any]) -> Iterator[tuple[Decision, str]]:
    for name, one in rule.arguments.items():
        if one.constrains and name not in arguments and not is_glob(name):
            yield Decision(one.otherwise), f"argument `{name}` of {tool} is missing"
    for name, value in arguments.items():
        place = rule.place(name)
        if place is None:
            continue
        one = rule.arguments[place]
        if fault := one.fault(value):
            yield Decision(one.otherwise), f"argument `{name}` of {tool} {fault}"
        elif one.decision is not None and _is_given(value):
            yield one.decision, _because(one.decision, name, tool)


def judge_totals(
    tool: str, rule: ToolRule, arguments: Mapping[str, Any], made: Sequence[MadeCall], *, run: int
) -> Said:
    """Which totals a call would pass, after the calls that the same rule has counted before."""
    said: Said = []
    for place, one in rule.arguments.items():
        own = _counted(rule, place, arguments)
        if one.total_maximum is None or not own:
            continue
        counted = [call for call in made if one.per is Span.CONVERSATION or call.run == run]
        if own + sum(_counted(rule, place, call.values) for call in counted) > one.total_maximum:
            total = f"the total of this {one.per} above {one.total_maximum}"
            said.append((Decision(one.otherwise), f"argument `{place}` of {tool} would bring {total}"))
    return said


def _counted(rule: ToolRule, place: str, arguments: Mapping[str, Any]) -> Decimal:
    """What the arguments that one rule decides of come to. Less than nothing makes no room for more."""
    numbers = (plain_number(value) for name, value in arguments.items() if rule.place(name) == place)
    return sum((max(number, Decimal(0)) for number in numbers if number is not None), Decimal(0))


def _because(decision: Decision, name: str, tool: str) -> str:
    match decision:
        case Decision.DENY:
            return f"the policy denies {tool} with `{name}`"
        case Decision.APPROVE:
            return f"the policy asks a person before each call of {tool} with `{name}`"
        case Decision.ALLOW:
            return ""


def _is_given(value: object) -> bool:
    """Whether there is something; what a tool fills in by default is often an empty text."""
    return value is not None and value not in ("", [], {})


def is_glob(name: str) -> bool:
    """Whether a name stands for several."""
    return any(character in name for character in "*?[")
