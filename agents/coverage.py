"""The walk over a team that refuses whatever does not run behind the fence.

It looks at AutoGen's own attributes, because AutoGen tells no other way what a team is made of; the names
are pinned in `tests/edges/`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from autogen_agentchat.agents import (
    AssistantAgent,
    CodeExecutorAgent,
    MessageFilterAgent,
    SocietyOfMindAgent,
    UserProxyAgent,
)
from autogen_agentchat.base import ChatAgent, Handoff, Team
from autogen_agentchat.teams import (
    BaseGroupChat,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from autogen_core.code_executor import CodeExecutor
from autogen_core.models import ChatCompletionClient
from autogen_core.tools import BaseTool, StaticWorkbench, Workbench

from ringfence.agents.memory import FencedMemory
from ringfence.agents.model_client import FencedModelClient
from ringfence.agents.workbench import FencedWorkbench
from ringfence.errors import Fault

_TEAMS = (RoundRobinGroupChat, SelectorGroupChat, Swarm, MagenticOneGroupChat, GraphFlow)
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
    }
)
"""What a subclass of AssistantAgent would have to override to reach a model or a tool past the doors."""


@dataclass
class Coverage:
    """What the walk found."""

    faults: list[Fault] = field(default_factory=list)
    teams: list[BaseGroupChat] = field(default_factory=list)
    agents: list[ChatAgent] = field(default_factory=list)
    workbenches: list[FencedWorkbench] = field(default_factory=list)
    handoffs: set[str] = field(default_factory=set)


def walk(team: object, fence: object) -> Coverage:
    """Everything in a team that thinks or acts, and every part of it that `fence` does not hold."""
    walker = _Walker(fence)
    walker.visit(team, "team")
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
                self._team(part, path)
            case ChatAgent():
                self._agent(part, f"{path} › {part.name}")
            case Team():
                self._fault(
                    path, f"{type(part).__name__} is a team that Ringfence does not know; use AutoGen's own"
                )
            case _:
                self._fault(path, f"{type(part).__name__} is neither an AutoGen team nor an agent")

    def _team(self, team: BaseGroupChat, path: str) -> None:
        path = path if path == "team" else f"{path} › {team.name}"
        self.coverage.teams.append(team)
        if not isinstance(team, _TEAMS):
            self._fault(
                path, f"{type(team).__name__} is a team that Ringfence does not know; use AutoGen's own"
            )
        self._clients(team, path)
        self._clients(team._termination_condition, f"{path} › termination condition")  # noqa: SLF001
        for participant in team._participants:  # noqa: SLF001
            self.visit(participant, path)

    def _agent(self, agent: ChatAgent, path: str) -> None:
        self.coverage.agents.append(agent)
        match agent:
            case AssistantAgent():
                self._assistant(agent, path)
            case SocietyOfMindAgent():
                self._clients(agent, path)
                self.visit(agent._team, path)  # noqa: SLF001
            case MessageFilterAgent():
                self.visit(agent._wrapped_agent, path)  # noqa: SLF001
            case CodeExecutorAgent():
                self._fault(
                    path, "runs code past the tool door; give an AssistantAgent a fenced code tool instead"
                )
            case UserProxyAgent():
                self._fault(
                    path,
                    "takes a person's text past the user door; let the run end, run again with the answer",
                )
            case _:
                self._fault(
                    path, f"{type(agent).__name__} may call models and tools of its own; use AssistantAgent"
                )

    def _assistant(self, agent: AssistantAgent, path: str) -> None:
        own = sorted(
            name
            for kind in type(agent).__mro__[: type(agent).__mro__.index(AssistantAgent)]
            for name in _OWN_WAYS & vars(kind).keys()
        )
        if own:
            self._fault(
                path, f"{type(agent).__name__} overrides {', '.join(own)}, so nobody knows what it does there"
            )
        self._clients(agent, path)
        for memory in agent._memory or ():  # noqa: SLF001
            self._memory(memory, f"{path} › memory")
        self._clients(agent.model_context, f"{path} › model context")
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
            self._clients(memory._memory, path)  # noqa: SLF001 - the memory inside

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
        self._clients(inside, f"{path} › tools")
        for tool in getattr(inside, "_tools", ()):
            runner = getattr(tool, "_task_runner", None)
            if runner is not None:
                self.visit(runner, f"{path} › {tool.name}")
            else:
                self._clients(tool, f"{path} › {tool.name}")

    def _clients(self, owner: object, path: str) -> None:
        """Model clients, and for agents and teams code executors and stray tools, that an object holds."""
        for name, value in _held(owner):
            if isinstance(value, FencedModelClient):
                if value.fence is not self._fence:
                    advice = "call fence.model_client(...) anew"
                    self._fault(path, f"the model client belongs to another conversation's fence; {advice}")
            elif isinstance(value, ChatCompletionClient):
                advice = "wrap it: fence.model_client(...)"
                self._fault(
                    path, f"{type(value).__name__} in `{name}` calls a model past the model door; {advice}"
                )
            elif isinstance(value, CodeExecutor) and not isinstance(owner, BaseTool):
                self._fault(path, f"{type(value).__name__} in `{name}` runs code past the tool door")

    def _fault(self, path: str, message: str) -> None:
        self.coverage.faults.append(Fault(message, where=path))


def _held(owner: object) -> Iterator[tuple[str, Any]]:
    for name, value in getattr(owner, "__dict__", {}).items():
        yield from ((name, item) for item in _items(value))


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return [value, *value.values()]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return value
    return (value,)
