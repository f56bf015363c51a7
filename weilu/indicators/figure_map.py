"""A figure on the map: places of a level by outline, darker where there is more; the table beside it says the same."""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from weilu.indicators.asked import Asked, asked, asked_indicator, offered_periods
from weilu.indicators.below import nothing
from weilu.indicators.catalogue import catalogue
from weilu.indicators.reading import LEVELS, Part, read, ways
from weilu.indicators.words import answer
from weilu.lib.explained import NotFound
from weilu.lib.indicators import Indicator
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.models import Level, Place, valid_on
from weilu.orgs.place_views import box_around, collection, feature
from weilu.orgs.roles import Permission
from weilu.records.templatetags.weilu import amount

SHADES = 5
# Where there are fewer different values than shades: which of the shades they get.
FEW = {1: (4,), 2: (2, 5), 3: (1, 3, 5), 4: (1, 2, 4, 5)}
MOST_PLACES = 3_000


@dataclass(frozen=True)
class Area:
    """A place with its figure and how dark it is drawn: 0 for nothing or no value, 1 to 5."""

    place: Place
    part: Part
    shade: int
    rows: str
    page: str


@dataclass(frozen=True)
class Coloured:
    """A figure by the places of a level."""

    indicator: Indicator
    level: str
    areas: list[Area]
    # Shade, smallest and largest value of it.
    key: list[tuple[int, float, float]] = field(default_factory=list)
    # What lies in none of the places, with the address of its rows.
    elsewhere: list[tuple[Part, str]] = field(default_factory=list)

    @property
    def without(self) -> int:
        """How many places are not on the map."""
        return sum(not hasattr(area.place, "outline") for area in self.areas)

    @property
    def answer(self) -> str:
        """What the map answers, where it is known."""
        return answer(self.indicator, [(str(area.place), area.part) for area in self.areas])


def shades(values: list[float]) -> dict[float, int]:
    """Return how dark each value is drawn: five steps with about as many different values each, so that one busy
    place does not leave all others pale."""
    steps = sorted(set(values))
    if few := FEW.get(len(steps)):
        return dict(zip(steps, few, strict=True))
    return {value: 1 + SHADES * at // len(steps) for at, value in enumerate(steps)}


def as_shown(value: float) -> float:
    """Return a value as readers see it: two that they cannot tell apart get the same shade."""
    return round(value, 1)


def levels_of(indicator: Indicator, place: Place) -> list[str]:
    """Return the levels below a place whose outlines can be coloured by an indicator."""
    return [by for by in ways(indicator, place) if by in LEVELS and LEVELS[by] <= Level.GRID]


def coloured(wanted: Asked, indicator: Indicator, level: str) -> Coloured:
    """Read a figure by the places of a level, with their outlines; two queries."""
    found = {part.key: part for part in read(wanted.counted(indicator), wanted.place, wanted.period, level).parts}
    # The places of today: what was recorded before is counted in what goes on from it.
    rows = Place.objects.filter(valid_on(timezone.localdate()), path__startswith=wanted.place.path)
    rows = rows.filter(level=LEVELS[level]).select_related("outline", "parent").order_by("code")
    pairs = [(row, found.get(row.code) or nothing(indicator, row.code, str(row))) for row in rows[:MOST_PLACES]]
    dark = shades([shown for _row, part in pairs if part.rows and (shown := as_shown(part.value or 0))])
    areas = [
        Area(
            row,
            part,
            dark.get(as_shown(part.value or 0), 0) if part.rows else 0,
            reverse("figure_rows", args=[indicator.code]) + wanted.link(by=level, key=row.code),
            reverse("dashboard") + wanted.link(place=row.code) if row.valid_to is None else "",
        )
        for row, part in pairs
    ]
    areas.sort(key=lambda area: (area.part.value is None, -(area.part.value or 0), area.place.code))
    key = [
        (shade, min(values), max(values))
        for shade in range(1, SHADES + 1)
        if (values := [value for value, each in dark.items() if each == shade])
    ]
    known = {row.code for row, _part in pairs}
    if len(pairs) == MOST_PLACES:  # those that are not drawn any more are not elsewhere
        known = set(rows.values_list("code", flat=True))
    elsewhere = [
        (part, reverse("figure_rows", args=[indicator.code]) + wanted.link(by=level, key=part.key))
        for code, part in found.items()
        if code not in known and part.rows
    ]
    return Coloured(indicator, level, areas, key, elsewhere)


def areas_address(wanted: Asked, indicator: Indicator, level: str) -> str:
    """Return where the map finds its outlines."""
    return reverse("figure_areas", args=[indicator.code]) + wanted.link(level=level)


def _level(request: AccountRequest, indicator: Indicator, place: Place) -> str:
    there = levels_of(indicator, place)
    wanted = request.GET.get("level", "")
    if wanted and wanted not in there:
        raise NotFound(
            _("“%(code)s” has no map by “%(level)s”; there is: %(levels)s")
            % {"code": indicator.code, "level": wanted, "levels": ", ".join(there) or "–"}
        )
    return wanted or next(iter(there), "")


@requires(Permission.VIEW)
@require_safe
def figure_map(request: AccountRequest, code: str) -> HttpResponse:
    """One figure on the map, by the places of a level, with its table."""
    indicator, wanted = asked_indicator(code), asked(request)
    level = _level(request, indicator, wanted.place)
    there = levels_of(indicator, wanted.place)
    context: dict[str, Any] = {
        "asked": wanted, "place": wanted.place, "period": wanted.period, "indicator": indicator,
        "periods": offered_periods(wanted.period, timezone.localdate()),
        "levels": [(each, LEVELS[each].label) for each in there], "level": level,
        "indicators": [each for each in catalogue().values() if levels_of(each, wanted.place)],
        "coloured": coloured(wanted, indicator, level) if level else None,
        "areas": areas_address(wanted, indicator, level), "box": box_around(wanted.place), "tiles": settings.TILES,
        "printed": timezone.localtime(),
    }  # fmt: skip
    return render(request, "indicators/figure_map.html", context)


@requires(Permission.VIEW)
@require_safe
def figure_areas(request: AccountRequest, code: str) -> HttpResponse:
    """The outlines of a level with the figure of each and how dark it is drawn."""
    indicator, wanted = asked_indicator(code), asked(request)
    level = _level(request, indicator, wanted.place)
    if not level:
        raise Http404
    return collection([
        feature(area.place, area.place.outline.geometry, url=area.page, shade=area.shade,
                count=f"{amount(area.part.value)} {indicator.unit}")
        for area in coloured(wanted, indicator, level).areas if hasattr(area.place, "outline")
    ])  # fmt: skip
