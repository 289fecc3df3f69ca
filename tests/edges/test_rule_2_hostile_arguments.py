"""Rule 2: AutoGen parses the arguments that a model wrote before any workbench sees them."""

import sys

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import ToolCallExecutionEvent
from hanging import assert_hangs
from scripted import Bench, Scripted, call

pytestmark = pytest.mark.timeout(20)


@pytest.mark.parametrize(("name", "arguments"), [("act", "{broken"), ("act", ""), ("no_such_tool", "{}")])
async def test_a_malformed_or_unknown_call_is_an_error_result(name: str, arguments: str) -> None:
    """Malformed JSON and an unknown tool give an error result without a call of the workbench.

    The fence relies on it: such calls have no consequence, but appear in the chat.
    """
    bench = Bench()
    outcome = await AssistantAgent("a", Scripted([call(name, arguments)]), workbench=bench).run(task="go")
    assert bench.calls == []
    (execution,) = [message for message in outcome.messages if isinstance(message, ToolCallExecutionEvent)]
    assert execution.content[0].is_error
    assert execution.content[0].content.startswith("Error:")


@pytest.mark.parametrize(
    "arguments",
    ['{"amount": ' + "9" * 5000 + "}", "[" * (sys.getrecursionlimit() * 100)],
    ids=["an integer of 5000 digits", "brackets without end"],
)
async def test_arguments_that_break_the_parser_hang_for_ever(arguments: str) -> None:
    """AutoGen catches JSONDecodeError only; json's ValueError and RecursionError escape: a hang.

    The fence relies on it: it parses the arguments at the model door, and clears only what it could parse.
    """
    bench, model = Bench(), Scripted([call("act", arguments)])
    await assert_hangs(AssistantAgent("a", model, workbench=bench).run(task="go"), after=model.called)
    assert bench.calls == []


@pytest.mark.parametrize(
    ("arguments", "reaches_the_workbench"),
    [
        ("[1, 2]", [1, 2]),
        ('"text"', "text"),
        ("null", None),
        ('{"to": "a", "to": "b"}', {"to": "b"}),
        ('{"to": "\\ud800"}', {"to": "\ud800"}),
        ('{"amount": -Infinity}', {"amount": float("-inf")}),
    ],
)
async def test_whatever_json_loads_accepts_reaches_the_workbench(
    arguments: str, reaches_the_workbench: object
) -> None:
    """Lists, texts, null, doubled keys, lone surrogates, infinities: call_tool gets what json.loads made.

    The fence relies on it: its workbench does not believe that arguments is a Mapping of clean values.
    """
    bench = Bench()
    await AssistantAgent("a", Scripted([call("act", arguments)]), workbench=bench).run(task="go")
    assert bench.calls == [reaches_the_workbench]
