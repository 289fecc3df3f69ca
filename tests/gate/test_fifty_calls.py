"""Fifty calls in one reply, each with an approval of its own, through three processes."""

import json
from pathlib import Path
from typing import Any

from databases import KEYS
from fenced import RecordingTool, Talk, recording, team_of
from scripted import Scripted, call

from ringfence import Ringfence, Status
from ringfence.policy import Policy

MANY = 50
FREE: Any = {"prices": {"scripted": "free"}, "provenance": {"mode": "off"}}


async def test_of_fifty_parallel_calls_just_the_approved_ones_run_each_once(tmp_path: Path) -> None:
    """Each result stands where its call stood, and each rejected call has the reason of its own rejection."""
    act: RecordingTool = recording(answer=lambda: f"receipt of {act.calls[-1]['what']}")
    wanted = [
        call(arguments=json.dumps({"what": f"lamp-{number}"}), id=f"c{number}") for number in range(MANY)
    ]
    model = Scripted(wanted, "After.")
    houses: list[Ringfence] = []

    def process() -> Talk:
        houses.append(Ringfence(Policy.model_validate(FREE), store=tmp_path / "store.sqlite", keys=KEYS))
        return houses[-1].conversation(team_of(model, [act.function], max_tool_iterations=2), id="fifty")

    first = process()
    await first.run(task="Pay for all lamps")
    assert (first.status, act.calls) == (Status.WAITING_FOR_APPROVAL, [])

    second = process()
    await second.load()
    asked = {request.id: request.arguments["what"] for request in second.pending_approvals}
    assert sorted(asked.values()) == sorted(f"lamp-{number}" for number in range(MANY))
    for number, (request, what) in enumerate(asked.items()):
        if number % 2:
            await second.reject(request, by="bob", reason=f"not {what}")
        else:
            await second.approve(request, by="bob")

    third = process()
    await third.resume()
    approved = [what for number, what in enumerate(asked.values()) if not number % 2]
    assert sorted(one["what"] for one in act.calls) == sorted(approved)
    for number, said in enumerate(model.tool_results()):
        what = f"lamp-{number}"
        assert said == f"receipt of {what}" if what in approved else f"not {what}. " in said
    for house in houses:
        await house.close()
