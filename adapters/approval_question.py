"""What a person at a terminal is asked about a call, and what the answers mean.

What a model, a tool or a user wrote is never read as markup, and no control character of it is printed.
"""

import asyncio
import getpass
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ringfence.adapters.harmless import harmless, one_line
from ringfence.adapters.lines import Lines
from ringfence.guardrails.approval import (
    DOUBT,
    ApprovalDecision,
    ApprovalRequest,
    Approved,
    Approver,
    Rejected,
)
from ringfence.guardrails.approval_deciders import Deciders
from ringfence.guardrails.texts import parse_arguments

_STAND_INS = " You see real values where the models see stand-ins."
_SETTLING_SECONDS = 0.05
_QUESTION = "Approve? y = yes, n = no, e = with other arguments, or say why not: "
_DOUBTFUL = "Approve? y = yes, n = no, or say why not: "
_ARGUMENTS = "Approve with these arguments, all of them as JSON on one line; nothing = back: "
_NO_ARGUMENTS = "That is not one plain JSON object."


def terminal_approver(
    console: Console,
    *,
    lines: Lines | None = None,
    by: str | None = None,
    paused: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Approver:
    """Asks the person at the terminal; at the end of the input nobody can say, so the conversation waits.

    Args:
        console: Where the question is shown.
        lines: Where the answer comes from; None reads standard input.
        by: Who decides; None takes the name under which the person is logged in.
        paused: Entered while the person decides, to keep everything else off the screen.
    """
    source = lines or Lines()
    person = by or _who()
    turn = asyncio.Lock()

    async def ask(request: ApprovalRequest) -> ApprovalDecision | None:
        async with turn:
            # The events that led here are still on their way to the printer.
            await asyncio.sleep(_SETTLING_SECONDS)
            with paused():
                console.print(_request(request, boxed=console.is_terminal))
                source.forget()
                return await _decided(request, person, console, source)

    return ask


async def _decided(
    request: ApprovalRequest, person: str, console: Console, source: Lines
) -> ApprovalDecision | None:
    """What the person says in the end; None when the input ends."""
    can_change = request.kind != DOUBT
    decision: ApprovalDecision | None = None
    while decision is None:
        answer = await _asked(_QUESTION if can_change else _DOUBTFUL, console, source)
        if answer is not None and can_change and answer.strip().casefold() == "e":
            console.print(Text(harmless(_json(dict(request.real_arguments)))))
            answer = await _asked(_ARGUMENTS, console, source)
            decision = _changed(answer, person)
            if decision is None and answer is not None and answer.strip():
                console.print(Text(_NO_ARGUMENTS, "red"))
        else:
            decision = _decision(answer, person)
        if answer is None:
            return None
    return decision


async def _asked(question: str, console: Console, source: Lines) -> str | None:
    console.print(Text(question, "bold"), end="")
    answer = await source.line()
    if not console.is_terminal or answer is None:
        console.print()
    return answer


def _changed(answer: str | None, person: str) -> ApprovalDecision | None:
    """An approval with other arguments; None when they are none."""
    arguments = parse_arguments(answer or "")
    return None if arguments is None else Approved(by=person, arguments=arguments)


def _decision(answer: str | None, person: str) -> ApprovalDecision | None:
    """What an answer means; None when it means nothing."""
    said = (answer or "").strip()
    match said.casefold():
        case "":
            return None
        case "y" | "yes":
            return Approved(by=person)
        case "n" | "no":
            return Rejected(by=person)
        case _:
            # Whatever is no clear yes is a no, and says why.
            return Rejected(by=person, reason=one_line(said, most=300))


def _request(request: ApprovalRequest, *, boxed: bool) -> RenderableType:
    arguments = Table.grid(padding=(0, 2))
    arguments.add_column(style="dim", overflow="fold")
    arguments.add_column(overflow="fold")
    for name, value in request.real_arguments.items():
        text = value if isinstance(value, str) else _json(value)
        arguments.add_row(Text(one_line(name)), Text(harmless(text)))
    hidden = dict(request.real_arguments) != dict(request.arguments)
    body = Group(
        Text.assemble(
            (one_line(request.agent), "bold"), " wants to run ", (one_line(request.tool), "bold yellow")
        ),
        arguments,
        Text(f"Asked because {one_line(request.reason)}.{_STAND_INS if hidden else ''}", "dim"),
        *(Text(one_line(harmless(line)), "dim") for line in (*request.evidence, *_who_decides(request))),
    )
    if not boxed:
        return Group(Text("Approval needed"), body)
    return Panel(body, title=Text("Approval needed"), title_align="left", border_style="yellow", expand=False)


def _who_decides(request: ApprovalRequest) -> Iterator[str]:
    if request.deciders != Deciders():
        yield f"It may be decided by {request.deciders}."
    if request.approved_by:
        yield f"Approved so far by {', '.join(request.approved_by)}."
    if request.changed_by:
        yield f"The arguments are those of {request.changed_by}, not the agent's."


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "person at the terminal"
