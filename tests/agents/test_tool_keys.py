"""What a tool gets from the fence and never from a model: its idempotency key, and a transaction."""

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import CancellationToken
from autogen_core.tools import BaseTool, FunctionTool, ToolResult, ToolSchema
from fenced import recording, reply_of, team_of
from pydantic import BaseModel
from scripted import Bench, Scripted, call
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ringfence import Fence, PolicyError, Ringfence, RingfenceError, tool
from ringfence.agents.tool_origins import as_workbench
from ringfence.agents.workbench import FencedWorkbench
from ringfence.conversations.journal import Journal
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.stop import StopSignal

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection as OnlyForTypes

House = Callable[..., Ringfence]
KEY = "ticket-7:call-1"
TICKETS = Path(__file__).parents[1] / "support" / "mcp_tickets.py"


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[AsyncConnection]:
    """A connection inside a transaction."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'effects.sqlite'}")
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE effects (what TEXT, key TEXT)"))
        yield connection
    await engine.dispose()


def fence_of(house: House, **policy: Any) -> Fence:
    """The fence of a conversation."""
    ringfence = house(**policy)
    return ringfence._fence(Journal(ringfence.store, "any"), "user", None)[0]


def names_in(schema: ToolSchema) -> list[str]:
    """The arguments that a model is offered; those that it must give are among them."""
    parameters = schema["parameters"]
    assert {*parameters.get("required", ())} <= {*parameters["properties"]}
    return [*parameters["properties"]]


def at_the_door(fence: Fence, tools: Any, **given: Any) -> FencedWorkbench:
    """A workbench whose door does nothing but give each call a key and a transaction."""

    async def give(call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        return await call_next(replace(call, **given))

    bench, origins = as_workbench(tools)
    for name, origin in origins.items():
        fence._register(name, origin)
    return FencedWorkbench(
        bench,
        origins=origins,
        register=fence._register,
        middlewares=[give],
        stop=StopSignal(),
        fence=fence,
    )


@tool(idempotency_key="key")
def pay(amount: int, key: str, note: str = "") -> str:
    """Pay, in a thread."""
    return f"{amount} {key} {note}"


@tool(transaction="db", idempotency_key="key")
async def book(what: str, *, key: str, db: AsyncConnection) -> str:
    """Book in the transaction."""
    await db.execute(text("INSERT INTO effects VALUES (:what, :key)"), {"what": what, "key": key})
    return f"booked {what}"


@tool(transaction="db")
async def file_away(what: str, db: "OnlyForTypes") -> str:
    """Book with a type that is known to type checkers alone."""
    await db.execute(text("INSERT INTO effects VALUES (:what, '')"), {"what": what})
    return f"filed {what}"


class PayArguments(BaseModel):
    """What `Paying` takes."""

    amount: int
    key: str
    note: str = ""


class Paid(BaseModel):
    """What `Paying` gives back."""

    receipt: str


@tool(idempotency_key="key")
class Paying(BaseTool[PayArguments, Paid]):
    """An AutoGen tool that says of itself which argument takes the key."""

    def __init__(self) -> None:
        super().__init__(PayArguments, Paid, "paying", "Pay.")

    async def run(self, args: PayArguments, cancellation_token: CancellationToken) -> Paid:
        """Pay."""
        return Paid(receipt=pay(args.amount, args.key, args.note))


class Tickets(Bench):
    """A workbench that cannot say what its tools are, such as an MCP server's."""

    def __init__(self, **parameters: Any) -> None:
        super().__init__()
        self.parameters = parameters

    async def list_tools(self) -> list[ToolSchema]:
        """One tool with these parameters."""
        return [ToolSchema(name="act", description="Act.", parameters=self.parameters)]  # type: ignore[typeddict-item]  # as a server might say it


TEXT = {"type": "string"}
CLOSED = {"type": "object", "properties": {"what": TEXT, "key": TEXT}, "required": ["what", "key"]}


# What a model sees


async def test_no_model_is_offered_what_the_fence_fills_in(house: House) -> None:
    """Neither the key nor the connection stands in a schema, not even as required."""
    offered = await fence_of(house).workbench([pay, book, file_away]).list_tools()
    assert {schema["name"]: names_in(schema) for schema in offered} == {
        "pay": ["amount", "note"],
        "book": ["what"],
        "file_away": ["what"],
    }


async def test_the_schema_of_the_tool_itself_stays_as_it_is(house: House) -> None:
    """What is hidden from a model is taken out of a copy."""
    inside = Tickets(**CLOSED)
    fence = fence_of(house, tools={"act": {"idempotency_key": "key"}})
    (offered,) = await fence.workbench(inside).list_tools()
    assert names_in(offered) == ["what"]
    assert (await inside.list_tools())[0]["parameters"]["required"] == ["what", "key"]


@pytest.mark.parametrize("name", ["key", "db"])
async def test_what_a_model_writes_there_all_the_same_is_refused(house: House, name: str) -> None:
    """The call does not run, and the model hears that there is no such argument."""
    model = Scripted([call("book", f'{{"what": "lamp", "{name}": "mine"}}')], "over")
    conversation = house(tools={"book": {"decision": "allow"}}).conversation(team_of(model, [book]))
    run = await conversation.run(task="Go")
    said = reply_of(run)
    assert f"book has no argument `{name}`" in said
    assert "booked" not in said


async def test_what_stands_there_is_replaced_where_a_tool_takes_any_argument(house: House) -> None:
    """A model that guessed the argument's name cannot choose the key."""
    inside = Tickets(additionalProperties=True, **CLOSED)
    fence = fence_of(house, tools={"act": {"idempotency_key": "key"}})
    bench = at_the_door(fence, inside, idempotency_key=KEY)
    await bench.list_tools()
    await bench.call_tool("act", {"what": "x", "key": "mine"}, call_id="1")
    assert inside.calls == [{"what": "x", "key": KEY}]


# What the tool gets


async def test_the_tool_gets_the_key(house: House) -> None:
    """Functions, and AutoGen's tools around them, with what else the model said."""
    fence = fence_of(house)
    renamed = FunctionTool(pay, "Pay.", name="pay_again")
    bench = at_the_door(fence, [pay, renamed, Paying()], idempotency_key=KEY)
    for name in ("pay", "pay_again", "paying"):
        answer = await bench.call_tool(name, {"amount": 5, "note": "rent"}, call_id="1")
        assert f"5 {KEY} rent" in answer.to_text()


async def test_the_tool_gets_the_connection_itself(house: House, db: AsyncConnection) -> None:
    """What it does stands in the transaction of whoever gave it."""
    bench = at_the_door(fence_of(house), [book, file_away], idempotency_key=KEY, transaction=db)
    assert (await bench.call_tool("book", {"what": "lamp"}, call_id="1")).to_text() == "booked lamp"
    assert (await bench.call_tool("file_away", {"what": "desk"}, call_id="2")).to_text() == "filed desk"
    kept = await db.execute(text("SELECT what, key FROM effects"))
    assert [*kept] == [("lamp", KEY), ("desk", "")]


async def test_the_tool_does_not_run_when_there_is_nothing_to_fill_in(
    house: House, db: AsyncConnection
) -> None:
    """An empty key would make all calls look like one, and without a transaction nothing is recorded."""
    cases: list[tuple[dict[str, Any], str]] = [
        ({"transaction": db}, "book takes an idempotency key"),
        ({"idempotency_key": KEY}, "book works in a transaction"),
    ]
    for given, why in cases:
        bench = at_the_door(fence_of(house), [book], **given)
        with pytest.raises(RingfenceError, match=why):
            await bench.call_tool("book", {"what": "lamp"}, call_id="1")
    assert [*await db.execute(text("SELECT * FROM effects"))] == []


async def test_the_key_stands_in_no_repr() -> None:
    """A call that somebody prints shows neither what it asks nor its key."""
    shown = repr(ToolCall("desk", "pay", {"amount": 5}, "call-1", idempotency_key=KEY, transaction=object()))
    assert shown == "ToolCall(agent='desk', tool='pay', call_id='call-1')"


async def test_a_tool_of_mcp_gets_its_key_by_the_policy(house: House) -> None:
    """A server cannot say which argument takes the key, so the policy does."""
    mcp = pytest.importorskip("autogen_ext.tools.mcp", reason='needs pip install "ringfence[mcp]"')
    params = mcp.StdioServerParams(command=sys.executable, args=[str(TICKETS)], read_timeout_seconds=50)
    fence = fence_of(house, tools={"open_*": {"idempotency_key": "request_id"}})
    async with at_the_door(fence, mcp.McpWorkbench(params), idempotency_key=KEY) as bench:
        (offered,) = await bench.list_tools()
        assert names_in(offered) == ["title"]
        assert fence.tools["open_ticket"].idempotency_key == "request_id"
        answer = await bench.call_tool("open_ticket", {"title": "Lamp"}, call_id="1")
    assert answer.to_text() == f"Lamp as {KEY}"


# What is refused


@tool(idempotency_key="kee")
def misspelt(key: str) -> str:
    """Take a key under another name."""
    return key


@tool(transaction="db")
async def without_one(what: str) -> str:
    """Take no connection."""
    return what


@tool(transaction="dbb")
async def misspelt_connection(what: str, db: AsyncConnection) -> str:
    """Take a connection under another name."""
    return f"{what} {db}"


@tool(transaction="db")
def in_a_thread(db: AsyncConnection) -> str:
    """Take a connection into a thread."""
    return str(db)


@tool(idempotency_key="both", transaction="both")
async def one_for_both(both: str) -> str:
    """Take the key and the connection in one."""
    return both


@pytest.mark.parametrize(
    ("tools", "says"),
    [
        ([misspelt], "misspelt has no argument kee for the idempotency key; it has: key"),
        ([FunctionTool(misspelt, "x", name="other")], "other has no argument kee for the idempotency key"),
        ([without_one], "without_one has no argument db for the transaction; it has: what"),
        ([misspelt_connection], "has no argument dbb for the transaction; it has: db, what"),
        ([in_a_thread], "in_a_thread cannot take a transaction: only a plain async function can"),
        ([one_for_both], "go to the same argument, both; name two"),
    ],
    ids=["a key", "a key of a FunctionTool", "a connection", "a typo", "a thread", "one for both"],
)
def test_a_tool_that_lacks_the_argument_is_refused_by_the_fence(
    house: House, tools: Sequence[Any], says: str
) -> None:
    """Before any run, with a PolicyError that names the tool and the argument."""
    with pytest.raises(PolicyError, match=says):
        fence_of(house).workbench(tools)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"idempotency_key": "kee"}, "act has no argument kee for the idempotency key; it has: key, what"),
        ({"idempotency_key": "key", "arguments": {"key": {"maximum": 5}}}, "the fence fills it in"),
        ({"idempotency_key": "key", "reveals": {"key": ["EMAIL_ADDRESS"]}}, "the fence fills it in"),
    ],
    ids=["no such argument", "a rule for the key", "real values in the key"],
)
async def test_a_policy_that_does_not_fit_the_tool_is_refused(
    house: House, rule: dict[str, Any], says: str
) -> None:
    """The key would go nowhere, and a call that was cut off would be repeated all the same."""
    ringfence = house(tools={"act": rule})
    (fault,) = await ringfence.check(team_of(Scripted("ok"), Tickets(**CLOSED)))
    assert says in str(fault)


async def test_a_glob_of_the_policy_must_fit_every_tool_that_it_names(house: House) -> None:
    """A tool that gets no key, and is believed to get one, would act twice."""
    ringfence = house(tools={"*": {"idempotency_key": "key"}})
    (fault,) = await ringfence.check(team_of(Scripted("ok"), [pay, recording("look").function]))
    assert "look has no argument key for the idempotency key; it has: what" in str(fault)


async def test_the_policy_may_not_put_the_key_into_the_transaction(house: House) -> None:
    """The function would get a text where it needs a connection."""
    ringfence = house(tools={"book": {"idempotency_key": "db"}})
    (fault,) = await ringfence.check(team_of(Scripted("ok"), [book]))
    assert "go to the same argument, db" in str(fault)


# Agents and teams as tools


async def test_agents_and_teams_as_tools_are_known_as_such(house: House) -> None:
    """Their steps pass the doors by themselves; other tools are one step, whatever they say."""
    fence = fence_of(house)

    def helper(name: str) -> AssistantAgent:
        return AssistantAgent(
            name, fence.model_client(Scripted("ok"), model="scripted"), description="Helps."
        )

    team = RoundRobinGroupChat([helper("inner")], name="team", description="Helps.")
    fence.workbench(
        [AgentTool(helper("helper")), TeamTool(team, "team", "Helps."), pay, recording().function]
    )
    assert {name for name, spec in fence.tools.items() if spec.composite} == {"helper", "team"}
