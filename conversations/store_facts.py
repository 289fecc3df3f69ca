"""What a store holds, in numbers."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.schema import SCHEMA_VERSION
from ringfence.conversations.store import Store


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """Where a store is and what it holds; nothing of what was said."""

    name: str
    """Its file, or its host and database."""
    schema: str | None
    """The version of its schema; None when there are no tables yet."""
    newest: str = SCHEMA_VERSION
    """The version that this Ringfence writes."""
    conversations: dict[str, int] = field(default_factory=dict)
    """How many there are, by status."""
    jobs: dict[str, int] = field(default_factory=dict)
    """The same of jobs."""
    bytes: int = 0
    """How much room it takes on disk."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "schema": self.schema,
            "newest_schema": self.newest,
            "conversations": self.conversations,
            "jobs": self.jobs,
            "bytes": self.bytes,
        }


async def facts_of(store: Store) -> StoreFacts:
    """Look at a store without changing it.

    Raises:
        StoreError: It cannot be read, or was written by a newer Ringfence.
    """
    file = store.place.file
    name = str(file) if file else store.name
    if file is not None and not file.exists():
        return StoreFacts(name, None)
    version = await store.version()
    if version != SCHEMA_VERSION:
        return StoreFacts(name, version)

    async def look(db: AsyncConnection) -> StoreFacts:
        tables = store.tables
        counts = []
        for table in (tables.conversations, tables.jobs):
            grouped = select(table.c.status, func.count()).group_by(table.c.status).order_by(table.c.status)
            counts.append({str(status): int(count) for status, count in await db.execute(grouped)})
        return StoreFacts(
            name, version, conversations=counts[0], jobs=counts[1], bytes=await _bytes(store, db)
        )

    return await store.read(look)


async def _bytes(store: Store, db: AsyncConnection) -> int:
    if store.place.is_sqlite:
        size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        return int((await db.execute(text(size))).scalar_one())
    tables = {"tables": [*store.tables.metadata.tables]}
    size = (
        "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class "
        "WHERE oid = ANY(CAST(:tables AS regclass[]))"
    )
    return int((await db.execute(text(size), tables)).scalar_one())
