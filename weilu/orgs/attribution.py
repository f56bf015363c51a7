"""Where the records of a place that was split are counted: each in one place, so that sums of the parts are the whole.

A record names the places of all levels. When a township is split, its villages go on in one part each: records of a
village are read in the part to which it went, whatever becomes of the village later. Records that name no village, or
one that was itself torn apart, stay with the township that ended: a line of its own beside its parts. The same holds
one level below, of villages and their grids.

Three columns of a place say so, written by :func:`weilu.orgs.changes.split`:

- ``split_from`` of a part: the places of before whose records come by what lies below them;
- ``split_children`` of a part: what lies below it since the split, by which they come;
- ``split_away`` of the place that was split: what the parts have of it together.

Who may *see* records is another question: :func:`weilu.orgs.scope.in_reach`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from asgiref.local import Local
from django.core.signals import request_finished, request_started
from django.db.models import Case, F, Model, Q, UUIDField, Value, When
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from weilu.orgs.memory import rows_by_id
from weilu.orgs.models import Level, Place
from weilu.orgs.scope import COLUMNS, column_is, in_place


def _below(level: int) -> str:
    """Return the column of the level below, by which records of a split place are told apart; grids have none."""
    return COLUMNS.get(Level(level + 1), "") if level < Level.BUILDING else ""


_request = Local()  # what one request has asked already: a page of twenty figures asks for splits once


def _begin(**kwargs: Any) -> None:
    _request.parts = {}


def _end(**kwargs: Any) -> None:
    _request.parts = None


request_started.connect(_begin, dispatch_uid="attribution.begin")
request_finished.connect(_end, dispatch_uid="attribution.end")


def parts_of_splits(level: int) -> list[Place]:
    """Return the places of a level that began as a part of another, or go on from one: the latest first."""
    asked: dict[int, list[Place]] | None = getattr(_request, "parts", None)
    if asked is not None and level in asked:
        return asked[level]
    found = list(Place.objects.filter(level=level, split_children__isnull=False).order_by("-valid_from", "-id"))
    if asked is not None:
        asked[level] = found
    return found


def counted_at(level: Level, prefix: str = "") -> Any:
    """Return the expression for the key of the place of ``level`` in which a record is counted, as far as it was split.

    What was renamed or merged since is not followed: see :func:`counting`.
    """
    column = f"{prefix}{COLUMNS[level]}_id"
    below = _below(level)
    whens = [
        When(column_is(column, part.split_from) & column_is(f"{prefix}{below}_id", part.split_children or []),
             then=Value(part.pk, output_field=UUIDField()))
        for part in parts_of_splits(level) if below and part.split_from and part.split_children
    ]  # fmt: skip
    if not whens:
        return F(column)
    return Case(*whens, default=F(column), output_field=UUIDField())


def counting(keys: Iterable[UUID]) -> dict[UUID, Place]:
    """Return the place in which records of each key are counted: what goes on from it alone, or where it was split."""
    found: dict[UUID, Place] = {}
    for key, place in rows_by_id(Place, keys).items():
        while place.valid_to is not None and place.split_away is None:
            after = list(place.successors.all()[:2])
            if len(after) != 1:
                break
            place = after[0]
        found[key] = place
    return found


def naming(place: Place) -> tuple[str, str]:
    """Return what names a place in a breakdown: code and name; of one that was split its key, and until when it was.

    A part may have the code of what was split, and its name.
    """
    if place.valid_to is None or place.split_away is None:
        return place.code, place.short_name
    day = date_format(place.valid_to, "Y-m-d")
    return str(place.pk), _("%(place)s before (until %(day)s)") % {"place": place.short_name, "day": day}


def paths_of(place: Place) -> list[str]:
    """Return the paths of a place and of all that is counted in it: what it goes on from, if that was not split.

    What stood at a place that ended, and ended before it, keeps that path. Where another place of today has its code,
    what stands there is counted in that one.
    """
    before = set(place.formerly) - set(place.split_from)
    if not before:
        return [place.path]
    others = Place.objects.filter(level=place.level, valid_to=None).exclude(pk=place.pk).values("code")
    rows = Place.objects.filter(pk__in=before, split_away__isnull=True).exclude(code__in=others)
    return list(dict.fromkeys([place.path, *rows.values_list("path", flat=True)]))


@dataclass
class Held:
    """What a place held when it ended, by where that is today.

    Attributes:
        paths: of places below it that go on; what stands there stood in it.
        keys: of itself, of what it went on from, and of what ended below it; what ended with them stands there yet.
        rows: of each column of a table that names places, the rows that followed to what goes on from it.
    """

    paths: set[str] = field(default_factory=set)
    keys: set[UUID] = field(default_factory=set)
    rows: dict[str, set[str]] = field(default_factory=dict)


def held_until_it_ended(place: Place) -> Held:
    """Return what ``place``, which has ended, held until then, from what the changes of the map have noted."""
    found, frontier = Held(), [place]
    while frontier:
        each = frontier.pop()
        # What had ended before a split was counted with the part that kept the code, not with each of them.
        others = Place.objects.filter(pk__in=each.split_from).exclude(path=each.path)
        lineage = {each.pk, *each.formerly} - set(others.values_list("pk", flat=True))
        below = Place.objects.filter(parent__in=lineage).exclude(valid_to=None).exclude(pk__in=found.keys | lineage)
        found.keys |= lineage | set(below.values_list("pk", flat=True))
        moved = each.ended_by.moved if each.ended_by else {}
        for label, of in moved.get("rows", {}).items():
            found.rows.setdefault(label, set()).update(of.get(str(each.pk), ()))
        for child in Place.objects.filter(pk__in=moved.get("children", {}).get(str(each.pk), ())):
            if child.valid_to is None:
                found.paths.add(child.path)
            else:
                frontier.append(child)
    return found


def in_ended(model: type[Model], path: str, place: Place) -> Q:
    """Return the condition that a row of ``model`` stood in ``place`` until that ended.

    Args:
        path: to the path of the place at which a row stands: ``path``, ``home__path``, ``organisation__place__path``.
    """
    held = held_until_it_ended(place)
    condition = Q(**{f"{path.removesuffix('path')}pk__in": held.keys})
    for each in held.paths:
        condition |= Q(**{f"{path}__startswith": each})
    names = path.split("__")[:-1]
    for name in names[:-1]:
        model = model._meta.get_field(name).related_model  # type: ignore[assignment]
    if names and (rows := held.rows.get(f"{model._meta.label_lower}.{names[-1]}")):
        condition |= Q(**{"__".join([*names[:-1], "pk__in"]): rows})
    return condition


def title_of(place: Place) -> str:
    """Return what names a place at the head of a page: of one that has ended, with the day."""
    if place.valid_to is None:
        return str(place)
    day = date_format(place.valid_to, "Y-m-d")
    return _("%(place)s (until %(day)s)") % {"place": place, "day": day}


def key_of_place(place: Place) -> str:
    """Return what names a place in an address: its code, or its key once it has ended."""
    return str(place.code) if place.valid_to is None else str(place.pk)


def find_group(key: str, level: int) -> Place | None:
    """Return the place that :func:`naming` named so."""
    rows = Place.objects.filter(level=level)
    try:
        return rows.filter(pk=UUID(key)).first()
    except ValueError:
        return rows.filter(code=key, valid_to=None).first()


def is_group(key: str, level: int) -> bool:
    """Tell whether :func:`naming` could have named a place so, today or before."""
    return find_group(key, level) is not None or Place.objects.filter(code=key, level=level).exists()


def in_group(key: str, level: Level, prefix: str = "") -> Q:
    """Return the condition that a record is counted under what :func:`naming` named; empty: that it names none."""
    column = f"{prefix}{COLUMNS[level]}_id"
    if not key:
        return Q(**{f"{column}__isnull": True})
    place = find_group(key, level)
    condition = in_place(place, prefix, beside=True) if place else Q(pk__in=[])
    alone = [row.pk for row in Place.objects.filter(code=key, level=level).exclude(valid_to=None)
             if row.split_away is None and row.successors.count() != 1]  # fmt: skip
    return condition | column_is(column, alone) if alone else condition
