"""Turns are counted once each, and what limits them ends a run between two of them."""

from collections.abc import Callable
from typing import Any

import pytest
from autogen_agentchat.teams import MagenticOneGroupChat
from fenced import agent
from scripted import Scripted
from stepped import (
    KINDS,
    Script,
    Walked,
    alone,
    from_process_to_process,
    go_on,
    in_another_process,
    ledger,
    runner_of,
    walk,
    words,
)

from ringfence import LimitExceeded, Ringfence
from ringfence.agents.team_runner import TeamRunner

House = Callable[..., Ringfence]

TURNS = {
    "round_robin": 4,
    "selector": 3,
    "swarm": 4,
    "magentic": 3,
    "fan_out": 3,
    "cycle": 5,
    "society": 3 + 2,
    "nested": 2 + 2 * 2,
    "filtered": 4,
}
"""How many turns each team takes; those of a team within count, too, and one of two at once is one."""


def session_of(runner: TeamRunner) -> Any:
    """The session of the conversation that a runner belongs to."""
    return runner._fence._session


@pytest.mark.parametrize("kind", TURNS)
async def test_each_turn_is_counted_once(house: House, kind: str) -> None:
    """Also the last one of a graph, which AutoGen does not show to the condition."""
    runner = await runner_of(house(limits={"turns": 50}), KINDS[kind](Script()))
    await walk(runner)
    assert session_of(runner).ledger.spent.turns == TURNS[kind]


@pytest.mark.parametrize("kind", TURNS)
async def test_a_turn_that_is_rebuilt_is_not_counted_again(house: House, kind: str) -> None:
    """The conversation keeps the account; the runner shows the past to the team's own condition alone."""
    ringfence, factory = house(limits={"turns": 50}), KINDS[kind](Script())
    runner = await runner_of(ringfence, factory)
    walked = await walk(runner, steps=1)
    fresh = await in_another_process(ringfence, factory, runner, walked)
    assert session_of(fresh).ledger.spent.turns == 0


async def test_the_limit_of_turns_ends_the_run(house: House) -> None:
    """With the reason on the stop signal, as in a run in one go."""
    runner = await runner_of(house(limits={"turns": 2}), KINDS["round_robin"](Script()))
    walked = await walk(runner)
    assert (walked.steps, runner.finished) == (2, True)
    assert isinstance(session_of(runner).stop.error, LimitExceeded)


async def test_a_team_that_is_done_with_its_last_turn_is_done(house: House) -> None:
    """The limit is reached in the very turn with which the team would have ended."""
    runner = await runner_of(house(limits={"turns": 4}), KINDS["round_robin"](Script()))
    assert (await walk(runner)).stop_reason == "Maximum number of turns 4 reached."
    assert session_of(runner).stop.error is None


async def test_the_fences_stop_ends_the_run_after_its_turn(house: House) -> None:
    """Whoever sets the signal, and the run is not merely paused."""
    runner = await runner_of(house(), KINDS["round_robin"](Script()))
    walked = await walk(runner, steps=1)
    assert not runner.finished
    session_of(runner).stop.set(LimitExceeded(kind="tokens", value=2, limit=1, scope="run"))
    await go_on(runner, walked)
    assert runner.finished
    assert walked.steps == 2


@pytest.mark.parametrize("rounds", [1, 2])
async def test_magentic_one_keeps_to_its_own_rounds(house: House, rounds: int) -> None:
    """It has a last word after them, in one process or in many."""

    def factory(fence: Any, thoughts: Scripted, model: Scripted) -> MagenticOneGroupChat:
        orchestrator = fence.model_client(thoughts, model="scripted")
        return MagenticOneGroupChat([agent(fence, model, name="a")], orchestrator, max_turns=rounds)

    def fresh() -> Callable[[Any], MagenticOneGroupChat]:
        thoughts = Scripted("facts", "plan", *[ledger("a")] * (rounds + 1), "the end")
        model = Scripted("hm")
        return lambda fence: factory(fence, thoughts, model)

    whole = await alone(fresh())
    assert whole.stop_reason == "Max rounds reached."
    ringfence, made = house(), fresh()
    runner = await runner_of(ringfence, made)
    walked: Walked = await walk(runner, steps=1)
    await from_process_to_process(ringfence, made, runner, walked)
    assert (walked.said, walked.stop_reason) == (words(whole), whole.stop_reason)
