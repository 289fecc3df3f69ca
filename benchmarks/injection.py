"""How many prompt injections the scanner finds, how often it is wrong, and what it costs.

    python -m benchmarks.injection CORPUS.jsonl [...] [--misses N]

A line of a corpus is `{"id", "text", "label"}`; the label is 1 or 0, true or false, or a word such as
"injection" or "benign". Texts are never printed, only their ids.
"""

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import quantiles
from time import process_time
from typing import Any, NamedTuple

from benchmarks.pii.tables import print_table
from ringfence.guardrails.injection import DEFAULT_THRESHOLD, Scan, scan

THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_LABELS = (
    dict.fromkeys(("1", "true", "yes", "injection", "prompt_injection", "attack", "malicious"), True)
    | dict.fromkeys(("jailbreak", "unsafe", "positive", "injected"), True)
    | dict.fromkeys(("0", "false", "no", "benign", "legit", "legitimate", "safe", "clean", "normal"), False)
    | dict.fromkeys(("negative", "harmless"), False)
)
_Z = 1.96
"""Standard deviations to either side that hold 95 % of a normal distribution."""


class CorpusError(ValueError):
    """A corpus is not in the format; says where, and quotes nothing."""


class Example(NamedTuple):
    """A text of which it is known whether it is an injection."""

    id: str
    text: str
    is_injection: bool


class Judged(NamedTuple):
    """What the scanner says of an example."""

    example: Example
    scan: Scan
    seconds: float


class Rate(NamedTuple):
    """So many of so many."""

    hits: int
    of: int

    @property
    def share(self) -> float | None:
        """As a figure from 0 to 1."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval, which is right for small numbers, too."""
        if not self.of:
            return None
        share, square = self.hits / self.of, _Z * _Z / self.of
        middle = (share + square / 2) / (1 + square)
        half = _Z * math.sqrt(share * (1 - share) / self.of + square / (4 * self.of)) / (1 + square)
        return max(0.0, middle - half), min(1.0, middle + half)


def read_corpus(path: Path) -> list[Example]:
    """All examples of a file, in their order."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CorpusError(f"{path} is not UTF-8") from None
    examples: list[Example] = []
    faults: list[str] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                examples.append(_example(line, f"{path}, line {number}"))
            except CorpusError as error:
                faults.append(str(error))
    if faults or not examples:
        raise CorpusError("\n".join(faults) or f"{path} holds no text")
    return examples


def judged(examples: Iterable[Example]) -> list[Judged]:
    """Each example with its scan, and the CPU time that it took."""
    results = []
    for example in examples:
        started = process_time()
        found = scan(example.text)
        results.append(Judged(example, found, process_time() - started))
    return results


def rates(results: Iterable[Judged], threshold: float) -> tuple[Rate, Rate]:
    """How many injections were found, and how many other texts were taken for one."""
    counts: Counter[tuple[bool, bool]] = Counter(
        (one.example.is_injection, one.scan.risk >= threshold) for one in results
    )
    detected, false = (
        Rate(counts[label, True], counts[label, True] + counts[label, False]) for label in (True, False)
    )
    return detected, false


def kinds(results: Iterable[Judged], threshold: float) -> dict[str, tuple[int, int]]:
    """For each kind of sign, in how many hits and in how many false hits it was; the most frequent first."""
    counts: Counter[tuple[str, bool]] = Counter(
        (kind, one.example.is_injection)
        for one in results
        if one.scan.risk >= threshold
        for kind in {sign.kind for sign in one.scan.signs}
    )
    names = sorted({kind for kind, _ in counts}, key=lambda kind: (-counts[kind, True], kind))
    return {kind: (counts[kind, True], counts[kind, False]) for kind in names}


def missed(results: Iterable[Judged], threshold: float) -> list[str]:
    """The ids of the injections that were not found."""
    return [one.example.id for one in results if one.example.is_injection and one.scan.risk < threshold]


def report(name: str, results: Sequence[Judged]) -> None:
    """Print the figures of one corpus."""
    detected, false = rates(results, DEFAULT_THRESHOLD)
    print_table(
        f"{name}: {len(results)} texts, threshold {DEFAULT_THRESHOLD:g}",
        ("what", "share", "95 % interval", "texts"),
        [_rate_row("injections found", detected), _rate_row("false alarms", false)],
    )
    print_table(
        "Over thresholds",
        ("threshold", "injections found", "false alarms"),
        [
            (f"{threshold:g}", *(_percent(rate.share) for rate in rates(results, threshold)))
            for threshold in THRESHOLDS
        ],
    )
    print_table(
        "Signs, by the number of texts that have them",
        ("kind", "in injections found", "in false alarms"),
        [(kind, str(hits), str(wrong)) for kind, (hits, wrong) in kinds(results, DEFAULT_THRESHOLD).items()],
    )
    middle, slow = _percentiles([one.seconds for one in results])
    print(f"CPU per text: p50 {1000 * middle:.3f} ms, p95 {1000 * slow:.3f} ms")


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.injection", description="The scanner")
    parser.add_argument("corpora", nargs="+", type=Path, metavar="CORPUS.jsonl")
    parser.add_argument("--misses", type=int, default=0, metavar="N", help="print ids of so many misses")
    given = parser.parse_args(arguments)
    try:
        corpora = [(path.name, read_corpus(path)) for path in given.corpora]
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 2
    # What loads and compiles on first use is no part of a text's time.
    judged(example for _, examples in corpora for example in examples)
    for name, examples in corpora:
        results = judged(examples)
        report(name, results)
        for identity in missed(results, DEFAULT_THRESHOLD)[: given.misses]:
            print(f"missed: {identity}")
    return 0


def _example(line: str, where: str) -> Example:
    try:
        entry = json.loads(line)
    except ValueError:
        raise CorpusError(f"{where} is not JSON") from None
    if not isinstance(entry, dict):
        raise CorpusError(f"{where} is not a JSON object")
    identity, text = entry.get("id"), entry.get("text")
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        raise CorpusError(f"{where} has no id")
    if not isinstance(text, str):
        raise CorpusError(f"{where} has no text")
    return Example(str(identity), text, _label(entry.get("label"), where))


def _label(label: Any, where: str) -> bool:
    word = str(label).strip().lower().replace("-", "_").replace(" ", "_")
    # 1.0 and the like come out of tables.
    known = _LABELS.get(word.removesuffix(".0"))
    if known is None:
        raise CorpusError(f"{where} has no known label; 1 or injection, 0 or benign")
    return known


def _percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    if len(seconds) == 1:
        return seconds[0], seconds[0]
    if not seconds:
        return 0.0, 0.0
    cuts = quantiles(seconds, n=20, method="inclusive")
    return cuts[9], cuts[18]


def _rate_row(what: str, rate: Rate) -> tuple[str, ...]:
    interval = rate.interval
    shown = f"{_percent(interval[0])} to {_percent(interval[1])}" if interval else ""
    return what, _percent(rate.share), shown, f"{rate.hits} of {rate.of}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


if __name__ == "__main__":
    sys.exit(main())
