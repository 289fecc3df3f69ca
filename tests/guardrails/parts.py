"""What several tests of the guardrails need: a record to read, calls and replies to pass on."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from autogen_core import FunctionCall
from autogen_core.models import CreateResult, RequestUsage, UserMessage
from autogen_core.tools import TextResultContent, ToolResult

from ringfence.guardrails.calls import ModelCall, ToolCall
from ringfence.guardrails.passages import Passage, Point
from ringfence.guardrails.verdicts import Allow, Terms, Verdict

_ALLOW = Allow()
_TERMS = Terms()


class Book:
    """A record that can be read."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, event: str, /, **fields: object) -> None:
        """Write one line."""
        self.lines.append((event, fields))

    def of(self, event: str) -> list[dict[str, Any]]:
        """The fields of every line of this event."""
        return [fields for name, fields in self.lines if name == event]


class Says:
    """A guardrail that answers as it is told, and remembers what it was asked."""

    def __init__(
        self,
        answer: Callable[[Passage], Any] | Verdict = _ALLOW,
        name: str = "says",
        timeout: float = 30.0,
        terms: Terms = _TERMS,
    ) -> None:
        self.name = name
        self.terms = terms
        self.timeout_seconds = timeout
        self._answer = answer
        self.asked: list[Passage] = []

    async def check(self, passage: Passage) -> Verdict:
        """Answer."""
        self.asked.append(passage)
        answer = self._answer(passage) if callable(self._answer) else self._answer
        if isinstance(answer, Awaitable):
            answer = await answer
        verdict: Verdict = answer
        return verdict


class Handler:
    """What stands behind a middleware: answers with its replies in order, and remembers its calls."""

    def __init__(self, *replies: Any) -> None:
        self._replies = replies
        self.calls: list[Any] = []

    async def __call__(self, call: Any) -> Any:
        """The next reply, or the last one; an exception is raised."""
        self.calls.append(call)
        reply = self._replies[min(len(self.calls), len(self._replies)) - 1]
        if isinstance(reply, BaseException):
            raise reply
        return reply


def passage(text: str, point: Point = Point.MESSAGE) -> Passage:
    """A passage of the agent `desk`."""
    return Passage(text, point, agent="desk")


def model_call(*texts: str, **fields: Any) -> ModelCall:
    """A call of the agent `desk` with these texts of the user."""
    messages = tuple(UserMessage(content=text, source="user") for text in texts)
    return ModelCall(agent="desk", model="some-model", messages=messages, **fields)


def reply(content: str | list[FunctionCall], **fields: Any) -> CreateResult:
    """A model's reply, which took 10 tokens in and 5 out."""
    usage = RequestUsage(prompt_tokens=10, completion_tokens=5)
    defaults: dict[str, Any] = {"usage": usage, "finish_reason": "stop", "cached": False}
    return CreateResult(content=content, **(defaults | fields))


def tool_call(
    tool: str = "refund", arguments: Mapping[str, Any] | None = None, call_id: str = "call-1"
) -> ToolCall:
    """A call of a tool by the agent `desk`."""
    return ToolCall("desk", tool, {"order": 1182} if arguments is None else arguments, call_id)


def tool_result(text: str = "done", tool: str = "refund") -> ToolResult:
    """What a tool gave back."""
    return ToolResult(name=tool, result=[TextResultContent(content=text)])


def text_of(result: ToolResult) -> str:
    """The text of a tool's result, which says that it failed."""
    assert result.is_error
    return result.to_text()
