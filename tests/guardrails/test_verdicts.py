"""Verdicts are joined by strictness."""

import itertools

import pytest

from ringfence.guardrails.verdicts import Allow, Block, Escalate, Halt, Rewrite, Verdict, strictest

MILDEST_FIRST: list[Verdict] = [
    Allow("a"),
    Rewrite("b", "text"),
    Escalate("c", "why"),
    Block("d", "why"),
    Halt("e", "why"),
]


@pytest.mark.parametrize(("milder", "stricter"), [*itertools.combinations(MILDEST_FIRST, 2)])
def test_the_strictest_counts(milder: Verdict, stricter: Verdict) -> None:
    """In whatever order they were given."""
    assert strictest([milder, stricter]) is strictest([stricter, milder]) is stricter


def test_the_first_of_equals_counts() -> None:
    """First listed is outermost."""
    first, second = Block("first", "why"), Block("second", "why")
    assert strictest([Allow(), first, second]) is first


def test_nothing_said_is_allowed() -> None:
    """Where no guardrail stands, nothing is in the way."""
    assert strictest([]) == Allow()
