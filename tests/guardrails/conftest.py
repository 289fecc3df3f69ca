"""What every test of the guardrails has."""

import asyncio
import inspect
import warnings
from collections.abc import Iterator

import pytest

from tests.guardrails.parts import Book


@pytest.fixture
def book() -> Book:
    """A record that can be read afterwards."""
    return Book()


@pytest.fixture(autouse=True)
def guards_leave_no_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """A synchronous Guard makes an event loop for its thread, and leaves it open."""
    yield
    if inspect.iscoroutinefunction(request.function):
        return
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        try:
            loop = asyncio.get_event_loop_policy().get_event_loop()
        except RuntimeError:
            return
    if not loop.is_running():
        loop.close()
        asyncio.set_event_loop(None)
