"""A policy with the parts that it names, made once for all conversations of a process."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.call_judge import Tracing
from ringfence.guardrails.injection_guardrail import InjectionGuardrail, OnFind
from ringfence.guardrails.passages import Point
from ringfence.guardrails.presidio import PiiFinder, unknown_type
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.validators import ValidatorGuardrail
from ringfence.guardrails.verdicts import Guardrail
from ringfence.policy import LoadedPolicy, Policy

_LLM_JUDGE = "ringfence/llm_judge"
_RAW = {Point.INPUT, Point.TOOL_RESULT}
"""Where texts come from outside, so that they may hold hidden signs that the mask takes away."""


@dataclass(frozen=True)
class CompiledPolicy:
    """What a conversation needs of a policy."""

    policy: Policy
    version: str
    """The hash of the policy file, or `in-code`; stands in every audit line."""
    folder: Path
    finder: PiiFinder = field(repr=False)
    guardrails: Mapping[Point, Sequence[Guardrail]] = field(repr=False)
    scanners: Mapping[Point, Sequence[Guardrail]] = field(repr=False)
    """What looks at texts as they came in, before they are masked and hidden signs are taken away."""

    @property
    def tool_policy(self) -> ToolPolicy:
        """What judges the calls of tools."""
        return ToolPolicy(self.policy.tools, autonomy=self.policy.autonomy)

    @property
    def tracing(self) -> Tracing:
        """What follows from where the values of calls came from."""
        only_traced = self.policy.injection.on_find is OnFind.TRACE
        return Tracing(self.policy.provenance.mode, (InjectionGuardrail.name,) if only_traced else ())

    @property
    def compares(self) -> bool:
        """Whether a guardrail compares texts with what was read and said before."""
        used = [one for listed in self.guardrails.values() for one in listed]
        return any(one.terms.traits.uses_context for one in used)


def compile_policy(
    policy: Policy | LoadedPolicy, given: Mapping[str, Any] | None = None, *, knows_roles: bool = False
) -> CompiledPolicy:
    """Make what the policy names, and report everything that cannot be made at once.

    Args:
        policy: As it was read, or made in code.
        given: Validators and models under the names by which the policy uses them.
        knows_roles: The service says which roles a user has, so that the policy need not name them.

    Raises:
        PolicyError: It lists everything that cannot be made.
    """
    loaded = policy if isinstance(policy, LoadedPolicy) else None
    stated: Policy = policy.policy if isinstance(policy, LoadedPolicy) else policy
    folder = loaded.folder if loaded else Path.cwd()
    faults: list[Fault] = []
    finder: PiiFinder | None = None
    try:
        finder = PiiFinder(stated.pii)
    except PolicyError as error:
        faults.extend(error.faults)
    faults += [] if finder is None else _unknown_reveals(stated, finder.types)
    faults += [] if knows_roles else [*_unknown_roles(stated), *_unmet_approvals(stated)]
    guardrails: dict[Point, list[Guardrail]] = {}
    for index, use in enumerate(stated.guardrails):
        try:
            guardrail = ValidatorGuardrail(use, folder=folder, given=given)
        except PolicyError as error:
            faults.extend(
                Fault(one.message, where=f"guardrails[{index}].{one.where or 'use'}") for one in error.faults
            )
            continue
        if use.use == _LLM_JUDGE and guardrail.model is None:
            said = "is missing; name the model tier that judges"
            faults.append(Fault(said, where=f"guardrails[{index}].with.model"))
        if guardrail.model is not None and guardrail.model not in stated.models:
            known = ", ".join(sorted(stated.models)) or "none"
            said = f"no model tier has this name; there is: {known}"
            faults.append(Fault(said, where=f"guardrails[{index}].with.model"))
        for point in use.at:
            guardrails.setdefault(point, []).append(guardrail)
    if finder is None or faults:
        raise PolicyError(faults)
    scanner = InjectionGuardrail(stated.injection)
    scanners: dict[Point, list[Guardrail]] = {}
    for point in dict.fromkeys(stated.injection.at):
        (scanners if point in _RAW else guardrails).setdefault(point, []).append(scanner)
    version = loaded.version_hash if loaded else "in-code"
    return CompiledPolicy(stated, version, folder, finder, guardrails, scanners)


def _unknown_roles(policy: Policy) -> Iterator[Fault]:
    for name, rule in policy.tools.items():
        for role in sorted({*(rule.roles or ())} - policy.roles.keys()):
            there = ", ".join(sorted(policy.roles)) or "none"
            cure = "name it under `roles`, or say Ringfence(roles=...)"
            yield Fault(f"no role is named {role}; there is: {there}; {cure}", where=f"tools.{name}.roles")


def _unmet_approvals(policy: Policy) -> Iterator[Fault]:
    general = policy.approvals.deciders
    if said := general.with_roles(policy.roles).shortfall:
        yield Fault(said, where="approvals.approvers")
    for name, rule in policy.tools.items():
        own = rule.approvals
        if own.by is None and own.approvers is None:
            continue
        if said := own.over(general).with_roles(policy.roles).shortfall:
            key = "by" if own.approvers is None else "approvers"
            yield Fault(said, where=f"tools.{name}.approvals.{key}")


def _unknown_reveals(policy: Policy, known: frozenset[str]) -> Iterator[Fault]:
    for name, rule in policy.tools.items():
        for argument, types in (rule.reveals or {}).items():
            for entity in sorted({*types} - known):
                place = f"tools.{name}.reveals.{argument}"
                yield Fault(f"{entity}: {unknown_type(entity, known)}", where=place)
