"""Huge, cyclic and broken values, and validators that break: blocked, and a crash is told apart from a no."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.messages import StructuredMessage
from autogen_core import Image
from autogen_core.memory import ListMemory, MemoryContent
from fenced import agent, audit_text, policy_file, recording, team_of
from pydantic import BaseModel
from scripted import Bench, Scripted, call, result

from ringfence import Fence, GuardrailTripped, Ringfence, Status
from ringfence.guardrails import injection, injection_guardrail
from ringfence.guardrails.guardrail_use import GuardrailUse
from ringfence.guardrails.judging import judge
from ringfence.guardrails.passages import Passage, Point
from ringfence.guardrails.validators import ValidatorGuardrail
from ringfence.guardrails.verdicts import Block, Verdict
from tests.adversarial.attacks import House
from tests.adversarial.hostile_validators import (
    Exits,
    ExitsAsynchronously,
    ExitsQuickly,
    Hangs,
    Meddles,
    Quotes,
    Recurs,
    Remembers,
    SaysNothing,
)

POINTS = ("input", "message", "tool_call", "tool_result", "output")
BROKEN = (Exits, Quotes, SaysNothing, Recurs)
MEGABYTES = 10_000_000
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one point."""


class Node(BaseModel):
    """A structure that may hold itself."""

    name: str
    child: Any = None


def cycle() -> Node:
    """A node that is its own child."""
    node = Node(name="x")
    node.child = node
    return node


def round_dict() -> dict[str, Any]:
    """A dict that holds itself."""
    found: dict[str, Any] = {"name": "x"}
    found["me"] = found
    return found


@pytest.mark.parametrize(
    ("text", "guardrail", "crashed"),
    [
        ('{"name": "' + "x" * MEGABYTES + '"}', "pii", True),
        ('{"name": "x", "child": ' + "[" * 5_000 + "]" * 5_000 + "}", "structured_output", False),
        ('{"name": "x", "name": 5}', "structured_output", False),
        ('{"name": "x"} {"name": "y"}', "structured_output", False),
        ('{"name": NaN}', "structured_output", False),
        ('{"name": ' + "9" * 5_000 + "}", "structured_output", False),
        ("[" * 100_000, "structured_output", False),
        ("null", "structured_output", False),
        ("Here it is: {}", "structured_output", False),
    ],
    ids=[
        "ten megabytes",
        "five thousand levels",
        "a key twice",
        "two objects",
        "NaN",
        "five thousand digits",
        "open brackets",
        "null",
        "talk",
    ],
)
async def test_a_structured_output_that_is_none_is_blocked(
    house: House, text: str, guardrail: str, crashed: bool
) -> None:
    """Too much to be read is told apart from what was read and does not fit."""
    model = Scripted(text)
    conversation = house(reasks=0).conversation(lambda fence: agent(fence, model, output_content_type=Node))
    with pytest.raises(GuardrailTripped) as tripped:
        await conversation.run(task="Go")
    assert (tripped.value.guardrail, tripped.value.crashed) == (guardrail, crashed)
    assert conversation.status is Status.BLOCKED
    assert len(str(tripped.value)) < 1_000


async def test_a_structured_output_with_a_deep_field_reaches_nobody(house: House) -> None:
    """It parses, and is deeper than any guardrail reads."""
    text = '{"name": "x", "child": ' + '{"name": "y", "child":' * 70 + "null" + "}" * 71
    conversation = house().conversation(lambda fence: agent(fence, Scripted(text), output_content_type=Node))
    with pytest.raises(GuardrailTripped, match="nested too deeply"):
        await conversation.run(task="Go")
    assert [entry.source for entry in conversation.transcript] == ["user"]


async def test_a_cyclic_task_is_blocked_at_the_door(house: House) -> None:
    """The walk through a value ends however the value is made."""
    model = Scripted("never")
    conversation = house().conversation(team_of(model))
    with pytest.raises(GuardrailTripped, match="nested too deeply"):
        await conversation.run(task=StructuredMessage[Node](content=cycle(), source="user"))
    assert model.calls == 0


@pytest.mark.parametrize(
    ("answer", "reads"),
    [
        (b"\xff\xfe caf\xe9", "b'\\xff\\xfe"),
        ({"raw": b"\xff"}, "b'\\xff'"),
        ("caf\udce9 \ud800", "caf\ufffd \ufffd"),
        ("\x00\x1b[31mred\x1b[0m\x07", "[31mred[0m"),
        (round_dict, "{...}"),
        (cycle, "look failed with"),
        (float("nan"), "nan"),
        (None, "None"),
        (lambda: "x" * MEGABYTES, "[Cut: "),
        (RecursionError("x" * MEGABYTES), "[Cut: "),
        (SystemExit("bye"), "SystemExit"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (asyncio.CancelledError(), "kind: cancelled"),
    ],
    ids=[
        "invalid UTF-8",
        "invalid UTF-8 in a dict",
        "lone surrogates",
        "control characters",
        "a dict that holds itself",
        "a model that holds itself",
        "NaN",
        "None",
        "ten megabytes",
        "an error of ten megabytes",
        "SystemExit",
        "KeyboardInterrupt",
        "a cancellation",
    ],
)
async def test_whatever_a_tool_gives_back_the_model_reads_a_text(
    house: House, answer: Any, reads: str
) -> None:
    """Of bounded length, without control characters, and the run goes on."""
    look = recording("look", answer=answer, consequential=False)
    model = Scripted([call("look")], "I see.")
    ringfence = house()
    conversation = ringfence.conversation(team_of(model, [look.function], max_tool_iterations=2))
    await conversation.run(task="Go")
    (text,) = model.tool_results()
    assert reads in text
    assert len(text) < 60_000
    assert not {"\x00", "\x1b", "\x07"} & {*text}
    assert conversation.status is Status.DONE
    audit_text(ringfence).encode()


@pytest.mark.parametrize(
    "answer",
    [None, "text", 5, result("x").model_copy(update={"result": [Image.from_base64(_PIXEL)]})],
    ids=["None", "a text", "a number", "an image"],
)
async def test_a_foreign_workbench_that_answers_nonsense_is_withheld(house: House, answer: Any) -> None:
    """A server may send anything; what cannot be read, no model gets."""

    async def act() -> Any:
        return answer

    bench = Bench(act)
    model = Scripted([call("act")], "I see.")
    rules = {"act": {"decision": "allow"}}
    conversation = house(tools=rules).conversation(team_of(model, bench, max_tool_iterations=2))
    await conversation.run(task="Go")
    assert bench.calls == [{}]
    assert "image" not in str(model.tool_results()).replace("an image or bytes", "")
    assert conversation.status is Status.DONE


async def test_what_is_too_long_to_be_masked_is_not_searched_for_instructions(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A result is cut and a task is limited; a memory of megabytes keeps the event loop for seconds."""
    lengths: list[int] = []

    def scan(text: str) -> injection.Scan:
        lengths.append(len(text))
        return injection.Scan((), 0.0)

    monkeypatch.setattr(injection_guardrail, "scan", scan)

    def desk(fence: Fence) -> Any:
        content = MemoryContent(content="x " * MEGABYTES, mime_type="text/plain")
        return agent(fence, Scripted("ok"), memory=[fence.memory(ListMemory(memory_contents=[content]))])

    ringfence = house()
    with pytest.raises(GuardrailTripped, match="more than 1,000,000 characters"):
        await ringfence.conversation(desk).run(task="Go")
    assert max(lengths, default=0) <= ringfence.policy.pii.max_characters


# Validators that break


@pytest.fixture
def with_validator(tmp_path: Path) -> Iterator[Callable[..., Ringfence]]:
    """Makes a Ringfence with one validator at one point."""
    made: list[Ringfence] = []

    def build(validator: Any, point: str, **more: Any) -> Ringfence:
        path = policy_file(
            tmp_path,
            guardrails=[{"use": "it", "at": [point], **more}],
            tools={"act": {"decision": "allow"}},
            reasks=0,
        )
        made.append(Ringfence.from_file(path, validators={"it": validator}))
        return made[-1]

    yield build
    for ringfence in made:
        ringfence.audit.close()


async def left_of(ringfence: Ringfence) -> tuple[list[Any], Scripted, GuardrailTripped | None]:
    """What the tool did, what the model read, and what stopped the run."""
    act = recording(answer="An answer.")
    model = Scripted([call(arguments='{"what": "x"}')], "I am done.")
    conversation = ringfence.conversation(team_of(model, [act.function], max_tool_iterations=2))
    try:
        await conversation.run(task="Go")
    except GuardrailTripped as tripped:
        return act.calls, model, tripped
    return act.calls, model, None


def check_calls(calls: list[Any], point: str) -> None:
    """A tool runs only when everything before it passed; the request for it goes out while it is prepared."""
    if point != "output":
        assert calls == ([{"what": "x"}] if point == "tool_result" else [])


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: str(kind.__name__))
async def test_a_validator_that_breaks_blocks(
    with_validator: Callable[..., Ringfence], kind: Any, point: str
) -> None:
    """At every door; the error says that it broke, and quotes nobody."""
    ringfence = with_validator(kind(), point)
    calls, model, tripped = await left_of(ringfence)
    check_calls(calls, point)
    if point.startswith("tool"):
        assert "it failed with" in str(model.tool_results())
        assert "An answer." not in str(model.tool_results())
    else:
        assert tripped is not None
        assert (tripped.point, tripped.crashed) == (point, True)
        assert "cannot read" not in str(tripped)
    assert "cannot read" not in audit_text(ringfence)


@pytest.mark.parametrize("point", POINTS)
async def test_a_validator_that_hangs_blocks(with_validator: Callable[..., Ringfence], point: str) -> None:
    """Its time is up; the conversation does not wait for its thread."""
    Hangs.ended.clear()
    try:
        calls, model, tripped = await left_of(with_validator(Hangs(), point, timeout_seconds=0.05))
    finally:
        Hangs.ended.set()
    check_calls(calls, point)
    if point.startswith("tool"):
        assert "did not answer within" in str(model.tool_results())
    else:
        assert tripped is not None
        assert tripped.crashed


def exits_in_a_guard() -> Any:
    """A Guard of guardrails-ai, with a validator that ends the program."""
    from guardrails import Guard

    return Guard().use(Exits())


@pytest.mark.parametrize(
    "make", [ExitsQuickly, ExitsAsynchronously, exits_in_a_guard], ids=lambda make: str(make.__name__)
)
def test_a_validator_that_ends_the_program_on_the_event_loop_blocks(make: Callable[[], Any]) -> None:
    """It would end the service with every conversation in it, and the text would not be judged at all."""
    guardrail = ValidatorGuardrail(GuardrailUse(use="it", at=(Point.MESSAGE,)), given={"it": make()})

    async def ask() -> Verdict:
        return await judge(guardrail, Passage("a text", Point.MESSAGE))

    try:
        verdict = asyncio.run(ask())
    except SystemExit:
        pytest.fail("the program ended")
    assert isinstance(verdict, Block)
    assert verdict.crashed


async def test_a_validator_that_meddles_changes_nothing_for_others(tmp_path: Path) -> None:
    """Each check gets metadata of its own: the next validator, and the next text, see what was said."""
    remembers = Remembers()
    path = policy_file(
        tmp_path,
        guardrails=[{"use": "meddles", "at": ["output"]}, {"use": "remembers", "at": ["output"]}],
    )
    ringfence = Ringfence.from_file(path, validators={"meddles": Meddles(), "remembers": remembers})
    look = recording("look", answer="The sky is blue.", consequential=False)
    model = Scripted([call("look")], "It is blue.", "Still blue.")
    conversation = ringfence.conversation(team_of(model, [look.function], max_tool_iterations=2))
    await conversation.run(task="What colour is it?")
    await conversation.run(task="And now?")
    last = remembers.seen[-1]
    assert last["question"] == "What colour is it?\nAnd now?"
    assert last["sources"] == ["The sky is blue."]
    assert "It is blue." in last["history"]
    await ringfence.close()


async def test_a_no_is_no_crash(with_validator: Callable[..., Ringfence]) -> None:
    """The other side: a validator that judged and refused is not reported as broken."""
    from guardrails.classes.validation.validation_result import FailResult

    class SaysNo(Remembers):
        def _validate(self, value: Any, metadata: dict[str, Any]) -> Any:
            return FailResult(error_message="no")

    _, _, tripped = await left_of(with_validator(SaysNo(), "input"))
    assert tripped is not None
    assert (tripped.crashed, tripped.reason) == (False, "no")


async def test_a_hundred_hanging_checks_do_not_let_the_next_one_through(
    with_validator: Callable[..., Ringfence],
) -> None:
    """Where all threads are taken, a check waits, and its time is up: never a yes."""
    Hangs.ended.clear()
    ringfence = with_validator(Hangs(), "input", timeout_seconds=0.05)
    try:
        outcomes = await asyncio.gather(*(left_of(ringfence) for _ in range(40)))
    finally:
        Hangs.ended.set()
    assert all(tripped is not None and tripped.crashed for _, _, tripped in outcomes)
