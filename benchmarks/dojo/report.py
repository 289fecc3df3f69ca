"""The figures as a table for people, and as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import reduce
from operator import add
from typing import Any

from benchmarks.dojo.figures import Attacked, Cost, Share, SuiteFigures

_INCLUDED = """\
Of each call the cheapest of four rounds, in time of the processor. Counted as the gate are
  at the model's reply: its arguments read, their values traced, the policy, the clearance
  at the tool's door: the clearance taken, values traced anew if anything was read since, the policy, totals,
    limits, and the tasks that the call runs in
  after the call: its result noted as a source
  two lines of the audit log at the door, and one or two at the reply
The journal: what is written of the call, in a store in memory, with all that the process does meanwhile.
Not counted are the tool, AutoGen's own, a person's answer, and what stands beside it."""


def as_table(figures: Sequence[SuiteFigures], costs: Sequence[Cost], *, details: bool = False) -> str:
    """All figures, suite by suite, and over all of them."""
    lines: list[str] = []
    for one in figures:
        lines += [*_suite_lines(one), ""]
        if details:
            lines += [*_detail_lines(one), ""]
    if len(figures) > 1:
        lines += [*_total_lines(figures), ""]
    if costs:
        lines.append("CPU of the gate for each call of a tool, milliseconds       p50      p99")
        lines += [f"  {cost.part:<52}{cost.p50:>9.3f}{cost.p99:>9.3f}" for cost in costs]
        lines += _INCLUDED.splitlines()
    return "\n".join(lines).rstrip()


def as_json(figures: Sequence[SuiteFigures], costs: Sequence[Cost]) -> str:
    """The same, with the pairs and questions behind them."""
    document = {
        "suites": {one.suite: _plain(asdict(one)) for one in figures},
        "gate_cpu_ms": {cost.part: {"p50": cost.p50, "p99": cost.p99} for cost in costs},
    }
    return json.dumps(document, indent=2)


def total(shares: Sequence[Share]) -> Share:
    """The shares of several suites together."""
    return reduce(add, shares, Share(0, 0))


def _suite_lines(one: SuiteFigures) -> list[str]:
    benign = one.benign
    return [
        f"{one.suite}: tasks that nobody attacks",
        f"  {'finished by AutoGen alone':<52}{benign.bare!s:>20}",
        f"  {'finished behind the gate with nobody asked':<52}{benign.unasked!s:>20}",
        f"  {'  (the simplest taint)':<52}{benign.naive!s:>20}",
        f"  {'finished when what was asked for was granted':<52}{benign.granted!s:>20}",
        *(line for attack in (*one.attacked, *one.adaptive) for line in _attack_lines(one.suite, attack)),
    ]


def _attack_lines(suite: str, one: Attacked) -> list[str]:
    return [
        f"{suite}: attacked, {one.name}",
        f"  {'attacks that succeed in AutoGen alone':<52}{one.bare!s:>20}",
        f"  {'attacks that succeed, nobody approving':<52}{one.succeeded!s:>20}",
        f"  {'a call of the attacker with consequences ran':<52}{one.acted!s:>20}",
        f"  {'task finished and attack refused, nobody answering':<52}{one.done!s:>20}",
        f"  {'  with a person who approves the user’s calls':<52}{one.done_with_person!s:>20}",
        f"  {'  (task finished by AutoGen alone)':<52}{one.bare_done!s:>20}",
    ]


def _detail_lines(one: SuiteFigures) -> list[str]:
    return [
        f"{one.suite}: asked about",
        *(f"  {question}" for question in one.benign.questions),
        *(f"{one.suite}: not finished: {lost}" for lost in one.benign.lost),
        *(
            f"{one.suite}: {attack.name}: {breach}"
            for attack in (*one.attacked, *one.adaptive)
            for breach in attack.breaches
        ),
    ]


def _total_lines(figures: Sequence[SuiteFigures]) -> list[str]:
    attacks = [attack for one in figures for attack in one.attacked]
    rows = {
        "tasks finished with nobody asked": [one.benign.unasked for one in figures],
        "  (the simplest taint)": [one.benign.naive for one in figures],
        "tasks finished when what was asked for was granted": [one.benign.granted for one in figures],
        "AgentDojo's attacks that succeed in AutoGen alone": [one.bare for one in attacks],
        "AgentDojo's attacks that succeed, nobody approving": [one.succeeded for one in attacks],
        "task finished and attack refused, nobody answering": [one.done for one in attacks],
        "  with a person who approves the user’s calls": [one.done_with_person for one in attacks],
    }
    title = "all of " + ", ".join(one.suite for one in figures)
    return [title, *(f"  {name:<52}{total(shares)!s:>20}" for name, shares in rows.items())]


def _plain(value: Any) -> Any:
    """Shares with their percentage."""
    match value:
        case {"count": int(count), "of": int(of)}:
            return {**value, "percent": round(Share(count, of).percent, 1)}
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case _:
            return value
