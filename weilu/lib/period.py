"""Periods as people name them: 2025, 2025Q3, 2025-03, 2021–2022, and days: 2025-01-15..2025-04-14."""

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

PERIOD = re.compile(
    r"(?P<year>\d{4})(?:[Qq](?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2])|[-–~](?P<until>\d{4}))?", re.ASCII
)
DAYS = re.compile(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)", re.ASCII)
BEIJING = ZoneInfo("Asia/Shanghai")
FIRST, LAST = 1949, 2199


@dataclass(frozen=True)
class Period:
    """Whole days from ``start`` up to ``end``, the latter not included.

    Attributes:
        text: as it was named: ``2025``, ``2025Q3``, ``2025-03``, ``2021–2022`` or ``2025-01-15..2025-04-14``.
    """

    text: str
    start: dt.date
    end: dt.date

    @classmethod
    def of(cls, text: str) -> "Period":
        """Read a period.

        Raises:
            ValueError: ``text`` names none.
        """
        if days := DAYS.fullmatch(text.strip()):
            return cls.days(dt.date.fromisoformat(days[1]), dt.date.fromisoformat(days[2]))
        found = PERIOD.fullmatch(text.strip())
        if not found:
            raise ValueError(text)
        year = int(found["year"])
        until = int(found["until"] or year)
        if not FIRST <= year <= until <= LAST:
            raise ValueError(text)
        if found["quarter"]:
            quarter = int(found["quarter"])
            return cls(f"{year}Q{quarter}", dt.date(year, 3 * quarter - 2, 1), _after(year, 3 * quarter))
        if found["month"]:
            month = int(found["month"])
            return cls(f"{year}-{month:02d}", dt.date(year, month, 1), _after(year, month))
        return cls(f"{year}–{until}" if until > year else str(year), dt.date(year, 1, 1), dt.date(until + 1, 1, 1))

    @classmethod
    def days(cls, first: dt.date, last: dt.date) -> "Period":
        """Return the period from ``first`` to ``last``, both included.

        Raises:
            ValueError: it ends before it begins.
        """
        if not FIRST <= first.year <= last.year <= LAST or last < first:
            raise ValueError(f"{first}..{last}")
        return cls(f"{first}..{last}", first, last + dt.timedelta(days=1))

    @property
    def is_days(self) -> bool:
        """Whether it is named by its days, not by year, quarter or month."""
        return ".." in self.text

    @property
    def begins(self) -> dt.datetime:
        """The first moment, Beijing time."""
        return dt.datetime.combine(self.start, dt.time(), BEIJING)

    @property
    def ends(self) -> dt.datetime:
        """The first moment after it."""
        return dt.datetime.combine(self.end, dt.time(), BEIJING)

    @property
    def last_day(self) -> dt.date:
        """The day for which a stock is read: the last of the period."""
        return self.end - dt.timedelta(days=1)

    @property
    def before(self) -> "Period":
        """The period of the same length just before this one."""
        if self.is_days:
            return Period.days(self.start - (self.end - self.start), self.start - dt.timedelta(days=1))
        if "Q" in self.text:
            year, quarter = self.start.year, (self.start.month + 2) // 3
            return Period.of(f"{year}Q{quarter - 1}" if quarter > 1 else f"{year - 1}Q4")
        if "-" in self.text:
            last = self.start - dt.timedelta(days=1)
            return Period.of(f"{last:%Y-%m}")
        years = self.end.year - self.start.year
        first = self.start.year - years
        return Period.of(f"{first}–{first + years - 1}" if years > 1 else str(first))

    @property
    def a_year_before(self) -> "Period":
        """The same period of the year before; of several years, those just before."""
        if self.is_days:
            return Period.days(_a_year_before(self.start), _a_year_before(self.last_day))
        if "Q" in self.text or re.fullmatch(r"\d{4}-\d\d", self.text):
            return Period.of(f"{self.start.year - 1}{self.text[4:]}")
        return self.before

    def __str__(self) -> str:
        return self.text


def _after(year: int, month: int) -> dt.date:
    """Return the first day of the month after."""
    return dt.date(year + month // 12, month % 12 + 1, 1)


def spans_of(period: Period, by: str) -> list[Period]:
    """Return the months, quarters or years that a period touches, in order.

    Args:
        by: ``month``, ``quarter`` or ``year``.
    """
    found = []
    day = period.start
    while day < period.end:
        text = {"month": f"{day:%Y-%m}", "quarter": f"{day.year}Q{(day.month + 2) // 3}", "year": f"{day:%Y}"}[by]
        found.append(Period.of(text))
        day = found[-1].end
    return found


def _a_year_before(day: dt.date) -> dt.date:
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap else day.day)


def last_days(day: dt.date, count: int) -> Period:
    """Return the ``count`` days that end with ``day``."""
    return Period.days(day - dt.timedelta(days=count - 1), day)


def months_up_to(day: dt.date, count: int) -> list[Period]:
    """Return the last ``count`` months, the one of ``day`` last."""
    last = day.year * 12 + day.month - 1
    return [Period.of(f"{each // 12}-{each % 12 + 1:02d}") for each in range(last - count + 1, last + 1)]
