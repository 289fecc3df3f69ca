"""Two processes on one store with two conversations, and everything that can happen to them."""

import asyncio
import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from databases import KEYS
from gate_facts import TOOLS, Grant, Law, Talk, spelled
from gate_laws import LAWS
from gate_office import AFTER, BEFORE, Office
from gate_teams import Gates
from gate_world import World
from moved_clock import clock

from ringfence import RingfenceError
from ringfence.conversations.store import Store, StoreSettings

TAMPERING = (
    "UPDATE ringfence_requests SET status = 'approved' WHERE conversation = :talk AND status = 'waiting'",
    """UPDATE ringfence_requests SET status = 'approved', decision = (SELECT decision FROM ringfence_requests
    WHERE status = 'approved') WHERE conversation = :talk AND status = 'waiting'""",
    "UPDATE ringfence_requests SET expires_at = expires_at + 1e9 WHERE conversation = :talk",
    "UPDATE ringfence_requests SET conversation = :talk WHERE status = 'approved'",
    """UPDATE ringfence_requests SET turn = (SELECT turn FROM ringfence_conversations WHERE id = :talk)
    WHERE conversation = :talk AND status = 'approved'""",
    "DELETE FROM ringfence_journal WHERE conversation = :talk AND status = 'started'",
    "UPDATE ringfence_journal SET status = 'failed' WHERE conversation = :talk AND status = 'started'",
    "UPDATE ringfence_conversations SET leased_until = 0 WHERE id = :talk",
)
_DAYS = 86_400
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of this user's own is made in it


@lru_cache(maxsize=1)
def template() -> Path:
    """An empty store, made once."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    asyncio.run(Store(folder / "store.sqlite", settings=StoreSettings(upgrade=True), keys=KEYS).upgrade())
    with closing(sqlite3.connect(folder / "store.sqlite")) as db:
        db.execute("CREATE TABLE world (key TEXT)")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / "store.sqlite"


class Premises:
    """Everything that a series of steps is about."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None))
        self.loop = asyncio.new_event_loop()
        self.stack = ExitStack()
        self.world = World(self.folder / "store.sqlite")
        self.stack.enter_context(clock(lambda: self.world.now))
        self.gates = Gates()
        self.talks: list[Talk] = []
        self.offices: list[Office] = []
        self.asked: dict[str, tuple[Law, int, float]] = {}
        """Of each request: under which law and prompts it was made, and until when it can be decided."""

    def open(self, shapes: tuple[str, str], law: Law) -> None:
        """Two processes begin with the same policy."""
        self.talks = [Talk(f"talk-{number}", shape) for number, shape in enumerate(shapes)]
        shutil.copy(template(), self.folder / "store.sqlite")
        self.offices = [self.begin(law), self.begin(law)]

    def begin(self, law: Law) -> Office:
        """A new process."""
        office = Office(self.folder, self.world, self.gates, law)
        self.wait(office.open())
        return office

    def wait(self, work: Awaitable[Any]) -> Any:
        """Let the event loop run until this is done."""
        return self.loop.run_until_complete(work)

    def drive(self, at: int, about: int, start: Callable[..., Awaitable[Any]]) -> None:
        """Run a conversation in a process as far as it goes, and note whom it asks."""
        office, talk = self.offices[at], self.talks[about]
        self.wait(office.drive(talk, start))
        self.note_requests(office, talk)

    def resume(self, at: int, about: int, *, allows: bool = False) -> None:
        """Let the turn that stopped go on."""

        def start(talk: Any, token: Any) -> Any:
            return talk.resume(cancellation_token=token, allow_changes=allows)

        self.drive(at, about, start)

    def hanging(self) -> list[tuple[int, int]]:
        """The runs that wait in the middle of something: in which process, and of which conversation."""
        return [
            (at, about)
            for at, office in enumerate(self.offices)
            for about, talk in enumerate(self.talks)
            if talk.name in office.running and self.gates.waiting.get(talk.name)
        ]

    # What happens to them

    def break_off(self, at: int, about: int, *, dies: bool) -> None:
        """End a run in the middle of something."""
        if dies:
            self.die(self.offices[at], self.talks[about], 0)
        else:
            self.wait(self.offices[at].cancel(self.talks[about]))
            self.note_requests(self.offices[at], self.talks[about])

    def die(self, office: Office, _talk: Talk, _nth: int) -> None:
        """A process is killed in the middle of everything; when its leases have ended, there is another."""
        self.wait(office.die())
        self.world.now += 40
        self.offices[self.offices.index(office)] = self.begin(office.law)

    def wait_long(self, _office: Office, _talk: Talk, nth: int) -> None:
        """Leases and approvals end; who holds them may not know yet."""
        self.world.now += (40.0, 8.0 * _DAYS)[nth % 2]

    def reload(self, office: Office, _talk: Talk, nth: int) -> None:
        """The policy of a process changes, or of both."""
        for one in self.offices if nth % 2 else [office]:
            one.reload(LAWS[nth % len(LAWS)])

    def change_prompt(self, _office: Office, talk: Talk, _nth: int) -> None:
        """A new version of the prompts is deployed."""
        talk.prompt += 1

    def trouble(self, office: Office, _talk: Talk, nth: int) -> None:
        """The store is going to fail."""
        office.disk.fails = [*["", "", "", "", ""][nth % 5 :], (BEFORE, AFTER)[nth // 5]]

    def withdraw(self, office: Office, talk: Talk, _nth: int) -> None:
        """What waits shall not be done."""
        with suppress(RingfenceError):
            self.wait(office.conversation(talk).withdraw())

    def reset(self, office: Office, talk: Talk, _nth: int) -> None:
        """All that was said is forgotten."""
        with suppress(RingfenceError):
            self.wait(office.conversation(talk).reset())
            talk.is_poisoned = False

    def sneak(self, office: Office, talk: Talk, nth: int) -> None:
        """Code in the process calls a tool past the model, with a fresh id or with one that it has seen."""
        if talk.name not in office.benches:
            return
        ids = ["never-heard", *sorted(key.partition(":")[2] for _, key in self.world.begun(talk.name))]
        said = {"what": ("a", "sneaked")[nth % 2], "how": "plain", "amount": 1}
        bench = office.benches[talk.name][0]
        self.wait(bench.call_tool(TOOLS[nth % len(TOOLS)], said, call_id=ids[nth % len(ids)]))
        self.note_requests(office, talk)

    def tamper(self, _office: Office, talk: Talk, nth: int) -> None:
        """Somebody who can write the database makes an approval of what is none."""
        file = self.folder / "store.sqlite"
        with closing(sqlite3.connect(file, timeout=0.05)) as db, suppress(sqlite3.Error):
            db.execute(TAMPERING[nth % len(TAMPERING)], {"talk": talk.name})
            db.commit()

    # Below: the test's own book-keeping

    def status(self, talk: Talk) -> str:
        """How a conversation stands, by its row."""
        if self.gates.waiting.get(talk.name):
            return "hangs"
        known = self.world.rows("SELECT status FROM ringfence_conversations WHERE id = ?", talk.name)
        return known[0]["status"] if known else "ready"

    def is_free(self, talk: Talk) -> bool:
        """Whether it can take a task."""
        return self.status(talk) not in {"hangs", "waiting_for_approval"}

    def is_open(self, talk: Talk) -> bool:
        """Whether a turn of it can go on."""
        return self.status(talk) not in {"hangs", "ready", "done"}

    def requests(self, talk: Talk | None = None, *, waiting: bool = False) -> list[sqlite3.Row]:
        """Requests for approval as they stand in the file, oldest first."""
        known = self.world.rows("SELECT * FROM ringfence_requests ORDER BY asked_at, id")
        return [
            row
            for row in known
            if (talk is None or row["conversation"] == talk.name)
            and (row["status"] == "waiting" or not waiting)
        ]

    def note_requests(self, office: Office, talk: Talk) -> None:
        """Note under which policy and prompts something was asked, and that people can decide it."""
        setting = office.setting(talk)
        for row in self.requests(talk):
            if row["id"] not in self.asked and setting is not None:
                self.asked[row["id"]] = (setting.law, setting.prompt, row["expires_at"])

    def say(
        self, office: Office, talk: Talk, row: sqlite3.Row, by: str, *, yes: bool, edit: Any = None
    ) -> None:
        """Decide, and note what was thereby allowed."""
        conversation, content = office.conversation(talk), self.world.opened(row)
        grants = self.world.grants[row["conversation"], row["turn"], row["key"]]
        before = grants.get(row["id"])
        said = before.arguments if before else spelled(content["arguments"])
        edited = None if edit is None else {**content["arguments"], **edit}
        try:
            if yes:
                self.wait(conversation.approve(row["id"], by=by, arguments=edited))
            else:
                self.wait(conversation.reject(row["id"], by=by, reason="no"))
        except RingfenceError:
            return
        if not yes:
            grants.pop(row["id"], None)
            return
        if edited is not None and spelled(edited) != said:
            said, before = spelled(edited), None
        law, prompt, expires_at = self.asked[row["id"]]
        people = (before.by if before else frozenset()) | {by.strip().lower()}
        grants[row["id"]] = Grant(row["kind"], content["tool"], said, expires_at, law.name, prompt, people)

    def close(self) -> None:
        """End everything."""
        for talk in self.talks:
            self.gates.open(talk.name)
        for office in self.offices:
            self.wait(office.close())
        self.wait(asyncio.sleep(0))
        self.loop.close()
        self.stack.close()
        shutil.rmtree(self.folder)
