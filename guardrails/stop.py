"""Why a conversation has to stop, remembered where a team cannot lose it."""

from asyncio import Future
from typing import Any

from ringfence.errors import ConversationInterrupted, LimitExceeded, RingfenceError, is_suspension


class StopSignal:
    """Set once; then every model call is answered without a model and every tool call is refused.

    An error that is raised inside a team comes out as a RuntimeError with its text alone, so the fence keeps
    the typed one here and lets the team end by itself.
    """

    def __init__(self) -> None:
        self._error: RingfenceError | None = None
        self._pending: set[Future[Any]] = set()
        self.interrupted = False
        """Somebody cancelled the run, or its time is over."""

    @property
    def error(self) -> RingfenceError | None:
        """The first reason to stop, or None."""
        return self._error

    @property
    def cuts_short(self) -> bool:
        """Whether the turn under way is to be played again, or given up; only after a limit is it over."""
        return self._error is not None and not isinstance(self._error, LimitExceeded)

    def set(self, error: RingfenceError) -> None:
        """Stop for this reason; the first one stays, unless it was only that a person is waited for."""
        if self._error is None or is_suspension(self._error):
            self._error = error

    def clear(self) -> None:
        """Let the next run begin."""
        self._error = None
        self.interrupted = False

    def link(self, work: Future[Any]) -> None:
        """Have this work cancelled when the run is interrupted, whether or not it watches a token."""
        self._pending.add(work)
        work.add_done_callback(self._pending.discard)

    def interrupt(self) -> None:
        """Cancel everything that is under way, and let nothing begin: a team can outlive its cancellation."""
        self.interrupted = True
        self._error = self._error or ConversationInterrupted("The run was cancelled")
        for work in list(self._pending):
            work.cancel()
