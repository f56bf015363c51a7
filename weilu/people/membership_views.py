"""Pages on which people are made to belong to bodies, and on which that ends: from the body, and from the person."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.models import Organisation, valid_on
from weilu.orgs.roles import Permission
from weilu.orgs.scope import organisations_in_scope
from weilu.people import memberships as verbs
from weilu.people.finding import bodies_called, find
from weilu.people.keeping_forms import JoinForm, LeaveForm
from weilu.people.models import Membership, Person
from weilu.people.person_views import fetch, key
from weilu.people.persons import PersonProblem

CANDIDATES = 30


def _kept(request: AccountRequest):
    scope = organisations_in_scope(request.user, Permission.KEEP)
    return Organisation.objects.filter(scope, valid_on(timezone.localdate())).select_related("place__parent")


def _people_page(body: Organisation) -> str:
    return reverse("organisation", args=[body.pk])


def _text(request: AccountRequest) -> str:
    return (request.GET.get("q") or request.POST.get("q") or "").strip()[:40]


def _join(form: JoinForm, person: Person, body: Organisation, request: AccountRequest) -> bool:
    """Do what the form asks; False if it or the verb refuses, and then the form says why."""
    if not form.is_valid():
        return False
    try:
        verbs.join(person, body, by=request.user, **form.given)
    except PersonProblem as problem:
        form.add_error(problem.column if problem.column in form.fields else None, problem.message)
        return False
    messages.success(request, _("%(name)s belongs to %(body)s now.") % {"name": person.name, "body": body.name})
    return True


def _page(request: AccountRequest, form: JoinForm, **context: Any) -> HttpResponse:
    context |= {"form": form, "q": _text(request)}
    return render(request, "people/join.html", context, status=422 if form.errors else 200)


@requires(Permission.KEEP)
def member_new(request: AccountRequest, pk: str) -> HttpResponse:
    """Somebody joins a body: find the person, say as what and from when."""
    body = get_object_or_404(_kept(request), pk=pk)
    text = _text(request)
    seen = Person.objects.visible_to(request.user).current().filter(jurisdiction=body.jurisdiction_id)
    rows = seen.select_related("home__parent", "work")
    people = find(rows, text, user=request.user).rows[:CANDIDATES] if text else []
    form = JoinForm(request.POST or None, body=body)
    chosen = key(request, "person")
    person = seen.filter(pk=chosen).first() if request.method == "POST" and chosen else None
    missing = ""
    if request.method == "POST":
        if person is None:
            missing = _("Choose a person.")
            form.add_error(None, missing)
        elif _join(form, person, body, request):
            return redirect(_people_page(body))
    return _page(
        request, form, body=body, people=people, more_people=len(people) == CANDIDATES, chosen=str(chosen or ""),
        title=_("Add a person: %(body)s") % {"body": body}, back=_people_page(body), back_word=str(body),
    )  # fmt: skip


@requires(Permission.KEEP)
def person_member_new(request: AccountRequest, pk: str) -> HttpResponse:
    """A person joins a body: find the body first, then say as what and from when."""
    person = fetch(request, pk)
    if person.merged_into_id:
        return redirect(person)
    kept = _kept(request).filter(jurisdiction=person.jurisdiction_id).exclude(kind=Organisation.Kind.MEMBER_HOUSEHOLD)
    chosen, text = key(request, "body"), _text(request)
    body = get_object_or_404(kept, pk=chosen) if chosen else None
    form = JoinForm(request.POST or None, body=body)
    if request.method == "POST" and body and _join(form, person, body, request):
        return redirect(person)
    bodies = list(kept.filter(bodies_called(text)).order_by("name", "pk")[:CANDIDATES]) if text and not body else []
    return _page(
        request, form, body=body, bodies=bodies, more_people=len(bodies) == CANDIDATES, person=person,
        title=_("Add to a body: %(name)s") % {"name": person.name}, back=person.get_absolute_url(),
        back_word=person.name,
    )  # fmt: skip


def _membership(request: AccountRequest, pk: str) -> Membership:
    rows = Membership.objects.filter(
        organisation__in=Organisation.objects.filter(organisations_in_scope(request.user, Permission.KEEP)),
        person__in=Person.objects.visible_to(request.user),
    )
    return get_object_or_404(rows.select_related("person", "organisation__place"), pk=pk)


@requires(Permission.KEEP)
def membership_end(request: AccountRequest, pk: str) -> HttpResponse:
    """End a membership on a day, or take back one that was a mistake."""
    row = _membership(request, pk)
    form = LeaveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            verbs.end(row, by=request.user, **form.given)
        except PersonProblem as problem:
            form.add_error(problem.column if problem.column in form.fields else None, problem.message)
        else:
            messages.success(request, _("Ended. It stays in the history."))
            return redirect(_people_page(row.organisation))
    context = {
        "form": form,
        "title": _("%(name)s leaves %(body)s (%(kind)s)")
        % {"name": row.person, "body": row.organisation, "kind": row.get_kind_display()},
        "back": _people_page(row.organisation),
        "button": pgettext("a membership", "End"),
        "about": _("The day is the first on which they no longer belong to the body."),
        "more": {
            "address": reverse("membership_undo", args=[row.pk]),
            "word": _("It was a mistake: take it back"),
            "form": None,
        },
    }
    return render(request, "people/keep.html", context, status=422 if form.errors else 200)


@requires(Permission.KEEP)
@require_POST
def membership_undo(request: AccountRequest, pk: str) -> HttpResponse:
    """Take back a membership that was entered by mistake."""
    row = _membership(request, pk)
    try:
        verbs.take_back(row, by=request.user)
        messages.success(request, _("Taken back."))
    except PersonProblem as problem:
        messages.error(request, problem.message)
    return redirect(_people_page(row.organisation))
