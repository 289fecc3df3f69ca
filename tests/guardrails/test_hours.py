"""Hours are days and times by the clocks of one place, whatever the clock of the process says."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ringfence.guardrails.hours import Hours

WORK = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00", "zone": "Europe/Berlin"}
NIGHT = {"days": ["fri"], "from": "22:00", "to": "06:00", "zone": "UTC"}


def fits(hours: dict[str, Any], when: str) -> bool:
    return Hours.model_validate(hours).fit(datetime.fromisoformat(when))


@pytest.mark.parametrize(
    ("hours", "when", "fit"),
    [
        (WORK, "2026-07-06T09:00:00+02:00", True),  # a Monday
        (WORK, "2026-07-06T08:59:59+02:00", False),
        (WORK, "2026-07-06T16:59:59+02:00", True),
        (WORK, "2026-07-06T17:00:00+02:00", False),
        (WORK, "2026-07-05T12:00:00+02:00", False),
        # The same hour in UTC is another one in summer and in winter.
        (WORK, "2026-07-06T07:00:00+00:00", True),
        (WORK, "2026-12-07T07:00:00+00:00", False),
        (WORK, "2026-12-07T08:00:00+00:00", True),
        # Monday in Auckland is still Sunday in Berlin.
        (WORK, "2026-07-06T09:30:00+12:00", False),
        # Past midnight, the day is the one on which it began.
        (NIGHT, "2026-07-10T22:00:00+00:00", True),
        (NIGHT, "2026-07-11T05:59:00+00:00", True),
        (NIGHT, "2026-07-11T06:00:00+00:00", False),
        (NIGHT, "2026-07-11T22:00:00+00:00", False),
        (NIGHT, "2026-07-10T05:00:00+00:00", False),
        ({"zone": "UTC", "days": ["sat"]}, "2026-07-11T23:59:59+00:00", True),
        ({"zone": "UTC", "days": ["sat"]}, "2026-07-12T00:00:00+00:00", False),
        ({"zone": "UTC", "from": "18:00"}, "2026-07-12T23:59:59+00:00", True),
    ],
)
def test_hours(hours: dict[str, Any], when: str, *, fit: bool) -> None:
    """The beginning belongs to it, the end does not."""
    assert fits(hours, when) is fit


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - hypothesis wants them without a zone
def test_two_windows_that_make_a_day_leave_no_gap(moment: datetime) -> None:
    """Whatever moment it is, it lies in exactly one of the two."""
    now = moment.replace(tzinfo=UTC)
    day, night = (
        {"from": one, "to": other, "zone": "America/New_York"}
        for one, other in (("06:30", "21:00"), ("21:00", "06:30"))
    )
    assert Hours.model_validate(day).fit(now) is not Hours.model_validate(night).fit(now)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"zone": "Europe/Atlantis"}, "is no time zone"),
        ({"zone": ""}, "is no time zone"),
        ({"zone": "../../etc/passwd"}, "is no time zone"),
        ({"zone": "Europe"}, "is no time zone"),
        ({"from": "9:00"}, "must be a time of the day"),
        ({"from": "25:00"}, "must be a time of the day"),
        ({"to": "17:00\n"}, "must be a time of the day"),
        ({"to": "１７:００"}, "must be a time of the day"),
        ({"from": "09:00", "to": "09:00"}, "from and to are the same"),
        ({"from": "24:00", "to": "24:00"}, "from and to are the same"),
        ({"days": []}, "at least 1 item"),
        ({"days": ["someday"]}, "'mon', 'tue'"),
        ({"until": "18:00"}, "not permitted"),
    ],
)
def test_hours_that_nobody_can_mean(change: dict[str, Any], said: str) -> None:
    """Are refused when the policy is read."""
    with pytest.raises(ValidationError, match=said):
        Hours.model_validate({**WORK, **change})
