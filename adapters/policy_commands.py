"""The commands of `ringfence policy`: schema, explain and test.

What a command needs is imported when it runs, so that `--help` answers at once.
"""

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from ringfence.adapters.interrupts import run_until_interrupted
from ringfence.adapters.streams import only_json, print_json
from ringfence.guardrails.passages import Point

policy_commands = typer.Typer(
    help="Policy as code: what a policy would do with a text or a call, and cases that it has to pass."
)

AskModels = Annotated[
    bool,
    typer.Option("--ask-models", help="Ask the guardrails that ask a model, too; it costs money."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
File = Annotated[Path, typer.Argument(metavar="FILE")]


@policy_commands.callback(invoke_without_command=True)
def _policy(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@policy_commands.command("schema")
def policy_schema() -> int:
    """Print the JSON Schema of the policy file, for editors."""
    from ringfence.adapters.policy_schema import policy_schema as schema

    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
    return 0


@policy_commands.command("explain")
def policy_explain(  # noqa: PLR0917 - they are the options of a command
    file: File,
    text: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What is judged; - reads it from the input.")
    ] = None,
    at: Annotated[Point, typer.Option(help="Where the text stands.")] = Point.INPUT,
    agent: Annotated[str, typer.Option(metavar="NAME", help="Who says it, reads it or calls.")] = "",
    tool: Annotated[str, typer.Option(metavar="NAME", help="Whose call or result it is.")] = "",
    argument: Annotated[str, typer.Option(metavar="NAME", help="The argument that the text stands in.")] = "",
    arguments: Annotated[
        str | None,
        typer.Option(metavar="JSON", help="What the tool is called with; then the call is judged, too."),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="What a tool told before; may be given more than once."),
    ] = None,
    ask_models: AskModels = False,
    as_json: AsJson = False,
) -> int:
    """Tell what the policy file FILE would do with a text or a call, and why.

    Nothing is run and no model is called. The exit code is 0 whatever would happen.
    """
    from ringfence.adapters.console import make_console
    from ringfence.adapters.policy_explain import Asking, explain
    from ringfence.adapters.policy_explain_report import print_call, print_text

    asking = Asking(
        text=sys.stdin.read().removesuffix("\n") if text == "-" else text,
        at=at,
        agent=agent,
        tool=tool,
        argument=argument,
        arguments=arguments,
        sources=tuple(source or ()),
    )
    with only_json() if as_json else nullcontext():
        found = run_until_interrupted(explain(file, asking, ask_models=ask_models))
    if as_json:
        print_json(found.as_dict())
        return 0
    console = make_console()
    if found.text is not None:
        print_text(console, found.text, threshold=found.threshold)
    if found.calls is not None:
        print_call(console, *found.calls)
    return 0


@policy_commands.command("test")
def policy_test(
    cases: Annotated[Path, typer.Argument(metavar="CASES")],
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The policy file. [default: the one that CASES names]")
    ] = None,
    ask_models: AskModels = False,
    as_json: AsJson = False,
) -> int:
    """Try the cases of the file CASES on its policy; nothing is run.

    The exit code is 0 when all cases pass, and 1 when one fails.
    """
    from ringfence.adapters.console import make_console
    from ringfence.adapters.policy_case_runs import run_cases
    from ringfence.adapters.policy_test_report import print_cases

    with only_json() if as_json else nullcontext():
        done = run_until_interrupted(run_cases(cases, policy=policy, ask_models=ask_models))
    if as_json:
        print_json(done.as_dict())
    else:
        print_cases(make_console(), done)
    return done.exit
