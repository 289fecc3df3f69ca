"""The walk over a team: what cannot be fenced is refused at once, all of it, with advice."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.agents import (
    AssistantAgent,
    BaseChatAgent,
    CodeExecutorAgent,
    MessageFilterAgent,
    MessageFilterConfig,
    PerSourceFilter,
    SocietyOfMindAgent,
    UserProxyAgent,
)
from autogen_agentchat.base import Handoff, Response
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import CancellationToken, SingleThreadedAgentRuntime
from autogen_core.memory import ListMemory
from autogen_core.model_context import UnboundedChatCompletionContext
from autogen_core.models import ChatCompletionClient
from autogen_core.tools import BaseTool, FunctionTool, StaticWorkbench
from autogen_ext.code_executors.local import LocalCommandLineCodeExecutor
from autogen_ext.models.cache import ChatCompletionCache
from autogen_ext.tools.code_execution import PythonCodeExecutionTool
from fenced import agent, recording, team_of
from pydantic import BaseModel
from scripted import Bench, Scripted, call

from ringfence import CoverageError, Fence, PolicyError, Ringfence, tool
from ringfence.agents.user_input import FencedInput
from ringfence.agents.workbench import FencedWorkbench
from ringfence.conversations.journal import Journal

House = Callable[..., Ringfence]
BARE = Scripted("never")


@tool()
def act(what: str) -> str:
    """Do something."""
    return what


class Task(BaseModel):
    """What a tool takes."""

    task: str = ""


class OwnAgent(BaseChatAgent):
    """An agent of somebody's own, which may call whatever it likes."""

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Texts."""
        return (TextMessage,)

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        """Say something."""
        return Response(chat_message=TextMessage(content="hm", source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Nothing to forget."""


class OwnWays(AssistantAgent):
    """An assistant that works in its own way."""

    async def on_messages_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Do as it likes."""
        yield None


class OwnCalls(AssistantAgent):
    """An assistant that calls its model in its own way."""

    @classmethod
    async def _call_llm(cls, *args: Any, **kwargs: Any) -> Any:
        yield None


class OwnMind(SocietyOfMindAgent):
    """A society of mind that works in its own way."""

    async def on_messages_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Do as it likes."""
        yield None


class OwnTeam(RoundRobinGroupChat):
    """A team that runs in its own way."""

    async def run_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Do as it likes."""
        yield None


class OwnHandoff(Handoff):
    """A handoff that does more than hand over."""


class Judge(MaxMessageTermination):
    """A termination condition that asks a model."""

    def __init__(self, client: ChatCompletionClient) -> None:
        super().__init__(1)
        self._client = client


class OwnRuntime(SingleThreadedAgentRuntime):
    """A runtime that may do as it likes."""


class OwnInput(FencedInput):
    """An input that asks in its own way."""

    def __init__(self, fence: Fence) -> None:
        super().__init__(answers, fence=fence)

    async def answer(self, prompt: str, cancellation_token: CancellationToken | None = None) -> str:
        """Ask nobody."""
        return "yes"


async def answers(agent: str, prompt: str) -> str:
    """A person who answers always the same."""
    return f"{agent} asked"


@tool()
class OwnTool(BaseTool[Task, Task]):
    """A tool that holds something."""

    def __init__(self, held: object) -> None:
        super().__init__(Task, Task, "own", "Own.")
        self._held = held

    async def run(self, args: Task, cancellation_token: CancellationToken) -> Task:
        """Answer."""
        return args


class OwnMemoryContext(UnboundedChatCompletionContext):
    """A model context that asks a model to summarise."""

    def __init__(self, client: ChatCompletionClient) -> None:
        super().__init__()
        self.client = client


def executor(folder: Path = Path()) -> LocalCommandLineCodeExecutor:
    """Something that runs code; it warns of itself."""
    with warnings.catch_warnings(action="ignore"):
        return LocalCommandLineCodeExecutor(work_dir=folder)


def coder() -> CodeExecutorAgent:
    """An agent that runs code; it warns of itself, too."""
    with warnings.catch_warnings(action="ignore"):
        return CodeExecutorAgent("coder", executor())


def alone(one: Any) -> RoundRobinGroupChat:
    """A team of one."""
    return RoundRobinGroupChat([one], max_turns=1)


def bare_agent(name: str = "desk", **more: Any) -> AssistantAgent:
    """An agent that nobody fenced."""
    return AssistantAgent(name, BARE, **more)


def ok(fence: Fence, name: str = "desk", **more: Any) -> AssistantAgent:
    """A fenced agent."""
    return agent(fence, Scripted("ok"), name=name, **more)


def client(fence: Fence) -> ChatCompletionClient:
    """A fenced client."""
    return fence.model_client(Scripted("ok"), model="scripted")


REFUSED: Mapping[str, tuple[Callable[[Fence], Any], str, str]] = {
    "a bare model client": (lambda _: alone(bare_agent()), "team › desk", "fence.model_client(...)"),
    "a bare agent without a team": (lambda _: bare_agent(), "team › desk", "fence.model_client(...)"),
    "tools": (
        lambda fence: alone(AssistantAgent("desk", client(fence), tools=[act])),
        "team › desk",
        "workbench=fence.workbench([...])",
    ),
    "a bare workbench": (
        lambda fence: alone(AssistantAgent("desk", client(fence), workbench=Bench())),
        "team › desk",
        "workbench=fence.workbench(...)",
    ),
    "a bare workbench beside a fenced one": (
        lambda fence: alone(
            AssistantAgent(
                "desk",
                client(fence),
                workbench=[fence.workbench([act]), StaticWorkbench([FunctionTool(act, "Do.", name="other")])],
            )
        ),
        "team › desk",
        "other",
    ),
    "a cache around a fenced client": (
        lambda fence: alone(AssistantAgent("desk", ChatCompletionCache(client(fence)))),
        "team › desk",
        "ChatCompletionCache",
    ),
    "a bare memory": (
        lambda fence: alone(ok(fence, memory=[ListMemory()])),
        "team › desk › memory",
        "fence.memory(...)",
    ),
    "a model context with a bare client": (
        lambda fence: alone(ok(fence, model_context=OwnMemoryContext(BARE))),
        "team › desk › model context",
        "fence.model_client(...)",
    ),
    "a person in the middle of a run": (
        lambda fence: RoundRobinGroupChat([ok(fence), UserProxyAgent("person")]),
        "team › person",
        "input_func=fence.user_input()",
    ),
    "an agent that runs code": (
        lambda fence: RoundRobinGroupChat([ok(fence), coder()]),
        "team › coder",
        "fence.code_executor(...)",
    ),
    "an agent of one's own": (
        lambda fence: RoundRobinGroupChat([ok(fence), OwnAgent("own", "Own.")]),
        "team › own",
        "use AssistantAgent",
    ),
    "an assistant that overrides on_messages_stream": (
        lambda fence: alone(OwnWays("desk", client(fence))),
        "team › desk",
        "OwnWays overrides on_messages_stream",
    ),
    "an assistant that overrides how it calls its model": (
        lambda fence: alone(OwnCalls("desk", client(fence))),
        "team › desk",
        "OwnCalls overrides _call_llm",
    ),
    "a society of mind that overrides on_messages_stream": (
        lambda fence: alone(OwnMind("mind", alone(ok(fence)), client(fence))),
        "team › mind",
        "OwnMind overrides on_messages_stream",
    ),
    "a team that overrides run_stream": (
        lambda fence: OwnTeam([ok(fence)]),
        "team",
        "OwnTeam",
    ),
    "a selector's bare client": (
        lambda fence: SelectorGroupChat([ok(fence, "a"), ok(fence, "b")], BARE),
        "team",
        "fence.model_client(...)",
    ),
    "an orchestrator's bare client": (
        lambda fence: MagenticOneGroupChat([ok(fence)], BARE),
        "team",
        "fence.model_client(...)",
    ),
    "a society of mind's bare client": (
        lambda fence: alone(SocietyOfMindAgent("mind", alone(ok(fence)), BARE)),
        "team › mind",
        "fence.model_client(...)",
    ),
    "a bare client deep in a society of mind": (
        lambda fence: alone(SocietyOfMindAgent("mind", alone(bare_agent("thinker")), client(fence))),
        "thinker",
        "fence.model_client(...)",
    ),
    "a bare client in a team within a team": (
        lambda fence: RoundRobinGroupChat(
            [RoundRobinGroupChat([bare_agent("deep")], name="inner"), ok(fence)]
        ),
        "inner › deep",
        "fence.model_client(...)",
    ),
    "a bare client behind a filter": (
        lambda _: alone(
            MessageFilterAgent(
                "filter",
                bare_agent("hidden"),
                MessageFilterConfig(per_source=[PerSourceFilter(source="user")]),
            )
        ),
        "hidden",
        "fence.model_client(...)",
    ),
    "a bare agent as a tool": (
        lambda fence: alone(ok(fence, tools=[AgentTool(bare_agent("helper"))])),
        "helper",
        "fence.model_client(...)",
    ),
    "a bare team as a tool": (
        lambda fence: alone(
            ok(fence, tools=[TeamTool(alone(bare_agent("deep")), name="crew", description="Crew.")])
        ),
        "deep",
        "fence.model_client(...)",
    ),
    "a tool with a bare client": (
        lambda fence: alone(ok(fence, tools=[OwnTool(BARE)])),
        "own",
        "fence.model_client(...)",
    ),
    "a tool of one's own with a bare agent": (
        lambda fence: alone(ok(fence, tools=[OwnTool(bare_agent("helper"))])),
        "helper",
        "fence.model_client(...)",
    ),
    "a termination condition that asks a bare model": (
        lambda fence: RoundRobinGroupChat([ok(fence)], termination_condition=Judge(BARE)),
        "termination condition",
        "fence.model_client(...)",
    ),
    "one of several termination conditions that asks a bare model": (
        lambda fence: RoundRobinGroupChat(
            [ok(fence)],
            termination_condition=MaxMessageTermination(2) | (MaxMessageTermination(3) & Judge(BARE)),
        ),
        "termination condition",
        "fence.model_client(...)",
    ),
    "a runtime of a kind of one's own": (
        lambda fence: RoundRobinGroupChat([ok(fence)], runtime=OwnRuntime()),
        "team",
        "runs on OwnRuntime",
    ),
    "a person who is asked by a method of one's own": (
        lambda fence: alone(UserProxyAgent("person", input_func=OwnInput(fence).answer)),
        "team › person",
        "input_func=fence.user_input()",
    ),
    "a person who is asked in another conversation": (
        lambda _: alone(UserProxyAgent("person", input_func=FencedInput(answers, fence=object()).answer)),
        "team › person",
        "fence.user_input() anew",
    ),
    "a handoff of one's own": (
        lambda fence: Swarm([ok(fence, "a", handoffs=[OwnHandoff(target="b")]), ok(fence, "b")]),
        "team › a",
        "AutoGen's own Handoff",
    ),
    "a handoff with the name of a tool": (
        lambda fence: Swarm(
            [ok(fence, "a", handoffs=[Handoff(target="b", name="act")]), ok(fence, "b", tools=[act])]
        ),
        "tools.act",
        "rename one",
    ),
    "something that is no team": (lambda _: "team", "team", "neither an AutoGen team nor an agent"),
    "nothing": (lambda _: None, "team", "neither an AutoGen team nor an agent"),
}


@pytest.mark.parametrize("case", REFUSED, ids=list(REFUSED))
async def test_what_cannot_be_fenced_is_refused(house: House, case: str) -> None:
    """The fault says where the part is and what to do; no model was called."""
    factory, place, advice = REFUSED[case]
    conversation = house().conversation(factory)
    with pytest.raises(CoverageError) as refused:
        await conversation.run(task="Go")
    (fault,) = refused.value.faults
    assert place in fault.where
    assert advice in fault.message
    assert str(fault) in str(refused.value)
    assert BARE.calls == 0


@pytest.mark.parametrize("case", REFUSED, ids=list(REFUSED))
async def test_a_check_finds_the_same_without_running_anything(house: House, case: str) -> None:
    """`ringfence.check` lists what a run would be refused for."""
    factory, place, advice = REFUSED[case]
    (fault,) = await house().check(factory)
    assert place in fault.where
    assert advice in fault.message


ACCEPTED: Mapping[str, Callable[[Fence, Path], Any]] = {
    "an agent": lambda fence, _: ok(fence),
    "an agent with everything": lambda fence, _: alone(
        ok(
            fence,
            tools=[act],
            memory=[fence.memory(ListMemory())],
            model_context=OwnMemoryContext(client(fence)),
        )
    ),
    "a round robin": lambda fence, _: RoundRobinGroupChat([ok(fence, "a"), ok(fence, "b")], max_turns=1),
    "a selector": lambda fence, _: SelectorGroupChat(
        [ok(fence, "a"), ok(fence, "b")], client(fence), max_turns=1
    ),
    "a swarm": lambda fence, _: Swarm([ok(fence, "a", handoffs=["b"]), ok(fence, "b")], max_turns=1),
    "a graph": lambda fence, _: GraphFlow(
        [one := ok(fence)], graph=DiGraphBuilder().add_node(one).build(), max_turns=1
    ),
    "a society of mind": lambda fence, _: alone(SocietyOfMindAgent("mind", alone(ok(fence)), client(fence))),
    "a team within a team": lambda fence, _: alone(
        RoundRobinGroupChat([ok(fence)], name="inner", max_turns=1)
    ),
    "a filter": lambda fence, _: alone(
        MessageFilterAgent(
            "filter", ok(fence), MessageFilterConfig(per_source=[PerSourceFilter(source="user")])
        )
    ),
    "an agent as a tool": lambda fence, _: alone(ok(fence, tools=[AgentTool(ok(fence, "helper"))])),
    "a team as a tool": lambda fence, _: alone(
        ok(fence, tools=[TeamTool(alone(ok(fence, "deep")), name="crew", description="Crew.")])
    ),
    "a tool with a fenced client": lambda fence, _: alone(ok(fence, tools=[OwnTool(client(fence))])),
    "a tool of one's own with a fenced agent": lambda fence, _: alone(
        ok(fence, tools=[OwnTool(ok(fence, "helper"))])
    ),
    "a workbench of one's own": lambda fence, _: alone(ok(fence, tools=Bench())),
    "several workbenches": lambda fence, _: alone(
        AssistantAgent(
            "desk",
            client(fence),
            workbench=[fence.workbench([act]), fence.workbench([recording("other").function])],
        )
    ),
    "a tool that runs code": lambda fence, folder: alone(
        ok(fence, tools=[PythonCodeExecutionTool(executor(folder))])
    ),
    "a cache inside the fence": lambda fence, _: alone(
        AssistantAgent("desk", fence.model_client(ChatCompletionCache(Scripted("ok")), model="scripted"))
    ),
    "a condition that asks a fenced model": lambda fence, _: RoundRobinGroupChat(
        [ok(fence)], termination_condition=Judge(client(fence)), max_turns=1
    ),
    "a runtime for the team alone": lambda fence, _: RoundRobinGroupChat(
        [RoundRobinGroupChat([ok(fence)], name="inner", runtime=(own := SingleThreadedAgentRuntime()))],
        max_turns=1,
        runtime=own,
    ),
    "a person who is asked through the conversation": lambda fence, _: alone(
        UserProxyAgent("person", input_func=FencedInput(answers, fence=fence).answer)
    ),
    "one client and one workbench for two agents": lambda fence, _: shared(fence),
}


def shared(fence: Fence) -> RoundRobinGroupChat:
    """Two agents with the same parts."""
    both, bench = client(fence), fence.workbench([act])
    return RoundRobinGroupChat(
        [AssistantAgent(name, both, workbench=bench) for name in ("a", "b")], max_turns=1
    )


@pytest.mark.parametrize("case", ACCEPTED, ids=list(ACCEPTED))
async def test_what_is_fenced_is_accepted(house: House, tmp_path: Path, case: str) -> None:
    """The fenced version of everything that is refused above."""
    ringfence = house(tools={"CodeExecut*": {}})
    assert await ringfence.check(lambda fence: ACCEPTED[case](fence, tmp_path)) == []


async def test_magentic_one_is_accepted(house: House) -> None:
    """Its orchestrator may not be an agent of the walk, but its client is."""
    assert await house().check(lambda fence: MagenticOneGroupChat([ok(fence)], client(fence))) == []


async def test_every_fault_of_a_team_is_told_at_once(house: House) -> None:
    """A person mends them in one go; each stands on a line of its own."""

    def factory(fence: Fence) -> SelectorGroupChat:
        parts = [bare_agent("a", tools=[act]), UserProxyAgent("b"), OwnAgent("c", "Own.")]
        return SelectorGroupChat([*parts, OwnWays("d", client(fence))], BARE)

    with pytest.raises(CoverageError) as refused:
        await house(tools={"refnud": {"decision": "deny"}}).conversation(factory).run(task="Go")
    places = {fault.where for fault in refused.value.faults}
    assert places == {"team", "team › a", "team › b", "team › c", "team › d", "tools.refnud"}
    assert len(refused.value.faults) == 7
    assert str(refused.value).count("\n") == 6


async def test_a_policy_that_names_a_tool_that_is_not_there_is_refused(house: House) -> None:
    """A typo in the policy would leave a tool without its rule; the fault lists the tools that there are."""
    ringfence = house(tools={"refnud": {"decision": "deny"}, "act*": {"decision": "deny"}})
    conversation = ringfence.conversation(team_of(Scripted("ok"), [recording("refund").function]))
    with pytest.raises(CoverageError, match="it has: refund") as refused:
        await conversation.run(task="Go")
    (fault,) = refused.value.faults
    assert fault.where == "tools.refnud"


async def test_a_policy_may_name_tools_of_nested_teams_and_handoffs(house: House) -> None:
    """Whatever is behind the fence can be named."""

    def factory(fence: Fence) -> Swarm:
        inner = agent(fence, Scripted("ok"), name="helper", tools=[recording("deep").function])
        first = ok(fence, "a", handoffs=["b"], tools=[AgentTool(inner)])
        return Swarm([first, ok(fence, "b")], max_turns=1)

    names = ("deep", "helper", "transfer_to_b")
    assert await house(tools={name: {"decision": "allow"} for name in names}).check(factory) == []


async def test_a_team_that_already_ran_is_refused(house: House) -> None:
    """Its agents may hold what somebody else said."""
    model = Scripted("ok")
    teams: list[RoundRobinGroupChat] = []

    def factory(fence: Fence) -> RoundRobinGroupChat:
        teams.append(team_of(model)(fence))  # type: ignore[arg-type]  # it is a round robin
        return teams[-1]

    ringfence = house()
    fence, _ = ringfence._fence(Journal(ringfence.store, "any"), "user", None)
    used = factory(fence)
    await used.run(task="Go")
    with pytest.raises(CoverageError, match="used before"):
        await ringfence.conversation(lambda _: used).run(task="Go")


async def test_a_fault_refuses_and_takes_nothing(house: House) -> None:
    """After the factory is mended, the same conversation runs."""
    broken = [True]

    def factory(fence: Fence) -> Any:
        return alone(bare_agent()) if broken else alone(ok(fence))

    conversation = house().conversation(factory)
    with pytest.raises(CoverageError):
        await conversation.run(task="Go")
    broken.clear()
    await conversation.run(task="Go")


async def test_a_workbench_that_cannot_be_listed_is_a_fault(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is down is told before a run, and not by a team that waits for ever."""

    async def down(_self: object) -> list[Any]:
        raise ConnectionError("jane.doe@acme-canary.com")

    monkeypatch.setattr(Bench, "list_tools", down)
    (fault,) = await house().check(lambda fence: alone(ok(fence, tools=Bench())))
    assert "cannot be listed: ConnectionError" in fault.message
    assert "jane.doe" not in str(fault)


async def test_a_group_of_errors_is_told_by_what_is_in_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An MCP server that does not start fails with a group, whose own name says nothing."""

    async def down(_self: object) -> list[Any]:
        within = ExceptionGroup("jane.doe@acme-canary.com", [FileNotFoundError("jane.doe"), OSError()])
        raise ExceptionGroup("tasks", [within, OSError()])

    monkeypatch.setattr(Bench, "list_tools", down)
    (fault,) = await house().check(lambda fence: alone(ok(fence, tools=Bench())))
    assert fault.message.endswith("cannot be listed: FileNotFoundError, OSError")


async def test_a_workbench_that_fails_in_the_middle_of_a_run_costs_the_call(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AutoGen lists the tools before each call; a failure then is told to the model, and no team hangs."""
    lists = Bench.list_tools
    times: list[int] = []

    async def sometimes(self: Bench) -> list[Any]:
        times.append(1)
        if len(times) > 2:
            raise ConnectionError("gone")
        return list(await lists(self))

    monkeypatch.setattr(Bench, "list_tools", sometimes)
    model, bench = Scripted([call()], "I see."), Bench()
    ringfence = house(tools={"act": {"decision": "allow"}})
    conversation = ringfence.conversation(team_of(model, bench, max_tool_iterations=2))
    await conversation.run(task="Act")
    assert bench.calls == []
    assert "does not answer" in model.seen


@pytest.mark.parametrize(
    ("tools", "says"),
    [
        ([5], "no tool"),
        ([lambda what: what], "type"),
        ([act, act], "same name: act"),
        ([FunctionTool(act, "Do.", name="other"), recording("other").function], "same name: other"),
    ],
    ids=["a number", "a function without types", "the same function twice", "two tools with one name"],
)
def test_what_is_no_tool_is_refused_by_the_fence_itself(house: House, tools: list[Any], says: str) -> None:
    """With a PolicyError that names it."""
    ringfence = house()
    fence, _ = ringfence._fence(Journal(ringfence.store, "any"), "user", None)
    with pytest.raises(PolicyError, match=says):
        fence.workbench(tools)


def test_two_tools_of_one_name_must_agree_in_what_they_do(house: House) -> None:
    """One that pays and one that looks cannot share a rule; one tool in two workbenches can."""
    ringfence = house()
    fence, _ = ringfence._fence(Journal(ringfence.store, "any"), "user", None)
    one = recording("act", consequential=False)
    assert isinstance(fence.workbench([one.function]), FencedWorkbench)
    assert isinstance(fence.workbench([one.function]), FencedWorkbench)
    with pytest.raises(PolicyError, match="differ"):
        fence.workbench([recording("act").function])
