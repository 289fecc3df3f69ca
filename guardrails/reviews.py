"""Some of the calls that nobody was asked about are noted, for a person to look at later."""

import hashlib
from collections.abc import Callable

from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.records import Record
from ringfence.guardrails.standing import Bounds
from ringfence.guardrails.texts import ToolResult
from ringfence.guardrails.tool_directory import ToolDirectory
from ringfence.guardrails.tool_policy import MONITORED, ToolPolicy

_WHOLE = 2**32


class NoteForReview:
    """Writes a share of the consequential calls at level 3 into the audit log, masked, once they have run."""

    def __init__(
        self,
        *,
        policy: ToolPolicy,
        bounds: Bounds,
        directory: ToolDirectory,
        share: float,
        key: Callable[[ToolCall], str],
        record: Record,
    ) -> None:
        self._policy = policy
        self._bounds = bounds
        self._directory = directory
        self._share = share
        self._key = key
        """A call's idempotency key, which is the same whenever it is played."""
        self._record = record

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """Answer the call; its arguments are masked."""
        result = await call_next(call)
        level = self._policy.level(call.tool, self._bounds.autonomy)
        spec = self._directory.specs[call.tool]
        if level == MONITORED and spec.consequential and is_drawn(self._key(call), self._share):
            self._record(
                "review",
                door="tool",
                agent=call.agent,
                tool=call.tool,
                call_id=call.call_id,
                arguments=dict(call.arguments),
                failed=bool(result.is_error),
            )
        return result


def is_drawn(key: str, share: float) -> bool:
    """Whether a call belongs to a share of all calls: the same answer for the same key."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
    return number < share * _WHOLE
