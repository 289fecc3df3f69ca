"""Rule 2: handoffs pass no workbench, so the tool policy also runs on the FunctionCalls of the reply."""

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import Handoff, TaskResult
from autogen_agentchat.messages import HandoffMessage, ToolCallRequestEvent
from autogen_agentchat.teams import Swarm
from autogen_core import FunctionCall
from autogen_core.tools import BaseTool, FunctionTool
from hanging import assert_hangs
from pydantic import BaseModel
from scripted import Bench, Scripted, call, speaker

pytestmark = pytest.mark.timeout(20)


def requests(outcome: TaskResult) -> list[FunctionCall]:
    """The function calls that the run reports."""
    events = [message for message in outcome.messages if isinstance(message, ToolCallRequestEvent)]
    return [request for event in events for request in event.content]


async def test_a_handoff_is_executed_without_the_workbench() -> None:
    """A handoff is a FunctionCall of the reply, is executed by AutoGen itself, and no workbench sees it.

    The fence relies on it: it judges handoffs at the model door.
    """
    bench = Bench()
    desk = AssistantAgent(
        "desk", model_client=Scripted([call("transfer_to_boss")]), workbench=bench, handoffs=["boss"]
    )
    outcome = await Swarm([desk, speaker("boss")], max_turns=2).run(task="go")
    assert bench.calls == []
    assert [request.name for request in requests(outcome)] == ["transfer_to_boss"]
    assert outcome.messages[-1].source == "boss"


async def test_a_handoff_does_not_stop_the_tool_called_beside_it() -> None:
    """Of a handoff and a tool in one reply both are executed.

    The fence relies on it: it judges each call of a reply, whatever stands beside it.
    """
    bench = Bench()
    model = Scripted([call("transfer_to_boss"), call("act", id="call-2")])
    desk = AssistantAgent("desk", model_client=model, workbench=bench, handoffs=["boss"])
    outcome = await desk.run(task="go")
    assert bench.calls == [{}]
    assert isinstance(outcome.messages[-1], HandoffMessage)


async def test_a_handoff_carries_tool_results_to_the_next_agents_model() -> None:
    """The context of a HandoffMessage brings the previous agent's raw tool results into the next prompt.

    The fence relies on it: results are masked where they arise, at the tool door.
    """
    model = Scripted([call("transfer_to_boss"), call("act", id="call-2")])
    desk = AssistantAgent("desk", model_client=model, workbench=Bench(), handoffs=["boss"])
    boss_model = Scripted("boss speaks")
    boss = AssistantAgent("boss", model_client=boss_model)
    await Swarm([desk, boss], max_turns=2).run(task="go")
    assert boss_model.tool_results() == ["done"]


async def test_a_handoff_with_malformed_arguments_still_hands_off() -> None:
    """Arguments that are not JSON make the call an error, and the handoff takes place all the same.

    The fence relies on it: a handoff is judged by its name; its arguments excuse nothing.
    """
    model = Scripted([call("transfer_to_boss", "{broken")])
    outcome = await AssistantAgent("desk", model_client=model, handoffs=["boss"]).run(task="go")
    handoff = outcome.messages[-1]
    assert isinstance(handoff, HandoffMessage)
    assert handoff.target == "boss"
    assert handoff.content.startswith("Error:")


@pytest.mark.parametrize("arguments", ["null", "[]", '"boss"', "7"])
async def test_a_handoff_whose_arguments_are_no_object_hangs(arguments: str) -> None:
    """JSON that is not an object fails the handoff tool's validation, and nobody catches that: a hang.

    The fence relies on it: it clears only handoffs whose arguments are an object.
    """
    model = Scripted([call("transfer_to_boss", arguments)])
    desk = AssistantAgent("desk", model_client=model, handoffs=["boss"])
    await assert_hangs(desk.run(task="go"), after=model.called)


class Escalation(Handoff):
    """A handoff that asks the model for a reason."""

    @property
    def handoff_tool(self) -> BaseTool[BaseModel, BaseModel]:
        """The tool that the model calls."""

        def escalate(reason: str) -> str:
            return f"Escalated: {reason}"

        return FunctionTool(escalate, name=self.name, description=self.description, strict=True)


async def test_a_handoff_that_takes_arguments_gets_those_of_the_model() -> None:
    """A Handoff may override its tool; the model's arguments then become the message for the next agent.

    The fence relies on it: handoff arguments are text that leaves a model, and are checked as such.
    """
    model = Scripted([call("transfer_to_boss", '{"reason": "angry"}')])
    desk = AssistantAgent("desk", model_client=model, handoffs=[Escalation(target="boss")])
    handoff = (await desk.run(task="go")).messages[-1]
    assert isinstance(handoff, HandoffMessage)
    assert handoff.content == "Escalated: angry"


async def test_a_handoff_that_takes_arguments_hangs_if_they_are_missing() -> None:
    """Arguments that such a tool refuses raise out of the tool path: a hang.

    The fence relies on it: it validates a handoff's arguments before AutoGen does.
    """
    model = Scripted([call("transfer_to_boss", "{}")])
    desk = AssistantAgent("desk", model_client=model, handoffs=[Escalation(target="boss")])
    await assert_hangs(desk.run(task="go"), after=model.called)
