"""What a conversation is between its runs, in memory as in the store."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import time
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.approval_rows import decided_calls, waiting_call
from ringfence.conversations.lease import new_token, running_elsewhere
from ringfence.conversations.record import Record
from ringfence.conversations.records import (
    DONE,
    RAN,
    STARTED,
    Row,
    find_record,
    glance,
    read_events,
    read_record,
    read_rows,
    read_said,
)
from ringfence.conversations.requests import QUESTION, StoredRequest
from ringfence.conversations.session import Session
from ringfence.conversations.status import Status
from ringfence.conversations.transcript import Entry
from ringfence.errors import UnknownConversation

_LONGEST_NOTE = 500


@dataclass
class Kept:
    """A conversation as its last checkpoint left it, and the turn that was not finished, if there is one."""

    status: Status = Status.READY
    state: Mapping[str, Any] | None = None
    """The team's."""
    is_replaced: bool = False
    """The state was loaded by hand, and is written down with the next run."""
    said: Sequence[Sequence[Mapping[str, Any]]] = ()
    """What was said in the finished turns of the run that is not finished."""
    opened: Sequence[Mapping[str, Any]] | None = None
    """What the open turn began with; None when there is none."""
    news: list[str] = field(default_factory=list)
    """What the team has to hear with the next task."""
    entries: list[Entry] = field(default_factory=list)
    requests: Sequence[StoredRequest] = ()
    """What waits or was decided in the open turn."""
    policy: str = ""
    """The version that the open turn began with."""
    fingerprint: Mapping[str, Any] = field(default_factory=dict)
    """The team that it began with."""
    reason: str = ""
    """Why the last run did not come to its end."""
    diverged: bool = False
    """Played again, the open turn took another course."""
    rows: Mapping[str, Row] = field(default_factory=dict, repr=False)
    """The steps of the open turn, by key."""
    is_known: bool = False
    """The store has a row of it."""

    @property
    def is_suspended(self) -> bool:
        """Whether the open turn stopped for a person, who has not decided yet or whose word was not heard."""
        return self.opened is not None and any(
            one.is_waiting or one.decision is not None for one in self.requests if not self._is_settled(one)
        )

    def what_comes_first(self) -> str:
        """Why a suspended conversation takes no task."""
        waits = ", ".join(one.id for one in self.waiting())
        first = f"waits for a person ({waits}): decide, then resume it" if waits else "is decided: resume it"
        return f"This conversation {first}, or withdraw what waits, before it takes another task"

    def waiting(self) -> list[StoredRequest]:
        """What still waits for a person, oldest first."""
        return [one for one in self.requests if one.is_waiting] if self.opened is not None else []

    def _is_settled(self, request: StoredRequest) -> bool:
        row = self.rows.get(request.key)
        return row is not None and row.status == DONE

    async def refresh(
        self, db: AsyncConnection, session: Session, *, forget_team: Callable[[], None]
    ) -> None:
        """Take up what the store holds, unless nobody has written since this process did.

        Raises:
            ConversationInterrupted: Another process runs it.
            UnknownConversation: It is another user's.
            StoreError: A row was changed or is missing.
        """
        store, journal = session.journal.store, session.journal
        seen = await glance(db, store, session.id)
        if seen is None:
            return
        self.is_known = True
        if seen.writes != journal.token:
            try:
                await self._read(db, session, forget_team=forget_team)
            except BaseException:
                journal.lose_track()  # whoever tries again must not pass over it
                raise
        self.rows = journal.rows
        self.requests = await session.requests.of_turn(db, seen.turn)
        self._hand_over_requests(session)
        if seen.is_running:
            raise running_elsewhere(seen.owner)

    async def _read(self, db: AsyncConnection, session: Session, *, forget_team: Callable[[], None]) -> None:
        record = await read_record(db, session.journal.store, session.id)
        if record.user != session.user:
            raise UnknownConversation(
                f"{session.user!r} has no conversation {session.id!r}; is it somebody else's?"
            )
        if record.run == 0:
            session.journal.take_up(record, (), ())  # nothing has begun, so there is nothing but its row
            return
        forget_team()
        await self._take_up(db, session, record)

    async def _take_up(self, db: AsyncConnection, session: Session, record: Record) -> None:
        store, journal = session.journal.store, session.journal
        rows = await read_rows(db, store, session.id)
        events = await read_events(db, store, session.id)
        opened = record.open_turn
        session.restore(record, rows)
        journal.take_up(
            record,
            [row for row in rows if opened is not None and row.turn == record.turn],
            [event for event in events if opened is not None and event.turn == record.turn],
        )
        self.state = record.state
        self.opened = None if opened is None else opened["messages"]
        self.said = await read_said(db, store, session.id, run=record.run) if opened is not None else ()
        self.entries = [Entry(**event.content["entry"]) for event in events]
        self.news = list(record.session.get("news", ()))
        self.diverged = bool(record.session.get("diverged"))
        self.reason = str(record.session.get("reason", ""))
        self.policy, self.fingerprint = record.policy, record.fingerprint
        self.status = Status(record.status)
        if self.status is Status.RUNNING and not record.is_running:
            self.status = Status.INTERRUPTED

    def _hand_over_requests(self, session: Session) -> None:
        approvals = [one for one in self.requests if one.kind != QUESTION]
        session.approvals.load(
            [waiting_call(one, session.vault) for one in approvals if one.status == "waiting"],
            decided_calls(approvals, session.vault),
        )
        session.answers.clear()
        session.answers.update(
            (one.id, str(one.decision["text"]))
            for one in self.requests
            if one.status == "answered" and one.decision
        )

    async def create(self, db: AsyncConnection, session: Session, team: str) -> None:
        """Write the row of a new conversation."""
        store = session.journal.store
        if await find_record(db, store, session.id) is not None:
            return
        now = time()
        row = {
            "id": session.id,
            "user_hash": store.sealer.hash_of(session.user),
            "user_sealed": store.sealer.seal(session.user, "conversations", session.id, "user"),
            "team": team,
            "status": Status.READY.value,
            "writes": new_token(),
            "created_at": now,
            "updated_at": now,
        }
        await db.execute(insert(store.tables.conversations).values(row))

    def effects(self) -> list[str]:
        """What consequential calls of the open turn did, masked; a team that starts anew has to know."""
        found = []
        for row in sorted(self.rows.values(), key=lambda row: row.number):
            if row.kind == "tool" and row.request["consequential"] and (came_of_it := _came_of(row)):
                arguments = json.dumps(row.request["arguments"], ensure_ascii=False)
                found.append(f"{row.name} {arguments}: {came_of_it}")
        return found


def _came_of(row: Row) -> str:
    if row.status == RAN:
        return "it took effect; its result was not checked, so nobody has read it"
    outcome = row.outcome or {}
    unknown = "it is not known whether it took effect"
    match outcome:
        case {"answered": {"result": parts}}:
            return "\n".join(str(part.get("content", "")) for part in parts)[:_LONGEST_NOTE]
        case {"tripped": {"point": "tool_result"}} | {"denied": {"was_begun": True}}:
            return unknown
        case _:
            return unknown if row.status == STARTED else ""
