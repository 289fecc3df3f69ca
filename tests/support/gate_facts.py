"""What a test of the gate knows: tools, policies, conversations, and what people said yes to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

READ_ONLY, PLAIN, IDEMPOTENT, KEYED, BOOKED = "look", "pay", "file", "order", "book"
"""The tools, by what they say of themselves; the last one works in the transaction of the journal."""
TOOLS = (READ_ONLY, PLAIN, IDEMPOTENT, KEYED, BOOKED)
MAY_REPEAT = frozenset({READ_ONLY, IDEMPOTENT, KEYED, BOOKED})
"""What may be begun again without asking anybody, when nobody knows how it ended."""

Arguments = Mapping[str, Any]


def spelled(arguments: Arguments) -> str:
    """Arguments as one text, to compare them."""
    return json.dumps(arguments, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Law:
    """A policy, and what it says of the calls in this test, told a second time by the test itself."""

    name: str
    sections: Mapping[str, Any]
    denied: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset({READ_ONLY})
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The values of `what` that a tool may get."""
    deciders: frozenset[str] | None = None
    """Who may decide; None: everybody who gives a name."""
    needed: int = 1
    """How many different people have to say yes."""
    total: int | None = None
    """The sum of `amount` that all payments of a conversation may come to."""

    def forbids(self, tool: str, arguments: Arguments) -> bool:
        """Whether no person could let this call through."""
        return tool in self.denied or arguments["what"] not in self.only.get(tool, {arguments["what"]})

    def asks(self, tool: str) -> bool:
        """Whether a person has to say yes to each call."""
        return tool not in self.allowed


@dataclass
class Talk:
    """A conversation, as the test knows it."""

    name: str
    shape: str
    prompt: int = 0
    """The version of its prompts."""
    plan: list[Any] = field(default_factory=list)
    """What its models are going to say."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Each call that a model asked for: tool, and arguments spelled."""
    is_poisoned: bool = False
    """A model was shown an instruction that a stranger wrote."""
    twists: bool = False
    """Its team changes the arguments of calls after they were cleared."""


@dataclass
class Setting:
    """Under which policy and which prompts a team that was built acts."""

    talk: Talk
    law: Law
    prompt: int
    begun_before: frozenset[tuple[int, str]] = frozenset()
    """The steps that had begun when its run began."""


class Grant(NamedTuple):
    """A request that people decided with yes, through the API."""

    kind: str
    """`approval` or `doubt`."""
    tool: str
    arguments: str
    expires_at: float
    law: str
    prompt: int
    by: frozenset[str]
    """Who said yes to exactly these arguments."""


class Start(NamedTuple):
    """A row of the journal that says that a call began: which step, and when."""

    turn: int
    key: str
    at: float


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that a tool did to the world."""

    talk: str
    tool: str
    arguments: str
    key: str
    """The idempotency key that the tool got, if it asks for one."""
    starts: tuple[Start, ...]
    """The rows that were there for it, and licensed it."""
