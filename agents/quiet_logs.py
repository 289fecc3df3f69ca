"""AutoGen's event log, kept free of real values while a call is behind the fence."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from autogen_core import EVENT_LOGGER_NAME
from autogen_core.logging import LLMCallEvent, LLMStreamEndEvent, ToolCallEvent

_REAL = (LLMCallEvent, LLMStreamEndEvent, ToolCallEvent)
"""They hold a tool's real arguments and result, or a model's reply before it was masked."""

_behind: ContextVar[bool] = ContextVar("ringfence_behind_the_fence", default=False)


class _DropRealValues(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return not (_behind.get() and isinstance(record.msg, _REAL))


_FILTER = _DropRealValues()


@contextmanager
def quiet_events() -> Iterator[None]:
    """While this lasts, AutoGen's events with real values are not logged; the audit log has the crossing."""
    logging.getLogger(EVENT_LOGGER_NAME).addFilter(_FILTER)
    marker = _behind.set(True)
    try:
        yield
    finally:
        _behind.reset(marker)
