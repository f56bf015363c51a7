"""Venues for everybody: which there are, when they are open, and asking for one."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from weilu.orgs.access import public
from weilu.orgs.models import Jurisdiction, Level, Place, valid_on
from weilu.orgs.rate_limit import limited
from weilu.portal.booking_following import remember
from weilu.portal.views import READING, needs_county
from weilu.records.moves import MoveError
from weilu.venues import services
from weilu.venues.forms import ResidentWishForm, WishForm
from weilu.venues.hours import day_of, is_open
from weilu.venues.models import Booking, Venue, Zone
from weilu.venues.queries import public_venues, unlisted_year, week_of, zones_of

LISTED = 100
POINTS = 5_000


def _place(request: HttpRequest, jurisdiction: Jurisdiction) -> Place | None:
    code = request.GET.get("place", "")
    if not code:
        return None
    inside = Place.objects.filter(valid_on(timezone.localdate()), path__startswith=jurisdiction.place.path)
    return get_object_or_404(inside.filter(level__range=(Level.COUNTY, Level.VILLAGE)), code=code)


def _chosen(request: HttpRequest, jurisdiction: Jurisdiction) -> tuple[Any, Place | None, Zone | None, str]:
    place, zone = _place(request, jurisdiction), None
    rows = public_venues(jurisdiction, place)
    if code := request.GET.get("zone", ""):
        zone = get_object_or_404(Zone, jurisdiction=jurisdiction, code=code)
        rows = rows.filter(zone=zone)
    kind = request.GET.get("kind", "")
    if kind in Venue.Kind.values:
        rows = rows.filter(kind=kind)
    return rows, place, zone, kind


@public
@limited("read", READING)
@require_safe
@needs_county
def venues(request: HttpRequest) -> HttpResponse:
    """The venues of a place, by zone, with what is open now."""
    jurisdiction: Jurisdiction = request.jurisdiction  # type: ignore[attr-defined]
    rows, place, zone, kind = _chosen(request, jurisdiction)
    found = list(rows.order_by("place__path", "zone__position", "name")[: LISTED + 1])
    now = timezone.now()
    for venue in found:
        venue.open_now = is_open(venue, now)  # type: ignore[attr-defined]
        venue.today = day_of(venue, timezone.localdate())  # type: ignore[attr-defined]
    townships = Place.objects.filter(
        valid_on(now.date()), path__startswith=jurisdiction.place.path, level=Level.TOWNSHIP
    )
    context = {
        "jurisdiction": jurisdiction,
        "place": place,
        "zone": zone,
        "kind": kind,
        "kinds": Venue.Kind.choices,
        "zones": zones_of(jurisdiction),
        "townships": townships.order_by("code"),
        "venues": found[:LISTED],
        "more": len(found) > LISTED,
    }
    return render(request, "portal/venues.html", context)


@public
@limited("read", READING)
@require_safe
@needs_county
def points(request: HttpRequest) -> HttpResponse:
    """The venues whose position is known, for a map; the same filters as the list, which is its table."""
    rows, _place_chosen, _zone, _kind = _chosen(request, request.jurisdiction)  # type: ignore[attr-defined]
    now = timezone.now()
    found = [
        {
            "id": str(venue.pk),
            "name": venue.name,
            "kind": venue.kind,
            "kind_name": venue.get_kind_display(),
            "zone": str(venue.zone),
            "place": venue.place.code,
            "place_name": venue.place.short_name,
            "address": venue.address,
            "latitude": venue.latitude,
            "longitude": venue.longitude,
            "open_now": is_open(venue, now),
            "bookable": venue.bookable,
            "url": venue.get_absolute_url(),
        }
        for venue in rows.filter(latitude__isnull=False).order_by("place__path", "name")[:POINTS]
    ]
    table = f"{reverse('venues')}?{request.GET.urlencode()}" if request.GET else reverse("venues")
    return JsonResponse({"points": found, "table": table}, json_dumps_params={"ensure_ascii": False})


def _fetch(pk: Any) -> Venue:
    rows = Venue.objects.current().select_related(
        "jurisdiction__place", "zone", "organisation", "place__parent__parent__parent"
    )
    return get_object_or_404(rows.prefetch_related("hours", "exceptions"), pk=pk)


def _monday(request: HttpRequest) -> dt.date:
    """Return the Monday of the week that was asked for, within what can be booked, else of this one."""
    today = timezone.localdate()
    try:
        day = dt.date.fromisoformat(request.GET.get("week", ""))
    except ValueError:
        day = today
    if not today - dt.timedelta(days=7) <= day <= today + dt.timedelta(days=services.AHEAD + 7):
        day = today
    return day - dt.timedelta(days=day.weekday())


@public
@limited("read", READING)
@require_safe
def venue(request: HttpRequest, pk: str) -> HttpResponse:
    """One venue and a week of it."""
    found, monday, today = _fetch(pk), _monday(request), timezone.localdate()
    this_week = today - dt.timedelta(days=today.weekday())
    after = monday + dt.timedelta(days=7)
    week = week_of(found, monday)
    context = {
        "jurisdiction": found.jurisdiction,
        "venue": found,
        "open_now": is_open(found, timezone.now()),
        "today": day_of(found, today),
        "week": week,
        "unlisted": unlisted_year(found, week),
        "monday": monday,
        "before": monday - dt.timedelta(days=7) if monday > this_week else None,
        "after": after if after <= today + dt.timedelta(days=services.AHEAD) else None,
        "public": True,
    }
    return render(request, "portal/venue.html", context)


@public
@limited("file")
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask for a venue: residents with their telephone, accounts as themselves. A clerk answers."""
    found = _fetch(pk)
    if not found.bookable:
        return redirect(found)
    user = request.user if request.user.is_authenticated else None
    form_class = WishForm if user else ResidentWishForm
    given = request.POST if request.method == "POST" else None
    form = form_class(given, initial={name: request.GET.get(name, "") for name in ("day", "starts", "ends")})
    if given is not None and form.is_valid():
        try:
            booking = services.ask_for(found, form.wish(f"{user.pk.hex}:" if user else "web:"), by=user)
            request.session["asked"] = str(booking.pk)
            return redirect("venue_asked", found.pk)
        except MoveError as error:
            form.add_error(None, str(error.message))
    context = {"form": form, "venue": found, "jurisdiction": found.jurisdiction}
    return render(request, "portal/venue_ask.html", context, status=422 if form.errors else 200)


@public
@limited("read", READING)
@require_safe
def asked(request: HttpRequest, pk: str) -> HttpResponse:
    """What happens next, after asking; the number and the secret."""
    rows = Booking.objects.select_related("venue", "jurisdiction__place")
    booking = rows.filter(pk=request.session.get("asked"), venue_id=pk).first()
    if booking is None:
        return redirect("venue", pk)
    if secret := services.secret_for(booking.intake_key) if booking.secret_hash else "":
        remember(request, booking)
    context = {"booking": booking, "jurisdiction": booking.jurisdiction, "secret": secret}
    return render(request, "portal/venue_asked.html", context)
