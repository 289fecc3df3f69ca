"""The commands of `ringfence tools`: list and try.

What a command needs is imported when it runs, so that `--help` answers at once.
"""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.adapters.arguments import plain_text
from ringfence.adapters.interrupts import run_until_interrupted
from ringfence.adapters.streams import only_json, print_json

if TYPE_CHECKING:
    from ringfence.adapters.tool_try import Tried

tools_commands = typer.Typer(
    help="The tools of a team: what they are to the policy, and what would become of a call."
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
File = Annotated[Path, typer.Argument(metavar="FILE")]


@tools_commands.callback(invoke_without_command=True)
def _tools(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@tools_commands.command("list")
def tools_list(file: File, as_json: AsJson = False) -> int:
    """List the tools of the team that the policy file FILE names, as the policy describes them."""
    from ringfence.adapters.console import make_console
    from ringfence.adapters.tool_try import list_tools
    from ringfence.adapters.tools_report import print_tools

    with only_json() if as_json else nullcontext():
        found = run_until_interrupted(list_tools(file))
    if as_json:
        print_json({"status": "done", "file": str(file), "tools": [one.as_dict() for one in found]})
    else:
        print_tools(make_console(), found)
    return 0


@tools_commands.command("try")
def tools_try(  # noqa: PLR0917 - they are the options of a command
    file: File,
    tool: Annotated[str, typer.Argument(metavar="TOOL")],
    args: Annotated[
        str,
        typer.Option(metavar="JSON", help="Its arguments; @FILE reads them from a file, - from the input."),
    ] = "{}",
    agent: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Who calls. [default: the first who has the tool]", callback=plain_text
        ),
    ] = "",
    user: Annotated[str, typer.Option(metavar="NAME", help="Who talks.", callback=plain_text)] = "user",
    said: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="What the user said before; may be given more than once."),
    ] = None,
    read: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="What an untrusted tool gave back before; likewise."),
    ] = None,
    run: Annotated[bool, typer.Option("--run", help="Run the tool, once, if the gate lets it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before --run.")] = False,
    as_json: AsJson = False,
) -> int:
    """Tell what would become of one call of TOOL, of the team of the policy file FILE; no tool is run.

    The exit code is 0 when it would run, 3 when it is refused, and 5 when it would wait for a person.

    With --run, the tool is run, and whoever runs this stands in for the approver. Nothing is written to the
    journal or the audit log. The exit code is 1 when the tool fails.
    """
    from ringfence.adapters.tool_try import WantedTry, arguments_of, try_tool

    if run and not yes and (as_json or not sys.stdin.isatty() or args == "-"):
        raise typer.BadParameter("nobody is there to be asked; add --yes", param_hint="--run")
    wanted = WantedTry(tool, arguments_of(_text(args)), agent, user, tuple(said or ()), tuple(read or ()))
    with only_json() if as_json else nullcontext():
        tried = run_until_interrupted(try_tool(file, wanted))
    if not run:
        return _told(tried, as_json=as_json)
    if not as_json:
        _told(tried, as_json=False)
    if tried.outcome.refused:
        return _told(tried, as_json=True) if as_json else tried.exit
    if not yes and not _confirmed(tool):
        typer.echo("Not run.")
        return tried.exit
    with only_json() if as_json else nullcontext():
        has_run = run_until_interrupted(try_tool(file, wanted, approved_by=_who()))
    return _told(has_run, as_json=as_json)


def _told(tried: "Tried", *, as_json: bool) -> int:
    from ringfence.adapters.console import make_console
    from ringfence.adapters.tools_report import print_tried

    if as_json:
        print_json(tried.as_dict())
    else:
        print_tried(make_console(), tried)
    return tried.exit


def _text(args: str) -> str:
    if args == "-":
        return sys.stdin.read()
    if not args.startswith("@"):
        return args
    try:
        return Path(args[1:]).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise typer.BadParameter(f"{args[1:]} cannot be read: {why}", param_hint="--args") from None


def _confirmed(tool: str) -> bool:
    typer.echo(f"Type {tool} to run it: ", nl=False)
    return sys.stdin.readline().strip() == tool


def _who() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "--run"
