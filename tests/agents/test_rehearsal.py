"""The rehearsal model answers by its rules, and behaves like any other model client."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import FunctionTool
from pydantic import BaseModel

from ringfence.agents.rehearsal import RehearsalModel
from ringfence.budgets.token_count import count_prompt, count_text
from ringfence.errors import PolicyError


def refund(order_id: str) -> str:
    return f"refunded {order_id}"


def look_up(order_id: str) -> str:
    return f"order {order_id} is fine"


TOOLS = [FunctionTool(refund, description="Refund."), FunctionTool(look_up, description="Look up.")]
REFUND: dict[str, Any] = {
    "when": {"user": r"refund (?P<order>\d+)", "not_called": "refund"},
    "call": [{"tool": "refund", "arguments": {"order_id": "{order}"}}],
}


def user(text: str) -> UserMessage:
    return UserMessage(content=text, source="user")


def agent(text: str, name: str = "helper") -> UserMessage:
    return UserMessage(content=text, source=name)


def own(text: str) -> AssistantMessage:
    return AssistantMessage(content=text, source="me")


def called(tool: str) -> AssistantMessage:
    return AssistantMessage(content=[FunctionCall(id="1", name=tool, arguments="{}")], source="me")


def result(tool: str, content: str) -> FunctionExecutionResultMessage:
    return FunctionExecutionResultMessage(
        content=[FunctionExecutionResult(name=tool, content=content, call_id="1", is_error=False)]
    )


async def said(rules: Any, *messages: LLMMessage, **options: Any) -> str | list[tuple[str, dict[str, Any]]]:
    """What a model with these rules answers: a text, or the calls as names and arguments."""
    answer = (await RehearsalModel(rules).create(messages, **options)).content
    if isinstance(answer, str):
        return answer
    return [(call.name, json.loads(call.arguments)) for call in answer]


# --- when a rule answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "messages", "fits"),
    [
        ({}, [], True),
        ({"user": "HELLO"}, [user("hello there")], True),
        ({"user": "a.*b"}, [user("a\nb")], True),
        ({"user": "hello"}, [user("hello"), user("bye")], False),
        ({"user": "hello"}, [user("hello"), agent("bye")], True),
        ({"user": ["order", r"\d+"]}, [user("7 is my order")], True),
        ({"user": ["order", r"\d+"]}, [user("my order")], False),
        ({"last": "bye"}, [user("hello"), agent("bye")], True),
        ({"last": "fine"}, [user("hello"), called("look_up"), result("look_up", "fine")], True),
        ({"last": "hello"}, [user("hello"), agent("bye")], False),
        ({"said": "which one"}, [own("Which one?"), user("that one")], True),
        ({"said": "which one"}, [user("which one?")], False),
        ({"heard": "secret"}, [user("the secret"), user("is out"), agent("ah")], True),
        ({"heard": "secret"}, [called("look_up"), result("look_up", "secret")], False),
        ({"not_heard": "secret"}, [user("the secret"), user("is out")], False),
        ({"not_heard": "secret"}, [user("hello")], True),
        ({"since": "done"}, [agent("done"), user("again")], False),
        ({"since": "done"}, [user("again"), agent("done")], True),
        ({"since": "done"}, [user("again"), called("refund"), result("refund", "done")], True),
        ({"result": {"look_up": "fine"}}, [called("look_up"), result("look_up", "fine"), user("and?")], True),
        ({"result": {"look_up": "fine"}}, [result("look_up", "fine"), result("look_up", "gone")], False),
        ({"result": {"refund": "fine"}}, [result("look_up", "fine")], False),
        ({"called": "refund"}, [user("a"), called("refund"), result("refund", "x")], True),
        ({"called": "refund"}, [user("a"), called("refund"), result("refund", "x"), user("b")], False),
        ({"called": ["refund", "look_up"]}, [user("a"), called("refund")], False),
        ({"not_called": ["refund", "look_up"]}, [user("a"), called("refund")], False),
        ({"not_called": "refund"}, [called("refund"), user("a")], True),
    ],
)
async def test_when_a_rule_fits(when: dict[str, Any], messages: Sequence[LLMMessage], fits: bool) -> None:
    """Each condition, met and not met; a rule whose conditions are not all met is passed over."""
    rules = {"roles": [{"rules": [{"when": when, "say": "yes"}]}], "otherwise": "no"}
    assert await said(rules, *messages) == ("yes" if fits else "no")


async def test_the_first_rule_that_fits_answers() -> None:
    """Order is the only priority."""
    rules = [{"when": {"user": "order"}, "say": "one"}, {"when": {"user": "order 7"}, "say": "two"}]
    assert await said(rules, user("order 7")) == "one"


async def test_a_role_is_chosen_by_the_system_message() -> None:
    """Roles without `match` serve every agent, after those that name it."""
    rules = {
        "roles": [
            {"match": "^You are the clerk", "rules": [{"when": {"user": "hi"}, "say": "Clerk here."}]},
            {"match": "^You are the boss", "otherwise": "Boss here."},
            {"rules": [{"when": {"user": "bye"}, "say": "Goodbye."}]},
        ],
        "otherwise": "Nobody here.",
    }
    clerk, boss = SystemMessage(content="You are the clerk."), SystemMessage(content="You are the boss.")
    assert await said(rules, clerk, user("hi")) == "Clerk here."
    assert await said(rules, clerk, user("bye")) == "Goodbye."
    assert await said(rules, clerk, user("what?")) == "Nobody here."
    assert await said(rules, boss, user("bye")) == "Goodbye."
    assert await said(rules, boss, user("hi")) == "Boss here."
    assert await said(rules, user("hi")) == "Nobody here."


async def test_without_a_rule_it_says_what_it_is() -> None:
    """The answer of last resort does not pass for a language model's."""
    assert "rehearsal model, not a language model" in str(await said([], user("hello")))


# --- what a rule says ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("say", "text"),
    [
        ("Order {order}.", "Order 1182."),
        ("To {to|from}.", "To desk@b.co."),
        ("To {to}.", "To ."),
        ("You said: {user}", "You said: order 1182 from desk@b.co"),
        ("Write {{order}} and {} and {1}.", "Write {order} and {} and {1}."),
        (
            {"order": "{order}", "lines": ["{from}", 3, None]},
            '{"order": "1182", "lines": ["desk@b.co", 3, null]}',
        ),
    ],
)
async def test_templates_are_filled_from_what_was_found(say: Any, text: str) -> None:
    """Named groups, named patterns, alternatives, and the words that stay as they are."""
    rules = {
        "patterns": {"order": r"\d{4}"},
        "roles": [
            {
                "rules": [
                    {"when": {"user": ["{order}", r"from (?P<from>\S+)", r"to (?P<to>\S+)|$"]}, "say": say}
                ]
            }
        ],
    }
    assert await said(rules, user("order 1182 from desk@b.co")) == text


async def test_what_the_user_says_goes_before_what_a_tool_says() -> None:
    """The same name may be found twice; an empty find counts as none."""
    rule = {
        "when": {"user": r"to (?P<to>\S+)|$", "result": {"look_up": '"to": "(?P<to>[^"]*)"'}},
        "say": "{to}",
    }
    looked_up: list[LLMMessage] = [called("look_up"), result("look_up", '{"to": "tool@b.co"}')]
    assert await said([rule], user("mail to user@b.co"), *looked_up) == "user@b.co"
    assert await said([rule], user("mail"), *looked_up) == "tool@b.co"


async def test_each_thing_of_a_result_gets_a_line() -> None:
    """Pieces that are cut out of JSON lose its backslashes."""
    rule = {
        "when": {"result": {"look_up": "item"}},
        "each": {
            "lines": {"result": "look_up", "find": r'"item": "(?P<item>(?:[^"\\]|\\.)*)"', "say": "- {item}"}
        },
        "say": "You have:\n{lines}",
    }
    listed = result("look_up", json.dumps([{"item": 'a 5" nail'}, {"item": "rope"}]))
    assert await said([rule], called("look_up"), listed) == 'You have:\n- a 5" nail\n- rope'


async def test_what_a_tool_says_need_not_be_json() -> None:
    """Then it stays as it is."""
    rule = {"when": {"result": {"look_up": "(?P<all>.+)"}}, "say": "{all}"}
    assert await said([rule], called("look_up"), result("look_up", 'no "C:\\new"')) == 'no "C:\\new"'


async def test_a_list_of_texts_is_said_in_turn() -> None:
    """And begins again; the context says where, so a restart changes nothing."""
    rules = [{"say": ["one", "two"]}]
    spoken: list[LLMMessage] = []
    for expected in ["one", "two", "one"]:
        assert await said(rules, user("go on"), *spoken) == expected
        spoken.append(own(expected))


# --- tools -----------------------------------------------------------------------------------------------


async def test_a_rule_calls_tools() -> None:
    """Each call has an id of its own, and what is said beside the calls is the thought."""
    both = {
        **REFUND,
        "say": "On it.",
        "call": [*REFUND["call"], {"tool": "look_up", "arguments": {"order_id": "{order}"}}],
    }
    answer = await RehearsalModel([both]).create([user("refund 7")], tools=TOOLS)
    assert (answer.finish_reason, answer.thought) == ("function_calls", "On it.")
    assert isinstance(answer.content, list)
    assert [(call.name, call.arguments) for call in answer.content] == [
        ("refund", '{"order_id": "7"}'),
        ("look_up", '{"order_id": "7"}'),
    ]
    assert len({call.id for call in answer.content}) == 2


@pytest.mark.parametrize(
    ("options", "calls"),
    [
        ({"tools": TOOLS}, True),
        ({"tools": [tool.schema for tool in TOOLS]}, True),
        ({"tools": []}, False),
        ({"tools": TOOLS[1:]}, False),
        ({"tools": TOOLS, "tool_choice": "none"}, False),
        ({"tools": TOOLS, "tool_choice": "required"}, True),
        ({"tools": TOOLS, "tool_choice": TOOLS[0]}, True),
        ({"tools": TOOLS, "tool_choice": TOOLS[1]}, False),
    ],
)
async def test_only_offered_tools_are_called(options: dict[str, Any], calls: bool) -> None:
    """A rule whose tool may not be called now is passed over."""
    rules = {"roles": [{"rules": [REFUND]}], "otherwise": "no"}
    expected = [("refund", {"order_id": "7"})] if calls else "no"
    assert await said(rules, user("refund 7"), **options) == expected


async def test_a_required_call_passes_over_rules_that_only_talk() -> None:
    """Where the caller wants a call, no text comes first."""
    rules = [{"say": "Hello."}, REFUND]
    assert await said(rules, user("refund 7"), tools=TOOLS) == "Hello."
    assert await said(rules, user("refund 7"), tools=TOOLS, tool_choice="required") == [
        ("refund", {"order_id": "7"})
    ]


async def test_structured_output_is_json() -> None:
    """A rule whose `say` is a mapping answers what a schema asks for."""

    class Verdict(BaseModel):
        order: int
        fine: bool

    rules = [{"when": {"user": r"(?P<order>\d+)"}, "say": {"order": "{order}", "fine": True}}]
    answer = await said(rules, user("is 7 fine?"), json_output=Verdict)
    assert Verdict.model_validate_json(str(answer)) == Verdict(order=7, fine=True)


# --- a model client like any other -----------------------------------------------------------------------


async def test_it_says_what_it_is() -> None:
    """Nobody takes a rehearsal for a language model."""
    model = RehearsalModel([])
    assert "rehearsal model, not a language model" in repr(model)
    assert "obedient" in repr(RehearsalModel([], obedient=True))
    assert (model.model, model.model_info["family"]) == ("rehearsal", "rehearsal")
    assert model.model_info["function_calling"]
    assert not model.model_info["vision"]
    with pytest.warns(DeprecationWarning, match="model_info"):
        assert model.capabilities["function_calling"]
    await model.close()


async def test_usage_is_counted_and_adds_up() -> None:
    """Prompt with its tools, and completion, by the offline count."""
    model = RehearsalModel([{"say": "Fine, thank you."}])
    messages: list[LLMMessage] = [SystemMessage(content="Be nice."), user("How are you?")]
    first = (await model.create(messages)).usage
    texts = ["Be nice.", "How are you?", "user"]
    assert first == RequestUsage(count_prompt(texts, messages=2), count_text("Fine, thank you."))
    assert first.prompt_tokens == model.count_tokens(messages)
    second = (await model.create(messages, tools=TOOLS)).usage
    assert second.prompt_tokens == model.count_tokens(messages, tools=TOOLS) > first.prompt_tokens
    assert model.actual_usage() == second
    total = model.total_usage()
    assert total.prompt_tokens == first.prompt_tokens + second.prompt_tokens
    assert total.completion_tokens == 2 * first.completion_tokens
    assert model.remaining_tokens(messages) == 128_000 - first.prompt_tokens


async def test_the_texts_of_calls_and_results_count() -> None:
    """Whatever a provider would be sent is paid for."""
    model = RehearsalModel([])
    bare = model.count_tokens([user("a")])
    assert model.count_tokens([user("a"), called("look_up"), result("look_up", "word " * 50)]) > bare + 50


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_a_reply_is_cut_to_its_limit(name: str) -> None:
    """As a provider would: half a text, and a finish reason that says so."""
    model = RehearsalModel([{"say": "one two three four five"}])
    cut = await model.create([user("count")], extra_create_args={name: 3})
    assert (cut.content, cut.finish_reason, cut.usage.completion_tokens) == ("one two three", "length", 3)
    whole = await model.create([user("count")], extra_create_args={name: 5})
    assert (whole.content, whole.finish_reason) == ("one two three four five", "stop")


async def test_a_call_that_does_not_fit_is_not_made() -> None:
    """Half a call has no arguments that anybody could read."""
    answer = await RehearsalModel([REFUND]).create(
        [user("refund 7")], tools=TOOLS, extra_create_args={"max_tokens": 3}
    )
    assert (answer.content, answer.finish_reason) == ("", "length")


async def test_a_stream_gives_words_and_then_the_whole() -> None:
    """The chunks add up to the reply, which comes last."""
    model = RehearsalModel([{"say": " Fine,\nthank you."}])
    *words, last = [item async for item in model.create_stream([user("hello")])]
    assert words == [" Fine,\n", "thank ", "you."]
    assert isinstance(last, CreateResult)
    assert last.content == " Fine,\nthank you."
    assert model.total_usage() == last.usage


async def test_a_stream_of_calls_has_no_words() -> None:
    """Calls come as a whole only."""
    items = [item async for item in RehearsalModel([REFUND]).create_stream([user("refund 7")], tools=TOOLS)]
    assert [type(item) for item in items] == [CreateResult]


async def test_a_cancelled_token_is_heeded() -> None:
    """Before the call, and between the words of a stream."""
    model, token = RehearsalModel([{"say": "one two"}]), CancellationToken()
    stream = model.create_stream([user("count")], cancellation_token=token)
    assert await anext(stream) == "one "
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await anext(stream)
    with pytest.raises(asyncio.CancelledError):
        await model.create([user("count")], cancellation_token=token)


async def test_it_survives_dump_and_load() -> None:
    """As part of any AutoGen component that is saved as JSON."""
    model = RehearsalModel({"patterns": {"n": r"\d+"}, "roles": [{"rules": [REFUND]}]}, obedient=True)
    dumped = json.loads(model.dump_component().model_dump_json())
    assert dumped["provider"] == "ringfence.agents.rehearsal.RehearsalModel"
    loaded = ChatCompletionClient.load_component(dumped)
    assert loaded.dump_component() == model.dump_component()
    answer = await loaded.create([user("refund 7")], tools=TOOLS)
    assert isinstance(answer.content, list)
    assert "obedient" in repr(loaded)


async def test_a_conversation_without_a_model() -> None:
    """What it is for: two agents of a real team, one with a tool, written in a few lines."""
    model = RehearsalModel(
        {
            "roles": [
                {
                    "match": "You are the desk",
                    "rules": [
                        REFUND,
                        {"when": {"since": r"refunded (?P<order>\d+)"}, "say": "{order} is paid back."},
                    ],
                },
                {
                    "match": "You are the boss",
                    "rules": [{"when": {"last": "paid back"}, "say": "Well done."}],
                },
            ]
        }
    )
    desk = AssistantAgent(
        "desk", model, tools=[refund], system_message="You are the desk.", max_tool_iterations=3
    )
    boss = AssistantAgent("boss", model, system_message="You are the boss.", model_client_stream=True)
    team = RoundRobinGroupChat([desk, boss], termination_condition=MaxMessageTermination(3))
    ended = await team.run(task="Please refund 7")
    texts = [getattr(message, "content", "") for message in ended.messages]
    assert texts[0] == "Please refund 7"
    assert [text for text in texts if text in ("7 is paid back.", "Well done.")] == [
        "7 is paid back.",
        "Well done.",
    ]
    assert model.total_usage().prompt_tokens > 0


# --- faults ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("yaml", "line", "message"),
    [
        ("roles: desk", 1, "expected a list"),
        ("otherwise: hello", 1, "is missing"),
        ("roles:\n  - {mach: desk}", 2, "did you mean `match`?"),
        ("roles:\n  - rules:\n      - {when: {usr: a}, say: b}", 3, "did you mean `user`?"),
        ("roles:\n  - rules:\n      - {say: a, cal: []}", 3, "did you mean `call`?"),
        ("roles:\n  - rules:\n      - when: {user: '(a'}\n        say: b", 3, "not a regular expression"),
        (
            "roles:\n  - rules:\n      - when: {user: [a, '(b']}\n        say: b",
            3,
            "not a regular expression",
        ),
        ("roles:\n  - rules:\n      - when: {user: [1]}\n        say: b", 3, "expected text"),
        (
            "roles:\n  - rules:\n      - when: {result: {t: '*'}}\n        say: b",
            3,
            "not a regular expression",
        ),
        ("roles:\n  - match: '['\n    rules: []", 2, "not a regular expression"),
        ("roles:\n  - rules:\n      - say: hi {name}", 3, "no pattern of this rule finds `{name}`"),
        (
            "roles:\n  - rules:\n      - when: {user: '(?P<order>a)'}\n        say: hi {ordr}",
            4,
            "mean `order`?",
        ),
        ("roles:\n  - rules:\n      - say: {a: [hi, '{name}']}", 3, "finds `{name}`"),
        (
            "roles:\n  - rules:\n      - call:\n          - tool: t\n            arguments: {a: '{b}'}",
            5,
            "`{b}`",
        ),
        ("roles:\n  - rules:\n      - {thought: hm}", 3, "needs `say` or `call`"),
        (
            "roles:\n  - rules:\n      - {when: {user: '{ordr}'}, say: a}\npatterns: {order: a}",
            3,
            "mean `order`?",
        ),
        (
            "roles:\n  - rules:\n      - {when: {user: '{a} {a}'}, say: a}\npatterns: {a: b}",
            3,
            "redefinition",
        ),
        ("roles: [{match: 'x{a}'}]\npatterns: {a: '(?i)b'}", 1, "not a regular expression once"),
        ("roles: [{rules: []}]\npatterns: {a: '(?P<b>c)'}", 2, "cannot name b"),
        ("roles: [{rules: []}]\npatterns:\n  a: '+'", 3, "not a regular expression"),
        (
            "roles:\n  - rules:\n      - each: {l: {result: t, find: a, say: '{b}'}}\n        say: '{l}'",
            3,
            "finds `{b}`",
        ),
        ("roles: [", 1, "not YAML"),
    ],
)
def test_a_fault_is_reported_with_its_line(tmp_path: Path, yaml: str, line: int, message: str) -> None:
    """Each with the file, where it stands, and what to do about it."""
    path = tmp_path / "rules.yaml"
    path.write_text(yaml)
    with pytest.raises(PolicyError) as caught:
        RehearsalModel.from_file(path)
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == (str(path), line)
    assert message in fault.message


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    """Nobody wants to meet them one after the other."""
    path = tmp_path / "rules.yaml"
    path.write_text(
        "roles:\n  - mach: a\n    rules:\n      - {say: '{a}'}\n      - {when: {user: '('}, say: b}\n"
    )
    with pytest.raises(PolicyError) as caught:
        RehearsalModel.from_file(path)
    assert [fault.line for fault in caught.value.faults] == [2, 4, 5]


def test_rules_in_python_are_checked_likewise() -> None:
    """With the place in the data instead of a line."""
    with pytest.raises(PolicyError) as caught:
        RehearsalModel([{"when": {"user": "("}, "say": "{name}"}, {"sya": "hi"}])
    assert [fault.where for fault in caught.value.faults] == [
        "roles[0].rules[0].when.user",
        "roles[0].rules[1].sya",
    ]


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    """Not a traceback."""
    with pytest.raises(PolicyError, match="no such file"):
        RehearsalModel.from_file(tmp_path / "lost.yaml")
