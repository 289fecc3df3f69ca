"""What a scripted provider answers, in the words of OpenAI's chat-completions protocol."""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "Reply",
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

Drop = Literal["never", "before", "mid-body", "mid-stream", "ends-early", "hangs"]


@dataclass(frozen=True)
class Reply:
    """One answer of the server; made by the functions below."""

    content: str | None = None
    calls: tuple[tuple[str, str], ...] = ()
    """Name and arguments (JSON as the model wrote it) of each tool call."""
    finish_reason: str = "stop"
    usage: tuple[int, int] | None = (10, 5)
    """Prompt and completion tokens; None for a server that never reports usage."""
    override: Mapping[str, Any] = field(default_factory=dict)
    """Replaces top-level keys of the completion, or of each chunk of a stream, such as `model`."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Sent as it stands, in place of a completion."""
    events: tuple[str, ...] = ()
    """Data of server-sent events, sent as they stand where a stream is asked for."""
    drop: Drop = "never"
    after: threading.Event | None = None
    """The reply waits for this event, so that a test can look at the world while the call is under way."""
    ignores_stream_options: bool = False
    """For a server that does not know `stream_options`: no usage in streams."""

    def completion(self, model: str) -> bytes:
        """The whole answer."""
        if self.body is not None:
            return self.body
        message: dict[str, Any] = {"role": "assistant", "content": self.content}
        if self.calls:
            message["tool_calls"] = self._tool_calls()
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": model}
        usage = {"usage": _usage(self.usage)} if self.usage else {}
        return json.dumps(answer | {"choices": [choice]} | usage | dict(self.override)).encode()

    def stream(self, model: str, options: Mapping[str, Any]) -> list[str]:
        """The data of the events of a streamed answer, up to where it breaks off."""
        with_usage = bool(options.get("include_usage")) and not self.ignores_stream_options
        events = list(self.events) or [
            json.dumps(chunk | dict(self.override)) for chunk in self._chunks(model, with_usage=with_usage)
        ]
        return [*events, "[DONE]"] if self.drop == "never" else events[: max(2, len(events) // 2)]

    def _tool_calls(self) -> list[dict[str, Any]]:
        return [
            {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for number, (name, arguments) in enumerate(self.calls, start=1)
        ]

    def _chunks(self, model: str, *, with_usage: bool) -> Iterator[dict[str, Any]]:
        yield _chunk(model, {"role": "assistant", "content": None if self.calls else ""})
        content = self.content or ""
        for start in range(
            0, len(content), 4
        ):  # short pieces, so that a piece of personal data spans several
            yield _chunk(model, {"content": content[start : start + 4]})
        for index, call in enumerate(self._tool_calls()):
            arguments = call["function"]["arguments"]
            half = len(arguments) // 2
            named = call | {"index": index, "function": call["function"] | {"arguments": ""}}
            yield _chunk(model, {"tool_calls": [named]})
            for part in (arguments[:half], arguments[half:]):
                yield _chunk(model, {"tool_calls": [{"index": index, "function": {"arguments": part}}]})
        yield _chunk(model, {}, self.finish_reason)
        if with_usage and self.usage is not None:
            yield _chunk(model, {}) | {"choices": [], "usage": _usage(self.usage)}


def text(content: str, **fields: Any) -> Reply:
    """A text; `fields` are those of `Reply`."""
    return Reply(content=content, **fields)


def tool_calls(*calls: tuple[str, Mapping[str, Any] | str], **fields: Any) -> Reply:
    """Parallel tool calls; arguments given as a string are sent as they stand, also when they are no JSON."""
    written = ((name, given if isinstance(given, str) else json.dumps(given)) for name, given in calls)
    return Reply(calls=tuple(written), **{"finish_reason": "tool_calls", **fields})


def error(
    status: int, *, retry_after: str | None = None, message: str = "no", code: str | None = None
) -> Reply:
    """An error in OpenAI's form."""
    told = {"error": {"message": message, "type": "error", "param": None, "code": code}}
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Reply(status=status, headers=headers, body=json.dumps(told).encode())


def dropped(when: Literal["before", "mid-body", "mid-stream", "ends-early"], **fields: Any) -> Reply:
    """A connection that breaks; `ends-early` closes a stream in good order in the middle of the reply."""
    return Reply(drop=when, **{"content": "Half a reply", **fields})


def hanging() -> Reply:
    """No answer until the server closes."""
    return Reply(drop="hangs")


def raw(
    body: bytes | Mapping[str, Any], *, content_type: str = "application/json", status: int = 200
) -> Reply:
    """A body as it stands, for other protocols and broken servers."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=status, body=sent, headers={"Content-Type": content_type})


def malformed() -> Reply:
    """A body, or an event of a stream, that is no JSON."""
    return Reply(body=b'{"id": "chatcmpl-1", "choices": [', events=('{"choices": [',))


def empty_choices(*, null: bool = False) -> Reply:
    """A completion without a choice, as overloaded servers send it."""
    return Reply(override={"choices": None if null else []})


def stream_error(message: str = "no") -> Reply:
    """A stream that tells of an error after its first words."""
    first = json.dumps(_chunk("m", {"role": "assistant", "content": "Half"}))
    return Reply(events=(first, json.dumps({"error": {"message": message, "type": "server_error"}})))


def _usage(tokens: tuple[int, int]) -> dict[str, int]:
    return {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}


def _chunk(model: str, delta: Mapping[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": dict(delta), "finish_reason": finish_reason}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": model}
    return head | {"choices": [choice]}
