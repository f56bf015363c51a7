"""Pages of notices: public ones of places and bodies, and what clerks do about them."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weilu.lib.phone import check_phone
from weilu.orgs.access import AccountRequest, public, requires
from weilu.orgs.counties import managed_jurisdiction
from weilu.orgs.models import Jurisdiction, Level, Organisation, Place, valid_on
from weilu.orgs.rate_limit import limited
from weilu.orgs.roles import Permission
from weilu.orgs.scope import organisations_in_scope, places_in_scope
from weilu.people.models import Membership, Post
from weilu.portal.models import NoticePrint, NoticeText
from weilu.portal.notice_content import (
    DUTIES,
    PUBLIC_BODIES,
    Notice,
    duties_of,
    notice_of,
    notice_of_body,
    plan,
    public_bodies,
)
from weilu.portal.notice_print import link_of, page_data, qr_svg, set_one
from weilu.portal.notice_services import Refused, order_print, set_duties, set_public_phone
from weilu.portal.views import READING, follows_places, open_place

LONGEST_DUTIES = 120  # a notice is one page
REFRESH = "2"  # seconds, while a print is under way


def address_of(request: HttpRequest) -> str:
    """Return the address that QR codes carry: the one that was set for residents, else the one asked at."""
    return settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")


# --- for everybody ----------------------------------------------------------------------------------------------------
def _of_place(code: str) -> tuple[Notice, Jurisdiction]:
    place, jurisdiction = open_place(code)
    return notice_of(place, jurisdiction, duties_of(jurisdiction)), jurisdiction


def _of_body(pk: Any) -> tuple[Notice, Jurisdiction]:
    body = get_object_or_404(public_bodies(), pk=pk)
    return notice_of_body(body, duties_of(body.jurisdiction)), body.jurisdiction


def _page(request: HttpRequest, notice: Notice, jurisdiction: Jurisdiction) -> HttpResponse:
    bodies = Organisation.objects.none()
    if notice.body is None:
        bodies = Organisation.objects.filter(valid_on(timezone.localdate()), place=notice.place, kind__in=PUBLIC_BODIES)
    context = {
        "notice": notice,
        "jurisdiction": jurisdiction,
        "organisations": bodies.order_by("kind", "name")[:60],
        "link": link_of(notice, address_of(request)),
    }
    return render(request, "portal/notice.html", context)


def _qr(request: HttpRequest, notice: Notice) -> HttpResponse:
    response = HttpResponse(qr_svg(link_of(notice, address_of(request))), content_type="image/svg+xml")
    response["Cache-Control"] = "public, max-age=86400"
    return response


def _pdf(request: HttpRequest, notice: Notice) -> HttpResponse:
    title = f"{notice.above} {notice.title}".strip()
    pdf = set_one(title, page_data(notice, address_of(request)))
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="notice-{notice.code}.pdf"'
    return response


@public
@limited("read", READING)
@require_safe
@follows_places
def notice(request: HttpRequest, code: str) -> HttpResponse:
    """The notice of a place: who is responsible, what they do, how to reach them, what was settled; and a QR code."""
    return _page(request, *_of_place(code))


@public
@limited("read", READING)
@require_safe
@follows_places
def notice_qr(request: HttpRequest, code: str) -> HttpResponse:
    """The QR code of a place's notice, as SVG."""
    return _qr(request, _of_place(code)[0])


@public
@limited("print", READING)
@require_safe
@follows_places
def notice_pdf(request: HttpRequest, code: str) -> HttpResponse:
    """The notice of a place, to print on A4."""
    return _pdf(request, _of_place(code)[0])


@public
@limited("read", READING)
@require_safe
def body_notice(request: HttpRequest, pk: str) -> HttpResponse:
    """The notice of a branch or another body."""
    return _page(request, *_of_body(pk))


@public
@limited("read", READING)
@require_safe
def body_notice_qr(request: HttpRequest, pk: str) -> HttpResponse:
    """The QR code of a body's notice, as SVG."""
    return _qr(request, _of_body(pk)[0])


@public
@limited("print", READING)
@require_safe
def body_notice_pdf(request: HttpRequest, pk: str) -> HttpResponse:
    """The notice of a body, to print on A4."""
    return _pdf(request, _of_body(pk)[0])


# --- for clerks -------------------------------------------------------------------------------------------------------
def _kept(request: AccountRequest):
    mine = Place.objects.filter(places_in_scope(request.user, Permission.KEEP), valid_on(timezone.localdate()))
    return mine.filter(level__gte=Level.COUNTY).select_related("parent__parent__parent")


@requires(Permission.KEEP)
@require_safe
def manage(request: AccountRequest) -> HttpResponse:
    """Notices of one's scope: print those of a place and all in it, and see to their telephones."""
    mine = _kept(request)
    if code := request.GET.get("place", "").strip():
        place = get_object_or_404(mine, code=code)
    else:
        place = mine.order_by("level", "code").first()
        if place is None:
            raise PermissionDenied
    kinds = []
    for kind, label in NoticeText.Kind.choices:
        if count := plan(place, [kind]).count:
            kinds.append((kind, label, count))
    prints = NoticePrint.objects.visible_to(request.user).select_related("place", "created_by")  # type: ignore[attr-defined]
    context = {
        "place": place,
        "children": mine.filter(parent=place).order_by("code"),
        "above": mine.filter(pk=place.parent_id).first(),
        "kinds": kinds,
        "address": address_of(request),
        "address_set": bool(settings.PUBLIC_URL),
        "prints": prints[:12],
        "bodies": _bodies_at(place),
    }
    return render(request, "portal/notices.html", context)


def _bodies_at(place: Place):
    """Return the bodies with a notice that stand at a place, or in it where that is a village."""
    here = {"place__path__startswith": place.path} if place.level >= Level.VILLAGE else {"place": place}
    return public_bodies().filter(**here).order_by("place__path", "kind", "name")[:100]


@requires(Permission.KEEP)
@require_POST
def print_new(request: AccountRequest) -> HttpResponse:
    """Order a print."""
    place = get_object_or_404(_kept(request), code=request.POST.get("place", ""))
    kinds = [kind for kind in request.POST.getlist("kind") if kind in NoticeText.Kind.values]
    try:
        return redirect("notice_print", order_print(place, kinds, address=address_of(request), by=request.user).pk)
    except Refused as error:
        messages.error(request, str(error))
        response = redirect("notices")
        response["Location"] += f"?place={place.code}"
        return response


def _fetch_print(request: AccountRequest, pk: Any) -> NoticePrint:
    rows = NoticePrint.objects.visible_to(request.user).select_related("place", "created_by")  # type: ignore[attr-defined]
    return get_object_or_404(rows, pk=pk)


@requires(Permission.KEEP)
@require_safe
def print_one(request: AccountRequest, pk: str) -> HttpResponse:
    """How far a print is; the page asks again by itself until it is ready."""
    row = _fetch_print(request, pk)
    response = render(request, "portal/notice_print.html", {"row": row})
    if row.under_way:
        response["Refresh"] = REFRESH
    return response


@requires(Permission.KEEP)
@require_safe
def print_file(request: AccountRequest, pk: str) -> HttpResponseBase:
    """The file."""
    row = _fetch_print(request, pk)
    if row.phase != NoticePrint.Phase.DONE or not row.path.exists():
        raise Http404
    name = f"{row.place.short_name}-{timezone.localtime(row.created_at):%Y%m%d}.pdf"
    return FileResponse(row.path.open("rb"), as_attachment=True, filename=name, content_type="application/pdf")


@requires(Permission.KEEP)
def phones(request: AccountRequest, code: str) -> HttpResponse:
    """Who stands on the notice of a place, and the telephone that everybody may read there."""
    place = get_object_or_404(_kept(request), code=code)
    jurisdiction = Jurisdiction.of(place)
    if jurisdiction is None:
        raise Http404
    return _phones_page(request, notice_of(place, jurisdiction, duties_of(jurisdiction)))


@requires(Permission.KEEP)
def body_phones(request: AccountRequest, pk: str) -> HttpResponse:
    """The same of the notice of a branch, a party group or another body."""
    kept = public_bodies().filter(organisations_in_scope(request.user, Permission.KEEP))
    body = get_object_or_404(kept, pk=pk)
    return _phones_page(request, notice_of_body(body, duties_of(body.jurisdiction)))


def _phones_page(request: AccountRequest, found: Notice) -> HttpResponse:
    problems: dict[str, str] = {}
    if request.method == "POST":
        given = {}
        for row in found.people:
            if row.key not in request.POST:
                continue
            try:
                given[row.key] = check_phone(request.POST[row.key][:40])
            except ValidationError as error:
                problems[row.key] = error.messages[0]
        if not problems and _set_phones(request, given):
            messages.success(request, _("Saved."))
            return redirect(request.path)
    mine = _kept_keys(request, found)
    rows = [
        {
            "person": row,
            "mine": row.key in mine,
            "phone": request.POST.get(row.key, row.phone if row.own_phone else ""),
            "problem": problems.get(row.key, ""),
        }
        for row in found.people
        if row.key
    ]
    context = {"notice": found, "place": found.place, "body": found.body, "rows": rows}
    return render(request, "portal/notice_phones.html", context, status=422 if problems else 200)


def _kept_keys(request: AccountRequest, found: Notice) -> set[str]:
    """Return whose telephones the reader may set: of bodies that they keep."""
    bodies = Organisation.objects.filter(organisations_in_scope(request.user, Permission.KEEP))
    keys = set()
    for kind, rows in (("post", Post.objects.all()), ("membership", Membership.objects.all())):
        ids = [row.key.partition(":")[2] for row in found.people if row.key.startswith(kind)]
        kept = rows.filter(pk__in=ids, organisation__in=bodies)
        keys |= {f"{kind}:{pk}" for pk in kept.values_list("pk", flat=True)}
    return keys


def _set_phones(request: AccountRequest, given: dict[str, str]) -> bool:
    try:
        for key, phone in given.items():
            set_public_phone(key, phone, by=request.user)
    except Refused as error:
        messages.error(request, str(error))
        return False
    return True


class DutiesForm(forms.Form):
    """What those on each kind of notice do."""

    def __init__(self, *args: Any, duties: dict[str, str], **kwargs: Any):
        super().__init__(*args, **kwargs)
        for kind in DUTIES:
            self.fields[str(kind)] = forms.CharField(
                label=NoticeText.Kind(kind).label,
                max_length=LONGEST_DUTIES,
                initial=duties[str(kind)],
                widget=forms.Textarea(attrs={"rows": 2, "maxlength": LONGEST_DUTIES}),
            )


@requires(Permission.MANAGE)
def texts(request: AccountRequest) -> HttpResponse:
    """The county's own words of what those on each kind of notice do."""
    jurisdiction = managed_jurisdiction(request)
    given = request.POST if request.method == "POST" else None
    form = DutiesForm(given, duties=duties_of(jurisdiction))
    if given is not None and form.is_valid():
        set_duties(jurisdiction, form.cleaned_data, by=request.user)
        messages.success(request, _("Saved."))
        return redirect("notice_texts")
    context = {"form": form, "jurisdiction": jurisdiction}
    return render(request, "portal/notice_texts.html", context, status=422 if form.errors else 200)
