"""Lists of matters: the clerk's queue, open orders, my work, the workbench, recording for a resident."""

import datetime as dt
import io
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import xlsxwriter
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weilu.matters import services
from weilu.matters.forms import IntakeForm, TargetField, active_categories, remembered, target_groups
from weilu.matters.models import Category, Matter
from weilu.matters.queries import count_up_to, counts_by_state, matching, page_of, rows_of
from weilu.matters.views import attach_files
from weilu.matters.workflow import DONE, State
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.memory import remember
from weilu.orgs.models import Jurisdiction, Level, Place, valid_on
from weilu.orgs.roles import Permission
from weilu.orgs.scope import in_place, places_in_scope
from weilu.orgs.succession import find_place, places_today, predecessors
from weilu.records.attachments import BadFile
from weilu.records.models import Attachment, Event, Notification
from weilu.records.wording import link, notice

TABS = ["raised", "dispatched", "ordered", "under_way", "asked", "late", "done", "all"]
EXPORT_LIMIT = 20_000


def _tab_words() -> dict[str, str]:
    words = {state.value: str(state.label) for state in State}
    return words | {"late": _("Late"), "done": _("Settled"), "all": _("All")}


def _narrow(request: AccountRequest) -> tuple[Any, dict[str, Any]]:
    """Return the matters that the filters of the address ask for, and the filters in words."""
    user = request.user
    rows = Matter.objects.visible_to(user)
    tab = request.GET.get("tab", "raised" if Permission.TRIAGE in user.permissions else "all")
    tab = tab if tab in TABS else "all"
    text = request.GET.get("q", "").strip()[:100]
    chosen: dict[str, Any] = {
        "tab": tab,
        "q": text,
        "place": None,
        "category": None,
        "formerly": [],
        "split": [],
        "today": [],
    }
    if code := request.GET.get("place", ""):
        place = find_place(user, Permission.VIEW, code)
        rows = rows.filter(in_place(place, beside=True)) if place else rows.none()
        chosen["place"] = place
        if place and place.formerly:
            chosen["formerly"] = list(predecessors(place).filter(split_away=None))
            chosen["split"] = list(predecessors(place).exclude(split_away=None))
        if place and place.valid_to:
            chosen["today"] = places_today(place)
    if code := request.GET.get("category", ""):
        chosen["category"] = Category.objects.filter(
            code=code, jurisdiction__in=[grant.jurisdiction_id for grant in user.grants_now]
        ).first()
        rows = rows.filter(category=chosen["category"]) if chosen["category"] else rows.none()
    base = rows
    if tab == "late":
        rows = rows.open().filter(due_at__lt=timezone.now())
    elif tab == "done":
        rows = rows.filter(state__in=sorted(DONE))
    elif tab != "all":
        rows = rows.filter(state=tab)
    if text:
        rows = matching(base if tab == "raised" and "tab" not in request.GET else rows, text)
    return rows, chosen | {"base": base}


def _places_below(request: AccountRequest) -> list[Place]:
    """Return the places that a filter offers: those right below the reader's own."""
    today = timezone.localdate()
    grants = [grant.place_id for grant in request.user.grants_for(Permission.VIEW) if not grant.by_organisation]
    below = Place.objects.filter(valid_on(today), parent__in=grants, level__lte=Level.GRID)
    return remember(("below", *sorted(grants)), lambda: list(below.order_by("code")[:300]))


@requires(Permission.VIEW)
@require_safe
def queue(request: AccountRequest) -> HttpResponse:
    """The matters of one's scope: counted, filtered, searched, dispatched."""
    rows, chosen = _narrow(request)
    try:
        page = page_of(rows.for_lists(), request.GET.get("after", ""))
    except (ValueError, TypeError):
        return redirect("queue")
    counts = counts_by_state(chosen["base"])
    words = _tab_words()
    kept = {key: request.GET[key] for key in ("q", "place", "category") if request.GET.get(key)}
    jurisdiction = request.user.grants_now[0].jurisdiction
    context = {
        "page": page,
        "chosen": chosen,
        "tabs": [(tab, words[tab], counts.get(tab), "?" + urlencode(kept | {"tab": tab})) for tab in TABS],
        "next_page": "?" + urlencode(kept | {"tab": chosen["tab"], "after": page.next}) if page.next else "",
        "without": {
            key: "?" + urlencode({k: v for k, v in (kept | {"tab": chosen["tab"]}).items() if k != key}) for key in kept
        },
        "export": "?" + urlencode(kept | {"tab": chosen["tab"]}),
        "categories": remembered(active_categories, jurisdiction),
        "places": _places_below(request),
        "may_dispatch": Permission.TRIAGE in request.user.permissions
        and chosen["tab"] in ("raised", "dispatched", "under_way", "late", "all"),
    }
    return render(request, "matters/queue.html", context)


def _ticked(request: AccountRequest) -> list[tuple[Matter, int]]:
    """Return the ticked matters in scope with the versions that the clerk saw (``number:version``)."""
    seen: dict[str, int] = {}
    for text in request.POST.getlist("matter")[:200]:
        number, _sep, version = text.partition(":")
        if version.isascii() and version.isdigit() and len(version) < 10:
            seen[number] = int(version)
    rows = (
        Matter.objects.visible_to(request.user)
        .filter(number__in=seen)
        .select_related("jurisdiction", "grid", "village", "township", "county")
    )
    return [(row, seen[row.number]) for row in rows.order_by("created_at")]


@requires(Permission.TRIAGE)
@require_POST
def bulk(request: AccountRequest) -> HttpResponse:
    """Hand over the ticked matters: first choose to whom, then say what became of each."""
    picked = _ticked(request)
    if not picked:
        messages.error(request, _("Tick at least one matter."))
        return redirect("queue")
    by_width = sorted((matter for matter, _version in picked), key=lambda row: row.place.level)
    context: dict[str, Any] = {
        "picked": picked,
        "groups": target_groups(request.user, by_width[0]),
        "categories": active_categories(by_width[0].jurisdiction),
    }
    if "to" not in request.POST:
        return render(request, "matters/bulk.html", context)
    try:
        to = TargetField().clean(request.POST.get("to"))
        wanted = request.POST.get("category") or None
        category = active_categories(by_width[0].jurisdiction).filter(pk=wanted).first()
    except Exception as error:  # a ValidationError of either; the page says so
        context["problem"] = " ".join(getattr(error, "messages", [str(error)]))
        return render(request, "matters/bulk.html", context, status=422)
    result = services.dispatch_many(
        picked, to=to, by=request.user, category=category, note=request.POST.get("note", "")[:500]
    )
    return render(request, "matters/bulk_done.html", {"result": result, "to": to})


@requires(Permission.TAKE_ORDERS)
@require_safe
def orders(request: AccountRequest) -> HttpResponse:
    """Orders that are open to the reader's branches."""
    rows = Matter.objects.orders_for(request.user).for_lists()
    return render(request, "matters/orders.html", {"rows": rows_of(rows.order_by("due_at")[:100])})


@requires(Permission.HANDLE)
@require_safe
def mine(request: AccountRequest) -> HttpResponse:
    """What the reader has in hand, the most urgent first, and what they settled lately."""
    rows = Matter.objects.handled_by(request.user).for_lists()
    context = {
        "rows": rows_of(rows.open().order_by("due_at")[:200]),
        "done": rows_of(rows.filter(state__in=sorted(DONE)).order_by("-settled_at")[:20]),
    }
    return render(request, "matters/mine.html", context)


@requires(Permission.SIGNED_IN)
@require_safe
def workbench(request: AccountRequest) -> HttpResponse:
    """What waits for me, what is late, what happened."""
    user = request.user
    rows = Matter.objects.visible_to(user)
    counts = counts_by_state(rows)
    in_hand = Matter.objects.handled_by(user).open()
    week = timezone.now() - dt.timedelta(days=7)
    news = list(Notification.objects.filter(user=user)[:6])
    for item in news:
        item.words, item.link = notice(item.kind), link(item)  # type: ignore[attr-defined]
    triage = Permission.TRIAGE in user.permissions
    waiting = rows.filter(state=State.RAISED) if triage else in_hand
    context = {
        "counts": counts,
        "triage": triage,
        "waiting": rows_of(waiting.for_lists().order_by("due_at")[:8]),
        "late": rows_of(rows.open().filter(due_at__lt=timezone.now()).for_lists().order_by("due_at")[:8]),
        "in_hand": count_up_to(in_hand),
        "open_orders": count_up_to(Matter.objects.orders_for(user)),
        "settled_week": count_up_to(
            rows.filter(state__in=sorted(DONE), created_at__gte=week - dt.timedelta(days=90), settled_at__gte=week)
        ),
        "done_by_me": Event.objects.filter(actor=user, record_kind="matter", at__gte=week).order_by().count(),
        "news": news,
    }
    return render(request, "matters/workbench.html", context)


def _file(request: AccountRequest, data: dict[str, Any], jurisdiction: Jurisdiction) -> tuple[Matter, str]:
    """File what a form holds, with its photos; all of it or nothing."""
    data["module"].jurisdiction = jurisdiction  # its rows are read already
    matter, secret = services.file_matter(
        place=data["place"],
        module=data["module"],
        category=data["category"],
        subject=data["subject"],
        detail=data["detail"],
        address=data["address"],
        channel=data["channel"],
        contact=services.Contact(data["name"], data["phone"]),
        intake_key=str(data["intake_key"]),
        by=request.user,
    )
    pressed_twice = request.FILES and Attachment.objects.filter(record_kind="matter", record_id=matter.pk).exists()
    if not pressed_twice:
        attach_files(request, matter)
    return matter, secret


@requires(Permission.INTAKE)
def intake(request: AccountRequest) -> HttpResponse:
    """Record a matter for a resident who calls, comes or is visited."""
    grants = request.user.grants_for(Permission.INTAKE)
    county = request.GET.get("county")
    grant = next((row for row in grants if row.jurisdiction.place.code == county), grants[0])
    scope = places_in_scope(request.user, Permission.INTAKE)
    places = Place.objects.filter(scope, valid_on(timezone.localdate()), level__gte=Level.COUNTY, level__lte=Level.GRID)
    places = places.filter(path__startswith=grant.jurisdiction.place.path).select_related("parent__parent__parent")
    form = IntakeForm(
        request.POST or None, jurisdiction=grant.jurisdiction, places=places, initial={"intake_key": uuid4()}
    )
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic() if request.FILES else nullcontext():
                matter, secret = _file(request, form.cleaned_data, grant.jurisdiction)
        except BadFile as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request,
                _("%(number)s was recorded. For the resident: number %(number)s, secret %(secret)s.")
                % {"number": matter.number, "secret": secret},
            )
            return redirect("matter", matter.number)
    context = {
        "form": form,
        "places": places.filter(level__lte=Level.VILLAGE).order_by("path")
        if request.method == "GET" or form.errors
        else [],
        "own": grant.place,
        "counties": {row.jurisdiction.place for row in grants} - {grant.jurisdiction.place},
    }
    return render(request, "matters/intake.html", context, status=422 if form.errors else 200)


@requires(Permission.VIEW)
@require_safe
def export(request: AccountRequest) -> HttpResponse:
    """The list as an Excel file, with the same filters; nothing personal."""
    rows, _chosen = _narrow(request)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "remove_timezone": True, "strings_to_formulas": False})
    sheet = book.add_worksheet(_("Matters"))
    head = book.add_format({"bold": True, "bg_color": "#F3E9E9", "border": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    labels = [
        _("number"),
        _("received"),
        _("state"),
        _("township"),
        _("village or community"),
        _("kind of matter"),
        _("category"),
        _("in one line"),
        _("handled by"),
        _("due"),
        _("settled"),
        _("rating"),
    ]
    for column, label in enumerate(labels):
        sheet.write(0, column, label, head)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 1, 17)
    sheet.set_column(7, 7, 48)
    local = timezone.localtime
    found = rows_of(rows.for_lists().order_by("-created_at", "-id")[:EXPORT_LIMIT])
    for line, row in enumerate(found, start=1):
        sheet.write_string(line, 0, row.number)
        sheet.write_datetime(line, 1, local(row.created_at), day)
        for column, value in enumerate(
            [
                State(row.state).label,
                row.township or "",
                row.village or "",
                row.module,
                row.category,
                row.subject,
                row.holder,
            ],
            start=2,
        ):
            sheet.write_string(line, column, str(value))
        for column, moment in ((9, row.due_at), (10, row.settled_at)):
            if moment:
                sheet.write_datetime(line, column, local(moment), day)
        if row.rating:
            sheet.write_number(line, 11, row.rating)
    sheet.autofilter(0, 0, max(1, len(found)), len(labels) - 1)
    book.close()
    response = HttpResponse(
        out.getvalue(), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    response["Content-Disposition"] = f'attachment; filename="matters-{timezone.localdate():%Y%m%d}.xlsx"'
    return response
