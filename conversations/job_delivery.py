"""The seam between the store and whatever brings jobs to workers."""

from datetime import datetime
from typing import Protocol


class Delivery(Protocol):
    """Brings a job to a worker, which then calls `run_or_resume`.

    It may deliver late, twice or never: the store says what is to be done, and who does it.
    """

    async def deliver(self, job: str, *, priority: int, at: datetime | None) -> None:
        """Let some worker call `run_or_resume` with this id, not before `at` (None: now).

        Args:
            job: Its id.
            priority: Higher comes first.
            at: With a time zone.
        """
        ...
