"""Organisations and the people in them."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.models import Organisation, valid_on
from weilu.orgs.roles import Permission
from weilu.orgs.scope import organisations_in_scope
from weilu.people.models import Membership, Person

PAGE = 200


@requires(Permission.VIEW_PEOPLE)
@require_safe
def organisation(request: AccountRequest, pk: str) -> HttpResponse:
    """A body and its people, by name, telephones masked."""
    scope = organisations_in_scope(request.user, Permission.VIEW_PEOPLE)
    body = get_object_or_404(Organisation.objects.filter(scope).select_related("place", "parent"), pk=pk)
    members = (
        Membership.objects.filter(
            valid_on(timezone.localdate()), organisation=body, person__in=Person.objects.visible_to(request.user)
        )
        .select_related("person__home")
        .order_by("kind", "person__name")
    )
    found = list(members[: PAGE + 1])
    context = {"organisation": body, "members": found[:PAGE], "more": len(found) > PAGE}
    return render(request, "people/organisation.html", context)
