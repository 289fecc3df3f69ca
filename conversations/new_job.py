"""A job that is being handed in: what is allowed, and writing it down once."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.job_rows import content_binding, read_row
from ringfence.conversations.job_status import JOBS, JobStatus
from ringfence.conversations.store import Store
from ringfence.errors import JobError, TaskError

_LONGEST_ID = 200
_HIGHEST_PRIORITY = 1_000_000


@dataclass(frozen=True, slots=True)
class NewJob:
    """A task as it is handed in; see `Jobs.submit`."""

    id: str
    task: str = field(repr=False)
    user: str = field(repr=False)
    tenant: str = field(repr=False)
    team: str | None
    priority: int
    at: datetime | None
    retries: int

    def check(self) -> None:
        """Make sure that it can be a job.

        Raises:
            TaskError: The task is no text.
            JobError: Something else is wrong.
        """
        if not isinstance(self.task, str):
            raise TaskError(f"The task of a job is a text, not {type(self.task).__name__}")
        if not self.id or len(self.id) > _LONGEST_ID or not self.id.isprintable():
            raise JobError(f"The id of a job has 1 to {_LONGEST_ID} printable characters")
        if self.team is not None and not isinstance(self.team, str):
            raise JobError(
                "A function cannot travel to a worker in another process; let the workers register it, with "
                "jobs.register(name, factory), and hand in the name"
            )
        if self.at is not None and self.at.utcoffset() is None:
            raise JobError("The time at which a job starts needs a time zone, such as UTC")
        if abs(self.priority) > _HIGHEST_PRIORITY:
            raise JobError(f"A priority lies between {-_HIGHEST_PRIORITY} and {_HIGHEST_PRIORITY}")
        if self.retries < 0:
            raise JobError("The number of retries is 0 or more")

    async def write(self, db: AsyncConnection, store: Store) -> None:
        """Keep it, unless it is kept already.

        Raises:
            JobError: The id is another job's, or that of a conversation.
        """
        jobs, talks = store.tables.jobs, store.tables.conversations
        content = {"task": self.task, "user": self.user, "tenant": self.tenant, "team": self.team}
        if not await _is_there(db, jobs.c.id == self.id):
            if await _is_there(db, talks.c.id == self.id):
                raise JobError(f"There is a conversation {self.id!r} already; a job begins one of its own")
            insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
            row = self._row(store, content, await store.now(db))
            # Another process may hand it in at this moment, too.
            await db.execute(insert(jobs).values(row).on_conflict_do_nothing())
            await store.notify(db, JOBS, self.id)
        kept = await read_row(db, store, self.id)
        known = store.sealer.open(kept.content, *content_binding(self.id))
        if any(known[name] != value for name, value in content.items()):
            raise JobError(
                f"The id {self.id!r} is another job's: its task, user, tenant or team is not the same"
            )

    def _row(self, store: Store, content: dict[str, Any], now: float) -> dict[str, Any]:
        return {
            "id": self.id,
            "user_hash": store.sealer.hash_of(self.user),
            "tenant_hash": store.sealer.hash_of(self.tenant) if self.tenant else "",
            "status": JobStatus.QUEUED.value,
            "priority": self.priority,
            "due_at": now if self.at is None else self.at.timestamp(),
            "most_attempts": self.retries + 1,
            "content": store.sealer.seal(content, *content_binding(self.id)),
            "created_at": now,
            "updated_at": now,
        }


async def _is_there(db: AsyncConnection, condition: Any) -> bool:
    return bool((await db.execute(select(exists().where(condition)))).scalar_one())
