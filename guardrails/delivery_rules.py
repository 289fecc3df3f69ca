"""What the policy says of how a call is delivered: repeated, slowed down, or not made at all for a while."""

import re
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from ringfence.settings import Section

NOTHING_HAPPENED = "NothingHappened"
"""What a tool raises to say that the call had no effect."""

Seconds = Annotated[float, Field(gt=0, le=3600)]

_NAME = re.compile(r"[A-Za-z_]\w*")
_STATUS = re.compile(r"([1-5]\d\d)(?:-([1-5]\d\d))?")


class BackoffRule(Section):
    """How often a failed call is made again, and after which waits: each about twice as long as the last."""

    times: Annotated[int, Field(ge=0, le=10)] = 2
    first_wait_seconds: Seconds = 0.5
    longest_wait_seconds: Seconds = 30.0

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.longest_wait_seconds < self.first_wait_seconds:
            raise ValueError("longest_wait_seconds is shorter than first_wait_seconds")
        return self


class RetryRule(BackoffRule):
    """When a tool's failed call is made again."""

    errors: tuple[str | int, ...] | None = None
    """Names of exceptions, and HTTP's status codes or ranges of them such as `500-599`; None takes what may
    pass: time-outs, broken connections, and the codes 408, 425, 429, 500, 502, 503 and 504."""

    @field_validator("errors")
    @classmethod
    def _is_known(cls, errors: tuple[str | int, ...] | None) -> tuple[str | int, ...] | None:
        if errors == ():
            raise ValueError(
                "is empty, so nothing would ever be tried again; leave it out for the usual ones"
            )
        for one in errors or ():
            if not _NAME.fullmatch(str(one)) and codes_of(one) is None:
                raise ValueError(
                    f"{one} is no name of an exception, and no status code such as 503 or 500-599"
                )
        return errors

    @property
    def only_when_nothing_happened(self) -> bool:
        """Whether a call is made again only when its tool says that it had no effect."""
        return self.errors is not None and {*self.errors} == {NOTHING_HAPPENED}


def codes_of(code: str | int) -> range | None:
    """The status codes that are meant; None when it is a name.

    >>> codes_of("500-599")
    range(500, 600)
    """
    found = _STATUS.fullmatch(str(code))
    if found is None:
        return None
    first, last = int(found[1]), int(found[2] or found[1])
    return range(first, last + 1) if first <= last else None


class RateRule(Section):
    """How many calls may begin in how many seconds."""

    calls: Annotated[int, Field(ge=1)]
    seconds: Annotated[float, Field(gt=0, le=86_400)]


class BreakerRule(Section):
    """After so many failures in a row, nothing is called for so many seconds; then one call tries it."""

    failures: Annotated[int, Field(ge=1, le=1000)] = 5
    seconds: Seconds = 30.0
