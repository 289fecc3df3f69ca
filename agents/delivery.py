"""Running a tool so that nothing it does can hang or break the team."""

import asyncio
import re
from collections.abc import Awaitable

from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.refusal import failed
from ringfence.guardrails.texts import TextResultContent, ToolResult
from ringfence.guardrails.tool_policy import ToolPolicy

DEFAULT_TIMEOUT_SECONDS = 60.0
_TO_LET_GO_SECONDS = 5.0
LONGEST_RESULT = 50_000
"""Characters of a tool's result that go on; a longer one is cut, and says so."""

_LAST_WORD = re.compile(r"""[^\s"',;|<>]{1,400}\Z""")
_LAST_NUMBER = re.compile(r"[\d\s+().-]{1,400}\Z")


class Deliver:
    """Runs the tool within its time; whatever it raises becomes a result."""

    def __init__(self, policy: ToolPolicy) -> None:
        self._policy = policy

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """The tool's result, or a failure that the model can use."""
        timeout = self._policy.rule(call.tool).timeout_seconds or DEFAULT_TIMEOUT_SECONDS
        work = asyncio.ensure_future(_contained(call, call_next(call)))
        try:
            await asyncio.wait({work}, timeout=timeout)
        except asyncio.CancelledError:
            work.cancel()
            raise
        if work.cancelled():
            return failed(call, f"{call.tool} was cancelled. It is not known whether the call took effect.")
        if work.done():
            return _bounded(work.result())
        # A thread cannot be stopped, so nobody waits for it: it may still finish, and nobody would know.
        work.cancel()
        if call.transaction is not None:
            # What it did is undone, and nobody may use the connection meanwhile.
            await asyncio.wait({work}, timeout=_TO_LET_GO_SECONDS)
        said = (
            f"No answer within {timeout:g} s. It is not known whether the call took effect; do not repeat it."
        )
        return failed(call, said)


async def _contained(call: ToolCall, running: Awaitable[ToolResult]) -> ToolResult:
    try:
        result = await running
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # a tool's SystemExit would end the whole process
        return failed(call, f"{call.tool} failed with {type(error).__name__}: {error}")
    if not isinstance(result, ToolResult):
        return failed(call, f"{call.tool} gave no result that can be used")
    return result


def _bounded(result: ToolResult) -> ToolResult:
    room = LONGEST_RESULT
    parts = []
    for part in result.result:
        text = part.content if isinstance(part, TextResultContent) else ""
        if len(text) > room:
            # Back past the last word and number: half a value is found by nobody.
            kept = _LAST_NUMBER.sub("", _LAST_WORD.sub("", text[:room]))
            cut = f"{kept}\n[Cut: {len(kept)} of {len(text)} characters.]"
            parts.append(part.model_copy(update={"content": cut}))
        else:
            parts.append(part)
        room = max(room - len(text), 0)
    return result.model_copy(update={"result": parts})
