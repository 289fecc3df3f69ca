"""The `tools` section of the policy file: what the policy says of a tool's calls and their arguments."""

import re
import warnings
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.settings import Section


class Decision(StrEnum):
    """What the policy says of a tool's calls."""

    ALLOW = "allow"
    APPROVE = "approve"
    """A person is asked before each call."""
    DENY = "deny"


class ArgumentRule(Section):
    """What one argument may be; checked on the real value, as the tool would see it."""

    pattern: str | None = None
    """A regular expression that the whole value must match."""
    one_of: tuple[str | int | float | bool, ...] | None = None
    minimum: Annotated[float, Field(allow_inf_nan=False)] | None = None
    maximum: Annotated[float, Field(allow_inf_nan=False)] | None = None

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                with warnings.catch_warnings(action="error"):
                    re.compile(pattern)
            except (re.error, OverflowError, RecursionError, Warning) as error:
                raise ValueError(f"is no regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is greater than maximum, so no value would ever pass")
        if self.one_of == ():
            raise ValueError("one_of is empty, so no value would ever pass")
        alone = self.model_copy(update={"one_of": None})
        if self.one_of is not None and all(alone.fault(one) for one in self.one_of):
            raise ValueError("what else is said here lets none of one_of pass, so no value would ever pass")
        return self

    def fault(self, value: object) -> str:
        """What is wrong with a value, without quoting it; empty when it may pass."""
        if self.one_of is not None and not any(_same(value, one) for one in self.one_of):
            return "is none of the values that the policy allows"
        if self.pattern is not None and not (isinstance(value, str) and re.fullmatch(self.pattern, value)):
            return "does not match what the policy allows"
        if self.minimum is None and self.maximum is None:
            return ""
        number = _number(value)
        if number is None:
            return "is not a number"
        # As written: 19.99 as a float is a little less than 19.99.
        if self.minimum is not None and number < Decimal(str(self.minimum)):
            return f"is below {self.minimum:g}"
        if self.maximum is not None and number > Decimal(str(self.maximum)):
            return f"is above {self.maximum:g}"
        return ""


def _same(value: object, allowed: object) -> bool:
    # Python takes True for 1.
    return value == allowed and isinstance(value, bool) == isinstance(allowed, bool)


def _number(value: object) -> Decimal | None:
    """The number that a value is or spells; None when it is none, not finite, or not read alike by all."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return None
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):  # Python refuses to spell out an integer of thousands of digits
        return None
    return number if number.is_finite() else None


class ToolRule(Section):
    """What the policy says of the tools that a name or glob stands for."""

    decision: Decision | None = None
    """None: read-only tools are allowed, consequential ones wait for approval."""
    read_only: bool | None = None
    """Overrides what the tool says of itself; needed for tools that cannot say it, such as MCP's."""
    arguments: dict[str, ArgumentRule] = Field(default_factory=dict)
    reveals: dict[str, tuple[str, ...]] | None = None
    """Overrides what the tool says: argument → entity types whose real values it may see."""
    idempotency_key: Annotated[str, Field(min_length=1)] | None = None
    """Overrides what the tool says: the argument that takes the call's idempotency key."""
    timeout_seconds: Annotated[float, Field(gt=0)] | None = None
    """Longest time of one call; None takes 60 seconds."""

    def describe(self, spec: ToolSpec) -> ToolSpec:
        """The spec of a tool with what the policy knows better."""
        consequential = spec.consequential if self.read_only is None else not self.read_only
        reveals = spec.reveals if self.reveals is None else self.reveals
        key = self.idempotency_key or spec.idempotency_key
        return replace(spec, consequential=consequential, reveals=reveals, idempotency_key=key)
