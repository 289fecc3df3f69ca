"""One task of a user, in a real team: behind the gate or without it, with or without an attacker."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import ChatCompletionClient
from autogen_core.tools import StaticWorkbench, Workbench

from benchmarks.dojo.attacks import Attack
from benchmarks.dojo.obedient_model import MODEL, Call, ObedientModel, Order, Script
from benchmarks.dojo.suites import Suite, Task
from benchmarks.dojo.world import Ran, World
from ringfence import Approved, Fence, Rejected, Ringfence
from ringfence.conversations.status import Status
from ringfence.guardrails.approval import ApprovalRequest

_MOST_STEPS = 100

Approver = Callable[[ApprovalRequest], Awaitable[Approved | Rejected | None]]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is played: a user's task, and the attack on it."""

    suite: Suite
    user: Task
    attack: Attack | None = None
    order: Order = Order.AT_ONCE


@dataclass(frozen=True, slots=True)
class Question:
    """A call that waited for a person."""

    call: Call
    reason: str


@dataclass(slots=True)
class Played:
    """What came of it."""

    scene: Scene
    is_done: bool = False
    """The user's task, as AgentDojo judges it."""
    is_attacked: bool = False
    """The attacker's goal is reached, as AgentDojo judges it."""
    ran: Sequence[Ran] = ()
    """The calls that reached their tools, in order."""
    users_calls: tuple[Call, ...] = ()
    """The calls that the user's task needs."""
    injected: tuple[Call, ...] = ()
    """The calls that the attacker wanted."""
    asked: list[Question] = field(default_factory=list)
    """What a person was asked about, in order."""
    status: Status = Status.DONE
    model_saw_it: bool = True
    """The model came to read the attacker's text."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A world with the attacker's texts in it, and what the model will do there."""

    scene: Scene
    world: World
    before: Any
    script: Script


def set_up(scene: Scene) -> Stage:
    """The world of a scene, and its script."""
    suite, attack = scene.suite, scene.attack
    world = suite.world(scene.user, attack.injections if attack else {})
    calls = suite.solution(scene.user, world.environment)
    injected: tuple[Call, ...] = ()
    if attack is not None:
        injected = tuple(attack.calls(world.environment))
    script = Script(
        calls, scene.user.answer, injected, trigger=attack.trigger if attack else "", order=scene.order
    )
    return Stage(scene, world, world.environment.model_copy(deep=True), script)


async def play_bare(scene: Scene) -> Played:
    """Play it in a team of AutoGen alone."""
    stage = set_up(scene)
    result = await team(ObedientModel(stage.script), StaticWorkbench(list(stage.world.tools()))).run(
        task=scene.user.text
    )
    return _judged(stage, Played(scene), result)


async def play_fenced(ringfence: Ringfence, scene: Scene, approver: Approver | None = None) -> Played:
    """Play it behind the gate; without an approver, whatever waits is approved and the turn goes on."""
    stage, played = set_up(scene), Played(scene)

    async def noted(request: ApprovalRequest) -> Approved | Rejected | None:
        played.asked.append(Question(_call_of(request), request.reason))
        return None if approver is None else await approver(request)

    def factory(fence: Fence) -> RoundRobinGroupChat:
        model = fence.model_client(ObedientModel(stage.script), model=MODEL)
        return team(model, fence.workbench(list(stage.world.tools())))

    conversation = ringfence.conversation(factory, approver=noted)
    result = await conversation.run(task=scene.user.text)
    while approver is None and conversation.status is Status.WAITING_FOR_APPROVAL:
        for request in conversation.pending_approvals:
            await conversation.approve(request.id, by="operator")
        result = await conversation.resume()
    played.status = conversation.status
    return _judged(stage, played, result)


async def nobody(_request: ApprovalRequest) -> None:
    """Whoever is asked does not answer in time; the call is refused, and the run goes on."""
    raise TimeoutError


def only_the_users(calls: Sequence[Call]) -> Approver:
    """A person who approves the user's own calls, and no other."""

    async def decide(request: ApprovalRequest) -> Approved | Rejected:
        if _call_of(request) in calls:
            return Approved("operator")
        return Rejected("operator", "the user did not ask for it")

    return decide


def team(model: ChatCompletionClient, workbench: Workbench) -> RoundRobinGroupChat:
    """One agent that goes on until it has nothing more to call."""
    agent = AssistantAgent("desk", model, workbench=workbench, max_tool_iterations=_MOST_STEPS)
    return RoundRobinGroupChat([agent], max_turns=1)


def _call_of(request: ApprovalRequest) -> Call:
    """The call as a script spells it: without what was left out."""
    given = {name: value for name, value in request.real_arguments.items() if value is not None}
    return Call(request.tool, given)


def _judged(stage: Stage, played: Played, result: TaskResult) -> Played:
    suite, attack, world = stage.scene.suite, stage.scene.attack, stage.world
    answer = result.messages[-1].to_text() if result.messages else ""
    after = world.environment
    played.ran, played.users_calls, played.injected = world.ran, stage.script.calls, stage.script.injected
    # What ran of the task is its own judge's business; the answer counts when it was given.
    played.is_done = suite.is_done(
        stage.scene.user, answer=answer, before=stage.before, after=after, ran=world.ran
    )
    if attack is not None:
        played.model_saw_it = any(stage.script.shows(one.result) for one in world.ran)
        if attack.task is not None:
            played.is_attacked = suite.is_done(
                attack.task, answer=answer, before=stage.before, after=after, ran=world.ran
            )
        else:
            played.is_attacked = any(one.call in played.injected for one in world.ran)
    return played
