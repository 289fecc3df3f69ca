"""The walk over a team that refuses whatever does not run behind the fence.

It looks at AutoGen's own attributes, because AutoGen tells no other way what a team is made of; the names
are pinned in `tests/edges/`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from autogen_agentchat.agents import (
    AssistantAgent,
    CodeExecutorAgent,
    MessageFilterAgent,
    SocietyOfMindAgent,
    UserProxyAgent,
)
from autogen_agentchat.base import ChatAgent, Handoff, Team, TerminationCondition
from autogen_agentchat.teams import (
    BaseGroupChat,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from autogen_core import AgentRuntime, SingleThreadedAgentRuntime
from autogen_core.code_executor import CodeExecutor
from autogen_core.model_context import ChatCompletionContext
from autogen_core.models import ChatCompletionClient
from autogen_core.tools import BaseTool, StaticWorkbench, Workbench

from ringfence.agents import own_runtimes
from ringfence.agents.code_executor import FencedCodeExecutor
from ringfence.agents.memory import FencedMemory
from ringfence.agents.model_client import FencedModelClient
from ringfence.agents.user_input import fenced_input
from ringfence.agents.workbench import FencedWorkbench
from ringfence.errors import Fault

_TEAMS = (RoundRobinGroupChat, SelectorGroupChat, Swarm, MagenticOneGroupChat, GraphFlow)
_AGENTS = (AssistantAgent, CodeExecutorAgent, SocietyOfMindAgent, MessageFilterAgent, UserProxyAgent)
_OWN_WAYS = frozenset(
    {
        "on_messages",
        "on_messages_stream",
        "run",
        "run_stream",
        "_call_llm",
        "_process_model_result",
        "_execute_tool_call",
        "_reflect_on_tool_use_flow",
        "_update_model_context_with_memory",
        "execute_code_block",
        "_get_input",
        "_init",
        "_create_group_chat_manager_factory",
    }
)
"""What a subclass of a known agent or team would have to override to reach a model or a tool by itself."""
_ASK_MODELS_THEMSELVES = ("autogen_ext.tools.graphrag",)
"""Modules of tools whose models are none of AutoGen's, so that the walk would not find them."""
_DEEPEST = 6
_OWN_RUNTIME = "omit runtime=..., or make a SingleThreadedAgentRuntime for this team alone in its factory"
_UNKNOWN_TEAM = "is a team that Ringfence does not know; use AutoGen's own"


@dataclass
class Coverage:
    """What the walk found."""

    faults: list[Fault] = field(default_factory=list)
    teams: list[BaseGroupChat] = field(default_factory=list)
    agents: list[ChatAgent] = field(default_factory=list)
    parts: dict[str, Team | ChatAgent] = field(default_factory=dict)
    """Teams and agents by their paths, which are the same in every process; outer ones first."""
    runtimes: list[SingleThreadedAgentRuntime] = field(default_factory=list)
    """Those that AutoGen did not make itself."""
    stateful: list[object] = field(default_factory=list)
    """Model contexts, termination conditions and runtimes, which would mix conversations that share them."""
    workbenches: list[FencedWorkbench] = field(default_factory=list)
    handoffs: set[str] = field(default_factory=set)

    async def rest(self) -> None:
        """Stop what runs for this team alone, its runtimes and servers, until it is needed again."""
        await own_runtimes.stop(self.runtimes)
        for workbench in self.workbenches:
            await workbench.rest()


def walk(team: object, fence: object) -> Coverage:
    """Everything in a team that thinks or acts, and every part of it that `fence` does not hold."""
    walker = _Walker(fence)
    walker.visit(team, "")
    walker.check_runtimes()
    return walker.coverage


class _Walker:
    def __init__(self, fence: object) -> None:
        self._fence = fence
        self._seen: set[int] = set()
        self.coverage = Coverage()

    def visit(self, part: object, path: str) -> None:
        if id(part) in self._seen:
            return
        self._seen.add(id(part))
        match part:
            case BaseGroupChat():
                path = f"{path} › {part.name}" if path else "team"
                self._name(part, path)
                self._team(part, path)
            case ChatAgent():
                path = f"{path or 'team'} › {part.name}"
                self._name(part, path)
                self._agent(part, path)
            case Team():
                self._fault(path or "team", f"{type(part).__name__} {_UNKNOWN_TEAM}")
            case _:
                self._fault(path or "team", f"{type(part).__name__} is neither an AutoGen team nor an agent")

    def _team(self, team: BaseGroupChat, path: str) -> None:
        self.coverage.teams.append(team)
        if not isinstance(team, _TEAMS):
            self._fault(path, f"{type(team).__name__} {_UNKNOWN_TEAM}")
        self._own_ways(team, _TEAMS, path)
        if not team._embedded_runtime:  # noqa: SLF001 - AutoGen tells it no other way
            self._runtime(team._runtime, path)  # noqa: SLF001 - likewise
        self._held(team, path)

    def _name(self, part: Team | ChatAgent, path: str) -> None:
        number = 1
        while (name := path if number == 1 else f"{path} ({number})") in self.coverage.parts:
            number += 1
        self.coverage.parts[name] = part

    def _runtime(self, runtime: AgentRuntime, path: str) -> None:
        if type(runtime) is not SingleThreadedAgentRuntime:
            self._fault(path, f"runs on {type(runtime).__name__}, where no team can be saved; {_OWN_RUNTIME}")
        elif runtime not in self.coverage.runtimes:
            self.coverage.runtimes.append(runtime)
            self.coverage.stateful.append(runtime)

    def check_runtimes(self) -> None:
        """Find the runtimes on which other teams or agents run, too."""
        for runtime in self.coverage.runtimes:
            if own_runtimes.has_others(runtime, self.coverage.teams):
                said = "shares a runtime with others, which one cancelled run stops for all"
                self._fault("team", f"{said}; {_OWN_RUNTIME}")

    def _agent(self, agent: ChatAgent, path: str) -> None:
        self.coverage.agents.append(agent)
        match agent:
            case AssistantAgent():
                self._assistant(agent, path)
            case SocietyOfMindAgent() | MessageFilterAgent() | CodeExecutorAgent():
                self._held(agent, path)
            case UserProxyAgent():
                self._user_proxy(agent, path)
            case _:
                said = "may call models and tools of its own; use AssistantAgent"
                self._fault(path, f"{type(agent).__name__} {said}")
        self._own_ways(agent, _AGENTS, path)

    def _user_proxy(self, agent: UserProxyAgent, path: str) -> None:
        asks = fenced_input(agent.input_func)
        if asks is None:
            advice = "say input_func=fence.user_input()"
            self._fault(path, f"takes a person's text past the user door; {advice}")
        elif asks.fence is not self._fence:
            said = "its input belongs to another conversation's fence"
            self._fault(path, f"{said}; call fence.user_input() anew")

    def _own_ways(self, part: object, known: tuple[type, ...], path: str) -> None:
        kinds = type(part).__mro__
        base = next((kind for kind in kinds if kind in known), None)
        if base is None:
            return
        own = sorted({name for kind in kinds[: kinds.index(base)] for name in _OWN_WAYS & vars(kind).keys()})
        if own:
            said = f"overrides {', '.join(own)}, so nobody knows what it does there"
            self._fault(path, f"{type(part).__name__} {said}")

    def _assistant(self, agent: AssistantAgent, path: str) -> None:
        self._held(agent, path)
        for memory in agent._memory or ():  # noqa: SLF001
            self._memory(memory, f"{path} › memory")
        for handoff in agent._handoffs.values():  # noqa: SLF001
            if type(handoff) is not Handoff:
                self._fault(path, f"handoff {handoff.name}: only AutoGen's own Handoff can be fenced")
            self.coverage.handoffs.add(handoff.name)
        for workbench in agent._workbench:  # noqa: SLF001
            self._workbench(workbench, path)

    def _memory(self, memory: object, path: str) -> None:
        if not isinstance(memory, FencedMemory):
            advice = "wrap it: memory=[fence.memory(...)]"
            self._fault(path, f"{type(memory).__name__} brings text in past the doors; {advice}")
        elif memory.fence is not self._fence:
            self._fault(path, "it belongs to another conversation's fence; call fence.memory(...) anew")
        else:
            self._held(memory._memory, path)  # noqa: SLF001 - the memory inside

    def _workbench(self, workbench: Workbench, path: str) -> None:
        if not isinstance(workbench, FencedWorkbench):
            if type(workbench).__module__.startswith("autogen_core.") and isinstance(
                workbench, StaticWorkbench
            ):
                tools = [tool.name for tool in workbench._tools]  # noqa: SLF001
                if tools:
                    advice = "pass workbench=fence.workbench([...]) instead of tools=[...]"
                    self._fault(path, f"tools {', '.join(tools)} run past the tool door; {advice}")
            else:
                self._fault(
                    path, f"{type(workbench).__name__} is not fenced; pass workbench=fence.workbench(...)"
                )
            return
        if workbench.fence is not self._fence:
            self._fault(
                path, "the workbench belongs to another conversation's fence; call fence.workbench(...) anew"
            )
        self.coverage.workbenches.append(workbench)
        inside = workbench._workbench  # noqa: SLF001
        for tool in getattr(inside, "_tools", ()):
            self._seen.add(id(tool))
            if type(tool).__module__.startswith(_ASK_MODELS_THEMSELVES):
                said = "asks models of its own, past the model door"
                self._fault(f"{path} › {tool.name}", f"{type(tool).__name__} {said}")
            self._held(tool, f"{path} › {tool.name}")
        self._held(inside, f"{path} › tools")

    def _model_client(self, client: FencedModelClient, path: str) -> None:
        if client.fence is not self._fence:
            said = "its model client belongs to another conversation's fence"
            self._fault(path, f"{said}; call fence.model_client(...) anew")

    def _code_executor(self, executor: FencedCodeExecutor, path: str) -> None:
        if executor.fence is not self._fence or executor.bench is None:
            said = "its code executor belongs to another conversation's fence"
            self._fault(path, f"{said}; call fence.code_executor(...) anew")
        else:
            self.coverage.workbenches.append(executor.bench)

    def _held(self, owner: object, path: str, depth: int = 0) -> None:
        """Look at everything that an object holds, however deep, for models, code executors and teams."""
        for name, value in _attributes(owner):
            match value:
                case FencedModelClient():
                    self._model_client(value, path)
                case ChatCompletionClient():
                    said = "calls a model past the model door; wrap it: fence.model_client(...)"
                    self._fault(path, f"{type(value).__name__} in `{name}` {said}")
                case FencedCodeExecutor():
                    self._code_executor(value, path)
                case CodeExecutor() if not isinstance(owner, BaseTool):
                    said = "runs code past the tool door; wrap it: fence.code_executor(...)"
                    self._fault(path, f"{type(value).__name__} in `{name}` {said}")
                case ChatAgent() | Team():
                    self.visit(value, path)
                case FencedWorkbench() | FencedMemory() | AgentRuntime() | type() | ModuleType():
                    pass
                case _ if depth < _DEEPEST and id(value) not in self._seen and hasattr(value, "__dict__"):
                    self._seen.add(id(value))
                    if isinstance(value, ChatCompletionContext | TerminationCondition):
                        self.coverage.stateful.append(value)
                    self._held(value, f"{path} › {name.strip('_').replace('_', ' ')}", depth + 1)

    def _fault(self, path: str, message: str) -> None:
        self.coverage.faults.append(Fault(message, where=path))


def _attributes(owner: object) -> Iterator[tuple[str, Any]]:
    for name, value in getattr(owner, "__dict__", {}).items():
        yield from ((name, item) for item in _items(value))


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return [value, *value.values()]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return value
    return (value,)
