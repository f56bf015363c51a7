"""Whose accounts an administrator keeps."""

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from weilu.orgs.models import Grant, Place, User, lasts_beyond
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope

ELSEWHERE = _("This account also works outside your scope; the administrator there decides with you.")


def managed(manager: User) -> QuerySet[User]:
    """Return the accounts with a grant in the manager's scope."""
    scope = Grant.objects.filter(place__in=Place.objects.filter(places_in_scope(manager, Permission.MANAGE)))
    return User.objects.filter(pk__in=scope.values("user"))


def wholly_managed(manager: User, user: User) -> bool:
    """Tell whether all that ``user`` may do now or later lies in the manager's scope."""
    today = timezone.localdate()
    held = user.grants.filter(lasts_beyond(today))
    scope = Place.objects.filter(places_in_scope(manager, Permission.MANAGE))
    return not held.exclude(place__in=scope).exists()
