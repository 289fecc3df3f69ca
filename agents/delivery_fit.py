"""Whether what a policy says of the delivery of tools fits them: what could act twice is not made again."""

from collections.abc import Iterator, Mapping

from ringfence.conversations.journaled_tools import may_repeat
from ringfence.errors import Fault
from ringfence.guardrails.delivery_rules import NOTHING_HAPPENED
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.tool_spec import ToolSpec

_CURES = (
    f"say `errors: [{NOTHING_HAPPENED}]`, or make it idempotent, or give it an idempotency key or a "
    "transaction"
)


def misplaced_delivery(policy: ToolPolicy, specs: Mapping[str, ToolSpec]) -> Iterator[Fault]:
    """Retries of tools that could act twice, and fallbacks that the team does not have."""
    for name, spec in specs.items():
        rule, place = policy.rule(name), policy.place(name)
        may_act_twice = not may_repeat(spec) or spec.composite
        if rule.retries is not None and may_act_twice and not rule.retries.only_when_nothing_happened:
            said = f"a call of {name} that is made again could act twice; {_CURES}"
            yield Fault(said, where=f"tools.{place}.retries")
        if rule.fallback is not None and (rule.fallback not in specs or rule.fallback == name):
            there = ", ".join(sorted({*specs} - {name})) or "none"
            said = f"{rule.fallback} is no other tool of the team; it has: {there}"
            yield Fault(said, where=f"tools.{place}.fallback")
