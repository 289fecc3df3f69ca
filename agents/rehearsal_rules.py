r"""The rules by which a rehearsal model answers: which words call for which answer.

    patterns:                                    # names for what several rules look for
      order: '\b\d{4,6}\b'
    roles:
      - match: ^You are the desk                 # searched in the system message; left out: any agent
        rules:                                   # the first rule that fits answers
          - when: {user: [refund, '{order}'], not_called: refund}
            call: [{tool: refund, arguments: {order_id: '{order}'}}]
          - when: {result: {refund: '"receipt": "(?P<receipt>[^"]+)'}, called: refund}
            say: It is refunded, receipt {receipt}.
    otherwise: This is a rehearsal, and I have no line for that.

Patterns are regular expressions, searched without regard to case, in which `.` matches line ends too. Where
one may stand, a list may stand, and all of it must be found. `{order}` in a pattern stands for the pattern of
that name and remembers what it found; `(?P<name>...)` remembers too. A pattern that ends in `|$` may also
find nothing. In texts and arguments `{order}` is what was found under that name, `{order|number}` the first
of the two that is not empty, `{user}` and `{last}` are the whole texts, and `{{order}}` is written `{order}`.

Where several roles match an agent, their rules stand one after the other.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from ringfence.agents.rehearsal_patterns import (
    NamedPattern,
    Names,
    Pattern,
    Patterns,
    fault_in,
    names_in,
    unknown_fields,
)
from ringfence.errors import PolicyError
from ringfence.located_yaml import Document, Loc
from ringfence.policy_file import SectionError, in_order, validate
from ringfence.settings import Section

__all__ = ["Each", "Role", "Rule", "Rules", "ToolUse", "When", "rules_from"]


class When(Section):
    """What has to be so for a rule to answer. A key that is left out asks for nothing."""

    user: Patterns = ()
    """Searched in the latest message from the user."""
    last: Patterns = ()
    """Searched in the last message, whoever it is from."""
    said: Patterns = ()
    """Searched in what this agent itself said last, for example a question that the user now answers."""
    heard: Patterns = ()
    """Searched in every message of the conversation, newest first; tool results are not among them."""
    since: Patterns = ()
    """Searched in every message and tool result since the latest message from the user, newest first."""
    not_heard: Patterns = ()
    """None of these may be found in any message of the conversation."""
    result: dict[str, Patterns] = Field(default_factory=dict)
    """Tool → searched in its newest result in this agent's context."""
    called: Names = ()
    """Tools that this agent has called, all of them, since the latest message from the user."""
    not_called: Names = ()
    """Tools that this agent has called, none of them, since the latest message from the user."""

    def patterns(self) -> Iterator[tuple[Loc, str]]:
        """Every pattern and where it stands."""
        for key in ("user", "last", "said", "heard", "since", "not_heard"):
            yield from _located((key,), getattr(self, key))
        for tool, patterns in self.result.items():
            yield from _located(("result", tool), patterns)


class Each(Section):
    """A line for each thing that a tool's newest result lists."""

    result: str
    """The tool."""
    find: Pattern
    """Finds one thing of the list."""
    say: str
    """The line, with what was found put in."""


class ToolUse(Section):
    """A call of a tool."""

    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class Rule(Section):
    """One answer and when it is given."""

    when: When = When()
    say: str | tuple[str, ...] | dict[str, Any] | None = None
    """A text; a list of texts, of which the agent says one after the other; or a mapping, said as JSON."""
    call: tuple[ToolUse, ...] = ()
    """Tools to call, all at once. The rule is passed over unless all of them are offered."""
    thought: str | None = None
    """Reasoning beside the answer; beside a call, `say` serves as one too."""
    each: dict[str, Each] = Field(default_factory=dict)
    """Name → the lines that the other texts of the rule put in under this name."""

    def patterns(self) -> Iterator[tuple[Loc, str]]:
        """Every pattern and where it stands."""
        yield from ((("when", *loc), pattern) for loc, pattern in self.when.patterns())
        yield from ((("each", name, "find"), each.find) for name, each in self.each.items())

    @model_validator(mode="after")
    def _can_answer(self) -> Self:
        found = {"user", "last", *names_in(pattern for _, pattern in self.when.patterns())}
        known = {*found, *self.each}
        problems = [
            *unknown_fields(("say",), self.say, known),
            *unknown_fields(("thought",), self.thought, known),
        ]
        for number, use in enumerate(self.call):
            problems += unknown_fields(("call", number, "arguments"), use.arguments, known)
        for name, each in self.each.items():
            problems += unknown_fields(("each", name, "say"), each.say, {*found, *names_in([each.find])})
        if not self.say and not self.call:
            problems.append(((), "a rule needs `say` or `call`"))
        if problems:
            raise SectionError(*problems)
        return self


class Role(Section):
    """The rules of one kind of agent."""

    match: Patterns = ()
    """Searched in the agent's system message."""
    rules: tuple[Rule, ...] = ()
    otherwise: str | None = None
    """Said when no rule fits."""


class Rules(Section):
    """A file of rules."""

    patterns: dict[str, NamedPattern] = Field(default_factory=dict)
    """Name → what `{name}` stands for in the patterns of the rules."""
    roles: tuple[Role, ...]
    otherwise: str = "This is a rehearsal model, not a language model, and no rule of it fits what was said."
    """Said when no rule fits and no role that matches has its own `otherwise`."""

    @model_validator(mode="after")
    def _patterns_hold_together(self) -> Self:
        problems = [
            (loc, fault) for loc, each in self._patterns() if (fault := fault_in(each, self.patterns))
        ]
        if problems:
            raise SectionError(*problems)
        return self

    def _patterns(self) -> Iterator[tuple[Loc, str]]:
        for number, role in enumerate(self.roles):
            yield from _located(("roles", number, "match"), role.match)
            for position, rule in enumerate(role.rules):
                for loc, pattern in rule.patterns():
                    yield ("roles", number, "rules", position, *loc), pattern


def rules_from(value: Any) -> Rules:
    """Rules written in Python: the mapping that a file would hold, or the list of one any-agent's rules.

    Raises:
        PolicyError: Something is wrong with them; it lists everything that is.
    """
    if isinstance(value, Rules):
        return value
    data = dict(value) if isinstance(value, Mapping) else {"roles": [{"rules": list(value)}]}
    document = Document(file="", data=data)
    rules = validate(document, Rules)
    if rules is None:
        raise PolicyError(in_order(document.faults))
    return rules


def _located(loc: Loc, patterns: Patterns) -> Iterator[tuple[Loc, str]]:
    if isinstance(patterns, str):
        yield loc, patterns
    else:
        yield from (((*loc, number), pattern) for number, pattern in enumerate(patterns))
