"""The row of a conversation, and whether anything of the conversation was taken away."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.store import Store
from ringfence.errors import StoreError

NOTHING_YET: Mapping[str, Any] = {
    "journal_rows": 0, "event_rows": 0, "turns": 0, "open_turn": "", "state": "", "vault": "",
}  # fmt: skip
"""The facts of a conversation that has not begun."""


@dataclass(frozen=True, slots=True)
class Record:
    """Where a conversation stands."""

    id: str
    user: str
    team: str
    status: str
    policy: str
    owner: str
    is_running: bool
    """Somebody holds its lease."""
    run: int
    turn: int
    writes: int
    journal_rows: int
    event_rows: int
    created_at: float
    updated_at: float
    open_turn: Mapping[str, Any] | None = field(default=None, repr=False)
    state: Mapping[str, Any] | None = field(default=None, repr=False)
    session: Mapping[str, Any] = field(default_factory=dict, repr=False)
    vault: Mapping[str, Any] | None = field(default=None, repr=False)
    fingerprint: Mapping[str, Any] = field(default_factory=dict, repr=False)
    turns: int = 0
    """How many finished turns the store holds."""
    digests: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What tells the sealed columns from what stood there earlier."""

    def facts(self) -> dict[str, Any]:
        """What stands in the clear in its row, as its sealed part has to know it."""
        return {
            "status": self.status,
            "policy": self.policy,
            "run": self.run,
            "turn": self.turn,
            "journal_rows": self.journal_rows,
            "event_rows": self.event_rows,
            "turns": self.turns,
            **self.digests,
        }


def facts_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """As `Record.facts`, of what a write changes."""
    names = ("status", "policy", "run", "turn", "journal_rows", "event_rows")
    facts = {name: values[name] for name in names if name in values}
    sealed = ("open_turn", "state", "vault")
    return facts | {name: digest_of(values[name]) for name in sealed if name in values}


def digest_of(sealed: str | None) -> str:
    """Tells a sealed column from what stood there earlier; empty when nothing stands there."""
    return "" if sealed is None else hashlib.sha256(sealed.encode()).hexdigest()[:32]


async def checked(db: AsyncConnection, store: Store, record: Record) -> Record:
    """The record, once what stands in the clear and what there is agrees with what is sealed.

    Raises:
        StoreError: Rows were changed, added or taken away.
    """
    tables = store.tables
    found = {}
    for name in ("journal", "events", "turns", "requests"):
        table = getattr(tables, name)
        count = select(func.count()).select_from(table).where(table.c.conversation == record.id)
        found[name] = (await db.execute(count)).scalar_one()
    record = replace(record, turns=found["turns"])
    for name, wanted in (("journal", record.journal_rows), ("events", record.event_rows)):
        if found[name] != wanted:
            raise _tampered(record, f"its {name} has {found[name]} rows and not {wanted}")
    if record.run == 0:
        return record  # nothing has begun
    sealed = record.session.get("row")
    if sealed is None or record.vault is None:
        raise _tampered(record, "its accounts are missing")
    changed = sorted(name for name, value in record.facts().items() if sealed.get(name) != value)
    if changed:
        raise _tampered(record, f"its {', '.join(changed)} is not what was written")
    # A request is written before the step that counts it, so there may be one more.
    if found["requests"] < record.session["requests"]:
        raise _tampered(record, "requests to a person are missing")
    return record


def _tampered(record: Record, what: str) -> StoreError:
    return StoreError(
        f"Conversation {record.id!r} was changed in the store: {what}. Nobody can say what happened; "
        "restore it from a backup"
    )
