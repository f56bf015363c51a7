"""Scope: a grant becomes a condition on the place columns of a record."""

from uuid import UUID

from django.db.models import Q

from weilu.orgs.models import Grant, Jurisdiction, Level, Place, User
from weilu.orgs.roles import Permission, Role

# Which column of a record holds the place of each level; above the county, its jurisdictions are listed.
COLUMNS = {Level.COUNTY: "county", Level.TOWNSHIP: "township", Level.VILLAGE: "village", Level.GRID: "grid"}

NOTHING = Q(pk__in=[])


def ids_of(place: Place) -> list[UUID]:
    """Return the key of ``place`` and of all places that it goes on from; of a place that has ended, its own only."""
    return [place.pk, *place.formerly] if place.valid_to is None else [place.pk]


def column_is(column: str, keys: list[UUID]) -> Q:
    """Return the condition that ``column`` holds one of ``keys``: plain equality for one, which sorts by its index."""
    return Q(**{column: keys[0]}) if len(keys) == 1 else Q(**{f"{column}__in": keys})


def in_place(place: Place, prefix: str = "", *, beside: bool = False) -> Q:
    """Return the condition that a record is counted in ``place``, by the column of that place's level.

    A place that goes on from others (renamed, merged) holds their records too. One that has ended holds what it held
    until then, so that a figure of it reads as it did; what goes on from it holds the same records. Of what was split
    each part holds the records of what went to it: see :mod:`weilu.orgs.attribution`.

    Args:
        place: any level from province to grid.
        prefix: path to the record's columns, such as ``matter__``.
        beside: counted beside other places, each record once: of what was split the place that ended holds those that
            name nothing below it, and what has ended otherwise its own.
    """
    if column := COLUMNS.get(Level(place.level)):
        return _counted(place, column, prefix, beside)
    if place.level < Level.COUNTY:
        inside = Jurisdiction.objects.filter(place__path__startswith=place.path).values("pk")
        return Q(**{f"{prefix}jurisdiction_id__in": inside})
    return NOTHING


def _counted(place: Place, column: str, prefix: str, beside: bool) -> Q:
    was_split = place.split_away is not None
    if beside and place.valid_to is not None and not was_split:
        return column_is(f"{prefix}{column}_id", [place.pk])
    by_part = set(place.split_from)
    whole = [place.pk, *(key for key in place.formerly if key not in by_part)]
    condition = column_is(f"{prefix}{column}_id", whole)
    below = COLUMNS.get(Level(place.level + 1))
    if below and place.split_from and place.split_children:
        came = column_is(f"{prefix}{column}_id", place.split_from)
        condition |= came & column_is(f"{prefix}{below}_id", place.split_children)
    if beside and below and place.split_away:
        gone = Q(**{f"{prefix}{below}_id__in": place.split_away})
        condition &= Q(**{f"{prefix}{below}_id__isnull": True}) | ~gone
    return condition


def _seen_from(place: Place) -> Q:
    """Return the condition that a record may be seen from ``place``: all of what it goes on from, split or not."""
    if column := COLUMNS.get(Level(place.level)):
        return column_is(f"{column}_id", ids_of(place))
    return in_place(place)


def in_reach(grant: Grant) -> Q:
    """Return the condition that a record lies in the place of ``grant``, or in one that was put below it later.

    Several places cannot be read in the order of time from their own index; beside them stands the county, whose index
    gives that order. Without it the first page of a merged township sorts all that it ever had.
    """
    place = grant.place
    condition = _seen_from(place)
    if place.taken_over:
        condition |= column_is(f"{COLUMNS[Level(place.level + 1)]}_id", place.taken_over)
    several = place.level > Level.COUNTY and (place.formerly or place.taken_over)
    if several and grant.jurisdiction.place.level == Level.COUNTY:
        return Q(county_id=grant.jurisdiction_id) & condition
    return condition


def in_scope(user: User, permission: Permission) -> Q:
    """Return the condition that a record lies in a place where ``user`` holds ``permission``."""
    condition = NOTHING
    for grant in user.grants_for(permission):
        if not grant.by_organisation:
            condition = in_reach(grant) if condition is NOTHING else condition | in_reach(grant)
    return condition


def _below(place: Place, prefix: str = "") -> Q:
    """Return the condition that a place is ``place``, lies below it, or is what either of them was before."""
    below = Q(**{f"{prefix}path__startswith": place.path})
    before = [*place.formerly, *place.taken_over]
    return below | Q(**{f"{prefix}pk__in": before}) if before else below


def places_in_scope(user: User, permission: Permission) -> Q:
    """Return the condition that a place lies in the scope of ``user`` for ``permission``; organisations count at
    their place only."""
    condition = NOTHING
    for grant in user.grants_for(permission):
        mine = Q(pk=grant.place_id) if grant.by_organisation else _below(grant.place)
        condition = mine if condition is NOTHING else condition | mine
    return condition


def organisations_in_scope(user: User, permission: Permission) -> Q:
    """Return the condition that an organisation is the user's own or stands in their place."""
    condition = NOTHING
    for grant in user.grants_for(permission):
        mine = Q(pk=grant.organisation_id) if grant.by_organisation else _below(grant.place, "place__")
        condition = mine if condition is NOTHING else condition | mine
    return condition


def reaches(user: User, permission: Permission, place: Place) -> bool:
    """Tell whether ``user`` holds ``permission`` at all of ``place``, without a query; False where it is not sure.

    A place that went on from others may hold records that a grant below does not reach; those are asked one by one.
    """
    return any(
        not grant.by_organisation
        and grant.role not in (Role.MEMBER, Role.GRID_WORKER)
        and place.path.startswith(grant.place.path)
        and (grant.place_id == place.pk or not place.formerly)
        for grant in user.grants_for(permission)
    )


def covers(grant: Grant, record) -> bool:
    """Tell whether the place of ``grant`` holds ``record``, without a query."""
    if grant.by_organisation:
        return False
    place = grant.place
    if column := COLUMNS.get(Level(place.level)):
        if getattr(record, f"{column}_id") in ids_of(place):
            return True
        below = COLUMNS.get(Level(place.level + 1))
        return bool(below) and getattr(record, f"{below}_id") in place.taken_over
    return place.level < Level.COUNTY and record.county.path.startswith(place.path)


def may(user: User, permission: Permission, record) -> bool:
    """Tell whether ``user`` holds ``permission`` at the place of ``record``."""
    return any(covers(grant, record) for grant in user.grants_for(permission))
