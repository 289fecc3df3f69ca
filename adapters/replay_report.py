"""A recorded conversation, and what a rerun of it found, for a person to read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from ringfence.adapters.console import call_line
from ringfence.adapters.harmless import one_line
from ringfence.adapters.replay_facts import result_text
from ringfence.agents.rerun import Rerun
from ringfence.budgets.usage import Usage
from ringfence.conversations.recording import (
    AskedPerson,
    RecordedTurn,
    Recording,
    RefusedCall,
    TurnEnd,
    cost_of,
    problem_of,
)
from ringfence.conversations.records import Row, StoredEvent
from ringfence.conversations.requests import QUESTION

_LONGEST = 300
"""Characters of a text that are shown."""
_WORDS = {
    TurnEnd.DONE: "",
    TurnEnd.OPEN: ", open: resume() goes on within it",
    TurnEnd.GIVEN_UP: ", given up: it came to no checkpoint",
}


def print_recording(console: Console, recording: Recording, *, turn: int | None, revealed: bool) -> None:
    """Every step of a conversation, or of one turn of it, a line each."""
    record = recording.record
    status = recording.status.value.replace("_", " ")
    console.print(Text.assemble((one_line(record.id), "bold"), f"  {status}"))
    facts = (
        f"user {record.user}",
        f"team {record.team or 'unnamed'}",
        f"policy {record.policy or 'none yet'}",
        f"{len(recording.turns)} turns",
        _usage(recording.usage),
    )
    console.print(Text(one_line(" · ".join(facts)), "dim"))
    shown = "Real values are shown." if revealed else "Stand-ins are shown; --reveal shows real values."
    console.print(Text(shown, "dim"))
    for one in recording.turns:
        if turn is None or one.number == turn:
            _print_turn(console, one, revealed=revealed)
    if recording.reason:
        console.print(Text(f"stopped: {one_line(recording.reason)}", "yellow"))
    for asked in recording.waiting:
        until = _time(asked.request.expires_at)
        console.print(Text(f"waits until {until} UTC: {asked.request.id}, {_about(asked)}", "yellow"))


def print_rerun(console: Console, done: Rerun) -> None:
    """The decisions that differ, turn by turn."""
    console.print(Text(one_line(done.conversation), "bold"))
    said = f"recorded under policy {done.recorded_policy}, played against {done.policy}; nothing was called"
    console.print(Text(one_line(said), "dim"))
    turn: int | None = 0
    for one in done.differences:
        if one.turn != turn:
            turn = one.turn
            console.print(Text("as a whole" if turn is None else f"turn {turn}", "bold"))
        place = f"{one.step:>4} " if one.step is not None else "     "
        console.print(Text(f"{place}{one_line(one.what, most=_LONGEST)}"))
        console.print(Text(f"       recorded  {one_line(one.recorded, most=_LONGEST)}", "dim"))
        console.print(Text(f"       now       {one_line(one.now, most=_LONGEST)}", "yellow"))
    for name, count in done.unasked.items():
        console.print(Text(f"{one_line(name)} would have asked a model {count} times; it let the texts pass"))
    console.print(Text(f"{len(done.differences)} differences, {done.equal} decisions are the same"))


def _print_turn(console: Console, turn: RecordedTurn, *, revealed: bool) -> None:
    task = f" of task {turn.run}" if turn.run is not None else ""
    console.print(Text(f"turn {turn.number}{task}{_WORDS[turn.ended]}", "bold"))
    if turn.is_empty:
        console.print(Text("     nothing is kept of it", "dim"))
    for entry in turn.entries:
        match entry:
            case Row():
                console.print(_step(entry))
                for asked in turn.asked_about(entry):
                    console.print(Text(f"       {_decided(asked, revealed=revealed)}", "dim"))
            case AskedPerson():
                console.print(Text(f"     {entry.request.content['agent']} waits: {_about(entry)}"))
                console.print(Text(f"       {_decided(entry, revealed=revealed)}", "dim"))
            case RefusedCall():
                call = call_line(entry.tool, entry.arguments)
                console.print(Text(f"     {one_line(f'{entry.agent} wants {call}', most=_LONGEST)}"))
                console.print(Text(f"       {one_line(entry.said, most=_LONGEST)}", "red"))
            case StoredEvent():
                said = one_line(
                    f"{entry.source} {entry.kind}: {entry.content['entry']['text']}", most=_LONGEST
                )
                console.print(Text(f"     to the user: {said}", "cyan"))


def _step(step: Row) -> Text:
    lines = [one_line(line, most=_LONGEST) for line in _step_lines(step)]
    if problem := problem_of(step):
        lines.append(one_line(problem, most=_LONGEST))
    rest = "".join(f"\n       {line}" for line in lines[1:])
    return Text(f"{step.number:>4} {lines[0]}{rest}", "red" if problem else "")


def _step_lines(step: Row) -> Iterator[str]:
    agent = step.agent or "the team"
    match step.kind:
        case "tool":
            yield f"{agent} runs {call_line(step.name, step.request['arguments'])}"
            if (result := result_text(step)) is not None:
                yield f"→ {result}"
        case "question":
            yield f"{agent} asks the user: {step.request.get('prompt', '')}"
            yield f"→ {(step.outcome or {}).get('text', '')}"
        case kind:
            verb = {"reask": "asks again", "judge": "is judged by"}.get(kind, "asks")
            yield f"{agent} {verb} {step.name} · {_usage(cost_of(step))}"
            yield from (f"→ {line}" for line in _reply(step))


def _reply(step: Row) -> list[str]:
    content: Any = ((step.outcome or {}).get("answered") or {}).get("content", [])
    if isinstance(content, str):
        return [content]
    return [call_line(one["name"], one["arguments"]) for one in content]


def _about(asked: AskedPerson) -> str:
    content = asked.request.content
    if asked.request.kind == QUESTION:
        return one_line(f"a question to the user: {content['prompt']}", most=_LONGEST)
    why = " (it is not known whether it took effect)" if asked.request.kind == "doubt" else ""
    return one_line(call_line(content["tool"], content["arguments"]) + why, most=_LONGEST)


def _decided(asked: AskedPerson, *, revealed: bool) -> str:
    request, decision = asked.request, asked.request.decision or {}
    words = f"{request.kind} {request.id}: {request.status}"
    if decision:
        words += f" by {decision['by']} at {_time(asked.decided_at)} UTC"
    if revealed and (said := decision.get("text") or decision.get("reason")):
        words += f": {said}"
    return one_line(words, most=_LONGEST)


def _usage(usage: Usage) -> str:
    return f"{usage.tokens:,} tokens · ${usage.usd:.4f}"


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
