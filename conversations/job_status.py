"""Where a job stands, and who is told when that changes."""

from enum import StrEnum

JOBS = "jobs"
"""The channel on which workers hear that a job is due."""
CANCELLED = "cancelled_jobs"
"""The channel on which workers hear that a job shall stop."""


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    """It waits for its time, or for a worker."""
    RUNNING = "running"
    WAITING = "waiting"
    """It waits for a person and takes no place meanwhile."""
    DONE = "done"
    LIMIT_REACHED = "limit_reached"
    BLOCKED = "blocked"
    """A guardrail said no."""
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def has_ended(self) -> bool:
        """Whether no worker will go on with it, unless somebody asks for a retry."""
        return self not in {JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.WAITING}
