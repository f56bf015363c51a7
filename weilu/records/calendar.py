"""Working time: China's public holidays with their make-up days (调休), and the hours of a jurisdiction's day.

Source of the days: the State Council's yearly notices, as the package chinesecalendar carries them. For a year whose
notice is not out yet, Monday to Friday count.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import chinese_calendar

BEIJING = ZoneInfo("Asia/Shanghai")


@lru_cache(maxsize=4096)
def is_working_day(day: dt.date) -> bool:
    """Tell whether offices are open on ``day``."""
    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:  # the notice of that year is not in the package yet
        return day.weekday() < 5


@lru_cache(maxsize=4096)
def holiday_name(day: dt.date) -> str:
    """Return the public holiday that ``day`` is off for, such as ``国庆节``; empty for all other days, weekends too."""
    try:
        off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return ""
    return chinese_calendar.Holiday(name).chinese if off and name else ""


@dataclass(frozen=True)
class WorkingHours:
    """The hours of a working day, Beijing time."""

    starts: dt.time = dt.time(9)
    ends: dt.time = dt.time(17)

    @property
    def day(self) -> dt.timedelta:
        """Length of one working day."""
        return dt.datetime.combine(dt.date.min, self.ends) - dt.datetime.combine(dt.date.min, self.starts)

    def _bounds(self, day: dt.date) -> tuple[dt.datetime, dt.datetime]:
        return dt.datetime.combine(day, self.starts, BEIJING), dt.datetime.combine(day, self.ends, BEIJING)

    def add(self, start: dt.datetime, amount: dt.timedelta) -> dt.datetime:
        """Return the moment at which ``amount`` of working time has passed since ``start``.

        Args:
            start: an aware moment.
            amount: working time, not negative; ``n * hours.day`` is n working days.

        Raises:
            ValueError: ``amount`` is negative.
        """
        if amount < dt.timedelta():
            raise ValueError("working time runs forwards only")
        moment = start.astimezone(BEIJING)
        day = moment.date()
        while True:
            if is_working_day(day):
                opens, closes = self._bounds(day)
                begin = max(moment, opens)
                if begin < closes:
                    if begin + amount <= closes:
                        return begin + amount
                    amount -= closes - begin
            day += dt.timedelta(days=1)

    def between(self, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        """Return the working time from ``start`` to ``end``; nothing if ``end`` comes first."""
        start, end = start.astimezone(BEIJING), end.astimezone(BEIJING)
        total = dt.timedelta()
        day = start.date()
        while day <= end.date():
            if is_working_day(day):
                opens, closes = self._bounds(day)
                total += max(dt.timedelta(), min(end, closes) - max(start, opens))
            day += dt.timedelta(days=1)
        return total
