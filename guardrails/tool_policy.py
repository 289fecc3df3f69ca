"""What a tool does to the world, and what the policy says of calling it."""

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, field_validator, model_validator

from ringfence.guardrails.verdicts import Allow, Block, Escalate, Verdict
from ringfence.settings import Section

F = TypeVar("F", bound=Callable[..., Any])

_SPEC_ATTRIBUTE = "__ringfence_tool__"


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a tool says about itself. A tool that says nothing is consequential and reveals nothing."""

    consequential: bool = True
    """The call changes the world: money, data, a message to somebody."""
    idempotent: bool = False
    """The same call twice has the effect of one (MCP's `idempotentHint`)."""
    reveals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Argument name → entity types whose real values the tool may see in that argument."""
    idempotency_key: str | None = None
    """The argument that takes the call's idempotency key; with the same key the tool acts once."""
    transaction: str | None = None
    """The argument that takes the connection on which the tool's effect is committed with its result."""
    composite: bool = False
    """An agent or a team that runs as a tool: its own steps pass the doors by themselves."""

    @property
    def supplied(self) -> tuple[str, ...]:
        """The arguments that the fence fills in; no model is offered them, or has a say in them."""
        return tuple(name for name in (self.idempotency_key, self.transaction) if name is not None)


def tool(
    *,
    consequential: bool = True,
    idempotent: bool = False,
    reveals: Mapping[str, list[str] | tuple[str, ...]] | None = None,
    idempotency_key: str | None = None,
    transaction: str | None = None,
) -> Callable[[F], F]:
    """Say what a tool does, on the plain typed function that it is.

    >>> @tool(consequential=True, reveals={"to": ["EMAIL_ADDRESS"]}, idempotency_key="key")
    ... def send_email(to: str, body: str, key: str) -> str: ...

    Args:
        consequential: The call changes the world.
        idempotent: The same call twice has the effect of one.
        reveals: Argument name → entity types whose real values the tool may see in that argument.
        idempotency_key: The argument that takes the call's key, a text; with the same key the tool must
            act once.
        transaction: The argument of an async function that takes an SQLAlchemy `AsyncConnection`. What is
            done on it is committed with the record of the result, or not at all; the tool itself neither
            commits nor rolls back.
    """
    spec = ToolSpec(
        consequential=consequential,
        idempotent=idempotent,
        reveals={name: tuple(types) for name, types in (reveals or {}).items()},
        idempotency_key=idempotency_key,
        transaction=transaction,
    )

    def attach(function: F) -> F:
        setattr(function, _SPEC_ATTRIBUTE, spec)
        return function

    return attach


def spec_of(candidate: object) -> ToolSpec:
    """The spec attached to a function or tool; consequential when it says nothing."""
    spec = getattr(candidate, _SPEC_ATTRIBUTE, None)
    return spec if isinstance(spec, ToolSpec) else ToolSpec()


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


_NAME = "tool_policy"


class ToolPolicy:
    """Judges a call of a tool. A pure function of the rules, the spec and the real arguments."""

    def __init__(self, rules: Mapping[str, ToolRule]) -> None:
        self._rules = dict(rules)

    def rule(self, tool: str) -> ToolRule:
        """The rule of a tool: its own name before the first glob that fits, else an empty rule."""
        if tool in self._rules:
            return self._rules[tool]
        return next((rule for glob, rule in self._rules.items() if fnmatchcase(tool, glob)), ToolRule())

    def judge(
        self, tool: str, spec: ToolSpec, arguments: Mapping[str, Any], *, suspicion: str = ""
    ) -> Verdict:
        """Allow, Escalate (a person is asked) or Block; the reason names arguments, never their values.

        With a suspicion, a consequential call waits for a person also where the policy allows it.
        """
        rule = self.rule(tool)
        if rule.decision is Decision.DENY:
            return Block(_NAME, f"the policy denies {tool}")
        for name, argument_rule in rule.arguments.items():
            left_out = name not in arguments and argument_rule != ArgumentRule()
            fault = "is missing" if left_out else argument_rule.fault(arguments.get(name))
            if fault:
                return Block(_NAME, f"argument `{name}` of {tool} {fault}")
        if rule.decision is Decision.APPROVE:
            return Escalate(_NAME, _with(suspicion, f"the policy asks a person before each call of {tool}"))
        if spec.consequential and (suspicion or rule.decision is not Decision.ALLOW):
            return Escalate(_NAME, _with(suspicion, f"{tool} is consequential"))
        return Allow(_NAME)

    def judge_handoff(self, name: str) -> Verdict:
        """Allow or Block; a handoff only changes who speaks, so nobody is asked unless the policy says so."""
        match self.rule(name).decision:
            case Decision.DENY | Decision.APPROVE:
                return Block(_NAME, f"the policy does not allow the handoff {name}")
            case _:
                return Allow(_NAME)


def _with(suspicion: str, reason: str) -> str:
    return f"{reason}, and {suspicion}" if suspicion else reason
