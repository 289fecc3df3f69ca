"""What holds whatever a model replies, a tool answers and a person decides."""

import asyncio
import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import Swarm
from autogen_core import FunctionCall
from fenced import CANARIES, Talk, agent, audit_text, canaries_in, make
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scripted import Scripted, created

from ringfence import ApprovalRequest, Approved, Fence, Rejected, RingfenceError, tool

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
    st.sampled_from(
        ["", "{", "[]", '{"what": NaN}', '{"what": 1, "what": 2}', '{"what": ' + "9" * 5000 + "}"]
    ),
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


def key(name: str, arguments: Any) -> str:
    """One spelling of a call."""
    seen = {argument: arguments.get(argument) for argument in ("what", "to")}
    return f"{name} {json.dumps(seen, sort_keys=True)}"


class Witness:
    """Plays a world's tools and its approver, and remembers what was approved and what ran."""

    def __init__(self, world: World) -> None:
        self.approved: Counter[str] = Counter()
        self.ran: Counter[str] = Counter()
        self._answers, self._decisions = cycle(world.answers), cycle(world.decisions)

    def _answer(self) -> str:
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    def tools(self) -> list[Any]:
        """One that looks, one that acts, and one that acts and may see real values."""

        @tool(consequential=False)
        def look(what: Any = None, to: Any = None) -> str:
            """Look something up."""
            return self._answer()

        @tool(consequential=True)
        def pay(what: Any = None, to: Any = None) -> str:
            """Pay."""
            self.ran[key("pay", {"what": what, "to": to})] += 1
            return self._answer()

        @tool(consequential=True, reveals={"to": list(CANARIES)})
        async def send(what: Any = None, to: Any = None) -> str:
            """Send."""
            self.ran[key("send", {"what": what, "to": to})] += 1
            return self._answer()

        return [look, pay, send]

    async def approver(self, request: ApprovalRequest) -> Approved | Rejected | None:
        """Decide at once, put it off, or fail."""
        match next(self._decisions):
            case "approve":
                self.approved[key(request.tool, request.real_arguments)] += 1
                return Approved("bob")
            case "wait":
                return None
            case "fail":
                raise ValueError(", ".join(CANARIES.values()))
            case _:
                return Rejected("bob")

    async def decide(self, conversation: Talk) -> None:
        """Decide what waits."""
        for request in conversation.pending_approvals:
            if next(self._decisions) == "approve":
                await conversation.approve(request.id, by="bob")
                self.approved[key(request.tool, request.real_arguments)] += 1
            else:
                await conversation.reject(request.id, by="bob")


async def play(world: World, folder: Path) -> tuple[Witness, str]:
    """Two runs, with decisions and a resumption after each; who saw it all, and all that was written."""
    witness = Witness(world)
    desk, bob = Scripted(*world.replies), Scripted("Bob here.")
    more: dict[str, Any] = {"max_tool_iterations": world.iterations, "model_client_stream": world.stream}

    def factory(fence: Fence) -> Swarm:
        first = agent(fence, desk, tools=witness.tools(), handoffs=["bob"], **more)
        return Swarm([first, agent(fence, bob, name="bob")], termination_condition=MaxMessageTermination(4))

    ringfence = make(folder)
    conversation = ringfence.conversation(factory, approver=witness.approver)
    errors = []
    for again in (False, True, False, True):
        try:
            step = conversation.resume() if again else conversation.run(task=f"{world.task} go")
            await asyncio.wait_for(step, 30)
        except RingfenceError as error:
            errors.append(f"{error!r} {error}")
        await witness.decide(conversation)
    state = json.dumps(await conversation.save_state(), ensure_ascii=False)
    written = [audit_text(ringfence), str(conversation.transcript), state, desk.seen, bob.seen, *errors]
    await ringfence.close()
    return witness, "\n".join(written)


@pytest.mark.timeout(240)  # fifty conversations, each with a file of its own
@pytest.mark.filterwarnings("ignore:Multiple handoffs")  # AutoGen warns of replies that this test wants
@given(WORLDS)
@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # shrinking whole conversations takes longer than a test may
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_runs_unapproved_and_nothing_leaks(world: World) -> None:
    """Each consequential call ran as often as it was approved, exactly so; nobody's data is seen or kept."""
    with tempfile.TemporaryDirectory() as folder:
        witness, written = asyncio.run(play(world, Path(folder)))
        written += "".join(file.read_bytes().decode(errors="replace") for file in Path(folder).iterdir())
    assert not witness.ran - witness.approved
    assert not canaries_in(written)
    assert "4111111111111111" not in written
