"""SIGKILL at every write of a conversation of 20 tool calls, and what is left of it afterwards.

    python -m benchmarks.chaos [--sample 3] [--postgres URL] [--show 20]

Exit status 1: a transcript differs from the undisturbed one, an effect was doubled or lost, or a model call
was repeated that was not in flight.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.chaos.series import Configuration, Death, Outcome, Place, story
from benchmarks.chaos.takeover import taken_over
from benchmarks.chaos.world import KINDS
from benchmarks.chaos.zygote import play
from ringfence import Policy, Ringfence
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.presidio import PiiFinder

_POSTGRES = "RINGFENCE_TEST_POSTGRES_URL"
_EFFECTS = 20
_SEND_STARTED = 14
"""The write that says that the first call without an idempotency key begins, when calls come one by one."""


def main() -> int:
    """Run every series, and print what came of it."""
    arguments = _arguments()
    _warm_up()
    if not arguments.postgres:
        print(f"PostgreSQL is left out: say --postgres URL, or set {_POSTGRES}")
    databases = [one for one in arguments.databases if one == "sqlite" or arguments.postgres]
    began, kills, failed = time.monotonic(), 0, []
    print(f"{'':42} kills resumes doubts repeated/in flight doubled differences seconds")
    with TemporaryDirectory(prefix="ringfence-chaos-") as folder:
        place = Place(Path(folder), arguments.postgres)
        for number, made in enumerate(product(databases, (1, 5), (False, True))):
            configuration = Configuration(*made)
            start = time.monotonic()
            (undisturbed,) = play([story(place, configuration)], at_once=1)
            deaths = _deaths(configuration, undisturbed.count)
            if arguments.sample:
                # Other places for each configuration, spread over the conversation.
                step = max(1, len(deaths) // arguments.sample)
                last = deaths[-1:] if number == 0 else []
                deaths = deaths[number * step // 8 :: step][: arguments.sample] + last
            stories = [
                story(place, configuration, deaths=one, again_and_again=again, undisturbed=undisturbed)
                for one, again in deaths
            ]
            outcomes = play(stories, at_once=arguments.at_once)
            _print_row(str(configuration), outcomes, time.monotonic() - start)
            kills += sum(one.kills for one in outcomes)
            failed += [one for one in (undisturbed, *outcomes) if one.differences]
            if not configuration.external:
                taken = _taken_over(place, configuration, undisturbed, is_sample=bool(arguments.sample))
                failed += [one for one in taken if one.differences]
    print(f"\n{kills} kills in {time.monotonic() - began:.0f} s")
    for one in failed[: arguments.show]:
        print(f"\n{one.place}\n  " + "\n  ".join(one.differences))
    return bool(failed)


def _deaths(configuration: Configuration, count: int) -> list[tuple[Sequence[Death], bool]]:
    """Where processes are killed, and whether again and again until one comes through."""
    found: list[tuple[Sequence[Death], bool]] = []
    for at in range(1, count + 1):
        found.append(([("before the commit", at)], False))
        found.append(([("after the commit", at)], False))
    found += [([("between effect and result", at)], False) for at in range(1, _EFFECTS + 1)]
    # Each life has to get on a little, or there would be no end.
    for at in (10, 25) if configuration.at_once == 1 else (15, 25):
        found += [([("before the commit", at)], True), ([("after the commit", at)], True)]
    if configuration.at_once == 1:
        found.append(([("between effect and result", 2)], True))
        # A call in doubt that a person lets run again, and that is in doubt once more.
        in_doubt: Death = ("after the commit", _SEND_STARTED)
        found.append(([in_doubt, ("between effect and result", 1)], False))
        found.append(([in_doubt, ("after the commit", 6), ("between effect and result", 1)], False))
    return found


def _taken_over(
    place: Place, configuration: Configuration, undisturbed: Outcome, *, is_sample: bool
) -> list[Outcome]:
    """Processes that are stopped past their lease and woken, after each kind of effect."""
    start = time.monotonic()
    effects = [3 if configuration.at_once == 1 else 2] if is_sample else range(1, len(KINDS) + 1)
    if configuration.database == "sqlite":
        # Nobody can take a lock of a file away from a process that is stopped in a transaction.
        effects = [at for at in effects if KINDS[at - 1] != "book"]
    taken = [taken_over(place, configuration, at=at, undisturbed=undisturbed) for at in effects]
    _print_row("  stopped past the lease and woken", taken, time.monotonic() - start)
    return taken


def _print_row(name: str, outcomes: Sequence[Outcome], seconds: float) -> None:
    kills, resumes = sum(one.kills for one in outcomes), sum(one.resumes for one in outcomes)
    doubts, doubled = sum(one.doubts for one in outcomes), sum(one.doubled_effects for one in outcomes)
    repeated, in_flight = sum(one.repeated for one in outcomes), sum(one.in_flight for one in outcomes)
    differ = sum(bool(one.differences) for one in outcomes)
    print(
        f"{name:42} {kills:5} {resumes:7} {doubts:6} {repeated:8}/{in_flight:<9} {doubled:7} "
        f"{differ:11} {seconds:7.0f}",
        flush=True,
    )


def _warm_up() -> None:
    """Import and load all that a conversation needs, and leave no thread behind."""
    PiiFinder(PiiSettings())
    asyncio.run(Ringfence(Policy()).close())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sample", type=int, default=0, help="so many deaths of each kind; 0: all")
    parser.add_argument("--at-once", type=int, default=8, help="processes at once; many wait for a lease")
    parser.add_argument(
        "--postgres", default=os.environ.get(_POSTGRES, ""), help="where databases can be made"
    )
    databases = ["sqlite", "postgres"]
    parser.add_argument("--databases", nargs="*", choices=databases, default=databases, help="only these")
    parser.add_argument("--show", type=int, default=20, help="so many differences are shown")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
