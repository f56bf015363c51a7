"""Figures in words: periods, measures, how a value adds up, and what a comparison answers."""

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from weilu.indicators.reading import Part
from weilu.lib.indicators import Adds, Indicator, Measure
from weilu.lib.period import Period

LAST_DAYS = (30, 90, 365)
# Of fewer rows a share or an average says little: such a place is named neither best nor last.
ENOUGH = 10
LESS_IS_BETTER = {"matters.days", "matters.unsettled", "matters.late"}
# Where more is neither good nor bad.
NEITHER = {"matters.raised", "people.members"}

MEASURES = {
    Measure.COUNT: _lazy("The rows are counted."),
    Measure.PEOPLE: _lazy("Different ones are counted: who stands in several rows counts once."),
    Measure.SUM: _lazy("A column is summed."),
    Measure.SHARE: _lazy("The share of rows that fulfil a condition, in per cent."),
    Measure.RATIO: _lazy("A sum divided by the number of rows."),
}
# What the mechanisms are called whose records are counted.
MECHANISMS: dict[str, str | Promise] = {
    "A1": _lazy("Divisions and grids"),
    "A2": _lazy("Party organisations"),
    "A3": _lazy("Bodies and teams beside them"),
    "A4": _lazy("Rosters"),
    "A6": _lazy("Honours"),
    "A7": _lazy("Venues"),
    "B1": _lazy("Intake of matters"),
    "B2": _lazy("Orders and members who reported"),
    "B3": _lazy("Handling of matters"),
}
ADDS = {
    Adds.PLACES_AND_TIME: _lazy("Values of places and of times add up."),
    Adds.PLACES: _lazy("Values of places add up, those of times do not: it is read on the last day of a period."),
    Adds.NOTHING: _lazy("Values do not add up: a larger place or a longer time is counted anew."),
}
BEST: dict[str, str | Promise] = {
    "matters.days": _lazy("%(place)s settles fastest"),
    "matters.in_time": _lazy("%(place)s settles most in time"),
    "matters.satisfied": _lazy("Residents of %(place)s are most satisfied"),
    "matters.raised": _lazy("Most was raised in %(place)s"),
    "matters.settled": _lazy("%(place)s settled most"),
    "matters.unsettled": _lazy("%(place)s has the fewest not settled"),
    "matters.late": _lazy("%(place)s has the fewest late"),
}


def period_words(period: Period) -> str:
    """Return a period as one says it: ``2026年第3季度``, ``近90天``."""
    day, year = period.start, period.start.year
    if period.is_days:
        return _days_words(period)
    if "Q" in period.text:
        return _("Q%(quarter)s %(year)s") % {"year": year, "quarter": (day.month + 2) // 3}
    if "–" in period.text:
        return _("%(year)s to %(until)s") % {"year": year, "until": period.last_day.year}
    if "-" in period.text:
        return _("%(year)s-%(month)s") % {"year": year, "month": f"{day.month:02d}"}
    return _("the year %(year)s") % {"year": year}


def _days_words(period: Period) -> str:
    length = (period.end - period.start).days
    if length in LAST_DAYS and period.end == timezone.localdate() + dt.timedelta(days=1):
        return _("the last %(n)s days") % {"n": length}
    return _("%(first)s to %(last)s") % {"first": period.start, "last": period.last_day}


def column_words(indicator: Indicator, column: str) -> str:
    """Return what readers call a column; its name in the base where they never see it."""
    return next((str(label) for label, attribute in indicator.columns if attribute == column), column)


def when_words(indicator: Indicator) -> str:
    """Return in words what places a row in time."""
    if not indicator.stock:
        return _("A row counts in the period in which “%(column)s” lies.") % {
            "column": column_words(indicator, indicator.at)
        }
    if not indicator.until:
        return _("A row counts from “%(since)s” on.") % {"since": column_words(indicator, indicator.since)}
    return _("A row counts from “%(since)s” until “%(until)s”; the last day of the period is read.") % {
        "since": column_words(indicator, indicator.since),
        "until": column_words(indicator, indicator.until),
    }


def where_words(indicator: Indicator) -> str:
    """Return in words what places a row on the map."""
    if indicator.place.endswith("path"):
        return _("By the place that it belongs to, at every level.")
    return _("By the county, township, village and grid that were written on the row that day.")


def less_is_better(indicator: Indicator) -> bool:
    """Tell whether the smaller value is the better one."""
    return indicator.code in LESS_IS_BETTER


def answer(indicator: Indicator, named: Sequence[tuple[str, Part]]) -> str:
    """Return what a comparison answers, such as “城关镇办结最快”; empty where there is no one answer."""
    fit = [(name, part) for name, part in named if part.value is not None]
    if indicator.is_fraction:
        fit = [(name, part) for name, part in fit if part.rows >= ENOUGH]
    if len(fit) < 2:
        return ""
    best = (min if less_is_better(indicator) else max)(part.value or 0 for _name, part in fit)
    first = [name for name, part in fit if part.value == best]
    if len(first) != 1:
        return ""
    words = BEST.get(indicator.code) or (
        _lazy("%(place)s is lowest") if less_is_better(indicator) else _lazy("%(place)s is highest")
    )
    return str(words) % {"place": first[0]}
