"""What was found in a text, and what becomes of findings that overlap."""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ringfence.guardrails.pii import PiiAction, PiiRule

NAME_ENTITIES = ("PERSON", "LOCATION", "ORGANIZATION", "DATE_TIME", "AGE", "NRP", "TITLE")
"""What the basic tier finds."""
_STRICTEST_LAST = (
    PiiAction.ALLOW,
    PiiAction.PSEUDONYMIZE,
    PiiAction.MASK,
    PiiAction.HASH,
    PiiAction.REDACT,
    PiiAction.BLOCK,
)
_UNSPACED = {"Lo", "Lm", "Mn", "Mc", "Me"}
"""Unicode's categories of letters without case, and of marks: scripts in which words stand without spaces."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A span of personal data in a text."""

    entity: str
    start: int
    end: int
    score: float


def merged(found: Collection[Finding], rules: Mapping[str, PiiRule]) -> tuple[Finding, ...]:
    """Findings that overlap become one under the strictest rule: nothing that was found stays visible.

    Those that are allowed join only one another, and one inside of what is not allowed is left out.
    """
    allowed = [one for one in found if rules[one.entity].action is PiiAction.ALLOW]
    masked = [*_joined(set(found).difference(allowed), rules)]
    shown = [*_joined(allowed, rules)]
    starts = [one.start for one in masked]

    def is_hidden(one: Finding) -> bool:
        before = bisect_right(starts, one.start) - 1
        return before >= 0 and one.end <= masked[before].end

    return tuple(sorted([*masked, *(one for one in shown if not is_hidden(one))], key=lambda one: one.start))


def apart_from_addresses(found: Iterable[Finding], text: str) -> Iterator[Finding]:
    """The findings, without names that reach into an e-mail address: it has a rule of its own."""
    found = [*found]
    addresses = sorted((one for one in found if one.entity == "EMAIL_ADDRESS"), key=lambda one: one.start)
    starts = [one.start for one in addresses]
    for one in found:
        first = max(bisect_right(starts, one.start) - 1, 0)
        inside = addresses[first : bisect_left(starts, one.end)] if one.entity in NAME_ENTITIES else []
        inside = [address for address in inside if address.start < one.end and one.start < address.end]
        if not inside:
            yield one
            continue
        for start, end in ((one.start, inside[0].start), (inside[-1].end, one.end)):
            if start < end and (rest := text[start:end].rstrip()):
                yield Finding(one.entity, start, start + len(rest), one.score)


def _joined(found: Iterable[Finding], rules: Mapping[str, PiiRule]) -> Iterator[Finding]:
    overlapping: list[Finding] = []
    end = 0
    for finding in sorted(found, key=lambda one: (one.start, one.end, one.entity)):
        if overlapping and finding.start >= end:
            yield _one_of(overlapping, end, rules)
            overlapping = []
        overlapping.append(finding)
        end = max(end, finding.end)
    if overlapping:
        yield _one_of(overlapping, end, rules)


def _one_of(overlapping: list[Finding], end: int, rules: Mapping[str, PiiRule]) -> Finding:
    def weight(one: Finding) -> tuple[int, int, float, str]:
        strictness = _STRICTEST_LAST.index(rules[one.entity].action)
        return strictness, one.end - one.start, one.score, one.entity

    score = max(one.score for one in overlapping)
    return Finding(max(overlapping, key=weight).entity, overlapping[0].start, end, score)


def is_too_wide(finding: Finding, strict: Iterable[Finding], text: str) -> bool:
    """Whether stricter findings are the same values without the letters of a script that writes no spaces."""
    parts = [
        one
        for one in strict
        if one.entity == finding.entity and one.start < finding.end and finding.start < one.end
    ]
    places = range(finding.start, finding.end)
    rest = (text[place] for place in places if not any(one.start <= place < one.end for one in parts))
    return bool(parts) and all(sign == "_" or unicodedata.category(sign) in _UNSPACED for sign in rest)
