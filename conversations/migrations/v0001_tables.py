"""The first tables of the store."""

from typing import Any

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, Float, Integer, String, Text, TextClause
from sqlalchemy import text as sql

revision = "0001"
down_revision = None


def upgrade(*, operations: Operations, prefix: str) -> None:
    """Make the tables and their indexes."""
    text = String(200)

    def table(name: str, *columns: Column[Any]) -> None:
        operations.create_table(prefix + name, *columns)

    def index(name: str, of: str, *columns: str | TextClause) -> None:
        operations.create_index(prefix + name, prefix + of, [*columns])

    table(
        "conversations",
        Column("id", text, primary_key=True),
        Column("user_hash", String(64), nullable=False),
        Column("user_sealed", Text, nullable=False),
        Column("team", Text, nullable=False),
        Column("status", String(32), nullable=False),
        Column("policy", String(64), nullable=False),
        Column("epoch", BigInteger, nullable=False),
        Column("owner", text, nullable=False),
        Column("beat", BigInteger, nullable=False),
        Column("leased_until", Float, nullable=False),
        Column("writes", BigInteger, nullable=False),
        Column("journal_rows", BigInteger, nullable=False),
        Column("event_rows", BigInteger, nullable=False),
        Column("run", Integer, nullable=False),
        Column("turn", Integer, nullable=False),
        Column("open_turn", Text),
        Column("state", Text),
        Column("session", Text),
        Column("vault", Text),
        Column("fingerprint", Text),
        Column("created_at", Float, nullable=False),
        Column("updated_at", Float, nullable=False),
    )
    index("conversations_by_user", "conversations", "user_hash")
    index("conversations_by_status", "conversations", "status", "leased_until")
    index("conversations_by_update", "conversations", "updated_at")
    table(
        "journal",
        Column("conversation", text, primary_key=True),
        Column("turn", Integer, primary_key=True),
        Column("key", text, primary_key=True),
        Column("number", BigInteger, nullable=False),
        Column("kind", String(32), nullable=False),
        Column("agent", text, nullable=False),
        Column("name", text, nullable=False),
        Column("status", String(16), nullable=False),
        Column("epoch", BigInteger, nullable=False),
        Column("started_at", Float, nullable=False),
        Column("ended_at", Float),
        Column("request", Text, nullable=False),
        Column("outcome", Text),
    )
    table(
        "turns",
        Column("conversation", text, primary_key=True),
        Column("turn", Integer, primary_key=True),
        Column("run", Integer, nullable=False),
        Column("said", Text, nullable=False),
    )
    table(
        "events",
        Column("conversation", text, primary_key=True),
        Column("number", BigInteger, primary_key=True),
        Column("turn", Integer, nullable=False),
        Column("kind", String(100), nullable=False),
        Column("source", text, nullable=False),
        Column("content", Text, nullable=False),
        Column("at", Float, nullable=False),
    )
    table(
        "requests",
        Column("id", text, primary_key=True),
        Column("conversation", text, nullable=False),
        Column("turn", Integer, nullable=False),
        Column("kind", String(16), nullable=False),
        Column("key", text, nullable=False),
        Column("status", String(16), nullable=False),
        Column("content", Text, nullable=False),
        Column("decision", Text),
        Column("asked_at", Float, nullable=False),
        Column("expires_at", Float, nullable=False),
        Column("decided_at", Float),
    )
    index("requests_by_conversation", "requests", "conversation", "status")
    index("requests_by_status", "requests", "status", "asked_at")
    table(
        "jobs",
        Column("id", text, primary_key=True),
        Column("user_hash", String(64), nullable=False),
        Column("tenant_hash", String(64), nullable=False),
        Column("status", String(32), nullable=False),
        Column("priority", Integer, nullable=False),
        Column("due_at", Float, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("most_attempts", Integer, nullable=False),
        Column("steps", BigInteger, nullable=False),
        Column("cancelled", Integer, nullable=False),
        Column("worker", text, nullable=False),
        Column("content", Text, nullable=False),
        Column("result", Text),
        Column("created_at", Float, nullable=False),
        Column("updated_at", Float, nullable=False),
    )
    index("jobs_by_due", "jobs", "status", "due_at")
    index("jobs_in_turn", "jobs", "status", sql("priority DESC"), "due_at", "created_at", "id")
    index("jobs_by_user", "jobs", "user_hash", "status")
    index("jobs_by_tenant", "jobs", "tenant_hash", "status")
