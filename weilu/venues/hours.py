"""When a venue is open: its week, public holidays with their make-up days, and exceptions by date."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from weilu.records.calendar import BEIJING, holiday_name, is_working_day
from weilu.venues.models import Venue, Weekday


@dataclass(frozen=True)
class Span:
    """From when until when, on one day, Beijing time."""

    opens: dt.time
    closes: dt.time

    def __str__(self):
        return f"{self.opens:%H:%M}–{self.closes:%H:%M}"


@dataclass(frozen=True)
class Day:
    """One day of a venue: when it is open, and why it is not as usual."""

    date: dt.date
    spans: tuple[Span, ...]
    why: str = ""

    @cached_property
    def weekday(self) -> str:
        return str(Weekday(self.date.weekday()).label)

    def holds(self, opens: dt.time, closes: dt.time) -> bool:
        """Tell whether the venue is open without a break between two times."""
        return any(span.opens <= opens and closes <= span.closes for span in self.spans)


def day_of(venue: Venue, day: dt.date) -> Day:
    """Return when ``venue`` is open on ``day``.

    An exception of that date goes first. A venue that keeps holidays is closed on public ones, and on a weekend that
    is worked (调休) open as on a Monday where the weekend has no hours of its own. Reads ``hours`` and ``exceptions``
    whole, so that a list can prefetch them.
    """
    for exception in venue.exceptions.all():
        if exception.day == day:
            spans = (Span(exception.opens, exception.closes),) if exception.opens and exception.closes else ()
            return Day(day, spans, exception.note)
    weekday, why = day.weekday(), ""
    if venue.keeps_holidays:
        if name := holiday_name(day):
            return Day(day, (), name)
        if weekday >= Weekday.SATURDAY and is_working_day(day):
            why = _("make-up day")
            if not any(row.weekday == weekday for row in venue.hours.all()):
                weekday = int(Weekday.MONDAY)
    rows = sorted((row for row in venue.hours.all() if row.weekday == weekday), key=lambda row: row.opens)
    return Day(day, tuple(Span(row.opens, row.closes) for row in rows), why)


def is_open(venue: Venue, moment: dt.datetime) -> bool:
    """Tell whether ``venue`` is open at ``moment``."""
    local = moment.astimezone(BEIJING)
    return any(span.opens <= local.time() < span.closes for span in day_of(venue, local.date()).spans)
