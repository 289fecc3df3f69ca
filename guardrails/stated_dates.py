"""The dates and times of day that a text states, in the ways in which people and programs write them."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Day(NamedTuple):
    """A date; what was not said of it is None."""

    year: int | None
    month: int | None
    number: int | None


_MONTHS = (
    "january jan januar janvier enero gennaio",
    "february feb februar février febrero febbraio",
    "march mar märz maerz mrz mars marzo",
    "april apr avril abril aprile",
    "may mai mayo maggio",
    "june jun juni juin junio giugno",
    "july jul juli juillet julio luglio",
    "august aug août agosto",
    "september sep sept septembre septiembre settembre",
    "october oct oktober okt octobre octubre ottobre",
    "november nov novembre noviembre",
    "december dec dezember dez décembre diciembre dicembre",
)
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()}
_NAME = "|".join(sorted(_MONTH_OF, key=len, reverse=True))
_YEAR = r"(?:1[0-9]|20|21)\d\d"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_DATE = re.compile(
    rf"""(?<![\w.,])(?:
      (?P<iso_year>{_YEAR})(?P<iso_sign>[-/.])(?P<iso_month>\d\d?)(?P=iso_sign)(?P<iso_day>\d\d?)(?=T\d|\b)
    | (?P<first>\d\d?)(?P<sign>[-/.])(?P<second>\d\d?)(?P=sign)(?P<year>{_YEAR}|\d\d)\b
    | (?P<month_first>{_NAME})\.?\s{{1,2}}(?P<day_behind>{_DAY})(?:st|nd|rd|th)?\b
        (?:,?\s{{1,2}}(?P<year_1>{_YEAR})\b)?
    | (?P<day_first>{_DAY})(?:st|nd|rd|th|\.|º|er)?\s{{1,2}}(?:of\s|de\s)?(?P<month_behind>{_NAME})\b
        (?:\.?,?\s{{1,2}}(?:de\s)?(?P<year_2>{_YEAR})\b)?
    | (?P<month_alone>{_NAME})\.?,?\s{{1,2}}(?P<year_3>{_YEAR})\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_TIME = re.compile(
    r"(?<![\w:.,])(?P<hour>2[0-3]|[01]?\d)(?:(?P<sign>[:.])(?P<minute>[0-5]\d)(?!\d))?(?::[0-5]\d(?:[.,]\d{1,9})?)?"
    r"(?P<half>\s?[ap]\.?m\b\.?)?(?P<uhr>\s?(?:Uhr|o'clock)\b)?",
    re.IGNORECASE,
)
_VERBS = frozenset({"may", "march", "mar"})
"""In small letters these are no months: orders 1 to 12 may be late."""
_LATE_YEARS = 70
"""Two digits from here on are of the last century."""
_NOON = 12
_LAST_DAY = 31


def days(text: str) -> Iterator[tuple[int, int, set[Day]]]:
    """Where dates stand, and what each may mean: 3/5 is in March or in May."""
    for found in _DATE.finditer(text):
        meant = {day for day in _meant(found) if _is_real(day)}
        if meant:
            yield found.start(), found.end(), meant


def times(text: str) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """Where times of day stand, each as hour and minute of the day."""
    # Of a point in time, such as 2026-03-05T14:30, the time begins behind the T.
    text = re.sub(r"(?<=\d)T(?=\d\d:)", " ", text)
    for found in _TIME.finditer(text):
        half = (found["half"] or "").strip().casefold()[:1]
        is_time = found["sign"] == ":" or half or found["uhr"]
        hour, minute = int(found["hour"]), int(found["minute"] or 0)
        if is_time:
            if half:
                hour = hour % _NOON + _NOON * (half == "p")
            yield found.start(), found.end(), (hour, minute)


def blanked(text: str, places: Iterable[tuple[int, int]]) -> str:
    """The text with spaces at these places, which are in order and apart."""
    pieces: list[str] = []
    done = 0
    for start, end in places:
        pieces += text[done:start], " " * (end - start)
        done = end
    return "".join([*pieces, text[done:]])


def _meant(found: re.Match[str]) -> Iterator[Day]:
    if found["iso_year"]:
        yield Day(int(found["iso_year"]), int(found["iso_month"]), int(found["iso_day"]))
    elif found["sign"]:
        year = int(found["year"])
        if len(found["year"]) == 2:  # noqa: PLR2004 - a year's last digits
            year += 1900 if year >= _LATE_YEARS else 2000
        first, second = int(found["first"]), int(found["second"])
        yield Day(year, second, first)
        if found["sign"] != ".":
            yield Day(year, first, second)
    else:
        name = found["month_first"] or found["month_behind"] or found["month_alone"]
        if name in _VERBS:
            return
        number = found["day_behind"] or found["day_first"]
        year_text = found["year_1"] or found["year_2"] or found["year_3"]
        year_number = int(year_text) if year_text else None
        yield Day(year_number, _MONTH_OF[name.lower()], int(number) if number else None)


def _is_real(day: Day) -> bool:
    return 1 <= (day.month or 1) <= _NOON and 1 <= (day.number or 1) <= _LAST_DAY
