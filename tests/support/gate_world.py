"""The world outside of the gate: what tools did to it, and whether each of these effects was cleared."""

import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

from databases import KEYS
from gate_facts import (
    BOOKED,
    KEYED,
    MAY_REPEAT,
    PLAIN,
    READ_ONLY,
    Arguments,
    Effect,
    Grant,
    Setting,
    Start,
    spelled,
)

from ringfence.conversations.records import request_binding
from ringfence.conversations.sealed_rows import Sealer
from ringfence.conversations.store import Store


class World:
    """The ledger of effects, kept by the tools themselves and looked into by nobody but the test."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._sealer = Sealer(lambda: KEYS, file.name)
        self._tables = Store(file, keys=KEYS).tables
        self.now = 1_800_000_000.0
        self.effects: list[Effect] = []
        self.faults: list[str] = []
        """Each effect that should not have happened."""
        self.grants: dict[tuple[str, int, str], dict[str, Grant]] = defaultdict(dict)
        """What people said yes to, by conversation and step, and by request."""

    def act(self, setting: Setting, tool: str, arguments: Arguments, key: str = "") -> None:
        """Do it, and note whether it was cleared."""
        talk, said = setting.talk, spelled(arguments)
        starts = self._starts(talk.name, tool, said)
        licensed = tuple(one for one in starts if self._licensed(setting, tool, said, one))
        self.effects.append(Effect(talk.name, tool, said, key, licensed))
        what = f"{tool} {said} of {talk.name}"
        if setting.law.forbids(tool, arguments):
            self.faults.append(f"{what}: the policy {setting.law.name!r} forbids it")
        if (tool, said) not in talk.asked and not any(
            (one.tool, one.arguments) == (tool, said)
            for kept in self.grants.values()
            for one in kept.values()
        ):
            self.faults.append(f"{what}: no model asked for it")
        if not starts:
            self.faults.append(f"{what}: no row of the journal says that it began")
        elif not licensed:
            self.faults.append(f"{what}: nobody allowed it")
        if setting.law.total is not None and tool == PLAIN and self._spent(talk.name) > setting.law.total:
            self.faults.append(f"{what}: the policy allows a total of {setting.law.total}")

    def audit(self) -> list[str]:
        """Everything that is wrong with what happened so far."""
        return [*self.faults, *self._shared_starts(), *self._shared_keys(), *self._repeats()]

    # What licenses an effect

    def _licensed(self, setting: Setting, tool: str, arguments: str, start: Start) -> bool:
        grants = self.grants[setting.talk.name, start.turn, start.key].values()
        fitting = [one for one in grants if self._holds(one, setting, tool, arguments)]
        if (start.turn, start.key) in setting.begun_before:
            # It had passed everything when it began; whether it may begin again is another question.
            return tool in MAY_REPEAT or any(one.kind == "doubt" for one in fitting)
        needs_person = setting.law.asks(tool) or (setting.talk.is_poisoned and tool != READ_ONLY)
        return not needs_person or any(one.kind == "approval" for one in fitting)

    def _holds(self, grant: Grant, setting: Setting, tool: str, arguments: str) -> bool:
        law = setting.law
        return (
            (grant.tool, grant.arguments) == (tool, arguments)
            and (grant.law, grant.prompt) == (law.name, setting.prompt)
            and self.now <= grant.expires_at
            and len(grant.by if law.deciders is None else grant.by & law.deciders) >= law.needed
        )

    def _spent(self, talk: str) -> int:
        """What the payments of a conversation come to; nothing where a person let one be made again."""
        if any(
            grant.kind == "doubt"
            for key, kept in self.grants.items()
            for grant in kept.values()
            if key[0] == talk
        ):
            return 0
        paid = [one for one in self.effects if (one.talk, one.tool) == (talk, PLAIN)]
        return sum(json.loads(one.arguments)["amount"] for one in paid)

    # What must hold of all effects together

    def _shared_starts(self) -> list[str]:
        """Effects that have no row of their own; a tool that may repeat may act more than once on one."""
        taken: dict[tuple[str, Start], int] = {}

        def assign(number: int, tried: set[tuple[str, Start]]) -> bool:
            effect = self.effects[number]
            for start in effect.starts:
                row = (effect.talk, start)
                if row not in tried:
                    tried.add(row)
                    if row not in taken or assign(taken[row], tried):
                        taken[row] = number
                        return True
            return False

        once = [n for n, one in enumerate(self.effects) if one.tool not in MAY_REPEAT and one.starts]
        return [f"{self.effects[n]} has no row of its own" for n in once if not assign(n, set())]

    def _shared_keys(self) -> list[str]:
        meant: dict[str, tuple[str, str, str]] = {}
        faults = []
        for one in self.effects:
            call = (one.talk, one.tool, one.arguments)
            if one.key and meant.setdefault(one.key, call) != call:
                faults.append(f"{call} has the idempotency key of {meant[one.key]}")
            if not one.key and one.tool in {KEYED, BOOKED}:
                faults.append(f"{call} got no idempotency key")
        with closing(sqlite3.connect(self._file)) as db:
            twice = db.execute("SELECT key FROM world GROUP BY key HAVING count(*) > 1").fetchall()
        return faults + [f"the effect {key} was committed twice" for (key,) in twice]

    def _repeats(self) -> list[str]:
        """Calls that ran more often than models asked for them and people said that they may run again."""
        done: dict[tuple[str, str, str], int] = defaultdict(int)
        for one in self.effects:
            if one.tool not in MAY_REPEAT:
                done[one.talk, one.tool, one.arguments] += 1
        steps: dict[tuple[str, str, str], set[tuple[int, str]]] = defaultdict(set)
        for one in self.effects:
            steps[one.talk, one.tool, one.arguments] |= {(row.turn, row.key) for row in one.starts}
        faults = []
        for call, times in done.items():
            doubts = [
                grant
                for turn, key in steps[call]
                for grant in self.grants[call[0], turn, key].values()
                if grant.kind == "doubt"
            ]
            if times > len(steps[call]) + len(doubts):
                faults.append(f"{call} happened {times} times")
        return faults

    # What stands in the store, read past all of Ringfence's own memory

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Rows of the store as they stand in the file."""
        with closing(sqlite3.connect(self._file)) as db:
            db.row_factory = sqlite3.Row
            return db.execute(query, values).fetchall()

    def opened(self, row: sqlite3.Row) -> Any:
        """What a request for approval says."""
        bound = ("requests", row["conversation"], row["id"], row["kind"], row["key"])
        return self._sealer.open(row["content"], *bound)

    def begun(self, talk: str) -> frozenset[tuple[int, str]]:
        """The steps of a conversation that have begun, and have no outcome yet."""
        found = self.rows(
            "SELECT turn, key FROM ringfence_journal "
            "WHERE conversation = ? AND kind = 'tool' AND status != 'done'",
            talk,
        )
        return frozenset((row["turn"], row["key"]) for row in found)

    def _starts(self, talk: str, tool: str, arguments: str) -> list[Start]:
        found = self.rows(
            "SELECT j.* FROM ringfence_journal j JOIN ringfence_conversations c ON c.id = j.conversation "
            "WHERE j.conversation = ? AND j.turn = c.turn AND j.kind = 'tool' AND j.name = ? "
            "AND j.status = 'started'",
            talk,
            tool,
        )
        starts = []
        for row in found:
            kept = _Named(row)
            request = self._sealer.open(kept.request, *request_binding(talk, kept))
            if spelled(request["arguments"]) == arguments:
                starts.append(Start(kept.turn, kept.key, kept.started_at))
        return starts


class _Named:
    """A row of the file with its columns as attributes."""

    def __init__(self, row: sqlite3.Row) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return self._row[name]
