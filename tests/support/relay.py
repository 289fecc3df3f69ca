"""A port that leads to a server, and that can be shut, or be left without an answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import make_url


class Relay:
    """Passes what comes to its port on to the server of a URL."""

    def __init__(self, url: str) -> None:
        self._to = make_url(url)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.hangs = False
        """It takes what comes, and passes nothing on."""

    @property
    def url(self) -> str:
        """The URL by which the server is reached through it."""
        here = self._to.set(host="127.0.0.1", port=self._port, query={"sslmode": "disable"})
        return here.render_as_string(hide_password=False)

    async def start(self) -> None:
        """Listen, at the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut all connections, and refuse new ones."""
        assert self._server is not None
        self._server.close()
        for writer in [*self._open]:
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        server_reader, server_writer = await asyncio.open_connection(self._to.host, self._to.port or 5432)
        self._open |= {writer, server_writer}
        await asyncio.gather(
            self._pass(reader, server_writer), self._pass(server_reader, writer), return_exceptions=True
        )
        for one in (writer, server_writer):
            one.close()
        self._open -= {writer, server_writer}
        self._tasks.discard(task)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not self.hangs:
                writer.write(data)
        writer.close()


@asynccontextmanager
async def relay_to(url: str) -> AsyncIterator[Relay]:
    """A relay that listens."""
    relay = Relay(url)
    await relay.start()
    try:
        yield relay
    finally:
        await relay.stop()
