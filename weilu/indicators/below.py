"""The places below one, compared: each with its figures, those without a row too; and the median."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.indicators.asked import Asked
from weilu.indicators.catalogue import catalogue
from weilu.indicators.live import told_apart
from weilu.indicators.reading import LEVELS, Part, Reading, ways
from weilu.indicators.together import read_together
from weilu.lib.indicators import Indicator
from weilu.lib.period import Period
from weilu.orgs.models import Level, Place, valid_on


class Reads:
    """Reads indicators by their codes for a page, each figure only once.

    Args:
        asked: whose place and period are read where no other period is named.
    """

    def __init__(self, asked: Asked):
        self._asked = asked
        self._found: dict[tuple[str, Period, str], Reading] = {}

    def __call__(self, code: str, period: Period | None = None, by: str = "") -> Reading:
        """Return a figure, whole or apart."""
        period = period or self._asked.period
        if (code, period, by) not in self._found:
            self.ahead([code], period, by)
        return self._found[code, period, by]

    def ahead(self, codes: Iterable[str], period: Period, by: str = "") -> None:
        """Read figures that the page will ask for, those that count the same rows together."""
        wanted = [self._asked.counted(catalogue()[code]) for code in codes if (code, period, by) not in self._found]
        for reading in read_together(wanted, self._asked.place, period, by):
            self._found[reading.indicator.code, period, by] = reading


def level_below(place: Place) -> str:
    """Return the name of the level right below a place, as a way to take figures apart; empty where there is none."""
    if place.level >= Level.GRID:
        return ""
    return next(name for name, each in LEVELS.items() if each == place.level + 1)


def can_compare(indicator: Indicator, place: Place) -> bool:
    """Tell whether an indicator tells the places right below apart."""
    return level_below(place) in ways(indicator, place)


def nothing(indicator: Indicator, key: str, name: str) -> Part:
    """Return the figure of a place without rows: a count of 0, a share of nothing is none."""
    fraction = indicator.is_fraction
    return Part(key, name, None if fraction else 0, 0 if fraction else None, 0 if fraction else None, 0)


def places_of(place: Place, level: Level) -> list[Place]:
    """Return the places of a level in ``place``, in order: those of today; records of before are counted in them."""
    there = valid_on(timezone.localdate())
    return list(Place.objects.filter(there, path__startswith=place.path, level=level).order_by("code"))


def parts_of(reading: Reading, places: Sequence[Place]) -> list[Part]:
    """Return a part for each place, and those parts of the reading that belong to none of them."""
    found = {part.key: part for part in reading.parts}
    rows = [
        replace(found[place.code], name=str(place.short_name or place.name))
        if place.code in found
        else nothing(reading.indicator, place.code, str(place.short_name or place.name))
        for place in places
    ]
    known = {place.code for place in places}
    return told_apart(rows) + [part for part in reading.parts if part.key not in known]


def middle(parts: Sequence[Part]) -> float | None:
    """Return the median of what has a value and a place; None where nothing has."""
    values = [part.value for part in parts if part.key and part.value is not None]
    return median(values) if values else None


@dataclass(frozen=True)
class Row:
    """A place below with the figures that are compared, and the addresses of their rows and of its own page."""

    key: str
    name: str
    parts: list[Part]
    links: list[str]
    page: str

    @property
    def cells(self) -> list[tuple[Part, str]]:
        """The figures with the addresses of their rows."""
        return list(zip(self.parts, self.links, strict=True))


@dataclass(frozen=True)
class Below:
    """The places below compared by some indicators."""

    by: str
    indicators: list[Indicator]
    rows: list[Row]
    medians: list[float | None]

    def of(self, code: str) -> list[tuple[str, Part]]:
        """Return the places' names with their figure of one indicator; what is not known of its place is left out."""
        at = [indicator.code for indicator in self.indicators].index(code)
        return [(row.name, row.parts[at]) for row in self.rows if row.key]

    def median_of(self, code: str) -> float | None:
        """Return the median of one indicator."""
        return self.medians[[indicator.code for indicator in self.indicators].index(code)]


def compared(asked: Asked, reads: Reads, codes: Sequence[str]) -> Below | None:
    """Compare the places right below by some indicators, one query each; None where nothing lies below."""
    by = level_below(asked.place)
    if not by:
        return None
    places = places_of(asked.place, LEVELS[by])
    indicators = [catalogue()[code] for code in codes]
    columns = {code: {part.key: part for part in parts_of(reads(code, by=by), places)} for code in codes}
    names = {key: part.name for column in columns.values() for key, part in column.items()}
    if not names:
        return None
    today = {place.code for place in places if place.valid_to is None}
    rows = [
        Row(
            key,
            name if key else _("not known"),
            [columns[each.code].get(key) or nothing(each, key, name) for each in indicators],
            [reverse("figure_rows", args=[each.code]) + asked.link(by=by, key=key) for each in indicators],
            reverse("dashboard") + asked.link(place=key) if key in today else "",
        )
        for key, name in names.items()
    ]
    return Below(by, indicators, rows, [middle(list(columns[code].values())) for code in codes])
