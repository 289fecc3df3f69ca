"""What is decided of one call of a tool: the same at the model door, at the tool door and in a dry run."""

from dataclasses import dataclass, field

from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.masking import reveal_arguments
from ringfence.guardrails.provenance import Provenance, Trace
from ringfence.guardrails.suspicions import Suspicions
from ringfence.guardrails.tool_directory import ToolDirectory
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.vault import Vault
from ringfence.guardrails.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class JudgedCall:
    """A call with what was decided of it."""

    verdict: Verdict
    revealed: ToolCall = field(repr=False)
    """The call with the real values that its tool may see."""
    traces: tuple[Trace, ...] = ()
    """Where its values came from."""


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
    ) -> None:
        self._policy = policy
        self._directory = directory
        self._vault = vault
        self._suspicions = suspicions
        self._provenance = provenance

    def judge(self, call: ToolCall) -> JudgedCall:
        """Allow, Escalate (a person is asked) or Block; the arguments are masked, as an agent wrote them."""
        spec = self._directory.specs[call.tool]
        revealed = reveal_arguments(call, spec, self._vault)
        traces = self._provenance.trace(call.tool, spec, call.arguments)
        verdict = self._policy.judge(
            call.tool, spec, revealed.arguments, suspicion=str(self._suspicions), traces=traces
        )
        return JudgedCall(verdict, revealed, traces)

    def judge_handoff(self, name: str) -> Verdict:
        """Allow or Block."""
        return self._policy.judge_handoff(name)
