"""The shop behind the desk: customers, orders, notes and refunds in one SQLite file."""

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from .shop_data import CUSTOMERS, NOTES, ORDERS, SCHEMA


class ShopError(ValueError):
    """The shop says no; the text says why and holds no personal data."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order, its customer, and what came of it."""

    order_id: str
    customer: str
    email: str
    phone: str
    item: str
    status: str
    ordered_on: str
    note_count: int
    amount: Decimal
    refunded: Decimal


@dataclass(frozen=True, slots=True)
class Note:
    """A note on an order; customers write notes too, so what one says proves nothing."""

    author: str
    body: str
    written_at: str


class Shop:
    """The shop in the file at `path`; each call opens a connection of its own, so any thread may call."""

    def __init__(self, path: Path | str) -> None:
        self.path = path

    def find_order(self, order_id: str) -> Order | None:
        """The order with this number, or None."""
        with self._transaction() as db:
            row = db.execute("SELECT * FROM order_facts WHERE order_id = ?", [order_id]).fetchone()
        return _order(row) if row else None

    def orders_of(self, email: str) -> list[Order]:
        """The orders of the customer with this e-mail address, oldest first."""
        query = "SELECT * FROM order_facts WHERE email = ? ORDER BY ordered_on, order_id"
        with self._transaction() as db:
            return [_order(row) for row in db.execute(query, [email])]

    def notes_of(self, order_id: str) -> list[Note]:
        """The notes on the order with this number, oldest first."""
        query = "SELECT author, body, written_at FROM order_notes WHERE order_id = ? ORDER BY written_at, id"
        with self._transaction() as db:
            return [Note(**row) for row in db.execute(query, [order_id])]

    def refund(
        self, order_id: str, amount: Decimal | str, reason: str, *, idempotency_key: str | None = None
    ) -> str:
        """Give back `amount` of an order and return the receipt; a key that was used refunds nothing more."""
        with self._transaction() as db:

            def first(statement: str, given: Mapping[str, Any]) -> Any:
                return next(iter(db.execute(statement, given).fetchall()), None)

            return _book(first, order_id, amount, reason, idempotency_key)

    async def refund_on(
        self,
        connection: AsyncConnection,
        order_id: str,
        amount: Decimal | str,
        reason: str,
        *,
        idempotency_key: str | None = None,
    ) -> str:
        """As `refund`, in the transaction of a connection; whoever began it commits it, or not."""
        if not self.is_behind(connection):
            raise ShopError("this connection leads to a database without the shop's tables")

        def book(db: Connection) -> str:
            def first(statement: str, given: Mapping[str, Any]) -> Any:
                return db.execute(text(statement), given).mappings().first()

            return _book(first, order_id, amount, reason, idempotency_key)

        return await connection.run_sync(book)

    def is_behind(self, connection: AsyncConnection) -> bool:
        """Whether somebody else's connection leads to this shop's file."""
        url = connection.engine.url
        file = Path(url.database or "")
        return url.get_backend_name() == "sqlite" and file.is_file() and file.samefile(self.path)

    @contextmanager
    def _transaction(self, begin: str = "BEGIN") -> Iterator[sqlite3.Connection]:
        """A transaction that commits at the end of the block, or rolls back when the block raises."""
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute(begin)
            with db:
                yield db


def create_shop(path: Path | str) -> Shop:
    """The shop at `path`; a new file gets tables and made-up rows first, an old one stays as it is."""
    shop = Shop(path)
    # Looking takes no lock, which others may hold: the file may have more than the shop in it.
    with shop._transaction() as db:  # noqa: SLF001 - the function belongs to the class
        if _is_filled(db):
            return shop
    with shop._transaction("BEGIN IMMEDIATE") as db:  # noqa: SLF001 - as above
        if _is_filled(db):
            return shop
        for statement in SCHEMA:
            db.execute(statement)
        db.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?)", CUSTOMERS)
        db.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)", ORDERS)
        db.executemany("INSERT INTO order_notes VALUES (?, ?, ?, ?, ?)", NOTES)
    return shop


def _is_filled(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'order_facts'").fetchone() is not None


def _book(
    first: Callable[[str, Mapping[str, Any]], Any],
    order_id: str,
    amount: Decimal | str,
    reason: str,
    idempotency_key: str | None,
) -> str:
    """Book a refund; `first` runs a statement in a transaction and returns the first row, or None."""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", str(amount)) or Decimal(amount) == 0:
        raise ShopError("a refund is a positive amount in dollars and cents, such as 49.90")
    cents = int(Decimal(amount) * 100)
    order, key = {"order": order_id}, {"key": idempotency_key}
    # Writes before it reads, and so takes the lock: two refunds at once cannot both pass.
    if first("UPDATE orders SET status = status WHERE id = :order RETURNING id", order) is None:
        raise ShopError("there is no order with this number")
    earlier = first("SELECT id, order_id, amount_cents FROM refunds WHERE idempotency_key = :key", key)
    if earlier and (earlier["order_id"], earlier["amount_cents"]) != (order_id, cents):
        raise ShopError("this idempotency key belongs to another refund")
    if earlier:
        return f"R-{earlier['id']}"
    row = first("SELECT amount_cents, refunded_cents FROM order_facts WHERE order_id = :order", order)
    left = row["amount_cents"] - row["refunded_cents"]
    if cents > left:
        raise ShopError(f"only {_usd(left)} USD of this order can still be refunded")
    new = first(
        "INSERT INTO refunds (order_id, amount_cents, reason, idempotency_key)"
        " VALUES (:order, :cents, :reason, :key) RETURNING id",
        {**order, **key, "cents": cents, "reason": reason},
    )
    return f"R-{new['id']}"


def _order(row: sqlite3.Row) -> Order:
    facts = dict(row)
    amount, refunded = _usd(facts.pop("amount_cents")), _usd(facts.pop("refunded_cents"))
    return Order(**facts, amount=amount, refunded=refunded)


def _usd(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
