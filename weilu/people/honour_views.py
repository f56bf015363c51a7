"""Pages of honours: the list with its filters, entering one, withdrawing one."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.functions import ExtractYear
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weilu.lib.sheets import workbook
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.models import Organisation, Place
from weilu.orgs.roles import Permission
from weilu.orgs.scope import organisations_in_scope, places_in_scope
from weilu.people.finding import find
from weilu.people.honours import award, withdraw
from weilu.people.models import Honour, HonourQuerySet, Person
from weilu.people.person_forms import HonourForm, NewHonourForm, body_named
from weilu.people.person_views import key, places_below
from weilu.people.persons import PersonProblem, keeps

PAGE = 100
EXPORT_LIMIT = 20_000
OF = {"people": Q(person__isnull=False), "bodies": Q(organisation__isnull=False)}


def _narrow(request: AccountRequest) -> tuple[HonourQuerySet, dict[str, Any]]:
    """Return the honours that the filters of the address ask for, and the filters."""
    asked, rows = request.GET, Honour.objects.visible_to(request.user)
    level, year, of = asked.get("level", ""), asked.get("year", ""), asked.get("of", "")
    level = level if level.isascii() and level.isdigit() and int(level) in Honour.Level.values else ""
    year = year if year.isascii() and year.isdigit() and len(year) == 4 else ""
    text = asked.get("q", "").strip()[:60]
    place = Place.objects.filter(
        places_in_scope(request.user, Permission.VIEW_PEOPLE), code=asked.get("place", ""), valid_to=None
    ).first()
    if level:
        rows = rows.filter(level=int(level))
    if year:
        rows = rows.filter(awarded_on__year=int(year))
    if of in OF:
        rows = rows.filter(OF[of])
    if place:
        rows = rows.filter(
            Q(person__home__path__startswith=place.path) | Q(organisation__place__path__startswith=place.path)
        )
    if text:
        rows = rows.filter(
            Q(title__icontains=text) | Q(body__icontains=text) | Q(document__icontains=text)
            | Q(person__name__startswith=text) | Q(organisation__name__icontains=text)
        )  # fmt: skip
    chosen = {"level": level, "year": year, "of": of if of in OF else "", "place": place, "q": text}
    return rows.select_related("person__home__parent__parent", "organisation__place"), chosen


@requires(Permission.VIEW_PEOPLE)
@require_safe
def honours(request: AccountRequest) -> HttpResponse:
    """The honours of one's scope."""
    rows, chosen = _narrow(request)
    kept = {name: value.code if isinstance(value, Place) else value for name, value in chosen.items() if value}
    asked = request.GET.get("from", "")
    start = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 0
    found = list(rows.order_by("-awarded_on", "level", "title", "pk")[start : start + PAGE + 1])
    years = Honour.objects.visible_to(request.user).annotate(year=ExtractYear("awarded_on")).order_by("-year")
    context = {
        "rows": found[:PAGE],
        "chosen": chosen,
        "filtered": bool(kept),
        "levels": Honour.Level.choices,
        "years": list(years.values_list("year", flat=True).distinct()),
        "places": places_below(request),
        "export": "?" + urlencode(kept),
        "next_page": "?" + urlencode(kept | {"from": start + PAGE}) if len(found) > PAGE else "",
        "count": rows.count(),
    }
    return render(request, "people/honours.html", context)


@requires(Permission.VIEW_PEOPLE)
@require_safe
def honours_export(request: AccountRequest) -> HttpResponse:
    """The list of honours as an Excel file, with the same filters."""
    rows, _chosen = _narrow(request)
    headings = [
        _("honour"), _("level"), _("given by"), _("document number"), _("given on"), _("person or body"), _("place"),
        _("withdrawn on"), _("reason"),
    ]  # fmt: skip
    lines = (
        [
            row.title, row.get_level_display(), row.body, row.document or row.no_document, row.awarded_on,
            str(row.person or row.organisation), row.person.address if row.person else str(row.organisation.place),
            row.withdrawn_on, row.withdrawn_why,
        ]
        for row in rows.order_by("-awarded_on", "level", "title", "pk")[:EXPORT_LIMIT]
    )  # fmt: skip
    return workbook("honours", _("Honours"), headings, lines)


def _holder(request: AccountRequest) -> Person | Organisation | None:
    """Return who the address says is honoured, in the scope of the reader."""
    if pk := key(request, "person"):
        return get_object_or_404(Person.objects.visible_to(request.user, Permission.KEEP).current(), pk=pk)
    if pk := key(request, "organisation"):
        scope = organisations_in_scope(request.user, Permission.KEEP)
        return get_object_or_404(Organisation.objects.filter(scope).select_related("place"), pk=pk)
    return None


def _named(request: AccountRequest, text: str) -> Person | Organisation:
    """Return the one person or body that a clerk named."""
    rows = Person.objects.visible_to(request.user, Permission.KEEP).current()
    same = [row for row in find(rows, text, user=request.user).rows if text in (row.name, row.id_number)]
    if len(same) == 1:
        return same[0]
    if same:
        homes = "、".join(row.address for row in same[:4])
        raise PersonProblem(
            _("Several people are called so (%(homes)s). Give the ID number, or open the person.") % {"homes": homes},
            "holder",
        )
    try:
        body = body_named(text, [grant.jurisdiction_id for grant in request.user.grants_for(Permission.KEEP)])
    except ValidationError as error:
        raise PersonProblem(
            _("No person of your scope is called so.") + " " + " ".join(error.messages), "holder"
        ) from error
    if not keeps(request.user, body.place):
        raise PersonProblem(_("%(place)s lies outside your scope.") % {"place": body.place}, "holder")
    return body


@requires(Permission.KEEP)
def honour_new(request: AccountRequest) -> HttpResponse:
    """Enter an honour of a person or a body."""
    holder = _holder(request)
    county = holder.jurisdiction if holder else request.user.grants_for(Permission.KEEP)[0].jurisdiction
    form = (HonourForm if holder else NewHonourForm)(request.POST or None, jurisdiction=county)
    if request.method == "POST" and form.is_valid():
        given = form.given()
        named = given.pop("holder", "").strip()
        try:
            made = award(holder or _named(request, named), by=request.user, **given)
        except PersonProblem as problem:
            form.add_error(problem.column if problem.column in form.fields else None, problem.message)
        else:
            messages.success(request, _("The honour was entered."))
            return redirect(_page_of(made))
    title = _("Enter an honour: %(name)s") % {"name": holder} if holder else _("Enter an honour")
    context = {"form": form, "title": title, "button": _("Enter"), "back": _back(holder)}
    return render(request, "people/person_form.html", context, status=422 if form.errors else 200)


def _back(holder: Person | Organisation | None) -> str:
    if isinstance(holder, Person):
        return holder.get_absolute_url()
    return f"{reverse('organisation', args=[holder.pk])}?part=honours" if holder else reverse("honours")


def _page_of(honour: Honour) -> str:
    return _back(honour.person or honour.organisation)


@requires(Permission.KEEP)
@require_POST
def honour_withdraw(request: AccountRequest, pk: str) -> HttpResponse:
    """Withdraw an honour, with the reason."""
    rows = Honour.objects.visible_to(request.user, Permission.KEEP).select_related("person", "organisation")
    found = get_object_or_404(rows, pk=pk)
    try:
        withdraw(found, reason=request.POST.get("reason", ""), by=request.user)
    except PersonProblem as problem:
        messages.error(request, problem.message)
    else:
        messages.success(request, _("The honour was withdrawn; the list says since when and why."))
    return redirect(_page_of(found))
