"""Dates, months, days of the week, times of day."""

from random import Random

from training.ner.word_lists import lines_of, words_of

_ORDINALS = {1: "st", 2: "nd", 3: "rd"}
_LONGEST_SHORT = 4


class DateSlots:
    """Makes dates in the notations of many countries."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._months = words_of("months")
        self._weekdays = words_of("weekdays")
        self._patterns = lines_of("date_patterns")

    def date(self) -> str:
        """A calendar date."""
        year = self._random.randint(1925, 2032)
        month, day = self._random.randint(1, 12), self._random.randint(1, 28)
        name = self._months[month - 1]
        shortest = name[:3]
        longer = name if len(name) <= _LONGEST_SHORT else name[:4]
        short_month = self._random.choice((shortest, shortest, f"{shortest}.", longer))
        weekdays = [self.weekday() for _ in range(4)]
        return self._random.choice(self._patterns).format(
            year=year,
            month=month,
            day=day,
            month_name=name,
            short_month=short_month,
            short_year=f"{year % 100:02}",
            ordinal=f"{day}{'th' if 10 < day < 20 else _ORDINALS.get(day % 10, 'th')}",
            weekdays=weekdays,
            short_weekday=weekdays[-1][:3],
        )

    def month_year(self) -> str:
        """A month of a year."""
        name, year = self.month(), self._random.randint(1950, 2030)
        forms = (f"{name} {year}", f"{name} {year}", f"{name[:3]} {year}", f"{name} of {year}")
        return self._random.choice((*forms, f"{name}, {year}"))

    def month(self) -> str:
        """A month."""
        return self._random.choice(self._months)

    def weekday(self) -> str:
        """A day of the week."""
        return self._random.choice(self._weekdays)

    def time(self) -> str:
        """A time of day."""
        hour, minute = self._random.randint(0, 23), self._random.choice((0, 0, 15, 30, 30, 45, 7, 52))
        twelve = hour % 12 or 12
        full = f"{twelve} {self._random.choice(('am', 'pm'))}"
        exact = f"{twelve}:{minute:02} {self._random.choice(('am', 'pm', 'AM', 'PM'))}"
        forms = (f"{hour}:{minute:02}", full, exact, f"{twelve}pm", "noon", f"{hour}h{minute:02}")
        return self._random.choice(forms)
