"""Following a matter by its number and secret: each step in plain words, answering, rating, reopening."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from weilu.matters import services
from weilu.matters.forms import NoteForm
from weilu.matters.models import Matter
from weilu.matters.views import send_file, timeline
from weilu.orgs.access import public
from weilu.orgs.rate_limit import limited
from weilu.portal.booking_following import followed_here, opened_by, remember
from weilu.portal.forms import FollowForm, RatingForm
from weilu.portal.views import READING, jurisdiction_of
from weilu.portal.words import standing, told
from weilu.records.models import Attachment
from weilu.records.moves import MoveError
from weilu.records.secrets import fits

# Notes with which offices hand a matter on among themselves.
FOR_OFFICES = {"dispatch", "order", "transfer"}

# What the sentence about a matter names.
HOLDERS = ["jurisdiction", "county", "township", "village", "grid", "handler", "handler_grid", "taken_by"]


@public
@limited("follow")
@require_http_methods(["GET", "HEAD", "POST"])
def follow(request: HttpRequest) -> HttpResponse:
    """Open a matter or a booking by its number and secret; a wrong pair is told apart from nothing."""
    given = request.POST if request.method == "POST" else None
    form = FollowForm(given, initial={"number": request.GET.get("number", "")})
    if given is not None and form.is_valid():
        number, secret = form.cleaned_data["number"], form.cleaned_data["secret"]
        matter = Matter.objects.filter(number=number).first()
        if matter and fits(matter.secret_hash, secret):
            followed = request.session.get("follow", [])
            request.session["follow"] = [*(pk for pk in followed if pk != str(matter.pk)), str(matter.pk)][-50:]
            return redirect("follow_matter", matter.number)
        if booking := opened_by(number, secret):
            remember(request, booking)
            return redirect("follow_booking", booking.number)
        form.add_error(None, _("Number and secret do not belong together. Check both as they were shown to you."))
    mine = Matter.objects.filter(pk__in=request.session.get("follow", [])).select_related(
        *HOLDERS, *(f"merged_into__{name}" for name in HOLDERS)
    )
    context = {
        "form": form, "mine": [(row, standing(row)) for row in mine], "bookings": followed_here(request),
        "jurisdiction": jurisdiction_of(request),
    }  # fmt: skip
    return render(request, "portal/follow.html", context, status=422 if form.errors else 200)


def _fetch(request: HttpRequest, number: str) -> Matter:
    """Return a matter that this device has shown the secret of; another does not exist for it."""
    rows = Matter.objects.select_related(
        "jurisdiction",
        "module",
        "category",
        "county",
        "township",
        "village",
        "grid",
        "handler",
        "handler_grid",
        "merged_into__handler",
        "merged_into__jurisdiction",
    )
    return get_object_or_404(rows, number=number, pk__in=request.session.get("follow", []))


def _show(request: HttpRequest, matter: Matter, status: int = 200, **extra) -> HttpResponse:
    shown = matter.merged_into or matter
    events = timeline(matter, for_resident=True)
    for event in events:
        event.told = told(event)  # type: ignore[attr-defined]
        if event.move in FOR_OFFICES:
            event.note = ""
    questions = [event for event in events if event.move == "ask"]
    declined = next((event for event in timeline(shown, for_resident=True) if event.move == "decline"), None)
    context = {
        "declined": declined if shown.pk != matter.pk else None,
        "matter": matter,
        "shown": shown,
        "standing": standing(matter),
        "events": events,
        "question": questions[-1] if questions and matter.state == "asked" else None,
        "may_reopen": services.may_reopen(matter),
        "files": Attachment.objects.filter(record_kind="matter", record_id=matter.pk),
        **extra,
    }
    return render(request, "portal/follow_matter.html", context, status=status)


@public
@limited("read", READING)
@require_safe
def follow_matter(request: HttpRequest, number: str) -> HttpResponse:
    """Where one's matter stands."""
    return _show(request, _fetch(request, number))


@public
@limited("follow")
@require_POST
def say(request: HttpRequest, number: str, name: str) -> HttpResponse:
    """Answer a question, rate, or reopen."""
    matter = _fetch(request, number)
    form = RatingForm(request.POST) if name == "rate" else NoteForm(request.POST)
    if name not in ("answer", "rate", "reopen"):
        return redirect("follow_matter", number)
    if not form.is_valid():
        problem = " ".join(str(text) for texts in form.errors.values() for text in texts)
        return _show(request, matter, 422, failed=name, problem=problem, typed=request.POST)
    try:
        if name == "answer":
            services.answer(matter, note=form.cleaned_data["note"])
            messages.success(request, _("Thank you for your answer. The work goes on."))
        elif name == "rate":
            services.rate(matter, **form.cleaned_data)
            messages.success(request, _("Thank you for your rating."))
        else:
            services.reopen(matter, note=form.cleaned_data["note"])
            messages.success(request, _("Your matter is open again."))
    except MoveError as error:
        return _show(request, _fetch(request, number), 409, failed=name, problem=str(error.message), typed=request.POST)
    return redirect("follow_matter", number)


@public
@limited("read", READING)
@require_safe
def file(request: HttpRequest, number: str, pk: str) -> HttpResponseBase:
    """A photo of one's own matter."""
    matter = _fetch(request, number)
    events = {event.pk for event in timeline(matter, for_resident=True)}
    found = get_object_or_404(Attachment, pk=pk, record_kind="matter", record_id=matter.pk, event_id__in=events)
    return send_file(found, "small" in request.GET)
