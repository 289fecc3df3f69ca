"""Teams of every kind with scripted models, run by AutoGen alone, and step by step behind a fence."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from autogen_agentchat.agents import (
    MessageFilterAgent,
    MessageFilterConfig,
    PerSourceFilter,
    SocietyOfMindAgent,
)
from autogen_agentchat.base import TaskResult
from autogen_agentchat.conditions import HandoffTermination, MaxMessageTermination
from autogen_agentchat.messages import BaseChatMessage, HandoffMessage, TextMessage
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from autogen_core import CancellationToken
from autogen_core.tools import FunctionTool, StaticStreamWorkbench
from fenced import agent
from scripted import Scripted, call

from ringfence import Ringfence, tool
from ringfence.agents.team_runner import TeamRunner
from ringfence.conversations.journal import Journal

_CALL_ID = re.compile(r"id': '[^']*'|id='[^']*'")
_MANY = 30

Factory = Callable[[Any], Any]
Said = tuple[str, str, str]
"""A message's kind, who says it, and what."""


class Script:
    """Makes the models of a team, and knows afterwards what each was asked."""

    def __init__(self) -> None:
        self._models: list[Scripted] = []

    def __call__(self, *replies: Any) -> Scripted:
        """A model that says this, whichever team of the factory asks it."""
        self._models.append(Scripted(*replies))
        return self._models[-1]

    @property
    def prompts(self) -> list[list[str]]:
        """Every prompt of every model."""
        return [[_text(prompt) for prompt in model.prompts] for model in self._models]


class NoFence:
    """Hands everything back as it is, so that AutoGen alone runs the team of the same factory."""

    def model_client(self, client: Any, **_: Any) -> Any:
        """The client itself."""
        return client

    def workbench(self, tools: Sequence[Any]) -> Any:
        """AutoGen's own workbench."""
        return StaticStreamWorkbench(
            [one if hasattr(one, "run_json") else FunctionTool(one, one.__doc__ or "") for one in tools]
        )


@tool(consequential=False)
def look(what: str = "") -> str:
    """Look at something."""
    return f"{what} seen"


def ledger(speaker: str, *, satisfied: bool = False) -> str:
    """What MagenticOne's orchestrator thinks between two turns."""
    answers = {
        "is_request_satisfied": satisfied,
        "is_progress_being_made": True,
        "is_in_loop": False,
        "instruction_or_question": f"{speaker}, go on",
        "next_speaker": speaker,
    }
    return json.dumps({key: {"reason": "because", "answer": answer} for key, answer in answers.items()})


def round_robin(script: Script) -> Factory:
    """Two agents, one with a tool, and a number of turns."""
    first = script([call("look", '{"what": "it"}')], "one", "three")
    second = script("two", "four")
    return lambda fence: RoundRobinGroupChat(
        [
            agent(fence, first, name="a", tools=[look], max_tool_iterations=2),
            agent(fence, second, name="b"),
        ],
        max_turns=4,
    )


def selector(script: Script) -> Factory:
    """A model that chooses who speaks."""
    chooser, first, second = script("b", "a", "b"), script("one", "two"), script("three", "four")

    def factory(fence: Any) -> SelectorGroupChat:
        return SelectorGroupChat(
            [agent(fence, first, name="a"), agent(fence, second, name="b")],
            fence.model_client(chooser, model="scripted"),
            termination_condition=MaxMessageTermination(4),
            allow_repeated_speaker=True,
        )

    return factory


def swarm(script: Script) -> Factory:
    """Agents that hand over to each other, and at last to the user."""
    first = script([call("transfer_to_b")], [call("transfer_to_user")])
    second = script("thinking", [call("transfer_to_a")])
    return lambda fence: Swarm(
        [
            agent(fence, first, name="a", handoffs=["b", "user"]),
            agent(fence, second, name="b", handoffs=["a"]),
        ],
        termination_condition=HandoffTermination("user"),
    )


def magentic(script: Script) -> Factory:
    """An orchestrator that plans, and asks two agents."""
    thoughts = "facts", "plan", ledger("b"), ledger("a"), ledger("b"), ledger("b", satisfied=True), "the end"
    orchestrator = script(*thoughts, *thoughts)
    first, second = script("one"), script("two", "three")

    def factory(fence: Any) -> MagenticOneGroupChat:
        return MagenticOneGroupChat(
            [agent(fence, first, name="a"), agent(fence, second, name="b")],
            fence.model_client(orchestrator, model="scripted"),
        )

    return factory


def fan_out(script: Script) -> Factory:
    """A graph of which two nodes run side by side, and one after both."""
    models = [script(name.upper()) for name in "abcd"]

    def factory(fence: Any) -> GraphFlow:
        a, b, c, d = (agent(fence, model, name=name) for model, name in zip(models, "abcd", strict=True))
        graph = DiGraphBuilder().add_node(a).add_node(b).add_node(c).add_node(d)
        graph.add_edge(a, b).add_edge(a, c).add_edge(b, d).add_edge(c, d)
        return GraphFlow([a, b, c, d], graph.build())

    return factory


def cycle(script: Script) -> Factory:
    """A graph that goes round until the critic is content."""
    models = [script("draft", "better"), script("no", "APPROVE"), script("published")]

    def factory(fence: Any) -> GraphFlow:
        a, b, c = (agent(fence, model, name=name) for model, name in zip(models, "abc", strict=True))
        graph = DiGraphBuilder().add_node(a).add_node(b).add_node(c).set_entry_point(a)
        graph.add_edge(a, b, activation_condition="any")
        graph.add_edge(b, a, condition=lambda message: "APPROVE" not in message.to_model_text())
        graph.add_edge(b, c, condition=lambda message: "APPROVE" in message.to_model_text())
        return GraphFlow([a, b, c], graph.build(), termination_condition=MaxMessageTermination(20))

    return factory


def single(script: Script) -> Factory:
    """One agent without a team."""
    model = script([call("look", '{"what": "it"}')], "seen")
    return lambda fence: agent(fence, model, tools=[look], max_tool_iterations=2)


def society(script: Script) -> Factory:
    """A team that thinks as one agent of another team."""
    inner, mind, other = script("thought", "afterthought"), script("we say", "we add"), script("well")

    def factory(fence: Any) -> RoundRobinGroupChat:
        team = RoundRobinGroupChat([agent(fence, inner, name="inner")], max_turns=1)
        thinker = SocietyOfMindAgent("mind", team, fence.model_client(mind, model="scripted"))
        return RoundRobinGroupChat([thinker, agent(fence, other, name="b")], max_turns=3)

    return factory


def nested(script: Script) -> Factory:
    """A team as a member of a team."""
    first, second, other = script("one", "four"), script("two", "five"), script("three", "six")

    def factory(fence: Any) -> RoundRobinGroupChat:
        inner = RoundRobinGroupChat(
            [agent(fence, first, name="a"), agent(fence, second, name="b")], name="inner", max_turns=2
        )
        return RoundRobinGroupChat([inner, agent(fence, other, name="c")], max_turns=4)

    return factory


def filtered(script: Script) -> Factory:
    """An agent that hears the user alone."""
    first, second = script("one", "three"), script("two", "four")

    def factory(fence: Any) -> RoundRobinGroupChat:
        hears = MessageFilterConfig(per_source=[PerSourceFilter(source="user")])
        wrapped: Any = agent(fence, first, name="a")
        return RoundRobinGroupChat(
            [MessageFilterAgent("a", wrapped, hears), agent(fence, second, name="b")], max_turns=4
        )

    return factory


KINDS: dict[str, Callable[[Script], Factory]] = {
    made.__name__: made
    for made in (
        round_robin,
        selector,
        swarm,
        magentic,
        fan_out,
        cycle,
        single,
        society,
        nested,
        filtered,
    )
}
"""One team of each kind."""


@dataclass
class Walked:
    """A run step by step."""

    said: list[Said] = field(default_factory=list)
    stop_reason: str | None = None
    steps: int = 0
    turns: list[Any] = field(default_factory=list)
    """What the runner recorded of each step."""


def words(result: TaskResult) -> list[Said]:
    """What was said in a run, in order; the fence gives the calls ids of its own."""
    return [
        (str(message.dump()["type"]), message.source, _CALL_ID.sub("id=…", message.to_text()))
        for message in result.messages
    ]


def ask(text: str = "go") -> list[BaseChatMessage]:
    """A task."""
    return [TextMessage(content=text, source="user")]


def again(kind: str) -> list[BaseChatMessage]:
    """A second task; a Swarm that handed over to the user has to be told who goes on."""
    if kind == "swarm":
        return [HandoffMessage(content="again", source="user", target="a")]
    return ask("again")


def _text(prompt: Sequence[Any]) -> str:
    return _CALL_ID.sub("id", "\n".join(str(message.model_dump()) for message in prompt))


async def runner_of(ringfence: Ringfence, factory: Factory) -> TeamRunner:
    """A fresh team of the factory, behind a fence of its own."""
    fence, _ = ringfence._fence(Journal(ringfence.store, "walked"), "user", None)
    fence.start_team()
    team = factory(fence)
    await fence.admit(team, is_new=True)
    return TeamRunner(team, fence)


async def one_step(runner: TeamRunner, messages: Sequence[Any], walked: Walked) -> None:
    """One turn of the team, noted."""
    items: list[Any] = [
        item async for item in runner.step(messages, CancellationToken(), output_task_messages=True)
    ]
    walked.said += words(items[-1])
    assert [item.id for item in items[:-1]] == [message.id for message in items[-1].messages]
    walked.stop_reason = items[-1].stop_reason
    walked.steps += 1
    walked.turns.append(json.loads(json.dumps(runner.said)))


async def walk(runner: TeamRunner, task: Sequence[Any] = (), *, steps: int = _MANY) -> Walked:
    """A run of the team, or its first steps."""
    walked = Walked()
    await runner.start_run()
    await one_step(runner, task or ask(), walked)
    return await go_on(runner, walked, steps=steps)


async def go_on(runner: TeamRunner, walked: Walked, *, steps: int = _MANY) -> Walked:
    """The rest of a run."""
    while not runner.finished and walked.steps < steps:
        await one_step(runner, (), walked)
    return walked


async def in_another_process(
    ringfence: Ringfence, factory: Factory, runner: TeamRunner, walked: Walked
) -> TeamRunner:
    """A fresh team that has taken up the run where another one stands."""
    state = json.loads(json.dumps(await runner.save_state()))
    fresh = await runner_of(ringfence, factory)
    await fresh.load_state(state, walked.turns)
    return fresh


async def from_process_to_process(
    ringfence: Ringfence, factory: Factory, runner: TeamRunner, walked: Walked
) -> None:
    """The rest of a run, each turn by another team."""
    while not runner.finished and walked.steps < _MANY:
        runner = await in_another_process(ringfence, factory, runner, walked)
        await go_on(runner, walked, steps=walked.steps + 1)


async def alone(factory: Factory, *tasks: Sequence[Any]) -> TaskResult:
    """The run of AutoGen alone; of several tasks, the last run."""
    team: Any = factory(NoFence())
    for task in tasks or (ask(),):
        result: TaskResult = await team.run(task=task)
    return result
