"""What is recorded about a person, shown to them; what they say to it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.roles import Permission
from weilu.people.models import Person
from weilu.people.person_views import LABELS, ROLES_OF, columns, key, moved_away, roles_of
from weilu.people.persons import PersonProblem
from weilu.people.reporting import (
    ask_correction,
    branches_at_home,
    history,
    may_report,
    open_corrections,
    report_home,
    reported_away,
    reported_to,
)


def _mine(request: AccountRequest) -> Person | None:
    return Person.objects.select_related(*ROLES_OF).filter(user=request.user).first()


def _show(request: AccountRequest, person: Person | None, *, status: int = 200, **extra: Any) -> HttpResponse:
    context: dict[str, Any] = {"person": person, "problem": "", "failed": "", "typed": request.POST, **extra}
    if person:
        looks = history(person, "unmask")
        others = history(person).exclude(move="unmask")[:100]
        context |= {
            **roles_of(person),
            "honours": person.honours.select_related("person__home", "organisation__place"),
            "reported": reported_to(person),
            **moved_away(person),
            "branches": branches_at_home(person)[:50] if may_report(person) else [],
            "corrections": open_corrections(person),
            "looks": looks[:100],
            "events": [(LABELS.get(event.move, event.move), columns(event), event) for event in others],
        }
    return render(request, "people/me.html", context, status=status)


@requires(Permission.SIGNED_IN)
@require_safe
def me(request: AccountRequest) -> HttpResponse:
    """All that is recorded about the reader: every field, membership, post and honour, and who looked at what."""
    return _show(request, _mine(request))


@requires(Permission.SIGNED_IN)
@require_POST
def me_correct(request: AccountRequest) -> HttpResponse:
    """Ask the clerks of one's home for a correction."""
    person = get_object_or_404(Person.objects.select_related(*ROLES_OF), user=request.user)
    try:
        ask_correction(person, text=request.POST.get("note", ""), by=request.user)
    except PersonProblem as problem:
        return _show(request, person, status=422, problem=problem.message, failed="correct")
    messages.success(request, _("Your request went to the clerks of your home place; the answer is shown here."))
    return redirect("me")


@requires(Permission.SIGNED_IN)
@require_POST
def me_report(request: AccountRequest) -> HttpResponse:
    """Report to the branch of one's home estate, as an employed member."""
    person = get_object_or_404(Person.objects.select_related(*ROLES_OF), user=request.user)
    branch = branches_at_home(person).filter(pk=key(request, "branch")).first()
    try:
        if branch is None:
            raise PersonProblem(_("Choose a branch of the place where they live."), "branch")
        leaving = reported_away(person) if "anew" in request.POST else None
        report_home(person, branch=branch, by=request.user, leaving=leaving)
    except PersonProblem as problem:
        return _show(request, person, status=422, problem=problem.message, failed="report")
    messages.success(request, _("You have reported to %(body)s.") % {"body": branch.name})
    return redirect("me")
