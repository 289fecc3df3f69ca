"""Two processes take the same conversation up after its run broke off."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from benchmarks.chaos.life import Life, Person
from benchmarks.chaos.series import Outcome, judge
from benchmarks.chaos.world import World

_AFTER = 7
"""The effect after which the first run is cancelled."""


def end(work: "asyncio.Task[None]") -> None:
    """Let a run break off."""
    work.cancel()


async def test_what_another_process_did_while_the_team_was_built_is_not_done_again(
    tmp_path: Path, store_url: str
) -> None:
    """It was not running when this one looked, and is not running any more when this one begins."""
    world = World(tmp_path / "world", store_url)
    world.set_up()
    life = Life(world, 5, external=False)
    cancelled, late = Person(life), Person(life)

    first = asyncio.ensure_future(cancelled.see_to_the_end())
    cancelled.on_effect = lambda effects: None if effects != _AFTER else end(first)
    with pytest.raises(asyncio.CancelledError):
        await first
    build = late.team
    others: list[threading.Thread] = []

    def built_slowly(fence: Any) -> Any:
        if not others:
            others.append(threading.Thread(target=asyncio.run, args=(Person(life).see_to_the_end(),)))
            others[0].start()
            others[0].join()
        return build(fence)

    late.team = built_slowly
    await late.see_to_the_end()
    outcome = Outcome("taken up twice", in_flight=1)
    judge(outcome, world, None)
    assert outcome.differences == []
