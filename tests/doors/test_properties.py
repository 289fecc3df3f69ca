"""What holds whatever a model replies, a tool answers and a person decides."""

import asyncio
import json
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import Swarm
from autogen_core import FunctionCall
from fenced import CANARIES, agent, audit_text, canaries_in, make
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import Scripted, created

from ringfence import ApprovalRequest, Approved, Fence, Rejected, RingfenceError, Status, tool

WORDS = st.text(alphabet="abcXYZäß中🎈 .;:!?'\"\\{}[]<>_\n\x00\u200b\ud800", max_size=12)
SAYINGS = st.lists(st.one_of(WORDS, st.sampled_from(sorted(CANARIES.values()))), max_size=5).map(", ".join)
VALUES = st.recursive(
    st.one_of(SAYINGS, st.integers(-5, 5), st.booleans(), st.none(), st.just(4111111111111111)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(SAYINGS, inner, max_size=2)),
    max_leaves=4,
)
OBJECTS = st.dictionaries(st.one_of(st.sampled_from(["what", "to"]), WORDS), VALUES, max_size=3)
PLAIN = st.builds(lambda what, to: json.dumps({"what": what, "to": to}), VALUES, SAYINGS)
ARGUMENTS = st.one_of(
    PLAIN,
    PLAIN,
    PLAIN,
    OBJECTS.map(lambda value: json.dumps(value, ensure_ascii=False)),
    VALUES.map(json.dumps),
    SAYINGS,
    st.sampled_from(["", "{", "[]", '{"what": NaN}', '{"what": 1, "what": 2}', '{"what": ' + "9" * 5000 + "}"]),
)
KNOWN = st.sampled_from(["pay", "send", "look"])
OTHERS = ["transfer_to_bob", "transfer_to_ghost", "nope", "", *CANARIES.values()]
NAMES = st.one_of(KNOWN, KNOWN, KNOWN, st.sampled_from(OTHERS))
IDS = st.one_of(st.sampled_from(["", "a", "b", "4111111111111111"]), WORDS)
CALLS = st.builds(lambda name, arguments, id_: FunctionCall(id_, arguments, name), NAMES, ARGUMENTS, IDS)
SEVERAL = st.lists(CALLS, max_size=4)
REPLIES = st.one_of(
    SEVERAL,
    SEVERAL,
    SAYINGS,
    st.builds(lambda calls, thought: created(calls, thought=thought), st.lists(CALLS, max_size=3), SAYINGS),
    SAYINGS.map(ValueError),
)
DECISIONS = st.sampled_from(["approve", "approve", "wait", "reject", "fail"])


@dataclass
class World:
    """Everything that is not in the fence's hands."""

    task: str
    replies: list[Any]
    answers: list[Any]
    """What the tools return, or raise."""
    decisions: list[str]
    iterations: int
    stream: bool


WORLDS = st.builds(
    World,
    task=SAYINGS,
    replies=st.lists(REPLIES, min_size=1, max_size=5),
    answers=st.lists(st.one_of(SAYINGS, SAYINGS.map(ValueError)), min_size=1, max_size=3),
    decisions=st.lists(DECISIONS, min_size=1, max_size=4),
    iterations=st.integers(1, 4),
    stream=st.booleans(),
)


@dataclass
class Witness:
    """What was approved, and what ran."""

    approved: Counter[str]
    ran: Counter[str]


def key(name: str, arguments: Any) -> str:
    """One spelling of a call."""
    seen = {argument: arguments.get(argument) for argument in ("what", "to")}
    return f"{name} {json.dumps(seen, sort_keys=True)}"


async def play(world: World, folder: Path) -> tuple[Witness, str]:
    """Run the world twice, deciding what waits in between; gives what happened, and all that was written."""
    witness = Witness(Counter(), Counter())
    answers, decisions = iter(world.answers * 50), iter(world.decisions * 50)

    def answered() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    @tool(consequential=False)
    def look(what: Any = None, to: Any = None) -> str:
        """Look something up."""
        return answered()

    @tool(consequential=True)
    def pay(what: Any = None, to: Any = None) -> str:
        """Pay."""
        witness.ran[key("pay", {"what": what, "to": to})] += 1
        return answered()

    @tool(consequential=True, reveals={"to": list(CANARIES)})
    async def send(what: Any = None, to: Any = None) -> str:
        """Send."""
        witness.ran[key("send", {"what": what, "to": to})] += 1
        return answered()

    async def approver(request: ApprovalRequest) -> Approved | Rejected | None:
        match next(decisions):
            case "approve":
                witness.approved[key(request.tool, request.real_arguments)] += 1
                return Approved("bob")
            case "wait":
                return None
            case "fail":
                raise ValueError(", ".join(CANARIES.values()))
            case _:
                return Rejected("bob")

    desk, bob = Scripted(*world.replies), Scripted("Bob here.")
    more = {"max_tool_iterations": world.iterations, "model_client_stream": world.stream}

    def factory(fence: Fence) -> Swarm:
        first = agent(fence, desk, tools=[look, pay, send], handoffs=["bob"], **more)
        return Swarm([first, agent(fence, bob, name="bob")], termination_condition=MaxMessageTermination(4))

    ringfence = make(folder)
    conversation = ringfence.conversation(factory, approver=approver)
    errors = []
    for _ in range(2):
        try:
            await asyncio.wait_for(conversation.run(task=world.task + " go"), 30)
            for request in conversation.pending_approvals:
                if next(decisions) == "approve":
                    await conversation.approve(request.id, by="bob")
                    witness.approved[key(request.tool, request.real_arguments)] += 1
                else:
                    await conversation.reject(request.id, by="bob")
            if conversation.status is Status.WAITING_FOR_APPROVAL:
                await asyncio.wait_for(conversation.resume(), 30)
        except RingfenceError as error:
            errors.append(f"{error!r} {error}")
    with suppress(RingfenceError):
        await conversation.resume()
    state = json.dumps(await conversation.save_state(), ensure_ascii=False)
    written = [audit_text(ringfence), str(conversation.transcript), state, desk.seen, bob.seen, *errors]
    await ringfence.close()
    return witness, "\n".join(written)


@pytest.mark.filterwarnings("ignore:Multiple handoffs")  # AutoGen warns of replies that this test wants
@given(WORLDS)
@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_runs_unapproved_and_nothing_leaks(world: World) -> None:
    """Each consequential call ran as often as it was approved, exactly so; nobody's data is seen or written."""
    with tempfile.TemporaryDirectory() as folder:
        witness, written = asyncio.run(play(world, Path(folder)))
    assert not witness.ran - witness.approved
    assert not canaries_in(written)
    assert "4111111111111111" not in written
