"""What the tools of a team are, as they and the policy describe them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.adapters.dry_run_team import TeamTools
from ringfence.agents.delivery import DEFAULT_TIMEOUT_SECONDS
from ringfence.agents.workbench import FencedWorkbench
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.tool_rules import ToolRule
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.policy import Policy

_TOLD_ELSEWHERE = {*ToolSpec.__dataclass_fields__, "read_only", "arguments", "autonomy", "timeout_seconds"}
"""Keys of a rule that say what the tool is, or that every tool has."""
_DESCRIBES = frozenset({*ToolSpec.__dataclass_fields__, "read_only"})
"""Keys of a rule that say what the tool is."""


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """One tool."""

    name: str
    agents: tuple[str, ...]
    """Who can call it."""
    spec: ToolSpec
    described_by: str
    """Who said what it is: the tool, or a server that is believed, and the policy; empty when nobody did."""
    rule: str
    """The name or glob of the policy's rule; empty when there is none."""
    autonomy: int
    """The level that counts."""
    timeout_seconds: float
    terms: Mapping[str, Any] = field(default_factory=dict)
    """What else the rule says of its calls and their delivery."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What the rule says of arguments."""

    @property
    def effects(self) -> list[str]:
        """What it does, in the policy's words."""
        spec, said = self.spec, []
        said.append("consequential" if spec.consequential else "read-only")
        if spec.consequential and spec.destructive:
            said.append("destructive")
        said += [name for name in ("idempotent", "open_world", "trusted", "composite") if getattr(spec, name)]
        return [word.replace("_", " ") for word in said]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        spec = self.spec
        return {
            "tool": self.name,
            "agents": [*self.agents],
            "consequential": spec.consequential,
            "destructive": spec.consequential and spec.destructive,
            "idempotent": spec.idempotent,
            "open_world": spec.open_world,
            "trusted": spec.trusted,
            "composite": spec.composite,
            "described_by": self.described_by or None,
            "rule": f"tools.{self.rule}" if self.rule else None,
            "autonomy": self.autonomy,
            "timeout_seconds": self.timeout_seconds,
            "terms": {**self.terms},
            "arguments": {**self.arguments},
            "reveals": {name: [*types] for name, types in spec.reveals.items()},
            "free_text": [*spec.free_text],
            "words": [*spec.words],
            "idempotency_key": spec.idempotency_key,
            "transaction": spec.transaction,
        }


def facts_of(policy: Policy, tools: TeamTools) -> Iterator[ToolFacts]:
    """The tools in the order in which the team was given them."""
    judge = ToolPolicy(policy.tools, autonomy=policy.autonomy)
    for name, spec in (tools.specs or {}).items():
        found, rule = judge.place(name) or "", judge.rule(name)
        said = rule.model_dump(mode="json", exclude_unset=True, by_alias=True)
        yield ToolFacts(
            name=name,
            agents=tools.agents.get(name, ()),
            spec=spec,
            described_by=_described_by(name, spec, tools.workbenches.get(name), rule if found else None),
            rule=found,
            autonomy=judge.level(name),
            timeout_seconds=rule.timeout_seconds or DEFAULT_TIMEOUT_SECONDS,
            terms={key: value for key, value in said.items() if key not in _TOLD_ELSEWHERE},
            arguments=said.get("arguments", {}),
        )


def _described_by(name: str, spec: ToolSpec, bench: FencedWorkbench | None, rule: ToolRule | None) -> str:
    who = []
    own = None if bench is None else bench.origins.get(name)
    if own is not None and (own.spec.described or own.spec.composite):
        who.append("the tool")
    elif bench is not None and bench.server is not None and bench.server.believes_hints:
        who.append("the server")
    # A rule that only bounds the calls describes the tool when nobody else does.
    if rule is not None and (not who or rule.model_fields_set & _DESCRIBES):
        who.append("the policy")
    elif not who and (spec.described or spec.composite):
        who.append("the tool")  # what runs code stands in no workbench
    return ", and ".join(who)
