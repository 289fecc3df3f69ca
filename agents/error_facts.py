"""What an exception tells by itself: its names, its HTTP status, and when to come back.

The errors of httpx, of the providers' SDKs and of others are read by their attributes, so that none of these
libraries is loaded for the question.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from ringfence.guardrails.delivery_rules import codes_of

_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})
_NO_CONNECTION = frozenset({"ConnectionError", "TransportError", "TimeoutException", "ClientConnectionError"})
_TOO_OFTEN = 429
_TIMEOUTS = frozenset({408, 504})
_SERVER_ERRORS = 500
_LONGEST_SECONDS = 10 * 365 * 86_400.0


def status_of(error: BaseException) -> int | None:
    """The HTTP status that a service answered with; None when the error holds none.

    >>> status_of(ValueError("503")) is None
    True
    """
    response = getattr(error, "response", None)
    for found in (
        getattr(response, "status_code", None),
        getattr(error, "status_code", None),
        getattr(error, "status", None),
        getattr(error, "code", None),
    ):
        if isinstance(found, int) and not isinstance(found, bool) and 100 <= found <= 599:  # noqa: PLR2004 - HTTP's range
            return found
    return None


def retry_after(error: BaseException, now: Callable[[], float] = time) -> float | None:
    """Seconds that a service or a tool asked to wait; None when it did not say.

    It stands in an attribute `retry_after`, or in a response's header as seconds or as a date.
    """
    own = getattr(error, "retry_after", None)
    if isinstance(own, int | float) and not isinstance(own, bool):
        return _sensible(float(own))
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or getattr(error, "headers", None)
    if headers is None or not callable(getattr(headers, "get", None)):
        return None
    return _from_headers(headers, now)


def _from_headers(headers: Mapping[str, Any], now: Callable[[], float]) -> float | None:
    milliseconds = _number(headers.get("retry-after-ms") or headers.get("Retry-After-Ms"))
    if milliseconds is not None:
        return _sensible(milliseconds / 1000)
    said = headers.get("retry-after") or headers.get("Retry-After")
    seconds = _number(said)
    if seconds is not None or not isinstance(said, str):
        return None if seconds is None else _sensible(seconds)
    try:
        date = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return _sensible((date - datetime.fromtimestamp(now(), UTC)).total_seconds())


def _number(said: object) -> float | None:
    try:
        return float(said) if isinstance(said, str | int | float) else None
    except ValueError:
        return None


def _sensible(seconds: float) -> float | None:
    # A wait of centuries is as good as none, and "nan" compares with nothing.
    return min(max(seconds, 0.0), _LONGEST_SECONDS) if math.isfinite(seconds) else None


def names_of(error: BaseException) -> frozenset[str]:
    """The names of an error's class and of those that it stands for."""
    return frozenset(kind.__name__ for kind in type(error).__mro__)


def is_timeout(error: BaseException) -> bool:
    """Whether a service did not answer in time."""
    names = names_of(error)
    return bool(names & {"TimeoutError", "TimeoutException"}) or status_of(error) in _TIMEOUTS


def is_too_often(error: BaseException) -> bool:
    """Whether a service was called too often."""
    return status_of(error) == _TOO_OFTEN


def is_service_trouble(error: BaseException) -> bool:
    """Whether the service is in trouble, and not what it was asked."""
    status = status_of(error)
    if status is not None:
        return status >= _SERVER_ERRORS or status in _MAY_PASS
    return bool(names_of(error) & _NO_CONNECTION) or is_timeout(error)


def is_named(error: BaseException, on: tuple[str | int, ...] | None) -> bool:
    """Whether a rule names an error by its class or its status; None names what may pass by itself."""
    status = status_of(error)
    if on is None:
        return status in _MAY_PASS if status is not None else is_service_trouble(error)
    names = names_of(error)
    return any(
        one in names if (codes := codes_of(one)) is None else status is not None and status in codes
        for one in on
    )
