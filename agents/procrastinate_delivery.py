"""Jobs are delivered by procrastinate, over the PostgreSQL database that holds the store."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from ringfence.conversations.store import Store
from ringfence.errors import Fault, PolicyError, StoreError

try:
    from procrastinate import App, PsycopgConnector
    from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
except ModuleNotFoundError:
    said = 'procrastinate is not installed; install "ringfence[postgres]"'
    raise PolicyError([Fault(said, where="jobs.delivery")]) from None

QUEUE = "ringfence"
TASK = "ringfence_run_or_resume"


def make_app(
    store: Store, run: Callable[[str], Awaitable[None]] | None = None, *, connections: int = 1
) -> App:
    """A procrastinate app with the one task that takes the id of a job.

    Args:
        store: Its database is procrastinate's, too.
        run: Works on a job; an app that only delivers needs none.
        connections: How many it holds at most, while it is open.
    """
    url = store.place.url.set(drivername="postgresql")
    connector = PsycopgConnector(
        conninfo=url.render_as_string(hide_password=False),
        min_size=1,
        max_size=connections,
    )
    app = App(connector=connector)

    @app.task(name=TASK, queue=QUEUE)
    async def run_or_resume(job: str) -> None:
        if run is not None:
            await run(job)

    return app


class ProcrastinateDelivery:
    """Defers a job of procrastinate for each job of the store.

    Raises:
        PolicyError: The store is not on PostgreSQL.
    """

    def __init__(self, store: Store) -> None:
        if store.place.is_sqlite:
            said = "is procrastinate, which needs a store on PostgreSQL; see `store.url`"
            raise PolicyError([Fault(said, where="jobs.delivery")])
        self._store = store
        self.app: App | None = None
        """The open app of a worker; without one, each delivery opens one of its own."""

    async def deliver(self, job: str, *, priority: int, at: datetime | None) -> None:
        """Let some worker get the job, not before `at`.

        Raises:
            StoreError: The database does not answer. The job is stored, and a worker finds it later.
        """
        try:
            if self.app is not None:
                await self._defer(self.app, job, priority, at)
                return
            async with make_app(self._store).open_async() as app:
                await self._defer(app, job, priority, at)
        except ConnectorException:
            said = (
                "does not answer to procrastinate, or lacks its tables; `ringfence store upgrade` makes them"
            )
            raise StoreError(f"The store {self._store.name} {said}") from None

    async def _defer(self, app: App, job: str, priority: int, at: datetime | None) -> None:
        task = app.configure_task(
            TASK, queue=QUEUE, queueing_lock=job, priority=priority, schedule_at=at, allow_unknown=False
        )
        with suppress(AlreadyEnqueued):  # it is on its way
            await task.defer_async(job=job)
