"""Opening a figure into its rows: a page of them, as far as the reader may see, and how many they may not.

County and below, rows come newest first. Above it they come county by county, since a hundred counties' newest rows
would have to be gathered from all of them for each page.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from weilu.indicators.cells import counties_of
from weilu.indicators.live import (
    DAY,
    LEVELS,
    TIMES,
    WRITTEN,
    UnknownBreakdown,
    check_way,
    measures_of,
    narrowed,
    rows_of,
    seen_by,
)
from weilu.lib.indicators import Indicator, Measure
from weilu.lib.period import Period
from weilu.lib.prepared import planned_by_values
from weilu.orgs.models import Level, Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.scope import reaches

SHOWN = 100
PARTS = ("yes", "no")


@dataclass(frozen=True)
class Opened:
    """A page of the rows behind a figure.

    Attributes:
        total: how many rows stand behind the figure.
        hidden: how many of them the reader may not open.
        rows: those of the page.
        first: how many come before this page.
        parts: of a share: how many rows of the figure fulfil its condition, and how many do not.
    """

    total: int
    hidden: int
    rows: list[Any]
    first: int
    parts: tuple[int, int] | None = None

    @property
    def visible(self) -> int:
        """How many the reader may open."""
        return self.total - self.hidden

    @property
    def more(self) -> int:
        """How many of those that the reader may open come after this page."""
        return max(0, self.visible - self.first - len(self.rows))

    @property
    def number(self) -> int:
        """The number of this page, from 1."""
        return self.first // SHOWN + 1

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.visible // SHOWN))


def open_rows(
    indicator: Indicator, place: Place, period: Period, user: User, *, by: str = "", key: str = "", part: str = "",
    page: int = 1,
) -> Opened:  # fmt: skip
    """Open a figure, or one group of it.

    Args:
        by, key: the way in which it was taken apart, and the group; empty for the whole.
        part: of a share: ``yes`` for the rows that fulfil its condition, ``no`` for the others; empty for both.
        page: from 1.

    Raises:
        UnknownBreakdown: it cannot be taken apart so.
        ValueError: ``key`` names no period.
    """
    check_part(indicator, part)
    if key and not by:
        raise UnknownBreakdown(_("“%(key)s” is a group of which breakdown? Say so with “by”.") % {"key": key})
    if by:
        check_way(indicator, place, by)
    with planned_by_values():
        return _opened(indicator, place, period, user, by, key, part, (page - 1) * SHOWN)


def check_part(indicator: Indicator, part: str) -> None:
    """Refuse what is no part of a share.

    Raises:
        UnknownBreakdown: with what there is.
    """
    if part and (part not in PARTS or indicator.measure is not Measure.SHARE):
        raise UnknownBreakdown(
            _("“%(code)s” has no part “%(part)s”; only shares have, “yes” and “no”.")
            % {"code": indicator.code, "part": part}
        )


def in_part(indicator: Indicator, rows: QuerySet, part: str) -> QuerySet:
    """Return those of the rows of a share that fulfil its condition, or that do not."""
    if not part:
        return rows
    return rows.filter(indicator.part) if part == "yes" else rows.exclude(indicator.part)


def _opened(
    indicator: Indicator, place: Place, period: Period, user: User, by: str, key: str, part: str, first: int
) -> Opened:
    everything = sees_all(indicator, place, user)
    if place.level < Level.COUNTY and everything:
        found = _county_by_county(indicator, place, period, by, key, part, first)
        if found is not None:
            return found
    rows = rows_of(indicator, place, period)
    if by:
        rows = narrowed(indicator, rows, by, key)
    parts = _parts(indicator, rows)
    rows = in_part(indicator, rows, part)
    total = rows.count() if parts is None else _of_parts(parts, part)
    seen = rows if everything else seen_by(indicator, rows, user)
    listed = list(in_order(indicator, seen)[first : first + SHOWN])
    visible = total if everything or first + len(listed) == total else seen.order_by().count()
    return Opened(total, total - visible, listed, first, parts)


def _parts(indicator: Indicator, rows: QuerySet) -> tuple[int, int] | None:
    if indicator.measure is not Measure.SHARE:
        return None
    found = rows.order_by().aggregate(**measures_of(indicator))
    return found["numerator"], found["rows"] - found["numerator"]


def _of_parts(parts: tuple[int, int], part: str) -> int:
    return {"": sum(parts), "yes": parts[0], "no": parts[1]}[part]


def measured_name(indicator: Indicator) -> str | Promise:
    """Return the heading of what each row gives to a share or an average; empty for other measures."""
    if indicator.measure is Measure.SHARE:
        return indicator.name
    return f"{indicator.name} ({indicator.unit})" if indicator.measure is Measure.RATIO else ""


def measured(indicator: Indicator, row: Any) -> Any:
    """Return what a row of :func:`in_order` gives to a share or an average: whether it counts, or its own value."""
    value = row.measured
    if indicator.measure is Measure.SHARE:
        return str(indicator.part_names[0 if value else 1])
    return round(value / DAY, 2) if isinstance(value, dt.timedelta) else value


def in_order(indicator: Indicator, rows: QuerySet) -> QuerySet:
    """Return rows newest first, with what their columns name and what each gives to a share or an average."""
    if indicator.measure is Measure.SHARE:
        rows = rows.annotate(measured=Case(When(indicator.part, then=Value(True)), default=Value(False)))
    elif indicator.measure is Measure.RATIO:
        rows = rows.annotate(measured=indicator.value)
    names = {field.name for field in rows.model._meta.concrete_fields if field.is_relation}
    related = [attribute for _label, attribute in indicator.columns if attribute in names]
    ordered = rows.order_by(f"-{indicator.at or indicator.since}", "-pk")
    return ordered.select_related(*related) if related else ordered


def sees_all(indicator: Indicator, place: Place, user: User) -> bool:
    """Tell whether a reader may open every row of a place: nothing has to be counted to say how many they may not."""
    if indicator.open_to_all or not indicator.opens:
        return indicator.open_to_all
    return reaches(user, Permission(indicator.opens), place)


def _county_by_county(
    indicator: Indicator, place: Place, period: Period, by: str, key: str, part: str, first: int
) -> Opened | None:
    """Open rows above the county, from the counties that have some; None where cells cannot say which."""
    if by in TIMES:
        span = Period.of(key) if WRITTEN[by].fullmatch(key) else None
        if span is None or span.start < period.start or span.end > period.end:
            return None  # the group is a part of it only, or none of it: the records are asked
        period, by = span, ""
    elif by in LEVELS and key:
        below = Place.objects.filter(code=key, level=LEVELS[by], path__startswith=place.path).first()
        if below is None or below.level > Level.COUNTY:
            return None
        place, by = below, ""
    found = counties_of(indicator, place, period, by, key)
    if found is None:
        return None
    shares = {code: (yes, rows - yes) for code, (rows, yes) in found.items()}
    counts = {code: _of_parts(each, part) for code, each in shares.items()}
    rows: list[Any] = []
    for code, skip in _which(counts, first):
        county = Place.objects.get(code=code, valid_to=None)
        there = rows_of(indicator, county, period)
        there = in_part(indicator, narrowed(indicator, there, by, key) if by else there, part)
        rows += in_order(indicator, there)[skip : skip + SHOWN - len(rows)]
        if len(rows) == SHOWN:
            break
    parts = (sum(yes for yes, _no in shares.values()), sum(no for _yes, no in shares.values()))
    return Opened(sum(counts.values()), 0, rows, first, parts if indicator.measure is Measure.SHARE else None)


def _which(counts: dict[str, int], first: int) -> Iterator[tuple[str, int]]:
    """Yield the counties that a page begins in and goes on in, with how many of their rows come before it."""
    passed = 0
    for code in sorted(counts):
        if passed + counts[code] > first:
            yield code, max(0, first - passed)
        passed += counts[code]
