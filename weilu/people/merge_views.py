"""Pages of merging: proposed pairs, two records side by side, undoing."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST, require_safe

from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.roles import Permission
from weilu.people.apart import among, between, take_back, tell_apart
from weilu.people.finding import with_roles
from weilu.people.merging import merge, pairs, undo_merge
from weilu.people.models import Person, PersonMerge, PersonsApart
from weilu.people.person_views import fetch, key, version_of
from weilu.people.persons import PersonProblem

COMPARED = (
    *("name", "sex", "birth_date", "id_number", "phone", "ethnicity", "education", "home", "work"),
    *("joined_party_on", "user", "created_at"),
)


@requires(Permission.KEEP)
@require_safe
def duplicates(request: AccountRequest) -> HttpResponse:
    """Pairs of records that may be one person, and the latest merges."""
    mine = Person.objects.visible_to(request.user, Permission.KEEP)
    merges = PersonMerge.objects.filter(undone_at=None, into__in=mine).select_related(
        "person", "into__home__parent__parent", "by"
    )
    context = {"pairs": pairs(mine.current()), "merges": merges[:20], "apart": among(mine.current())[:20]}
    return render(request, "people/duplicates.html", context)


def _shown(person: Person, name: str) -> str:
    if name in ("id_number", "phone"):
        return getattr(person, f"masked_{name}")
    if name == "sex":
        return person.get_sex_display()
    if name == "home":
        return person.address
    value = getattr(person, name)
    return f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else str(value or "")


def _label(name: str) -> str:
    own = {"created_at": pgettext("a record", "entered"), "user": _("account")}
    return own.get(name) or str(getattr(Person._meta.get_field(name), "verbose_name", name))


def _compare(one: Person, other: Person) -> list[dict[str, Any]]:
    """Return the fields of two records side by side, and whether they say the same."""
    lines = []
    for name in COMPARED:
        mine, theirs = _shown(one, name), _shown(other, name)
        if mine or theirs:
            same = getattr(one, name) == getattr(other, name)
            lines.append({"label": _label(name), "one": mine, "other": theirs, "same": same})
    return lines


@requires(Permission.KEEP)
def person_merge(request: AccountRequest, pk: str) -> HttpResponse:
    """Two records side by side: merge the first into the other, or the other way round."""
    one = fetch(request, pk, Permission.KEEP)
    other = fetch(request, key(request, "into"), Permission.KEEP)
    if other.pk == one.pk:
        raise Http404
    problem = ""
    if request.method == "POST":
        versions = (version_of(request), version_of(request, "into_version"))
        try:
            merge(one, into=other, by=request.user, versions=versions)
        except PersonProblem as error:
            problem = error.message
        else:
            messages.success(request, _("The two records are one now. It can be undone on this page."))
            return redirect(other)
    with_roles([one, other])
    context = {
        "one": one, "other": other, "lines": _compare(one, other), "problem": problem, "apart": between(one, other),
    }  # fmt: skip
    return render(request, "people/merge.html", context, status=409 if problem else 200)


@requires(Permission.KEEP)
@require_POST
def person_apart(request: AccountRequest, pk: str) -> HttpResponse:
    """Say that two records are two people."""
    one = fetch(request, pk, Permission.KEEP)
    other = fetch(request, key(request, "other"), Permission.KEEP)
    try:
        tell_apart(one, other, by=request.user)
    except PersonProblem as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Kept: two people. They are not proposed any more; it can be taken back here."))
    return redirect("duplicates")


@requires(Permission.KEEP)
@require_POST
def apart_undo(request: AccountRequest, pk: str) -> HttpResponse:
    """Take back that two records are two people."""
    mine = Person.objects.visible_to(request.user, Permission.KEEP)
    found = get_object_or_404(PersonsApart.objects.filter(one__in=mine, other__in=mine), pk=pk)
    try:
        take_back(found, by=request.user)
    except PersonProblem as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Taken back: the two are proposed again."))
    return redirect("duplicates")


@requires(Permission.KEEP)
@require_POST
def merge_undo(request: AccountRequest, pk: str) -> HttpResponse:
    """Undo a merge."""
    mine = Person.objects.visible_to(request.user, Permission.KEEP)
    rows = PersonMerge.objects.filter(into__in=mine, person__in=mine).select_related("person", "into")
    found = get_object_or_404(rows, pk=pk)
    try:
        person = undo_merge(found, by=request.user)
    except PersonProblem as error:
        messages.error(request, error.message)
        return redirect(found.into)
    messages.success(request, _("The two records stand by themselves again, as before the merge."))
    return redirect(person)
