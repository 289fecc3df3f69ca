"""A model provider on loopback that speaks OpenAI's chat-completions protocol and does what its script says.

    with OpenAIServer(error(429, retry_after="7"), text("Hello")) as server:
        client = OpenAIChatCompletionClient(base_url=server.base_url, api_key="none", ...)

The next reply of the script answers the next request; `then` answers when the script is used up, and may be a
function of the request's body. Without it, such a request gets status 500 and `unexpected` grows. What went
over the wire stays in `requests`, `bodies` and `wire`, so a test can look for a text that must not leave.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from openai_replies import (
    Reply,
    dropped,
    empty_choices,
    error,
    hanging,
    malformed,
    raw,
    stream_error,
    text,
    tool_calls,
)

__all__ = [
    "OpenAIServer",
    "Reply",
    "Request",
    "dropped",
    "empty_choices",
    "error",
    "hanging",
    "malformed",
    "raw",
    "stream_error",
    "text",
    "tool_calls",
]


@dataclass(frozen=True)
class Request:
    """What one call sent."""

    path: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The request's JSON."""
        parsed: dict[str, Any] = json.loads(self.raw)
        return parsed


class OpenAIServer:
    """The server; a context manager. Give `base_url` to a client."""

    def __init__(self, *script: Reply, then: Reply | Callable[[dict[str, Any]], Reply] | None = None) -> None:
        self._script = list(script)
        self._then = then
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._http = _Listener(self)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self.requests: list[Request] = []
        """Every request, in the order of arrival."""
        self.unexpected = 0
        """How many requests found the script used up."""

    @property
    def origin(self) -> str:
        """Address without a path, for other protocols than OpenAI's."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def base_url(self) -> str:
        """Address for a client's `base_url`."""
        return f"{self.origin}/v1"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The JSON of every request."""
        return [request.body for request in self.requests]

    @property
    def wire(self) -> str:
        """All that was sent: paths, headers and bodies, these both raw and without JSON's escapes."""
        return "\n".join(
            f"{request.path}\n{dict(request.headers)}\n{request.raw.decode()}\n"
            f"{json.dumps(request.body, ensure_ascii=False)}"
            for request in self.requests
        )

    def add(self, *replies: Reply) -> None:
        """Append to the script."""
        with self._lock:
            self._script.extend(replies)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def take(self, request: Request) -> Reply:
        """Record a request and say what answers it, after holding that back as long as the reply says."""
        with self._lock:
            self.requests.append(request)
            reply = self._script.pop(0) if self._script else None
            if reply is None and self._then is None:
                self.unexpected += 1
        if reply is None and self._then is not None:
            reply = self._then(request.body) if callable(self._then) else self._then
        if reply is None:
            return error(500, message="the script has no reply left")
        if reply.drop == "hangs":
            self._closing.wait()
        while reply.after and not reply.after.wait(0.01) and not self._closing.is_set():
            pass
        return reply


class _Listener(ThreadingHTTPServer):
    daemon_threads = False  # closing the server then waits for its handlers, and leaves no socket open

    def __init__(self, owner: OpenAIServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client may hang up, and what else goes wrong shows in the client's error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer one request and close the connection."""
        self.close_connection = True
        length = int(self.headers.get("Content-Length", 0))
        request = Request(self.path, dict(self.headers), self.rfile.read(length))
        reply = self.server.owner.take(request)
        if reply.drop in {"before", "hangs"}:
            return
        asked = request.body
        if asked.get("stream") and (reply.body is None or reply.events):
            self._stream(reply, asked)
        else:
            self._whole(reply, asked)

    def _whole(self, reply: Reply, asked: Mapping[str, Any]) -> None:
        body = reply.completion(asked.get("model", ""))
        self._head(reply, "application/json", {"Content-Length": str(len(body))})
        self.wfile.write(body[: len(body) // 2] if reply.drop == "mid-body" else body)

    def _stream(self, reply: Reply, asked: Mapping[str, Any]) -> None:
        self._head(reply, "text/event-stream", {"Transfer-Encoding": "chunked"})
        for event in reply.stream(asked.get("model", ""), asked.get("stream_options") or {}):
            data = f"data: {event}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if reply.drop in {"never", "ends-early"}:
            self.wfile.write(b"0\r\n\r\n")

    def _head(self, reply: Reply, content_type: str, framing: Mapping[str, str]) -> None:
        self.send_response(reply.status)
        headers = {"Content-Type": content_type, "Connection": "close", **framing, **reply.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
