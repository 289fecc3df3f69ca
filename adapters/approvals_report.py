"""What waits for a person, for a person to read."""

import json
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from ringfence.adapters.console import call_line
from ringfence.adapters.harmless import harmless, one_line
from ringfence.conversations.pending_requests import PendingRequest

_ASKS = {"question": "asks", "doubt": "may have run already, and nobody knows:"}
_PSEUDONYMS = "shown with pseudonyms; --reveal shows real values"


def print_requests(console: Console, requests: Sequence[PendingRequest]) -> None:
    """A paragraph for each request."""
    if not requests:
        console.print("Nothing waits for a person.")
    for request in requests:
        asks = _ASKS.get(request.kind, "wants to run")
        what = request.text if request.kind == "question" else call_line(request.tool, request.arguments)
        console.print(
            Text.assemble((one_line(request.id), "bold"), f" of {one_line(request.conversation)}, ")
            + Text(f"{one_line(request.user)}: ", "dim")
            + Text(f"{one_line(request.agent)} {asks} {one_line(harmless(what))}")
        )
        if request.kind != "question":
            console.print(Text(f"  because {one_line(request.text)}", "dim"))
        for line in request.evidence:
            console.print(Text(f"  {one_line(harmless(line))}", "dim"))
        if request.approved_by:
            console.print(Text(f"  {one_line(_so_far(request))}", "dim"))
        until = f"  asked {request.asked_at:%Y-%m-%d %H:%M} UTC, and there is time until"
        console.print(Text(f"{until} {request.expires_at:%Y-%m-%d %H:%M}", "dim"))


def print_request(console: Console, request: PendingRequest, *, revealed: bool) -> None:
    """All that a person needs who decides."""
    for name, value in _facts(request, revealed=revealed):
        console.print(Text.assemble((f"{name:<13} ", "dim"), one_line(harmless(value))))


def _facts(request: PendingRequest, *, revealed: bool) -> Iterator[tuple[str, str]]:
    yield "request", f"{request.id} ({request.kind})"
    decided = f" by {request.decided_by}" if request.decided_by else ""
    yield "status", f"{request.status}{decided}"
    yield "conversation", f"{request.conversation}, of {request.user}"
    yield "agent", request.agent
    if request.kind == "question":
        yield "asks", request.text
    else:
        yield from _call_facts(request, revealed=revealed)
    yield "asked", f"{request.asked_at:%Y-%m-%d %H:%M} UTC"
    yield "until", f"{request.expires_at:%Y-%m-%d %H:%M} UTC"


def _call_facts(request: PendingRequest, *, revealed: bool) -> Iterator[tuple[str, str]]:
    yield "tool", request.tool
    for name, value in request.arguments.items():
        yield "argument", f"{name} = {json.dumps(value, ensure_ascii=False, default=str)}"
    if not revealed:
        yield "", _PSEUDONYMS
    if request.changed_by:
        yield "changed", f"by {request.changed_by}, in the place of the agent's arguments"
    yield "because", request.text
    for line in request.evidence:
        yield "evidence", line
    yield "who may", str(request.deciders)
    if request.approved_by:
        yield "so far", _so_far(request)
    yield "digest", request.digest


def _so_far(request: PendingRequest) -> str:
    return f"approved by {', '.join(request.approved_by)}; {request.still_needed} more needed"
