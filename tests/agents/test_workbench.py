"""A fenced workbench is a Workbench like the one inside, but for the door."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from autogen_core import EVENT_LOGGER_NAME, CancellationToken
from autogen_core.logging import ToolCallEvent
from autogen_core.tools import FunctionTool, StaticWorkbench, ToolResult, ToolSchema, Workbench
from fenced import EMAIL, recording, team_of
from scripted import Bench, Scripted, call, result

from ringfence import Fence, Ringfence, tool
from ringfence.agents.tool_origins import as_workbench
from ringfence.agents.workbench import FencedWorkbench
from ringfence.conversations.journal import Journal

House = Callable[..., Ringfence]


class Noting(Bench):
    """Notes what else than calls is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[object] = []

    async def start(self) -> None:
        """Note it."""
        self.asked.append("start")

    async def stop(self) -> None:
        """Note it."""
        self.asked.append("stop")

    async def reset(self) -> None:
        """Note it."""
        self.asked.append("reset")

    async def save_state(self) -> Mapping[str, Any]:
        """Note it."""
        return {"asked": list(self.asked)}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Note it."""
        self.asked = list(state["asked"])


def fence_of(house: House, **policy: Any) -> Fence:
    """The fence of a conversation."""
    ringfence = house(**policy)
    return ringfence._fence(Journal(ringfence.store, "any"), "user", None)[0]


async def test_the_workbench_inside_lists_starts_stops_and_keeps_its_state(house: House) -> None:
    """Everything but calls is the wrapped workbench's own."""
    inside = Noting()
    fenced = fence_of(house).workbench(inside)
    async with fenced:
        await fenced.reset()
    assert inside.asked == ["start", "reset", "stop"]
    assert [schema["name"] for schema in await fenced.list_tools()] == ["act"]
    await fenced.load_state({"asked": [1]})
    assert await fenced.save_state() == {"asked": [1]}


async def test_a_tool_keeps_its_schema(house: House) -> None:
    """The model is offered exactly what AutoGen would offer."""
    bare = FunctionTool(recording().function, "Do something.")
    (offered,) = await fence_of(house).workbench([bare]).list_tools()
    assert offered == (await StaticWorkbench([bare]).list_tools())[0]
    (made,) = await fence_of(house).workbench([recording().function]).list_tools()
    assert made == offered


@pytest.mark.parametrize(
    ("name", "arguments"), [("act", {"what": "x"}), ("act", None), ("nope", {}), ("act", {"what": [EMAIL]})]
)
async def test_a_call_that_was_not_cleared_does_not_run(
    house: House, name: str, arguments: Mapping[str, Any] | None
) -> None:
    """Whoever holds the workbench cannot run a tool with it."""
    act = recording(consequential=False)
    answer = await fence_of(house).workbench([act.function]).call_tool(name, arguments, call_id="call-1")
    assert (answer.is_error, act.calls, answer.name) == (True, [], name)
    assert "was not cleared" in answer.to_text()


async def test_a_clearance_cannot_be_used_twice_or_for_another_call(house: House) -> None:
    """After a cleared call has run, the same call, and the same id with other arguments, are refused."""
    act = recording(consequential=False)
    benches: list[FencedWorkbench] = []

    def factory(fence: Fence) -> Any:
        benches.append(fence.workbench([act.function]))
        return team_of(Scripted([call(arguments='{"what": "x"}', id="seen")]), benches[0])(fence)

    await house().conversation(factory).run(task="Go")
    assert act.calls == [{"what": "x"}]
    for arguments in ({"what": "x"}, {"what": "y"}, {}):
        for call_id in ("seen", "", None, "other"):
            answer = await benches[0].call_tool("act", arguments, call_id=call_id)
            assert answer.is_error
    assert len(act.calls) == 1


async def test_a_loaded_workbench_is_sealed_until_it_is_fenced(house: House) -> None:
    """A saved definition holds the tools, never the fence: alone it runs nothing."""
    saved = fence_of(house).workbench([]).dump_component()
    loaded = Workbench.load_component(saved)
    assert isinstance(loaded, FencedWorkbench)
    answer = await loaded.call_tool("act", {})
    assert answer.is_error
    assert "not fenced" in answer.to_text()
    assert "was not cleared" in (await fence_of(house).workbench(loaded).call_tool("act", {})).to_text()


async def test_cancelling_is_answered_and_never_raised(house: House) -> None:
    """AutoGen's agent would wait for ever for a result that is not returned."""
    reached = asyncio.Event()

    async def forever() -> Any:
        reached.set()
        await asyncio.Event().wait()

    fence = fence_of(house, tools={"act": {"read_only": True}})
    bench, token = fence.workbench(Bench(forever)), CancellationToken()
    await bench.list_tools()
    model = fence.model_client(Scripted([call(id=name) for name in ("a", "b")]), model="scripted")
    schema = await bench.list_tools()
    cleared = (await model.create([], tools=schema)).content
    first, second = (
        asyncio.create_task(bench.call_tool(one.name, {}, token, one.id))  # type: ignore[union-attr]
        for one in cleared
    )
    await reached.wait()
    second.cancel()
    token.cancel()
    answers = [await first, await second]
    assert all(answer.is_error for answer in answers)
    assert "not known" in answers[0].to_text()


async def test_autogens_line_with_real_arguments_is_not_written(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Behind the fence the ToolCallEvent is dropped; outside of it, logging is as it was."""
    caplog.set_level(logging.DEBUG)

    @tool(consequential=False, reveals={"to": ["EMAIL_ADDRESS"]})
    def send(to: str) -> str:
        """Send a mail."""
        return to

    model = Scripted([call("send", json.dumps({"to": EMAIL}))])
    await house().conversation(team_of(model, [send])).run(task="Go")
    assert not [record for record in caplog.records if isinstance(record.msg, ToolCallEvent)]
    assert EMAIL not in caplog.text
    await FunctionTool(send, "Send.").run_json({"to": "x"}, CancellationToken())
    assert [record.name for record in caplog.records if isinstance(record.msg, ToolCallEvent)] == [
        EVENT_LOGGER_NAME
    ]


def test_many_fences_leave_one_filter(house: House) -> None:
    """Nothing grows in the process with each conversation."""
    fence = fence_of(house)
    fence.workbench([])
    before = len(logging.getLogger(EVENT_LOGGER_NAME).filters)
    for _ in range(5):
        fence.workbench([])
    assert len(logging.getLogger(EVENT_LOGGER_NAME).filters) == before


async def test_functions_and_autogens_tools_become_one_workbench() -> None:
    """With their names, descriptions, and what each says of itself; what says nothing is consequential."""
    act = recording(consequential=False, idempotent=True)
    bench, origins = as_workbench([act.function, FunctionTool(recording().function, "Else.", name="other")])
    assert [(schema["name"], schema.get("description")) for schema in await bench.list_tools()] == [
        ("act", "Do something."),
        ("other", "Else."),
    ]
    assert (origins["act"].spec.consequential, origins["act"].spec.idempotent) == (False, True)
    assert origins["other"].spec.consequential


async def test_a_tool_that_appears_during_a_run_is_refused(house: House) -> None:
    """A server that offers more tools later gets no trust for it."""

    class Growing(Bench):
        async def list_tools(self) -> list[ToolSchema]:
            self.calls.append("listed")
            names = ["act"] if len(self.calls) < 4 else ["act", "late"]
            return [ToolSchema(name=name, description="Act.") for name in names]

        async def call_tool(self, name: str, *args: Any, **kwargs: Any) -> ToolResult:
            ran.append(name)
            return result("done")

    ran: list[str] = []
    model = Scripted([call(id="1")], [call("late", id="2")], [call("late", id="3")], "ok")
    conversation = house(tools={"act": {"decision": "allow"}}).conversation(
        team_of(model, Growing(), max_tool_iterations=4)
    )
    await conversation.run(task="Act")
    assert ran == ["act"]
