"""Rows of docs/coverage.md: each is a test, which says which kind of part it shows, and how it fares."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from fenced import CANARIES, EMAIL, canaries_in
from scripted import Scripted, call

from ringfence import Ringfence, Status, TeamFactory

F = TypeVar("F", bound=Callable[..., Awaitable[None]])

GROUPS = ("Tools", "Code", "MCP servers", "Agents", "Teams", "Memory", "Models")


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of part, and what the fence does with it."""

    group: str
    kind: str
    is_fenced: bool
    how: str
    """How it is handed in, or why it is refused."""
    test: str
    """The test that shows it."""


ROWS: dict[tuple[str, str], Row] = {}
"""Every row whose test was imported, by group and kind."""


def fenced(group: str, kind: str, how: str) -> Callable[[F], F]:
    """Say that a test shows a kind of part behind the fence."""
    return _row(group, kind, how, is_fenced=True)


def refused(group: str, kind: str, why: str) -> Callable[[F], F]:
    """Say that a test shows a kind of part that the fence does not take."""
    return _row(group, kind, why, is_fenced=False)


def _row(group: str, kind: str, how: str, *, is_fenced: bool) -> Callable[[F], F]:
    def attach(test: F) -> F:
        place = f"{test.__module__.rpartition('.')[2]}.py::{test.__name__}"
        ROWS[group, kind] = Row(group, kind, is_fenced, how, place)
        return test

    return attach


async def runs_once_approved(
    ringfence: Ringfence,
    factory: TeamFactory,
    effects: list[Any],
    *models: Scripted,
    tool: str = "act",
    approvals: int = 1,
) -> str:
    """A call waits for a person, runs once when the person agrees, and no model sees personal data of it.

    The canary's address has to be in the result, and in nothing else. Returns all that models saw.
    """
    conversation = ringfence.conversation(factory)
    await conversation.run(task="Go")
    for _ in range(approvals):
        assert conversation.status is Status.WAITING_FOR_APPROVAL
        assert not effects
        (request,) = conversation.pending_approvals
        assert request.tool == tool
        await conversation.approve(request.id, by="bob")
        await conversation.resume()
    assert conversation.status is Status.DONE
    assert len(effects) == 1
    seen = "\n".join(model.seen for model in models)
    assert not canaries_in(seen)
    assert "<EMAIL_ADDRESS_1>" in seen, "the result reached no model, so nothing was shown"
    return seen


async def is_refused(ringfence: Ringfence, factory: TeamFactory, why: str) -> None:
    """The walk names the part and the reason, once."""
    said = [fault.message for fault in await ringfence.check(factory)]
    assert [one for one in said if why in one], said


def asks(tool: str = "act", arguments: str = '{"what": "it"}', *more: Any) -> Scripted:
    """A model that asks for one call of a tool, and then says that it is done."""
    return Scripted([call(tool, arguments)], *(more or ("Done.",)))


DESCRIBED: Mapping[str, Any] = {"tools": {"act": {}}}
"""A policy for a tool that cannot say what it does: it is consequential."""
RESULT = f"done for {EMAIL}"
"""What a tool gives back: personal data that no model may see."""
assert EMAIL in CANARIES.values()
