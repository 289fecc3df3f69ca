"""Rule 6: a team that failed or was cancelled is poisoned; a fresh one with a saved state goes on."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken, SingleThreadedAgentRuntime
from autogen_core.models import AssistantMessage, SystemMessage, UserMessage
from hanging import assert_hangs
from scripted import Reply, Scripted

pytestmark = pytest.mark.timeout(20)

STOPPED = "The group chat is stopped."


def pair(model: Scripted, runtime: SingleThreadedAgentRuntime | None = None) -> RoundRobinGroupChat:
    """Two agents who share a model and speak one turn each."""
    members = [AssistantAgent(name, model_client=model) for name in ("a", "b")]
    return RoundRobinGroupChat(list(members), max_turns=2, runtime=runtime)


def texts(outcome: TaskResult) -> list[str]:
    return [message.content for message in outcome.messages if isinstance(message, TextMessage)]


async def failed(*replies: Reply) -> tuple[RoundRobinGroupChat, Mapping[str, Any]]:
    """A team after one good run and one that failed in its first turn, and its state from between the two."""
    team = pair(Scripted("one", "two", RuntimeError("provider down"), *replies))
    await team.run(task="go")
    state = await team.save_state()
    with pytest.raises(RuntimeError, match="provider down"):
        await team.run(task="go on")
    return team, state


async def test_a_team_that_failed_ends_later_runs_at_once() -> None:
    """After a failure each run ends after one speaker with "The group chat is stopped.", and no error.

    The fence relies on it: it never runs a team again that has failed.
    """
    team, _ = await failed("three")
    for _ in range(2):
        outcome = await team.run(task="again")
        assert outcome.stop_reason == STOPPED
        assert texts(outcome) == ["again", "three"]


async def test_reset_does_not_heal_it() -> None:
    """reset() empties contexts and threads, but not the list of active speakers that poisons the team.

    The fence relies on it: only a fresh team from the factory will do.
    """
    team, _ = await failed("three")
    await team.reset()
    assert (await team.run(task="again")).stop_reason == STOPPED


async def test_load_state_does_not_heal_it() -> None:
    """Nor does loading the good state into the poisoned team itself.

    The fence relies on it: only a fresh team from the factory will do.
    """
    team, state = await failed("three")
    await team.load_state(state)
    assert (await team.run(task="again")).stop_reason == STOPPED


async def test_a_fresh_team_with_the_state_from_before_goes_on() -> None:
    """A new team that loads the state saved before the failure runs all its turns and remembers.

    The fence relies on it: this is how a conversation survives a failure.
    """
    _, state = await failed()
    model = Scripted("three", "four")
    fresh = pair(model)
    await fresh.load_state(state)
    outcome = await fresh.run(task="go on")
    assert outcome.stop_reason == "Maximum number of turns 2 reached."
    assert texts(outcome) == ["go on", "three", "four"]
    assert [type(message) for message in model.prompts[0]] == [
        SystemMessage,
        UserMessage,  # go
        AssistantMessage,  # one
        UserMessage,  # two
        UserMessage,  # go on
    ]


async def test_a_state_saved_after_the_failure_skips_a_turn_and_repeats_the_task() -> None:
    """The failed speaker loses its turn, and its next prompt holds the task twice: from context and buffer.

    The fence relies on it: it goes back to the state from before the failure.
    """
    team, _ = await failed()
    model = Scripted("three", "four")
    fresh = pair(model)
    await fresh.load_state(await team.save_state())
    outcome = await fresh.run()
    assert [message.source for message in outcome.messages] == ["b", "a"], "a's turn it was"
    asked = [message.content for message in model.prompts[-1] if isinstance(message, UserMessage)]
    assert asked.count("go on") == 2


async def test_a_cancelled_team_is_poisoned_too() -> None:
    """Cancelling by token while a model is asked raises CancelledError and leaves the team poisoned.

    The fence relies on it: after a cancellation, too, it builds a fresh team.
    """
    asked = asyncio.Event()
    answers = asyncio.Event()

    async def wait() -> None:
        asked.set()
        await answers.wait()

    team, token = pair(Scripted("one", on_call=wait)), CancellationToken()
    run = asyncio.create_task(team.run(task="go", cancellation_token=token))
    await asked.wait()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    answers.set()
    assert (await team.run(task="again")).stop_reason == STOPPED


async def test_on_a_runtime_that_ignores_exceptions_the_poisoned_team_hangs() -> None:
    """With a runtime that runs on, nobody notices that the team is stuck: the next run waits for ever.

    The fence relies on it: it uses embedded runtimes, and fresh teams.
    """
    again = asyncio.Event()

    async def asked() -> None:
        if model.calls > 1:
            again.set()

    runtime = SingleThreadedAgentRuntime(ignore_unhandled_exceptions=True)
    runtime.start()
    model = Scripted(RuntimeError("provider down"), "one", on_call=asked)
    team = pair(model, runtime)
    with pytest.raises(RuntimeError, match="provider down"):
        await team.run(task="go")
    await assert_hangs(team.run(task="again"), after=again)


async def test_on_a_runtime_that_does_not_one_failure_ends_all_its_teams() -> None:
    """With ignore_unhandled_exceptions=False a failure shuts the runtime's queue: no team on it runs again.

    The fence relies on it: conversations never share a runtime.
    """
    runtime = SingleThreadedAgentRuntime(ignore_unhandled_exceptions=False)
    runtime.start()
    with pytest.raises(RuntimeError, match="provider down"):
        await pair(Scripted(RuntimeError("provider down")), runtime).run(task="go")
    with pytest.raises(Exception, match=r"^$") as raised:
        await pair(Scripted("one"), runtime).run(task="go")
    assert type(raised.value).__name__ == "QueueShutDown"
    with pytest.raises(ValueError, match="GroupChatError"):
        await runtime.stop()
