"""The tools of a policy's team, as its code describes them; the team is built once, and nothing is run."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from autogen_core.models import ChatCompletionClient

from ringfence.adapters.dry_run import DryRun
from ringfence.agents.fence import Fence
from ringfence.agents.rehearsal import RehearsalModel
from ringfence.agents.sessions import new_session
from ringfence.agents.team_file import load_factory
from ringfence.agents.team_runner import task_messages
from ringfence.agents.workbench import FencedWorkbench
from ringfence.conversations.audit import AuditLog
from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.tool_directory import ToolDirectory
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.places import located


@dataclass(frozen=True)
class TeamTools:
    """What a team can call."""

    policy: ToolPolicy
    specs: Mapping[str, ToolSpec] | None = None
    """None: the policy names no team, so any tool may be there, and each counts as consequential."""
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    handoffs: frozenset[str] = frozenset()
    workbenches: Mapping[str, FencedWorkbench] = field(default_factory=dict, repr=False)
    """Tool → the workbench that has it."""
    agents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Tool → the agents that can call it."""

    def missing(self, tool: str) -> str:
        """What to say of a tool that the team does not have; empty when it has it."""
        if self.specs is None:
            return ""
        known = sorted({*self.specs, *self.handoffs})
        if tool in known:
            return ""
        near = get_close_matches(tool, known, n=1)
        there = f"did you mean `{near[0]}`?" if near else f"it has: {', '.join(known) or 'none'}"
        return f"the team has no such tool; {there}"

    def directory(self, tool: str) -> ToolDirectory:
        """The tools behind the tool door."""
        unknown = {tool: self.policy.rule(tool).describe(ToolSpec())}
        return ToolDirectory(dict(unknown if self.specs is None else self.specs), set(self.handoffs))

    def offered(self, tool: str) -> Mapping[str, Any]:
        """The tool as it is offered to a model."""
        return self.schemas.get(tool, {"name": tool})


async def tools_of(run: DryRun) -> TeamTools:
    """Build the team that the policy names.

    Its model tiers are rehearsal models without a line to say: neither a key nor a provider's package is
    needed, and none of them is asked.

    Raises:
        PolicyError: The team cannot be built or fenced.
    """
    policy, compiled = run.compiled.tool_policy, run.compiled
    if run.policy.team is None:
        return TeamTools(policy)

    def tier_client(name: str) -> ChatCompletionClient:
        if name in compiled.policy.models:
            return RehearsalModel([])
        known = ", ".join(sorted(compiled.policy.models)) or "none"
        raise PolicyError([Fault(f"no model tier has this name; there is: {known}", where=f"models.{name}")])

    # Without guardrails, because those that ask a model would have to be given one.
    compiled = replace(compiled, guardrails={})
    factory = load_factory(run.policy.team, compiled.folder)
    session = new_session(
        compiled, id="dry-run", user="", approver=None, audit=AuditLog(None), tier_client=tier_client
    )
    fence = Fence(session=session, compiled=compiled, tier_client=tier_client, task_messages=task_messages)
    try:
        team = factory(fence)
    except SystemExit:
        raise PolicyError([Fault("the team factory ended the program", where="team")]) from None
    coverage = await fence.inspect(team)
    if coverage.faults:
        raise PolicyError(located(coverage.faults, run.path, factory))
    offered: dict[str, Mapping[str, Any]] = {}
    workbenches: dict[str, FencedWorkbench] = {}
    agents: dict[str, tuple[str, ...]] = {}
    for workbench in coverage.workbenches:
        having = [
            one.name for one in coverage.agents if workbench in (getattr(one, "_workbench", None) or ())
        ]
        for schema in await workbench.list_tools():
            name = schema["name"]
            offered[name], workbenches[name] = dict(schema), workbench
            agents[name] = tuple(dict.fromkeys([*agents.get(name, ()), *having]))
    await coverage.rest()
    return TeamTools(policy, fence.tools, offered, frozenset(coverage.handoffs), workbenches, agents)
