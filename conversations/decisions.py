"""What was decided in a recorded turn, and where two recordings of it decide otherwise."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringfence.conversations.recording import AskedPerson, RecordedTurn, Recording, problem_of
from ringfence.conversations.records import Row
from ringfence.conversations.requests import QUESTION
from ringfence.guardrails.clearance import canonical
from ringfence.guardrails.texts import parse_arguments

AS_RECORDED = "the recording"
"""Who approves a call in a rerun that nobody was asked about when it was recorded."""
NOT_RECORDED = "[Not recorded]"
"""What the result of a call begins with that was not made when the conversation was recorded."""
STOPPED = "[Ringfence stopped this conversation."
"""What the last message of a team begins with that the fence stopped."""
_NOTHING = "is not there"


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing that was decided."""

    what: str
    """About what, for people."""
    said: str
    """The decision."""
    text: str = field(default="", repr=False)
    """What came of it, if that can be another text."""
    step: int | None = field(default=None, compare=False)
    """Its place among the steps of the conversation, if it is one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that is another one."""

    turn: int | None
    """The turn of the recording; None for the conversation as a whole."""
    step: int | None
    """The step of the recording; None for what has none."""
    what: str
    recorded: str = field(repr=False)
    now: str = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "turn": self.turn,
            "step": self.step,
            "what": self.what,
            "recorded": self.recorded,
            "now": self.now,
        }


@dataclass(frozen=True, slots=True)
class Compared:
    """Two recordings side by side."""

    differences: tuple[Difference, ...]
    equal: int = 0
    """How many decisions are the same."""


def decisions_of(turn: RecordedTurn) -> dict[tuple[str, ...], Decision]:
    """The decisions of a turn, by what they are about; the same thing again has the next number."""
    seen: Counter[tuple[str, ...]] = Counter()
    found: dict[tuple[str, ...], Decision] = {}
    for key, decision in _all(turn):
        seen[key] += 1
        found[*key, str(seen[key])] = decision
    return found


def compare_turns(recorded: RecordedTurn, now: RecordedTurn) -> Compared:
    """Where two recordings of one turn differ."""
    before, after = decisions_of(recorded), decisions_of(now)
    differences, equal = [], 0
    for key in dict.fromkeys([*before, *after]):
        one, other = before.get(key), after.get(key)
        if one == other:
            equal += 1
            continue
        texts = one is not None and other is not None and one.said == other.said
        what = (one or other or Decision("", "")).what
        step = None if one is None else one.step
        differences.append(Difference(recorded.number, step, what, _words(one, texts), _words(other, texts)))
    return Compared(tuple(differences), equal)


def compare_wholes(recorded: Recording, now: Recording) -> Compared:
    """Where the ends of two recordings differ: status, suspicions, and what was used."""
    sides = [
        {
            "status": one.status.value,
            "suspicions": "; ".join(sorted({*map(_suspicion, one.suspicions)})) or "none",
            **{name: str(value) for name, value in one.usage.as_dict().items()},
        }
        for one in (recorded, now)
    ]
    differences = [
        Difference(None, None, name.replace("_", " "), value, sides[1][name])
        for name, value in sides[0].items()
        if value != sides[1][name]
    ]
    return Compared(tuple(differences), len(sides[0]) - len(differences))


def _all(turn: RecordedTurn) -> Iterator[tuple[tuple[str, ...], Decision]]:
    for step in turn.steps:
        match step.kind:
            case "model" | "reask":
                yield ("model", step.agent), _of_model(step)
            case "tool":
                yield _of_tool(step, turn.asked_about(step))
            case "question":
                yield _of_question(step.agent, "answered", str((step.outcome or {}).get("text")))
    for one in turn.unsettled:
        content = one.request.content
        if one.request.kind == QUESTION:
            yield _of_question(content["agent"], one.request.status)
        else:
            key, what = _call(content["tool"], content["arguments"])
            yield key, Decision(what, f"a person is asked, and it is {one.request.status}")
    for refused in turn.refused:
        key, what = _call(refused.tool, parse_arguments(refused.arguments) or {})
        yield key, Decision(what, refused.said)
    yield from _messages(turn)


def _messages(turn: RecordedTurn) -> Iterator[tuple[tuple[str, ...], Decision]]:
    for event in turn.events:
        text = str(event.content["entry"]["text"])
        # An event tells of a step, and the last words of a team that was stopped are not its own.
        if not event.kind.endswith("Event") and not text.startswith(STOPPED):
            yield ("message", event.source), Decision(f"a message of {event.source}", "goes out", text)


def _of_question(agent: str, said: str, text: str = "") -> tuple[tuple[str, ...], Decision]:
    return ("question", agent), Decision(f"the question of {agent}", said, text)


def _of_model(step: Row) -> Decision:
    again = "asked again, " if step.kind == "reask" else ""
    what = f"a reply of {step.agent or 'the team'}"
    if problem := problem_of(step):
        return Decision(what, again + problem, step=step.number)
    content = ((step.outcome or {}).get("answered") or {}).get("content", "")
    text = content if isinstance(content, str) else _calls(content)
    return Decision(what, f"{again}answered", text, step.number)


def _of_tool(step: Row, asked: Sequence[AskedPerson]) -> tuple[tuple[str, ...], Decision]:
    key, what = _call(step.name, step.request["arguments"])
    decisions = [one.request for one in asked if one.request.kind == "approval" and one.request.decision]
    approved = "".join(
        "a person would be asked; then "
        if request.decision["by"] == AS_RECORDED
        else f"{request.status} by {request.decision['by']}, "
        for request in decisions
        if request.decision is not None
    )
    if problem := problem_of(step):
        return key, Decision(what, approved + problem, step=step.number)
    parts = ((step.outcome or {}).get("answered") or {}).get("result", ())
    text = "\n".join(str(part.get("content", "")) for part in parts)
    if text.startswith(NOT_RECORDED):
        return key, Decision(what, f"{approved}it would run; its result is not recorded", step=step.number)
    return key, Decision(what, f"{approved}it runs", text, step.number)


def _calls(content: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(_call(one["name"], parse_arguments(one["arguments"]) or {})[1] for one in content)


def _call(tool: str, arguments: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    given = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items()]
    return ("tool", tool, canonical(arguments)), f"{tool}({', '.join(given)})"


def _words(decision: Decision | None, texts: bool) -> str:
    if decision is None:
        return _NOTHING
    return f"{decision.said}: {decision.text}" if texts else decision.said


def _suspicion(one: Mapping[str, Any]) -> str:
    return f"the result of {one['tool']}" if one["tool"] else f"the {one['point']}"
