"""What a step of the journal costs, beside a step of DBOS."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.durability.talks import STEPS, TASK, ringfence_at, team
from ringfence.conversations.store import Store, StoreSettings
from ringfence.guardrails.sealing import Keyring

T = TypeVar("T")
_STEPS_A_TALK = 2 * STEPS + 1
"""Model calls and tool calls, each with a row before and its outcome after."""


class TimedStore(Store):
    """Knows how long its transactions took."""

    seconds = 0.0

    async def run(
        self, work: Callable[[AsyncConnection], Awaitable[T]], *, patience_seconds: float | None = None
    ) -> T:
        """As a store."""
        began = time.perf_counter()
        try:
            return await super().run(work, patience_seconds=patience_seconds)
        finally:
            self.seconds += time.perf_counter() - began


async def journal_milliseconds(target: str | Path | None, talks: int) -> tuple[float, float]:
    """Milliseconds of a step in the store, and of the whole step with the fence and AutoGen."""
    keys = Keyring({"benchmark": bytes(32)})
    store = TimedStore(target, settings=StoreSettings(upgrade=True), keys=keys)
    ringfence = ringfence_at(store)
    async with store.opened():
        await ringfence.conversation(team).run(task=TASK)
        store.seconds, began = 0.0, time.perf_counter()
        for _ in range(talks):
            await ringfence.conversation(team).run(task=TASK)
        whole = time.perf_counter() - began
    await ringfence.close()
    steps = talks * _STEPS_A_TALK
    return store.seconds / steps * 1000, whole / steps * 1000


def dbos_milliseconds(url: str, steps: int) -> float | None:
    """Milliseconds of a step of DBOS that does nothing; None when it is not installed."""
    try:
        from dbos import DBOS
    except ModuleNotFoundError:
        return None
    config: Any = {"name": "benchmark", "system_database_url": url, "log_level": "ERROR"}
    DBOS(config=config)

    @DBOS.step()  # type: ignore[untyped-decorator]  # it is not installed where types are checked
    def nothing(number: int) -> int:
        return number

    @DBOS.workflow()  # type: ignore[untyped-decorator]  # likewise
    def work(count: int) -> float:
        nothing(0)
        began = time.perf_counter()
        for number in range(count):
            nothing(number)
        return (time.perf_counter() - began) / count * 1000

    DBOS.launch()
    try:
        return float(work(steps))
    finally:
        DBOS.destroy()
