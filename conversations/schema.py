"""The tables of the store: one schema for SQLite and PostgreSQL.

Whatever says something about people is sealed (`conversations/sealed_rows.py`); in the clear stand ids,
numbers, times in seconds since 1970, and the names of agents and tools.
"""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text

SCHEMA_VERSION = "0001"
"""The newest migration in `conversations/migrations/`."""


@dataclass(frozen=True)
class Tables:
    """The tables under one prefix."""

    metadata: MetaData
    conversations: Table
    """One row a conversation: who runs it, where it stands, and what its team knows."""
    journal: Table
    """One row a step: written before it is made, completed with what came of it."""
    turns: Table
    """What was said in each finished turn, for termination conditions that count."""
    events: Table
    """What went out to the user, in order."""
    requests: Table
    """What waits for a person: approvals, questions, and calls of which nobody knows the outcome."""
    jobs: Table
    """Tasks that were handed in to be worked on by a worker."""

    @classmethod
    def of(cls, prefix: str) -> Self:
        """The tables whose names begin with this prefix."""
        metadata = MetaData()

        def conversation() -> Column[str]:
            return Column("conversation", String(200), primary_key=True)

        conversations = Table(
            f"{prefix}conversations",
            metadata,
            Column("id", String(200), primary_key=True),
            Column("user_hash", String(64), nullable=False),
            Column("user_sealed", Text, nullable=False),
            Column("team", Text, nullable=False, default=""),
            Column("status", String(32), nullable=False),
            Column("policy", String(64), nullable=False, default=""),
            # The lease: only the process that holds the newest epoch may write.
            Column("epoch", BigInteger, nullable=False, default=0),
            Column("owner", String(200), nullable=False, default=""),
            Column("beat", BigInteger, nullable=False, default=0),
            Column("leased_until", Float, nullable=False, default=0.0),
            # How often it was written: tells a repeated write from a new one.
            Column("writes", BigInteger, nullable=False, default=0),
            # How many rows there must be, so that a missing one is noticed.
            Column("journal_rows", BigInteger, nullable=False, default=0),
            Column("event_rows", BigInteger, nullable=False, default=0),
            Column("run", Integer, nullable=False, default=0),
            Column("turn", Integer, nullable=False, default=0),
            # Sealed: the open turn, the team's state, the session's accounts, the vault, the fingerprint.
            Column("open_turn", Text),
            Column("state", Text),
            Column("session", Text),
            Column("vault", Text),
            Column("fingerprint", Text),
            Column("created_at", Float, nullable=False),
            Column("updated_at", Float, nullable=False),
        )
        Index(f"{prefix}conversations_by_user", conversations.c.user_hash)
        Index(f"{prefix}conversations_by_status", conversations.c.status, conversations.c.leased_until)
        Index(f"{prefix}conversations_by_update", conversations.c.updated_at)
        journal = Table(
            f"{prefix}journal",
            metadata,
            conversation(),
            Column("turn", Integer, primary_key=True),
            Column("key", String(200), primary_key=True),
            Column("number", BigInteger, nullable=False),
            Column("kind", String(32), nullable=False),
            Column("agent", String(200), nullable=False, default=""),
            Column("name", String(200), nullable=False, default=""),
            Column("status", String(16), nullable=False),
            Column("epoch", BigInteger, nullable=False),
            Column("started_at", Float, nullable=False),
            Column("ended_at", Float),
            Column("request", Text, nullable=False),
            Column("outcome", Text),
        )
        turns = Table(
            f"{prefix}turns",
            metadata,
            conversation(),
            Column("turn", Integer, primary_key=True),
            Column("run", Integer, nullable=False),
            Column("said", Text, nullable=False),
        )
        events = Table(
            f"{prefix}events",
            metadata,
            conversation(),
            Column("number", BigInteger, primary_key=True),
            Column("turn", Integer, nullable=False),
            Column("kind", String(100), nullable=False),
            Column("source", String(200), nullable=False, default=""),
            Column("content", Text, nullable=False),
            Column("at", Float, nullable=False),
        )
        requests = Table(
            f"{prefix}requests",
            metadata,
            Column("id", String(200), primary_key=True),
            Column("conversation", String(200), nullable=False),
            Column("turn", Integer, nullable=False),
            Column("kind", String(16), nullable=False),
            Column("key", String(200), nullable=False),
            Column("status", String(16), nullable=False),
            Column("content", Text, nullable=False),
            Column("decision", Text),
            Column("asked_at", Float, nullable=False),
            Column("expires_at", Float, nullable=False),
            Column("decided_at", Float),
        )
        Index(f"{prefix}requests_by_conversation", requests.c.conversation, requests.c.status)
        Index(f"{prefix}requests_by_status", requests.c.status, requests.c.asked_at)
        jobs = Table(
            f"{prefix}jobs",
            metadata,
            Column("id", String(200), primary_key=True),
            Column("user_hash", String(64), nullable=False),
            Column("tenant_hash", String(64), nullable=False, default=""),
            Column("status", String(32), nullable=False),
            Column("priority", Integer, nullable=False, default=0),
            Column("due_at", Float, nullable=False),
            Column("attempts", Integer, nullable=False, default=0),
            Column("most_attempts", Integer, nullable=False),
            # How many steps its conversation had when it was last taken; a new one makes attempts count anew.
            Column("steps", BigInteger, nullable=False, default=0),
            Column("cancelled", Integer, nullable=False, default=0),
            Column("worker", String(200), nullable=False, default=""),
            # Sealed: task, user, tenant, team; result or error.
            Column("content", Text, nullable=False),
            Column("result", Text),
            Column("created_at", Float, nullable=False),
            Column("updated_at", Float, nullable=False),
        )
        Index(f"{prefix}jobs_by_due", jobs.c.status, jobs.c.due_at)
        # The order in which workers take them, so that a long queue is not sorted for each.
        in_turn = (jobs.c.priority.desc(), jobs.c.due_at, jobs.c.created_at, jobs.c.id)
        Index(f"{prefix}jobs_in_turn", jobs.c.status, *in_turn)
        Index(f"{prefix}jobs_by_user", jobs.c.user_hash, jobs.c.status)
        Index(f"{prefix}jobs_by_tenant", jobs.c.tenant_hash, jobs.c.status)
        return cls(metadata, conversations, journal, turns, events, requests, jobs)
