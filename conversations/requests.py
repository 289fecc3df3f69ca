"""What waits for a person, in the store: calls to approve, calls in doubt, and questions to the user."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import time
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.question import Question
from ringfence.conversations.store import Store

WAITING, WITHDRAWN = "waiting", "withdrawn"
QUESTION = "question"
Decided = Callable[[AsyncConnection, str], Awaitable[object]]
REQUESTS = "requests"
"""Where the store tells that something waits, or was decided."""


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """One request of the store."""

    id: str
    conversation: str
    turn: int
    kind: str
    """`approval`, `doubt` or `question`."""
    key: str
    """The step of the journal that it is about."""
    status: str
    """`waiting`, `approved`, `rejected`, `answered`, or `withdrawn`."""
    asked_at: float
    """Seconds since 1970."""
    expires_at: float
    content: Mapping[str, Any] = field(repr=False)
    decision: Mapping[str, Any] | None = field(default=None, repr=False)
    spoken: Mapping[str, Any] | None = field(default=None, repr=False)
    """What the first of several persons said, while it waits for the next."""

    @property
    def is_waiting(self) -> bool:
        """Whether somebody still has to decide, and can."""
        return self.status == WAITING and self.expires_at > time()


class Requests:
    """The requests of one conversation."""

    def __init__(self, store: Store, conversation: str, *, decided: Decided | None = None) -> None:
        self._store = store
        self._conversation = conversation
        self._decided = decided
        """Called in the transaction of each decision, such as to make a waiting job due."""
        self._table = store.tables.requests
        self._spoken: dict[str, str | None] = {}
        """What the first of several persons said of a request, sealed as it was read last."""
        self.asked = 0
        """How many there are in the store, so that one that was taken away is noticed."""

    async def ask(
        self,
        *,
        id: str,  # noqa: A002 - the word that everybody uses for it
        turn: int,
        kind: str,
        key: str,
        content: Mapping[str, Any],
        expires_at: float,
    ) -> None:
        """Write a request down; one that is there already stays as it is."""

        async def keep(db: AsyncConnection) -> int:
            known = await db.execute(select(self._table.c.id).where(self._table.c.id == id))
            if known.one_or_none() is None:
                row = {
                    "id": id, "conversation": self._conversation, "turn": turn, "kind": kind, "key": key,
                    "status": WAITING, "content": self._sealed(content, id, kind, key),
                    "asked_at": time(), "expires_at": expires_at,
                }  # fmt: skip
                await db.execute(insert(self._table).values(row))
                await self._store.notify(db, REQUESTS, self._conversation)
            ours = self._table.c.conversation == self._conversation
            return (await db.execute(select(func.count()).select_from(self._table).where(ours))).scalar_one()

        self.asked = await self._store.run(keep)

    async def decide(self, id: str, *, status: str, decision: Mapping[str, Any]) -> bool:  # noqa: A002 - as above
        """Write down what was said of a request; False when somebody else was faster.

        With the status `waiting` the request waits on, for the next person.
        """
        sealed = self._sealed(decision, id, "decision", status)
        before = self._spoken.get(id)

        async def keep(db: AsyncConnection) -> bool:
            mine = (self._table.c.id == id, self._table.c.conversation == self._conversation)
            is_as_seen = (
                self._table.c.decision.is_(None) if before is None else self._table.c.decision == before
            )
            values = {"status": status, "decision": sealed}
            decided = await db.execute(
                update(self._table)
                # What somebody said meanwhile must not be lost, or be taken for said of something else.
                .where(*mine, self._table.c.status == WAITING, is_as_seen)
                .values(**values, **({} if status == WAITING else {"decided_at": time()}))
            )
            if decided.rowcount != 1:
                # Perhaps it was written, and only the answer was lost.
                kept = await db.execute(select(self._table.c.decision).where(*mine))
                return kept.scalar_one_or_none() == sealed
            await self._store.notify(db, REQUESTS, self._conversation)
            if self._decided is not None and status != WAITING:
                await self._decided(db, self._conversation)
            return True

        if is_ours := await self._store.run(keep):
            self._spoken[id] = sealed
        return is_ours

    async def withdraw(self) -> None:
        """Nothing of what was asked or decided in the last turn counts any more; older requests stay."""
        talks = self._store.tables.conversations

        async def keep(db: AsyncConnection) -> None:
            last = select(talks.c.turn).where(talks.c.id == self._conversation).scalar_subquery()
            await db.execute(
                update(self._table)
                .where(
                    self._table.c.conversation == self._conversation,
                    self._table.c.turn == last,
                    self._table.c.status != WITHDRAWN,
                )
                .values(status=WITHDRAWN)
            )
            await self._store.notify(db, REQUESTS, self._conversation)

        await self._store.run(keep)

    async def of_turn(self, db: AsyncConnection, turn: int) -> list[StoredRequest]:
        """The requests of one turn that count, oldest first."""
        rows = await db.execute(
            select(self._table)
            .where(
                self._table.c.conversation == self._conversation,
                self._table.c.turn == turn,
                self._table.c.status != WITHDRAWN,
            )
            .order_by(self._table.c.asked_at, self._table.c.id)
        )
        found = rows.all()
        self._spoken = {row.id: row.decision for row in found}
        return [read_request(self._store, row) for row in found]

    def _sealed(self, content: Mapping[str, Any], *bound: str) -> str:
        sealed: str = self._store.sealer.seal(content, "requests", self._conversation, *bound)
        return sealed


def read_request(store: Store, row: Any) -> StoredRequest:
    """A request from its row.

    Raises:
        StoreError: The row was changed.
    """
    binding = ("requests", row.conversation, row.id)
    decision = None
    if row.decision is not None and row.status != WITHDRAWN:
        decision = store.sealer.open(row.decision, *binding, "decision", row.status)
    elif row.status not in {WAITING, WITHDRAWN}:
        store.sealer.open(None, *binding, "decision", row.status)
    spoken = None
    if row.status == WAITING:
        decision, spoken = None, decision
    content = store.sealer.open(row.content, *binding, row.kind, row.key)
    return StoredRequest(
        id=row.id,
        conversation=row.conversation,
        turn=row.turn,
        kind=row.kind,
        key=row.key,
        status=row.status,
        asked_at=row.asked_at,
        # The column is for looking up; what counts is sealed.
        expires_at=datetime.fromisoformat(content["expires_at"]).timestamp(),
        content=content,
        decision=decision,
        spoken=spoken,
    )


def question_of(stored: StoredRequest) -> Question:
    """A question again."""
    return Question(
        id=stored.id,
        conversation=stored.conversation,
        agent=stored.content["agent"],
        prompt=stored.content["prompt"],
        expires_at=datetime.fromtimestamp(stored.expires_at, UTC),
    )
