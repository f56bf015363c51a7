"""Pages of clerks: venues, their hours, the bookings of their place; and one's own bookings."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.models import Jurisdiction, Level, Place, valid_on
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope
from weilu.records.looking import NoReason
from weilu.records.models import Event
from weilu.records.moves import MoveError
from weilu.venues import services
from weilu.venues.drawing import drawing
from weilu.venues.forms import ClerkWishForm, DayForm, HoursForm, VenueForm
from weilu.venues.hours import day_of, is_open
from weilu.venues.models import Booking, Venue
from weilu.venues.queries import public_venues, stranded, to_answer, to_come, unlisted_year, week_of
from weilu.venues.reach import DETOUR, METRES_PER_MINUTE, MINUTES, RADIUS, reach_of
from weilu.venues.setup import begin_zones

PAGE = 200
TABLE_ROWS = 20


def first_kept_place(request: AccountRequest) -> Place:
    """Return the highest place whose venues the reader keeps."""
    grants = request.user.grants_for(Permission.KEEP)
    if not grants:
        raise PermissionDenied
    return min((grant.place for grant in grants), key=lambda place: (place.level, place.code))


def _jurisdiction_of(place: Place) -> Jurisdiction:
    found = Jurisdiction.of(place) or Jurisdiction.objects.filter(place__path__startswith=place.path).first()
    if found is None:
        raise Http404
    return found


@requires(Permission.KEEP)
@require_safe
def manage(request: AccountRequest) -> HttpResponse:
    """The venues of one's scope, and what waits for an answer."""
    rows = Venue.objects.current().visible_to(request.user, Permission.KEEP)
    text = request.GET.get("q", "").strip()
    if text:
        rows = rows.filter(name__icontains=text)
    found = list(rows.select_related("zone", "place__parent").prefetch_related("hours", "exceptions")[: PAGE + 1])
    now = timezone.now()
    for venue in found:
        venue.open_now = is_open(venue, now)  # type: ignore[attr-defined]
    context = {
        "venues": found[:PAGE],
        "more": len(found) > PAGE,
        "q": text,
        "waiting": to_answer(request.user)[:20],
        "coming": to_come(Booking.objects.kept_by(request.user))[:20],  # type: ignore[attr-defined]
    }
    return render(request, "venues/manage.html", context)


@requires(Permission.VIEW)
@require_safe
def of_place(request: AccountRequest, code: str) -> HttpResponse:
    """The venues in a place, a page at a time: the table below the map."""
    mine = Place.objects.filter(places_in_scope(request.user, Permission.VIEW), valid_to=None)
    place = get_object_or_404(mine.select_related("parent__parent"), code=code)
    around = place
    while around.level > Level.VILLAGE and around.parent:
        around = around.parent
    county = Jurisdiction.of(place)
    rows = public_venues(county, around) if county else Venue.objects.none()
    paged = Paginator(rows.order_by("place__path", "name", "pk"), TABLE_ROWS).get_page(request.GET.get("page", ""))
    for venue in paged:
        venue.today = day_of(venue, timezone.localdate())
    return render(request, "venues/of_place.html", {"place": place, "paged": paged})


def _fetch(request: AccountRequest, pk: Any) -> Venue:
    rows = Venue.objects.current().visible_to(request.user, Permission.KEEP)
    related = rows.select_related("jurisdiction__place", "zone", "place__parent__parent__parent", "organisation")
    return get_object_or_404(related, pk=pk)


def _save(form: VenueForm, request: AccountRequest) -> bool:
    try:
        with transaction.atomic():
            services.enter(form.instance, by=request.user)
        return True
    except IntegrityError:
        form.add_error("name", _("A venue of this name is at this place already."))
        return False


@requires(Permission.KEEP)
def venue_new(request: AccountRequest) -> HttpResponse:
    """A new venue."""
    place = first_kept_place(request)
    jurisdiction = _jurisdiction_of(place)
    begin_zones(jurisdiction)
    given = request.POST if request.method == "POST" else None
    form = VenueForm(given, keeper=request.user, jurisdiction=jurisdiction, initial={"place_code": place.code})
    if given is not None and form.is_valid() and _save(form, request):
        messages.success(request, _("%(name)s was entered. Now give its hours.") % {"name": form.instance.name})
        return redirect("venue_edit", form.instance.pk)
    return render(request, "venues/new.html", {"form": form}, status=422 if form.errors else 200)


def _show(request: AccountRequest, venue: Venue, status: int = 200, **forms: Any) -> HttpResponse:
    week = week_of(venue, timezone.localdate() - dt.timedelta(days=timezone.localdate().weekday()))
    context = {
        "venue": venue,
        "form": VenueForm(instance=venue, keeper=request.user, jurisdiction=venue.jurisdiction),
        "hours": HoursForm(venue=venue),
        "day": DayForm(),
        "days": venue.exceptions.filter(day__gte=timezone.localdate()),
        "stranded": stranded(venue),
        "coming": to_come(venue.bookings.all())[:50],
        "week": week,
        "unlisted": unlisted_year(venue, week),
        "public": False,
        **forms,
    }
    return render(request, "venues/edit.html", context, status=status)


@requires(Permission.KEEP)
def venue_edit(request: AccountRequest, pk: str) -> HttpResponse:
    """One venue: what it is, its hours, its bookings."""
    venue = _fetch(request, pk)
    if request.method != "POST":
        return _show(request, venue)
    form = VenueForm(request.POST, instance=venue, keeper=request.user, jurisdiction=venue.jurisdiction)
    if form.is_valid() and _save(form, request):
        messages.success(request, _("Saved."))
        return redirect("venue_edit", venue.pk)
    return _show(request, _fetch(request, pk), 422, form=form)


@requires(Permission.KEEP)
@require_POST
def venue_hours(request: AccountRequest, pk: str) -> HttpResponse:
    """Set the week."""
    venue = _fetch(request, pk)
    form = HoursForm(request.POST, venue=venue)
    if form.is_valid():
        try:
            services.set_hours(venue, form.spans(), by=request.user)
            messages.success(request, _("Saved."))
            return redirect("venue_edit", venue.pk)
        except services.BadHours as error:
            form.add_error(None, str(error))
    return _show(request, venue, 422, hours=form)


@requires(Permission.KEEP)
@require_POST
def venue_day(request: AccountRequest, pk: str) -> HttpResponse:
    """Set one date, or let it be as any other again."""
    venue = _fetch(request, pk)
    form = DayForm(request.POST)
    if dropped := request.POST.get("drop"):
        try:
            services.drop_day(venue, dt.date.fromisoformat(dropped), by=request.user)
        except ValueError:
            raise Http404 from None
        return redirect("venue_edit", venue.pk)
    if form.is_valid():
        try:
            given = form.cleaned_data
            services.set_day(venue, given["day"], span=form.span, note=given["note"], by=request.user)
            messages.success(request, _("Saved."))
            return redirect("venue_edit", venue.pk)
        except services.BadHours as error:
            form.add_error(None, str(error))
    return _show(request, venue, 422, day=form)


@requires(Permission.KEEP)
@require_POST
def venue_close(request: AccountRequest, pk: str) -> HttpResponse:
    """Close a venue for good."""
    venue = _fetch(request, pk)
    try:
        services.close(venue, by=request.user)
    except MoveError as error:
        messages.error(request, str(error.message))
        return redirect("venue_edit", venue.pk)
    messages.success(request, _("%(name)s was closed.") % {"name": venue.name})
    return redirect("venues_manage")


@requires(Permission.KEEP)
def venue_book(request: AccountRequest, pk: str) -> HttpResponse:
    """Book for the office itself, or for a resident on the telephone: confirmed at once."""
    venue = _fetch(request, pk)
    given = request.POST if request.method == "POST" else None
    form = ClerkWishForm(given, initial={name: request.GET.get(name, "") for name in ("day", "starts", "ends")})
    if given is not None and form.is_valid():
        try:
            booking = services.book(venue, form.wish(f"{request.user.pk.hex}:"), by=request.user)
            messages.success(request, _("Booked."))
            return redirect(booking)
        except MoveError as error:
            form.add_error(None, str(error.message))
    return render(request, "venues/book.html", {"form": form, "venue": venue}, status=422 if form.errors else 200)


# --- bookings ---------------------------------------------------------------------------------------------------------
@requires(Permission.SIGNED_IN)
@require_safe
def bookings(request: AccountRequest) -> HttpResponse:
    """One's own bookings."""
    rows = Booking.objects.filter(created_by=request.user).select_related("venue__place")
    return render(request, "venues/bookings.html", {"rows": rows.order_by("-created_at", "-id")[:100]})


def _fetch_booking(request: AccountRequest, number: str) -> Booking:
    related = ("venue__place", "jurisdiction", "county", "township", "village", "grid", "created_by")
    return get_object_or_404(Booking.objects.visible_to(request.user).select_related(*related), number=number)


def _show_booking(request: AccountRequest, booking: Booking, status: int = 200, **extra: Any) -> HttpResponse:
    events = list(Event.objects.of(booking))
    labels = {name: str(step.label) for name, step in Booking.workflow.moves.items()}
    labels |= {"ask_for": _("Asked for"), "book": _("Booked"), "unmask": _("Contact shown")}
    for event in events:
        event.label = labels[event.move]  # type: ignore[attr-defined]
    context = {
        "booking": booking,
        "events": events,
        "keeps": Booking.may(request.user, Permission.KEEP, booking),
        "may_unmask": Booking.may(request.user, Permission.UNMASK, booking) and bool(booking.contact_phone),
        "over": booking.during.upper <= timezone.now(),
        "contact": None,
        "failed": "",
        **extra,
    }
    return render(request, "venues/booking.html", context, status=status)


@requires(Permission.SIGNED_IN)
@require_safe
def booking(request: AccountRequest, number: str) -> HttpResponse:
    """One booking: of a place one keeps, or one's own."""
    return _show_booking(request, _fetch_booking(request, number))


@requires(Permission.UNMASK)
@require_POST
def booking_contact(request: AccountRequest, number: str) -> HttpResponse:
    """Show how to reach whoever asked, once, with the reason; who looked and why is kept."""
    found = _fetch_booking(request, number)
    try:
        contact = services.reveal_contact(found, by=request.user, reason=request.POST.get("reason", ""))
        return _show_booking(request, found, contact=contact)
    except NoReason as error:
        return _show_booking(request, found, 422, problem=str(error.message), failed="contact")
    except MoveError as error:
        messages.error(request, str(error.message))
        return redirect(found)


VERBS: dict[str, Any] = {
    "confirm": lambda found, by, version, note: services.confirm(found, by=by, version=version),
    "refuse": lambda found, by, version, note: services.refuse(found, by=by, version=version, note=note),
    "cancel": lambda found, by, version, note: services.cancel(found, by=by, version=version, note=note),
}


@requires(Permission.SIGNED_IN)
@require_POST
def booking_act(request: AccountRequest, number: str, name: str) -> HttpResponse:
    """Confirm, refuse or cancel."""
    found = _fetch_booking(request, number)
    if name not in VERBS:
        raise Http404
    version = int(request.POST["version"]) if request.POST.get("version", "").isdecimal() else -1
    try:
        VERBS[name](found, request.user, version, request.POST.get("note", "")[:500])
    except MoveError as error:
        return _show_booking(request, _fetch_booking(request, number), 409, problem=str(error.message))
    messages.success(request, _("Done."))
    return redirect(found)


# --- fifteen minutes on foot -----------------------------------------------------------------------------------------
SHOWN_GAPS = 100


@requires(Permission.VIEW)
@require_safe
def reach(request: AccountRequest, code: str = "") -> HttpResponse:
    """The share of households within fifteen minutes of a service centre, and the gaps: a map and its table."""
    mine = Place.objects.filter(places_in_scope(request.user, Permission.VIEW), valid_on(timezone.localdate()))
    mine = mine.filter(level__range=(Level.COUNTY, Level.GRID))
    if not code:
        top = mine.order_by("level", "code").first()
        if top is None:
            raise Http404
        return redirect("venues_reach", top.code)
    place = get_object_or_404(mine.select_related("parent"), code=code)
    found = reach_of(place, _jurisdiction_of(place))
    gaps = found.gaps
    context = {
        "place": place,
        "reach": found,
        "gaps": gaps[:SHOWN_GAPS],
        "more": max(0, len(gaps) - SHOWN_GAPS),
        "children": mine.filter(parent=place, level__lte=Level.VILLAGE).order_by("code"),
        "above": mine.filter(pk=place.parent_id).first(),
        "map": drawing(found),
        "rule": {"minutes": MINUTES, "speed": METRES_PER_MINUTE, "detour": DETOUR, "radius": round(RADIUS)},
    }
    return render(request, "venues/reach.html", context)
