"""The map: places by outline, matters as points, and how many there are in each place; each layer with its table."""

import datetime as dt
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from weilu.matters.models import Matter, MatterQuerySet
from weilu.matters.queries import rows_of
from weilu.matters.workflow import State
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.attribution import counted_at, counting, naming
from weilu.orgs.models import Level, Network, Place, User
from weilu.orgs.place_views import box_around, collection, feature, in_hand, shown_below
from weilu.orgs.roles import Permission
from weilu.orgs.scope import COLUMNS, in_place, places_in_scope

POINTS = 500
PERIODS = (30, 90, 365)
SHADES = 5
# Routes of other apps, where they are there: points of venues, and their table.
VENUES, VENUES_TABLE = "venue_points", "venues_of_place"
TABLE_ROWS = 20


@dataclass(frozen=True)
class Heat:
    """How many matters a place had, and how dark it is drawn: 0 for none, 1 to 5, by the root of its share of the most.

    By the root, because one busy grid would leave all others pale.
    """

    place: Place
    count: int
    shade: int
    share: float

    @property
    def key(self) -> str:
        """What names the place in an address, and until when it was if it was split."""
        return naming(self.place)[0]

    @property
    def name(self) -> str:
        return naming(self.place)[1]


def _place(request: AccountRequest) -> Place:
    """Return the place whose map is asked for; by default the reader's own."""
    if code := request.GET.get("place", ""):
        return in_hand(request.user, Permission.VIEW, code[:24])
    mine = Place.objects.filter(places_in_scope(request.user, Permission.VIEW), valid_to=None)
    found = mine.select_related("parent").order_by("level", "code").first()
    if found is None:
        raise Http404
    return found


def _levels(place: Place) -> list[Level]:
    """Return the levels that the map of a place may show: those below it, down to grids; of a grid, itself."""
    return [level for level in COLUMNS if level > place.level] or [Level(place.level)]


def _level(place: Place, wanted: str, layer: str) -> Level:
    levels = _levels(place)
    usual = levels[-1] if layer == "heat" and place.level >= Level.TOWNSHIP else levels[0]
    return next((level for level in levels if str(int(level)) == wanted), usual)


def _days(wanted: str) -> int:
    return next((days for days in PERIODS if str(days) == wanted), 90)


def matters_in(user: User, place: Place, days: int) -> MatterQuerySet:
    """Return the matters that ``user`` may see in a place, received in the last days."""
    since = timezone.now() - dt.timedelta(days=days)
    rows: MatterQuerySet = Matter.objects.visible_to(user)
    return rows.filter(in_place(place), created_at__gte=since)


def heat(user: User, place: Place, level: Level, days: int) -> list[Heat]:
    """Count matters by the places of a level, each with those of what it goes on from; most first.

    What was split is a row of its own, without an outline, for the matters that name nothing below it.
    """
    rows = shown_below(user, place, level) or [place]
    there = matters_in(user, place, days).annotate(counted=counted_at(level)).order_by()
    by_key: dict[Any, int] = dict(there.values_list("counted").annotate(Count("pk")))
    found = dict.fromkeys(rows, 0)
    for key, counted in counting([key for key in by_key if key]).items():
        if counted in found or counted.split_away is not None:
            found[counted] = found.get(counted, 0) + by_key[key]
    counts = list(found.items())
    most = max((count for _row, count in counts), default=0) or 1
    total = sum(by_key.values()) or 1
    return sorted(
        (Heat(row, count, ceil(SHADES * sqrt(count / most)), 100 * count / total) for row, count in counts),
        key=lambda row: (-row.count, row.place.code),
    )


def with_position(user: User, place: Place, days: int) -> MatterQuerySet:
    """Return open matters whose position is known, the latest first."""
    rows = matters_in(user, place, days).open().exclude(latitude=None).exclude(longitude=None)
    wanted = rows.only(*("jurisdiction_id", "number", "state", "subject", "created_at", "latitude", "longitude"),
                       *("due_at", "clock_left", "module_id", "category_id", "township_id", "village_id"),
                       *("handler_id", "handler_grid_id", "taken_by_id"))  # fmt: skip
    return wanted.order_by("-created_at", "-id")


def points(user: User, place: Place, days: int) -> list[Matter]:
    """Return the latest of them, as many as the map bears."""
    return rows_of(with_position(user, place, days)[:POINTS])


def _table(rows: MatterQuerySet, wanted: str) -> dict[str, Any]:
    """Return a page of the table below the map."""
    page = Paginator(rows, TABLE_ROWS).get_page(wanted)
    return {"rows": rows_of(page.object_list), "paged": page}


def _venues(name: str, place: Place) -> str:
    """Return the address of a page of venues for a place; empty where there are none of these pages."""
    codes = place.ancestor_codes
    if len(codes) < Level.COUNTY:
        return ""
    try:
        return f"{reverse(name)}?county={codes[Level.COUNTY - 1]}&place={codes[: Level.VILLAGE][-1]}"
    except NoReverseMatch:
        return ""


def _venues_table(place: Place, wanted: str) -> str:
    """Return the address of a page of the table of venues, which their own app fills."""
    try:
        return f"{reverse(VENUES_TABLE, args=[place.code])}?{urlencode({'page': wanted or 1})}"
    except NoReverseMatch:
        return ""


@requires(Permission.VIEW)
@require_safe
def page(request: AccountRequest) -> HttpResponse:
    """One map with one layer at a time over the outlines, and the layer's table."""
    place, days = _place(request), _days(request.GET.get("days", ""))
    venues = _venues(VENUES, place)
    layers = [("places", _("Places")), ("matters", _("Matters")), ("heat", _("Matters by place"))]
    layers += [("venues", _("Venues"))] if venues else []
    layer = next((name for name, _label in layers if name == request.GET.get("layer")), "places")
    level = _level(place, request.GET.get("level", ""), layer)
    above = Place.objects.filter(places_in_scope(request.user, Permission.VIEW), code__in=place.ancestor_codes[:-1])
    context: dict[str, Any] = {
        "place": place, "above": above.filter(valid_to=None).order_by("level"), "level": level, "days": days,
        "layer": layer, "layers": layers, "levels": [(int(each), each.label) for each in _levels(place)],
        "periods": PERIODS, "box": box_around(place), "tiles": settings.TILES, "limit": POINTS,
        "areas": reverse("map_outlines", args=[place.code, int(level)]), "points": "",
    }  # fmt: skip
    if layer == "heat":
        counted = heat(request.user, place, level, days)
        every = matters_in(request.user, place, days).count()
        context |= {"heat": counted, "without": every - sum(row.count for row in counted),
                    "areas": reverse("map_heat", args=[place.code, int(level)]) + f"?days={days}"}  # fmt: skip
    elif layer == "matters":
        context |= {**_table(with_position(request.user, place, days), request.GET.get("page", "")),
                    "points": reverse("map_matters", args=[place.code]) + f"?days={days}"}  # fmt: skip
    elif layer == "venues":
        context |= {"points": venues, "venues_table": _venues_table(place, request.GET.get("page", ""))}
    else:
        context |= {"shown": _shown(request.user, place, level)}
    return render(request, "matters/map.html", context)


def _shown(user: User, place: Place, level: Level) -> list[Place]:
    rows = shown_below(user, place, level)
    for row in rows:
        row.labels = [Network(network).label for network in row.networks]  # type: ignore[attr-defined]
    return rows


@requires(Permission.VIEW)
@require_safe
def matters_json(request: AccountRequest, code: str) -> HttpResponse:
    """Open matters of one's scope as points."""
    place = in_hand(request.user, Permission.VIEW, code)
    rows = points(request.user, place, _days(request.GET.get("days", "")))
    return collection([
        {
            "type": "Feature", "geometry": {"type": "Point", "coordinates": [row.longitude, row.latitude]},
            "properties": {"name": f"{row.number} {row.subject}", "url": row.get_absolute_url(),
                           "kind": "late" if row.is_late else "matter", "note": str(State(row.state).label)},
        }
        for row in rows
    ])  # fmt: skip


@requires(Permission.VIEW)
@require_safe
def heat_json(request: AccountRequest, code: str, level: int) -> HttpResponse:
    """Outlines with how many matters of one's scope lie in each."""
    place = in_hand(request.user, Permission.VIEW, code)
    if level not in COLUMNS:
        raise Http404
    rows = heat(request.user, place, Level(level), _days(request.GET.get("days", "")))
    return collection([
        feature(row.place, row.place.outline.geometry, count=row.count, shade=row.shade)
        for row in rows if hasattr(row.place, "outline")
    ])  # fmt: skip
