"""What happened, a line of JSON for each crossing and decision, written through structlog."""

import os
import threading
import uuid
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

from ringfence.errors import StoreError


class AuditLog:
    """An append-only JSONL file, shared by all conversations of a process; opened with the first line."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._lock = threading.Lock()

    @property
    def path(self) -> Path | None:
        """The file, or None when nothing is written."""
        return self._path

    def logger(self, **bound: object) -> structlog.BoundLogger:
        """A structlog logger whose lines all carry these fields."""
        logger: structlog.BoundLogger = structlog.wrap_logger(
            self,
            wrapper_class=structlog.BoundLogger,
            cache_logger_on_first_use=False,
            context_class=dict,
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _without_empty,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
        return logger.bind(**bound)

    def info(self, line: str) -> None:
        """Append one line; called by structlog with the rendered event."""
        if self._path is None:
            return
        try:
            with self._lock:
                if self._file is None:
                    self._file = _open_private(self._path)
                self._file.write(line + "\n")
                self._file.flush()
        except (OSError, ValueError) as error:
            reason = type(error).__name__ if not isinstance(error, OSError) else error.strerror
            raise StoreError(f"The audit log {self._path} cannot be written: {reason}") from None

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


class RunRecorder:
    """Writes the events of one conversation, with a trace id of its own for each run.

    Raises StoreError when a line cannot be written: what is not on record does not happen.
    """

    def __init__(self, log: AuditLog, **bound: object) -> None:
        self._log = log
        self._bound = bound
        self.start_run()

    def start_run(self) -> None:
        """Begin a new trace."""
        self.trace_id = uuid.uuid4().hex
        self._logger = self._log.logger(trace=self.trace_id, **self._bound)

    def __call__(self, event: str, /, **fields: object) -> None:
        """Write `event` with its fields."""
        self._logger.info(event, **fields)


def _without_empty(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in event.items() if value not in ("", None, [])}


def _open_private(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    return os.fdopen(descriptor, "a", encoding="utf-8")
