"""What waits for a person in all conversations of a store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.job_records import moment
from ringfence.conversations.job_status import JobStatus
from ringfence.conversations.records import find_record
from ringfence.conversations.requests import QUESTION, WAITING, approval_of, read_request
from ringfence.conversations.store import Store
from ringfence.errors import UnknownConversation
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
        users: dict[str, str] = {}
        vaults: dict[str, Vault] = {}
        found: list[PendingRequest] = []
        for row in rows.all():
            if row.conversation not in users:
                record = await find_record(db, store, row.conversation)
                users[row.conversation] = record.user if record else ""
                vaults[row.conversation] = vault = Vault()
                if reveal and record and record.vault is not None:
                    vault.restore(record.vault)
            found.append(_pending(store, row, users[row.conversation], vaults[row.conversation]))
        return found

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
            raise UnknownConversation(f"The store {store.name} knows no request {request!r}")
        return record.id, record.user

    return await store.read(read)


def _pending(store: Store, row: Any, user: str, vault: Vault) -> PendingRequest:
    stored = read_request(store, row)
    content = stored.content
    is_question = stored.kind == QUESTION
    shown = vault.reveal(content["prompt"]) if is_question else content["reason"]
    return PendingRequest(
        id=stored.id,
        conversation=stored.conversation,
        kind=stored.kind,
        user=user,
        agent=content["agent"],
        tool="" if is_question else content["tool"],
        text=shown,
        arguments={} if is_question else approval_of(stored, vault)[0].real_arguments,
        asked_at=moment(stored.asked_at),
        expires_at=moment(stored.expires_at),
    )
