"""No tool runs unless exactly this call was cleared, and then once."""

import json
from typing import Any, cast

import pytest
from autogen_core import FunctionCall
from autogen_core.models import CreateResult
from autogen_core.tools import FunctionTool
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from ringfence.errors import GuardrailTripped
from ringfence.guardrails.call_judge import CallJudge
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.clearance import (
    Clearances,
    ClearToolCalls,
    RequireClearance,
    canonical,
    digest,
)
from ringfence.guardrails.provenance import Provenance
from ringfence.guardrails.suspicions import Suspicions
from ringfence.guardrails.texts import parse_arguments
from ringfence.guardrails.tool_directory import ToolDirectory
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.tool_rules import ToolRule
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.guardrails.vault import Vault
from ringfence.guardrails.verdicts import Allow, Block, Escalate, Verdict
from tests.guardrails.parts import Book, Handler, model_call, reply, tool_call, tool_result

ALLOW = Allow("tool_policy")
TOOLS = ("look", "note", "refund", "send", "drop", "transfer_to_bob", "transfer_to_eve", "outside")


PARAMETERS: Any = {
    "properties": {
        "order": {"type": "integer"},
        "reason": {"default": "none"},
        "copies": {"default": 0},
        "note": {"default": None},
        "odd": "no schema",
    }
}


def wanted(name: str, arguments: Any = "{}", call_id: str = "call-1") -> FunctionCall:
    spelled = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return FunctionCall(id=call_id, name=name, arguments=spelled)


class Desk:
    """A model door that clears calls, and what became of them."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.vault = Vault()
        self.clearances = Clearances()
        directory = ToolDirectory(
            specs={
                "look": ToolSpec(consequential=False, described=True),
                "refund": ToolSpec(described=True),
                "send": ToolSpec(consequential=False, described=True, reveals={"to": ("EMAIL_ADDRESS",)}),
                "drop": ToolSpec(consequential=False, described=True),
                "note": ToolSpec(consequential=False, described=True),
            },
            handoffs={"transfer_to_bob", "transfer_to_eve"},
        )
        policy = ToolPolicy(
            {
                "drop": ToolRule.model_validate({"decision": "deny"}),
                "transfer_to_eve": ToolRule.model_validate({"decision": "deny"}),
                "send": ToolRule.model_validate({"arguments": {"to": {"pattern": r".*@acme\.com"}}}),
                "note": ToolRule.model_validate({"arguments": {"to": {"pattern": r".*@acme\.com"}}}),
            }
        )
        judge = CallJudge(
            policy=policy,
            directory=directory,
            vault=self.vault,
            suspicions=Suspicions(),
            provenance=Provenance(),
        )
        self.clear = ClearToolCalls(
            directory=directory, judge=judge, clearances=self.clearances, vault=self.vault, record=book
        )

    async def answer(self, answer: CreateResult, offered: tuple[str, ...] = TOOLS) -> CreateResult:
        """The reply as the agent gets it."""
        tools = tuple({"name": name} for name in offered)
        return await self.clear(model_call("hi", tools=tools), Handler(answer))

    async def kept(self, *calls: FunctionCall, offered: tuple[str, ...] = TOOLS) -> list[FunctionCall]:
        """The calls that are left of these."""
        content = (await self.answer(reply(list(calls)), offered)).content
        assert not isinstance(content, str)
        return content

    async def kept_with(self, parameters: Any, call: FunctionCall) -> list[Any]:
        """The calls that are left of one, of a tool that is offered with these parameters."""
        tools = ({"name": call.name, "parameters": parameters},)
        return cast(
            "list[Any]", (await self.clear(model_call("hi", tools=tools), Handler(reply([call])))).content
        )

    def taken(self, call: FunctionCall) -> Verdict:
        """What the tool door hears of a call, as AutoGen makes it of the model's."""
        return self.clearances.take(ToolCall("desk", call.name, json.loads(call.arguments), call.id))


@pytest.fixture
def desk(book: Book) -> Desk:
    """A model door."""
    return Desk(book)


class TestDigest:
    """What a decision is bound to."""

    @pytest.mark.parametrize(
        ("left", "right"),
        [
            ({"a": 1, "b": [1, {"d": 2, "c": 3}]}, {"b": [1, {"c": 3, "d": 2}], "a": 1}),
            ({"a": "é"}, {"a": "\u00e9"}),
            ({}, {}),
        ],
    )
    def test_equal_arguments_are_equal(self, left: dict[str, Any], right: dict[str, Any]) -> None:
        """In whatever order their keys stand."""
        assert digest("t", left) == digest("t", right)

    @pytest.mark.parametrize(
        ("left", "right"),
        [
            ({"a": 1}, {"a": 1.0}),
            ({"a": 1}, {"a": True}),
            ({"a": 0}, {"a": False}),
            ({"a": 1}, {"a": "1"}),
            ({"a": None}, {}),
            ({"a": [1, 2]}, {"a": [2, 1]}),
            ({"to": "paypal"}, {"to": "pаypal"}),
            ({"a": "é"}, {"a": "e\u0301"}),
            ({"a": "x"}, {"a": "x "}),
            ({"a": "\ud800"}, {"a": "\ufffd"}),
            ({"a": 0.1}, {"a": 0.10000000000000002}),
            ({"a": 2**53}, {"a": 2**53 + 1}),
        ],
    )
    def test_other_arguments_are_not(self, left: dict[str, Any], right: dict[str, Any]) -> None:
        """Python's own equality would take some of them for the same."""
        assert digest("t", left) != digest("t", right)

    def test_the_parts_cannot_be_shifted(self) -> None:
        """What stands in one part does not slip into the next."""
        digests = {
            digest("a", {}, "b", "c"),
            digest("a", {}, "bc"),
            digest("a", {}, 'b","c'),
            digest("ab", {}, "c"),
        }
        assert len(digests) == 4
        assert canonical({"b": 1, "a": "é"}) == '{"a":"\\u00e9","b":1}'


OTHER_CALLS = {
    "another order": tool_call("refund", {"order": 1183}),
    "another kind of number": tool_call("refund", {"order": 1182.0}),
    "no order": tool_call("refund", {}),
    "another tool": tool_call("refunds", {"order": 1182}),
    "another id": tool_call("refund", {"order": 1182}, "call-2"),
    "no id": tool_call("refund", {"order": 1182}, ""),
    "something beside it": tool_call("refund", {"order": 1182, "to": object()}),
    "no JSON": tool_call("refund", {"order": {1182}}),
    "keys of two kinds": tool_call("refund", cast("dict[str, Any]", {"order": 1182, 7: 1})),
    "thousands of digits": tool_call("refund", {"order": 10**5000}),
    "no number": tool_call("refund", {"order": float("nan")}),
}


class TestClearances:
    """Decisions, until they are taken."""

    def test_each_serves_once(self) -> None:
        """A second call with the same id is another call."""
        clearances, call = Clearances(), tool_call()
        clearances.note(wanted("refund"), call.arguments, ALLOW)
        assert clearances.take(call) is ALLOW
        assert isinstance(clearances.take(call), Block)
        assert clearances.knows("call-1")
        assert not clearances.knows("call-2")

    @pytest.mark.parametrize("other", OTHER_CALLS.values(), ids=OTHER_CALLS)
    def test_another_call_is_not_cleared(self, other: ToolCall) -> None:
        """Nor is the right one after it: the clearance is used up."""
        clearances = Clearances()
        clearances.note(wanted("refund"), {"order": 1182}, ALLOW)
        assert clearances.take(other) == Block("clearance", f"this call of {other.tool} was not cleared")

    def test_arguments_without_an_end(self) -> None:
        """What contains itself cannot have come from a model."""
        loop: dict[str, Any] = {}
        loop["loop"] = loop
        assert isinstance(Clearances().take(tool_call(arguments=loop)), Block)

    def test_a_new_team_is_cleared_of_everything(self) -> None:
        """What an earlier team was cleared for is decided anew."""
        clearances, call = Clearances(), tool_call()
        clearances.note(wanted("refund"), {"order": 1182}, ALLOW)
        clearances.clear()
        assert isinstance(clearances.take(call), Block)
        assert not clearances.knows(call.call_id)


NAMES = st.sampled_from(["refund", "refunds", "send"])
IDS = st.sampled_from(["1", "2", ""])
ARGUMENTS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.sampled_from([0, False, 0.0, "0", None, [], [0], {}, "а", "a"]),
    max_size=2,
)


class TakesOnlyWhatWasNoted(RuleBasedStateMachine):
    """Compares the clearances with a list of what may still be taken."""

    def __init__(self) -> None:
        super().__init__()
        self.clearances = Clearances()
        self.open: dict[str, tuple[str, str]] = {}

    @rule(name=NAMES, call_id=IDS, arguments=ARGUMENTS)
    def note(self, name: str, call_id: str, arguments: dict[str, Any]) -> None:
        """The model door decides."""
        self.clearances.note(wanted(name, call_id=call_id), arguments, ALLOW)
        self.open[call_id] = (name, json.dumps(arguments, sort_keys=True))

    @rule(name=NAMES, call_id=IDS, arguments=ARGUMENTS)
    def take(self, name: str, call_id: str, arguments: dict[str, Any]) -> None:
        """The tool door asks."""
        verdict = self.clearances.take(ToolCall("desk", name, arguments, call_id))
        expected = self.open.pop(call_id, None) == (name, json.dumps(arguments, sort_keys=True))
        assert isinstance(verdict, Allow) is expected


def test_whatever_is_called_only_what_was_noted_is_allowed_and_once() -> None:
    """Over any sequence of decisions and calls."""
    run_state_machine_as_test(TakesOnlyWhatWasNoted)


class TestModelDoor:
    """What becomes of the calls in a model's reply."""

    async def test_a_text_passes(self, desk: Desk) -> None:
        """There is nothing to decide."""
        answer = reply("hello")
        assert await desk.answer(answer) is answer
        assert desk.book.lines == []

    @pytest.mark.parametrize(
        ("name", "verdict"),
        [("look", Allow), ("refund", Escalate), ("drop", Block), ("transfer_to_bob", Allow)],
    )
    async def test_each_call_is_decided_and_recorded(
        self, desk: Desk, name: str, verdict: type[Verdict]
    ) -> None:
        """By the policy; the tool door hears of it."""
        (call,) = await desk.kept(wanted(name, {"order": 1182}))
        assert call == wanted(name, {"order": 1182})
        assert isinstance(desk.taken(call), verdict)
        (line,) = desk.book.of("clearance")
        assert (line["tool"], line["verdict"], line["agent"]) == (name, verdict.__name__.lower(), "desk")
        assert line["digest"] == digest(name, {"order": 1182})[:16]

    @pytest.mark.parametrize(
        ("name", "why"), [("transfer_to_eve", "handoff"), ("outside", "behind the fence")]
    )
    async def test_what_no_tool_door_would_see_is_taken_out(self, desk: Desk, name: str, why: str) -> None:
        """AutoGen carries handoffs out itself; a tool outside the fence has no door."""
        answer = await desk.answer(reply([wanted(name)], finish_reason="function_calls", thought="hm"))
        assert isinstance(answer.content, str)
        assert answer.content.startswith("[Not done: ")
        assert why in answer.content
        assert (answer.finish_reason, answer.thought) == ("stop", "hm")

    async def test_the_rest_of_the_calls_stays(self, desk: Desk) -> None:
        """One that is taken out does not take the others with it."""
        calls = [wanted("transfer_to_eve", call_id="1"), wanted("look", call_id="2")]
        assert [call.name for call in await desk.kept(*calls)] == ["look"]

    async def test_a_reply_without_calls_says_so(self, desk: Desk) -> None:
        """AutoGen's agent cannot work with an empty list."""
        assert (await desk.answer(reply([]))).content == "[The model's reply was empty.]"

    @pytest.mark.parametrize("name", ["nothing", "Look", "look ", "", "transfer_to_bob"])
    async def test_what_was_not_offered_is_blocked(self, desk: Desk, name: str) -> None:
        """Also a handoff, or a tool, that only another agent has."""
        (call,) = await desk.kept(wanted(name), offered=("look",))
        assert desk.taken(call) == Block("clearance", f"no tool named {name} was offered")

    async def test_tools_may_be_offered_as_objects(self, desk: Desk) -> None:
        """As AutoGen's agents do with handoffs."""
        offered = FunctionTool(lambda: "", description="look", name="look")
        answer = await desk.clear(model_call("hi", tools=(offered,)), Handler(reply([wanted("look")])))
        call = answer.content[0]
        assert isinstance(call, FunctionCall)
        assert isinstance(desk.taken(call), Allow)

    @pytest.mark.parametrize(
        "arguments",
        [
            *("", "not JSON", "[]", '"a"', "null", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 1e999}'),
            '{"a": ' + "9" * 5000 + "}",
        ],
        ids=lambda text: text[:20],
    )
    async def test_arguments_that_can_be_read_apart_are_blocked(self, desk: Desk, arguments: str) -> None:
        """The agent gets an empty object in their place, and the tool door a Block."""
        (call,) = await desk.kept(wanted("look", arguments))
        assert call.arguments == "{}"
        assert desk.taken(call) == Block("clearance", "the arguments of look are not one plain JSON object")

    async def test_arguments_are_handed_on_in_one_plain_spelling(self, desk: Desk) -> None:
        """AutoGen parses them again, and hears what was judged."""
        (call,) = await desk.kept(wanted("look", ' {"b":\n"\\u00e9", "a" : [1.50]} '))
        assert call.arguments == '{"b": "é", "a": [1.5]}'

    @pytest.mark.parametrize(
        ("arguments", "completed"),
        [
            ({"order": 1}, {"order": 1, "reason": "none", "copies": 0}),
            ({"order": 1, "reason": None, "copies": 2}, {"order": 1, "reason": None, "copies": 2}),
        ],
    )
    async def test_what_the_tool_would_fill_in_is_decided_with_the_rest(
        self, desk: Desk, arguments: dict[str, Any], completed: dict[str, Any]
    ) -> None:
        """A default is an argument like any other; what the model says comes first."""
        (call,) = await desk.kept_with(PARAMETERS, wanted("look", arguments))
        assert json.loads(call.arguments) == completed
        assert isinstance(desk.taken(call), Allow)

    @pytest.mark.parametrize(
        ("parameters", "verdict"),
        [
            ({"properties": {"order": {}}}, Block),
            ({"properties": {}}, Block),
            ({"properties": {"order": {}}, "additionalProperties": False}, Block),
            ({"properties": {"order": {}}, "additionalProperties": True}, Allow),
            ({"properties": {"Order": {}, "oder": {}}}, Block),
            ({"properties": {"order": {}, "odd": {}}}, Allow),
            ({"properties": ["order"]}, Allow),
            ({}, Allow),
            ("none", Allow),
        ],
    )
    async def test_an_argument_that_the_tool_does_not_have(
        self, desk: Desk, parameters: Any, verdict: type[Verdict]
    ) -> None:
        """It would be ignored, and what runs would not be what was decided."""
        (call,) = await desk.kept_with(parameters, wanted("look", {"order": 1, "odd": 2}))
        said = desk.taken(call)
        assert isinstance(said, verdict)
        if isinstance(said, Block):
            assert said.reason.startswith("look has no argument `o")

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            (["odd"], "has no argument `odd`"),
            (["odd", "other"], "has no argument `odd`, `other`"),
            (["jane.doe@acme.com"], "got 1 unknown argument"),
            (
                ["odd", "jane.doe@acme.com", "4111 1111 1111 1111"],
                "has no argument `odd` and got 2 unknown arguments",
            ),
            (["n4111"], "got 1 unknown argument"),
            (["n411_2"], "has no argument `n411_2`"),
            (["a" * 41, "odd\n"], "got 2 unknown arguments"),
        ],
    )
    async def test_an_unknown_argument_is_quoted_only_as_a_plain_name(
        self, desk: Desk, keys: list[str], said: str
    ) -> None:
        """A key is somebody's words like a value: one that could hold personal data is counted."""
        (call,) = await desk.kept_with({"properties": {}}, wanted("look", dict.fromkeys(keys, 1)))
        verdict = desk.taken(call)
        assert isinstance(verdict, Block)
        assert verdict.reason == f"look {said}"

    async def test_ids_that_are_used_twice(self, desk: Desk) -> None:
        """In one reply or in two: each call gets an id of its own."""
        first = await desk.kept(wanted("look", {"a": 1}), wanted("look", {"a": 2}))
        second = await desk.kept(wanted("look", {"a": 3}))
        calls = [*first, *second]
        assert calls[0].id == "call-1"
        assert len({call.id for call in calls}) == 3
        assert all(isinstance(desk.taken(call), Allow) for call in calls)

    @pytest.mark.parametrize(
        "call_id", ["", " ", "a b", "x" * 129, "é", "a\n", "call-4155552671", "4111-1111-1111-1111"]
    )
    async def test_odd_ids(self, desk: Desk, call_id: str) -> None:
        """Empty, too long, or with something in them that could be somebody's."""
        (call,) = await desk.kept(wanted("look", call_id=call_id))
        assert call.id != call_id
        assert call.id.startswith("call_")
        assert isinstance(desk.taken(call), Allow)

    @pytest.mark.parametrize("call_id", ["call_abc", "toolu_01A.b-c:d", "x" * 128, "chatcmpl-tool-0a1b2c"])
    async def test_plain_ids_stay(self, desk: Desk, call_id: str) -> None:
        """As the providers make them."""
        (call,) = await desk.kept(wanted("look", call_id=call_id))
        assert call.id == call_id

    @pytest.mark.parametrize(("value", "verdict"), [("jane@acme.com", Allow), ("eve@evil.com", Block)])
    async def test_the_policy_judges_the_real_value(
        self, desk: Desk, value: str, verdict: type[Verdict]
    ) -> None:
        """Which the record does not show."""
        (call,) = await desk.kept(wanted("send", {"to": desk.vault.pseudonym("EMAIL_ADDRESS", value)}))
        assert isinstance(desk.taken(call), verdict)
        assert value not in call.arguments
        assert value not in str(desk.book.lines)

    async def test_a_block_for_a_value_that_the_tool_does_not_get(self, desk: Desk) -> None:
        """Says so: whoever sees the real value would not know what is wrong with it."""
        stand_in = desk.vault.pseudonym("EMAIL_ADDRESS", "jane@acme.com")
        (call,) = await desk.kept(wanted("note", {"to": stand_in}))
        said = desk.taken(call)
        assert isinstance(said, Block)
        assert said.reason.startswith(
            "argument `to` of note does not match what the policy allows; the tool gets a"
        )

    @given(st.text() | st.dictionaries(st.text(), st.text() | st.integers()).map(json.dumps))
    def test_any_reply_is_decided(self, arguments: str) -> None:
        """Whatever a model writes as arguments, what reaches the tool door is what was judged."""
        desk = Desk(Book())
        call, refusal = desk.clear._decided(wanted("look", arguments), "desk", {"look": {}})
        assert call is not None
        assert refusal == ""
        assert isinstance(desk.taken(call), Allow) is (parse_arguments(arguments) is not None)


class TestToolDoor:
    """The middleware that asks for a clearance."""

    @pytest.mark.parametrize("verdict", [ALLOW, Escalate("tool_policy", "is consequential")])
    async def test_a_cleared_call_goes_on(self, verdict: Verdict) -> None:
        """Once; what waits for a person goes on to where the person is asked."""
        clearances, call, handler = Clearances(), tool_call(), Handler(tool_result())
        clearances.note(wanted("refund"), call.arguments, verdict)
        require = RequireClearance(clearances)
        assert await require(call, handler) == tool_result()
        with pytest.raises(GuardrailTripped, match="was not cleared"):
            await require(call, handler)
        assert handler.calls == [call]

    async def test_a_blocked_call_does_not(self) -> None:
        """The reason of the model door is the tool door's."""
        clearances, call, handler = Clearances(), tool_call(), Handler(tool_result())
        clearances.note(wanted("refund"), call.arguments, Block("tool_policy", "the policy denies refund"))
        with pytest.raises(GuardrailTripped) as caught:
            await RequireClearance(clearances)(call, handler)
        tripped = caught.value
        assert (tripped.guardrail, tripped.point) == ("tool_policy", "tool_call")
        assert tripped.reason == "the policy denies refund"
        assert handler.calls == []
