"""What the tools of a chaos run do, where it can be counted afterwards, whichever process did it."""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, inspect, make_url, text

BOOKINGS = "chaos_bookings"
"""The table that a tool writes to in the journal's own transaction."""
KINDS = ("look", "pay", "send", "book", "refund")
"""Read-only; with an idempotency key; none of it; in the transaction; with a key, after an approval."""


@dataclass(frozen=True)
class World:
    """The outside of one conversation: a folder with what was done, and the database of its store."""

    folder: Path
    store_url: str

    def set_up(self) -> None:
        """Make the bank, and the table in the store's database."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._bank() as bank:
            bank.execute("CREATE TABLE payments (key TEXT PRIMARY KEY, step INTEGER)")
        with self._store() as db:
            db.execute(text(f"CREATE TABLE {BOOKINGS} (conversation TEXT, step INTEGER)"))

    # Inside the conversation's process

    def note(self, file: str, line: str) -> None:
        """Append a line, whole, so that it stays whatever becomes of the process."""
        opened = os.open(self.folder / file, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            os.write(opened, f"{line}\n".encode())
        finally:
            os.close(opened)

    def pay(self, step: int, key: str) -> None:
        """Pay once for each key."""
        with self._bank() as bank:
            bank.execute("INSERT OR IGNORE INTO payments VALUES (?, ?)", (key, step))

    # Afterwards

    def lines(self, file: str) -> list[str]:
        """The lines of a file, of which there may be none."""
        path = self.folder / file
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def done(self, kind: str) -> Counter[int]:
        """How often each step of a kind took effect."""
        if kind in {"pay", "refund"}:
            with self._bank() as bank:
                steps = [step for (step,) in bank.execute("SELECT step FROM payments")]
            return Counter(step for step in steps if KINDS[step % len(KINDS)] == kind)
        if kind == "book":
            with self._store() as db:
                return Counter(db.execute(text(f"SELECT step FROM {BOOKINGS}")).scalars())  # noqa: S608 - a constant
        return Counter(int(step) for name, step, *_ in map(str.split, self.lines("effects")) if name == kind)

    def everything(self) -> str:
        """All that is written down anywhere, to see whether it changes."""
        with self._store() as db:
            tables = inspect(db).get_table_names()
            rows = {name: sorted(map(repr, db.execute(text(f'SELECT * FROM "{name}"')))) for name in tables}  # noqa: S608 - names of the database's own
        return repr((rows, self.lines("effects"), self.done("pay"), self.done("refund")))

    @contextmanager
    def _bank(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.folder / "bank.sqlite", timeout=30)) as bank, bank:
            yield bank

    @contextmanager
    def _store(self) -> Iterator[Any]:
        url = make_url(self.store_url)
        driver = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"
        engine = create_engine(url.set(drivername=driver))
        try:
            with engine.begin() as db:
                yield db
        finally:
            engine.dispose()
