"""What one conversation does, written down before and after: the only way in which its rows are changed."""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from time import time
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.lease import Lease, new_token
from ringfence.conversations.outcomes import Outcome
from ringfence.conversations.record import NOTHING_YET, Record, facts_of
from ringfence.conversations.records import (
    DONE,
    FAILED,
    RAN,
    STARTED,
    Row,
    StoredEvent,
    event_binding,
    outcome_binding,
    request_binding,
)
from ringfence.conversations.status import Status
from ringfence.conversations.store import Store
from ringfence.errors import ConversationChanged, StoreError

_FLUSH_AFTER_SECONDS = 0.2
_NEVER_READ = -1
_LONGEST_KEY = 160
"""Characters; a key has a column of 200."""
Work = Callable[[AsyncConnection], Awaitable[None]]
EVENTS = "events"
"""Where the store tells that a conversation has new events, or another status."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A step that is about to be made."""

    key: str
    kind: str
    agent: str
    name: str
    request: Mapping[str, Any]


class Journal:
    """The steps of a conversation's open turn, and the checkpoints between its turns.

    A step is known by what is asked, not by when: so parallel calls, another order and new message ids find
    their own outcomes again.
    """

    def __init__(self, store: Store, conversation: str) -> None:
        self.store = store
        self.conversation = conversation
        self.lease = Lease(store, conversation)
        rows, steps = store.tables.conversations, store.tables.journal
        # Made once, because making a statement costs as much as running it.
        self._own_row = update(rows).where(
            rows.c.id == bindparam("is_id"),
            rows.c.epoch == bindparam("is_epoch"),
            rows.c.writes == bindparam("was_writes"),
        )
        self._step = update(steps).where(
            steps.c.conversation == bindparam("is_conversation"),
            steps.c.turn == bindparam("is_turn"),
            steps.c.key == bindparam("is_key"),
        )
        self.session: Callable[[], Mapping[str, Any]] = dict
        """What is written beside every step: accounts, suspicions, news."""
        self.vault: Callable[[], tuple[int, Callable[[], Mapping[str, Any]]]] | None = None
        """The version of the vault, and what seals it."""
        self.salt = secrets.token_hex(16)
        """Makes the idempotency keys of this conversation other ones than those of all others."""
        self.run = self.turn = 0
        self.opened: Sequence[Mapping[str, Any]] | None = None
        """What the open turn began with; None when there is none, or it has not passed the user's door."""
        self._lock = asyncio.Lock()
        self._token = _NEVER_READ
        self._journal_rows = self._event_rows = 0
        self._rows: dict[str, Row] = {}
        self._unused: set[str] = set()
        self._seen: Counter[str] = Counter()
        self._events: list[StoredEvent] = []
        self._flushing: asyncio.Task[None] | None = None
        self.turn_events: list[StoredEvent] = []
        """What went out in the open turn."""
        self.intents: dict[str, Intent] = {}
        """Of tool calls that are on their way, with arguments as the agents see them."""
        self._settled = 0
        self._facts: dict[str, Any] = {**NOTHING_YET}
        """What stands in the clear in the conversation's row; its sealed part says the same."""
        self._written_session: Mapping[str, Any] | None = None
        self._written_vault = -1
        self.ended = False
        """A run was under way and is over: nothing may happen until the next one begins."""

    @property
    def is_open(self) -> bool:
        """Whether a run is under way, so that steps are written down."""
        return self.lease.is_held

    @property
    def rows(self) -> Mapping[str, Row]:
        """The steps of the open turn, by key."""
        return self._rows

    @property
    def token(self) -> int:
        """Marks the last write that is known of; none before anything was read."""
        return self._token

    def take_up(self, record: Record, rows: Sequence[Row], events: Sequence[StoredEvent]) -> None:
        """Go on from what the store holds: the steps and the events of the open turn."""
        self.run, self.turn = record.run, record.turn
        self._journal_rows, self._event_rows = record.journal_rows, record.event_rows
        self._events.clear()
        self._written_session, self._written_vault = None, -1
        self.opened = None if record.open_turn is None else record.open_turn["messages"]
        self._rows = {row.key: row for row in rows}
        self._settled = sum(row.outcome is not None for row in rows)
        self._facts = record.facts()
        if record.open_turn is not None and self._settled != record.session.get("settled", self._settled):
            raise StoreError(
                f"Steps of the open turn of conversation {self.conversation!r} have lost their outcome: its "
                "journal was changed, so nobody can say what happened; restore it from a backup"
            )
        self.turn_events = [*events]
        self._token = record.writes

    def lose_track(self) -> None:
        """Nobody knows what was written last, so the next run has to look."""
        self._token = _NEVER_READ

    # The run

    async def begin_run(self, *, resumes: bool, **values: Any) -> None:
        """Take the lease and open a turn, or the turn that is open already.

        Raises:
            ConversationInterrupted: Another process runs the conversation.
            StoreError: The store does not answer.
        """
        if not resumes:
            self.run, self.turn = self.run + 1, self.turn + 1
            self._rows, self._settled = {}, 0
            values["open_turn"] = self._seal_open_turn(None)
            self.opened = None
            self.turn_events.clear()
        self._unused = set(self._rows)
        self._seen.clear()
        token = new_token()
        values |= {"run": self.run, "turn": self.turn}
        kept = self._sealed_beside(values)

        async def take(db: AsyncConnection) -> None:
            table = self.store.tables.conversations
            known = await db.execute(select(table.c.writes).where(table.c.id == self.conversation))
            if known.scalar_one() == token:
                return
            await self.lease.take(db, seen=self._token, writes=token, updated_at=time(), **values)
            await self._tell(db)

        await self.store.run(take)
        self._token = token
        kept()
        self.ended = False
        self.lease.start_beating()

    async def set_messages(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Keep what the open turn begins with, once it has passed the user's door."""
        await self._write(open_turn=self._seal_open_turn(messages))
        self.opened = messages

    async def end_turn(
        self,
        *,
        state: Mapping[str, Any],
        said: Sequence[Mapping[str, Any]],
        goes_on: bool,
        status: str = Status.RUNNING.value,
    ) -> None:
        """The checkpoint between two turns: all that the conversation is, in one transaction."""
        turn, run, table = self.turn, self.run, self.store.tables.turns
        sealed = self.store.sealer.seal(said, "turns", self.conversation, turn, run)

        async def keep(db: AsyncConnection) -> None:
            row = {"conversation": self.conversation, "turn": turn, "run": run, "said": sealed}
            await db.execute(insert(table), row)

        values: dict[str, Any] = {
            "state": self.store.sealer.seal(state, "conversations", self.conversation, "state"),
            "open_turn": self._seal_open_turn([], turn + 1) if goes_on else None,
            "turn": turn + 1 if goes_on else turn,
            "status": status,
        }
        await self._write(keep, settled=-self._settled, turns=1, **values)
        self.turn = values["turn"]
        self.opened = [] if goes_on else None
        self._rows, self._unused = {}, set()
        self._seen.clear()
        self.intents.clear()
        self.turn_events.clear()

    async def end_run(self, *, status: str, **values: Any) -> None:
        """Write how the run ended and give the lease back; the open turn, if there is one, stays open."""
        self.ended = True  # first: a call that comes while this waits must find no journal that is neither
        await self.lease.stop_beating()
        flushing, self._flushing = self._flushing, None
        if flushing is not None:
            flushing.cancel()
            with suppress(asyncio.CancelledError):
                await flushing
        await self._write(self._tell, status=status, owner="", leased_until=0.0, **values)

    # Steps

    def row(self, key: str) -> Row | None:
        """What the journal holds of this step of the open turn."""
        self._unused.discard(key)
        return self._rows.get(key)

    def idempotency_key(self, key: str) -> str:
        """What an outside service may know of a step: the same whenever it is made, and says nothing."""
        return f"ringfence-{hashlib.sha256(f'{self.salt}:{self.turn}:{key}'.encode()).hexdigest()[:40]}"

    def bind(self, arguments: Mapping[str, Any]) -> str:
        """A hash of real values that nobody without the salt can guess them by."""
        text = json.dumps(arguments, sort_keys=True, default=str)
        return hmac.new(self.salt.encode(), text.encode(), "sha256").hexdigest()

    def occurrence(self, key: str) -> str:
        """The key of a step that may be made several times in a turn: numbered by how often it was asked."""
        if len(key) > _LONGEST_KEY:
            key = f"{key[:100]}:{hashlib.sha256(key.encode()).hexdigest()[:40]}"
        self._seen[key] += 1
        return f"{key}:{self._seen[key]}"

    def check_on_course(self, key: str, agent: str) -> None:
        """Make sure that a call which is not on record comes after all of its agent's that are.

        Raises:
            ConversationChanged: The turn is played again and takes another course than it took.
        """
        if key in self._rows:
            return
        left = [self._rows[one] for one in self._unused]
        if any(row.kind in {"model", "reask"} and row.agent == agent and row.status == DONE for row in left):
            raise ConversationChanged([f"{agent or 'the team'} asks its model something else"])

    async def start(self, intent: Intent, outcome: Outcome | None = None) -> None:
        """Write down that a step is about to be made; with an outcome, that it was settled unmade.

        Raises:
            StoreError: It cannot be written, so it must not be made.
        """
        before, table = self._rows.get(intent.key), self.store.tables.journal
        row = Row(
            turn=self.turn,
            key=intent.key,
            number=before.number if before else self._journal_rows + 1,
            kind=intent.kind,
            agent=intent.agent,
            name=intent.name,
            status=STARTED if outcome is None else DONE,
            epoch=self.lease.epoch,
            started_at=time(),
            ended_at=None if outcome is None else time(),
            request=intent.request,
            outcome=outcome,
        )

        async def keep(db: AsyncConnection) -> None:
            nonlocal row
            if before is None:
                row = replace(row, number=self._journal_rows + 1)
            bound = outcome_binding(self.conversation, self.turn, row.key, row.status)
            values = {
                "status": row.status, "epoch": row.epoch, "started_at": row.started_at,
                "ended_at": row.ended_at,
                "request": self._sealed(row.request, request_binding(self.conversation, row)),
                "outcome": None if outcome is None else self._sealed(outcome, bound),
            }  # fmt: skip
            if before is not None:
                await db.execute(self._step, {**values, **self._is(intent.key)})
                return
            new = {
                "conversation": self.conversation, "turn": self.turn, "key": row.key, "number": row.number,
                "kind": row.kind, "agent": row.agent, "name": row.name,
            }  # fmt: skip
            await db.execute(insert(table), new | values)

        settled = (outcome is not None) - (before is not None and before.outcome is not None)
        await self._write(keep, journal_rows=0 if before else 1, settled=settled)
        self._rows[intent.key] = row

    async def finish(self, key: str, outcome: Outcome, *, status: str = DONE) -> None:
        """Write down what came of a step."""
        before = self._rows.get(key)
        settled = int(before is not None and before.outcome is None)
        await self._write(lambda db: self._complete(db, key, outcome, status), settled=settled)
        self._note(key, outcome, status)

    async def fail(self, key: str, outcome: Outcome) -> None:
        """Write down that a step failed in a way that may pass: it will be made again."""
        await self.finish(key, outcome, status=FAILED)

    @asynccontextmanager
    async def effect(self, key: str) -> AsyncIterator[tuple[AsyncConnection, Callable[[Outcome], None]]]:
        """A transaction in which a tool does its work, and which records what it did, or neither of the two.

        Raises:
            StoreError: It could not be committed.
        """
        outcomes: list[Outcome] = []
        async with self._lock:
            token = new_token()
            values: dict[str, Any] = {}
            kept = self._sealed_beside(values, settled=1)
            async with self.store.transaction() as db:
                await self._fence(db, token, values)
                yield db, outcomes.append
                await self._complete(db, key, outcomes[-1], RAN)
            self._token = token
            kept()
        self._note(key, outcomes[-1], RAN)

    # Events

    def deliver(self, *, kind: str, source: str, content: Mapping[str, Any]) -> None:
        """Note that a message went out; it is written with the next step."""
        number = self._event_rows + len(self._events) + 1
        event = StoredEvent(number, self.turn, kind, source, time(), content)
        self._events.append(event)
        self.turn_events.append(event)
        if self._flushing is None and self.is_open:
            self._flushing = asyncio.ensure_future(self._flush_soon())

    async def _flush_soon(self) -> None:
        """Write what was noted, if no step does it meanwhile: others may be watching a long call."""
        await asyncio.sleep(_FLUSH_AFTER_SECONDS)
        self._flushing = None
        with suppress(StoreError):  # the next step says so
            if self._events and self.is_open:
                await self._write()

    # Below: one write at a time

    async def _write(
        self,
        work: Work | None = None,
        *,
        journal_rows: int = 0,
        settled: int = 0,
        turns: int = 0,
        **values: Any,
    ) -> None:
        async with self._lock:
            token, events = new_token(), [*self._events]
            values["journal_rows"] = self._journal_rows + journal_rows
            values["event_rows"] = self._event_rows + len(events)
            kept = self._sealed_beside(values, settled=settled, turns=turns)

            async def write(db: AsyncConnection) -> None:
                if not await self._fence(db, token, values):
                    return
                for event in events:
                    await self._insert_event(db, event)
                if work is not None:
                    await work(db)
                if events:
                    await self._tell(db)

            await self.store.run(write)
            self._token = token
            self._journal_rows += journal_rows
            self._event_rows += len(events)
            del self._events[: len(events)]
            kept()

    def _sealed_beside(
        self, values: dict[str, Any], *, settled: int = 0, turns: int = 0
    ) -> Callable[[], None]:
        """Add to a write the sealed columns that change with it; what it answers notes that it was made.

        They hold how many rows there are, how many steps have an outcome, and what stands in the clear beside
        them, so that nobody takes something away unnoticed.
        """
        vault = self.vault() if self.vault else None
        if vault is not None and vault[0] != self._written_vault:
            values["vault"] = self.seal("vault", vault[1]())
        facts = {**self._facts, **facts_of(values)}
        facts["turns"] = facts.get("turns", 0) + turns
        session = {**self.session(), "settled": self._settled + settled, "row": facts}
        if session != self._written_session:
            values["session"] = self.seal("session", session)

        def kept() -> None:
            self._settled += settled
            self._facts = facts
            self._written_session = session
            if vault is not None:
                self._written_vault = vault[0]

        return kept

    async def _fence(self, db: AsyncConnection, token: int, values: Mapping[str, Any]) -> bool:
        """Begin a write; False when it was committed before, and only the answer was lost."""
        table = self.store.tables.conversations
        ours = {"is_id": self.conversation, "is_epoch": self.lease.epoch, "was_writes": self._token}
        new = {**values, "writes": token, "updated_at": time()}
        if (await db.execute(self._own_row, {**ours, **new})).rowcount == 1:
            return True
        mine = (table.c.id == self.conversation, table.c.epoch == self.lease.epoch)
        if (await db.execute(select(table.c.writes).where(*mine))).scalar_one_or_none() == token:
            return False
        raise self.lease.lost()

    async def _complete(self, db: AsyncConnection, key: str, outcome: Outcome, status: str) -> None:
        bound = outcome_binding(self.conversation, self.turn, key, status)
        values = {"status": status, "ended_at": time(), "outcome": self.store.sealer.seal(outcome, *bound)}
        await db.execute(self._step, {**values, **self._is(key)})

    async def _insert_event(self, db: AsyncConnection, event: StoredEvent) -> None:
        bound = event_binding(self.conversation, event.number, event.kind, event.source)
        row = {
            "conversation": self.conversation, "number": event.number, "turn": event.turn, "kind": event.kind,
            "source": event.source, "content": self.store.sealer.seal(event.content, *bound), "at": event.at,
        }  # fmt: skip
        await db.execute(insert(self.store.tables.events), row)

    async def _tell(self, db: AsyncConnection) -> None:
        await self.store.notify(db, EVENTS, self.conversation)

    def _note(self, key: str, outcome: Outcome, status: str) -> None:
        if key in self._rows:
            self._rows[key] = replace(self._rows[key], outcome=outcome, status=status, ended_at=time())

    def _is(self, key: str) -> dict[str, Any]:
        return {"is_conversation": self.conversation, "is_turn": self.turn, "is_key": key}

    def seal(self, column: str, content: Any) -> str:
        """Seal what a column of the conversation's row holds."""
        return self._sealed(content, ("conversations", self.conversation, column))

    def _sealed(self, content: Any, bound: tuple[str | int, ...]) -> str:
        sealed: str = self.store.sealer.seal(content, *bound)
        return sealed

    def _seal_open_turn(self, messages: Sequence[Mapping[str, Any]] | None, turn: int | None = None) -> str:
        opened = {"turn": turn or self.turn, "messages": None if messages is None else [*messages]}
        return self.seal("open_turn", opened)


def no_run() -> StoreError:
    """The error of a step after the end of a run."""
    return StoreError("No run is under way, so nothing can be written down, and nothing is done")
