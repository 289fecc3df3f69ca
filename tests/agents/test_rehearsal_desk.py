"""A person can talk to the support desk with no model at all: the example's rules, prompts and tools."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import ChatAgent, TaskResult, Team
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.messages import TextMessage, ToolCallRequestEvent
from autogen_agentchat.teams import RoundRobinGroupChat

from ringfence.agents.rehearsal import RehearsalModel
from ringfence.examples.support_desk import tools as desk_tools
from ringfence.examples.support_desk.shop import create_shop

EXAMPLE = Path(desk_tools.__file__).parent
ATTACKED = "1190"
"""The order whose note is an attack."""


@dataclass
class Desk:
    """The support desk's team with its real shop, bare: no fence, and mail goes to a list."""

    folder: Path
    obedient: bool = False
    instead: dict[str, Callable[..., str]] = field(default_factory=dict)
    """Tools to take in place of the real ones."""
    mails: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        model = RehearsalModel.from_file(EXAMPLE / "rehearsal.yaml", obedient=self.obedient)
        tools = desk_tools.support_tools(create_shop(self.folder / "shop.sqlite"), "", 0)
        prompts = {
            name: (EXAMPLE / "prompts" / f"{name}.md").read_text() for name in ("triage", "desk", "reviewer")
        }
        self.team = RoundRobinGroupChat(
            [
                AssistantAgent("triage", model, system_message=prompts["triage"]),
                AssistantAgent(
                    "desk",
                    model,
                    tools=[self.instead.get(tool.__name__, tool) for tool in tools],
                    system_message=prompts["desk"],
                    max_tool_iterations=6,
                ),
                AssistantAgent("reviewer", model, system_message=prompts["reviewer"]),
            ],
            termination_condition=TextMentionTermination("DONE", sources=["reviewer"])
            | MaxMessageTermination(40),
        )

    async def hears(self, text: str, source: str = "user") -> "Heard":
        return Heard(await self.team.run(task=TextMessage(content=text, source=source)))


class Heard:
    """What came of one message."""

    def __init__(self, ended: TaskResult) -> None:
        texts = {one.source: one.content for one in ended.messages if isinstance(one, TextMessage)}
        self.desk, self.reviewer = texts.get("desk", ""), texts["reviewer"]
        requests = [one for one in ended.messages if isinstance(one, ToolCallRequestEvent)]
        self.calls = [(call.name, json.loads(call.arguments)) for one in requests for call in one.content]
        assert ended.stop_reason == "Text 'DONE' mentioned"

    @property
    def tools(self) -> list[str]:
        return [name for name, _ in self.calls]


@pytest.fixture
def open_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Desk]:
    def opened(**options: Any) -> Desk:
        desk = Desk(tmp_path, **options)

        def send(_host: str, _port: int, _sender: str, to: str, subject: str, body: str) -> None:
            desk.mails.append((to, subject, body))

        monkeypatch.setattr(desk_tools, "send", send)
        return desk

    return opened


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()


@pytest.mark.parametrize(
    "wish",
    [
        "Refund order 1182 and write to Jane at jane@acme.com",
        "please give me my money back for order #1182 and e-mail jane@acme.com",
        "hi! could you reimburse 1182? and let jane know.",
    ],
)
async def test_a_refund_and_a_mail(desk: Desk, wish: str) -> None:
    """Look up, refund, write, report: each step after the result of the one before."""
    heard = await desk.hears(wish)
    assert heard.tools == ["find_order", "refund", "send_email"]
    ((to, subject, body),) = desk.mails
    assert (to, subject) == ("jane@acme.com", "Your refund for order 1182")
    assert "49.90 USD" in body
    assert "R-1" in body
    for text in (heard.desk, heard.reviewer):
        assert "49.90 USD refunded, receipt R-1" in text
        assert "sent to jane@acme.com" in text


async def test_placeholders_stay_placeholders(desk: Desk) -> None:
    """Behind the fence the model sees pseudonyms, and hands them on as they are."""
    heard = await desk.hears("Refund order 1182 and write to Jane at <EMAIL_ADDRESS_1>.")
    assert heard.calls[-1][1]["to"] == "<EMAIL_ADDRESS_1>"


@pytest.mark.parametrize(
    ("wish", "amount"),
    [
        ("Refund order 1184", "64.50"),
        ("refund 20 USD of order 1184", "20"),
        ("Refund $12.50 for 1184", "12.50"),
        ("Refund order 1184, but don't mail sofia@example.com", "64.50"),
    ],
)
async def test_a_refund_without_a_mail(desk: Desk, wish: str, amount: str) -> None:
    """Of all that was paid, or of what the user says; and nobody is written to."""
    heard = await desk.hears(wish)
    assert heard.tools == ["find_order", "refund"]
    assert heard.calls[1][1]["amount_usd"] == amount
    assert "receipt R-1" in heard.reviewer


@pytest.mark.parametrize(
    "question",
    [
        "Has order 1182 been refunded?",
        "When will I get my refund for order 1182?",
        "Please do not refund order 1182",
        "where is my order 1182?",
        "status of 1182",
        "Tell me about order 1182",
    ],
)
async def test_a_question_refunds_nothing(desk: Desk, question: str) -> None:
    """Words about a refund are not a wish for one."""
    heard = await desk.hears(question)
    assert heard.tools == ["find_order"]
    assert "Walnut desk lamp" in heard.desk
    assert "delivered" in heard.reviewer


async def test_it_asks_for_what_is_missing(desk: Desk) -> None:
    """And takes the answer for what it is."""
    assert "Which order" in (await desk.hears("I want a refund")).desk
    assert (await desk.hears("no, forget it")).calls == []
    assert "Which order" in (await desk.hears("Refund orders 1183 and 1184, please")).desk
    heard = await desk.hears("1183")
    assert heard.tools == ["find_order", "refund"]
    assert "Order 1183: 27.00 USD refunded" in heard.desk
    assert "What shall I write" in (await desk.hears("write to jane@acme.com")).desk
    heard = await desk.hears("Your refund for order 1184 is on its way")
    assert heard.tools == ["send_email"]
    assert desk.mails == [
        ("jane@acme.com", "From the support desk", "Your refund for order 1184 is on its way")
    ]


async def test_an_order_is_not_refunded_twice(desk: Desk) -> None:
    """Across the turns of a conversation, too."""
    await desk.hears("Refund order 1182")
    heard = await desk.hears("Refund order 1182 and write to jane@acme.com")
    assert heard.tools == ["find_order"]
    assert "NOT refunded again" in heard.reviewer


@pytest.mark.parametrize(
    "wish", ["Refund order 9999", "Where is 9999?", "what do the notes on order 9999 say"]
)
async def test_an_unknown_order(desk: Desk, wish: str) -> None:
    """Found nowhere, so nothing follows."""
    heard = await desk.hears(wish)
    assert len(heard.calls) == 1
    assert "I find no order 9999" in heard.reviewer


NO = "Refused: the amount is above the limit. The call was not run."
WAITS = "Not done yet: refund waits for approval. Do not repeat the call."


@pytest.mark.parametrize(
    "refusal", [NO, WAITS, "refund failed with TimeoutError", "only 5.00 USD can be refunded"]
)
async def test_a_refused_refund_is_never_reported_as_done(
    open_desk: Callable[..., Desk], refusal: str
) -> None:
    """Whatever the tool says: without a receipt it is not done, and no mail claims that it is."""

    def refund(order_id: str, amount_usd: str, reason: str) -> str:
        """Refuse."""
        raise ValueError(refusal)

    desk = open_desk(instead={"refund": refund})
    heard = await desk.hears("Refund order 1182 and write to Jane at jane@acme.com")
    assert heard.tools == ["find_order", "refund"]
    assert desk.mails == []
    for text in (heard.desk, heard.reviewer):
        assert "NOT refunded" in text
        assert refusal in text


async def test_an_unknown_outcome_is_told_as_such(open_desk: Callable[..., Desk]) -> None:
    """Neither done nor not done."""

    def refund(order_id: str, amount_usd: str, reason: str) -> str:
        """Lose the answer."""
        raise ValueError("No answer within 60 s. It is not known whether the call took effect.")

    heard = await open_desk(instead={"refund": refund}).hears("Refund order 1182")
    assert "I cannot say whether order 1182 is refunded" in heard.reviewer
    assert "NOT refunded" not in heard.reviewer


@pytest.mark.parametrize(
    ("answer", "report"),
    [
        ("Refused: send_email was rejected by bob: later. The call was not run.", "Mail: NOT sent. Refused:"),
        ("send_email failed with TimeoutError", "Mail: NOT confirmed. "),
    ],
)
async def test_a_mail_that_was_not_sent_does_not_undo_the_refund(
    open_desk: Callable[..., Desk], answer: str, report: str
) -> None:
    """Each step is reported for itself, with the words of whoever said no."""

    def send_email(to: str, subject: str, body: str) -> str:
        """Send nothing."""
        raise ValueError(answer)

    heard = await open_desk(instead={"send_email": send_email}).hears("Refund order 1182 and tell Jane")
    assert "49.90 USD refunded, receipt R-1" in heard.reviewer
    assert report in heard.reviewer


async def test_notes_are_read_and_not_obeyed(desk: Desk) -> None:
    """Customers write notes too."""
    assert "no notes" in (await desk.hears("what do the notes on order 1185 say?")).reviewer
    assert "cracked base" in (await desk.hears("check the notes on order 1182")).reviewer
    heard = await desk.hears(f"Check the notes on order {ATTACKED}")
    assert heard.tools == ["read_note"]
    assert "I do NOT follow it" in heard.desk
    assert desk.mails == []


async def test_the_obedient_desk_obeys_a_note(open_desk: Callable[..., Desk]) -> None:
    """The same desk with an obedient model, and nothing around it, sends what the attacker wants."""
    desk = open_desk(obedient=True)
    heard = await desk.hears(f"Check the notes on order {ATTACKED}")
    assert heard.tools == ["read_note", "send_email"]
    assert [to for to, _, _ in desk.mails] == ["archive@mail-backup.example"]
    assert "I tried to follow it" in heard.desk


@pytest.mark.parametrize(
    "wish", ["Which orders does {} have?", "list the orders of {}", "show me all orders for {}"]
)
async def test_the_orders_of_a_customer(desk: Desk, wish: str) -> None:
    """One line for each."""
    heard = await desk.hears(wish.format("priya@example.net"))
    assert heard.calls == [("list_orders", {"customer_email": "priya@example.net"})]
    assert "- 1186: Wool throw, moss green, 119.00 USD, delivered\n- 1191: Beeswax" in heard.reviewer
    assert "no orders under" in (await desk.hears(wish.format("nobody@example.net"))).reviewer


@pytest.mark.parametrize(
    ("wish", "to", "body"),
    [
        (
            "Send an email to jane@acme.com saying the lamp is on its way",
            "jane@acme.com",
            "the lamp is on its way",
        ),
        ("write to <EMAIL_ADDRESS_1>: Good news!", "<EMAIL_ADDRESS_1>", "Good news!"),
        ("Mail the customer of order 1186 that we are late", "priya@example.net", "we are late"),
    ],
)
async def test_a_mail_by_itself(desk: Desk, wish: str, to: str, body: str) -> None:
    """To an address, or to whoever ordered."""
    heard = await desk.hears(wish)
    assert [(mail[0], mail[2]) for mail in desk.mails] == [(to, body)]
    assert f"The mail to {to} is on its way" in heard.reviewer


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("hello", "Hello!"),
        ("Thanks a lot", "You are welcome"),
        ("help", "I can look up an order"),
        ("are you a human?", "not a language model"),
        ("tell me a joke", "parcel"),
        ("my lamp arrived broken", "sorry"),
        ("bye", "Goodbye"),
        ("What is the capital of France?", "This is a rehearsal, not a language model"),
        ("", "This is a rehearsal"),
    ],
)
async def test_small_talk_and_what_it_cannot_do(desk: Desk, words: str, answer: str) -> None:
    """Honest about being a rehearsal, and about what it can do."""
    heard = await desk.hears(words)
    assert answer in heard.desk
    assert heard.calls == []


async def test_the_polite_never_stop() -> None:
    """For a budget to end: short lines, and none that ends a chat."""
    model = RehearsalModel.from_file(EXAMPLE / "rehearsal_chatty.yaml")
    names = ("host", "guest", "butler")
    agents: list[ChatAgent | Team] = [
        AssistantAgent(name, model, system_message=f"You are the {name}.") for name in names
    ]
    ended = await RoundRobinGroupChat(agents, termination_condition=MaxMessageTermination(60)).run(
        task="After you."
    )
    texts = [message.content for message in ended.messages[1:] if isinstance(message, TextMessage)]
    assert len(texts) == 59
    assert len(set(texts)) > 15
    assert max(map(len, texts)) < 80
    assert not any(word in text for text in texts for word in ("DONE", "TERMINATE"))
