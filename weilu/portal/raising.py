"""Raising a matter: what, where, how to reach you; three short steps, each a page that works without a script."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from weilu.matters.forms import active_categories, active_modules
from weilu.matters.models import Category, Channel, Matter, Module
from weilu.matters.services import Contact, file_matter, secret_for
from weilu.matters.views import send_file
from weilu.orgs.access import public
from weilu.orgs.models import Jurisdiction, Level, Place, valid_on
from weilu.orgs.rate_limit import limited
from weilu.portal import drafts
from weilu.portal.forms import ContactForm, WhatForm
from weilu.portal.models import Draft
from weilu.portal.views import READING, follows_places, nearest, needs_county, open_place
from weilu.records.attachments import MAX_FILES, BadFile, attach, remove
from weilu.records.models import Attachment


def _draft(request: HttpRequest) -> Draft | None:
    found = drafts.current(request)
    return found if found and not found.matter_number else None


def _where(draft: Draft | None) -> Place | None:
    code = drafts.answers(draft).get("place")
    if not draft or not code:
        return None
    return (
        Place.objects.filter(valid_on(timezone.localdate()), code=code, path__startswith=draft.jurisdiction.place.path)
        .select_related("parent")
        .first()
    )


@public
@limited("file")
@require_http_methods(["GET", "HEAD", "POST"])
@needs_county
def what(request: HttpRequest) -> HttpResponse:
    """Step 1: what it is, and photos of it."""
    jurisdiction = request.jurisdiction  # type: ignore[attr-defined]
    draft = _draft(request)
    given = drafts.answers(draft)
    if draft and draft.jurisdiction_id != jurisdiction.pk:  # another county was chosen half-way: what was typed stays
        draft, given = None, {key: given.get(key, "") for key in ("module", "subject", "detail")}
    if request.GET.get("module"):
        given |= {"module": request.GET["module"]}
    form = WhatForm(request.POST if request.method == "POST" else None, initial=given, jurisdiction=jurisdiction)
    problems: list[str] = []
    if request.method == "POST":
        draft = draft or drafts.begin(jurisdiction)
        typed = {key: request.POST.get(key, "")[:5000] for key in ("module", "subject", "detail")}
        drafts.keep(draft, **typed)  # even what is not right yet: nothing typed is lost
        problems = _add_photos(request, draft)
        if form.is_valid() and not problems:
            return drafts.remember(redirect("raise_where"), draft, request.is_secure())
    context = {
        "form": form,
        "given": given,
        "problems": problems,
        "photos": drafts.photos(draft),
        "place": _where(draft),
        "modules": active_modules(jurisdiction),
        "max_files": MAX_FILES,
        "jurisdiction": jurisdiction,
    }
    response = render(request, "portal/raise_what.html", context, status=422 if request.method == "POST" else 200)
    return drafts.remember(response, draft, request.is_secure()) if draft else response


def _add_photos(request: HttpRequest, draft: Draft) -> list[str]:
    """Keep the photos that can be shown; return what is wrong with the others."""
    problems = []
    room = MAX_FILES - len(drafts.photos(draft))
    for upload in request.FILES.getlist("photos"):
        if room <= 0:
            problems.append(_("At most %(n)s photos; the others were left out.") % {"n": MAX_FILES})
            break
        try:
            attach(upload, jurisdiction=draft.jurisdiction, record_kind="draft", record_id=draft.pk, photo_only=True)
            room -= 1
        except BadFile as error:
            problems.append(str(error))
    return problems


@public
@limited("read", READING)
@require_safe
@follows_places
def at_place(request: HttpRequest, code: str) -> HttpResponse:
    """Where the QR code of a notice leads: the form, with its place already known."""
    place, jurisdiction = open_place(code)
    draft = _draft(request)
    if draft is None or draft.jurisdiction_id != jurisdiction.pk:
        draft = drafts.begin(jurisdiction)
    drafts.keep(draft, place=place.code, channel=Channel.QR)
    response = redirect("raise_what")
    response.set_cookie("county", jurisdiction.place.code, max_age=31_536_000, samesite="Lax", httponly=True)
    return drafts.remember(response, draft, request.is_secure())


def _position(request: HttpRequest) -> tuple[float, float] | None:
    source = request.POST if request.method == "POST" else request.GET
    try:
        latitude, longitude = float(source["lat"]), float(source["lng"])
    except (KeyError, ValueError):
        return None
    return (latitude, longitude) if -90 <= latitude <= 90 and -180 <= longitude <= 180 else None


@public
@limited("file")
@require_http_methods(["GET", "HEAD", "POST"])
def where(request: HttpRequest) -> HttpResponse:
    """Step 2: where; from the notice's QR code, by choosing township and village, or by position."""
    draft = _draft(request)
    if draft is None:
        return redirect("raise_what")
    county = draft.jurisdiction.place
    inside = Place.objects.filter(valid_on(timezone.localdate()), path__startswith=county.path)
    given, place, problem = drafts.answers(draft), _where(draft), ""
    township = None
    if code := request.GET.get("township", "") or request.POST.get("township", ""):
        township = inside.filter(level=Level.TOWNSHIP, code=code).first()
    elif place and place.level > Level.COUNTY and "change" not in request.GET:
        township = (
            place
            if place.level == Level.TOWNSHIP
            else inside.filter(level=Level.TOWNSHIP, code__in=place.ancestor_codes).first()
        )
    position = _position(request)
    if request.method == "POST":
        drafts.keep(draft, address=request.POST.get("address", "").strip()[:120])
        chosen = inside.filter(code=request.POST.get("place", ""), level__gte=Level.COUNTY).first()
        if chosen:
            drafts.keep(draft, place=chosen.code, position=position)
            return redirect("raise_send")
        problem = _("Choose the place, or “somewhere else in the county”.")
        given = drafts.answers(draft)
    context = {
        "given": given,
        "place": place,
        "county": county,
        "township": township,
        "problem": problem,
        "townships": inside.filter(level=Level.TOWNSHIP).order_by("code") if township is None else [],
        "villages": inside.filter(level=Level.VILLAGE, parent=township).order_by("code") if township else [],
        "near": nearest(draft.jurisdiction, *position) if position else [],
        "position": position,
        "jurisdiction": draft.jurisdiction,
    }
    return render(request, "portal/raise_where.html", context, status=422 if problem else 200)


def _category(jurisdiction: Jurisdiction) -> Category:
    """Return the category that a matter has until a clerk gives it another."""
    rows = active_categories(jurisdiction)
    return rows.filter(code="other").first() or rows.order_by("-position").first()


@public
@limited("file")
@require_http_methods(["GET", "HEAD", "POST"])
def send(request: HttpRequest) -> HttpResponse:
    """Step 3: how to reach the resident, a summary, and off it goes; pressing twice sends it once."""
    draft = drafts.current(request)
    if draft and draft.matter_number and request.method == "POST":
        return redirect("raise_done")
    draft = _draft(request)
    if draft is None:
        return redirect("raise_what")
    given, place = drafts.answers(draft), _where(draft)
    check = WhatForm(given, jurisdiction=draft.jurisdiction)
    if not check.is_valid():
        return redirect("raise_what")
    if place is None:
        return redirect("raise_where")
    form = ContactForm(request.POST if request.method == "POST" else None, initial=given)
    if request.method == "POST":
        drafts.keep(draft, **{key: request.POST.get(key, "")[:100] for key in ("name", "phone", "email")})
        if form.is_valid():
            _file(draft, place, check.cleaned_data, form.cleaned_data, given)
            return redirect("raise_done")
    context = {
        "form": form,
        "given": drafts.answers(draft),
        "place": place,
        "photos": drafts.photos(draft),
        "module": check.cleaned_data["module"],
        "jurisdiction": draft.jurisdiction,
        "days": _category(draft.jurisdiction).days,
    }
    return render(request, "portal/raise_send.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _file(draft: Draft, place: Place, told: dict[str, Any], contact: dict[str, str], given: dict[str, Any]) -> Matter:
    module: Module = told["module"]
    matter, _secret = file_matter(
        place=place,
        module=module,
        category=_category(draft.jurisdiction),
        subject=told["subject"],
        detail=told["detail"],
        address=given.get("address", ""),
        position=tuple(given["position"]) if given.get("position") else None,
        channel=given.get("channel", Channel.WEB),
        contact=Contact(**contact),
        intake_key=str(draft.pk),
        attachments_of=draft.pk,
    )
    draft.matter_number = matter.number
    draft.save(update_fields=["matter_number"])
    return matter


@public
@limited("read", READING)
@require_safe
def done(request: HttpRequest) -> HttpResponse:
    """What happens next and by when; the number and the secret."""
    draft = drafts.current(request)
    if draft is None or not draft.matter_number:
        return redirect("raise_what")
    matter = get_object_or_404(Matter, jurisdiction=draft.jurisdiction, number=draft.matter_number)
    follow = request.session.setdefault("follow", [])
    if str(matter.pk) not in follow:
        request.session["follow"] = [*follow, str(matter.pk)][-50:]
    context = {"matter": matter, "secret": secret_for(str(draft.pk)), "jurisdiction": draft.jurisdiction}
    return render(request, "portal/raise_done.html", context)


@public
@limited("file")
@require_POST
def drop_photo(request: HttpRequest, pk: str) -> HttpResponse:
    """Take a photo out of the form again."""
    draft = _draft(request)
    if draft:
        remove(Attachment.objects.filter(record_kind="draft", record_id=draft.pk, pk=pk))
    return redirect("raise_what")


@public
@limited("read", READING)
@require_safe
def photo(request: HttpRequest, pk: str) -> HttpResponseBase:
    """A photo of the reader's own draft."""
    draft = _draft(request)
    file = get_object_or_404(Attachment, record_kind="draft", record_id=draft.pk if draft else None, pk=pk)
    return send_file(file, thumbnail=True)
