"""Tools of each kind that AutoGen has: none acts uncleared, no model sees personal data of a result."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import CancellationToken
from autogen_core.tools import BaseStreamTool, BaseTool, FunctionTool, StaticStreamWorkbench, StaticWorkbench
from fenced import EMAIL, agent, recording, team_of
from kinds import DESCRIBED, RESULT, asks, fenced, is_refused, refused, runs_once_approved
from pydantic import BaseModel
from scripted import Bench, Scripted, call, result

from ringfence import Fence, Ringfence, Status, idempotency_key, tool

House = Callable[..., Ringfence]


class What(BaseModel):
    """What a tool takes."""

    what: str


class Said(BaseModel):
    """What a tool gives back."""

    said: str


class Acting(BaseTool[What, Said]):
    """A tool as a class."""

    def __init__(self, effects: list[Any]) -> None:
        super().__init__(What, Said, "act", "Act.")
        self._effects = effects

    async def run(self, args: What, cancellation_token: CancellationToken) -> Said:
        """Act."""
        self._effects.append(args.what)
        return Said(said=RESULT)


class Streaming(BaseStreamTool[What, TextMessage, Said]):
    """A tool that tells what it is doing."""

    def __init__(self, effects: list[Any]) -> None:
        super().__init__(What, Said, "act", "Act.")
        self._effects = effects

    async def run(self, args: What, cancellation_token: CancellationToken) -> Said:
        """Act without telling."""
        self._effects.append(args.what)
        return Said(said=RESULT)

    async def run_stream(
        self, args: What, cancellation_token: CancellationToken
    ) -> AsyncGenerator[TextMessage | Said, None]:
        """Act."""
        yield TextMessage(content=f"Half done for {EMAIL}", source="act")
        yield await self.run(args, cancellation_token)


def desk(model: Scripted, tools: Any) -> Any:
    """A team of one agent, which reads the tool's result."""
    return team_of(model, tools, max_tool_iterations=3)


@fenced(
    "Tools", "A typed function", "`fence.workbench([function])`, with `@tool(...)` or a rule of the policy"
)
async def test_a_function(house: House) -> None:
    """AutoGen runs it in a thread."""
    act, model = recording(answer=RESULT), asks()
    await runs_once_approved(house(), desk(model, [act.function]), act.calls, model)


@fenced("Tools", "A typed `async` function", "as a function")
async def test_an_async_function(house: House) -> None:
    """It runs on the event loop."""
    effects: list[Any] = []

    @tool()
    async def act(what: str) -> str:
        """Act."""
        effects.append(what)
        return RESULT

    model = asks()
    await runs_once_approved(house(), desk(model, [act]), effects, model)


@fenced("Tools", "`FunctionTool`", "as a function")
async def test_a_function_tool(house: House) -> None:
    """AutoGen's own wrapper, under a name of its own."""
    act, model = recording(answer=RESULT), asks("renamed")
    tools = [FunctionTool(act.function, "Act.", name="renamed")]
    await runs_once_approved(house(), desk(model, tools), act.calls, model, tool="renamed")


@fenced(
    "Tools", "`BaseTool`", "`fence.workbench([tool])`, with a rule of the policy or `@tool(...)` on its class"
)
async def test_a_base_tool(house: House) -> None:
    """A tool as a class, which the policy describes."""
    effects: list[Any] = []
    model = asks()
    await runs_once_approved(house(**DESCRIBED), desk(model, [Acting(effects)]), effects, model)


@fenced("Tools", "`BaseStreamTool`", "as a `BaseTool`; what it tells on the way passes its result's checks")
async def test_a_streaming_tool(house: House) -> None:
    """What it tells on the way reaches the user, and no model or state with personal data in it."""
    effects: list[Any] = []
    model = asks()
    ringfence = house(**DESCRIBED)
    await runs_once_approved(ringfence, desk(model, [Streaming(effects)]), effects, model)
    conversation = ringfence.conversation(desk(asks(), [Streaming([])]))
    await conversation.run(task="Go")
    await conversation.approve(conversation.pending_approvals[0].id, by="bob")
    seen = [event async for event in conversation.resume_stream()]
    assert f"Half done for {EMAIL}" in [event.to_text() for event in seen if isinstance(event, TextMessage)]
    assert EMAIL not in json.dumps(await conversation.save_state(), default=str)


@fenced("Tools", "`StaticWorkbench`, `StaticStreamWorkbench`", "`fence.workbench(workbench)`")
async def test_a_static_workbench(house: House) -> None:
    """The tools inside are taken out, and run by the fence."""
    for kind in (StaticWorkbench, StaticStreamWorkbench):
        effects: list[Any] = []
        model = asks()
        await runs_once_approved(house(**DESCRIBED), desk(model, kind([Acting(effects)])), effects, model)


@fenced(
    "Tools",
    "A `Workbench` of your own",
    "`fence.workbench(workbench)`, with a rule of the policy for each tool",
)
async def test_a_workbench_of_ones_own(house: House) -> None:
    """Its word is not taken for what its tools do."""

    async def act() -> Any:
        return result(RESULT)

    bench, model = Bench(act), asks(arguments="{}")
    await runs_once_approved(house(**DESCRIBED), desk(model, bench), bench.calls, model)


@fenced(
    "Tools", "Several workbenches of one agent", "`workbench=[fence.workbench(...), fence.workbench(...)]`"
)
async def test_several_workbenches(house: House) -> None:
    """A name stands for one tool, whichever workbench it is in."""
    act, look, model = recording(answer=RESULT), recording("look", consequential=False), asks()

    def factory(fence: Fence) -> Any:
        benches = [fence.workbench([look.function]), fence.workbench([act.function])]
        client = fence.model_client(model, model="scripted")
        one = AssistantAgent("desk", client, workbench=benches, max_tool_iterations=3)
        return RoundRobinGroupChat([one], max_turns=1)

    await runs_once_approved(house(), factory, act.calls, model)


@fenced(
    "Tools",
    "`AgentTool`",
    "`fence.workbench([AgentTool(agent)])`; what the agent says is shown as it says it",
)
async def test_an_agent_as_a_tool(house: House) -> None:
    """The agent within calls a tool, which waits for its own approval; its talk reaches the user."""
    act, inner, outer = recording(answer=RESULT), asks(), asks("helper", '{"task": "Act"}')

    def factory(fence: Fence) -> Any:
        helper = agent(fence, inner, name="helper", tools=[act.function], max_tool_iterations=3)
        return desk(outer, [AgentTool(helper)])(fence)

    await runs_once_approved(house(tools={"helper": {"decision": "allow"}}), factory, act.calls, inner, outer)


@fenced("Tools", "`TeamTool`", "`fence.workbench([TeamTool(team, ...)])`, likewise")
async def test_a_team_as_a_tool(house: House) -> None:
    """Inner talk reaches the stream when it passed the user's door, as it happens."""
    act, inner, outer = recording(answer=RESULT), asks(), asks("crew", '{"task": "Act"}')

    def factory(fence: Fence) -> Any:
        member = agent(fence, inner, name="member", tools=[act.function], max_tool_iterations=3)
        team = RoundRobinGroupChat([member], max_turns=1)
        return desk(outer, [TeamTool(team, name="crew", description="Crew.")])(fence)

    ringfence = house(tools={"crew": {"decision": "allow"}})
    await runs_once_approved(ringfence, factory, act.calls, inner, outer)


async def test_what_an_agent_within_a_tool_says_is_seen_before_the_tool_is_done(house: House) -> None:
    """In the order in which AutoGen alone would show it."""
    outer = asks("helper", '{"task": "Look"}')

    def factory(fence: Fence) -> Any:
        helper = agent(fence, Scripted(f"I write to {EMAIL}."), name="helper")
        return desk(outer, [AgentTool(helper)])(fence)

    conversation = house(tools={"helper": {"decision": "allow"}}).conversation(factory)
    kinds = [
        (type(one).__name__, getattr(one, "source", "")) async for one in conversation.run_stream(task="Go")
    ]
    assert kinds[1:6] == [
        ("ToolCallRequestEvent", "desk"),
        ("TextMessage", "user"),
        ("TextMessage", "helper"),
        ("ToolCallExecutionEvent", "desk"),
        ("TextMessage", "desk"),
    ]


@fenced("Tools", "Parallel calls", "each is cleared, approved and journaled for itself")
async def test_fifty_parallel_calls(house: House) -> None:
    """Fifty calls in one reply each run once, and each has a key of its own."""
    keys: list[str] = []

    @tool()
    async def act(what: str) -> str:
        """Act."""
        await asyncio.sleep(0)
        keys.append(idempotency_key())
        return what

    calls = [call("act", json.dumps({"what": str(number)}), id=f"id-{number}") for number in range(50)]
    model = Scripted([*calls], "Done.")
    conversation = house(tools={"act": {"decision": "allow"}}).conversation(desk(model, [act]))
    await conversation.run(task="Go")
    assert conversation.status is Status.DONE
    assert len(keys) == len({*keys}) == 50
    assert all(key.startswith("ringfence-") for key in keys)


@fenced("Tools", "`max_tool_iterations`", "each round's calls are cleared anew")
async def test_tool_iterations(house: House) -> None:
    """The second round's call waits as the first one's does."""
    act = recording(answer=RESULT)
    first, second = (call(arguments=f'{{"what": "{what}"}}', id=what) for what in ("a", "b"))
    model = Scripted([first], [second], "Done.")
    conversation = house().conversation(desk(model, [act.function]))
    await conversation.run(task="Go")
    for done in range(2):
        assert len(act.calls) == done
        await conversation.approve(conversation.pending_approvals[0].id, by="bob")
        await conversation.resume()
    assert (conversation.status, len(act.calls)) == (Status.DONE, 2)


# What outside services get


@pytest.fixture
async def http() -> AsyncIterator[tuple[int, list[Any]]]:
    """A real HTTP server on this machine: its port, and what was posted to it, with its headers."""
    posted: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Note the request."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted.append((dict(self.headers), json.loads(body)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(RESULT.encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port, posted
    await asyncio.to_thread(server.shutdown)
    server.server_close()


@fenced("Tools", "`HttpTool`", "as a `BaseTool`; the call's key is sent as the header `Idempotency-Key`")
async def test_an_http_tool(house: House, http: tuple[int, list[Any]]) -> None:
    """A service gets the call's own key, whatever header the tool was made with."""
    module = pytest.importorskip("autogen_ext.tools.http", reason='needs pip install "ringfence[http]"')
    port, posted = http
    schema = {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]}
    headers = {"idempotency-key": "mine", "X-Team": "desk"}
    act = module.HttpTool("act", "127.0.0.1", port, schema, headers=headers)
    model = asks()
    await runs_once_approved(house(**DESCRIBED), desk(model, [act]), posted, model)
    ((sent, body),) = posted
    assert body == {"what": "it"}
    assert sent["Idempotency-Key"].startswith("ringfence-")
    assert sent["X-Team"] == "desk"
    assert "mine" not in sent.values()


async def test_a_function_reads_the_key_of_its_call(house: House) -> None:
    """In a thread as on the event loop; outside of a tool there is none."""
    keys: list[str] = []

    @tool()
    def act(what: str) -> str:
        """Act."""
        keys.append(idempotency_key())
        return what

    @tool()
    async def act_too(what: str) -> str:
        """Act."""
        keys.append(idempotency_key())
        return what

    asked = '{"what": "x"}'
    model = Scripted([call("act", asked, id="a"), call("act_too", asked, id="b")], "Done.")
    await house(tools={"*": {"decision": "allow"}}).conversation(desk(model, [act, act_too])).run(task="Go")
    assert len({*keys}) == 2
    assert all(keys)
    assert idempotency_key() == ""


@fenced("Tools", "`LangChainToolAdapter`", "as a `BaseTool`")
async def test_a_langchain_tool(house: House) -> None:
    """A tool of LangChain in AutoGen's adapter."""
    adapter = pytest.importorskip("autogen_ext.tools.langchain", reason="needs langchain-core")
    langchain = pytest.importorskip("langchain_core.tools", reason="needs langchain-core")
    effects: list[Any] = []

    def act(what: str) -> str:
        """Act."""
        effects.append(what)
        return RESULT

    made = adapter.LangChainToolAdapter(langchain.StructuredTool.from_function(act))
    model = asks()
    await runs_once_approved(house(**DESCRIBED), desk(model, [made]), effects, model)


async def test_a_tool_that_nobody_described_is_refused(house: House) -> None:
    """The fault says both cures."""
    await is_refused(house(), desk(asks(), [Acting([])]), "nobody said what it does")


@refused(
    "Tools",
    "`GlobalSearchTool`, `LocalSearchTool` of GraphRAG",
    "ask models of their own past the model door",
)
async def test_graphrag(house: House) -> None:
    """GraphRAG's models are none of AutoGen's, so the walk knows the tools by where they are from."""
    kind = type("GlobalSearchTool", (Acting,), {"__module__": "autogen_ext.tools.graphrag._global_search"})
    made = desk(Scripted("x"), [kind([])])
    await is_refused(house(**DESCRIBED), made, "GlobalSearchTool asks models of its own")
