"""One body: its people, posts, bodies below, history, work and honours."""

from collections.abc import Callable
from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.bodies import closing_of
from weilu.orgs.models import Organisation, valid_on
from weilu.orgs.roles import Permission
from weilu.orgs.scope import organisations_in_scope
from weilu.orgs.tree import shown_bodies
from weilu.people.body_parts import Seats, history_of, seats_of
from weilu.people.models import Appointment, Membership, Person

PAGE = 200
PARTS = {
    "people": _("People"),
    "posts": _("Posts"),
    "below": _("Bodies below"),
    "work": _("Work"),
    "honours": _("Honours"),
    "history": _("History"),
}


@requires(Permission.VIEW_PEOPLE)
@require_safe
def organisation(request: AccountRequest, pk: str) -> HttpResponse:
    """A body and one part of what is known of it; people by name, telephones masked."""
    scope = organisations_in_scope(request.user, Permission.VIEW_PEOPLE)
    body = get_object_or_404(Organisation.objects.filter(scope).select_related("place", "parent"), pk=pk)
    asked = request.GET.get("part", "people")
    part = asked if asked in PARTS else "people"
    context = {
        "organisation": body,
        "part": part,
        "parts": PARTS.items(),
        "may_reopen": closing_of(body) is not None,
        "may_keep": any(
            not grant.by_organisation and body.place.path.startswith(grant.place.path)
            for grant in request.user.grants_for(Permission.KEEP)
        ),
    }
    fill = FILL.get(part)
    return render(request, "people/organisation.html", context | (fill(request, body) if fill else {}))


def _people(request: AccountRequest, body: Organisation) -> dict[str, Any]:
    members = (
        Membership.objects.filter(
            valid_on(timezone.localdate()), organisation=body, person__in=Person.objects.visible_to(request.user)
        )
        .select_related("person__home")
        .order_by("kind", "person__name")
    )
    found = list(members[: PAGE + 1])
    by_kind = members.order_by("kind").values_list("kind").annotate(Count("pk"))
    counts = [(kind, Membership.Kind(kind).label, count) for kind, count in by_kind]
    return {"members": found[:PAGE], "more": len(found) > PAGE, "counts": counts, "holders": _holders(body)}


def _holders(body: Organisation) -> list[Appointment]:
    """Return who holds the posts of a body today, wherever they live, in the order of its posts."""
    today = timezone.localdate()
    rows = Appointment.objects.filter(valid_on(today), valid_on(today, "post__"), post__organisation=body)
    rows = rows.select_related("person", "post").order_by("post__position", "post__title", "seat")
    return list(rows[:PAGE])


def _posts(request: AccountRequest, body: Organisation) -> dict[str, Any]:
    posts: list[Seats] = seats_of(body)
    return {
        "posts": [seats for seats in posts if not seats.closed],
        "closed": [seats for seats in posts if seats.closed],
    }


def _below(request: AccountRequest, body: Organisation) -> dict[str, Any]:
    rows = shown_bodies(request.user, Permission.VIEW_PEOPLE).filter(parent=body).select_related("place")
    return {"children": rows.order_by("kind", "name")[:PAGE]}


def _honours(request: AccountRequest, body: Organisation) -> dict[str, Any]:
    return {"honours": body.honours.order_by("-awarded_on", "level", "title")[:PAGE]}


def _history(request: AccountRequest, body: Organisation) -> dict[str, Any]:
    return {"history": history_of(body)}


FILL: dict[str, Callable[[AccountRequest, Organisation], dict[str, Any]]] = {
    "people": _people,
    "posts": _posts,
    "below": _below,
    "honours": _honours,
    "history": _history,
}
