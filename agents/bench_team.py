"""The team of a bench: one agent of AutoGen with a stand-in for its model, and tools that are watched."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.tools import Workbench

from ringfence.agents.bench_readings import Answered, answers_in
from ringfence.agents.fence import Fence
from ringfence.agents.stand_in_model import STAND_IN, StandInModel
from ringfence.agents.tool_origins import ToolLike
from ringfence.agents.watched_tools import Watch, WatchedTools
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.tool_spec import ToolSpec

_MOST_CALLS = 1_000


class BenchTeam:
    """Builds the team, and knows the one that was built last."""

    def __init__(
        self,
        tools: Workbench | Sequence[ToolLike],
        *,
        agent: str,
        source: Callable[[], Callable[..., str]],
        watch: Watch,
    ) -> None:
        self._tools = tools
        self._name = agent
        self._source = source
        self._watch = watch
        self.model = StandInModel()
        self._built: tuple[Fence, AssistantAgent] | None = None

    def build(self, fence: Fence) -> RoundRobinGroupChat:
        """A team factory."""
        fenced = fence.workbench(self._tools)
        inside = fenced._workbench  # noqa: SLF001 - the last place before the tool, behind the whole door
        fenced._workbench = WatchedTools(inside, self._watch)  # noqa: SLF001 - as above
        agent = AssistantAgent(
            self._name,
            fence.model_client(self.model, model=STAND_IN),
            workbench=[fenced, fence.workbench([self._source()])],
            max_tool_iterations=_MOST_CALLS,
        )
        self._built = fence, agent
        return RoundRobinGroupChat([agent], max_turns=1)

    async def answers(self) -> list[Answered]:
        """What the agent asked for since the user spoke last, and what it heard."""
        if self._built is None:
            return []
        return answers_in(await self._built[1].model_context.get_messages())

    def spec(self, tool: str) -> ToolSpec:
        """A tool as the policy describes it."""
        return ToolSpec() if self._built is None else self._built[0].tools.get(tool, ToolSpec())

    def evidence(self, tool: str, seen: Mapping[str, Any] | None) -> tuple[str, ...]:
        """Where the values of a call came from, also where nobody has to decide on it."""
        if seen is None or self._built is None or tool not in self._built[0].tools:
            return ()
        judge = self._built[0]._judge  # noqa: SLF001 - the one that has judged the call
        traces = judge.judge(ToolCall(self._name, tool, seen, ""), to_run=False).traces
        return judge.evidence(tool, traces)
