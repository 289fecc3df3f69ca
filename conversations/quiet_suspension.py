"""AutoGen logs a traceback for every part of a team that stops; one that waits for a person did not fail."""

import logging
from contextvars import ContextVar

from ringfence.errors import is_suspension
from ringfence.guardrails.stop import StopSignal

_LOGGER = "autogen_core"
_running: ContextVar[StopSignal | None] = ContextVar("ringfence_running", default=None)


class _DropSuspensions(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        stop = _running.get()
        return not (record.exc_info and stop is not None and is_suspension(stop.error))


_FILTER = _DropSuspensions()


def quiet_when_suspended(stop: StopSignal) -> None:
    """In this task and those that it starts, log no traceback of a team that waits for a person."""
    logging.getLogger(_LOGGER).addFilter(_FILTER)
    _running.set(stop)
