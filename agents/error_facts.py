"""What an exception tells by itself: its names, its HTTP status, and when to come back.

The errors of httpx, of the providers' SDKs and of others are read by their attributes, so that none of these
libraries is loaded for the question. An error's own code runs when it is read, so whatever that raises counts
as nothing said.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from time import time
from typing import Any, TypeVar

from ringfence.guardrails.delivery_rules import codes_of

_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})
_NO_CONNECTION = frozenset({"ConnectionError", "TransportError", "TimeoutException", "ClientConnectionError"})
_TOO_OFTEN = 429
_TIMEOUTS = frozenset({408, 504})
_SERVER_ERRORS = 500
_LONGEST_SECONDS = 10 * 365 * 86_400.0

T = TypeVar("T")


def _read(what: Callable[[], T], otherwise: T) -> T:
    try:
        return what()
    except BaseException:  # an error's property may raise what would end the process
        return otherwise


def attribute_of(error: BaseException | None, name: str) -> Any:
    """An attribute of an error; None when it cannot be read."""
    return _read(lambda: getattr(error, name, None), None)


def text_of(error: BaseException) -> str:
    """What an error says; empty when it cannot be read.

    >>> text_of(ValueError("no such city"))
    'no such city'
    """
    return _read(lambda: str.join("", [str(error)]), "")


def name_of(error: BaseException) -> str:
    """The name of an error's class."""
    return _read(lambda: type(error).__name__, Exception.__name__)


def status_of(error: BaseException) -> int | None:
    """The HTTP status that a service answered with; None when the error holds none.

    >>> status_of(ValueError("503")) is None
    True
    """
    for one, name in (
        (attribute_of(error, "response"), "status_code"),
        (error, "status_code"),
        (error, "status"),
        (error, "code"),
    ):
        if (status := _read(partial(_status, one, name), None)) is not None:
            return status
    return None


def retry_after(error: BaseException, now: Callable[[], float] = time) -> float | None:
    """Seconds that a service or a tool asked to wait; None when it did not say.

    It stands in an attribute `retry_after`, or in a response's header as seconds or as a date.
    """
    own = _read(lambda: _own_seconds(error), None)
    if own is not None:
        return _sensible(own)
    return _read(lambda: _from_headers(_headers(error), now), None)


def _status(holder: object, name: str) -> int | None:
    found = getattr(holder, name, None)
    if isinstance(found, int) and not isinstance(found, bool) and 100 <= found <= 599:  # noqa: PLR2004 - HTTP's range
        return int(found)
    return None


def _own_seconds(error: BaseException) -> float | None:
    own = getattr(error, "retry_after", None)
    return float(own) if isinstance(own, int | float) and not isinstance(own, bool) else None


def _headers(error: BaseException) -> Mapping[str, Any]:
    headers = attribute_of(attribute_of(error, "response"), "headers") or attribute_of(error, "headers")
    return headers if callable(getattr(headers, "get", None)) else {}


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
    return _read(lambda: frozenset(kind.__name__ for kind in type(error).__mro__), frozenset())


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
