"""The `tools` section of the policy file: what the policy says of a tool's calls and their arguments."""

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Annotated, Self, TypeVar

from pydantic import Field, model_validator

from ringfence.guardrails.approval_deciders import ToolApprovals
from ringfence.guardrails.argument_rules import ArgumentRule
from ringfence.guardrails.decision import Decision, Otherwise
from ringfence.guardrails.delivery_rules import BreakerRule, RateRule, RetryRule
from ringfence.guardrails.hours import Hours
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.settings import Section

Autonomy = Annotated[int, Field(ge=1, le=4)]
"""1: a person is asked before every call. 2: before every consequential one. 3: calls run within the policy,
and some are noted for review. 4: they run within the policy."""
_Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]

T = TypeVar("T")


class ToolRule(Section):
    """What the policy says of the tools that a name or glob stands for."""

    decision: Decision | None = None
    """None: what `autonomy` says."""
    autonomy: Autonomy | None = None
    """None: the policy's own; with `decision: allow`, 4."""
    roles: _Names | None = None
    """One of them must be the user's; None: every user's calls may run."""
    hours: Annotated[tuple[Hours, ...], Field(min_length=1)] | None = None
    """When it may be called; None: always."""
    otherwise: Otherwise = Otherwise.DENY
    """What follows outside the hours."""
    dry_run: bool = False
    """Calls pass the whole gate, and are not run."""
    read_only: bool | None = None
    """Overrides what the tool says of itself; needed for tools that cannot say it, such as MCP's."""
    destructive: bool | None = None
    """Likewise: it takes something away or overwrites it."""
    idempotent: bool | None = None
    """Likewise: the same call twice has the effect of one."""
    open_world: bool | None = None
    """Likewise: it reaches what strangers write or see."""
    trusted: bool | None = None
    """Likewise: only the operator or the user can write what it gives back."""
    free_text: tuple[str, ...] | None = None
    """Likewise: arguments that hold prose."""
    words: tuple[str, ...] | None = None
    """Likewise: words by which a user asks for it, beside those of its name."""
    arguments: dict[str, ArgumentRule] = Field(default_factory=dict)
    """Name or glob of arguments → what they may be; the exact name comes first."""
    reveals: dict[str, tuple[str, ...]] | None = None
    """Overrides what the tool says: argument → entity types whose real values it may see."""
    idempotency_key: Annotated[str, Field(min_length=1)] | None = None
    """Overrides what the tool says: the argument that takes the call's idempotency key."""
    approvals: ToolApprovals = Field(default_factory=ToolApprovals)
    """Who decides on its calls, in the place of the `approvals` section."""
    timeout_seconds: Annotated[float, Field(gt=0)] | None = None
    """Longest time of one call, with its waits and retries; None takes 60 seconds."""
    retries: RetryRule | None = None
    """When a failed call is made again; None: never. What could act twice is never made again."""
    rate: RateRule | None = None
    """How often it may be called, by all conversations of the process together."""
    concurrency: Annotated[int, Field(ge=1)] | None = None
    """How many of its calls may be under way at once, of all conversations of the process together."""
    breaker: BreakerRule | None = None
    """When it is left alone because it fails again and again."""
    fallback: Annotated[str, Field(min_length=1)] | None = None
    """The tool that takes its place when it is not there; that call passes the whole gate by itself."""
    answer: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    """What a model is told when it is not there, marked as not from the tool."""

    @model_validator(mode="after")
    def _not_contrary(self) -> Self:
        if self.read_only and self.destructive:
            raise ValueError("read_only and destructive contradict each other")
        if self.fallback is not None and self.answer is not None:
            raise ValueError("fallback and answer are both given, and one of them can stand in; keep one")
        return self

    def place(self, argument: str) -> str | None:
        """The name or glob under which the rule of an argument stands; None when it has none."""
        if argument in self.arguments:
            return argument
        return next((glob for glob in self.arguments if fnmatchcase(argument, glob)), None)

    def argument(self, name: str) -> ArgumentRule | None:
        """The rule of an argument: its own name before the first glob that fits."""
        place = self.place(name)
        return None if place is None else self.arguments[place]

    @property
    def has_totals(self) -> bool:
        """Whether a total is counted over several calls."""
        return any(one.total_maximum is not None for one in self.arguments.values())

    def describe(self, spec: ToolSpec) -> ToolSpec:
        """The spec of a tool with what the policy knows better; a tool with a rule is described by it."""
        return replace(
            spec,
            described=True,
            consequential=_said(None if self.read_only is None else not self.read_only, spec.consequential),
            destructive=_said(self.destructive, spec.destructive),
            idempotent=_said(self.idempotent, spec.idempotent),
            open_world=_said(self.open_world, spec.open_world),
            trusted=_said(self.trusted, spec.trusted),
            free_text=_said(self.free_text, spec.free_text),
            words=_said(self.words, spec.words),
            reveals=_said(self.reveals, spec.reveals),
            idempotency_key=self.idempotency_key or spec.idempotency_key,
        )


def _said(here: T | None, there: T) -> T:
    return there if here is None else here
