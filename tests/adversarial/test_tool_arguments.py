"""Arguments of tool calls that are deep, huge, or look like others, and ids and names that come twice."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.tools import ToolResult, ToolSchema
from fenced import recording, team_of
from scripted import Bench, Scripted, call, result

from ringfence import Fence, GuardrailTripped, PolicyError, Ringfence, Status, tool
from ringfence.agents.tool_origins import as_workbench

House = Callable[..., Ringfence]
ALLOWED: dict[str, Any] = {"tools": {"*": {"decision": "allow"}}}
ANYTHING: dict[str, Any] = {"type": "object", "properties": {"what": {}}}


class Listing(Bench):
    """A workbench of somebody else's, which lists `act` with a schema."""

    def __init__(self, parameters: Any) -> None:
        super().__init__()
        self._parameters = parameters

    async def list_tools(self) -> list[ToolSchema]:
        """The one tool."""
        return [ToolSchema(name="act", description="Act.", parameters=self._parameters)]


def nested(levels: int, pair: str = "[]") -> str:
    """Arguments of this many levels, whole and well formed."""
    left, right = ("[", "]") if pair == "[]" else ('{"a":', "}")
    return '{"what": ' + left * levels + "1" + right * levels + "}"


@pytest.mark.parametrize("pair", ["[]", "{}"])
async def test_deep_arguments_do_not_run_and_do_not_hang(house: House, pair: str) -> None:
    """AutoGen's own reader would leave the team waiting for ever; here the model hears a refusal."""
    bench, model = Listing(ANYTHING), Scripted([call(arguments=nested(10_000, pair))], "I see.")
    conversation = house(**ALLOWED).conversation(team_of(model, bench, max_tool_iterations=2))
    await conversation.run(task="Go")
    assert bench.calls == []
    assert model.calls == 2
    assert conversation.status is Status.DONE


async def test_fifty_levels_reach_the_tool_whole(house: House) -> None:
    """What can be judged is judged, and nothing is cut off."""
    bench, model = Listing(ANYTHING), Scripted([call(arguments=nested(50))], "I see.")
    await house(**ALLOWED).conversation(team_of(model, bench, max_tool_iterations=2)).run(task="Go")
    assert bench.calls == [json.loads(nested(50))]


async def test_ten_megabytes_of_arguments_are_blocked(house: House) -> None:
    """Nobody could look through them for personal data in time; nothing is cut, and nothing runs."""
    act = recording()
    huge = call(arguments=json.dumps({"what": "lamp " * 2_000_000}))
    conversation = house(**ALLOWED).conversation(team_of(Scripted([huge], "I see."), [act.function]))
    with pytest.raises(GuardrailTripped, match="longer than pii"):
        await conversation.run(task="Go")
    assert (act.calls, conversation.status) == ([], Status.BLOCKED)


async def test_the_longest_arguments_that_pass_reach_the_tool_whole(house: House) -> None:
    """Nearly a megabyte: what was judged is what runs."""
    act, long = recording(), "lamp " * 190_000
    model = Scripted([call(arguments=json.dumps({"what": long}))], "I see.")
    conversation = house(**ALLOWED).conversation(team_of(model, [act.function], max_tool_iterations=2))
    await conversation.run(task="Go")
    assert act.calls == [{"what": long.strip()}] or act.calls == [{"what": long}]


async def test_a_tool_that_takes_anything_still_gets_only_what_was_judged(house: House) -> None:
    """A schema that allows more arguments does not let them pass unseen: the rule of the policy sees them."""
    bench = Listing(ANYTHING | {"additionalProperties": True})
    rule = {"decision": "allow", "arguments": {"to": {"one_of": ["bob"]}}}
    model = Scripted([call(arguments='{"what": 1, "to": "eve"}')], "I see.")
    conversation = house(tools={"act": rule}).conversation(team_of(model, bench, max_tool_iterations=2))
    await conversation.run(task="Go")
    assert bench.calls == []
    assert "argument `to` of act is none of the values" in model.seen


@pytest.mark.parametrize("written", ['"5"', '"5.0"', '" 5"', "5.5", "true", "null", "[5]", '{"value": 5}'])
async def test_a_number_in_another_dress_is_not_sent_to_a_server(house: House, written: str) -> None:
    """Some servers take a text for a number, and each reads it in its own way."""
    shape = {"type": "object", "properties": {"what": {"type": "integer"}}, "required": ["what"]}
    bench, model = Listing(shape), Scripted([call(arguments=f'{{"what": {written}}}')], "I see.")
    conversation = house(**ALLOWED).conversation(team_of(model, bench, max_tool_iterations=2))
    await conversation.run(task="Go")
    assert bench.calls == []
    assert "what: must be a whole number" in model.seen


@pytest.mark.parametrize(
    "recipient",
    [
        "alicе@contoso.com",
        "alice@contoso.соm",
        "alice@c0ntoso.com",
        "ａlice@contoso.com",
    ],
)
async def test_a_recipient_that_only_looks_like_one_waits_for_a_person(house: House, recipient: str) -> None:
    """Cyrillic, full width or a zero: the user said another one, though the policy allows the call."""
    sent: list[str] = []

    @tool(reveals={"to": ["EMAIL_ADDRESS"]}, words=["write"])
    def send(to: str) -> str:
        """Send a mail."""
        sent.append(to)
        return "sent"

    @tool(consequential=False)
    def read() -> str:
        """Read a note, which anybody may have written."""
        return "a note"

    first, second = call("read", id="1"), call("send", json.dumps({"to": recipient}), id="2")
    model = Scripted([first], [second], "Done.")
    traced = {"provenance": {"mode": "enforce"}, "pii": {"entities": {"EMAIL_ADDRESS": "allow"}}}
    ringfence = house(tools={"send": {"decision": "allow"}}, **traced)
    conversation = ringfence.conversation(team_of(model, [read, send], max_tool_iterations=3))
    await conversation.run(task="Read the note and send a mail: write to alice@contoso.com")
    assert sent == []
    assert conversation.status is Status.WAITING_FOR_APPROVAL


async def test_the_recipient_that_the_user_said_needs_nobody(house: House) -> None:
    """The other half of the test above: the same call with the right address runs."""
    act, read = recording("send"), recording("read", consequential=False)
    first, second = call("read", id="1"), call("send", '{"what": "lamp-7"}', id="2")
    model = Scripted([first], [second], "Done.")
    ringfence = house(tools={"send": {"decision": "allow"}}, provenance={"mode": "enforce"})
    factory = team_of(model, [read.function, act.function], max_tool_iterations=3)
    conversation = ringfence.conversation(factory)
    await conversation.run(task="Read the note and send lamp-7")
    assert len(act.calls) == 1


# Ids and names


@pytest.mark.parametrize("in_one_reply", [True, False])
async def test_a_call_id_used_twice_clears_neither_call_for_the_other(
    house: House, in_one_reply: bool
) -> None:
    """Each gets an id of its own, so the one that is denied stays denied."""
    act, pay = recording(), recording("pay")
    good, bad = call("act", '{"what": "lamp"}', id="same"), call("pay", '{"what": "all"}', id="same")
    replies = [[good, bad]] if in_one_reply else [[good], [bad]]
    model = Scripted(*replies, "Done.")
    ringfence = house(tools={"act": {"decision": "allow"}, "pay": {"decision": "deny"}})
    factory = team_of(model, [act.function, pay.function], max_tool_iterations=3)
    await ringfence.conversation(factory).run(task="Go: act on the lamp")
    assert (act.calls, pay.calls) == ([{"what": "lamp"}], [])
    ids = [
        one.id
        for message in model.prompts[-1]
        for one in getattr(message, "content", ())
        if hasattr(one, "arguments")
    ]
    assert len({*ids}) == len(ids) == 2


async def test_the_same_call_with_the_same_id_twice_runs_twice_only_when_both_are_cleared(
    house: House,
) -> None:
    """Two calls of a reply are two calls, and each waits."""
    act = recording()
    twice = [call(arguments='{"what": "lamp"}', id="same"), call(arguments='{"what": "lamp"}', id="same")]
    conversation = house().conversation(
        team_of(Scripted(twice, "Done."), [act.function], max_tool_iterations=2)
    )
    await conversation.run(task="Go")
    assert (len(conversation.pending_approvals), act.calls) == (2, [])
    first, second = conversation.pending_approvals
    await conversation.approve(first.id, by="bob")
    await conversation.reject(second.id, by="bob")
    await conversation.resume()
    assert len(act.calls) == 1


async def test_two_tools_with_one_name_in_two_workbenches_are_refused(house: House) -> None:
    """AutoGen would take the first one that lists it, and a clearance for one would run the other."""
    ran: list[str] = []

    class Other(Bench):
        async def call_tool(self, *args: Any, **kwargs: Any) -> ToolResult:
            ran.append("other")
            return result("other")

    def factory(fence: Fence) -> Any:
        benches = [fence.workbench([recording().function]), fence.workbench(Other())]
        client = fence.model_client(Scripted([call()], "Done."), model="scripted")
        return RoundRobinGroupChat([AssistantAgent("desk", client, workbench=benches)], max_turns=1)

    ringfence = house(**ALLOWED)
    said = [fault.message for fault in await ringfence.check(factory)]
    assert said == ["Two different tools of this team have the name act; rename one"]
    with pytest.raises(PolicyError, match="rename one"):
        await ringfence.conversation(factory).run(task="Go")
    assert ran == []


def test_two_tools_with_one_name_in_one_workbench_are_refused() -> None:
    """Before there is a team."""
    with pytest.raises(PolicyError, match="Two tools have the same name: act"):
        as_workbench([recording().function, recording().function])
