"""The store fails in the middle of a conversation: it says so, goes on when it can, and doubles nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from databases import python
from relay import relay_to
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.chaos.killing import KillingStore
from benchmarks.chaos.life import LEASE_SECONDS, Life, Person
from benchmarks.chaos.series import Outcome, judge
from benchmarks.chaos.world import World
from ringfence.errors import LeaseLost, StoreError

_HOLD_THE_LOCK = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
db.execute("COMMIT")
db.close()
"""
_AFTER = 7
"""The effect after which it fails; the next ones are of each kind."""


class TroubledStore(KillingStore):
    """Says something to its database before each write."""

    says: str = ""
    hours = 0.0
    """How far its clock is moved."""

    async def run(self, work: Callable[[AsyncConnection], Awaitable[Any]], **how: Any) -> Any:
        """As a store, after the trouble."""

        async def troubled(db: AsyncConnection) -> Any:
            if self.says:
                await db.exec_driver_sql(self.says)
            return await work(db)

        troubled.__qualname__ = work.__qualname__
        return await super().run(troubled, **how)

    async def now(self, db: AsyncConnection) -> float:
        """The time by a clock that somebody has moved."""
        return await super().now(db) + 3600 * TroubledStore.hours


@pytest.fixture
async def undisturbed(tmp_path: Path) -> Outcome:
    """The same conversation, when nothing fails."""
    world = made(tmp_path / "undisturbed")
    await person(world).see_to_the_end()
    outcome = Outcome("undisturbed")
    judge(outcome, world, None)
    return outcome


def made(folder: Path, store_url: str = "") -> World:
    """A world of its own."""
    world = World(folder, store_url or f"sqlite:///{folder / 'store.sqlite'}")
    world.set_up()
    return world


def person(world: World, *, store_url: str = "", patience_seconds: float = 20) -> Person:
    """Somebody in a new process, as far as the store can tell."""
    seen = World(world.folder, store_url or world.store_url)
    return Person(Life(seen, 5, external=False), TroubledStore, patience_seconds=patience_seconds)


def faults(world: World, undisturbed: Outcome) -> list[str]:
    """What is not as it would have been; one model call may have been in flight."""
    outcome = Outcome("disturbed", in_flight=1)
    judge(outcome, world, undisturbed)
    return outcome.differences


async def test_a_full_disk(tmp_path: Path, undisturbed: Outcome) -> None:
    """Nothing more is done while nothing can be written down; with room again, it goes on."""
    world = made(tmp_path / "world")
    first = person(world, patience_seconds=0.2)
    # SQLite takes as many pages as there are.
    first.on_effect = lambda effects: setattr(
        first.store, "says", "PRAGMA max_page_count = 1" if effects >= _AFTER else ""
    )
    with pytest.raises(StoreError, match="is full: there is no space left"):
        await first.see_to_the_end()
    with pytest.raises(StoreError, match="is full"):
        await first.see_to_the_end()
    await person(world).see_to_the_end()
    assert faults(world, undisturbed) == []


async def test_a_store_that_becomes_read_only(tmp_path: Path, undisturbed: Outcome) -> None:
    """It is told at once, because a permission does not come back by itself."""
    world = made(tmp_path / "world")
    first = person(world)
    first.on_effect = lambda effects: setattr(
        first.store, "says", "PRAGMA query_only = 1" if effects >= _AFTER else ""
    )
    with pytest.raises(StoreError, match="is read-only"):
        await first.see_to_the_end()
    await person(world).see_to_the_end()
    assert faults(world, undisturbed) == []


@pytest.mark.parametrize("stays", [False, True], ids=["for a moment", "for too long"])
async def test_a_file_that_another_process_locks(tmp_path: Path, undisturbed: Outcome, stays: bool) -> None:
    """It is waited for, and told when it takes too long."""
    world = made(tmp_path / "world")
    first = person(world, patience_seconds=0.3 if stays else 30)
    others = []

    def locks(effects: int) -> None:
        if effects == _AFTER:
            other = python(_HOLD_THE_LOCK, str(world.folder / "store.sqlite"))
            assert other.stdout is not None
            assert other.stdout.readline() == "locked\n"
            others.append(other)
            if not stays:
                asyncio.get_running_loop().call_later(1.5, other.communicate, "\n")

    first.on_effect = locks
    if stays:
        with pytest.raises(StoreError, match="is locked by another process"):
            await first.see_to_the_end()
        others[0].communicate("\n")
        await person(world).see_to_the_end()
    else:
        await first.see_to_the_end()
    assert [other.wait(10) for other in others] == [0]
    assert faults(world, undisturbed) == []


@pytest.mark.parametrize("stays", [False, True], ids=["for a moment", "for too long"])
async def test_a_server_that_goes_away(
    tmp_path: Path, undisturbed: Outcome, postgres_url: str, stays: bool
) -> None:
    """All connections break and new ones are refused: it is waited for, and told when it takes too long."""
    world = made(tmp_path / "world", postgres_url)
    async with relay_to(postgres_url) as relay:
        first = person(world, store_url=relay.url, patience_seconds=0.3 if stays else 30)
        tasks = set()

        async def away() -> None:
            await relay.stop()
            if not stays:
                await asyncio.sleep(2 * LEASE_SECONDS)
                await relay.start()

        def goes_away(effects: int) -> None:
            if effects == _AFTER:
                tasks.add(asyncio.ensure_future(away()))

        first.on_effect = goes_away
        if stays:
            with pytest.raises(StoreError, match="is not reachable"):
                await first.see_to_the_end()
            await relay.start()
            await person(world).see_to_the_end()
        else:
            await first.see_to_the_end()
        await asyncio.gather(*tasks)
    assert faults(world, undisturbed) == []


async def test_connections_that_the_server_ends_again_and_again(
    tmp_path: Path, undisturbed: Outcome, postgres_url: str
) -> None:
    """What was committed although the answer was lost is not written twice."""
    import psycopg

    world = made(tmp_path / "world", postgres_url)
    ending: list[asyncio.Task[None]] = []

    async def end_all() -> None:
        async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as admin:
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    failures = 0
    is_over = False
    while not is_over:
        one = person(world, patience_seconds=30)
        one.on_effect = lambda _effects: ending.append(asyncio.ensure_future(end_all()))
        try:
            await one.see_to_the_end()
            is_over = True
        except StoreError:
            failures += 1  # a transaction that a tool works in is not tried again
        finally:
            await asyncio.gather(*ending, return_exceptions=True)
    assert failures < len(ending)
    assert faults(world, undisturbed) == []


@pytest.mark.parametrize("hours", [-3.0, 3.0], ids=["back", "forward"])
async def test_a_clock_that_is_moved_while_it_runs(
    tmp_path: Path, undisturbed: Outcome, hours: float
) -> None:
    """The run goes on, and ends as it would have."""
    world = made(tmp_path / "world")
    first = person(world)
    first.on_effect = lambda effects: setattr(TroubledStore, "hours", hours if effects >= _AFTER else 0.0)
    try:
        await first.see_to_the_end()
    finally:
        TroubledStore.hours = 0.0
    assert faults(world, undisturbed) == []


async def test_a_clock_that_was_moved_back_after_a_crash(tmp_path: Path, undisturbed: Outcome) -> None:
    """The lease of the one that died does not hold for hours: nobody renews it."""
    world = made(tmp_path / "world")
    first = person(world, patience_seconds=0.2)
    first.on_effect = lambda effects: setattr(
        first.store, "says", "PRAGMA query_only = 1" if effects >= _AFTER else ""
    )
    with pytest.raises(StoreError):
        await first.see_to_the_end()
    TroubledStore.hours = -3.0
    try:
        async with asyncio.timeout(20):
            await person(world).see_to_the_end()
    finally:
        TroubledStore.hours = 0.0
    assert faults(world, undisturbed) == []


async def test_a_clock_that_jumps_forward_while_another_process_looks(
    tmp_path: Path, undisturbed: Outcome
) -> None:
    """The lease seems to have ended: one of the two runs on, the other one is fenced off."""
    world = made(tmp_path / "world")
    first, second = person(world), person(world)
    met: list[asyncio.Task[None]] = []

    def jumps(effects: int) -> None:
        if effects == _AFTER:
            TroubledStore.hours = 3.0
            met.append(asyncio.ensure_future(second.see_to_the_end()))

    first.on_effect = jumps
    try:
        ended = [*await asyncio.gather(first.see_to_the_end(), return_exceptions=True)]
        ended += await asyncio.gather(*met, return_exceptions=True)
    finally:
        TroubledStore.hours = 0.0
    assert [one for one in ended if one is not None and not isinstance(one, LeaseLost)] == []
    assert faults(world, undisturbed) == []
