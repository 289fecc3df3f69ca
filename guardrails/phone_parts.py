"""Telephone numbers within a run of digits that holds other things, too: dates, addresses, cards, counts."""

import re
from collections.abc import Callable, Iterator

Score = Callable[[int, int], float]
"""How sure it is that what stands from here to there is a telephone number."""
Part = tuple[int, int, float]

WEAK, LIKELY, CLEAR = 0.2, 0.6, 0.7

_MOST_DIGITS, _MOST_GROUPS = 15, 8
_SPACES = " \t\u00a0"
_GROUP = re.compile(r"\(?\+?\d+")
_INNER = re.compile(
    r"(?<![\w.\-])(?:1[ .\-])?(?:\(\d{3}\) ?|\d{3}[ .\-])\d{3}[ .\-]\d{4}(?!\w)"
    r"|(?<![\w.\-])\(?0[1-9]\d{0,4}\)?(?:[ \-]\d{2,4}){2,4}(?!\w)"
)
"""Numbers that stand beside other digits: North American ones, and those with a trunk zero."""
_PART = re.compile(r"[(\d](?:[^\S\t]?[^/\s])*(?<=\d)")
"""Numbers that a slash, a tab or two spaces part."""
_BESIDE = re.compile(
    r"(?<![\d.\-/])(?:(?:19|20)\d\d([\-/.])\d{1,2}\1\d{1,2}|\d{1,2}([\-/.])\d{1,2}\2(?:19|20)\d\d"
    r"|\d{1,3}(?:\.\d{1,3}){3})(?![\d\-/]|\.\d)"
)
"""Dates and IP addresses."""
_CARD = re.compile(r"(?<![\d\-])(?=([3-6]\d{3}([ \-])\d{4}\2\d{4}\2\d{4})(?!\d))")


def last_word_cut(text: str, start: int, end: int) -> int:
    """Where the digits before the last space end; the start without a space."""
    end = max(start, *(text.rfind(space, start, end) for space in _SPACES))
    while end > start and not text[end - 1].isdigit():
        end -= 1
    return end


def parts_of(
    text: str, start: int, end: int, score: Score, is_spoken_of: Callable[[int], bool]
) -> Iterator[Part]:
    """The numbers in a run that is none as a whole, apart from one another."""
    if "+" in text[start : start + 2]:
        first = _with_plus(text, start, end, score)
        yield first
        start = first[1]
    for other, behind in [*_others(text, start, end), (end, end)]:
        yield from _parts_of_piece(text, start, other, score, is_spoken_of)
        start = max(start, behind)


def _parts_of_piece(
    text: str, start: int, end: int, score: Score, is_spoken_of: Callable[[int], bool]
) -> Iterator[Part]:
    """The numbers where no date, address or card stands."""
    known = sorted(
        {
            (*part.span(), sure)
            for written in (_INNER, _PART)
            for part in written.finditer(text, start, end)
            if (sure := score(*part.span())) > WEAK
        },
        key=lambda part: (part[0], -part[1]),
    )
    for part in known:
        if part[0] >= start:
            yield from _between(text, start, part[0], score, is_spoken_of)
            yield part
            start = part[1]
    yield from _between(text, start, end, score, is_spoken_of)


def _with_plus(text: str, start: int, end: int, score: Score) -> Part:
    """What a + begins is masked in any case: up to 15 digits of it, if nothing tells where it ends."""
    stop = min((first for first, _ in _others(text, start, end)), default=end)
    if best := _longest(text, start, stop, score) or _longest(text, start, end, score):
        return best
    ends = [*_ends(text, start, end)]
    return start, ends[-1] if ends else _GROUP.match(text, start).end(), LIKELY  # type: ignore[union-attr]  # a run begins with a group


def _between(
    text: str, start: int, end: int, score: Score, is_spoken_of: Callable[[int], bool]
) -> Iterator[Part]:
    place = start
    while group := _GROUP.search(text, place, end):
        place = group.end()
        before = text[group.start() - 1] if group.start() > start else " "
        if before not in _SPACES or not (_has_prefix(group[0]) or is_spoken_of(group.start())):
            continue
        if best := _longest(text, group.start(), end, score):
            yield best
            place = best[1]


def _has_prefix(group: str) -> bool:
    digits = group.lstrip("(")
    return digits[:1] == "0" and digits[1:] != "" and (digits[1] != "0" or digits[2:3] not in {"", "0"})


def _others(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where dates, IP addresses and cards stand."""
    spans = [other.span() for other in _BESIDE.finditer(text, start, end)]
    spans += [card.span(1) for card in _CARD.finditer(text, start, end) if _has_checksum(card[1])]
    yield from sorted(spans)


def _has_checksum(card: str) -> bool:
    """Whether it is Luhn's."""
    digits = [int(digit) for digit in reversed(card) if digit.isdigit()]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


def _longest(text: str, start: int, end: int, score: Score) -> Part | None:
    """The longest of those that are surest, a clear one before any other."""
    best: Part | None = None
    for stop in reversed([*_ends(text, start, end)]):
        sure = score(start, stop)
        if sure >= CLEAR:
            return start, stop, sure
        if sure > WEAK and (best is None or sure > best[2]):
            best = start, stop, sure
    return best


def _ends(text: str, start: int, end: int) -> Iterator[int]:
    """Where a number that begins here may end: at borders of its groups."""
    digits = 0
    for count, group in enumerate(_GROUP.finditer(text, start, end)):
        digits += sum(map(str.isdigit, group[0]))
        if count == _MOST_GROUPS or digits > _MOST_DIGITS:
            return
        if group.end() == end or text[group.end()] not in "./":
            yield group.end()
