"""The command `ringfence`, and its groups policy, tools, jobs, approvals and store.

What a command needs is imported when it runs, so that `--help` answers at once.
"""

import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.adapters.approval_commands import approval_commands
from ringfence.adapters.arguments import plain_text
from ringfence.adapters.interrupts import INTERRUPTED, leave_threads_behind, run_until_interrupted
from ringfence.adapters.jobs_commands import jobs_commands, worker
from ringfence.adapters.policy_commands import policy_commands
from ringfence.adapters.replay_command import replay
from ringfence.adapters.store_commands import store_commands
from ringfence.adapters.streams import any_encoding, is_closed_pipe, only_json, print_json, silent_logs
from ringfence.adapters.tools_commands import tools_commands
from ringfence.errors import PolicyError

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.adapters.single_run import SingleRun
    from ringfence.agents.ringfence import Ringfence
    from ringfence.guardrails.approval import Approver

__all__ = ["app", "main"]

_DEMO_COLUMNS = 100

app = typer.Typer(
    name="ringfence",
    help="AutoGen group chats, fenced: personal data, guardrails, tools, approvals and budgets.",
    epilog="Exit codes: 0 done, 2 usage or policy file, 3 blocked by a guardrail, 4 limit reached, "
    "5 waiting for approval, 1 anything else.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(policy_commands, name="policy")
app.add_typer(tools_commands, name="tools")
app.add_typer(jobs_commands, name="jobs")
app.add_typer(approval_commands, name="approvals")
app.add_typer(store_commands, name="store")
app.command()(replay)
app.command()(worker)

File = Annotated[Path, typer.Argument(metavar="FILE")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
User = Annotated[
    str, typer.Option(metavar="NAME", help="Who talks; for approvers and the audit log.", callback=plain_text)
]


class Approve(StrEnum):
    """Who decides on calls that need a person."""

    NONE = "none"
    ALL = "all"
    ASK = "ask"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and answer with its exit code; no error gets past it."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    with silent_logs(), any_encoding():
        try:
            command = typer.main.get_command(app)
            return int(command.main(arguments, prog_name="ringfence", standalone_mode=False) or 0)
        except (KeyboardInterrupt, typer.Abort):
            leave_threads_behind()
            return INTERRUPTED
        except (Exception, SystemExit) as error:
            if is_closed_pipe(error):
                return 1
            if os.environ.get("RINGFENCE_TRACEBACK"):
                raise
            return _report_error(error, as_json="--json" in arguments)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if show_version:
        typer.echo(f"ringfence {version('ringfence')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@app.command()
def demo() -> int:
    """Play four short scenes on a support desk that really runs, and verify what they claim."""
    from ringfence.adapters.console import make_console
    from ringfence.adapters.demo import play

    return 0 if play(make_console(most_columns=_DEMO_COLUMNS)) else 1


@app.command()
def chat(file: File, user: User = "user") -> int:
    """Talk to a team at the terminal; FILE is the policy file, and its `team` names the team."""
    from ringfence.adapters.chat import Chat
    from ringfence.adapters.outcome import Exit, exit_of_status
    from ringfence.agents.ringfence import Ringfence
    from ringfence.conversations.status import Status

    async def talk() -> int:
        ringfence = Ringfence.from_file(file)
        try:
            if faults := await ringfence.check():
                raise PolicyError(faults)
            status = await Chat(ringfence, _console(), user=user).run()
        finally:
            await ringfence.close()
        return exit_of_status(status) if status is Status.WAITING_FOR_APPROVAL else Exit.DONE

    with _faults_located(file):
        return run_until_interrupted(talk())


@app.command()
def run(  # noqa: PLR0917 - they are the options of a command
    file: File,
    task: Annotated[
        str, typer.Option(metavar="TEXT", help="What the team shall do; - reads it from the input.")
    ],
    approve: Annotated[
        Approve | None,
        typer.Option(
            help="Calls that need a person: wait, approve all, or ask. [default: ask on a terminal]"
        ),
    ] = None,
    as_json: AsJson = False,
    user: User = "user",
    conversation: Annotated[
        str | None,
        typer.Option(
            "--id",
            metavar="ID",
            help="The conversation: a new one, or one to go on with.",
            callback=plain_text,
        ),
    ] = None,
) -> int:
    """Give the team of the policy file FILE one task."""
    from ringfence.adapters.single_run import run_once

    words = sys.stdin.read() if task == "-" else task

    async def work(ringfence: "Ringfence", approver: "Approver | None", on_event: Any) -> "SingleRun":
        return await run_once(
            ringfence,
            words,
            policy_file=file,
            user=user,
            approver=approver,
            id=conversation,
            on_event=on_event,
        )

    return _single_run(file, work, approve=approve, as_json=as_json)


@app.command()
def resume(
    file: File,
    conversation: Annotated[str, typer.Argument(metavar="ID", help="The conversation.", callback=plain_text)],
    approve: Annotated[Approve | None, typer.Option(help="As in `run`.")] = None,
    allow_changes: Annotated[
        bool,
        typer.Option(help="Begin the turn anew if team, prompts, policy or models are not what they were."),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Go on with the conversation ID where it stopped: for a person, a failure, or because its process died.

    What was done is not done again.
    """
    from ringfence.adapters.single_run import resume_once

    async def work(ringfence: "Ringfence", approver: "Approver | None", on_event: Any) -> "SingleRun":
        return await resume_once(
            ringfence,
            conversation,
            policy_file=file,
            approver=approver,
            allow_changes=allow_changes,
            on_event=on_event,
        )

    return _single_run(file, work, approve=approve, as_json=as_json)


@app.command()
def scan(  # noqa: PLR0917 - they are the options of a command
    policy: Annotated[
        Path | None,
        typer.Argument(metavar="[POLICY]", help="A policy file; without one, the defaults hold."),
    ] = None,
    given: Annotated[Path | None, typer.Option("--in", metavar="FILE", help="Read from it.")] = None,
    wanted: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to it.")] = None,
    text: Annotated[bool, typer.Option("--text", help="Each line is a text; its number is its id.")] = False,
    one_conversation: Annotated[
        bool, typer.Option("--one-conversation", help="The same value has the same stand-in in all lines.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Processes. [default: one per usable core]"),
    ] = None,
) -> int:
    """Find the personal data and secrets in texts, and mask them.

    Reads lines {"id", "text"} and writes, in the same order, lines {"id", "entities": [{"type", "start",
    "end", "score"}], "flags", "masked"}. Places count the characters of the text as given. Entities are all
    that was found, also what the policy allows.

    Flags: blocked:TYPE (the policy blocks the text: masked is null), allowed:TYPE (found, and still in
    masked), hidden:TYPE (found, and masked, only once escapes were spelled out and invisible characters were
    gone, so it has no place), and timeout, too_long, failed (not analysed: masked is null).

    A line that cannot be read gets {"id", "error": {"line", "message"}}, and the rest goes on. The exit code
    is 1 when any line was not scanned.
    """
    from ringfence.adapters.scan import ScanOptions
    from ringfence.adapters.scan_command import run_scan

    options = ScanOptions(plain=text, one_conversation=one_conversation, jobs=jobs)
    with _faults_located(policy) if policy else nullcontext():
        return run_scan(policy, options, given=given, wanted=wanted)


@app.command()
def check(file: File, as_json: AsJson = False) -> int:
    """Find everything that is wrong with the policy file FILE and its team; run nothing."""
    from ringfence.adapters.check import check_file
    from ringfence.adapters.check_report import print_faults, print_fenced
    from ringfence.adapters.outcome import Exit

    with only_json() if as_json else nullcontext():
        checked = run_until_interrupted(check_file(file))
    if as_json:
        print_json(checked.as_dict())
    elif checked.faults:
        print_faults(_console(stderr=True), checked.faults)
    else:
        print_fenced(_console(), checked)
    return Exit.INVALID if checked.faults else Exit.DONE


def _single_run(
    file: Path,
    work: "Callable[[Ringfence, Approver | None, Any], Coroutine[Any, Any, SingleRun]]",
    *,
    approve: Approve | None,
    as_json: bool,
) -> int:
    from ringfence.adapters.single_run import print_end
    from ringfence.adapters.terminal import EventPrinter
    from ringfence.agents.ringfence import Ringfence

    console = _console()

    async def run_it() -> "SingleRun":
        ringfence = Ringfence.from_file(file)
        shown = EventPrinter(console)
        decides = approve or _usual_approval(console, as_json=as_json)
        # Questions never stand among the data that a script reads.
        aside = as_json or not console.is_terminal
        approver = _approver(decides, _console(stderr=True) if aside else console, paused=shown.held)
        try:
            return await work(ringfence, approver, (lambda _: None) if as_json else shown)
        finally:
            await ringfence.close()

    with _faults_located(file), only_json() if as_json else nullcontext():
        done = run_until_interrupted(run_it())
    if as_json:
        print_json(done.as_dict())
    else:
        print_end(done, console, _console(stderr=True), policy_file=file)
    return done.exit


def _approver(
    approve: Approve, console: "Console", *, paused: Callable[[], AbstractContextManager[None]]
) -> "Approver | None":
    from ringfence.adapters.approval_question import terminal_approver
    from ringfence.guardrails.approval import ApprovalRequest, Approved

    async def approve_all(_request: ApprovalRequest) -> Approved:
        return Approved(by="--approve all")

    match approve:
        case Approve.NONE:
            return None
        case Approve.ALL:
            return approve_all
        case Approve.ASK:
            return terminal_approver(console, paused=paused)


def _usual_approval(console: "Console", *, as_json: bool) -> Approve:
    somebody_is_there = console.is_terminal and sys.stdin is not None and sys.stdin.isatty()
    return Approve.ASK if somebody_is_there and not as_json else Approve.NONE


def _report_error(error: BaseException, *, as_json: bool) -> int:
    from rich.text import Text

    from ringfence.adapters.harmless import harmless
    from ringfence.adapters.outcome import error_facts, error_words, exit_of_error

    code = exit_of_error(error)
    if as_json:
        print_json({"status": code.word, "error": error_facts(error)})
    else:
        _console(stderr=True).print(Text(harmless(error_words(error)), "red"))
    return code


def _console(*, stderr: bool = False) -> "Console":
    from ringfence.adapters.console import make_console

    return make_console(stderr=stderr)


@contextmanager
def _faults_located(file: Path) -> Iterator[None]:
    from ringfence.places import located

    try:
        yield
    except PolicyError as error:
        raise type(error)(located(error.faults, file)) from None
