"""What places were and became: the questions asked of their history."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import ForeignKey, Model, Q, QuerySet
from django.utils import timezone

from weilu.orgs.models import Grant, Level, Organisation, Place, PlaceChange, User, lasts_beyond
from weilu.orgs.roles import Permission
from weilu.orgs.scope import COLUMNS, ids_of, places_in_scope

# The levels whose places can be changed; a county is an office of its own.
CHANGEABLE = (Level.TOWNSHIP, Level.VILLAGE, Level.GRID)
RECORD_COLUMNS = frozenset(COLUMNS.values())


def find_place(user: User, permission: Permission, key: str) -> Place | None:
    """Return the place of the user's scope that ``key`` names: the one of today, else the last that had the code.

    Args:
        key: a code; or the key of a row, which names one that has ended even if its code is in use again.
    """
    mine = Place.objects.filter(places_in_scope(user, permission))
    try:
        return mine.filter(pk=UUID(key)).first()
    except ValueError:
        rows = mine.filter(code=key)
        return rows.filter(valid_to=None).first() or rows.order_by("-valid_to").first()


def places_today(place: Place) -> list[Place]:
    """Return what ``place`` is today: itself, or what goes on from it, however often it was changed."""
    if place.valid_to is None:
        return [place]
    return sorted((row for row in successors(place) if row.valid_to is None), key=lambda row: row.code)


@dataclass(frozen=True)
class AskedPlace:
    """The place that an address asks for.

    Attributes:
        place: the place of today: the one named, or the only one that goes on from it.
        was: the place named, if it has ended.
        became: what goes on from that in the reader's scope.
    """

    place: Place | None = None
    was: Place | None = None
    became: list[Place] = field(default_factory=list)


def asked_place(user: User, permission: Permission, key: str) -> AskedPlace:
    """Return what ``key``, a code or the key of a row, asks for; nothing if it names no place of the user's scope."""
    named = find_place(user, permission, key)
    if named is None or named.valid_to is None:
        return AskedPlace(named)
    after = [row.pk for row in places_today(named)]
    mine = list(Place.objects.filter(places_in_scope(user, permission), pk__in=after).order_by("code"))
    return AskedPlace(mine[0] if len(after) == len(mine) == 1 else None, named, mine)


def successors(place: Place) -> list[Place]:
    """Return all that goes on from ``place``, and what goes on from that, up to today."""
    found: dict[UUID, Place] = {}
    frontier = [place]
    while frontier:
        after = Place.objects.filter(predecessors__in=frontier).distinct()
        frontier = [row for row in after if row.pk not in found]
        found |= {row.pk: row for row in frontier}
    return list(found.values())


def predecessors(place: Place) -> QuerySet[Place]:
    """Return all places that ``place`` goes on from, those that ended last first."""
    return Place.objects.filter(pk__in=place.formerly).order_by("-valid_to", "code")


def timeline(place: Place, limit: int = 50) -> QuerySet[PlaceChange]:
    """Return what changed ``place``, what it goes on from, what became of it, and the places right below; newest first.

    Changes that were taken back are among them.
    """
    family = [*place.formerly, place.pk, *(row.pk for row in successors(place))]
    named = Q(pk__in=[])
    for pk in family:
        row = [{"id": str(pk)}]
        named |= Q(before__contains=row) | Q(after__contains=row)
    below = Place.objects.filter(parent__in=ids_of(place))
    named |= Q(pk__in=below.values("ended_by")) | Q(pk__in=below.values("begun_by"))
    return PlaceChange.objects.filter(named).select_related("created_by", "undone_by")[:limit]


def changeable_by(user: User) -> QuerySet[Place]:
    """Return the places that ``user`` may change: those of the counties whose administrator they are."""
    mine = Q(pk__in=[])
    for grant in user.grants_for(Permission.MANAGE):
        county = grant.jurisdiction.place
        if county.path.startswith(grant.place.path):
            mine |= Q(path__startswith=county.path, level__in=CHANGEABLE)
    return Place.objects.filter(mine, valid_to=None)


def columns_naming_places() -> Iterator[ForeignKey]:
    """Yield the columns of all tables that name a place."""
    relations: Any = Place._meta.get_fields(include_hidden=True)
    for relation in relations:
        points_here = relation.auto_created and not relation.concrete and not relation.many_to_many
        if points_here and not relation.related_model._meta.auto_created:
            yield relation.field


def followers() -> Iterator[ForeignKey]:
    """Yield the columns of other tables that go on at a successor, besides bodies and grants.

    A model names them in ``FOLLOWS_PLACE``. Where a place is split, each row is asked about, or all of a table together
    if the model says in ``FOLLOW_TOGETHER`` how many they are.
    """
    for column in columns_naming_places():
        if column.name in getattr(column.model, "FOLLOWS_PLACE", ()):
            yield column


def record_columns() -> Iterator[ForeignKey]:
    """Yield the columns in which work records keep the place of each level."""
    for column in columns_naming_places():
        if column.name in RECORD_COLUMNS and hasattr(column.model, "workflow"):
            yield column


def rows_at(column: ForeignKey, places: Iterable[Place]) -> QuerySet[Any]:
    """Return the rows whose ``column`` names one of ``places`` and that have not ended today."""
    model: type[Model] = column.model
    rows = model._base_manager.filter(**{f"{column.name}__in": list(places)})
    return (
        rows.filter(lasts_beyond(timezone.localdate()))
        if any(each.name == "valid_to" for each in model._meta.fields)
        else rows
    )


def bodies_at(places: Iterable[Place]) -> QuerySet[Organisation]:
    """Return the bodies that stand at ``places`` and are not closed yet."""
    return Organisation.objects.filter(lasts_beyond(timezone.localdate()), place__in=list(places)).order_by(
        "place__code", "kind", "name"
    )


def grants_at(places: Iterable[Place], on: dt.date) -> QuerySet[Grant]:
    """Return the grants at ``places`` that hold on ``on`` or later."""
    rows = Grant.objects.filter(lasts_beyond(on), place__in=list(places))
    return rows.select_related("user", "organisation", "place").order_by("place__code", "role", "user__username")


def apart(column: ForeignKey, rows: QuerySet[Any]) -> Iterator[tuple[UUID | str, str, QuerySet[Any]]]:
    """Yield which of the followers in ``column`` go the same way: their key, what they are called, and their rows."""
    if words := getattr(column.model, "FOLLOW_TOGETHER", ""):
        if count := rows.count():
            yield f"{column.model._meta.label_lower}.{column.name}", str(words) % {"count": f"{count:,}"}, rows
    else:
        for row in rows.order_by("pk"):
            yield row.pk, str(row), rows.filter(pk=row.pk)


def asked_in_split(place: Place, on: dt.date) -> list[tuple[UUID | str, Any]]:
    """Return what a split of ``place`` asks about, each with its key: places below it, bodies, grants, and the rest."""
    children = Place.objects.filter(parent=place, valid_to=None).order_by("code")
    found: list[tuple[UUID | str, Any]] = [(row.pk, row) for row in children]
    found += [(row.pk, row) for row in bodies_at([place])]
    found += [(row.pk, row) for row in grants_at([place], on)]
    for column in followers():
        found += [(key, title) for key, title, _rows in apart(column, rows_at(column, [place]))]
    return found


@dataclass
class Preview:
    """What a change of places will touch."""

    children: list[Place] = field(default_factory=list)
    below: int = 0
    bodies: list[Organisation] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    others: int = 0
    records: int = 0


def preview(places: list[Place], on: dt.date | None = None) -> Preview:
    """Count what lies in ``places``, what goes on at the successors, and the records that keep the place they had."""
    inside = Q()
    for place in places:
        inside |= Q(path__startswith=place.path)
    keys = [place.pk for place in places]
    return Preview(
        children=list(Place.objects.filter(parent__in=keys, valid_to=None).order_by("code")),
        below=Place.objects.filter(inside, valid_to=None).exclude(pk__in=keys).count(),
        bodies=list(bodies_at(places)),
        grants=list(grants_at(places, on or timezone.localdate())),
        others=sum(rows_at(column, places).count() for column in followers()),
        records=sum(rows_at(column, places).count() for column in record_columns()),
    )
