"""A recorded conversation for JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ringfence.conversations.recording import (
    AskedPerson,
    RecordedTurn,
    Recording,
    RefusedCall,
    cost_of,
    problem_of,
)
from ringfence.conversations.records import Row, StoredEvent
from ringfence.conversations.requests import QUESTION


def facts_of_recording(recording: Recording, *, turn: int | None, revealed: bool) -> dict[str, Any]:
    """All that is known of a conversation, or of one turn of it.

    Args:
        recording: The conversation.
        turn: The number of the turn; None for all.
        revealed: Real values stand in place of pseudonyms.
    """
    record = recording.record
    return {
        "id": record.id,
        "user": record.user,
        "team": record.team,
        "status": recording.status.value,
        "reason": recording.reason or None,
        "policy": record.policy,
        "created_at": _moment(record.created_at),
        "updated_at": _moment(record.updated_at),
        "usage": recording.usage.as_dict(),
        "suspicions": [dict(one) for one in recording.suspicions],
        "waiting": [one.request.id for one in recording.waiting],
        "revealed": revealed,
        "turns": [
            _turn(one, revealed=revealed) for one in recording.turns if turn is None or one.number == turn
        ],
    }


def _turn(turn: RecordedTurn, *, revealed: bool) -> dict[str, Any]:
    entries: list[dict[str, Any]] = []
    for entry in turn.entries:
        match entry:
            case Row():
                asked = [_asked(one, revealed=revealed) for one in turn.asked_about(entry)]
                entries.append(_step(entry) | ({"asked": asked} if asked else {}))
            case AskedPerson():
                entries.append({"type": "asked", "at": _moment(entry.request.asked_at)})
                entries[-1] |= _asked(entry, revealed=revealed)
            case RefusedCall():
                entries.append(_refused(entry))
            case StoredEvent():
                entries.append(_event(entry))
    return {"number": turn.number, "task": turn.run, "ended": turn.ended.value, "entries": entries}


def _step(step: Row) -> dict[str, Any]:
    return {
        "type": "step",
        "number": step.number,
        "kind": step.kind,
        "agent": step.agent,
        "name": step.name,
        "status": step.status,
        "at": _moment(step.started_at),
        "ended_at": _moment(step.ended_at),
        "problem": problem_of(step) or None,
        **_content(step),
    }


def _content(step: Row) -> dict[str, Any]:
    outcome = step.outcome or {}
    answered: Mapping[str, Any] = outcome.get("answered") or {}
    match step.kind:
        case "question":
            return {"question": step.request.get("prompt"), "answer": outcome.get("text")}
        case "tool":
            return {
                "arguments": step.request.get("arguments"),
                "result": result_text(step),
                "is_error": answered.get("is_error"),
            }
        case _:
            content = answered.get("content")
            calls = [] if isinstance(content, str) or content is None else content
            named = [{"tool": one["name"], "arguments": one["arguments"]} for one in calls]
            text = content if isinstance(content, str) else None
            return {"text": text, "calls": named, "usage": cost_of(step).as_dict()}


def result_text(step: Row) -> str | None:
    """What a tool answered; None when there is no answer of it."""
    answered = (step.outcome or {}).get("answered")
    if answered is None:
        return None
    return "\n".join(str(part.get("content", "")) for part in answered.get("result", ()))


def _asked(asked: AskedPerson, *, revealed: bool) -> dict[str, Any]:
    request, decision = asked.request, asked.request.decision or {}
    content = request.content
    facts = {
        "request": request.id,
        "kind": request.kind,
        "agent": content["agent"],
        "status": request.status,
        "by": decision.get("by"),
        "decided_at": _moment(asked.decided_at),
        "expires_at": _moment(request.expires_at),
    }
    if request.kind == QUESTION:
        facts["question"] = content["prompt"]
    else:
        facts |= {"tool": content["tool"], "arguments": content["arguments"], "why": content["reason"]}
        if change := decision.get("change"):
            facts |= {"changed_by": change["by"], "changed_to": change["masked"]}
    if revealed:
        # Whoever decided saw real values, and may have written some.
        facts["said"] = decision.get("text", decision.get("reason"))
    return facts


def _refused(refused: RefusedCall) -> dict[str, Any]:
    return {
        "type": "refused",
        "at": _moment(refused.at),
        "agent": refused.agent,
        "tool": refused.tool,
        "arguments": refused.arguments,
        "said": refused.said,
    }


def _event(event: StoredEvent) -> dict[str, Any]:
    return {
        "type": "event",
        "number": event.number,
        "at": _moment(event.at),
        "kind": event.kind,
        "source": event.source,
        "text": event.content["entry"]["text"],
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
