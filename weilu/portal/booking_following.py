"""Following a booking by its number and secret: where it stands, and taking it back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weilu.orgs.access import public
from weilu.orgs.rate_limit import limited
from weilu.portal.views import READING
from weilu.portal.words import booking_standing, booking_told
from weilu.records.models import Event
from weilu.records.moves import MoveError
from weilu.records.secrets import fits
from weilu.venues import services
from weilu.venues.models import Booking
from weilu.venues.workflow import STANDING

FOLLOWED = "follow_bookings"  # in the session
KEPT = 50


def remember(request: HttpRequest, booking: Booking) -> None:
    """Let this device follow a booking without asking for the secret again."""
    followed = request.session.get(FOLLOWED, [])
    request.session[FOLLOWED] = [*(pk for pk in followed if pk != str(booking.pk)), str(booking.pk)][-KEPT:]


def opened_by(number: str, secret: str) -> Booking | None:
    """Return the booking to which number and secret belong."""
    booking = Booking.objects.filter(number=number).first()
    return booking if booking and fits(booking.secret_hash, secret) else None


def followed_here(request: HttpRequest) -> list[tuple[Booking, str]]:
    """Return the bookings that this device follows, the latest first, each with where it stands."""
    rows = Booking.objects.filter(pk__in=request.session.get(FOLLOWED, [])).select_related("venue__place")
    return [(row, booking_standing(row)) for row in rows.order_by("-created_at", "-id")]


def _fetch(request: HttpRequest, number: str) -> Booking:
    """Return a booking that this device has shown the secret of; another does not exist for it."""
    rows = Booking.objects.select_related("venue__place", "jurisdiction__place")
    return get_object_or_404(rows, number=number, pk__in=request.session.get(FOLLOWED, []))


def _show(request: HttpRequest, booking: Booking, status: int = 200, problem: str = "") -> HttpResponse:
    events = list(Event.objects.of(booking).filter(open_to_resident=True))
    for event in events:
        event.told = booking_told(event)  # type: ignore[attr-defined]
    context = {
        "booking": booking,
        "jurisdiction": booking.jurisdiction,
        "standing": booking_standing(booking),
        "events": events,
        "may_cancel": booking.state in STANDING and booking.during.upper > timezone.now(),
        "problem": problem,
    }
    return render(request, "portal/follow_booking.html", context, status=status)


@public
@limited("read", READING)
@require_safe
def follow_booking(request: HttpRequest, number: str) -> HttpResponse:
    """Where one's booking stands."""
    return _show(request, _fetch(request, number))


@public
@limited("follow")
@require_POST
def booking_cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Take one's booking back; the clerks of the venue are told, and its time is free again."""
    booking = _fetch(request, number)
    text = request.POST.get("version", "")
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    note = request.POST.get("note", "").strip()[:500] or _("No longer needed")
    try:
        services.cancel(booking, by=None, version=version, note=note)
    except MoveError as error:
        return _show(request, _fetch(request, number), 409, str(error.message))
    messages.success(request, _("Your booking was taken back. Thank you for saying so."))
    return redirect("follow_booking", number)
