"""Rule 1: the tool door never raises."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken
from autogen_core.tools import ToolResult, ToolSchema
from hanging import assert_hangs
from scripted import Bench, Scripted, call, result

pytestmark = pytest.mark.timeout(20)

Runner = AssistantAgent | RoundRobinGroupChat
runners = pytest.mark.parametrize(
    "runs",
    [lambda agent: agent, lambda agent: RoundRobinGroupChat([agent], max_turns=1)],
    ids=["agent", "team"],
)


async def fail() -> ToolResult:
    raise RuntimeError("the tool broke")


@runners
async def test_an_exception_out_of_call_tool_hangs_for_ever(runs: Callable[[AssistantAgent], Runner]) -> None:
    """An exception that escapes a workbench stops neither the agent nor the team: both wait for ever.

    The fence relies on it: its workbench turns every exception into a result.
    """
    bench = Bench(fail)
    agent = AssistantAgent("a", model_client=Scripted([call()]), workbench=bench)
    await assert_hangs(runs(agent).run(task="go"), after=bench.called)


@runners
async def test_an_error_result_does_not_hang_and_the_model_reads_it(
    runs: Callable[[AssistantAgent], Runner],
) -> None:
    """A ToolResult with is_error=True goes on, and the next prompt carries its text.

    The fence relies on it: a refusal is a result with a reason that the model can use.
    """

    async def refuse() -> ToolResult:
        return result("refused: ask first", is_error=True)

    model = Scripted([call()], "I shall ask")
    agent = AssistantAgent("a", model_client=model, workbench=Bench(refuse), max_tool_iterations=2)
    outcome = await runs(agent).run(task="go")
    assert model.tool_results() == ["refused: ask first"]
    last = outcome.messages[-1]
    assert isinstance(last, TextMessage)
    assert last.content == "I shall ask"


async def test_autogens_own_workbench_turns_a_tools_exception_into_a_result() -> None:
    """StaticStreamWorkbench catches an Exception raised by a tool of tools=[...]; the model reads its text.

    The fence relies on it: it need not wrap each tool, but must scan such texts as well.
    """

    async def act() -> str:
        """Act."""
        raise ValueError("no such order: 1182")

    model = Scripted([call()], "fine")
    await AssistantAgent("a", model_client=model, tools=[act], max_tool_iterations=2).run(task="go")
    assert model.tool_results() == ["no such order: 1182"]


@runners
async def test_cancelling_the_token_while_a_tool_runs_hangs_for_ever(
    runs: Callable[[AssistantAgent], Runner],
) -> None:
    """A CancellationToken's CancelledError passes even AutoGen's own workbench: cancelling makes it hang.

    The fence relies on it: its workbench catches CancelledError too.
    """
    started = asyncio.Event()
    token = CancellationToken()

    async def act() -> str:
        """Act."""
        started.set()
        await asyncio.Event().wait()
        return "never"

    async def cancel_inside_the_tool() -> object:
        run = asyncio.create_task(runs(agent).run(task="go", cancellation_token=token))
        await started.wait()
        token.cancel()
        return await run

    agent = AssistantAgent("a", model_client=Scripted([call()]), tools=[act])
    await assert_hangs(cancel_inside_the_tool(), after=started)


async def test_a_workbench_that_catches_the_cancellation_ends_cleanly() -> None:
    """If the workbench answers a cancellation with an error result, team.run raises CancelledError at once.

    The fence relies on it: this is how it stops a team whose tool is running.
    """
    token = CancellationToken()

    async def act() -> ToolResult:
        pending = asyncio.get_running_loop().create_future()
        token.link_future(pending)
        token.cancel()
        try:
            await pending
        except asyncio.CancelledError:
            return result("cancelled", is_error=True)
        return result("never")

    team = RoundRobinGroupChat([AssistantAgent("a", model_client=Scripted([call()]), workbench=Bench(act))])
    with pytest.raises(asyncio.CancelledError):
        await team.run(task="go", cancellation_token=token)


class ForgetsItsTools(Bench):
    """Lists its tools once, for the prompt, and fails when it is asked again before the call."""

    asked = 0

    async def list_tools(self) -> list[ToolSchema]:
        """The tool, once."""
        self.asked += 1
        if self.asked > 1:
            self.called.set()
            raise RuntimeError("the server went away")
        return await super().list_tools()


async def test_an_exception_out_of_list_tools_before_a_call_hangs_too() -> None:
    """AutoGen lists the tools again before each call; an exception there hangs as well.

    The fence relies on it: its list_tools answers from memory once it has the list.
    """
    bench = ForgetsItsTools()
    agent = AssistantAgent("a", model_client=Scripted([call()]), workbench=bench)
    await assert_hangs(agent.run(task="go"), after=bench.called)
    assert bench.calls == []


async def test_one_call_that_raises_loses_the_results_of_its_neighbours() -> None:
    """Of two calls in one reply, the one that succeeds has its effect, but its result is never seen: a hang.

    The fence relies on it: results are recorded in the journal at the tool door, not from the chat.
    """
    answers: list[Any] = [fail(), asyncio.sleep(0, result("sent"))]
    bench = Bench(answers.pop)
    agent = AssistantAgent("a", model_client=Scripted([call(), call(id="call-2")]), workbench=bench)
    await assert_hangs(agent.run(task="go"), after=bench.called)
    assert len(bench.calls) == 2
