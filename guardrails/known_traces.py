"""Traces that were found a moment ago: a call is judged at two doors, and mostly nothing was read between."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.sources import Trace

_MOST = 64


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a trace depends on beside the call itself."""

    version: int
    """Of what the conversation has read."""
    suspicious: Collection[str]
    terms: tuple[object, ...] = field(repr=False)
    """What is said of the tool and of its arguments; the same objects, not equal ones."""

    def are(self, other: "Circumstances") -> bool:
        """Whether nothing is otherwise."""
        is_alike = (self.version, self.suspicious) == (other.version, other.suspicious)
        return is_alike and all(one is two for one, two in zip(self.terms, other.terms, strict=True))


class KnownTraces:
    """Remembers the traces of a few calls, each with the circumstances in which they were found."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Circumstances, tuple[Trace, ...]]] = {}

    def of(
        self, call: ToolCall, now: Circumstances, find: Callable[[], tuple[Trace, ...]]
    ) -> tuple[Trace, ...]:
        """The traces of a call: those of the same call in the same circumstances, or new ones."""
        try:
            key = json.dumps([call.tool, call.arguments])
        except (TypeError, ValueError, RecursionError):
            return find()
        known = self._known.get(key)
        if known is not None and known[0].are(now):
            return known[1]
        traces = find()
        self._known[key] = now, traces
        if len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
        return traces
