"""Opening a figure into its rows: a page of them, as far as the reader may see, and how many they may not.

County and below, rows come newest first. Above it they come county by county, since a hundred counties' newest rows
would have to be gathered from all of them for each page.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from weilu.indicators.cells import counties_of
from weilu.indicators.live import LEVELS, TIMES, UnknownBreakdown, check_way, narrowed, rows_of, seen_by
from weilu.lib.indicators import Indicator
from weilu.lib.period import Period
from weilu.lib.prepared import planned_by_values
from weilu.orgs.models import Level, Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.scope import reaches

SHOWN = 100


@dataclass(frozen=True)
class Opened:
    """A page of the rows behind a figure.

    Attributes:
        total: how many rows stand behind the figure.
        hidden: how many of them the reader may not open.
        rows: those of the page.
        first: how many come before this page.
    """

    total: int
    hidden: int
    rows: list[Any]
    first: int

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
    indicator: Indicator, place: Place, period: Period, user: User, *, by: str = "", key: str = "", page: int = 1
) -> Opened:
    """Open a figure, or one group of it.

    Args:
        by, key: the way in which it was taken apart, and the group; empty for the whole.
        page: from 1.

    Raises:
        UnknownBreakdown: it cannot be taken apart so.
        ValueError: ``key`` names no period.
    """
    if key and not by:
        raise UnknownBreakdown(_("“%(key)s” is a group of which breakdown? Say so with “by”.") % {"key": key})
    if by:
        check_way(indicator, place, by)
    with planned_by_values():
        return _opened(indicator, place, period, user, by, key, (page - 1) * SHOWN)


def _opened(indicator: Indicator, place: Place, period: Period, user: User, by: str, key: str, first: int) -> Opened:
    everything = sees_all(indicator, place, user)
    if place.level < Level.COUNTY and everything:
        found = _county_by_county(indicator, place, period, by, key, first)
        if found is not None:
            return found
    rows = rows_of(indicator, place, period)
    if by:
        rows = narrowed(indicator, rows, by, key)
    total = rows.count()
    seen = rows if everything else seen_by(indicator, rows, user)
    listed = list(in_order(indicator, seen)[first : first + SHOWN])
    visible = total if everything or first + len(listed) == total else seen.order_by().count()
    return Opened(total, total - visible, listed, first)


def in_order(indicator: Indicator, rows: QuerySet) -> QuerySet:
    """Return rows newest first, with what their columns name."""
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
    indicator: Indicator, place: Place, period: Period, by: str, key: str, first: int
) -> Opened | None:
    """Open rows above the county, from the counties that have some; None where cells cannot say which."""
    if by in TIMES:
        period, by = Period.of(key), ""
    elif by in LEVELS and key:
        below = Place.objects.filter(code=key, level=LEVELS[by], path__startswith=place.path).first()
        if below is None or below.level > Level.COUNTY:
            return None
        place, by = below, ""
    counts = counties_of(indicator, place, period, by, key)
    if counts is None:
        return None
    rows: list[Any] = []
    for code, skip in _which(counts, first):
        county = Place.objects.get(code=code, valid_to=None)
        part = rows_of(indicator, county, period)
        part = narrowed(indicator, part, by, key) if by else part
        rows += in_order(indicator, part)[skip : skip + SHOWN - len(rows)]
        if len(rows) == SHOWN:
            break
    return Opened(sum(counts.values()), 0, rows, first)


def _which(counts: dict[str, int], first: int) -> Iterator[tuple[str, int]]:
    """Yield the counties that a page begins in and goes on in, with how many of their rows come before it."""
    passed = 0
    for code in sorted(counts):
        if passed + counts[code] > first:
            yield code, max(0, first - passed)
        passed += counts[code]
