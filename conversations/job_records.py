"""What is told of a job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ringfence.budgets.limits import Limits
from ringfence.budgets.usage import Usage
from ringfence.conversations.job_status import JobStatus
from ringfence.conversations.question import Question
from ringfence.guardrails.approval import ApprovalRequest


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the conversation of a job has come."""

    turn: int = 0
    """The turn of the conversation, from 1."""
    usage: Usage = field(default_factory=Usage)
    limits: Limits = field(default_factory=Limits)
    approvals: tuple[ApprovalRequest, ...] = ()
    """The calls that wait for a person, oldest first."""
    questions: tuple[Question, ...] = ()
    """What an agent asked the user."""


@dataclass(frozen=True, slots=True)
class Job:
    """A task that was handed in for a worker."""

    id: str
    """The id of its conversation, too."""
    status: JobStatus
    user: str = field(repr=False)
    tenant: str = field(repr=False)
    task: str = field(repr=False)
    """As it was handed in, with real values."""
    team: str | None
    """The name of the team; None is the policy's."""
    priority: int
    """Higher comes first."""
    attempts: int
    """How often it was tried since its last step."""
    most_attempts: int
    due_at: datetime
    """When it may run, or might have."""
    created_at: datetime
    updated_at: datetime
    is_being_cancelled: bool
    """Whether somebody cancelled it while it was running."""
    error: str = ""
    """Why it failed, or what went wrong the last time; without personal data."""
    progress: Progress | None = None
    """How far it has come; lists leave it out."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON; without the task, which may hold personal data."""
        facts: dict[str, Any] = {
            "id": self.id,
            "status": self.status.value,
            "user": self.user,
            "tenant": self.tenant,
            "team": self.team,
            "priority": self.priority,
            "attempts": self.attempts,
            "most_attempts": self.most_attempts,
            "due_at": self.due_at.isoformat(),
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
            "is_being_cancelled": self.is_being_cancelled,
            "error": self.error or None,
        }
        if self.progress is not None:
            facts["progress"] = _progress(self.progress)
        return facts


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a worker has taken; what it writes counts as long as nobody took the job over."""

    id: str
    ticket: str
    """Tells this taking from every other."""
    task: str = field(repr=False)
    user: str = field(repr=False)
    team: str | None
    allow_changes: bool
    """Whether it may go on with another team or policy than it began with."""
    attempts: int
    most_attempts: int


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that the team did or said, as the user may see it."""

    kind: str
    """AutoGen's type, such as TextMessage."""
    source: str
    """Who it comes from."""
    text: str
    turn: int
    at: datetime
    message: Mapping[str, Any] = field(repr=False)
    """The event as JSON."""


def moment(seconds: float) -> datetime:
    """A time of the store, which counts the seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def _progress(progress: Progress) -> dict[str, Any]:
    usage, limits = progress.usage, progress.limits
    return {
        "turn": progress.turn,
        "turns": usage.turns,
        "model_calls": usage.model_calls,
        "tool_calls": usage.tool_calls,
        "tokens": usage.tokens,
        "usd": str(usage.usd),
        "limits": limits.model_dump(mode="json"),
        "waiting": [
            *[{"id": one.id, "kind": one.kind, "tool": one.tool} for one in progress.approvals],
            *[{"id": one.id, "kind": "question", "agent": one.agent} for one in progress.questions],
        ],
    }
