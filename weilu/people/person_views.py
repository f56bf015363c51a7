"""Pages of persons: the list with its search, one person, entering and changing one, their numbers in full."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST, require_safe

from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.finding_places import whole_name
from weilu.orgs.memory import remember
from weilu.orgs.models import Level, Organisation, Place, valid_on
from weilu.orgs.roles import Permission
from weilu.orgs.scope import organisations_in_scope
from weilu.orgs.succession import AskedPlace, asked_place
from weilu.people.appointment_rules import lasting
from weilu.people.finding import find, listed, people
from weilu.people.merging import duplicates_of
from weilu.people.models import Membership, Person, PersonMerge
from weilu.people.person_forms import PersonForm
from weilu.people.persons import PersonProblem, change_person, keeps, make_person, unmask
from weilu.people.reporting import (
    answer_correction,
    branches_at_home,
    end_report,
    history,
    may_report,
    open_corrections,
    report_home,
    reported_away,
    reported_to,
    village_of,
)

# What a history calls each event.
LABELS = {
    "make": _lazy("Entered"),
    "change": _lazy("Changed"),
    "merge": _lazy("Merged into another record"),
    "merge_in": _lazy("Another record was merged into this one"),
    "undo_merge": _lazy("Stands by itself again"),
    "undo_merge_in": _lazy("A merged record was taken out again"),
    "join": _lazy("Joined a body"),
    "leave": _lazy("Left a body"),
    "join_undo": _lazy("Joining a body taken back"),
    "honour_award": _lazy("Honour entered"),
    "honour_withdraw": _lazy("Honour withdrawn"),
    "apart": _lazy("Told apart from a record that looks alike"),
    "apart_undo": _lazy("No longer told apart from a record that looks alike"),
    "unmask": _lazy("Numbers looked at in full"),
    "report_home": _lazy("Reported to the home estate"),
    "report_end": _lazy("No longer reported to the home estate"),
    "ask_correction": _lazy("Asked for a correction"),
    "correct": _lazy("Request for a correction answered"),
}
ROLES_OF = ("work", "home__parent__parent", "user", "jurisdiction", "merged_into")


def fetch(request: AccountRequest, pk: Any, permission: Permission = Permission.VIEW_PEOPLE) -> Person:
    """Return the person in the reader's scope; outside it there is none."""
    return get_object_or_404(Person.objects.visible_to(request.user, permission).select_related(*ROLES_OF), pk=pk)


def version_of(request: AccountRequest, name: str = "version") -> int:
    """Return the version that a form was filled in for; -1 fits none."""
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


@requires(Permission.VIEW_PEOPLE)
@require_safe
def people_list(request: AccountRequest) -> HttpResponse:
    """The people of one's scope, filtered and searched."""
    user, asked = request.user, request.GET
    text = asked.get("q", "").strip()[:80]
    kind = asked.get("kind", "") if asked.get("kind") in Membership.Kind.values else ""
    wanted = asked.get("place", "")[:40]
    there = asked_place(user, Permission.VIEW_PEOPLE, wanted) if wanted else AskedPlace()
    place, body = there.place, _body(request)
    rows = people(user, kind=kind, organisation=body, place=place)
    if wanted and place is None:
        rows = rows.none()
    found = find(rows, text, user=user) if text else listed(rows, asked.get("after", ""))
    kept = {
        name: value
        for name, value in (
            ("q", text), ("kind", kind), ("place", place.code if place else ""), ("organisation", body and body.pk)
        )
        if value
    }  # fmt: skip
    context = {
        "found": found,
        "q": text,
        "kind": kind,
        "kinds": Membership.Kind.choices,
        "place": place,
        "asked": there,
        "nowhere": bool(wanted) and place is None,
        "places": places_below(request),
        "organisation": body,
        "filtered": bool(kept),
        "next_page": "?" + urlencode(kept | {"after": found.after}) if found.after else "",
        "without": {name: "?" + urlencode({k: v for k, v in kept.items() if k != name}) for name in kept},
    }
    return render(request, "people/people.html", context, status=404 if wanted and not (place or there.was) else 200)


def _body(request: AccountRequest) -> Organisation | None:
    if (wanted := key(request, "organisation")) is None:
        return None
    scope = organisations_in_scope(request.user, Permission.VIEW_PEOPLE)
    return get_object_or_404(Organisation.objects.filter(scope), pk=wanted)


def places_below(request: AccountRequest) -> list[Place]:
    """Return the places that a filter offers: those right below the reader's own."""
    grants = sorted(grant.place_id for grant in request.user.grants_for(Permission.VIEW_PEOPLE))
    below = Place.objects.filter(valid_on(timezone.localdate()), parent__in=grants, level__lte=Level.GRID)
    return remember(("below", *grants), lambda: list(below.order_by("code")[:300]))


def show(request: AccountRequest, person: Person, *, status: int = 200, **extra: Any) -> HttpResponse:
    """Render a person's page; ``extra`` carries numbers looked at, or what went wrong."""
    user = request.user
    may_keep = keeps(user, person.home) and not person.merged_into_id
    context = {
        "person": person,
        "numbers": None,
        "problem": "",
        "failed": "",
        "may_keep": may_keep,
        "may_give_account": Permission.MANAGE in user.permissions and _brings_role(person),
        "may_unmask": (person.phone or person.id_number) and keeps(user, person.home, Permission.UNMASK),
        **roles_of(person),
        "visible": _visible_bodies(request, person),
        "honours": person.honours.select_related("person__home", "organisation__place"),
        "reported": reported_to(person),
        **moved_away(person),
        "branches": branches_at_home(person)[:50] if may_keep and may_report(person) else [],
        "corrections": open_corrections(person),
        "duplicates": duplicates_of(person, Person.objects.visible_to(user)) if not person.merged_into_id else [],
        "merges": PersonMerge.objects.filter(into=person, undone_at=None).select_related("person", "by"),
        "today": timezone.localdate(),
        "events": [(LABELS.get(event.move, event.move), columns(event), event) for event in history(person)[:60]],
        **extra,
    }
    return render(request, "people/person.html", context, status=status)


def moved_away(person: Person) -> dict[str, str]:
    """Return where somebody lives and where they have reported, if that is not the same place."""
    if (away := reported_away(person)) is None:
        return {"lives_in": "", "reported_in": ""}
    home, there = village_of(person.home), village_of(away.organisation.place)
    return {"lives_in": whole_name(home), "reported_in": whole_name(there)}


def columns(event: Any) -> str:
    """Return which columns an event changed, or which honour it was about, in words."""
    if event.move.startswith("honour_"):
        return event.changes.get("title", "")
    names = event.changes.get("columns", [])
    known = {field.name: field for field in Person._meta.fields}
    return "、".join(str(known[name].verbose_name) for name in names if name in known and name != "birth_day_known")


def roles_of(person: Person) -> dict[str, Any]:
    """Return what a person belongs to and which posts they hold: now, from a later day on, and before."""
    today = timezone.localdate()
    joined = person.memberships.select_related("organisation", "place").order_by("-valid_from", "kind")
    held = person.appointments.select_related("post__organisation").order_by("-valid_from", "post__position")
    now, later = valid_on(today), Q(valid_from__gt=today)
    return {
        "memberships": joined.filter(now),
        "memberships_later": joined.filter(later),
        "memberships_before": joined.exclude(now | later),
        "appointments": held.filter(now),
        "appointments_later": held.filter(later),
        "appointments_before": held.exclude(now | later),
    }


def _brings_role(person: Person) -> bool:
    """Tell whether a post that the person holds today or later brings a role."""
    return lasting(person, timezone.localdate()).exclude(post__role="").exists()


def _visible_bodies(request: AccountRequest, person: Person) -> set[Any]:
    """Return the bodies of a person that the reader may open."""
    scope = organisations_in_scope(request.user, Permission.VIEW_PEOPLE)
    keys = {row.organisation_id for row in person.memberships.all()} | {person.work_id}
    keys |= {row.post.organisation_id for row in person.appointments.select_related("post")}
    return set(Organisation.objects.filter(scope, pk__in=keys - {None}).values_list("pk", flat=True))


@requires(Permission.VIEW_PEOPLE)
@require_safe
def person(request: AccountRequest, pk: str) -> HttpResponse:
    """One person: who they are, roles now and before, honours, home and work, what happened to the record."""
    found = fetch(request, pk)
    if found.merged_into_id and "as-it-was" not in request.GET:
        into = Person.objects.visible_to(request.user).filter(pk=found.merged_into_id).first()
        if into:
            messages.info(request, _("This record was merged into the one you see."))
            return redirect(into)
    return show(request, found)


@requires(Permission.KEEP)
def person_new(request: AccountRequest) -> HttpResponse:
    """Enter a person."""
    form = PersonForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            made = make_person(by=request.user, **form.given())
        except PersonProblem as problem:
            form.add_error(problem.column if problem.column in form.fields else None, problem.message)
        else:
            messages.success(request, _("%(name)s was entered.") % {"name": made.name})
            return redirect(made)
    context = {"form": form, "title": _("Enter a person"), "button": _("Enter"), "back": reverse("people")}
    return render(request, "people/person_form.html", context, status=422 if form.errors else 200)


@requires(Permission.KEEP)
def person_edit(request: AccountRequest, pk: str) -> HttpResponse:
    """Change what is known of a person."""
    found = fetch(request, pk, Permission.KEEP)
    if found.merged_into_id:
        messages.info(request, _("This record was merged into the one you see."))
        return redirect("person_edit", found.merged_into_id)
    form = PersonForm(request.POST or None, user=request.user, person=found)
    version = version_of(request) if request.method == "POST" else found.version
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_person(found, by=request.user, version=version, **form.given())
        except PersonProblem as problem:
            form.add_error(problem.column if problem.column in form.fields else None, problem.message)
        else:
            messages.success(request, _("Changed. The history says which fields, not what stood in them."))
            if changed.home_id != found.home_id:
                warn_of_move(request, changed)
            return redirect(found)
    context = {
        "form": form, "title": _("Change: %(name)s") % {"name": found.name}, "button": _("Change"),
        "back": found.get_absolute_url(), "version": version,
    }  # fmt: skip
    return render(request, "people/person_form.html", context, status=422 if form.errors else 200)


def warn_of_move(request: AccountRequest, person: Person) -> None:
    """Say that somebody who has moved is still reported, and counted, where they lived."""
    places = moved_away(person)
    if places["reported_in"]:
        words = _("The home lies in %(lives_in)s now, but the reporting is at %(reported_in)s: see “Home estate”.")
        messages.warning(request, words % places)


@requires(Permission.UNMASK)
@require_POST
def person_numbers(request: AccountRequest, pk: str) -> HttpResponse:
    """Show a person's numbers in full, once, with the reason; who looked and why stays in the history."""
    seen = Person.objects.visible_to(request.user).visible_to(request.user, Permission.UNMASK)
    found = get_object_or_404(seen.select_related(*ROLES_OF), pk=pk)
    try:
        numbers = unmask(found, reason=request.POST.get("reason", ""), by=request.user)
    except PersonProblem as problem:
        return show(request, found, status=422, problem=problem.message, failed="numbers")
    return show(request, found, numbers=numbers)


@requires(Permission.KEEP)
@require_POST
def person_report(request: AccountRequest, pk: str) -> HttpResponse:
    """Report an employed member to the branch of their home estate."""
    found = fetch(request, pk, Permission.KEEP)
    branch = branches_at_home(found).filter(pk=key(request, "branch")).first()
    day = day_of(request, "on")
    try:
        if branch is None:
            raise PersonProblem(_("Choose a branch of the place where they live."), "branch")
        if day is None:
            raise PersonProblem(_("Give the day on which they reported."), "on")
        leaving = reported_away(found) if "anew" in request.POST else None
        row = report_home(found, branch=branch, by=request.user, on=day, leaving=leaving)
    except PersonProblem as problem:
        return show(request, found, status=422, problem=problem.message, failed="report")
    messages.success(
        request, _("%(name)s has reported to %(body)s.") % {"name": found.name, "body": row.organisation.name}
    )
    return redirect(found)


@requires(Permission.KEEP)
@require_POST
def person_report_end(request: AccountRequest, pk: str) -> HttpResponse:
    """End the reported membership of a person."""
    found = fetch(request, pk, Permission.KEEP)
    if row := reported_to(found):
        end_report(row, by=request.user)
        messages.success(request, _("Done."))
    return redirect(found)


@requires(Permission.KEEP)
@require_POST
def person_correct(request: AccountRequest, pk: str) -> HttpResponse:
    """Answer a person's request for a correction."""
    found = fetch(request, pk, Permission.KEEP)
    try:
        answer_correction(
            found, asked=request.POST.get("asked", ""), text=request.POST.get("note", ""), by=request.user
        )
    except PersonProblem as problem:
        return show(request, found, status=422, problem=problem.message, failed="correct")
    messages.success(request, _("The answer was noted; the person reads it."))
    return redirect(found)


def key(request: AccountRequest, name: str) -> UUID | None:
    """Return the key that a form or an address sent, if it is one."""
    try:
        return UUID(request.POST.get(name) or request.GET.get(name, ""))
    except ValueError:
        return None


def day_of(request: AccountRequest, name: str) -> dt.date | None:
    """Return the day that a form sent; today if it sent none, None if that is no day."""
    text = request.POST.get(name, "").strip()
    try:
        return dt.date.fromisoformat(text) if text else timezone.localdate()
    except ValueError:
        return None
