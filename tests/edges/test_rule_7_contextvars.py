"""Rule 7: contextvars do not reach a runtime that was started earlier."""

from contextvars import ContextVar

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import SingleThreadedAgentRuntime
from autogen_core.tools import ToolResult
from scripted import Bench, Scripted, call, result

pytestmark = pytest.mark.timeout(20)

tenant: ContextVar[str] = ContextVar("tenant", default="nobody")


class Tenants:
    """An agent that notes the context variable at each model call and each tool call."""

    def __init__(self) -> None:
        self.at_the_model: list[str] = []
        self.at_the_tool: list[str] = []
        model = Scripted([call()], on_call=self._asked)
        self.agent = AssistantAgent("a", model_client=model, workbench=Bench(self._act))

    async def _asked(self) -> None:
        self.at_the_model.append(tenant.get())

    async def _act(self) -> ToolResult:
        self.at_the_tool.append(tenant.get())
        return result("done")


async def test_with_the_embedded_runtime_they_reach_models_and_tools() -> None:
    """A variable set before team.run is seen inside, anew in each run, as the runtime starts with the run.

    The fence relies on it: OpenTelemetry's spans nest rightly in the usual case.
    """
    seen = Tenants()
    team = RoundRobinGroupChat([seen.agent], max_turns=1)
    for name in ("contoso", "acme"):
        tenant.set(name)
        await team.run(task="go")
    assert seen.at_the_model == seen.at_the_tool == ["contoso", "acme"]


async def test_with_a_runtime_started_earlier_they_stay_outside() -> None:
    """Messages are handled in the context in which the runtime was started, whoever runs the team.

    The fence relies on it: ledger, vault and journal are bound explicitly, or the wrong one would pay.
    """
    seen = Tenants()
    tenant.set("contoso")
    runtime = SingleThreadedAgentRuntime(ignore_unhandled_exceptions=False)
    runtime.start()
    tenant.set("acme")
    await RoundRobinGroupChat([seen.agent], max_turns=1, runtime=runtime).run(task="go")
    await runtime.stop_when_idle()
    assert seen.at_the_model == seen.at_the_tool == ["contoso"]
