"""When a tool may be called: days and hours of a place."""

import re
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from ringfence.settings import Section

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


class Day(StrEnum):
    """A day of the week, Monday first as in `datetime.weekday`."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


_WEEK = tuple(Day)


class Hours(Section):
    """One window of time on some days of the week, by the clocks of one place."""

    days: Annotated[tuple[Day, ...], Field(min_length=1)] = _WEEK
    """The days on which it begins."""
    from_: str = Field("00:00", alias="from")
    to: str = "24:00"
    """An end before the beginning is on the next day."""
    zone: str
    """A name of the time zone database, such as Europe/Berlin or UTC."""

    @field_validator("from_", "to")
    @classmethod
    def _is_time(cls, said: str) -> str:
        if not _TIME.fullmatch(said):
            raise ValueError('must be a time of the day such as "09:00", in quotes')
        return said

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (LookupError, ValueError, OSError):
            raise ValueError("is no time zone; name one such as Europe/Berlin or UTC") from None
        return zone

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if _of(self.from_) == _of(self.to) and (self.from_, self.to) != ("00:00", "24:00"):
            raise ValueError('from and to are the same; leave both out for whole days, or say to: "24:00"')
        return self

    def fit(self, now: datetime) -> bool:
        """Whether a moment, which knows its own zone, lies in the window."""
        there = now.astimezone(ZoneInfo(self.zone))
        today, yesterday = (
            _WEEK[day.weekday()] in self.days for day in (there, there.date() - timedelta(days=1))
        )
        clock, begin, end = there.time(), _of(self.from_), _of(self.to)
        if end == time.min:  # midnight at its end
            return today and clock >= begin
        if begin < end:
            return today and begin <= clock < end
        return (today and clock >= begin) or (yesterday and clock < end)


def _of(said: str) -> time:
    return time.min if said == "24:00" else time.fromisoformat(said)
