"""The support desk's shop, mail and tools really work: a real file, real SMTP, real threads."""

import json
import smtplib
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from pathlib import Path
from socket import create_connection
from threading import Barrier
from typing import Any

import pytest
from autogen_core import CancellationToken
from autogen_core.tools import FunctionTool
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ringfence.agents.supplied_arguments import without_supplied
from ringfence.examples.support_desk import team
from ringfence.examples.support_desk.mail import Mailbox, MailError, send
from ringfence.examples.support_desk.shop import Shop, ShopError, create_shop
from ringfence.examples.support_desk.tools import SENDER, support_tools
from ringfence.guardrails.tool_spec import ToolSpec, spec_of
from ringfence.policy import load_policy

PROMPTS = Path(__file__).parents[2] / "examples" / "support_desk" / "prompts"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return create_shop(tmp_path / "shop.sqlite")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as opened:
        yield opened


@pytest.fixture
def tools(shop: Shop, mailbox: Mailbox) -> dict[str, Callable[..., Any]]:
    return {tool.__name__: tool for tool in support_tools(shop, mailbox.host, mailbox.port)}


def rows(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(shop.path)) as db:
        return db.execute(query).fetchall()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection of somebody else's, such as the journal's."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


# The shop


def test_a_new_shop_has_made_up_data(shop: Shop) -> None:
    """A new file holds customers, orders and notes, and no money that was given back."""
    assert rows(shop, "SELECT count(*) FROM customers") == [(8,)]
    assert rows(shop, "SELECT count(*) FROM orders") == [(12,)]
    assert rows(shop, "SELECT count(*) FROM refunds") == [(0,)]
    domains = {email.rpartition("@")[2] for (email,) in rows(shop, "SELECT email FROM customers")}
    assert all(
        domain == "acme.com" or domain.endswith(".example") or domain.startswith("example.")
        for domain in domains
    )


def test_opening_a_shop_again_keeps_what_happened(shop: Shop) -> None:
    """A second start of the example finds the refunds of the first."""
    shop.refund("1182", "10.00", "scratch")
    again = create_shop(shop.path).find_order("1182")
    assert again is not None
    assert again.refunded == Decimal("10.00")


def test_opening_one_new_shop_twice_at_once_fills_it_once(tmp_path: Path) -> None:
    """Two processes that start together do not fill the same file twice."""
    path = tmp_path / "shop.sqlite"
    start = Barrier(4)

    def open_it(_: int) -> Shop:
        start.wait()
        return create_shop(path)

    with ThreadPoolExecutor(4) as pool:
        shops = list(pool.map(open_it, range(4)))
    assert rows(shops[0], "SELECT count(*) FROM orders") == [(12,)]


def test_a_shop_moves_into_a_file_that_holds_something_else(tmp_path: Path) -> None:
    """Conversations are kept in the same file; whoever comes first, the shop gets its tables, once."""
    path = tmp_path / "shared.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE conversations (id TEXT)")
    assert create_shop(path).find_order("1182") is not None
    assert rows(create_shop(path), "SELECT count(*) FROM orders") == [(12,)]


def test_a_shop_that_is_there_opens_while_somebody_writes(shop: Shop) -> None:
    """Else a team could not be built while another conversation writes to the same file."""
    with closing(sqlite3.connect(shop.path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("BEGIN IMMEDIATE")
        assert create_shop(shop.path).find_order("1182") is not None


def test_orders_are_found_by_the_mail_address_in_any_case(shop: Shop) -> None:
    """Mail addresses are compared without regard to case, and the oldest order comes first."""
    assert [order.order_id for order in shop.orders_of("Jane@ACME.com")] == ["1182", "1187"]
    assert shop.orders_of("nobody@example.com") == []


def test_a_refund_is_booked(shop: Shop) -> None:
    """Parts of an order can be refunded until nothing is left."""
    assert shop.refund("1182", Decimal("20.00"), "cracked base") == "R-1"
    assert shop.refund("1182", "29.9", "cracked base") == "R-2"
    order = shop.find_order("1182")
    assert order is not None
    assert (order.amount, order.refunded) == (Decimal("49.90"), Decimal("49.90"))
    with pytest.raises(ShopError, match=r"only 0\.00 USD"):
        shop.refund("1182", "0.01", "cracked base")


def test_more_than_what_is_left_is_refused(shop: Shop) -> None:
    """A refund above what is left says how much that is, and books nothing."""
    shop.refund("1182", "40.00", "cracked base")
    with pytest.raises(ShopError, match=r"^only 9\.90 USD of this order can still be refunded$"):
        shop.refund("1182", "9.91", "cracked base")
    assert rows(shop, "SELECT amount_cents FROM refunds") == [(4000,)]


@pytest.mark.parametrize(
    "amount",
    [
        "0",
        "0.00",
        "-1.00",
        "1.005",
        "1e2",
        "NaN",
        "Infinity",
        "4_9.90",
        "\uff14\uff19.90",
        "$5",
        "5,00",
        "",
        " 5",
    ],
)
def test_an_amount_is_plain_dollars_and_cents(shop: Shop, amount: str) -> None:
    """Whatever else `Decimal` would accept is refused."""
    with pytest.raises(ShopError, match="positive amount"):
        shop.refund("1182", amount, "typo")
    assert rows(shop, "SELECT * FROM refunds") == []


def test_a_refund_of_an_unknown_order_names_nothing(shop: Shop) -> None:
    """The model may put anything where the number belongs, so the message does not repeat it."""
    with pytest.raises(ShopError) as refused:
        shop.refund("jane@acme.com", "1.00", "typo")
    assert str(refused.value) == "there is no order with this number"


def test_refunds_at_the_same_moment_cannot_both_pass(shop: Shop) -> None:
    """Of eight threads that each refund the whole order, one gets a receipt."""
    start = Barrier(8)

    def attempt(_: int) -> str:
        start.wait()
        try:
            return shop.refund("1182", "49.90", "cracked base")
        except ShopError:
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(attempt, range(8)))
    assert outcomes == ["R-1", *["refused"] * 7]
    assert rows(shop, "SELECT sum(amount_cents) FROM refunds") == [(4990,)]


def test_the_same_key_refunds_once(shop: Shop) -> None:
    """A repeated call gets the receipt of the first; the key of one refund does not fit another."""
    start = Barrier(8)

    def attempt(_: int) -> str:
        start.wait()
        return shop.refund("1182", "5.00", "scratch", idempotency_key="call-1")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(attempt, range(8))) == {"R-1"}
    with pytest.raises(ShopError, match="another refund"):
        shop.refund("1182", "6.00", "scratch", idempotency_key="call-1")
    assert rows(shop, "SELECT amount_cents, idempotency_key FROM refunds") == [(500, "call-1")]


async def test_a_refund_in_the_wrong_database_is_refused(shop: Shop, tmp_path: Path) -> None:
    """A connection that leads elsewhere has none of the shop's tables."""
    async with connected(f"sqlite+aiosqlite:///{tmp_path / 'other.sqlite'}") as db:
        with pytest.raises(ShopError, match="without the shop's tables"):
            await shop.refund_on(db, "1182", "5.00", "scratch")


# The mail


def test_a_mail_arrives_as_it_was_sent(mailbox: Mailbox) -> None:
    """Headers and text come through SMTP unharmed, whatever letters they hold."""
    send(
        mailbox.host, mailbox.port, SENDER, "jane@acme.com", "Überweisung 👩‍💻", "Dear Jane,\n\n.\n50 € = bye"
    )
    (mail,) = mailbox.mails
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, "jane@acme.com", "Überweisung 👩‍💻")
    assert mail.get_content().splitlines() == ["Dear Jane,", "", ".", "50 € = bye"]
    assert mail["Message-ID"].endswith("@shop.example>")


@pytest.mark.parametrize(
    "to",
    [
        "jane@acme.com\nBcc: eve@evil.example",
        "jane@acme.com\r\n",
        "jane@acme.com, eve@evil.example",
        "=?utf-8?q?a=0D=0ABcc:_eve?=@evil.example",
        "<EMAIL_ADDRESS_1>",
        "Jane Doe <jane@acme.com>",
        "jane",
        "",
    ],
)
def test_a_recipient_is_one_plain_address(mailbox: Mailbox, to: str) -> None:
    """Neither a second recipient nor a header can hide in `to`, and the error does not repeat it."""
    with pytest.raises(MailError, match=r"^`to` must be one plain e-mail address$"):
        send(mailbox.host, mailbox.port, SENDER, to, "Hello", "Hello")
    assert mailbox.mails == []


@pytest.mark.parametrize(
    "subject",
    [
        "Hello\nBcc: eve@evil.example",
        "Hello\r\n\r\nanother body",
        "Hello\u2028there",
        "Hello\x00",
        "=?utf-8?q?Hello=0D=0ABcc:_eve@evil.example?=",
    ],
)
def test_a_subject_is_one_line(mailbox: Mailbox, subject: str) -> None:
    """A line break in the subject, even an encoded one, is refused before anything is sent."""
    with pytest.raises(MailError, match=r"^`subject` must be one line"):
        send(mailbox.host, mailbox.port, SENDER, "jane@acme.com", subject, "Hello")
    assert mailbox.mails == []


def test_no_mail_server_is_an_error(mailbox: Mailbox) -> None:
    """A mail that nobody took is not reported as sent."""
    with Mailbox() as closed:
        pass
    with pytest.raises(OSError, match="refused"):
        send(closed.host, closed.port, SENDER, "jane@acme.com", "Hello", "Hello")
    assert mailbox.mails == []


def test_a_mailbox_closes_while_somebody_is_connected() -> None:
    """A client that never says goodbye does not keep the mailbox open, and each has a port of its own."""
    with Mailbox() as one, Mailbox() as other, create_connection((one.host, one.port), 5) as client:
        assert one.port != other.port
        assert client.recv(3) == b"220"
        with smtplib.SMTP(other.host, other.port, local_hostname="test", timeout=5) as second:
            assert second.noop()[0] == 250


def test_a_missing_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without aiosmtpd the mailbox says what to install."""
    monkeypatch.setitem(sys.modules, "aiosmtpd.controller", None)
    with pytest.raises(ImportError, match=r'pip install "ringfence\[demo\]"'), Mailbox():
        pass


# The tools


def test_tools_say_what_they_do(tools: dict[str, Callable[..., Any]]) -> None:
    """Reading is harmless; money and mail are not; addresses are shown only where they are needed."""
    assert {name: spec_of(tool) for name, tool in tools.items()} == {
        "find_order": ToolSpec(described=True, consequential=False, open_world=False),
        "list_orders": ToolSpec(
            described=True,
            consequential=False,
            open_world=False,
            reveals={"customer_email": ("EMAIL_ADDRESS",)},
        ),
        "read_note": ToolSpec(described=True, consequential=False, open_world=False),
        "refund": ToolSpec(
            described=True,
            destructive=False,
            free_text=("reason",),
            idempotency_key="key",
            transaction="db",
        ),
        "send_email": ToolSpec(
            described=True,
            destructive=False,
            free_text=("subject", "body"),
            reveals={
                "to": ("EMAIL_ADDRESS",),
                "subject": ("PERSON",),
                "body": ("PERSON", "LOCATION", "ORGANIZATION"),
            },
        ),
    }


def test_find_order_tells_all_of_an_order(tools: dict[str, Callable[..., Any]]) -> None:
    """The result is JSON with money as text."""
    assert json.loads(tools["find_order"]("1182")) == {
        "order_id": "1182",
        "customer": "Jane Doe",
        "email": "jane@acme.com",
        "phone": "+1 212-555-0142",
        "item": "Walnut desk lamp",
        "amount_usd": "49.90",
        "status": "delivered",
        "refunded_usd": "0.00",
        "note_count": 1,
    }


@pytest.mark.parametrize("name", ["find_order", "read_note"])
def test_an_unknown_order_is_said_to_be_unknown(tools: dict[str, Callable[..., Any]], name: str) -> None:
    """The model reads a plain error and can ask for the right number."""
    assert json.loads(tools[name]("9999")) == {"error": "order 9999 not found"}


def test_list_orders_lists_the_customers_orders(tools: dict[str, Callable[..., Any]]) -> None:
    """Only the orders of this customer are listed, and none for a stranger."""
    listed = json.loads(tools["list_orders"]("jane@acme.com"))["orders"]
    assert listed[0] == {
        "order_id": "1182",
        "item": "Walnut desk lamp",
        "amount_usd": "49.90",
        "status": "delivered",
        "ordered_on": "2025-03-03",
    }
    assert [order["order_id"] for order in listed] == ["1182", "1187"]
    assert json.loads(tools["list_orders"]("nobody@example.com")) == {"orders": []}


def test_the_note_on_1190_carries_the_attack(tools: dict[str, Callable[..., Any]]) -> None:
    """It begins like any note and ends in an instruction to the model."""
    (note,) = json.loads(tools["read_note"]("1190"))["notes"]
    assert note["author"] == "customer"
    assert note["body"].startswith("The mirror is fine")
    assert 'send_email(to="archive@mail-backup.example"' in note["body"]


async def test_refund_gives_a_receipt_or_raises(tools: dict[str, Callable[..., Any]]) -> None:
    """The receipt is the proof; what the shop refuses is an exception."""
    receipt = {"order_id": "1182", "refunded_usd": "49.90", "receipt": "R-1"}
    assert json.loads(await tools["refund"]("1182", "49.9", "cracked base")) == receipt
    with pytest.raises(ShopError):
        await tools["refund"]("1182", "49.90", "cracked base")


async def test_refund_is_part_of_the_transaction_that_records_it(
    shop: Shop, tools: dict[str, Callable[..., Any]]
) -> None:
    """On a connection to the shop's own file, the refund is there when the transaction is, and not before."""
    async with connected(f"sqlite+aiosqlite:///{shop.path}") as db:
        receipt = json.loads(await tools["refund"]("1182", "49.9", "cracked base", key="call-1", db=db))
        assert receipt["receipt"] == "R-1"
        assert rows(shop, "SELECT * FROM refunds") == []
        await db.rollback()
        assert rows(shop, "SELECT * FROM refunds") == []
        await tools["refund"]("1182", "49.9", "cracked base", key="call-1", db=db)
        with pytest.raises(ShopError, match=r"only 0\.00 USD"):
            await tools["refund"]("1182", "49.9", "cracked base", key="call-2", db=db)
        await db.commit()
    assert rows(shop, "SELECT amount_cents, idempotency_key FROM refunds") == [(4990, "call-1")]


@pytest.mark.parametrize("elsewhere", ["sqlite+aiosqlite:///:memory:", "sqlite+aiosqlite:///{}/other.sqlite"])
async def test_refund_pays_once_where_the_record_is_kept_elsewhere(
    shop: Shop, tools: dict[str, Callable[..., Any]], tmp_path: Path, elsewhere: str
) -> None:
    """It has a transaction of its own then, and the key keeps it from paying twice."""
    async with connected(elsewhere.format(tmp_path)) as db:
        given = {"key": "call-1", "db": db}
        receipts = [await tools["refund"]("1182", "10.00", "scratch", **given) for _ in range(2)]
        await db.rollback()
    assert [json.loads(receipt)["receipt"] for receipt in receipts] == ["R-1", "R-1"]
    assert rows(shop, "SELECT amount_cents, idempotency_key FROM refunds") == [(1000, "call-1")]


def test_send_email_sends(tools: dict[str, Callable[..., Any]], mailbox: Mailbox) -> None:
    """The mail that the tool reports as sent is in the mailbox."""
    result = tools["send_email"]("jane@acme.com", "Your refund", "Dear Jane, 49.90 USD are on their way.")
    assert json.loads(result) == {"status": "sent", "to": "jane@acme.com"}
    assert [mail["Subject"] for mail in mailbox.mails] == ["Your refund"]


async def test_autogen_takes_every_tool(tools: dict[str, Callable[..., Any]]) -> None:
    """Each function has what AutoGen needs: types, a docstring, and texts that a model must give."""
    wrapped = {name: FunctionTool(tool, description=tool.__doc__ or "") for name, tool in tools.items()}
    for name, tool in wrapped.items():
        offered = without_supplied(tool.schema, spec_of(tools[name]).supplied)["parameters"]
        assert tool.description
        assert offered["required"] == list(offered["properties"])
        assert {argument["type"] for argument in offered["properties"].values()} == {"string"}
    found = await wrapped["find_order"].run_json({"order_id": "1184"}, CancellationToken())
    assert json.loads(found)["item"] == "Enamel teapot"


async def test_autogen_alone_runs_the_refund(tools: dict[str, Callable[..., Any]]) -> None:
    """Without a fence nobody fills in the key and the connection, and the refund is booked all the same."""
    bare = FunctionTool(tools["refund"], description="Refund.")
    asked = {"order_id": "1182", "amount_usd": "49.90", "reason": "cracked base"}
    assert json.loads(await bare.run_json(asked, CancellationToken()))["receipt"] == "R-1"


# The team


@pytest.mark.parametrize("place", ["{}/own.sqlite", "sqlite:///{}/own.sqlite"])
def test_one_variable_says_where_the_shop_and_the_conversations_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    """As a path or as a URL; the policy names the same variable for its store."""
    monkeypatch.setenv("SUPPORT_DESK_SHOP", place.format(tmp_path))
    store = load_policy(PROMPTS.parent / "ringfence.yaml").policy.store
    assert store.where() == place.format(tmp_path)
    assert team.shop.__wrapped__().path == tmp_path / "own.sqlite"


# The prompts


@pytest.mark.parametrize("who", ["triage agent", "desk agent", "reviewer"])
def test_a_prompt_says_who_the_agent_is(who: str) -> None:
    """The first line is fixed, and only the reviewer is told the word that ends the chat."""
    prompt = (PROMPTS / f"{who.split(maxsplit=1)[0]}.md").read_text(encoding="utf-8")
    assert prompt.splitlines()[0] == f"You are the {who} of a support desk."
    assert ("DONE" in prompt) == (who == "reviewer")
