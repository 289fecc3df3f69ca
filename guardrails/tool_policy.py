"""Whether the policy lets a call run: a pure function of rules, tool, call and what is around it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from ringfence.guardrails.argument_verdicts import judge_arguments, judge_totals
from ringfence.guardrails.decision import Decision
from ringfence.guardrails.made_calls import MadeCall
from ringfence.guardrails.plain_numbers import plain_number
from ringfence.guardrails.sources import Trace
from ringfence.guardrails.standing import FULL
from ringfence.guardrails.tool_rules import ToolRule
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.guardrails.verdicts import Allow, Block, Escalate, Verdict

_NAME = "tool_policy"
SUPERVISED, MONITORED = 2, 3
"""Levels of autonomy: a person is asked before consequential calls; some are noted for review."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is around a call."""

    suspicion: str = ""
    """What speaks for an attack in what the conversation has read."""
    traces: Sequence[Trace] = ()
    """Where the values of the call came from."""
    roles: frozenset[str] | None = frozenset()
    """The user's; None: they could not be looked up."""
    ceiling: int = FULL
    """The most autonomy that the conversation has."""
    run: int = 0
    now: datetime | None = None
    """None: the call is not about to run yet, so nobody looks at the clock, at totals, or at roles."""
    made: Sequence[MadeCall] = ()
    """The other calls that may have taken effect."""

    @property
    def doubts(self) -> str:
        """Why a value of the call is of doubtful origin; empty when none is."""
        return "; ".join(dict.fromkeys(trace.why for trace in self.traces if trace.escalates))


_NOTHING_AROUND = Situation()


class ToolPolicy:
    """Judges a call of a tool. A pure function of rules, spec, real arguments and situation."""

    def __init__(self, rules: Mapping[str, ToolRule], *, autonomy: int = SUPERVISED) -> None:
        self._rules = dict(rules)
        self._autonomy = autonomy

    def rule(self, tool: str) -> ToolRule:
        """The rule of a tool: its own name before the first glob that fits, else an empty rule."""
        return self._rules.get(self.place(tool) or "", _NO_RULE)

    def place(self, tool: str) -> str | None:
        """The name or glob under which the rule of a tool stands; None when it has none."""
        if tool in self._rules:
            return tool
        return next((glob for glob in self._rules if fnmatchcase(tool, glob)), None)

    def describe(self, tool: str, spec: ToolSpec) -> ToolSpec:
        """What a tool says of itself, with what its rule knows better, if it has one."""
        place = self.place(tool)
        return spec if place is None else self._rules[place].describe(spec)

    def level(self, tool: str, ceiling: int = FULL) -> int:
        """The autonomy of a tool in a conversation that has at most the ceiling."""
        rule = self.rule(tool)
        lifted = FULL if rule.decision is Decision.ALLOW else self._autonomy
        return min(lifted if rule.autonomy is None else rule.autonomy, ceiling)

    def judge(
        self,
        tool: str,
        spec: ToolSpec,
        arguments: Mapping[str, Any],
        situation: Situation = _NOTHING_AROUND,
    ) -> Verdict:
        """Allow, Escalate (a person is asked) or Block; the reason names arguments, never their values."""
        rule = self.rule(tool)
        if fault := _refusal(tool, spec, rule, situation):
            return fault
        said = judge_arguments(tool, rule, arguments)
        if situation.now is not None:
            said += self._over_total(tool, rule, arguments, situation)
            if rule.hours and not any(hours.fit(situation.now) for hours in rule.hours):
                said.append((Decision(rule.otherwise), f"{tool} may not be called at this hour"))
        for decision, reason in said:
            if decision is Decision.DENY:
                return Block(_NAME, reason)
        asks = [reason for decision, reason in said if decision is Decision.APPROVE]
        is_allowed = any(decision is Decision.ALLOW for decision, _ in said)
        reasons = [*(asks or self._reasons(tool, spec, situation, is_allowed=is_allowed))]
        told = [*filter(None, (situation.suspicion if spec.consequential else "", situation.doubts))]
        if reasons or told:
            return Escalate(_NAME, ", and ".join(filter(None, ("; ".join(reasons), "; ".join(told)))))
        return Allow(_NAME)

    def usual(self, tool: str, spec: ToolSpec) -> Decision:
        """What follows for a call of which nothing is wrong."""
        if _refusal(tool, spec, self.rule(tool), _NOTHING_AROUND):
            return Decision.DENY
        asks = [*self._reasons(tool, spec, _NOTHING_AROUND, is_allowed=False)]
        return Decision.APPROVE if asks else Decision.ALLOW

    def judge_totals(self, tool: str, arguments: Mapping[str, Any], situation: Situation) -> Verdict:
        """Block when a call would pass a total that nobody may pass, whoever approved it; else Allow."""
        for decision, reason in self._over_total(tool, self.rule(tool), arguments, situation):
            if decision is Decision.DENY:
                return Block(_NAME, reason)
        return Allow(_NAME)

    def counted(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Decimal]:
        """The numbers among the arguments of a call that totals count."""
        rule = self.rule(tool)
        totals = {name for name, one in rule.arguments.items() if one.total_maximum is not None}
        numbers = {
            name: plain_number(value) for name, value in arguments.items() if rule.place(name) in totals
        }
        return {name: number for name, number in numbers.items() if number is not None}

    def judge_handoff(self, name: str) -> Verdict:
        """Allow or Block; a handoff only changes who speaks, so nobody is asked unless the policy says so."""
        match self.rule(name).decision:
            case Decision.DENY | Decision.APPROVE:
                return Block(_NAME, f"the policy does not allow the handoff {name}")
            case _:
                return Allow(_NAME)

    def _over_total(
        self, tool: str, rule: ToolRule, arguments: Mapping[str, Any], situation: Situation
    ) -> list[tuple[Decision, str]]:
        if not rule.has_totals:
            return []
        # One rule counts all tools that it decides of.
        made = [one for one in situation.made if self.place(one.tool) == self.place(tool)]
        return judge_totals(tool, rule, arguments, made, run=situation.run)

    def _reasons(self, tool: str, spec: ToolSpec, situation: Situation, *, is_allowed: bool) -> Iterator[str]:
        """Why the level of autonomy, or the rule as a whole, asks a person."""
        rule, level = self.rule(tool), self.level(tool, situation.ceiling)
        if is_allowed and rule.decision is None and rule.autonomy is None:
            level = situation.ceiling  # by what is said of an argument
        if rule.decision is Decision.APPROVE:
            yield f"the policy asks a person before each call of {tool}"
        elif level < SUPERVISED and not spec.consequential:
            yield f"at autonomy {level} a person is asked before each call of {tool}"
        elif level <= SUPERVISED and spec.consequential:
            yield f"{tool} is consequential"


_NO_RULE = ToolRule()


def _refusal(tool: str, spec: ToolSpec, rule: ToolRule, situation: Situation) -> Block | None:
    """Why a call may not run, whatever its arguments are and whoever approves it; None when it may."""
    if rule.decision is Decision.DENY:
        return Block(_NAME, f"the policy denies {tool}")
    if not (spec.described or spec.composite):
        # The cure is for whoever runs the team; a model can do nothing with it.
        hint = f"nobody described {tool}, so it cannot be used"
        return Block(_NAME, f"{hint}; {undescribed_advice(tool)}", hint=hint)
    if rule.roles is None or situation.now is None:
        return None
    if situation.roles is None:
        return Block(_NAME, f"{tool} needs a role, and the user's could not be looked up")
    if not situation.roles.intersection(rule.roles):
        return Block(_NAME, f"{tool} needs a user with the role {' or '.join(rule.roles)}")
    return None


def undescribed_advice(tool: str) -> str:
    """What to do about a tool of a server that nobody described."""
    return f"say what it does under tools.{tool} in the policy, or fence.workbench(..., believe_hints=True)"
