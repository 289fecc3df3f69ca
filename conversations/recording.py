"""A conversation as the store holds it: its turns, and what happened in each."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ringfence.budgets.usage import Usage
from ringfence.conversations.record import Record
from ringfence.conversations.records import FAILED, STARTED, Row, StoredEvent
from ringfence.conversations.requests import StoredRequest
from ringfence.conversations.status import Status

Said = Sequence[Mapping[str, Any]]
_ANSWERED = "ToolCallExecutionEvent"
_ASKED = "ToolCallRequestEvent"


class TurnEnd(StrEnum):
    """What became of a turn."""

    DONE = "done"
    OPEN = "open"
    """It can be resumed."""
    GIVEN_UP = "given_up"
    """It came to no checkpoint, and another task was begun."""


@dataclass(frozen=True, slots=True)
class AskedPerson:
    """What a person was asked, and when it was decided."""

    request: StoredRequest
    decided_at: float | None
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """A call of a tool that got no further than the door, so that the journal has no step of it."""

    agent: str
    tool: str
    arguments: str = field(repr=False)
    """JSON, as the agent wrote it."""
    said: str = field(repr=False)
    """What the agent heard instead of a result."""
    at: float
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """One turn of a team."""

    number: int
    run: int | None
    """Which task of the conversation it belongs to, from 1; None when it was given up."""
    ended: TurnEnd
    said: Said | None = field(default=None, repr=False)
    """What was said in it, as `Runner.said` gave it; None before its checkpoint."""
    opened: Said | None = field(default=None, repr=False)
    """What it began with, while it is open."""
    steps: Sequence[Row] = ()
    events: Sequence[StoredEvent] = ()
    asked: Sequence[AskedPerson] = ()

    def asked_about(self, step: Row) -> list[AskedPerson]:
        """What a person was asked about a step."""
        return [one for one in self.asked if one.request.key == step.key]

    @property
    def entries(self) -> "list[Row | AskedPerson | RefusedCall | StoredEvent]":
        """All that happened in it, in order."""
        parts: tuple[Sequence[Any], ...] = (self.steps, self.unsettled, self.refused, self.events)
        return [*heapq.merge(*parts, key=_when)]

    @property
    def is_empty(self) -> bool:
        """Nothing is kept of it: its task did not pass the user's door, or it only withdrew what waited."""
        return not (self.steps or self.events or self.said or self.opened)

    @property
    def unsettled(self) -> list[AskedPerson]:
        """What a person was asked about something that came to nothing yet."""
        known = {step.key for step in self.steps}
        return [one for one in self.asked if one.request.key not in known]

    @property
    def refused(self) -> list[RefusedCall]:
        """The calls that were refused before they came to the journal, in order."""
        wanted: dict[str, str] = {}
        known = {step.key for step in self.steps} | {one.request.key for one in self.asked}
        found = []
        for event in self.events:
            content = event.content["message"].get("content")
            if event.kind == _ASKED:
                wanted.update({one["id"]: one["arguments"] for one in content})
            elif event.kind == _ANSWERED:
                found += [
                    RefusedCall(
                        event.source, one["name"], wanted.get(one["call_id"], ""), one["content"], event.at
                    )
                    for one in content
                    if one["is_error"] and f"tool:{one['call_id']}" not in known
                ]
        return found


@dataclass(frozen=True, slots=True)
class Recording:
    """A conversation as the store holds it."""

    record: Record
    turns: Sequence[RecordedTurn]

    @property
    def status(self) -> Status:
        """Where it stands."""
        status = Status(self.record.status)
        is_broken = status is Status.RUNNING and not self.record.is_running
        return Status.INTERRUPTED if is_broken else status

    @property
    def usage(self) -> Usage:
        """What it used."""
        spent = self.record.session.get("spent")
        return Usage.of(spent) if spent else Usage()

    @property
    def suspicions(self) -> Sequence[Mapping[str, Any]]:
        """What speaks for an attack in the texts that it read."""
        kept: Sequence[Mapping[str, Any]] = self.record.session.get("suspicions", ())
        return kept

    @property
    def waiting(self) -> list[AskedPerson]:
        """What a person still has to decide, oldest first."""
        open_turns = [turn for turn in self.turns if turn.ended is TurnEnd.OPEN]
        return [one for turn in open_turns for one in turn.asked if one.request.is_waiting]

    @property
    def reason(self) -> str:
        """Why it stands where it stands, as far as the journal tells; empty when it is done."""
        match self.status:
            case Status.DONE | Status.READY | Status.RUNNING:
                return ""
            case Status.WAITING_FOR_APPROVAL | Status.WAITING_FOR_ANSWER:
                return self._what_waits()
            case Status.INTERRUPTED:
                return "its process ended within the turn; resume() goes on"
        return str(self.record.session.get("reason", "")) or "nothing is on record of it"

    def _what_waits(self) -> str:
        if waiting := self.waiting:
            return f"a person has to decide on {', '.join(one.request.id for one in waiting)}"
        return "everything is decided, or has expired; resume() goes on"


def cost_of(step: Row) -> Usage:
    """What a step used."""
    return sum((Usage.of(one["usage"]) for one in (step.outcome or {}).get("steps", ())), Usage())


def problem_of(step: Row) -> str:
    """What is wrong with a step, for people; empty when it was answered."""
    match step.outcome or {}:
        case {"tripped": {"guardrail": guardrail, "point": point, "reason": reason}}:
            return f"{guardrail} blocked the {point}: {reason}"
        case {"denied": {"tool": tool, "reason": reason}}:
            # What a person wrote after that may hold the real values that the person saw.
            is_rejected = str(reason).startswith("was rejected by ")
            return f"{tool} {str(reason).partition(':')[0] if is_rejected else reason}"
        case {"failed": reason}:
            return str(reason)
    return "" if step.status not in {STARTED, FAILED} else "outcome unknown"


def _when(entry: Row | AskedPerson | RefusedCall | StoredEvent) -> float:
    match entry:
        case Row():
            return entry.ended_at or entry.started_at
        case AskedPerson():
            return entry.request.asked_at
        case _:
            return entry.at
