"""Reading what the store holds of a conversation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.lease import SANE
from ringfence.conversations.outcomes import Outcome
from ringfence.conversations.processes import is_gone
from ringfence.conversations.record import Record, checked, digest_of
from ringfence.conversations.store import Store
from ringfence.errors import UnknownConversation

STARTED, RAN, DONE, FAILED = "started", "ran", "done", "failed"
"""Of a row of the journal: under way, took effect, has an outcome, has to be made again."""


@dataclass(frozen=True, slots=True)
class Row:
    """A step of the journal."""

    turn: int
    key: str
    number: int
    """Its place among the steps of the conversation, from 1."""
    kind: str
    """`model`, `reask`, `judge`, `tool`, `memory` or `question`."""
    agent: str
    name: str
    """The model or the tool."""
    status: str
    epoch: int
    started_at: float
    """Seconds since 1970."""
    ended_at: float | None
    request: Mapping[str, Any] = field(repr=False)
    outcome: Outcome | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A message or event that went out to the user, with pseudonyms."""

    number: int
    """Its place among the events of the conversation, from 1."""
    turn: int
    kind: str
    source: str
    at: float
    """Seconds since 1970."""
    content: Mapping[str, Any] = field(repr=False)
    """Its transcript entry under `entry`, and the whole message under `message`."""


@dataclass(frozen=True, slots=True)
class Glance:
    """As much of a conversation's row as tells whether there is anything new."""

    writes: int
    turn: int
    owner: str
    is_running: bool
    """Somebody holds its lease."""


async def glance(db: AsyncConnection, store: Store, conversation: str) -> Glance | None:
    """Whether there is anything new; None when the store knows no such conversation."""
    table = store.tables.conversations
    columns = (table.c.writes, table.c.turn, table.c.owner, table.c.leased_until)
    row = (await db.execute(select(*columns).where(table.c.id == conversation))).one_or_none()
    if row is None:
        return None
    return Glance(row.writes, row.turn, row.owner, _is_held(store, row, await store.now(db)))


async def find_record(db: AsyncConnection, store: Store, conversation: str) -> Record | None:
    """The conversation's row, or None.

    Raises:
        StoreError: It was changed, or rows of its journal or its events are missing.
    """
    table = store.tables.conversations
    row = (await db.execute(select(table).where(table.c.id == conversation))).one_or_none()
    if row is None:
        return None
    now = await store.now(db)

    def opened(column: str) -> Any:
        sealed = getattr(row, column)
        return None if sealed is None else store.sealer.open(sealed, "conversations", conversation, column)

    record = Record(
        id=row.id,
        user=store.sealer.open(row.user_sealed, "conversations", conversation, "user"),
        team=row.team,
        status=row.status,
        policy=row.policy,
        owner=row.owner,
        is_running=_is_held(store, row, now),
        run=row.run,
        turn=row.turn,
        writes=row.writes,
        journal_rows=row.journal_rows,
        event_rows=row.event_rows,
        created_at=row.created_at,
        updated_at=row.updated_at,
        open_turn=opened("open_turn"),
        state=opened("state"),
        session=opened("session") or {},
        vault=opened("vault"),
        fingerprint=opened("fingerprint") or {},
        digests={name: digest_of(getattr(row, name)) for name in ("open_turn", "state", "vault")},
    )
    return await checked(db, store, record)


async def read_record(db: AsyncConnection, store: Store, conversation: str) -> Record:
    """The conversation's row.

    Raises:
        UnknownConversation: There is none.
        StoreError: As `find_record`.
    """
    record = await find_record(db, store, conversation)
    if record is None:
        raise UnknownConversation(f"The store {store.name} knows no conversation {conversation!r}")
    return record


async def read_rows(
    db: AsyncConnection, store: Store, conversation: str, *, turn: int | None = None
) -> list[Row]:
    """The steps of the journal in order, of one turn or all."""
    table = store.tables.journal
    wanted = select(table).where(table.c.conversation == conversation).order_by(table.c.number)
    if turn is not None:
        wanted = wanted.where(table.c.turn == turn)
    return [_row(store, conversation, row) for row in await db.execute(wanted)]


async def read_events(
    db: AsyncConnection, store: Store, conversation: str, *, since: int = 0
) -> list[StoredEvent]:
    """The events after number `since`, in order."""
    table = store.tables.events
    wanted = (
        select(table)
        .where(table.c.conversation == conversation, table.c.number > since)
        .order_by(table.c.number)
    )
    return [
        StoredEvent(
            number=row.number,
            turn=row.turn,
            kind=row.kind,
            source=row.source,
            at=row.at,
            content=store.sealer.open(
                row.content, *event_binding(conversation, row.number, row.kind, row.source)
            ),
        )
        for row in await db.execute(wanted)
    ]


async def read_said(
    db: AsyncConnection, store: Store, conversation: str, *, run: int
) -> list[Sequence[Mapping[str, Any]]]:
    """What was said in each finished turn of a run, as `Runner.said` gave it."""
    table = store.tables.turns
    wanted = (
        select(table).where(table.c.conversation == conversation, table.c.run == run).order_by(table.c.turn)
    )
    return [
        store.sealer.open(row.said, "turns", conversation, row.turn, row.run)
        for row in await db.execute(wanted)
    ]


def _is_held(store: Store, row: Any, now: float) -> bool:
    # One that ends far too late was given by a clock that has been moved; whoever wants the lease finds out.
    is_timely = now < row.leased_until <= now + SANE * store.settings.lease_seconds
    return bool(row.owner) and is_timely and not is_gone(row.owner)


def request_binding(conversation: str, row: Any) -> tuple[str | int, ...]:
    """What the request of a journal row is bound to."""
    place = (row.turn, row.key, row.number, row.epoch)
    return ("journal", conversation, "request", *place, row.kind, row.agent, row.name)


def outcome_binding(conversation: str, turn: int, key: str, status: str) -> tuple[str | int, ...]:
    """What the outcome of a journal row is bound to."""
    return ("journal", conversation, turn, key, "outcome", status)


def event_binding(conversation: str, number: int, kind: str, source: str) -> tuple[str | int, ...]:
    """What the content of an event is bound to."""
    return ("events", conversation, number, kind, source)


def _row(store: Store, conversation: str, row: Any) -> Row:
    request = store.sealer.open(row.request, *request_binding(conversation, row))
    outcome = None
    if row.outcome is not None or row.status != STARTED:
        bound = outcome_binding(conversation, row.turn, row.key, row.status)
        outcome = store.sealer.open(row.outcome, *bound)
    return Row(
        turn=row.turn,
        key=row.key,
        number=row.number,
        kind=row.kind,
        agent=row.agent,
        name=row.name,
        status=row.status,
        epoch=row.epoch,
        started_at=row.started_at,
        ended_at=row.ended_at,
        request=request,
        outcome=outcome,
    )
