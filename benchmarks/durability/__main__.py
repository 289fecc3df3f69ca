"""What durability costs, side by side in one run.

    python -m benchmarks.durability [--postgres URL] [--suspended 1000] [--only journal]

Prints conversations a second, memory, the cost of a step, and what suspended conversations cost. DBOS stands
beside the journal when it is installed: `pip install --group bench`.
"""

import argparse
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import make_url

from benchmarks.durability.apart import apart
from benchmarks.durability.journal_cost import dbos_milliseconds, journal_milliseconds
from benchmarks.durability.suspended import resume_all, suspend
from benchmarks.durability.throughput import at_once, with_workers

_POSTGRES = "RINGFENCE_TEST_POSTGRES_URL"
_PARTS = ("journal", "workers", "at once", "suspended")


def main() -> None:
    """Measure, and print."""
    arguments = _arguments()
    server = arguments.postgres
    if not server:
        print(f"PostgreSQL is left out: say --postgres URL, or set {_POSTGRES}")
    with TemporaryDirectory(prefix="ringfence-durability-") as folder:
        parts = {
            "journal": lambda: _journal(Path(folder), server, arguments.talks),
            "workers": lambda: _workers(server, arguments.jobs),
            "at once": lambda: _at_once(Path(folder), arguments.at_once),
            "suspended": lambda: _suspended(Path(folder), arguments.suspended),
        }
        for name in arguments.only:
            parts[name]()


def _journal(folder: Path, server: str, talks: int) -> None:
    print("\nA step (one model or tool call, written before and after), in ms")
    print(f"{'':24} {'in the store':>12} {'whole step':>11} {'DBOS':>7}")
    for name in ("in memory", "SQLite, a file", *(["PostgreSQL"] if server else [])):
        with _database(name, folder, server) as (ours, theirs):
            stored, whole = apart(journal_milliseconds, ours, talks)
            dbos = apart(dbos_milliseconds, theirs, talks * 10) if theirs else None
        shown = f"{dbos:7.1f}" if dbos is not None else f"{'-':>7}"
        print(f"{name:24} {stored:12.1f} {whole:11.1f} {shown}", flush=True)
    print("DBOS commits once for a step, after it; - is not installed, or has no such store")


def _workers(server: str, jobs: int) -> None:
    if not server:
        return
    print(f"\nConversations a second on PostgreSQL, {os.cpu_count()} cores, {jobs} jobs")
    for workers in (1, 2, 4):
        with _postgres(server) as url:
            rate = apart(with_workers, url, workers, jobs)
        print(f"{workers} workers {rate:8.1f}", flush=True)


def _at_once(folder: Path, count: int) -> None:
    rate, ours, of_autogen = apart(at_once, folder / "at-once.sqlite", count)
    print(f"\n{count} at once in one process, SQLite: {rate:.1f} conversations a second")
    print(
        f"Memory of a live one: {ours / 1024:.0f} KiB, AutoGen alone {of_autogen / 1024:.0f} KiB: "
        f"{ours / of_autogen:.1f} times as much"
    )


def _suspended(folder: Path, count: int) -> None:
    store = f"sqlite:///{folder / 'suspended.sqlite'}"
    found = apart(suspend, store, count)
    print(f"\n{count} conversations suspended in {found.pop('seconds'):.0f} s; what the process holds then:")
    for name, value in found.items():
        print(f"{name:32} {f'{value / 1e6:.1f} MB' if 'bytes' in name else value}")
    resumed = apart(resume_all, store, count)
    print(f"another process approved and resumed {resumed['done']} in {resumed['seconds']:.0f} s", flush=True)


@contextmanager
def _database(name: str, folder: Path, server: str) -> Iterator[tuple[str | Path | None, str | None]]:
    """Where ours is, and the URL for DBOS."""
    if name == "in memory":
        yield None, None
    elif name == "PostgreSQL":
        with _postgres(server) as ours, _postgres(server) as theirs:
            yield ours, theirs
    else:
        yield folder / "journal.sqlite", f"sqlite:///{folder / 'dbos.sqlite'}"


@contextmanager
def _postgres(server: str) -> Iterator[str]:
    import psycopg

    name = f"ringfence_bench_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--postgres", default=os.environ.get(_POSTGRES, ""), help="a server on which databases can be made"
    )
    parser.add_argument("--talks", type=int, default=50, help="conversations for the cost of a step")
    parser.add_argument("--jobs", type=int, default=100, help="for the workers")
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--suspended", type=int, default=1000)
    parser.add_argument("--only", nargs="*", choices=_PARTS, default=_PARTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
