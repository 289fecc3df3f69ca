"""A clock that a test moves: what Ringfence takes for the time of day."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from types import ModuleType

import pytest


@contextmanager
def clock(now: Callable[[], float]) -> Iterator[None]:
    """Within it, Ringfence's modules read this time, in seconds since 1970; what only measures does not."""

    class Moved(datetime):
        """Dates as ever, but for today's."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # plain dates, to be compared with others
            """The date and time of the test."""
            return datetime.fromtimestamp(now(), tz)

    with pytest.MonkeyPatch.context() as patch:
        for module in _modules():
            if getattr(module, "datetime", None) is datetime:
                patch.setattr(module, "datetime", Moved)
            if getattr(module, "time", None) is time.time:
                patch.setattr(module, "time", now)
        yield


def _modules() -> list[ModuleType]:
    return [module for name, module in sys.modules.items() if name.startswith("ringfence.")]
