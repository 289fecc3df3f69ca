"""How a tool says that its call had no effect, so that it may be made again."""


class NothingHappened(Exception):
    """Raised by a tool when its call surely had no effect: the same call may be made again.

    >>> raise NothingHappened("The mail server is busy", retry_after=5)
    Traceback (most recent call last):
    ringfence.guardrails.nothing_happened.NothingHappened: The mail server is busy
    """

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        """Seconds after which the call may succeed; None: as the policy says."""
        super().__init__(message)
