"""What is decided of one call of a tool: the same at the model door, at the tool door and in a dry run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringfence.guardrails.approval_evidence import evidence_of
from ringfence.guardrails.argument_terms import terms_of
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.known_traces import Circumstances, KnownTraces
from ringfence.guardrails.masking import reveal_arguments
from ringfence.guardrails.provenance import Provenance, Trace, in_shadow
from ringfence.guardrails.provenance_settings import ProvenanceMode
from ringfence.guardrails.standing import Standing
from ringfence.guardrails.suspicions import Suspicions
from ringfence.guardrails.tool_directory import ToolDirectory
from ringfence.guardrails.tool_policy import Situation, ToolPolicy
from ringfence.guardrails.vault import Vault
from ringfence.guardrails.verdicts import Block, Verdict

_LISTING = "tool_listing"


@dataclass(frozen=True, slots=True)
class JudgedCall:
    """A call with what was decided of it."""

    verdict: Verdict
    revealed: ToolCall = field(repr=False)
    """The call with the real values that its tool may see."""
    traces: tuple[Trace, ...] = ()
    """Where its values came from."""


@dataclass(frozen=True, slots=True)
class Tracing:
    """What follows from where the values of calls came from."""

    mode: ProvenanceMode = ProvenanceMode.ENFORCE
    traced: tuple[str, ...] = ()
    """Guardrails whose suspicions only take excuses away from sources, and do not ask before each call."""


_ENFORCED = Tracing()
_NO_SCHEMA: Mapping[str, Any] = {}


class CallJudge:
    """Judges the calls of one conversation by its policy, and by what the conversation has read."""

    def __init__(
        self,
        *,
        policy: ToolPolicy,
        directory: ToolDirectory,
        vault: Vault,
        suspicions: Suspicions,
        provenance: Provenance,
        tracing: Tracing = _ENFORCED,
        standing: Standing | None = None,
    ) -> None:
        self._standing = standing or Standing()
        self._policy = policy
        self._directory = directory
        self._vault = vault
        self._suspicions = suspicions
        self._provenance = provenance
        self._tracing = tracing
        self._known = KnownTraces()

    def judge(self, call: ToolCall, *, to_run: bool = True) -> JudgedCall:
        """Allow, Escalate (a person is asked) or Block; the arguments are masked, as an agent wrote them.

        Hours, totals and roles are looked at only when the call is about to run: one that is played again,
        and has its result in the journal, is not refused for what has changed since.
        """
        spec = self._directory.specs[call.tool]
        revealed = reveal_arguments(call, spec, self._vault)
        traces = self._traces(call)
        if fault := self._directory.listings.fault(call.tool, revealed.arguments, spec.supplied):
            return JudgedCall(Block(_LISTING, fault), revealed, traces)
        situation = self._situation(call, traces, to_run=to_run)
        verdict = self._policy.judge(call.tool, spec, revealed.arguments, situation)
        return JudgedCall(verdict, revealed, traces)

    def evidence(self, tool: str, traces: Sequence[Trace]) -> tuple[str, ...]:
        """Where the values of a call came from, in words, with those real values that its tool may see."""
        reveals = self._directory.specs[tool].reveals
        return evidence_of(traces, reveals=reveals, vault=self._vault)

    def _suspicion(self) -> str:
        is_off = self._tracing.mode is ProvenanceMode.OFF
        return self._suspicions.without(() if is_off else self._tracing.traced)

    def _traces(self, call: ToolCall) -> tuple[Trace, ...]:
        if self._tracing.mode is ProvenanceMode.OFF:
            return ()
        spec, rule = self._directory.specs[call.tool], self._policy.rule(call.tool)
        schema = self._directory.parameters.get(call.tool, _NO_SCHEMA)
        suspicious = self._suspicions.tools

        def find() -> tuple[Trace, ...]:
            terms = terms_of(rule.argument, schema, call.arguments)
            return self._provenance.trace(call.tool, spec, call.arguments, terms=terms, suspicious=suspicious)

        now = Circumstances(self._provenance.version, suspicious, (spec, rule, schema))
        traces = self._known.of(call, now, find)
        return in_shadow(traces) if self._tracing.mode is ProvenanceMode.SHADOW else traces

    def _situation(self, call: ToolCall, traces: Sequence[Trace], *, to_run: bool) -> Situation:
        standing = self._standing
        return Situation(
            suspicion=self._suspicion(),
            traces=traces,
            roles=self._roles() if to_run and self._policy.rule(call.tool).roles else frozenset(),
            ceiling=standing.bounds.autonomy,
            run=standing.made.run,
            now=standing.now() if to_run else None,
            made=standing.made.but(call.call_id) if to_run else (),
        )

    def _roles(self) -> frozenset[str] | None:
        try:
            return frozenset(self._standing.roles())
        except Exception:  # a service's own code; without an answer nobody has a role
            return None

    def judge_handoff(self, name: str) -> Verdict:
        """Allow or Block."""
        return self._policy.judge_handoff(name)
