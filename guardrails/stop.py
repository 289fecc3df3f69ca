"""Why a conversation has to stop, remembered where a team cannot lose it."""

from ringfence.errors import RingfenceError


class StopSignal:
    """Set once; then every model call is answered without a model and every tool call is refused.

    An error that is raised inside a team comes out as a RuntimeError with its text alone, so the fence keeps
    the typed one here and lets the team end by itself.
    """

    def __init__(self) -> None:
        self._error: RingfenceError | None = None

    @property
    def error(self) -> RingfenceError | None:
        """The first reason to stop, or None."""
        return self._error

    def set(self, error: RingfenceError) -> None:
        """Stop for this reason; a later reason does not replace the first."""
        self._error = self._error or error

    def clear(self) -> None:
        """Let the next run begin."""
        self._error = None
