"""A team that goes turn by turn says and ends the same as AutoGen alone, in one process or in many."""

from collections.abc import Callable

import pytest
from stepped import (
    KINDS,
    Script,
    Walked,
    again,
    alone,
    ask,
    from_process_to_process,
    go_on,
    in_another_process,
    runner_of,
    walk,
    words,
)

from ringfence import Ringfence

House = Callable[..., Ringfence]


@pytest.mark.parametrize("kind", KINDS)
async def test_steps_are_what_autogen_does_in_one_go(house: House, kind: str) -> None:
    """The same messages in the same order, and the same reason to stop."""
    whole = await alone(KINDS[kind](Script()))
    walked = await walk(await runner_of(house(), KINDS[kind](Script())))
    assert walked.said == words(whole)
    assert walked.stop_reason == whole.stop_reason


@pytest.mark.parametrize("kind", KINDS)
async def test_a_run_goes_on_in_another_process_after_any_turn(house: House, kind: str) -> None:
    """Thrown away after any turn and built anew from its state, the team is asked and says the same."""
    ringfence, before = house(), Script()
    undisturbed = await walk(await runner_of(ringfence, KINDS[kind](before)))
    for turns in range(1, undisturbed.steps):
        script = Script()
        factory = KINDS[kind](script)
        runner = await runner_of(ringfence, factory)
        walked = await walk(runner, steps=turns)
        assert not runner.finished
        await go_on(await in_another_process(ringfence, factory, runner, walked), walked)
        assert (walked.said, walked.stop_reason) == (undisturbed.said, undisturbed.stop_reason), turns
        assert (walked.steps, script.prompts) == (undisturbed.steps, before.prompts)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_run_may_change_its_process_after_every_turn(house: House, kind: str) -> None:
    """State upon state: nothing is lost by being saved often."""
    ringfence, before, script = house(), Script(), Script()
    undisturbed = await walk(await runner_of(ringfence, KINDS[kind](before)))
    factory = KINDS[kind](script)
    runner = await runner_of(ringfence, factory)
    walked = await walk(runner, steps=1)
    await from_process_to_process(ringfence, factory, runner, walked)
    assert (walked.said, walked.stop_reason) == (undisturbed.said, undisturbed.stop_reason)
    assert script.prompts == before.prompts


@pytest.mark.parametrize("kind", KINDS)
async def test_a_second_run_begins_anew_and_remembers(house: House, kind: str) -> None:
    """What AutoGen says to a second task, the team says too, and in another process it knows the first."""
    whole = await alone(KINDS[kind](Script()), ask(), again(kind))

    ringfence, before, script = house(), Script(), Script()
    runner = await runner_of(ringfence, KINDS[kind](before))
    await walk(runner)
    second = await walk(runner, again(kind))
    assert (second.said, second.stop_reason) == (words(whole), whole.stop_reason)

    factory = KINDS[kind](script)
    runner = await runner_of(ringfence, factory)
    await walk(runner)
    fresh = await in_another_process(ringfence, factory, runner, Walked())
    second = await walk(fresh, again(kind))
    assert (second.said, second.stop_reason) == (words(whole), whole.stop_reason)
    assert script.prompts == before.prompts
