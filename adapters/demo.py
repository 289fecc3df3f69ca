"""`ringfence demo`: what Ringfence does, shown on a system that really runs, and verified while it runs."""

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ringfence.adapters.demo_scenes import Scenes
from ringfence.adapters.demo_stage import Claims, Stage
from ringfence.adapters.harmless import one_line
from ringfence.errors import RingfenceError

__all__ = ["play"]


def play(console: Console, *, folder: Path | None = None) -> bool:
    """Play all scenes; answers whether every claim was verified.

    Args:
        console: Where to; it looks best with a width of 100.
        folder: Where the shop, its mail and the audit file are made; None makes a temporary folder.
    """
    return asyncio.run(perform(console, folder or Path(tempfile.mkdtemp(prefix="ringfence-demo-"))))


async def perform(console: Console, folder: Path) -> bool:
    """Play all scenes in a running event loop."""
    console.print(Text("Ringfence: a team of AI agents, fenced", "bold"))
    console.print(
        "A support desk of three AutoGen agents works on a real SQLite shop and a real mail server on this "
        "machine. The model is a rehearsal: it answers by rules and is no language model. All else is real.",
    )
    stage, claims = Stage(folder), Claims(console)
    scenes = Scenes(console, stage, claims)
    try:
        for scene in (scenes.refund, scenes.attack, scenes.budget):
            try:
                await scene()
            except RingfenceError as error:
                claims.check(False, "The scene could not be played", one_line(str(error)))
        _close(console, stage, claims)
    finally:
        await stage.close()
    return claims.broken == 0


def _close(console: Console, stage: Stage, claims: Claims) -> None:
    received = [text for recorder in stage.recorders for text in recorder.received]
    prompts = sum(recorder.calls for recorder in stage.recorders)
    audit = stage.audit_file.read_text(encoding="utf-8")
    console.print()
    claims.check(
        not stage.leaked([*received, audit]),
        "No customer's name, address or number reached a model or the audit file behind the fence",
        f"searched {prompts} prompts and {len(audit.splitlines())} audit lines",
    )
    verdict = "All {0} claims were verified." if not claims.broken else "{1} of {0} claims did NOT hold."
    style = "bold green" if not claims.broken else "bold red"
    console.print(Text(verdict.format(claims.count, claims.broken), style))
    console.print()
    for words, what in (
        ("Talk to this desk", f"{_command()} chat {stage.policy_file}"),
        (f"Read its {len(audit.splitlines())} audit lines", str(stage.audit_file)),
        ("Fence a team of your own", "README.md"),
    ):
        console.print(Text.assemble((f"{words:<26}", "bold"), what), soft_wrap=True)


def _command() -> str:
    """How the command that is running is started again from here, also where it is not on the path."""
    if shutil.which("ringfence"):
        return "ringfence"
    beside = Path(sys.executable).parent / "ringfence"
    return os.path.relpath(beside) if beside.exists() else "python -m ringfence"
