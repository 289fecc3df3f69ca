"""What is seen of a job and its conversation, with the real values that its user may see."""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.budgets.limits import Limits
from ringfence.budgets.usage import Usage
from ringfence.conversations.approval_rows import waiting_call
from ringfence.conversations.job_records import Job, JobEvent, Progress, moment
from ringfence.conversations.job_rows import job_of, read_row, result_binding
from ringfence.conversations.record import Record
from ringfence.conversations.records import find_record, read_events
from ringfence.conversations.requests import QUESTION, question_of, read_request
from ringfence.conversations.store import Store
from ringfence.guardrails.vault import Vault

News = list[tuple[int, JobEvent]]
"""Events with their numbers."""


class JobViews:
    """Reads jobs with all that belongs to them. Nothing is run for it, and no team is built."""

    def __init__(
        self,
        store: Store,
        limits: Callable[[], Limits],
        reveal_to_user: Callable[[], Collection[str] | None],
    ) -> None:
        self._store = store
        self._limits = limits
        self._reveal_to_user = reveal_to_user

    async def job(self, db: AsyncConnection, job: str) -> Job:
        """A job with its progress.

        Raises:
            UnknownConversation: There is none.
        """
        row = await read_row(db, self._store, job)
        record = await find_record(db, self._store, job)
        progress = Progress(limits=self._limits()) if record is None else await self._progress(db, record)
        return job_of(row, self._store, progress)

    async def answer(self, db: AsyncConnection, job: str) -> str:
        """The answer of a job that is done."""
        row = await read_row(db, self._store, job)
        record = await find_record(db, self._store, job)
        answer = self._store.sealer.open(row.result, *result_binding(job))["answer"]
        return str(self._reveal(_vault(record), answer))

    async def mark(self, db: AsyncConnection, job: str) -> tuple[Any, ...] | None:
        """Something that is another thing after each change of a job or its conversation; costs little."""
        jobs, talks = self._store.tables.jobs, self._store.tables.conversations
        columns = (jobs.c.status, jobs.c.updated_at, jobs.c.cancelled, talks.c.writes)
        whole = select(*columns).select_from(jobs.outerjoin(talks, talks.c.id == jobs.c.id))
        row = (await db.execute(whole.where(jobs.c.id == job))).one_or_none()
        return None if row is None else tuple(row)

    async def news(self, db: AsyncConnection, job: str, since: int) -> tuple[Job, News]:
        """A job with its progress, and its events after a number; both as they were at one moment."""
        seen = await self.job(db, job)
        stored = await read_events(db, self._store, job, since=since)
        vault = _vault(await find_record(db, self._store, job)) if stored else Vault()
        news: News = []
        for event in stored:
            content = self._reveal(vault, event.content)
            text, message = content["entry"]["text"], content["message"]
            told = JobEvent(event.kind, event.source, text, event.turn, moment(event.at), message)
            news.append((event.number, told))
        return seen, news

    async def _progress(self, db: AsyncConnection, record: Record) -> Progress:
        vault, table = _vault(record), self._store.tables.requests
        mine = (table.c.conversation == record.id, table.c.turn == record.turn)
        rows = await db.execute(select(table).where(*mine).order_by(table.c.asked_at, table.c.id))
        waiting = [one for one in (read_request(self._store, row) for row in rows) if one.is_waiting]
        spent = record.session.get("spent")
        return Progress(
            turn=record.turn,
            usage=Usage.of(spent) if spent else Usage(),
            limits=self._limits(),
            approvals=tuple(waiting_call(one, vault).shown for one in waiting if one.kind != QUESTION),
            questions=tuple(question_of(one) for one in waiting if one.kind == QUESTION),
        )

    def _reveal(self, vault: Vault, content: Any) -> Any:
        """JSON with real values in place of the stand-ins that were given out for them."""
        match content:
            case str():
                return vault.reveal(content, self._reveal_to_user())
            case dict():
                return {name: self._reveal(vault, value) for name, value in content.items()}
            case list():
                return [self._reveal(vault, value) for value in content]
            case _:
                return content


def _vault(record: Record | None) -> Vault:
    vault = Vault()
    if record is not None and record.vault is not None:
        vault.restore(record.vault)
    return vault
