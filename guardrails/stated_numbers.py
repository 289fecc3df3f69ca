"""The numbers, dates, times and codes that a text states, so that two texts can be compared."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from ringfence.guardrails.readings import readable
from ringfence.guardrails.stated_dates import Day, blanked, days, times

_LONGEST = 30
"""Digits; what is longer is a code, and nobody rounds it."""
_NUMBER = re.compile(
    r"(?P<digits>\d++(?:[.,'’]\d++)*+(?:[ \u00a0\u202f]\d{3}(?![\d]))*+)"
    r"(?P<unit>[ \u00a0\u202f]?(?:%|‰|°|[A-Za-zµäöüßéó€$£¥]++\.?)"
    r"|[\s*_-]{1,4}(?i:thousand|tausend|mio|mrd|lakh|crore|[mb]il[lj]i|trilli|[mb]l?n\b)[a-zé]*+)?"
)
_LETTER = re.compile(r"[ \u00a0\u202f][A-Za-z]\.?")
_GROUPED = re.compile(r"\d{1,3}(?:[ ,.'’\u00a0\u202f]\d{3})+")
_SPACES = re.compile(r"[ \u00a0\u202f]")
_CODE = re.compile(r"\w++(?:[-.]\w++)*+")
_ONLY_NUMBER = re.compile(r"\d++(?:\.\d++)?")
_NUMBER_WITH_UNIT = re.compile(r"\d++(?:[.,]\d++)*+[A-Za-zµ]{1,5}")
_ALPHANUMERIC = re.compile(r"[A-Za-z]")
_PLAIN_WORD = r"(?:[A-Za-z]?[a-z]++|\d++(?:[a-z]{1,4})?)"
_WORD_AND_NUMBER = re.compile(rf"{_PLAIN_WORD}(?:[-.]{_PLAIN_WORD})++")
_CURRENCY_BEFORE = re.compile(r"[€$£¥₹]\s?[+-]?\Z|\b(?:EUR|USD|GBP|CHF|JPY|INR)\s?\Z")
_CURRENCY_BEHIND = re.compile(
    r"\s?(?:[€$£¥₹]|(?:EUR|USD|GBP|CHF|JPY|INR|euros?|dollars?|pounds?)\b)", re.IGNORECASE
)
_MILLIONS_OF_MONEY = frozenset({"m", "mm"})
"""Of anything else these are a length."""
_FEWEST_DIGITS = 3
"""Of a code that begins with a letter; `H2O` and `MP3` are words."""
_MAGNITUDES = {
    3: "k K thousand thousands Tsd tausend Tausend",
    5: "lakh lakhs",
    6: "M MM mn mln Mio million millions Million Millionen millón millones",
    7: "crore crores",
    9: "B bn bln Mrd billion billions milliard milliards Milliarde Milliarden",
    12: "trillion trillions Billion Billionen",
}
_MAGNITUDE_OF = {word: power for power, words in _MAGNITUDES.items() for word in words.split()}
_SHORT = 2
"""Letters of a magnitude whose case tells what it is: `5 K` and `5 k` are thousands, `5 b` is nothing."""
_ANY_CASE = {word.casefold(): power for word, power in reversed(_MAGNITUDE_OF.items()) if len(word) >= _SHORT}
_PER = {"%": 2, "percent": 2, "prozent": 2, "pct": 2, "‰": 3, "permille": 3, "promille": 3, "bp": 4, "bps": 4}
_UNIT_WORDS = """
    ° € $ £ ¥ eur usd gbp chf jpy inr euro euros dollar dollars pound pounds cent cents mm cm m km mg g kg t
    ml l ms s sec secs second seconds sekunde sekunden min mins minute minutes minuten h hr hrs hour hours
    stunde stunden day days tag tage tagen week weeks woche wochen month months monat monate monaten year
    years jahr jahre jahren kb mb gb tb kwh kw hz ghz mhz px pt
"""
_UNITS = frozenset(_UNIT_WORDS.split())
_WORDS = {
    word: number
    for words in (
        "one two three four five six seven eight nine ten eleven twelve",
        "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    )
    for number, word in enumerate(words.split(), start=1)
}
_WORD = re.compile("|".join(rf"\b{word}\b" for word in _WORDS), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stated:
    """A number, date, time or code, and where it stands."""

    start: int
    end: int
    readings: tuple[tuple[Decimal, Decimal], ...] = ()
    """What the number may mean, each with half of its last digit: `1.234` is a thousand, or about one."""
    parts: tuple["Stated", ...] = ()
    """What it may be instead: the numbers of a list without spaces."""
    code: str = ""
    days: frozenset[Day] = frozenset()
    time: tuple[int, int] | None = None
    has_unit: bool = False
    is_plain: bool = False
    """Written as digits only."""


@dataclass(slots=True)
class Known:
    """What some texts state."""

    values: list[Decimal] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)
    days: set[Day] = field(default_factory=set)
    times: set[tuple[int, int]] = field(default_factory=set)

    def has(self, one: Stated) -> bool:
        """Whether this was stated there, in whatever way it was written, and at least as precisely."""
        if one.days:
            return any(self._has_day(day) for day in one.days)
        if one.time:
            return one.time in self.times
        if one.code and one.code in self.codes:
            return True
        if any(self._has_value(value, half) for value, half in one.readings):
            return True
        return bool(one.parts) and not one.has_unit and all(map(self.has, one.parts))

    def _has_value(self, value: Decimal, half: Decimal) -> bool:
        place = bisect_left(self.values, value - half)
        return place < len(self.values) and self.values[place] <= value + half

    def _has_day(self, day: Day) -> bool:
        if day in self.days:
            return True
        if day.year is None or day.month is None or day.number is None:
            return False
        # The year may stand elsewhere than the day.
        return Day(None, day.month, day.number) in self.days and self._has_value(
            Decimal(day.year), Decimal(0)
        )


def known_of(texts: Iterable[str]) -> Known:
    """All that the texts state, with every part of every code."""
    known = Known()
    for original in texts:
        text = readable(original)
        for _, _, found in days(text):
            for day in found:
                known.days |= {day, day._replace(year=None), day._replace(number=None)}
        known.times |= {time for _, _, time in times(text)}
        words = (one for one in _CODE.findall(text) if any(map(str.isdigit, one)))
        known.codes |= {one.casefold() for one in words if not _ONLY_NUMBER.fullmatch(one)}
        known.values += (Decimal(_WORDS[one.casefold()]) for one in _WORD.findall(text))
        for match in _NUMBER.finditer(text):
            one = _number(match, text)
            known.codes |= {one.code} - {""}
            if _LETTER.fullmatch(match["unit"] or ""):
                # It may belong to what follows: order 1182 B.
                known.codes.add(match["digits"])
                known.values += (value for value, _ in _readings(match["digits"]))
            for number in (one, *one.parts):
                known.values += (value for value, _ in number.readings)
    known.values.sort()
    return known


def stated(text: str) -> Iterator[Stated]:
    """What a text states; what is left out of it must be blanked before."""
    text = readable(text)
    taken: list[tuple[int, int]] = []
    for start, end, found in days(text):
        taken.append((start, end))
        yield Stated(start, end, days=frozenset(found))
    text = blanked(text, taken)
    taken = []
    for start, end, time in times(text):
        taken.append((start, end))
        yield Stated(start, end, time=time)
    for code in _CODE.finditer(text):
        word = code.group()
        digits = sum(map(str.isdigit, word))
        if not digits or not _ALPHANUMERIC.search(word) or _NUMBER_WITH_UNIT.fullmatch(word):
            continue
        if word[0].isdigit() or digits >= _FEWEST_DIGITS:
            if _WORD_AND_NUMBER.fullmatch(word):
                continue  # `30-day`, `pre-2024`: the number in it counts
            yield Stated(code.start(), code.end(), code=word.casefold())
        taken.append(code.span())
    text = blanked(text, taken)
    yield from (_number(match, text) for match in _NUMBER.finditer(text))


def _number(match: re.Match[str], text: str) -> Stated:
    digits, unit = match["digits"], (match["unit"] or "").strip(" \t\n\r\u00a0\u202f*_-").rstrip(".")
    start, end = match.span("digits")
    parts: tuple[Stated, ...] = ()
    pieces = [*re.finditer(r"\d++", digits)]
    # A list of numbers, or numbers side by side; `3.14` and `1.2.3` are not grounded by their parts.
    is_list = len(pieces) > 2 or _SPACES.search(digits)  # noqa: PLR2004 - two may be the sides of a comma
    if len(pieces) > 1 and is_list and "." not in digits:
        parts = tuple(
            Stated(
                start + one.start(),
                start + one.end(),
                tuple(_readings(one.group())),
                code=one.group(),
                is_plain=True,
            )
            for one in {one.group(): one for one in pieces}.values()
        )
    power = _power(unit, match, text)
    # Of one letter only a small one: `5 g` is a weight, and 5G is none.
    word = unit.casefold() if len(unit) > 1 else unit
    has_unit = bool(power) or word in _UNITS or word in _PER
    has_unit = has_unit or _CURRENCY_BEFORE.search(text, max(start - 8, 0), start) is not None
    return Stated(
        start,
        end,
        tuple(_readings(digits, unit, power)),
        parts,
        # The digits alone tell nothing of an amount: 100 euros are no 100 million.
        code="" if has_unit and len(digits) <= _LONGEST else digits.casefold(),
        has_unit=has_unit,
        is_plain=len(pieces) == 1,
    )


def _power(unit: str, match: re.Match[str], text: str) -> int:
    """The power of ten that a word or letter behind a number stands for."""
    if unit in _MILLIONS_OF_MONEY:
        start = match.start("digits")
        before = _CURRENCY_BEFORE.search(text, max(start - 8, 0), start)
        return 6 if before or _CURRENCY_BEHIND.match(text, match.end()) else 0
    return _MAGNITUDE_OF.get(unit) or _ANY_CASE.get(unit.casefold() if len(unit) >= _SHORT else "", 0)


def _readings(digits: str, unit: str = "", power: int = 0) -> Iterator[tuple[Decimal, Decimal]]:
    if len(digits) > _LONGEST:
        return
    per = _PER.get(unit.casefold(), 0)
    for plain in dict.fromkeys(_plain(digits)):
        value = Decimal(plain)
        last = -len(plain.partition(".")[2])
        for shift in {power, -per, 0} if per else {power}:
            yield value.scaleb(shift), Decimal(5).scaleb(last + shift - 1)


def _plain(digits: str) -> Iterator[str]:
    """The number with a decimal point, in every way that its signs may be meant."""
    if digits.isdigit():
        yield digits
        return
    if _GROUPED.fullmatch(digits) and len({sign for sign in digits if not sign.isdigit()}) == 1:
        yield re.sub(r"\D", "", digits)
    whole, sign, decimals = _SPACES.sub("", digits), "", ""
    place = max(whole.rfind("."), whole.rfind(","))
    if place > 0:
        whole, sign, decimals = whole[:place], whole[place], whole[place + 1 :]
    if sign and (whole.isdigit() or (_GROUPED.fullmatch(whole) and sign not in whole)):
        yield re.sub(r"\D", "", whole) + "." + decimals
