"""How much is found, and how much of what is found is right, beside what is asked for."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmarks.pii.annotated import read_snippets
from benchmarks.pii.finders import held_out_finder
from benchmarks.pii.samples import Sample, name_words
from benchmarks.pii.scoring import ANY, VALID_CARD, Score, scores
from benchmarks.pii.tables import print_table, share
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.presidio import Finding, PiiFinder


class Bar(NamedTuple):
    """The least that is asked for of a type."""

    recall: float
    precision: float | None = None
    f2: float | None = None

    def is_reached(self, score: Score) -> bool:
        """Whether a score is as high as this throughout."""
        measured = (score.recall, score.precision, score.f2)
        return all(
            least is None or (value is not None and value >= least)
            for value, least in zip(measured, self, strict=True)
        )

    def __str__(self) -> str:
        named = zip(("R", "P", "F2"), self, strict=True)
        return " ".join(f"{name} {least:.2f}" for name, least in named if least is not None)


_SURE = Bar(0.99)
BARS = {
    ANY: Bar(0.90, 0.88, 0.90),
    "PERSON": Bar(0.88, 0.85),
    "LOCATION": Bar(0.85, 0.85),
    "EMAIL_ADDRESS": _SURE,
    "IBAN_CODE": _SURE,
    "US_SSN": _SURE,
    "IP_ADDRESS": _SURE,
    VALID_CARD: _SURE,
}


def measure_quality(name: str, samples: Sequence[Sample]) -> None:
    """Print how the samples are found, with names held out and with the lists as they are."""
    words = name_words(samples)
    with held_out_finder(PiiSettings(), words) as finder:
        _measure(
            f"{name}, held-out: the lists know none of its {len(words):,} words of names", samples, finder
        )
    _measure(f"{name}, as shipped", samples, PiiFinder(PiiSettings()))


def measure_false_alarms() -> None:
    """Print in how many plain snippets, in which nothing is personal, something would be masked."""
    snippets = read_snippets()
    finder = PiiFinder(PiiSettings())
    found = asyncio.run(_find_masked(finder, snippets))
    hit = sum(bool(findings) for findings in found)
    counts = Counter(finding.entity for findings in found for finding in findings)
    print_table(
        f"False alarms: {hit} of {len(snippets)} plain snippets ({hit / len(snippets):.1%}) have one or more",
        ("type", "false hits"),
        [(entity, str(count)) for entity, count in counts.most_common()],
    )


def _measure(title: str, samples: Sequence[Sample], finder: PiiFinder) -> None:
    found = asyncio.run(_find(finder, [sample.text for sample in samples]))
    pieces = sum(len(sample.gold) for sample in samples)
    print_table(
        f"{title} ({len(samples):,} texts, {pieces:,} pieces)",
        ("type", "pieces", "precision", "recall", "F2", "asked for", ""),
        [*_rows(scores(samples, found))],
    )


async def _find(finder: PiiFinder, texts: Sequence[str]) -> list[Sequence[Finding]]:
    return [await finder.find_all(text) for text in texts]


async def _find_masked(finder: PiiFinder, texts: Sequence[str]) -> list[Sequence[Finding]]:
    return [await finder.find(text) for text in texts]


def _rows(scored: dict[str, Score]) -> Iterator[Sequence[str]]:
    for name, score in scored.items():
        bar = BARS.get(name)
        # Whether the check digit of what was predicted holds is not asked of it.
        precision = "" if name == VALID_CARD else share(score.precision)
        f2 = "" if name == VALID_CARD else share(score.f2)
        reached = "" if bar is None else "reached" if bar.is_reached(score) else "NOT REACHED"
        yield name, str(score.gold), precision, share(score.recall), f2, str(bar or ""), reached
