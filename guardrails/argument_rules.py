"""What the policy says of one argument of a tool's calls."""

import re
import warnings
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

import regex
from pydantic import Field, field_validator, model_validator

from ringfence.guardrails.decision import Decision, Otherwise
from ringfence.guardrails.plain_numbers import plain_number
from ringfence.guardrails.sources import SourceKind
from ringfence.settings import Section

_PATTERN_SECONDS = 0.1
"""Longest time that a pattern may take; a value that takes longer was made to."""


class Span(StrEnum):
    """Over what a total is counted."""

    CONVERSATION = "conversation"
    RUN = "run"
    """From a task to its answer, however often it is resumed."""


class ArgumentRule(Section):
    """What one argument may be; checked on the real value, as the tool would see it."""

    pattern: str | None = None
    """A regular expression that the whole value must match."""
    one_of: tuple[str | int | float | bool, ...] | None = None
    minimum: Annotated[float, Field(allow_inf_nan=False)] | None = None
    maximum: Annotated[float, Field(allow_inf_nan=False)] | None = None
    maximum_length: Annotated[int, Field(ge=0)] | None = None
    """Characters of a text, or items of a list."""
    total_maximum: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)] | None = None
    """What the values of all calls together may come to; one below zero never fits."""
    per: Span = Span.CONVERSATION
    """Over what the total is counted."""
    decision: Decision | None = None
    """What follows when the argument is given and fits; None: what the tool's rule says."""
    otherwise: Otherwise = Otherwise.DENY
    """What follows when it does not fit, or is left out."""
    from_: Annotated[tuple[SourceKind, ...], Field(min_length=1)] | None = Field(None, alias="from")
    """Who may have supplied the value; None: what holds for every argument."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                with warnings.catch_warnings(action="error"):
                    re.compile(pattern)
                    regex.compile(pattern)  # type: ignore[no-untyped-call]  # regex has no types
            except (re.error, regex.error, OverflowError, RecursionError, Warning) as error:
                raise ValueError(f"is no regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is greater than maximum, so no value would ever pass")
        if self.one_of == ():
            raise ValueError("one_of is empty, so no value would ever pass")
        if self.total_maximum is not None and self.minimum is not None and self.minimum < 0:
            raise ValueError("minimum is below 0, and what is below 0 never fits a total_maximum")
        if self.per is not Span.CONVERSATION and self.total_maximum is None:
            raise ValueError("per counts a total, and there is no total_maximum")
        alone = self.model_copy(update={"one_of": None})
        if self.one_of is not None and all(alone.fault(one) for one in self.one_of):
            raise ValueError("what else is said here lets none of one_of pass, so no value would ever pass")
        return self

    @property
    def constrains(self) -> bool:
        """Whether it says what the value has to be, so that there has to be one."""
        said = (self.pattern, self.one_of, self.minimum, self.maximum, self.maximum_length)
        return any(one is not None for one in (*said, self.total_maximum))

    def fault(self, value: object) -> str:
        """What is wrong with a value, without quoting it; empty when it may pass."""
        if self.one_of is not None and not any(_same(value, one) for one in self.one_of):
            return "is none of the values that the policy allows"
        if self.maximum_length is not None:
            if not isinstance(value, str | list | tuple):
                return "is neither a text nor a list"
            if len(value) > self.maximum_length:
                return f"is longer than {self.maximum_length}"
        if self.pattern is not None and not (isinstance(value, str) and _matches(self.pattern, value)):
            return "does not match what the policy allows"
        return self._number_fault(value)

    def _number_fault(self, value: object) -> str:
        if self.minimum is None and self.maximum is None and self.total_maximum is None:
            return ""
        number = plain_number(value)
        if number is None:
            return "is not a number"
        # As written: 19.99 as a float is a little less than 19.99.
        if self.minimum is not None and number < Decimal(str(self.minimum)):
            return f"is below {self.minimum:g}"
        if self.maximum is not None and number > Decimal(str(self.maximum)):
            return f"is above {self.maximum:g}"
        if self.total_maximum is not None and number < 0:
            return "is below 0"  # it would make room for more
        return ""


def _same(value: object, allowed: object) -> bool:
    # Python takes True for 1.
    return value == allowed and isinstance(value, bool) == isinstance(allowed, bool)


def _matches(pattern: str, value: str) -> bool:
    try:
        found = regex.fullmatch(pattern, value, timeout=_PATTERN_SECONDS)  # type: ignore[no-untyped-call]  # as above
    except TimeoutError:
        return False
    return found is not None
