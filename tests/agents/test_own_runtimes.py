"""A team on a runtime that its factory made for it alone."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.teams._group_chat._events import GroupChatTermination
from autogen_core import (
    CancellationToken,
    DefaultInterventionHandler,
    MessageContext,
    SingleThreadedAgentRuntime,
)
from fenced import agent
from scripted import Scripted, call, speaker
from stepped import Factory, Script, alone, ask, from_process_to_process, runner_of, walk, words

from ringfence import Ringfence, tool
from ringfence.errors import ConversationInterrupted, CoverageError

House = Callable[..., Ringfence]


def outside(script: Script, runtimes: list[SingleThreadedAgentRuntime], *, starts: bool = True) -> Factory:
    """A team within a team, both on one runtime, which is kept in the list."""
    first, second, other = script("one", "three"), script("two", "four"), script("and", "so on")

    def factory(fence: Any) -> RoundRobinGroupChat:
        runtime = SingleThreadedAgentRuntime(ignore_unhandled_exceptions=False)
        runtimes.append(runtime)
        if starts:
            runtime.start()
        inner = RoundRobinGroupChat(
            [agent(fence, first, name="a"), agent(fence, second, name="b")],
            name="inner",
            max_turns=2,
            runtime=runtime,
        )
        return RoundRobinGroupChat([inner, agent(fence, other, name="c")], max_turns=4, runtime=runtime)

    return factory


@pytest.mark.parametrize("starts", [True, False], ids=["started by the factory", "started by the runner"])
async def test_it_says_the_same_from_process_to_process(house: House, starts: bool) -> None:
    """After each turn it stands still, and is taken up by another team on another runtime."""
    runtimes: list[SingleThreadedAgentRuntime] = []
    whole = await alone(outside(Script(), runtimes))
    await runtimes.pop().stop()

    ringfence, factory = house(), outside(Script(), runtimes, starts=starts)
    runner = await runner_of(ringfence, factory)
    walked = await walk(runner, steps=1)
    assert runtimes[0].unprocessed_messages_count == 0
    await from_process_to_process(ringfence, factory, runner, walked)
    assert (walked.said, walked.stop_reason) == (words(whole), whole.stop_reason)
    await runner.close()
    for runtime in runtimes[1:]:
        await runtime.stop()


class Slow(DefaultInterventionHandler):
    """Holds the message with which a team ends."""

    def __init__(self) -> None:
        self.holds, self.lets_go = asyncio.Event(), asyncio.Event()

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        """Wait, if it is the last one."""
        if isinstance(message, GroupChatTermination):
            self.holds.set()
            await self.lets_go.wait()
        return message


# AutoGen warns of the empty responses that it makes itself.
@pytest.mark.filterwarnings("ignore:Intervention handler on_response returned None")
async def test_a_step_ends_when_every_message_is_handled(house: House) -> None:
    """AutoGen's own stream ends before."""
    slow = Slow()
    runtime = SingleThreadedAgentRuntime(intervention_handlers=[slow])

    def factory(fence: Any) -> RoundRobinGroupChat:
        return RoundRobinGroupChat([agent(fence, Scripted("hi"))], max_turns=1, runtime=runtime)

    runner = await runner_of(house(), factory)
    work = asyncio.ensure_future(walk(runner))
    await slow.holds.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    assert not work.done()
    slow.lets_go.set()
    assert (await work).said[-1] == ("TextMessage", "desk", "hi")
    await runner.close()


async def test_closing_stops_it_with_what_is_at_work(house: House) -> None:
    """A runner that is thrown away in the middle of a turn leaves nothing running."""
    runtimes: list[SingleThreadedAgentRuntime] = []
    begun, ended = asyncio.Event(), asyncio.Event()

    @tool(consequential=False)
    async def wait() -> str:
        """Wait for ever."""
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    model = Scripted([call("wait")])

    def factory(fence: Any) -> RoundRobinGroupChat:
        runtimes.append(SingleThreadedAgentRuntime())
        return RoundRobinGroupChat([agent(fence, model, tools=[wait])], runtime=runtimes[-1])

    runner = await runner_of(house(), factory)
    token = CancellationToken()

    async def step() -> None:
        async for _ in runner.step(ask(), token, output_task_messages=True):
            pass

    work = asyncio.ensure_future(step())
    await begun.wait()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    await runner.close()
    assert ended.is_set()
    await runner.close()


async def test_a_runtime_that_stops_in_the_middle_of_a_turn_is_told(house: House) -> None:
    """Nobody would handle the rest of its messages, and AutoGen would wait for ever."""
    runtime = SingleThreadedAgentRuntime()

    @tool(consequential=False)
    async def stop() -> str:
        """Stop the runtime under the team's feet."""
        await runtime.stop()
        return "stopped"

    model = Scripted([call("stop")], "never heard")

    def factory(fence: Any) -> RoundRobinGroupChat:
        return RoundRobinGroupChat([agent(fence, model, tools=[stop])], runtime=runtime)

    runner = await runner_of(house(), factory)
    with pytest.raises(ConversationInterrupted, match="runtime was stopped"):
        await walk(runner)
    await runner.close()


async def test_a_runtime_of_another_conversation_is_refused(house: House) -> None:
    """One cancelled run stops a runtime for all who run on it."""
    ringfence, runtime = house(), SingleThreadedAgentRuntime()

    def factory(fence: Any) -> RoundRobinGroupChat:
        return RoundRobinGroupChat([agent(fence, Scripted("hi"))], runtime=runtime)

    runner = await runner_of(ringfence, factory)
    with pytest.raises(CoverageError, match=r"SingleThreadedAgentRuntime: .*was used before"):
        await runner_of(ringfence, factory)
    await runner.close()


async def test_a_runtime_with_others_on_it_is_refused(house: House) -> None:
    """A team that Ringfence does not know runs on it, too."""
    runtime = SingleThreadedAgentRuntime()
    stranger = RoundRobinGroupChat([speaker("stranger")], runtime=runtime)
    await stranger.save_state()

    def factory(fence: Any) -> RoundRobinGroupChat:
        return RoundRobinGroupChat([agent(fence, Scripted("hi"))], runtime=runtime)

    with pytest.raises(CoverageError, match="shares a runtime with others"):
        await runner_of(house(), factory)
