"""`ringfence check`: everything that is wrong with a policy file and its team, or else what is fenced."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ringfence.agents.compiled_policy import compile_policy
from ringfence.agents.fence import Fence
from ringfence.agents.ringfence import Ringfence
from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.decision import Decision
from ringfence.guardrails.guardrail_use import GuardrailUse
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.located_yaml import parse
from ringfence.places import located, place_in_team
from ringfence.policy import LoadedPolicy, Policy, load_policy
from ringfence.policy_file import attempt, in_order, read_text


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found."""

    file: str
    faults: tuple[Fault, ...]
    policy: Policy | None
    agents: tuple[str, ...] = ()
    tools: tuple[tuple[str, ToolSpec, Decision], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        if self.faults or self.policy is None:
            error = {"type": "PolicyError", "message": "\n".join(map(str, self.faults))}
            faults = [asdict(fault) for fault in self.faults]
            return {"status": "invalid", "file": self.file, "error": error, "faults": faults}
        facts = self.policy.model_dump(mode="json", exclude_unset=False)
        tools = [
            {
                "name": name,
                "consequential": spec.consequential,
                "described": spec.described or spec.composite,
                "decision": decision.value,
            }
            for name, spec, decision in self.tools
        ]
        fenced = {"team": self.policy.team, "agents": list(self.agents), "tools": tools}
        fenced |= {section: facts[section] for section in ("models", "pii", "guardrails", "limits")}
        return {"status": "done", "file": self.file, "faults": [], "fenced": fenced}


async def check_file(path: Path) -> Checked:
    """Check the policy file, the parts that it names, and its team; the team is built, and nothing is run."""
    try:
        loaded = load_policy(path)
    except PolicyError as error:
        faults = [*error.faults, *_faults_of_sound_sections(path)]
        return Checked(str(path), tuple(in_order(located(faults, path))), None)
    faults = _faults_of_parts(loaded)
    # The team is checked all the same, behind a fence without the parts that cannot be made.
    without: dict[str, Any] = {"pii": PiiSettings(), "guardrails": ()} if faults else {}
    without_parts = replace(loaded, policy=loaded.policy.model_copy(update=without))
    ringfence = Ringfence(without_parts, roles=lambda _user: ())
    try:
        checked = await _check_team(ringfence) if loaded.policy.team else _Team()
    finally:
        await ringfence.close()
    found = in_order(located([*faults, *checked.faults], path, checked.factory))
    return Checked(str(path), tuple(found), loaded.policy, checked.agents, checked.tools)


@dataclass(frozen=True, slots=True)
class _Team:
    """What a check found of the team."""

    factory: Callable[..., Any] | None = None
    faults: tuple[Fault, ...] = ()
    agents: tuple[str, ...] = ()
    tools: tuple[tuple[str, ToolSpec, Decision], ...] = ()


async def _check_team(ringfence: Ringfence) -> _Team:
    try:
        factory = ringfence.team
    except PolicyError as error:
        return _Team(faults=error.faults)
    built: list[tuple[Fence, Any]] = []

    def build(fence: Fence) -> Any:
        built.append((fence, team := factory(fence)))
        return team

    try:
        faults = await ringfence.check(build)
    except Exception as error:
        file, line = place_in_team(error) or ("", 0)
        said = f"building the team failed with {type(error).__name__}" + (
            f": {error}" if _harmless(error) else ""
        )
        return _Team(factory, (Fault(said, where="team", file=file, line=line),))
    if faults or not built:
        return _Team(factory, tuple(faults))
    fence, team = built[0]
    coverage = await fence.inspect(team)
    await coverage.rest()
    judged = (_judged(name, spec, ringfence.policy) for name, spec in fence.tools.items())
    return _Team(factory, (), tuple(agent.name for agent in coverage.agents), tuple(judged))


def _harmless(error: Exception) -> bool:
    """Whether the text of an error names code and files, and never data."""
    return isinstance(error, ImportError | NameError | AttributeError | TypeError | FileNotFoundError)


def _judged(name: str, spec: ToolSpec, policy: Policy) -> tuple[str, ToolSpec, Decision]:
    return name, spec, ToolPolicy(policy.tools, autonomy=policy.autonomy).usual(name, spec)


def _faults_of_parts(policy: Policy | LoadedPolicy) -> list[Fault]:
    """What is wrong with the recognizers and validators that a policy names."""
    try:
        compile_policy(policy)
    except PolicyError as error:
        return list(error.faults)
    return []


def _faults_of_sound_sections(path: Path) -> Iterator[Fault]:
    """The faults of parts in those sections of a faulty file that can be read."""
    try:
        data = parse(read_text(path)[1], str(path)).data
    except PolicyError:
        return
    sections = data if isinstance(data, dict) else {}
    if pii := attempt(sections.get("pii"), PiiSettings):
        yield from _faults_of_parts(Policy(pii=pii))
    uses = sections.get("guardrails")
    for index, entry in enumerate(uses if isinstance(uses, list) else ()):
        if use := attempt(entry, GuardrailUse):
            policy = Policy(pii=PiiSettings(entities={}), guardrails=(use,))
            for fault in _faults_of_parts(LoadedPolicy(policy, path, path.resolve().parent, "")):
                yield replace(fault, where=f"guardrails[{index}]" + fault.where.removeprefix("guardrails[0]"))
