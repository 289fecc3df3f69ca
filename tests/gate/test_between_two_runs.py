"""A call that comes late, when its run is about to end, finds a journal that writes it down or refuses it."""

import asyncio
from collections.abc import Callable

from fenced import recording, team_of
from scripted import Scripted, call

from ringfence import Ringfence

House = Callable[..., Ringfence]


async def test_at_no_moment_is_a_run_neither_under_way_nor_over(house: House) -> None:
    """Else a tool would run of which no row says so: what was never opened is for trying things out."""
    act = recording(consequential=False)
    conversation = house().conversation(team_of(Scripted([call()], "Done."), [act.function]))
    journal = conversation._session.journal
    run = asyncio.ensure_future(conversation.run(task="Go"))
    moments = []
    while not run.done():
        await asyncio.sleep(0)
        moments.append((journal.is_open, journal.ended))
    await run
    begun = moments[moments.index((True, False)) :]
    assert (False, False) not in begun
    assert begun[-1] == (False, True)
