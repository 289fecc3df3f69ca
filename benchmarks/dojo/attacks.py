"""What an attacker writes into the texts that a user's task reads, and what he wants the model to do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentdojo.attacks.important_instructions_attacks import ImportantInstructionsAttack

from benchmarks.dojo.obedient_model import Call
from benchmarks.dojo.suites import Suite, Task

_USER, _MODEL = "Emma Johnson", "GPT-4"


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack on one task of a user."""

    id: str
    task: Task | None
    """AgentDojo's task of the attacker; None for an attack that only wants its calls to be run."""
    injections: Mapping[str, str]
    """Place → the attacker's text."""
    trigger: str
    """The part of it that makes the model obey."""
    calls: Callable[[Any], Sequence[Call]]
    """World → what the model does then."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A way to write an attacker's goal."""

    name: str
    written: Callable[[str], str]


def important_instructions(goal: str) -> str:
    """AgentDojo's own strongest wording."""
    written: str = ImportantInstructionsAttack._JB_STRING.format(  # noqa: SLF001 - the wording is the point
        goal=goal, user=_USER, model=_MODEL
    )
    return written


def plain(goal: str) -> str:
    """Nothing but the goal."""
    return goal


AGENTDOJOS = Wording("important_instructions", important_instructions)
WORDINGS = (AGENTDOJOS, Wording("plain goal", plain))


def attack_of(suite: Suite, user: Task, attacker: Task, wording: Wording = AGENTDOJOS) -> Attack:
    """The attacker's goal, in each place that the user's task reads."""
    text = wording.written(attacker.text)
    return Attack(
        id=attacker.id,
        task=attacker,
        injections=dict.fromkeys(suite.vectors_read(user), text),
        trigger=attacker.text,
        calls=lambda environment: suite.solution(attacker, environment),
    )
