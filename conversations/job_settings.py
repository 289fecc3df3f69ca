"""The `jobs` section of the policy: how many jobs run at once, and what becomes of one that fails."""

from typing import Annotated, Literal

from pydantic import Field

from ringfence.settings import Section

Limit = Annotated[int, Field(ge=1)]


class JobSettings(Section):
    """The `jobs` section."""

    concurrency: Limit = 4
    """How many jobs one worker runs at once."""
    per_user: Limit | None = None
    """How many jobs of one user run at once, on all workers together; none is no limit."""
    per_tenant: Limit | None = None
    """The same for one tenant."""
    retries: Annotated[int, Field(ge=0)] = 3
    """How often a job is tried again that got no step further; a guardrail's no and a limit are final."""
    backoff_seconds: Annotated[float, Field(gt=0)] = 5.0
    """How long a failed job waits before its first retry; each further one waits twice as long."""
    longest_backoff_seconds: Annotated[float, Field(gt=0)] = 600.0
    """What that wait grows to at most."""
    grace_seconds: Annotated[float, Field(ge=0)] = 10.0
    """How long a worker that shall stop lets its jobs run on before it hands them back."""
    delivery: Literal["local", "procrastinate"] = "local"
    """What brings a job to a worker: the store itself, or procrastinate on PostgreSQL."""

    def backoff(self, attempts: int) -> float:
        """Seconds to wait after so many attempts in vain.

        >>> [JobSettings().backoff(attempts) for attempts in (1, 2, 3, 50)]
        [5.0, 10.0, 20.0, 600.0]
        """
        doublings = min(max(attempts - 1, 0), 64)
        return float(min(self.backoff_seconds * 2**doublings, self.longest_backoff_seconds))
