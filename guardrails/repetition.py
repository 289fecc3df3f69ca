"""Where a text repeats itself, and how like two texts are. In time linear in the text."""

import re
import unicodedata
from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Chinese and Japanese stand without spaces; each sign counts as a word."""
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\W{_IDEOGRAPHS}]+")
_SENTENCE = re.compile(r"[^.!?…。！？\n]+")
_LINE = re.compile(r"[^\n]+")
_PARAGRAPH = re.compile(r"[^\n]+(?:\n(?![ \t]*\n)[^\n]+)*")
_SHINGLE = 3
"""Words of the shortest span that counts as a repetition."""
_SPANS = (3, 5, 8, 13, 21, 34)
"""Words of the spans whose share is counted; each is at most about two thirds longer than the one before."""
_FEWEST = 3
"""Said twice is emphasis; a share is counted from three times on."""
_PRIME = (1 << 61) - 1
_BASE = 1_000_003

Place = tuple[int, int]


def words_of(text: str) -> tuple[str, ...]:
    """The words without case and signs; a text without any, such as an emoji, counts as one word."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return tuple(_WORD.findall(plain)) or tuple(plain.split())


def how_like(one: Sequence[str], other: Sequence[str]) -> float:
    """The share of spans of three words that two texts have in common, 0 to 1."""
    if one == other:
        return 1.0
    if not one or not other:
        return 0.0
    first, second = _shingles(one), _shingles(other)
    return (first & second).total() / (first | second).total()


def circling(text: str, most: int) -> Place | None:
    """Where something stands more than `most` times in a row, or is most of the text."""
    for pattern in (_LINE, _SENTENCE, _PARAGRAPH):
        place = _same_units(text, pattern, most)
        if place:
            return place
    found = [*_WORD.finditer(text)]
    if len(found) < _FEWEST * _SHINGLE:
        return None
    span = _same_spans([one.group().casefold() for one in found], most)
    return (found[span[0]].start(), found[span[1] - 1].end()) if span else None


def _shingles(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    last = max(len(words) - _SHINGLE, 0)
    return Counter(tuple(words[place : place + _SHINGLE]) for place in range(last + 1))


def _same_units(text: str, pattern: re.Pattern[str], most: int) -> Place | None:
    """Sentences, lines or paragraphs; those without a word, such as a ruler or a bracket, do not count."""
    units = [(unit, words) for unit in pattern.finditer(text) if (words := tuple(_words(unit.group())))]
    total = sum(len(words) for _, words in units)
    times: Counter[tuple[str, ...]] = Counter()
    first: dict[tuple[str, ...], re.Match[str]] = {}
    row, before = 0, None
    for unit, words in units:
        row = row + 1 if words == before else 1
        before = words
        times[words] += 1
        begin = first.setdefault(words, unit)
        much = times[words] >= _FEWEST and len(words) >= _SHINGLE and times[words] * len(words) * 2 > total
        if row > most or much:
            return begin.start(), unit.end()
    return None


def _words(text: str) -> Iterator[str]:
    return (one.group().casefold() for one in _WORD.finditer(text))


def _same_spans(words: Sequence[str], most: int) -> Place | None:
    """Spans of at least three words, in places of words."""
    hashes = _Hashes(words)
    # In a long period each short span may come more than once, and a longer one tells how far it is.
    rows = (_in_a_row(hashes, most, size) for size in _SPANS)
    return next(filter(None, rows), None) or _most_of_it(hashes)


class _Hashes:
    """Tells in one step whether two spans are equal, by sums over the words before them."""

    def __init__(self, words: Sequence[str]) -> None:
        numbers: dict[str, int] = {}
        # Numbered as they come, because Python's own hash of a text differs from run to run.
        values = [numbers.setdefault(word, len(numbers) + 1) for word in words]
        self.length = len(words)
        self._sums = [*accumulate(values, lambda done, value: (done * _BASE + value) % _PRIME, initial=0)]
        self._powers = [*accumulate(range(len(words)), lambda power, _: power * _BASE % _PRIME, initial=1)]

    def of(self, start: int, end: int) -> int:
        return (self._sums[end] - self._sums[start] * self._powers[end - start]) % _PRIME

    def alike_before(self, one: int, other: int) -> int:
        """How many words before these places are the same, from the last one back."""
        return bisect(
            range(1, one + 1), 0, key=lambda size: self.of(one - size, one) != self.of(other - size, other)
        )

    def alike_behind(self, one: int, other: int) -> int:
        """How many words from these places on are the same."""
        most = self.length - other
        return bisect(
            range(1, most + 1), 0, key=lambda size: self.of(one, one + size) != self.of(other, other + size)
        )


def _in_a_row(hashes: _Hashes, most: int, size: int) -> Place | None:
    """A stretch in which each word is the one a period before it, for more than `most` periods."""
    last_seen: dict[int, int] = {}
    runs: dict[int, Place] = {}
    for place in range(hashes.length - size + 1):
        span = hashes.of(place, place + size)
        before = last_seen.get(span)
        last_seen[span] = place
        if before is None:
            continue
        period, end = place - before, place + size
        start, done = runs.get(period, (before, before))
        if hashes.of(done, end - period) != hashes.of(done + period, end):
            start = before
        runs[period] = start, end - period
        # Of a period of one or two words, as many as make up three are one span.
        needed = period * -(-_SHINGLE // period) * (most + 1)
        if end - start + 2 * period < needed:
            continue
        # Words that come more than once in a period hide where its stretch begins and ends.
        first = start - hashes.alike_before(start, start + period)
        last = end + hashes.alike_behind(end - period, end)
        if last - first >= needed:
            return first, last
    return None


def _most_of_it(hashes: _Hashes) -> Place | None:
    for size in _SPANS:
        times: Counter[int] = Counter()
        first: dict[int, int] = {}
        free: dict[int, int] = {}
        for place in range(hashes.length - size + 1):
            span = hashes.of(place, place + size)
            if free.get(span, 0) > place:
                continue
            free[span] = place + size
            times[span] += 1
            begin = first.setdefault(span, place)
            if times[span] >= _FEWEST and times[span] * size * 2 > hashes.length:
                return begin, place + size
    return None
