"""The command `ringfence replay`.

What a command needs is imported when it runs, so that `--help` answers at once.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.adapters.arguments import plain_text
from ringfence.adapters.interrupts import run_until_interrupted
from ringfence.adapters.streams import only_json, print_json

if TYPE_CHECKING:
    from ringfence.agents.rerun import Rerun
    from ringfence.conversations.recording import Recording


def replay(  # noqa: PLR0917 - they are the options of a command
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The policy file that names the store.")],
    conversation: Annotated[str, typer.Argument(metavar="ID", help="The conversation.", callback=plain_text)],
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Play it against this policy file and compare.")
    ] = None,
    team: Annotated[
        str | None,
        typer.Option(metavar="FILE.py:NAME", help="Play it with this team, beside the policy, and compare."),
    ] = None,
    turn: Annotated[int | None, typer.Option(min=1, metavar="N", help="Show this turn only.")] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show real values in place of stand-ins.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> int:
    """Show the conversation ID step by step; no model or tool is called, and nothing is changed.

    It may be finished, broken, waiting, or running elsewhere.

    With --policy or --team, the recording is played against another policy or team: models, tools and
    persons answer as recorded. The decisions that differ are listed, and the exit code is 1 if there are any.
    """
    from ringfence.adapters.console import make_console
    from ringfence.adapters.outcome import Exit
    from ringfence.adapters.replay_facts import facts_of_recording
    from ringfence.adapters.replay_report import print_recording, print_rerun

    compares = policy is not None or team is not None
    if compares and (turn is not None or reveal):
        raise typer.BadParameter("--turn and --reveal do not go with --policy and --team")

    async def work() -> "tuple[Recording, Rerun | None]":
        recording = await _read(file, conversation, reveal=reveal)
        return recording, await _rerun(recording, policy or file, team) if compares else None

    with only_json() if as_json or compares else nullcontext():
        recording, done = run_until_interrupted(work())
    if done is not None:
        code = Exit.FAILED if done.differences else Exit.DONE
        if as_json:
            print_json({"status": code.word} | done.as_dict())
        else:
            print_rerun(make_console(), done)
        return code
    if turn is not None and turn > len(recording.turns):
        raise typer.BadParameter(f"the conversation has {len(recording.turns)} turns, and not {turn}")
    if as_json:
        print_json(facts_of_recording(recording, turn=turn, revealed=reveal))
    else:
        print_recording(make_console(), recording, turn=turn, revealed=reveal)
    return Exit.DONE


async def _read(file: Path, conversation: str, *, reveal: bool) -> "Recording":
    from ringfence.conversations.replay import read_recording
    from ringfence.conversations.store import Store
    from ringfence.policy import load_policy

    loaded = load_policy(file)
    settings = loaded.policy.store
    store = Store(settings.where(), settings=settings, folder=loaded.folder)
    try:
        return await read_recording(store, conversation, reveal=reveal)
    finally:
        await store.close()


async def _rerun(recording: "Recording", policy: Path, team: str | None) -> "Rerun":
    from ringfence.agents.rerun import rerun
    from ringfence.agents.team_file import load_factory
    from ringfence.policy import load_policy

    loaded = load_policy(policy)
    factory = None if team is None else load_factory(team, loaded.folder)
    return await rerun(recording, policy=loaded, team=factory)
