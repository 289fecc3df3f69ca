"""The one mechanism: a middleware is `async (call, call_next) -> reply`.

A door is a stack of them around a handler. The first listed is the outermost: it sees the call first and
the reply last.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

C = TypeVar("C")
R = TypeVar("R")
C_contra = TypeVar("C_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)

Handler = Callable[[C], Awaitable[R]]


class Middleware(Protocol[C, R]):
    """Does one thing before a call goes on, after its reply came back, or in its place."""

    async def __call__(self, call: C, call_next: Handler[C, R]) -> R:
        """Answer the call, usually with what `call_next` answers."""
        ...


def door(middlewares: Sequence[Middleware[C, R]], handler: Handler[C, R]) -> Handler[C, R]:
    """Stack the middlewares around the handler, the first one outermost."""
    for middleware in reversed(middlewares):
        handler = partial(middleware, call_next=handler)
    return handler
