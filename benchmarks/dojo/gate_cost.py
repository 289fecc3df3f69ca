"""What the gate costs: CPU time for each call of a tool, part by part, over a suite's own tasks."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from unittest.mock import patch

from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
)
from autogen_core.tools import StaticWorkbench, ToolResult, Workbench

from benchmarks.dojo.attacks import attack_of
from benchmarks.dojo.figures import Cost, cost
from benchmarks.dojo.obedient_model import MODEL, ObedientModel
from benchmarks.dojo.play import Scene, Stage, nobody, set_up, team
from benchmarks.dojo.suite_run import guarded
from benchmarks.dojo.suites import Suite
from ringfence import Fence, Ringfence
from ringfence.agents.workbench import FencedWorkbench
from ringfence.conversations.journal import Journal
from ringfence.guardrails.calls import UserTurn
from ringfence.guardrails.clearance import ClearToolCalls
from ringfence.guardrails.middleware import door

_ROUNDS = 4  # of each call the cheapest counts: what is more was the machine's other work
_TEXTS = {"Mask", "Enforce", "Scan"}
_PARTS = {"Approve", "NoteResults"}
_JOURNAL = {"JournalToolCalls", "StartToolCalls"}


@dataclass(slots=True)
class _Spent:
    """CPU seconds of one call of a tool."""

    total: float = 0.0  # from the agent's question to its result, without the tool's own code
    judged: float = 0.0  # deciding the call in the model's reply
    parts: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Middleware of the tool door → its own time."""


@dataclass(slots=True)
class _Clock:
    """Counts CPU time, of all threads of the process."""

    stage: Stage
    calls: list[_Spent] = field(default_factory=list)
    _now: _Spent = field(default_factory=_Spent)

    def judging(self, inside: Any) -> Any:
        """A middleware that decides calls at the model door."""

        def spend(seconds: float) -> None:
            self._now.judged += seconds

        return _Own(inside, spend)

    def at_the_tool_door(self, inside: Any) -> Any:
        """A middleware of the tool door."""
        name = type(inside).__name__

        def spend(seconds: float) -> None:
            self._now.parts[name] += seconds

        return _Own(inside, spend)

    def calling(self, call_tool: Callable[..., Any]) -> Callable[..., Any]:
        """A workbench's method, as a function of the workbench and what it is given."""

        async def timed(bench: Workbench, *given: Any, **named: Any) -> ToolResult:
            ran, before = len(self.stage.world.ran), time.process_time()
            try:
                result: ToolResult = await call_tool(bench, *given, **named)
                return result
            finally:
                took = time.process_time() - before
                own_code = sum(one.cpu_seconds for one in self.stage.world.ran[ran:])
                self._now.total = took - own_code
                self.calls.append(self._now)
                self._now = _Spent()

        return timed


_Rounds = Sequence[Sequence[_Spent]]  # the calls of each round, in the same order


class _Own:
    """A middleware with the CPU time of the one inside it, without what that one waits for."""

    def __init__(self, inside: Any, spend: Callable[[float], None]) -> None:
        self._inside = inside
        self._spend = spend

    async def __call__(self, call: Any, call_next: Any) -> Any:
        within = 0.0

        async def timed(passed: Any) -> Any:
            nonlocal within
            began = time.process_time()
            try:
                return await call_next(passed)
            finally:
                within += time.process_time() - began

        began = time.process_time()
        try:
            return await self._inside(call, timed)
        finally:
            self._spend(time.process_time() - began - within)


async def measure(name: str) -> list[Cost]:
    """Make the calls of a suite's tasks, each alone and under one attack, with and without the gate.

    There is no team around them, whose other work would be counted, and no journal; that is timed apart.
    """
    suite = Suite(name)
    scenes = [
        scene
        for user in suite.users
        for scene in (Scene(suite, user), Scene(suite, user, attack_of(suite, user, suite.attackers[0])))
    ]
    rows: list[list[list[_Spent]]] = [[], [], [], []]
    async with guarded(name) as ringfence:
        for number in range(_ROUNDS + 1):
            spent: list[list[_Spent]] = [[], [], [], []]
            for scene in scenes:
                spent[0] += await _bare(scene)
                spent[1] += await _fenced(ringfence, scene, timed=_TEXTS)
                # Apart, because looking at the clock takes its time, too.
                spent[2] += await _fenced(ringfence, scene, timed=_PARTS)
                spent[3] += await _journaled(ringfence, scene)
            if number:  # the first round warms everything up
                for row, of_round in zip(rows, spent, strict=True):
                    row.append(of_round)
    return _costs(*rows)


def _costs(bare: _Rounds, fenced: _Rounds, in_parts: _Rounds, journaled: _Rounds) -> list[Cost]:
    autogen = median(_best(bare, lambda one: one.total))

    def texts(one: _Spent) -> float:
        return sum(one.parts[name] for name in _TEXTS)

    def gate(one: _Spent) -> float:
        return one.judged + one.total - texts(one) - autogen

    return [
        _cost("the gate: the call judged twice, and the tool door", fenced, gate),
        _cost("  of it: judged in the model's reply", fenced, lambda one: one.judged),
        _cost("  of it: judged again on its way to the tool", in_parts, lambda one: one.parts["Approve"]),
        _cost("  of it: the result noted as a source", in_parts, lambda one: one.parts["NoteResults"]),
        _cost("beside it: personal data, injections, guardrails", fenced, texts),
        _cost("beside it: the journal, in memory", journaled, lambda one: sum(one.parts.values())),
        _cost("AutoGen's own, without the gate", bare, lambda one: one.total),
    ]


def _cost(part: str, rounds: _Rounds, of: Callable[[_Spent], float]) -> Cost:
    return cost(part, [1000 * seconds for seconds in _best(rounds, of)])


def _best(rounds: _Rounds, of: Callable[[_Spent], float]) -> list[float]:
    """Of each call what its cheapest round took."""
    return [min(map(of, same)) for same in zip(*rounds, strict=True)]


async def _journaled(ringfence: Ringfence, scene: Scene) -> list[_Spent]:
    """A whole conversation, whose steps are written down."""
    stage = set_up(scene)
    clock = _Clock(stage)

    def factory(fence: Fence) -> RoundRobinGroupChat:
        bench = fence.workbench(list(stage.world.tools()))
        _time(bench, clock, _JOURNAL)
        return team(fence.model_client(ObedientModel(stage.script), model=MODEL), bench)

    with patch.object(FencedWorkbench, "run_call", clock.calling(FencedWorkbench.run_call)):
        await ringfence.conversation(factory, approver=nobody).run(task=scene.user.text)
    return clock.calls


def _time(bench: FencedWorkbench, clock: _Clock, timed: set[str]) -> None:
    bench._middlewares = tuple(  # noqa: SLF001 - only here can each part be timed by itself
        clock.at_the_tool_door(one) if type(one).__name__ in timed else one
        for one in bench._middlewares  # noqa: SLF001 - likewise
    )


async def _bare(scene: Scene) -> list[_Spent]:
    stage = set_up(scene)
    clock = _Clock(stage)
    bench = StaticWorkbench(list(stage.world.tools()))
    with patch.object(StaticWorkbench, "call_tool", clock.calling(StaticWorkbench.call_tool)):
        await _talk(scene, ObedientModel(stage.script), bench)
    return clock.calls


async def _fenced(ringfence: Ringfence, scene: Scene, *, timed: set[str]) -> list[_Spent]:
    stage = set_up(scene)
    clock = _Clock(stage)
    # Only here can each part be timed by itself.
    fence, session = ringfence._fence(Journal(ringfence.store, scene.user.id), "user", nobody)  # noqa: SLF001
    client = fence.model_client(ObedientModel(stage.script), model=MODEL)
    client._middlewares = tuple(  # noqa: SLF001
        clock.judging(one) if isinstance(one, ClearToolCalls) else one
        for one in client._middlewares  # noqa: SLF001
    )
    bench = fence.workbench(list(stage.world.tools()))
    _time(bench, clock, timed)

    async def taken(turn: UserTurn) -> UserTurn:
        return turn

    await door(session.user_door, taken)(UserTurn((TextMessage(content=scene.user.text, source="user"),)))
    with patch.object(FencedWorkbench, "call_tool", clock.calling(FencedWorkbench.call_tool)):
        await _talk(scene, client.of("desk"), bench.of("desk"))
    return clock.calls


async def _talk(scene: Scene, client: ChatCompletionClient, bench: Workbench) -> None:
    """What AutoGen's agent does, without the agent."""
    messages: list[LLMMessage] = [UserMessage(content=scene.user.text, source="user")]
    tools = await bench.list_tools()
    while True:
        reply = await client.create(messages, tools=tools)
        if isinstance(reply.content, str):
            return
        messages.append(AssistantMessage(content=reply.content, source="desk"))
        for call in reply.content:
            result = await bench.call_tool(
                call.name, json.loads(call.arguments), CancellationToken(), call.id
            )
            answer = FunctionExecutionResult(
                content=result.to_text(), name=call.name, call_id=call.id, is_error=result.is_error
            )
            messages.append(FunctionExecutionResultMessage(content=[answer]))
