"""What a tool can ask about the call that it is running."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_key: ContextVar[str] = ContextVar("ringfence_idempotency_key", default="")


def idempotency_key() -> str:
    """The key of the tool call that is running, for a tool that sends it on, say in a header.

    The same for one call however often it is run again, and for no other call. Empty outside of a tool.
    """
    return _key.get()


@contextmanager
def running(key: str) -> Iterator[None]:
    """Whatever is started within runs for the call with this key."""
    token = _key.set(key)
    try:
        yield
    finally:
        _key.reset(token)
