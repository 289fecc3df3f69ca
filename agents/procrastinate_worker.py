"""A worker that gets its jobs from procrastinate."""

import asyncio
from contextlib import suppress

from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import DeleteJobCondition, Status

from ringfence.agents.procrastinate_delivery import QUEUE, ProcrastinateDelivery, make_app
from ringfence.agents.worker import HARD_STOP_SECONDS, Worker
from ringfence.errors import StoreError

_OWN_CONNECTIONS = 3
"""What procrastinate needs beside one for each job: to listen, to fetch, and for its heartbeat."""


class ProcrastinateWorker(Worker):
    """Runs what procrastinate delivers. The store still says which job may run, and which one was lost."""

    async def run(self, *, until_idle: bool = False) -> None:
        """Work until `stop`.

        Args:
            until_idle: End, too, when procrastinate has nothing to deliver.

        Raises:
            StoreError: The store cannot be opened, or procrastinate has no tables in it.
        """
        jobs, store = self._ringfence.jobs, self._ringfence.store
        before, jobs.delivery = jobs.delivery, (delivery := ProcrastinateDelivery(store))
        app = make_app(store, self._run, connections=self._concurrency + _OWN_CONNECTIONS)
        try:
            async with store.opened(), self._runs.watching(), app.open_async():
                delivery.app = app
                await self._look_after(app)
                await self._serve(app, until_idle=until_idle)
        except ConnectorException:
            said = (
                "does not answer to procrastinate, or lacks its tables; `ringfence store upgrade` makes them"
            )
            raise StoreError(f"The store {store.name} {said}") from None
        finally:
            jobs.delivery = before

    async def _run(self, job: str) -> None:
        run = await self._runs.take(job)
        if run is not None:
            await self._runs.work(run)

    async def _serve(self, app: App, *, until_idle: bool) -> None:
        serving = asyncio.ensure_future(
            app.run_worker_async(
                queues=[QUEUE],
                concurrency=self._concurrency,
                wait=not until_idle,
                install_signal_handlers=False,
                fetch_job_polling_interval=self._look_seconds,
                shutdown_graceful_timeout=self._grace_seconds + HARD_STOP_SECONDS,
                delete_jobs=DeleteJobCondition.ALWAYS,
            )
        )
        looking = asyncio.ensure_future(self._keep_looking(app))
        stopping = asyncio.ensure_future(self._stopping.wait())
        timer: asyncio.TimerHandle | None = None
        try:
            await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
            timer = asyncio.get_running_loop().call_later(self._grace_seconds, self._runs.stop_all)
        finally:
            for task in (looking, stopping, serving):
                task.cancel()
            ended = await asyncio.gather(serving, looking, stopping, return_exceptions=True)
            if timer is not None:
                timer.cancel()
        if isinstance(ended[0], Exception):
            raise ended[0]

    async def _keep_looking(self, app: App) -> None:
        while True:
            await asyncio.sleep(self._look_seconds)
            # A database that does not answer is asked again later.
            with suppress(StoreError, ConnectorException):
                await self._look_after(app)

    async def _look_after(self, app: App) -> None:
        await self._ringfence.jobs.look_after()
        # What a lost worker held is no more than a row: the store has given its job to another one.
        lease = self._ringfence.store.settings.lease_seconds
        for stalled in await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=lease):
            await app.job_manager.finish_job(stalled, Status.ABORTED, delete_job=True)
