"""Kills at one place after the other, and what came of it."""

import json
import signal
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import make_url

from benchmarks.chaos.killing import When
from benchmarks.chaos.life import Life, live
from benchmarks.chaos.team import EMAIL, STEPS
from benchmarks.chaos.world import KINDS, World
from benchmarks.chaos.zygote import Story

Death = tuple[When, int | None]
_NO_DEATH: Death = ("before the commit", None)
_MOST_LIVES = 120


@dataclass(frozen=True)
class Configuration:
    """What is run."""

    database: str
    """`sqlite` or `postgres`."""
    at_once: int
    """How many tool calls a reply asks for."""
    external: bool
    """The team's runtime is the factory's, and not AutoGen's embedded one."""

    def __str__(self) -> str:
        calls = "sequential" if self.at_once == 1 else f"{self.at_once} in parallel"
        return f"{self.database}, {calls}, {'external' if self.external else 'embedded'} runtime"


@dataclass
class Outcome:
    """What came of one conversation, however often its process was killed."""

    place: str
    kills: int = 0
    resumes: int = 0
    doubts: int = 0
    repeated: int = 0
    """Model calls that were made more than once."""
    in_flight: int = 0
    """Those that were in flight when the process was killed."""
    doubled_effects: int = 0
    differences: list[str] = field(default_factory=list)
    count: int = 0
    entries: list[dict[str, str]] = field(default_factory=list)
    usage: list[int] = field(default_factory=list)


class Place:
    """Where the conversations of a run are kept: a folder, and a server for those on PostgreSQL."""

    def __init__(self, folder: Path, postgres: str | None) -> None:
        self._folder = folder
        self._postgres = postgres
        self._number = 0

    @contextmanager
    def world(self, configuration: Configuration) -> Iterator[World]:
        """A world of its own for one conversation; its database is dropped at the end."""
        self._number += 1
        folder = self._folder / str(self._number)
        if configuration.database == "sqlite":
            yield World(folder, f"sqlite:///{folder / 'store.sqlite'}")
            return
        import psycopg

        server = make_url(self._postgres or "")
        name = f"ringfence_chaos_{uuid.uuid4().hex}"
        with psycopg.connect(self._postgres or "", autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield World(folder, server.set(database=name).render_as_string(hide_password=False))
        finally:
            with psycopg.connect(self._postgres or "", autocommit=True) as admin:
                admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def story(
    place: Place,
    configuration: Configuration,
    *,
    deaths: Sequence[Death] = (),
    again_and_again: bool = False,
    undisturbed: Outcome | None = None,
) -> Story[Outcome]:
    """One conversation, whose processes are killed one after the other, and started anew each time.

    Args:
        place: Where it is kept.
        configuration: What is run.
        deaths: Where the first process is killed, the second one, and so on; the next one lives.
        again_and_again: Those after them are killed where the last one was, until one comes through.
        undisturbed: What it is compared with.
    """
    said = ", then ".join(f"{when} {at}" for when, at in deaths) or "undisturbed"
    outcome = Outcome(f"{configuration}: {said}{', again and again' if again_and_again else ''}")
    with place.world(configuration) as world:
        world.set_up()
        left = iter(deaths)
        status: int | None = None
        while status != 0:
            when, at = next(left, (*deaths, _NO_DEATH)[-2] if again_and_again else _NO_DEATH)
            life = Life(world, configuration.at_once, configuration.external, when, at)
            status = yield partial(live, life), world.folder / "failure"
            if status == -signal.SIGKILL:
                outcome.kills += 1
            if status not in {0, -signal.SIGKILL} or outcome.kills > _MOST_LIVES:
                said = "\n".join(world.lines("failure")[-12:]) or f"exit status {status}"
                outcome.differences.append(f"the process failed: {said}")
                break
            outcome.resumes += status != 0
        judge(outcome, world, undisturbed)
    return outcome


def judge(outcome: Outcome, world: World, undisturbed: Outcome | None) -> None:
    """Look at what was done and said, and write into the outcome what is not as it should be."""
    calls = world.lines("model_calls")
    kills = [json.loads(line) for line in world.lines("kills")]
    outcome.doubts = len(world.lines("doubts"))
    outcome.repeated = len(calls) - len(set(calls))
    outcome.in_flight += sum(kill["unrecorded"] for kill in kills)
    if outcome.repeated > outcome.in_flight:
        repeated = outcome.repeated
        outcome.differences.append(
            f"{repeated} model calls were repeated, {outcome.in_flight} were in flight"
        )
    ends = [json.loads(line) for line in world.lines("ends")]
    if not ends:
        outcome.differences.append("it never came to its end")
        return
    for kind in KINDS:
        done = world.done(kind)
        wanted = Counter(step for step in range(STEPS) if KINDS[step % len(KINDS)] == kind)
        doubled = {step: times for step, times in done.items() if times > 1 and kind != "look"}
        outcome.doubled_effects += len(doubled)
        if doubled:
            outcome.differences.append(f"{kind} took effect more than once: {doubled}")
        if done.keys() != wanted.keys():
            outcome.differences.append(f"{kind} took effect in {sorted(done)} and not {sorted(wanted)}")
    to = {line.split()[2] for line in world.lines("effects") if line.startswith("send")}
    if to != {EMAIL}:
        outcome.differences.append(f"send saw other real values: {to}")
    outcome.count, outcome.entries, outcome.usage = ends[-1]["count"], ends[-1]["entries"], ends[-1]["usage"]
    if undisturbed is not None:
        outcome.differences += _differences(outcome, undisturbed, world)


def _differences(outcome: Outcome, undisturbed: Outcome, world: World) -> list[str]:
    told = [_as_if_run(entry, world) for entry in outcome.entries]
    found = []
    if len(told) != len(undisturbed.entries):
        found.append(f"{len(told)} messages and not {len(undisturbed.entries)}")
    for number, (mine, theirs) in enumerate(zip(told, undisturbed.entries, strict=False)):
        if mine != theirs:
            found.append(f"message {number} is {mine} and not {theirs}")
            break
    return found


def _as_if_run(entry: dict[str, str], world: World) -> dict[str, str]:
    """A call that a person found done says so in its result, and not what the tool would have said."""
    text = entry["text"]
    for line in world.lines("doubts"):
        step, found = line.split()
        if found == "done":
            text = text.replace(_AFTER_DOUBT.format(step=step), f"send {step} is done")
    return {**entry, "text": text}


_AFTER_DOUBT = (
    "It is not known whether an earlier try took effect, and it was not run again. send "
    "was rejected by person: send {step} is done."
)
