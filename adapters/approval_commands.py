"""The commands of `ringfence approvals`: what waits for a person, and deciding it from any process."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ringfence.adapters.arguments import plain_text
from ringfence.adapters.jobs_commands import AsJson, File, with_ringfence
from ringfence.adapters.streams import print_json

if TYPE_CHECKING:
    from ringfence.agents.ringfence import Ringfence
    from ringfence.conversations.conversation import Conversation
    from ringfence.conversations.pending_requests import PendingRequest

Decide = Callable[["Conversation[Any, Any]"], Awaitable[None]]

approval_commands = typer.Typer(
    help="What waits for a person in all conversations: calls to approve, and questions to answer."
)

Reveal = Annotated[
    bool, typer.Option("--reveal", help="Show real values in place of pseudonyms, as the tool gets them.")
]
Id = Annotated[str, typer.Argument(metavar="ID", callback=plain_text)]
By = Annotated[
    str, typer.Option(metavar="NAME", help="Who decides; it stands in the audit log.", callback=plain_text)
]


@approval_commands.callback(invoke_without_command=True)
def _approvals(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@approval_commands.command("list")
def approvals_list(
    file: File,
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> int:
    """List what waits for a person, the oldest first."""
    from ringfence.adapters.approvals_report import print_requests
    from ringfence.adapters.console import make_console
    from ringfence.conversations.pending_requests import pending_requests

    async def work(ringfence: "Ringfence") -> "list[PendingRequest]":
        return await pending_requests(ringfence.store, reveal=reveal)

    found = with_ringfence(file, work, as_json=as_json)
    if as_json:
        print_json({"requests": [request.as_dict() for request in found]})
    else:
        print_requests(make_console(), found)
    return 0


@approval_commands.command("show")
def approvals_show(file: File, request: Id, reveal: Reveal = False, as_json: AsJson = False) -> int:
    """Show all that it takes to decide on ID: the call, why, where its values came from, who may decide."""
    from ringfence.adapters.approvals_report import print_request
    from ringfence.adapters.console import make_console
    from ringfence.conversations.pending_requests import find_request

    async def work(ringfence: "Ringfence") -> "PendingRequest":
        return await find_request(ringfence.store, request, reveal=reveal)

    found = with_ringfence(file, work, as_json=as_json)
    if as_json:
        print_json(found.as_dict())
    else:
        print_request(make_console(), found, revealed=reveal)
    return 0


@approval_commands.command("approve")
def approvals_approve(  # noqa: PLR0917 - they are the options of a command
    file: File,
    request: Id,
    by: By,
    arguments: Annotated[
        str | None,
        typer.Option(
            metavar="JSON", help="All arguments of the call, with real values, in the place of the agent's."
        ),
    ] = None,
    seen: Annotated[
        str, typer.Option(metavar="DIGEST", help="Only if the call is still the one that show told of.")
    ] = "",
    as_json: AsJson = False,
) -> int:
    """Approve the call ID: it runs once, exactly so, when its conversation goes on."""
    changed = None if arguments is None else _arguments(arguments)

    async def decide(talk: "Conversation[Any, Any]") -> None:
        await talk.approve(request, by=by, arguments=changed, seen=seen)

    return _decided(file, request, decide, "approved", as_json=as_json)


@approval_commands.command("reject")
def approvals_reject(
    file: File,
    request: Id,
    by: By,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="What the team hears.", callback=plain_text)
    ] = "",
    as_json: AsJson = False,
) -> int:
    """Reject the call ID: it does not run, and the team hears why."""

    async def decide(talk: "Conversation[Any, Any]") -> None:
        await talk.reject(request, by=by, reason=reason)

    return _decided(file, request, decide, "rejected", as_json=as_json)


@approval_commands.command("answer")
def approvals_answer(
    file: File,
    request: Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", callback=plain_text)],
    by: By,
    as_json: AsJson = False,
) -> int:
    """Answer the question ID of an agent with TEXT."""

    async def decide(talk: "Conversation[Any, Any]") -> None:
        await talk.answer(request, text, by=by)

    return _decided(file, request, decide, "answered", as_json=as_json)


def _arguments(text: str) -> dict[str, Any]:
    from ringfence.guardrails.texts import parse_arguments

    arguments = parse_arguments(text)
    if arguments is None:
        raise typer.BadParameter("--arguments takes one plain JSON object, such as '{\"amount\": 5}'")
    return arguments


def _decided(file: Path, request: str, decide: Decide, word: str, *, as_json: bool) -> int:
    from ringfence.conversations.pending_requests import conversation_of
    from ringfence.errors import UnknownConversation

    async def work(ringfence: "Ringfence") -> "tuple[str, str | None, int]":
        conversation, user = await conversation_of(ringfence.store, request)
        talk = ringfence.conversation(_no_team, id=conversation, user=user)
        await decide(talk)
        still_needed = sum(one.still_needed for one in talk.pending_approvals if one.id == request)
        with suppress(UnknownConversation):  # a conversation need not be a job
            if not still_needed:
                await ringfence.jobs.deliver(conversation)
            return conversation, (await ringfence.jobs.status(conversation)).status.value, still_needed
        return conversation, None, still_needed

    conversation, job, still_needed = with_ringfence(file, work, as_json=as_json)
    if as_json:
        facts = {"id": request, "status": word, "conversation": conversation, "job": job}
        waits_on = {"status": "waiting", "still_needed": still_needed}
        print_json(facts | waits_on if still_needed else facts)
        return 0
    goes_on = f"; its job is {job}" if job else "; resume the conversation to go on"
    waits = f"; it waits for {still_needed} more to approve it"
    typer.echo(f"{request} {word}, of conversation {conversation}{waits if still_needed else goes_on}")
    return 0


def _no_team(_fence: object) -> NoReturn:
    raise AssertionError  # to decide, no team is built
