"""An attack on a team, what is left when it is over, and what must hold then."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from autogen_agentchat.base import TaskResult
from autogen_agentchat.messages import ModelClientStreamingChunkEvent
from fenced import Talk, audit, audit_text
from scripted import Scripted

from ringfence import Fence, GuardrailTripped, Ringfence, RingfenceError, Status
from tests.adversarial.victims import NoFence, Parts, Shape, Tools, obedient, one_agent

House = Callable[..., Ringfence]
NOTHING: Mapping[str, Any] = {}
_LONGEST_SECONDS = 30.0  # no measure of speed: other programs may take most of the machine


@dataclass(frozen=True)
class Attack:
    """What an attacker controls."""

    tasks: Sequence[Any] = ("Please go on.",)
    replies: Sequence[Any] = ()
    """Of the model; none of them: it is the obedient one."""
    found: Any = "Nothing to see here."
    """What the tool `look` gives back or raises."""
    describes: str = ""
    """What the tool `act` says of itself."""
    memory: tuple[str, ...] = ()
    system: str = "You are the desk."
    team: Shape = one_agent
    model: Callable[[], Any] | None = None
    streams: bool = False
    approver: Any = None

    def parts(self) -> Parts:
        """Fresh parts for one team."""
        model = self.model or (lambda: Scripted(*self.replies) if self.replies else obedient())
        tools = Tools(found=self.found, describes=self.describes)
        return Parts(tools, model=model, memory=self.memory, system=self.system, streams=self.streams)


@dataclass
class Seen:
    """What is left of an attack."""

    parts: Parts
    conversation: Talk | None = None
    ringfence: Ringfence | None = None
    results: list[TaskResult] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    """Everything that the user was shown, pieces of messages included."""
    errors: list[RingfenceError] = field(default_factory=list)

    @property
    def done(self) -> list[tuple[str, dict[str, Any]]]:
        """The calls that had consequences."""
        return self.parts.tools.done

    @property
    def talk(self) -> Talk:
        """The conversation, which there has to be."""
        assert self.conversation is not None, self.errors
        return self.conversation

    @property
    def house(self) -> Ringfence:
        """The Ringfence, which there has to be."""
        assert self.ringfence is not None, self.errors
        return self.ringfence

    @property
    def read(self) -> str:
        """Everything that the models were ever shown."""
        return "\n".join(model.seen for model in self.parts.made if isinstance(model, Scripted)).strip()

    @property
    def pieces(self) -> str:
        """The pieces of messages that the user was shown, put together."""
        chunks = [one for one in self.events if isinstance(one, ModelClientStreamingChunkEvent)]
        return "".join(one.content for one in chunks)

    @property
    def shown(self) -> str:
        """All that the user was shown, as one text."""
        return self.pieces + "\n".join(str(one.model_dump()) for one in self.events)

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The audit lines of an event."""
        return [line for line in audit(self.house) if line["event"] == event]


Holds = Callable[[Seen], None]
"""Fails when something does not hold that must hold after an attack."""


@dataclass(frozen=True)
class Case:
    """One attack: its class, what it is, the policy it meets, and what must hold afterwards."""

    risk: str
    name: str
    attack: Attack
    holds: Sequence[Holds]
    policy: Mapping[str, Any] = field(default_factory=dict)
    validators: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    """Makes validators that the policy uses by these names."""

    def __str__(self) -> str:
        return f"{self.risk} {self.name}"

    def streamed(self) -> Attack:
        """The same attack on a team that writes piece by piece."""
        return replace(self.attack, streams=True)


async def attacked(house: House, attack: Attack, policy: Mapping[str, Any] = NOTHING) -> Seen:
    """Run the attack against a team behind the fence; what goes wrong on purpose is part of what is seen."""
    seen = Seen(attack.parts())

    def factory(fence: Fence) -> Any:
        return attack.team(fence, seen.parts)

    try:
        seen.ringfence = house(**policy)
    except RingfenceError as error:
        seen.errors.append(error)
        return seen
    seen.conversation = seen.ringfence.conversation(factory, approver=attack.approver)
    for task in attack.tasks:
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                async for item in seen.conversation.run_stream(task=task):
                    if isinstance(item, TaskResult):
                        seen.results.append(item)
                    else:
                        seen.events.append(item)
        except RingfenceError as error:
            seen.errors.append(error)
    return seen


async def unfenced(attack: Attack) -> Seen:
    """The same team without a fence."""
    seen = Seen(attack.parts())
    team = attack.team(NoFence(), seen.parts)
    for task in attack.tasks:
        with suppress(RuntimeError):
            seen.results.append(await team.run(task=task))
    return seen


# What may have to hold


def nothing_done(seen: Seen) -> None:
    """No call had consequences."""
    assert seen.done == []


def done(*calls: tuple[str, dict[str, Any]]) -> Holds:
    """Exactly these calls had consequences."""

    def holds(seen: Seen) -> None:
        assert seen.done == [*calls]

    return holds


def waits_for(tool: str, *, times: int = 1) -> Holds:
    """A person is asked before the tool runs."""

    def holds(seen: Seen) -> None:
        assert [one.tool for one in seen.talk.pending_approvals] == [tool] * times
        assert seen.talk.status is Status.WAITING_FOR_APPROVAL

    return holds


def warned(*signs: str) -> Holds:
    """Who is asked is told what speaks for an attack, and none of its words."""

    def holds(seen: Seen) -> None:
        for request in seen.talk.pending_approvals:
            assert "shows signs of an attack" in request.reason
            for sign in signs:
                assert sign in request.reason
            assert "Ignore" not in request.reason
        assert seen.talk.pending_approvals

    return holds


def not_shown(*words: str) -> Holds:
    """The user was shown none of these, not in pieces either."""

    def holds(seen: Seen) -> None:
        assert [word for word in words if word in seen.shown] == []
        assert [word for word in words if word in str(seen.talk.transcript)] == []

    return holds


def shown(*words: str) -> Holds:
    """The user was shown all of these."""

    def holds(seen: Seen) -> None:
        assert [word for word in words if word not in seen.shown] == []

    return holds


def not_read(*words: str) -> Holds:
    """No model was shown any of these."""

    def holds(seen: Seen) -> None:
        assert seen.read or seen.errors, "no model was asked"
        assert [word for word in words if word in seen.read] == []

    return holds


def nowhere(*words: str) -> Holds:
    """These are in no prompt, no audit line, no transcript, no error, and no tool got them."""

    def holds(seen: Seen) -> None:
        everything = [
            seen.read,
            audit_text(seen.house),
            str(seen.talk.transcript),
            repr(seen.talk),
            str(seen.done),
            *map(str, seen.errors),
        ]
        assert [word for word in words if any(word in place for place in everything)] == []

    return holds


def told(*words: str) -> Holds:
    """A model was told these, so that it can do better."""

    def holds(seen: Seen) -> None:
        assert [word for word in words if word not in seen.read] == []

    return holds


def ended(status: Status) -> Holds:
    """The last run ended so."""

    def holds(seen: Seen) -> None:
        assert seen.talk.status is status, seen.errors

    return holds


def tripped(guardrail: str, *, point: str = "", crashed: bool = False) -> Holds:
    """A guardrail blocked, and says whether it said no or broke."""

    def holds(seen: Seen) -> None:
        (error,) = seen.errors
        assert isinstance(error, GuardrailTripped), repr(error)
        assert (error.guardrail, error.crashed) == (guardrail, crashed)
        assert point in {"", error.point}

    return holds


def refused(kind: type[RingfenceError], *words: str) -> Holds:
    """The team, or the policy, was not taken at all, and the error says why."""

    def holds(seen: Seen) -> None:
        (error,) = seen.errors
        assert type(error) is kind, repr(error)
        assert [word for word in words if word not in str(error)] == []
        assert seen.read == ""

    return holds


def used_at_most(**limits: int) -> Holds:
    """No more than this was used."""

    def holds(seen: Seen) -> None:
        for kind, limit in limits.items():
            assert getattr(seen.talk.usage, kind) <= limit, kind

    return holds
