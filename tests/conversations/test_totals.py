"""A total over several calls holds: for parallel calls, for unknown outcomes, and in every process."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from autogen_core import CancellationToken
from fenced import policy_file, reply_of, team_of
from scripted import Scripted, call

from ringfence import Approved, ModelCallFailed, Ringfence, RingfenceError, Status, TeamFactory, tool

Process = Callable[..., Ringfence]
ID = "ticket-7"
ALONE = {"mode": "off"}
"""So that nothing but totals is in the way."""


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    """Each call is one more process on the same store, with these words on the amount of a refund."""
    ringfences: list[Ringfence] = []

    def begin(decision: str = "allow", **amount: Any) -> Ringfence:
        arguments = {"amount": {"total_maximum": 200, **amount}}
        path = policy_file(
            tmp_path,
            tools={"refund*": {"decision": decision, "arguments": arguments}},
            provenance=ALONE,
            limits={"tool_calls": 100, "model_calls": 100},
        )
        ringfences.append(Ringfence.from_file(path))
        return ringfences[-1]

    yield begin
    for ringfence in ringfences:
        await ringfence.close()


def desk(
    *replies: Any, then: Callable[[], None] = lambda: None, **spec: Any
) -> tuple[TeamFactory, list[Any]]:
    """A team of a model with these replies, and what its tools paid back."""
    paid: list[Any] = []

    @tool(**spec)
    async def refund(amount: str) -> str:
        """Pay back."""
        paid.append(amount)
        then()
        return "done"

    @tool(**spec)
    async def refund_later(amount: str) -> str:
        """Pay back next month."""
        paid.append(amount)
        return "done"

    return team_of(Scripted(*replies), [refund, refund_later], max_tool_iterations=9), paid


def wants(*amounts: str, name: str = "refund", start: int = 0) -> list[Any]:
    """The model wants to pay these back, all at once."""
    return [call(name, json.dumps({"amount": one}), id=f"call-{start + n}") for n, one in enumerate(amounts)]


async def test_fifty_parallel_calls(process: Process) -> None:
    """Only as many run as fit, and each that does not says why."""
    factory, paid = desk(wants(*["10"] * 50), "Done.")
    talk = process().conversation(factory)
    await talk.run(task="Go")
    assert paid == ["10"] * 20
    assert sum("above 200" in str(one) for one in talk.transcript) > 0


async def test_fifty_parallel_calls_of_which_the_rest_may_be_approved(process: Process) -> None:
    """Those that fit run unasked; each of the others waits for a person, and runs when one says so."""
    factory, paid = desk(wants(*["10"] * 50), "Done.")
    talk = process(otherwise="approve").conversation(factory)
    await talk.run(task="Go")
    assert (paid, len(talk.pending_approvals)) == (["10"] * 20, 30)
    first, *others = talk.pending_approvals
    await talk.approve(first.id, by="bob")
    for one in others:
        await talk.reject(one.id, by="bob")
    assert reply_of(await talk.resume()) == "Done."
    assert paid == ["10"] * 21


async def test_a_persons_word_does_not_lift_a_total(process: Process) -> None:
    """Fifty approvals are given while all of them still fit; not more than fit are carried out."""

    async def yes(_: Any) -> Approved:
        return Approved("bob")

    factory, paid = desk(wants(*["10"] * 50), "Done.")
    await process("approve").conversation(factory, approver=yes).run(task="Go")
    assert paid == ["10"] * 20


async def test_what_a_person_put_in_its_place_is_counted(process: Process) -> None:
    """Here and in the next process, not what the agent had asked for."""
    factory, paid = desk(wants("150"), "Done.")
    first = process("approve").conversation(factory, id=ID)
    await first.run(task="Go")
    await first.approve(first.pending_approvals[0].id, by="bob", arguments={"amount": "20"})
    await first.resume()
    factory, later = desk(wants("180", "1", start=5), "Done.")
    second = process().conversation(factory, id=ID)
    await second.resume(allow_changes=True) if second.status is Status.INTERRUPTED else None
    await second.run(task="More")
    assert (paid, later) == (["20"], ["180"])


async def test_all_tools_of_a_rule_count_together(process: Process) -> None:
    """And in one conversation only."""
    both = [*wants("150"), *wants("150", name="refund_later", start=1)]
    factory, paid = desk(both, "Done.")
    ringfence = process()
    await ringfence.conversation(factory).run(task="Go")
    assert paid == ["150"]
    factory, paid = desk(both, "Done.")
    await ringfence.conversation(factory).run(task="Go")
    assert paid == ["150"]


async def test_another_process_knows_what_was_paid(process: Process) -> None:
    """Of runs that are over."""
    factory, before = desk(wants("150"), "Done.")
    await process().conversation(factory, id=ID).run(task="Go")
    factory, after = desk(wants("51", "50", start=5), "Done.")
    await process().conversation(factory, id=ID).run(task="More")
    assert (before, after) == (["150"], ["50"])


async def test_a_total_of_a_run(process: Process) -> None:
    """The next task begins anew; the same task in another process does not."""
    factory, before = desk(wants("150"), ValueError("boom"))
    with pytest.raises(ModelCallFailed):
        await process(per="run").conversation(factory, id=ID).run(task="Go")
    factory, same = desk(wants("150", start=1), "Done.")
    talk = process(per="run").conversation(factory, id=ID)
    await talk.resume()
    assert (before, same) == (["150"], [])
    factory, next_one = desk(wants("150", start=5), "Done.")
    await process(per="run").conversation(factory, id=ID).run(task="More")
    assert next_one == ["150"]


async def test_a_call_that_is_played_again_counts_once(process: Process) -> None:
    """It has its result from the journal, although there would be no room for it twice."""
    factory, before = desk(wants("150"), ValueError("boom"))
    with pytest.raises(ModelCallFailed):
        await process().conversation(factory, id=ID).run(task="Go")
    factory, after = desk(wants("50", start=1), "Done.")
    talk = process().conversation(factory, id=ID)
    assert reply_of(await talk.resume()) == "Done."
    assert (before, after) == (["150"], ["50"])


async def test_a_call_of_unknown_outcome_counts(process: Process) -> None:
    """The process died in the middle of it; whoever gives the turn up does not get its amount back."""

    def die() -> None:
        raise KeyboardInterrupt

    factory, before = desk(wants("150"), "Done.", then=die)
    first = process().conversation(factory, id=ID)
    await first.run(task="Go")
    factory, after = desk(wants("51", "50", start=5), "Done.")
    await process().conversation(factory, id=ID).run(task="More")
    assert (before, after) == (["150"], ["50"])


async def test_a_call_that_is_made_again_counts_once(process: Process) -> None:
    """One that acts once, however often it is called, has room although it was counted when it began."""
    token, began = CancellationToken(), []

    @tool(idempotent=True)
    async def refund(amount: str) -> str:
        """Pay back."""
        began.append(amount)
        token.cancel()
        if len(began) == 1:
            await asyncio.Event().wait()
        return "done"

    talk = process().conversation(team_of(Scripted(wants("150"), "Done."), [refund]), id=ID)
    with suppress(RingfenceError):
        await talk.run(task="Go", cancellation_token=token)
    again = process().conversation(team_of(Scripted("Done."), [refund]), id=ID)
    await again.resume()
    assert began == ["150", "150"]


async def test_a_call_that_was_refused_does_not_count(process: Process) -> None:
    """Nor one that a person rejected."""
    factory, before = desk(wants("201"), wants("200", start=1), "Done.")
    talk = process("approve").conversation(factory, id=ID)
    await talk.run(task="Go")
    await talk.reject(talk.pending_approvals[0].id, by="bob")
    await talk.resume()
    factory, after = desk(wants("200", start=5), "Done.")
    await process().conversation(factory, id=ID).run(task="More")
    assert (before, after) == ([], ["200"])


async def test_a_policy_that_brings_a_total_later_counts_what_was_before(tmp_path: Path) -> None:
    """From the journal, which kept the call and not what was counted of it."""
    factory, before = desk(wants("150"), "Done.")
    free = Ringfence.from_file(
        policy_file(tmp_path, tools={"refund": {"decision": "allow"}}, provenance=ALONE)
    )
    await free.conversation(factory, id=ID).run(task="Go")
    await free.close()
    bounded = {"decision": "allow", "arguments": {"amount": {"total_maximum": 200}}}
    strict = Ringfence.from_file(policy_file(tmp_path, tools={"refund": bounded}, provenance=ALONE))
    factory, after = desk(wants("51", "50", start=5), "Done.")
    await strict.conversation(factory, id=ID).run(task="More")
    await strict.close()
    assert (before, after) == (["150"], ["50"])
