"""Every error that Ringfence raises on purpose.

    RingfenceError
    ├── PolicyError               the policy file or the code that uses it is wrong; lists every fault
    │   └── CoverageError         the team has parts that cannot be fenced; lists every part
    ├── TaskError                 what was handed in as a task cannot be worked on
    ├── GuardrailTripped          a guardrail said no, and the passage went no further
    ├── LimitExceeded             a limit of the conversation is reached
    ├── ApprovalRequired          an action waits for a person
    │   └── ApprovalDenied        the person said no, or nobody answered in time
    ├── AnswerRequired            an agent asked the user, and waits for the answer
    ├── ModelCallFailed           the model's provider failed
    ├── ConversationInterrupted   the run was cancelled, or the team failed for a reason of its own
    │   └── ConversationChanged   team, prompts, policy or model are not those that the turn began with
    ├── UnknownConversation       the store knows no conversation of this id
    ├── JobError                  what was asked of a job cannot be, as it was handed in or as it stands
    ├── StoreError                a record could not be written; what it records did not happen
    │   └── LeaseLost             another process runs the conversation now; this one may write no more
    └── VaultError                a vault could not be sealed or opened; there is no key, or not this one

No message carries personal data or a secret: texts are named by where they stood, never quoted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

__all__ = [
    "AnswerRequired",
    "ApprovalDenied",
    "ApprovalRequired",
    "ConversationChanged",
    "ConversationInterrupted",
    "CoverageError",
    "Fault",
    "GuardrailTripped",
    "JobError",
    "LeaseLost",
    "LimitExceeded",
    "ModelCallFailed",
    "PolicyError",
    "RingfenceError",
    "StoreError",
    "TaskError",
    "UnknownConversation",
    "VaultError",
]


class RingfenceError(Exception):
    """Base of all errors that Ringfence raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where it is, and what to do about it."""

    message: str
    """What is wrong and what to do, in one sentence or two."""
    where: str = ""
    """The key in the policy file (`limits.usd`) or the part of the team (`desk › model client`)."""
    file: str = ""
    line: int = 0
    """Line in `file`, from 1; 0 when there is none."""
    column: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.file and self.line else ""
        place = place or (f"{self.file}: " if self.file else "")
        return f"{place}{self.where + ': ' if self.where else ''}{self.message}"


class PolicyError(RingfenceError):
    """The policy file, or the code that uses it, is wrong; `faults` lists everything that is."""

    def __init__(self, faults: Sequence[Fault] | str) -> None:
        self.faults: tuple[Fault, ...] = (Fault(faults),) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class CoverageError(PolicyError):
    """The team has parts that cannot be fenced; `faults` names each part and what to do."""


class TaskError(RingfenceError, ValueError):
    """What was handed in as a task cannot be worked on, for example because it is empty."""


class GuardrailTripped(RingfenceError):
    """A guardrail blocked a passage; nothing that depended on it happened."""

    def __init__(
        self,
        *,
        guardrail: str,
        point: str,
        reason: str,
        crashed: bool = False,
        reask: bool = False,
        halt: bool = False,
        hint: str = "",
    ) -> None:
        self.guardrail = guardrail
        self.point = point
        self.reason = reason
        self.crashed = crashed
        """True when the guardrail failed or timed out, instead of saying no."""
        self.reask = reask
        """True when the model that wrote the passage may try again."""
        self.halt = halt
        """True when the whole conversation has to stop."""
        self.hint = hint or reason
        """What a model may hear of the reason; it does not give the policy away."""
        super().__init__(f"Guardrail {guardrail!r} blocked the {point}: {reason}")


class LimitExceeded(RingfenceError):
    """A limit is reached: `value` of `kind` (such as tokens, usd, turns) would pass `limit` at `scope`."""

    def __init__(self, *, kind: str, value: Decimal | float, limit: Decimal | float, scope: str) -> None:
        self.kind = kind
        self.value = value
        self.limit = limit
        self.scope = scope
        state = f"is {limit}; this would take it to {value}" if value > limit else f"of {limit} is reached"
        super().__init__(f"The {kind} limit of this {scope} {state}")


class ApprovalRequired(RingfenceError):
    """An action waits for a person; decide with `conversation.approve(approval_id, by=...)`."""

    def __init__(self, *, approval_id: str, tool: str, reason: str = "waits for approval") -> None:
        self.approval_id = approval_id
        self.tool = tool
        self.reason = reason
        super().__init__(f"{tool} {reason} (approval {approval_id})")


class ApprovalDenied(ApprovalRequired):
    """The person said no, or nobody answered before the approval expired."""

    def __init__(
        self, *, approval_id: str, tool: str, reason: str = "was rejected", was_begun: bool = False
    ) -> None:
        self.was_begun = was_begun
        """True when an earlier try of the call may have taken effect."""
        super().__init__(approval_id=approval_id, tool=tool, reason=reason)


class AnswerRequired(RingfenceError):
    """An agent asked the user something; answer with `conversation.answer(question_id, text, by=...)`."""

    def __init__(self, *, question_id: str, agent: str) -> None:
        self.question_id = question_id
        self.agent = agent
        super().__init__(f"{agent or 'An agent'} waits for an answer (question {question_id})")


def is_suspension(error: BaseException | None) -> bool:
    """Whether a run that ended for this reason waits for a person and goes on where it stopped."""
    return type(error) in {ApprovalRequired, AnswerRequired}


class ModelCallFailed(RingfenceError):
    """The model's provider failed; `retryable` says whether the same call may work later."""

    def __init__(
        self,
        *,
        model: str,
        reason: str,
        retryable: bool,
        billing_unknown: bool = True,
        retry_after: float | None = None,
    ) -> None:
        self.model = model
        self.reason = reason
        self.retryable = retryable
        self.billing_unknown = billing_unknown
        """True when the provider may have charged for the call; then the worst case counts as spent."""
        self.retry_after = retry_after
        """Seconds that the provider asked to wait; None when it did not."""
        super().__init__(f"The call to model {model!r} failed: {reason}")


class ConversationInterrupted(RingfenceError):
    """The run ended before the team was done: it was cancelled, or the team itself failed."""


class ConversationChanged(ConversationInterrupted):
    """What a turn would be resumed with is not what it began with; `differences` names what changed."""

    def __init__(self, differences: Sequence[str]) -> None:
        self.differences = tuple(differences)
        said = "; ".join(self.differences)
        super().__init__(
            f"The conversation is not as it was when this turn began: {said}. "
            "To start the turn anew all the same, resume with allow_changes=True"
        )


class UnknownConversation(RingfenceError, LookupError):
    """The store knows no conversation, job or request of this id."""


class JobError(RingfenceError):
    """What was asked of a job cannot be: as it was handed in, or as it stands."""


class StoreError(RingfenceError):
    """A record could not be written, so the thing that it records was not done."""


class LeaseLost(StoreError):
    """Another process has taken the conversation over, so this one may write no more."""


class VaultError(RingfenceError):
    """A vault could not be sealed or opened: no key, another key, or what was kept was changed."""
