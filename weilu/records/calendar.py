"""Working time: China's public holidays with their make-up days (调休), and the hours of a jurisdiction's day.

Source of the days: the State Council's yearly notices, as the package chinesecalendar carries them. For a year whose
notice is not out yet, the days of the regulation on holidays (《全国年节及纪念日放假办法》, as of 2025) are free and
Monday to Friday count otherwise: which weekends are worked instead only the notice says.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import chinese_calendar
from borax.calendars.lunardate import LunarDate, TermUtils

BEIJING = ZoneInfo("Asia/Shanghai")


LISTED = {day.year for day in chinese_calendar.constants.holidays}


def is_announced(year: int) -> bool:
    """Tell whether the official list of a year's holidays and make-up days is known here."""
    return year in LISTED


@lru_cache(maxsize=16)
def by_regulation(year: int) -> dict[dt.date, str]:
    """Return the days that the regulation frees in a year, with their names: 13, fewer where two fall together.

    The lunar calendar is known from 1900 to 2100; for other years those of the solar calendar are returned alone.
    """
    found = {dt.date(year, 1, 1): "元旦"}
    found |= {dt.date(year, 5, day): "劳动节" for day in (1, 2)}
    found |= {dt.date(year, 10, day): "国庆节" for day in (1, 2, 3)}
    try:
        spring = LunarDate(year, 1, 1).to_solar_date()
        lunar = {spring + dt.timedelta(days=day): "春节" for day in (-1, 0, 1, 2)}  # its eve and three days
        lunar[TermUtils.day_start_from_term(year, "清明")] = "清明"
        lunar[LunarDate(year, 5, 5).to_solar_date()] = "端午"
        lunar[LunarDate(year, 8, 15).to_solar_date()] = "中秋"
    except (ValueError, IndexError):
        return found
    return lunar | found


@lru_cache(maxsize=4096)
def is_working_day(day: dt.date) -> bool:
    """Tell whether offices are open on ``day``."""
    if is_announced(day.year):
        return chinese_calendar.is_workday(day)
    return day.weekday() < 5 and day not in by_regulation(day.year)


@lru_cache(maxsize=4096)
def holiday_name(day: dt.date) -> str:
    """Return the public holiday that ``day`` is off for, such as ``国庆节``; empty for all other days, weekends too."""
    if not is_announced(day.year):
        return by_regulation(day.year).get(day, "")
    off, name = chinese_calendar.get_holiday_detail(day)
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
