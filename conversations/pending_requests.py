"""What waits for a person in all conversations of a store, and what became of one such request."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.approval_rows import approval_request
from ringfence.conversations.job_records import moment
from ringfence.conversations.job_status import JobStatus
from ringfence.conversations.record import Record
from ringfence.conversations.records import find_record
from ringfence.conversations.requests import QUESTION, WAITING, StoredRequest, read_request
from ringfence.conversations.store import Store
from ringfence.errors import UnknownConversation
from ringfence.guardrails.approval_deciders import Deciders
from ringfence.guardrails.vault import Vault


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A call that waits for approval, one that may have run before, or a question to the user."""

    id: str
    conversation: str
    kind: str
    """`approval`, `doubt` or `question`."""
    user: str = field(repr=False)
    agent: str
    tool: str
    """Empty for a question."""
    text: str = field(repr=False)
    """Why a person is asked, or the question."""
    arguments: Mapping[str, Any] = field(repr=False)
    asked_at: datetime
    expires_at: datetime
    status: str = WAITING
    """`waiting`, `approved`, `rejected`, `answered`, `expired` or `withdrawn`."""
    decided_by: str = ""
    """Who decided it, when it was decided."""
    evidence: tuple[str, ...] = field(default=(), repr=False)
    """Where the values of the call came from, a line for each."""
    deciders: Deciders = field(default_factory=Deciders)
    """Who may decide it, and how many of them it takes."""
    approved_by: tuple[str, ...] = ()
    """Who approved it so far, where it takes more than one."""
    changed_by: str = ""
    """The one of them who put these arguments in the place of the agent's."""
    digest: str = ""
    """What a decision binds; another one when the call is changed."""

    @property
    def still_needed(self) -> int:
        """How many more have to approve it."""
        return self.deciders.approvers - len(self.approved_by) if self.status == WAITING else 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.id,
            "conversation": self.conversation,
            "kind": self.kind,
            "user": self.user,
            "agent": self.agent,
            "tool": self.tool or None,
            "text": self.text,
            "arguments": dict(self.arguments),
            "asked_at": self.asked_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "status": self.status,
            "decided_by": self.decided_by or None,
            "evidence": [*self.evidence],
            "who_may_decide": None if self.kind == QUESTION else self.deciders.as_dict(),
            "approved_by": [*self.approved_by],
            "still_needed": self.still_needed,
            "changed_by": self.changed_by or None,
            "digest": self.digest or None,
        }


async def pending_requests(store: Store, *, reveal: bool = False, most: int = 1000) -> list[PendingRequest]:
    """What waits for a person, the oldest first.

    Args:
        store: Where the conversations are kept.
        reveal: Show real values in place of pseudonyms.
        most: How many.

    Raises:
        StoreError: What is stored was changed, or cannot be read.
    """
    requests, talks, jobs = store.tables.requests, store.tables.conversations, store.tables.jobs

    async def read(db: AsyncConnection) -> list[PendingRequest]:
        gone = select(jobs.c.id).where(jobs.c.id == talks.c.id, jobs.c.status == JobStatus.CANCELLED).exists()
        rows = await db.execute(
            select(requests)
            .join(talks, talks.c.id == requests.c.conversation)
            .where(
                requests.c.status == WAITING,
                requests.c.expires_at > await store.now(db),
                # Of a turn that was given up, nothing waits.
                requests.c.turn == talks.c.turn,
                talks.c.open_turn.is_not(None),
                ~gone,
            )
            .order_by(requests.c.asked_at, requests.c.id)
            .limit(most)
        )
        known: dict[str, tuple[str, Vault]] = {}
        found: list[PendingRequest] = []
        for row in rows.all():
            if row.conversation not in known:
                record = await find_record(db, store, row.conversation)
                known[row.conversation] = (record.user if record else "", _vault(record, reveal=reveal))
            found.append(_shown(read_request(store, row), *known[row.conversation], reveal=reveal))
        return found

    return await store.read(read)


async def find_request(store: Store, request: str, *, reveal: bool = False) -> PendingRequest:
    """One request, whether it waits or not.

    Raises:
        UnknownConversation: There is no such request.
        StoreError: What is stored was changed, or cannot be read.
    """
    table = store.tables.requests

    async def read(db: AsyncConnection) -> PendingRequest:
        row = (await db.execute(select(table).where(table.c.id == request))).one_or_none()
        record = None if row is None else await find_record(db, store, row.conversation)
        if row is None or record is None:
            raise _unknown(store, request)
        return _shown(read_request(store, row), record.user, _vault(record, reveal=reveal), reveal=reveal)

    return await store.read(read)


async def conversation_of(store: Store, request: str) -> tuple[str, str]:
    """The id of the conversation that a request belongs to, and its user.

    Raises:
        UnknownConversation: There is no such request.
    """
    table = store.tables.requests

    async def read(db: AsyncConnection) -> tuple[str, str]:
        found = await db.execute(select(table.c.conversation).where(table.c.id == request))
        conversation = found.scalar_one_or_none()
        record = None if conversation is None else await find_record(db, store, conversation)
        if record is None:
            raise _unknown(store, request)
        return record.id, record.user

    return await store.read(read)


def _unknown(store: Store, request: str) -> UnknownConversation:
    return UnknownConversation(f"The store {store.name} knows no request {request!r}")


def _vault(record: Record | None, *, reveal: bool) -> Vault:
    vault = Vault()
    if reveal and record is not None and record.vault is not None:
        vault.restore(record.vault)
    return vault


def _shown(stored: StoredRequest, user: str, vault: Vault, *, reveal: bool) -> PendingRequest:
    content = stored.content
    is_expired = stored.status == WAITING and not stored.is_waiting
    shown = PendingRequest(
        id=stored.id,
        conversation=stored.conversation,
        kind=stored.kind,
        user=user,
        agent=content["agent"],
        tool="",
        text="",
        arguments={},
        asked_at=moment(stored.asked_at),
        expires_at=moment(stored.expires_at),
        status="expired" if is_expired else stored.status,
        decided_by=str((stored.decision or {}).get("by", "")),
    )
    if stored.kind == QUESTION:
        return replace(shown, text=vault.reveal(content["prompt"]))
    request = approval_request(stored, vault)
    return replace(
        shown,
        tool=request.tool,
        text=request.reason,
        # What somebody changed is kept as it was typed in.
        arguments=request.real_arguments if reveal or not request.changed_by else request.arguments,
        evidence=request.evidence,
        deciders=request.deciders,
        approved_by=request.approved_by,
        changed_by=request.changed_by,
        digest=request.digest,
    )
