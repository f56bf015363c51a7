"""Scope: a grant becomes a condition on the place columns of a record."""

from django.db.models import Q

from weilu.orgs.models import Grant, Jurisdiction, Level, Place, User
from weilu.orgs.roles import Permission

# Which column of a record holds the place of each level; above the county, its jurisdictions are listed.
COLUMNS = {Level.COUNTY: "county", Level.TOWNSHIP: "township", Level.VILLAGE: "village", Level.GRID: "grid"}

NOTHING = Q(pk__in=[])


def in_place(place: Place, prefix: str = "") -> Q:
    """Return the condition that a record lies in ``place``, by the column of that place's level.

    Args:
        place: any level from province to grid.
        prefix: path to the record's columns, such as ``matter__``.
    """
    if column := COLUMNS.get(Level(place.level)):
        return Q(**{f"{prefix}{column}_id": place.pk})
    if place.level < Level.COUNTY:
        inside = Jurisdiction.objects.filter(place__path__startswith=place.path).values("pk")
        return Q(**{f"{prefix}jurisdiction_id__in": inside})
    return NOTHING


def in_scope(user: User, permission: Permission) -> Q:
    """Return the condition that a record lies in a place where ``user`` holds ``permission``."""
    condition = NOTHING
    for grant in user.grants_for(permission):
        if not grant.by_organisation:
            condition = in_place(grant.place) if condition is NOTHING else condition | in_place(grant.place)
    return condition


def places_in_scope(user: User, permission: Permission) -> Q:
    """Return the condition that a place lies in the scope of ``user`` for ``permission``; organisations count at
    their place only."""
    condition = NOTHING
    for grant in user.grants_for(permission):
        mine = Q(pk=grant.place_id) if grant.by_organisation else Q(path__startswith=grant.place.path)
        condition = mine if condition is NOTHING else condition | mine
    return condition


def organisations_in_scope(user: User, permission: Permission) -> Q:
    """Return the condition that an organisation is the user's own or stands in their place."""
    condition = NOTHING
    for grant in user.grants_for(permission):
        mine = Q(pk=grant.organisation_id) if grant.by_organisation else Q(place__path__startswith=grant.place.path)
        condition = mine if condition is NOTHING else condition | mine
    return condition


def covers(grant: Grant, record) -> bool:
    """Tell whether the place of ``grant`` holds ``record``, without a query."""
    if grant.by_organisation:
        return False
    if column := COLUMNS.get(Level(grant.place.level)):
        return getattr(record, f"{column}_id") == grant.place_id
    return grant.place.level < Level.COUNTY and record.county.path.startswith(grant.place.path)


def may(user: User, permission: Permission, record) -> bool:
    """Tell whether ``user`` holds ``permission`` at the place of ``record``."""
    return any(covers(grant, record) for grant in user.grants_for(permission))
