"""Residents' pages: no account, no script needed. Each calls the services of matters and nothing else."""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST, require_safe

from weilu.indicators.models import Edition
from weilu.matters.forms import active_categories, active_modules
from weilu.matters.models import Category, Matter
from weilu.matters.queries import public_board, public_places, settled_since
from weilu.matters.workflow import OPEN
from weilu.orgs.access import public
from weilu.orgs.models import Jurisdiction, Level, Place, valid_on
from weilu.orgs.rate_limit import limited
from weilu.orgs.scope import in_place
from weilu.orgs.succession import places_today
from weilu.portal.drafts import COOKIE as DRAFT_COOKIE

READING = ("GET", "HEAD")
PERIODS = {30: _lazy("30 days"), 90: _lazy("90 days"), 365: _lazy("One year")}
PUBLIC_PAGE = 20


def jurisdiction_of(request: HttpRequest) -> Jurisdiction | None:
    """Return the county whose pages these are: the only one, or the one the reader chose."""
    rows = list(Jurisdiction.objects.select_related("place").order_by("prefix")[:200])
    if len(rows) == 1:
        return rows[0]
    chosen = request.GET.get("county") or request.COOKIES.get("county", "")
    return next((row for row in rows if row.place.code == chosen), None)


def needs_county(view):
    """Ask for the county first, where the platform serves several."""

    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        jurisdiction = jurisdiction_of(request)
        if jurisdiction is None:
            counties = Jurisdiction.objects.select_related("place").order_by("place__code")
            return render(request, "portal/counties.html", {"counties": counties, "path": request.path})
        request.jurisdiction = jurisdiction  # type: ignore[attr-defined]
        response = view(request, *args, **kwargs)
        if request.GET.get("county"):
            response.set_cookie("county", jurisdiction.place.code, max_age=31_536_000, samesite="Lax", httponly=True)
        return response

    return inner


@public
@limited("read", READING)
@require_safe
@needs_county
def home(request: HttpRequest) -> HttpResponse:
    """What can be raised here, and what was settled lately."""
    jurisdiction = request.jurisdiction  # type: ignore[attr-defined]
    key = f"home:{jurisdiction.pk}"
    figures = cache.get(key)
    if figures is None:
        rows = settled_since(Matter.objects.filter(county_id=jurisdiction.pk), 30)
        total = public_board(rows.public(), "county__code", "county__short_name")
        open_now = Matter.objects.filter(county_id=jurisdiction.pk, state__in=sorted(OPEN)).order_by()
        figures = {"month": total[0] if total else None, "open": open_now.count()}
        cache.set(key, figures, 60)
    latest = Matter.objects.filter(county_id=jurisdiction.pk).public().select_related("category", "township")
    context = {
        "jurisdiction": jurisdiction,
        "modules": active_modules(jurisdiction),
        "figures": figures,
        "latest": latest.order_by("-settled_at", "-id")[:5],
    }
    return render(request, "portal/home.html", context)


def _public_rows(request: HttpRequest, jurisdiction: Jurisdiction) -> tuple[Any, Place, Category | None, int]:
    place = jurisdiction.place
    if code := request.GET.get("place", ""):
        inside = Place.objects.filter(
            path__startswith=jurisdiction.place.path, level__in=[Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE]
        )
        latest = inside.filter(code=code).order_by(F("valid_to").desc(nulls_first=True)).first()
        if latest is None:
            raise Http404
        place = latest
    rows = Matter.objects.filter(in_place(place)).public()
    category = None
    if code := request.GET.get("category", ""):
        category = get_object_or_404(Category, jurisdiction=jurisdiction, code=code)
        rows = rows.filter(category=category)
    days = next((days for days in PERIODS if str(days) == request.GET.get("days")), 30)
    return settled_since(rows, days), place, category, days


@public
@limited("read", READING)
@require_safe
@needs_county
def results(request: HttpRequest) -> HttpResponse:
    """What was settled, by place and kind, with the time it took and how residents rated it; nothing personal."""
    jurisdiction = request.jurisdiction  # type: ignore[attr-defined]
    rows, place, category, days = _public_rows(request, jurisdiction)
    below = {Level.COUNTY: "township", Level.TOWNSHIP: "village"}.get(Level(place.level))
    key = f"board:{place.pk}:{category.pk if category else ''}:{days}"
    boards = cache.get(key)
    if boards is None:
        total = public_board(rows, "county__code", "county__short_name")
        boards = {
            "total": total[0] if total else None,
            "places": public_places(rows, below) if below else [],
            "kinds": [] if category else public_board(rows, "category__code", "category__name"),
        }
        cache.set(key, boards, 60)
    latest = rows.select_related("category", "module", "township", "village").order_by("-settled_at", "-id")
    context = {
        "jurisdiction": jurisdiction,
        "place": place,
        "category": category,
        "days": days,
        "periods": PERIODS.items(),
        "categories": active_categories(jurisdiction),
        "latest": latest[:PUBLIC_PAGE],
        "ranked": Edition.objects.filter(state=Edition.State.PUBLISHED).exists(),
        "most": max((row.settled for row in boards["places"]), default=0),
        "most_kinds": max((row.settled for row in boards["kinds"]), default=0),
        **boards,
    }
    return render(request, "portal/results.html", context)


class WentOn(Exception):
    """A place has ended, and other places go on from it: what hangs on the wall still leads there.

    Attributes:
        places: those of today.
    """

    def __init__(self, ended: Place, places: list[Place]):
        super().__init__(ended.code)
        self.ended, self.places = ended, places


def follows_places(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Lead from the address of a place that has ended to what it is today; where that is several, let one choose."""

    @wraps(view)
    def following(request: HttpRequest, code: str) -> HttpResponse:
        try:
            return view(request, code)
        except WentOn as went:
            name = str(request.resolver_match.view_name) if request.resolver_match else "notice"
            found = [(place, reverse(name, args=[place.code])) for place in went.places]
            if len(found) == 1:
                return redirect(found[0][1])
            context = {"ended": went.ended, "places": found, "jurisdiction": Jurisdiction.of(went.places[0])}
            return render(request, "portal/went_on.html", context)

    return following


def open_place(code: str) -> tuple[Place, Jurisdiction]:
    """Return a place and the county that uses the platform there; elsewhere there is none.

    Raises:
        WentOn: it has ended, and others go on from it.
    """
    rows = Place.objects.filter(level__gte=Level.COUNTY).select_related("parent__parent__parent")
    place = rows.filter(valid_on(timezone.localdate()), code=code).first()
    if place is None:
        ended = rows.filter(code=code, valid_to__isnull=False).order_by("-valid_to").first()
        if ended is None:
            raise Http404
        if today := [row for row in places_today(ended) if Jurisdiction.of(row)]:
            raise WentOn(ended, today)
        raise Http404
    jurisdiction = Jurisdiction.of(place)
    if jurisdiction is None:
        raise Http404
    return place, jurisdiction


def nearest(jurisdiction: Jurisdiction, latitude: float, longitude: float, limit: int = 6) -> list[Place]:
    """Return the villages nearest to a position (WGS 84), with their ``distance`` in metres.

    Only places whose position is known count. Distances are on a sphere of 6,371 km: good to a few metres here.
    """
    rows = Place.objects.filter(
        valid_on(timezone.localdate()),
        path__startswith=jurisdiction.place.path,
        level=Level.VILLAGE,
        latitude__isnull=False,
    ).select_related("parent")
    here = math.radians(latitude)
    found = list(rows)
    for place in found:
        there = math.radians(place.latitude or 0.0)
        turn = math.radians((place.longitude or 0.0) - longitude)
        cosine = math.sin(here) * math.sin(there) + math.cos(here) * math.cos(there) * math.cos(turn)
        place.distance = 6_371_000 * math.acos(min(1.0, max(-1.0, cosine)))  # type: ignore[attr-defined]
    return sorted(found, key=lambda place: place.distance)[:limit]  # type: ignore[attr-defined]


@public
@limited("follow")
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Stop following on this device: a lent telephone keeps nothing."""
    for name in ("follow", "follow_bookings", "asked"):
        request.session.pop(name, None)
    messages.success(request, _("This device no longer follows your matters and bookings."))
    response = redirect("home")
    response.delete_cookie(DRAFT_COOKIE)
    return response
