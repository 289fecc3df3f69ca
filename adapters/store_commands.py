"""The commands of `ringfence store`: upgrade, info, forget and prune.

What a command needs is imported when it runs, so that `--help` answers at once.
"""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ringfence.adapters.arguments import plain_text
from ringfence.adapters.interrupts import run_until_interrupted
from ringfence.adapters.streams import only_json, print_json

if TYPE_CHECKING:
    from ringfence.conversations.store import Store

T = TypeVar("T")

store_commands = typer.Typer(help="The store of the conversations: its schema, what it holds, and deleting.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The policy file that names the store.")]


@store_commands.callback(invoke_without_command=True)
def _store(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@store_commands.command("upgrade")
def store_upgrade(file: File, as_json: AsJson = False) -> int:
    """Give the store of the policy file FILE the newest schema; what it holds is kept.

    A store on SQLite is upgraded by itself when it is used. On PostgreSQL, the tables of procrastinate are
    made, too, if it is installed.
    """
    from ringfence.conversations.schema import SCHEMA_VERSION

    async def work(store: "Store") -> tuple[str, str | None]:
        before = await store.version()
        await store.upgrade()
        return store.name, before

    name, before = _with_store(file, work, as_json=as_json)
    if as_json:
        print_json({"name": name, "schema": SCHEMA_VERSION, "schema_before": before})
    elif before == SCHEMA_VERSION:
        _say(f"{name} has the newest schema, {SCHEMA_VERSION}.")
    else:
        _say(f"{name} now has schema {SCHEMA_VERSION}, and had {before or 'none'}.")
    return 0


@store_commands.command("info")
def store_info(file: File, as_json: AsJson = False) -> int:
    """Tell where the store of the policy file FILE is, and how much it holds; nothing is changed."""
    from ringfence.conversations.store_facts import facts_of

    facts = _with_store(file, facts_of, as_json=as_json)
    if as_json:
        print_json(facts.as_dict())
        return 0
    _say(f"store          {facts.name}")
    if facts.schema is None:
        _say("schema         none yet; it is made at the first conversation, or by `ringfence store upgrade`")
        return 0
    outdated = "" if facts.schema == facts.newest else f"; {facts.newest} is the newest"
    _say(f"schema         {facts.schema}{outdated}")
    _say(f"conversations  {_counts(facts.conversations)}")
    _say(f"jobs           {_counts(facts.jobs)}")
    _say(f"size           {facts.bytes / 1e6:,.1f} MB")
    return 0


@store_commands.command("forget")
def store_forget(
    file: File,
    user: Annotated[
        str,
        typer.Option(metavar="NAME", help="Whose conversations and jobs are deleted.", callback=plain_text),
    ],
    as_json: AsJson = False,
) -> int:
    """Delete all that the store holds of a user. The audit log is another file, and is kept.

    While a conversation of the user is running, nothing is deleted, and the exit code is 1.
    """
    count = _with_store(file, lambda store: store.forget(user), as_json=as_json)
    _deleted(count, as_json=as_json)
    return 0


@store_commands.command("prune")
def store_prune(
    file: File,
    days: Annotated[
        float | None,
        typer.Option(min=0, metavar="N", help="How old. [default: keep_days of the policy file]"),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Delete the conversations and jobs that ended more than so many days ago.

    What waits for a person, or was interrupted, is kept.
    """

    async def work(store: "Store") -> int:
        if days is None and store.settings.keep_days is None:
            raise typer.BadParameter("say how old with --days, or set store.keep_days in the policy file")
        return await store.prune(days)

    _deleted(_with_store(file, work, as_json=as_json), as_json=as_json)
    return 0


def _with_store(file: Path, work: "Callable[[Store], Awaitable[T]]", *, as_json: bool) -> T:
    from ringfence.conversations.store import Store
    from ringfence.policy import load_policy

    async def run() -> T:
        loaded = load_policy(file)
        settings = loaded.policy.store
        return await work(Store(settings.where(), settings=settings, folder=loaded.folder))

    with only_json() if as_json else nullcontext():
        return run_until_interrupted(run())


def _deleted(count: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"deleted": count})
    else:
        _say(f"Conversations and jobs deleted: {count:,}")


def _counts(counts: dict[str, int]) -> str:
    total = f"{sum(counts.values()):,}"
    each = ", ".join(f"{count:,} {status}" for status, count in counts.items())
    return f"{total} ({each})" if each else total


def _say(line: str) -> None:
    from ringfence.adapters.console import make_console
    from ringfence.adapters.harmless import harmless

    make_console().print(harmless(line))
