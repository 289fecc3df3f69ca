"""Facts beside the eight rules: what stops a run, and what only seems to."""

import asyncio

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken
from scripted import Scripted

pytestmark = pytest.mark.timeout(20)


class Gate:
    """Lets a model call begin, and go on when the test says so."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self) -> None:
        """Wait at the gate."""
        self.reached.set()
        await self.opened.wait()


async def test_cancelling_the_task_of_a_run_does_not_stop_the_team() -> None:
    """A cancel by asyncio (so wait_for, too) waits until all turns are done, then raises CancelledError.

    The fence relies on it: it stops a team by the token and by its own flag.
    """
    gate = Gate()
    model = Scripted("hi", on_call=gate)
    run = asyncio.create_task(RoundRobinGroupChat([AssistantAgent("a", model)], max_turns=4).run(task="go"))
    await gate.reached.wait()
    run.cancel()
    gate.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert model.calls == 4


async def test_the_token_stops_the_team_at_once() -> None:
    """A CancellationToken cancelled while a model is asked ends the run there.

    The fence relies on it: this is how it stops a team between tools.
    """
    gate = Gate()
    model, token = Scripted("hi", on_call=gate), CancellationToken()
    team = RoundRobinGroupChat([AssistantAgent("a", model)], max_turns=4)
    run = asyncio.create_task(team.run(task="go", cancellation_token=token))
    await gate.reached.wait()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert model.calls == 1


async def test_leaving_a_stream_lets_the_rest_run_on() -> None:
    """Closing run_stream after the first message returns only when all turns are done, unseen.

    The fence relies on it: a caller who walks away must not be billed for an unseen chat; it stops the team.
    """
    model = Scripted("hi")
    stream = RoundRobinGroupChat([AssistantAgent("a", model)], max_turns=4).run_stream(task="go")
    async for _ in stream:
        break
    assert model.calls <= 1
    await stream.aclose()
    assert model.calls == 4


async def test_a_run_cannot_be_entered_twice() -> None:
    """A second run of the same team while the first is on is refused with ValueError.

    The fence relies on it: one conversation, one lease, one team.
    """
    gate = Gate()
    team = RoundRobinGroupChat([AssistantAgent("a", Scripted("hi", on_call=gate))], max_turns=1)
    run = asyncio.create_task(team.run(task="go"))
    await gate.reached.wait()
    with pytest.raises(ValueError, match="already running"):
        await team.run(task="go")
    gate.opened.set()
    await run
