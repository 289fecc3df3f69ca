"""Whether the policy lets a call run: a pure function of the rules, the tool, the call and its setting."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ringfence.guardrails.decision import Decision
from ringfence.guardrails.provenance import Trace
from ringfence.guardrails.tool_rules import ToolRule
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.guardrails.verdicts import Allow, Block, Escalate, Verdict

_NAME = "tool_policy"


class ToolPolicy:
    """Judges a call of a tool. A pure function of the rules, the spec and the real arguments."""

    def __init__(self, rules: Mapping[str, ToolRule]) -> None:
        self._rules = dict(rules)

    def rule(self, tool: str) -> ToolRule:
        """The rule of a tool: its own name before the first glob that fits, else an empty rule."""
        return self._stated(tool) or ToolRule()

    def describe(self, tool: str, spec: ToolSpec) -> ToolSpec:
        """What a tool says of itself, with what its rule knows better, if it has one."""
        rule = self._stated(tool)
        return spec if rule is None else rule.describe(spec)

    def _stated(self, tool: str) -> ToolRule | None:
        if tool in self._rules:
            return self._rules[tool]
        return next((rule for glob, rule in self._rules.items() if fnmatchcase(tool, glob)), None)

    def judge(
        self,
        tool: str,
        spec: ToolSpec,
        arguments: Mapping[str, Any],
        *,
        suspicion: str = "",
        traces: Sequence[Trace] = (),
    ) -> Verdict:
        """Allow, Escalate (a person is asked) or Block; the reason names arguments, never their values.

        With a suspicion, or a value of doubtful origin, a consequential call waits for a person also where
        the policy allows it.
        """
        doubts = [trace.why for trace in traces if trace.escalates]
        suspicion = "; ".join(filter(None, [suspicion, *dict.fromkeys(doubts)]))
        rule = self.rule(tool)
        if rule.decision is Decision.DENY:
            return Block(_NAME, f"the policy denies {tool}")
        for name, argument_rule in rule.arguments.items():
            left_out = name not in arguments and argument_rule.constrains
            fault = "is missing" if left_out else argument_rule.fault(arguments.get(name))
            if fault:
                return Block(_NAME, f"argument `{name}` of {tool} {fault}")
        if rule.decision is Decision.APPROVE:
            return Escalate(_NAME, _with(suspicion, f"the policy asks a person before each call of {tool}"))
        if spec.consequential and (suspicion or rule.decision is not Decision.ALLOW):
            return Escalate(_NAME, _with(suspicion, f"{tool} is consequential"))
        return Allow(_NAME)

    def judge_handoff(self, name: str) -> Verdict:
        """Allow or Block; a handoff only changes who speaks, so nobody is asked unless the policy says so."""
        match self.rule(name).decision:
            case Decision.DENY | Decision.APPROVE:
                return Block(_NAME, f"the policy does not allow the handoff {name}")
            case _:
                return Allow(_NAME)


def _with(suspicion: str, reason: str) -> str:
    return f"{reason}, and {suspicion}" if suspicion else reason
