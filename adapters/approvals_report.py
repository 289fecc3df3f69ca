"""What waits for a person, for a person to read."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from ringfence.adapters.console import call_line
from ringfence.adapters.harmless import harmless, one_line
from ringfence.conversations.pending_requests import PendingRequest

_ASKS = {"question": "asks", "doubt": "may have run already, and nobody knows:"}


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
        until = f"  asked {request.asked_at:%Y-%m-%d %H:%M} UTC, and there is time until"
        console.print(Text(f"{until} {request.expires_at:%Y-%m-%d %H:%M}", "dim"))
