"""The verbs that change the map from a day on: rename, move, merge, split.

A place that is changed ends, and a new row begins. Records keep the row that they name; whoever asks for the new one
gets both (:func:`weilu.orgs.scope.in_place`). What lies below keeps its rows: only its path follows. Bodies and grants
go on at the successor, with their history. :mod:`weilu.orgs.taking_back` undoes a mistake.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import ForeignKey, QuerySet, Value
from django.db.models.functions import Concat, Substr
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.lib.ids import new_id
from weilu.orgs import memory
from weilu.orgs.models import (
    Grant,
    Jurisdiction,
    Level,
    Organisation,
    OrganisationChange,
    Place,
    PlaceChange,
    PlaceOutline,
    User,
)  # fmt: skip
from weilu.orgs.names import full_name, short_name
from weilu.orgs.outlines import Box, union_of
from weilu.orgs.succession import CHANGEABLE, apart, asked_in_split, bodies_at, followers, grants_at, rows_at

Kind = PlaceChange.Kind
CODE = re.compile(r"[0-9A-Za-z-]{1,24}", re.ASCII)
LONGEST_NAME, LONGEST_PATH = 80, 120


class ChangeError(ValueError):
    """The map cannot be changed so; nothing was.

    Attributes:
        column: the field it lies in; empty where it lies in none.
    """

    def __init__(self, message: str, column: str = ""):
        super().__init__(message)
        self.column = column


@dataclass(frozen=True)
class NewPlace:
    """What a place is called from now on."""

    code: str
    name: str


@dataclass
class Journal:
    """What a change moved, by key, so that it can be taken back."""

    # Of each place that ended, its children that were put below a successor.
    children: dict[str, list[str]] = field(default_factory=dict)
    # Of each column of another table and each place that ended, the rows that follow.
    rows: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    # Of each grant: its key, place and first day before, and the key of the row that keeps what it was.
    grants: list[list[str | None]] = field(default_factory=list)
    # Of each place above, what it had taken over before.
    above: dict[str, list[str]] = field(default_factory=dict)
    # What was noted of bodies that now stand at another place.
    noted: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "children": self.children, "rows": self.rows, "grants": self.grants, "above": self.above,
            "noted": self.noted,
        }  # fmt: skip


# Which successor something goes on at; its key, or None for what has ended and nobody was asked about.
Chooser = Callable[[UUID | str | None], Place]


def rename(
    place: Place, *, name: str, code: str = "", on: dt.date, by: User | None, document: str = "", note: str = "",
    kind: Kind = Kind.RENAME,
) -> Place:  # fmt: skip
    """Give a place another name, another code, or both.

    Args:
        kind: ``Kind.IMPORT`` where a list of divisions says so.

    Returns:
        the place that goes on from it.

    Raises:
        ChangeError: the day, the name or the code cannot be; see its ``column``.
    """
    with transaction.atomic():
        change, [held] = _begin(kind, [place], on, by, document, note)
        if full_name(name) == held.name and (code or held.code) == held.code:
            raise ChangeError(_("That is its name already."), "name")
        return _replace(change, held, NewPlace(code or held.code, name), held.parent)


def move(
    place: Place, *, to: Place, code: str = "", on: dt.date, by: User | None, document: str = "", note: str = ""
) -> Place:
    """Put a village below another township of its county, or a grid below another village of its township.

    Clerks of the new place above see its earlier records too, and those of the old one keep them.

    Raises:
        ChangeError: as for :func:`rename`, or ``to`` cannot hold it.
    """
    with transaction.atomic():
        change, [held, above, left] = _begin(
            Kind.MOVE, [place, to, Place(pk=place.parent_id)], on, by, document, note, ending=1
        )
        if above.pk == left.pk:
            raise ChangeError(_("%(place)s lies in %(parent)s already.") % {"place": held, "parent": above}, "to")
        if held.level == Level.TOWNSHIP or above.level != held.level - 1 or above.parent_id != left.parent_id:
            raise ChangeError(
                _("A village can be put below another township of its county, a grid below another village of its "
                  "township; nothing else."),
                "to",
            )  # fmt: skip
        before = [held.pk, *held.formerly]
        _take_over(change, left, [key for key in left.taken_over if key not in before])
        _take_over(change, above, _union(above.taken_over, before))
        return _replace(change, held, NewPlace(code or held.code, held.name), above)


def merge(
    places: Sequence[Place], *, into: NewPlace, on: dt.date, by: User | None, document: str = "", note: str = ""
) -> Place:
    """Make one place of several that lie below the same one; it may keep the code and name of one of them.

    Raises:
        ChangeError: as for :func:`rename`; there are fewer than two; or bodies of the same name would stand together.
    """
    if len({place.pk for place in places}) < 2:
        raise ChangeError(_("A merger takes two places or more."), "others")
    with transaction.atomic():
        change, held = _begin(Kind.MERGE, places, on, by, document, note)
        if len({(place.parent_id, place.level) for place in held}) > 1:
            raise ChangeError(
                _("Only places of one level that lie below the same place merge. Move one there first."), "others"
            )
        _refuse_namesakes(held)
        _end(change, held)
        new = _make(change, into, held[0].parent, held)
        new.latitude, new.longitude = next(
            ((old.latitude, old.longitude) for old in held if old.code == new.code),
            (held[0].latitude, held[0].longitude),
        )
        new.networks = sorted({network for old in held for network in old.networks})
        households = [old.households for old in held]
        new.households = None if None in households else sum(filter(None, households))
        new.save(force_insert=True)
        _keep_outline(held, new)
        for old in held:
            _hand_over(change, old, lambda _key: new)
        return _finish(change, held, [new])[0]


def split(
    place: Place, *, parts: Sequence[NewPlace], belongs: Mapping[UUID | str, int], on: dt.date, by: User | None,
    document: str = "", note: str = "",
) -> list[Place]:  # fmt: skip
    """Make several places of one; one of them may keep its code and name.

    Records of before are counted where what they name below goes on, and with the place that ended where they name
    nothing below it; clerks of all parts see them.

    Args:
        parts: the places that it becomes, the first being the one that carries on.
        belongs: for each key of :func:`weilu.orgs.succession.asked_in_split`: which part it goes on in, from 0.

    Raises:
        ChangeError: as for :func:`rename`; there are fewer than two parts; or ``belongs`` leaves something out.
    """
    if len(parts) < 2:
        raise ChangeError(_("A split makes two places or more."), "parts")
    with transaction.atomic():
        change, [held] = _begin(Kind.SPLIT, [place], on, by, document, note)
        children = list(Place.objects.filter(parent=held, valid_to=None))
        for key, title in asked_in_split(held, on):
            if belongs.get(key) not in range(len(parts)):
                raise ChangeError(
                    _("Say in which of the new places %(name)s goes on.") % {"name": title}, f"belongs_{key}"
                )
        _end(change, [held])
        new = []
        went = _went_with(held, children, belongs)
        for number, part in enumerate(parts):
            made = _make_part(change, part, number, held)
            mine = {key for child in children if belongs[child.pk] == number for key in (child.pk, *child.formerly)}
            made.taken_over = [key for key in held.taken_over if key in mine]
            made.split_from = [held.pk, *held.formerly]
            made.split_children = [key for key, number_of in went.items() if number_of == number]
            made.latitude, made.longitude, made.networks = held.latitude, held.longitude, held.networks
            made.save(force_insert=True)
            new.append(made)
        held.split_away = list(went)
        held.save(update_fields=["split_away"])
        _hand_over(change, held, lambda key: new[belongs.get(key, 0)] if key else new[0])
        return _finish(change, [held], new)


def _went_with(held: Place, children: Sequence[Place], belongs: Mapping[UUID | str, int]) -> dict[UUID, int]:
    """Return by which keys below a place that is split its records are told apart: the part of each.

    What was itself torn apart before, and now lies in several parts, tells nothing; nor does what lay elsewhere.
    """
    number_of: dict[UUID, set[int]] = {}
    for child in children:
        for key in (child.pk, *child.formerly):
            number_of.setdefault(key, set()).add(belongs[child.pk])
    lineage = {held.pk, *held.formerly}
    above = dict(Place.objects.filter(pk__in=number_of).values_list("pk", "parent_id"))
    by_part, known = set(held.split_from), set(held.split_children or ())
    return {
        key: min(numbers)
        for key, numbers in number_of.items()
        if len(numbers) == 1 and above[key] in lineage and (above[key] not in by_part or key in known)
    }


# --- the steps --------------------------------------------------------------------------------------------------------
def lock_map(jurisdiction: Jurisdiction) -> None:
    """Let no other change of this county's map begin before this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('weilu.places'), hashtext(%s))", [str(jurisdiction.pk)])


def _begin(
    kind: Kind, places: Sequence[Place], on: dt.date, by: User | None, document: str, note: str, ending: int = 0
) -> tuple[PlaceChange, list[Place]]:
    """Lock the places, look whether they can change on this day, and open the change.

    Args:
        ending: how many of ``places`` will end; 0 for all.
    """
    county = Jurisdiction.of(Place.objects.get(pk=places[0].pk))
    if county is None:
        raise ChangeError(_("%(place)s lies in no county that is open.") % {"place": places[0]})
    lock_map(county)
    wanted = [place.pk for place in places]
    rows = Place.objects.select_for_update(of=("self",)).select_related("parent").order_by("pk").in_bulk(wanted)
    held = [rows[key] for key in wanted]
    for place in held:
        if place.valid_to is not None:
            raise ChangeError(
                _("%(place)s ended on %(day)s. Look at what it became.") % {"place": place, "day": place.valid_to}
            )
        if not place.path.startswith(county.place.path):
            raise ChangeError(_("%(place)s lies in another county.") % {"place": place})
    if on > timezone.localdate():
        raise ChangeError(_("The day lies ahead. Enter the change on that day, not before."), "on")
    for place in held[: ending or None]:
        if place.level not in CHANGEABLE:
            raise ChangeError(_("Only townships, villages and grids are changed here."))
        if on <= place.valid_from:
            raise ChangeError(
                _("%(place)s began on %(day)s. It can change on a later day; a mistake of today can be taken back.")
                % {"place": place, "day": place.valid_from},
                "on",
            )
    change = PlaceChange(
        jurisdiction=county, kind=kind, day=on, document=document.strip(), note=note.strip(), created_by=by
    )
    change.save(force_insert=True)
    change.journal = Journal()  # type: ignore[attr-defined]
    return change, held


def _replace(change: PlaceChange, held: Place, what: NewPlace, parent: Place | None) -> Place:
    """End one place and let one go on from it, with all that is known of it."""
    _end(change, [held])
    new = _make(change, what, parent, [held])
    for column in ("latitude", "longitude", "networks", "households"):
        setattr(new, column, getattr(held, column))
    new.save(force_insert=True)
    _keep_outline([held], new)
    _hand_over(change, held, lambda _key: new)
    return _finish(change, [held], [new])[0]


def _end(change: PlaceChange, places: Iterable[Place]) -> None:
    for place in places:
        place.valid_to, place.ended_by = change.day, change
        place.save(update_fields=["valid_to", "ended_by"])


def _make(change: PlaceChange, what: NewPlace, parent: Place | None, before: Sequence[Place]) -> Place:
    """Return a place that goes on from others; it is not saved yet."""
    code, name = what.code.strip(), full_name(what.name)
    if not CODE.fullmatch(code):
        raise ChangeError(_("A code is 1 to 24 letters, digits or hyphens, not: %(code)s") % {"code": code}, "code")
    if not name or len(name) > LONGEST_NAME:
        raise ChangeError(_("A name has 1 to %(count)s characters.") % {"count": LONGEST_NAME}, "name")
    refuse_taken(code)
    path = f"{parent.path if parent else ''}{code}/"
    if len(path) > LONGEST_PATH - 25:
        raise ChangeError(_("The codes down to this place are too long together."), "code")
    level = Level(before[0].level)
    return Place(
        code=code, name=name, short_name=short_name(name, level), level=level, parent=parent, path=path,
        valid_from=change.day, begun_by=change,
        formerly=_union(*([old.pk, *old.formerly] for old in before)),
        taken_over=_union(*(old.taken_over for old in before)),
        split_from=_union(*(old.split_from for old in before)),
        split_children=_union(*parted) if (parted := [old.split_children for old in before
                                                      if old.split_children is not None]) else None,
    )  # fmt: skip


def _make_part(change: PlaceChange, part: NewPlace, number: int, held: Place) -> Place:
    """Return a part of what is split; what is refused names the part in its column."""
    try:
        return _make(change, part, held.parent, [held])
    except ChangeError as error:
        raise ChangeError(str(error), f"{error.column}_{number}") from error


def refuse_taken(code: str) -> None:
    """Refuse a code that a place of today has, naming where that lies.

    Raises:
        ChangeError: one has it.
    """
    if taken := Place.objects.filter(code=code, valid_to=None).select_related("parent").first():
        words = {"code": code, "place": at_length(taken)}
        raise ChangeError(_("The code %(code)s belongs to %(place)s.") % words, "code")


def at_length(place: Place) -> str:
    """Return the name of a place behind that of the place above it."""
    return f"{place.parent} · {place}" if place.parent else str(place)


def _union(*lists: Iterable[UUID]) -> list[UUID]:
    return list(dict.fromkeys(key for keys in lists for key in keys))


def _take_over(change: PlaceChange, above: Place, keys: list[UUID]) -> None:
    change.journal.above[str(above.pk)] = [str(key) for key in above.taken_over]  # type: ignore[attr-defined]
    above.taken_over = keys
    above.save(update_fields=["taken_over"])


def _keep_outline(before: list[Place], new: Place) -> None:
    """Give a place the outline of what it goes on from, where all of that has one."""
    outlines = list(PlaceOutline.objects.filter(place__in=before))
    if len(outlines) == len(before):
        geometry = union_of([row.geometry for row in outlines])
        PlaceOutline.objects.create(place=new, geometry=geometry, **Box.of(geometry).as_columns())


def repath(old: str, new: str, but: Iterable[UUID] = ()) -> None:
    """Let the paths of all that lies below ``old`` begin with ``new``."""
    if old != new:
        below = Place.objects.filter(path__startswith=old).exclude(pk__in=list(but))
        below.update(path=Concat(Value(new), Substr("path", len(old) + 1)))


def _hand_over(change: PlaceChange, old: Place, choose: Chooser) -> None:
    """Let everything at a place that ended go on at its successors."""
    _hand_over_children(change, old, choose)
    _hand_over_bodies(change, old, choose)
    _hand_over_grants(change, old, choose)
    for column in followers():
        rows = rows_at(column, [old])
        keys = [str(key) for key in rows.values_list("pk", flat=True)]
        _note(change, column.model._meta.label_lower, column.name, old, keys)
        for key, _title, part in list(apart(column, rows)):
            _follow(column, part, choose(key))


def _follow(column: ForeignKey, rows: QuerySet[Any], target: Place) -> None:
    names = _names(rows) & _names(rows_at(column, [target]))
    try:
        with transaction.atomic():
            rows.update(**{column.name: target})
    except IntegrityError as error:
        raise ChangeError(
            _("These would stand twice at %(place)s: %(names)s. Rename or close one of each first.")
            % {"place": target, "names": "、".join(sorted(names)) or column.model._meta.verbose_name},
            "others",
        ) from error


def _names(rows: QuerySet[Any]) -> set[str]:
    """Return the names of rows, as far as they have any."""
    return {row.name for row in rows[:500] if hasattr(row, "name")}


def _note(change: PlaceChange, label: str, column: str, old: Place, keys: list[str]) -> None:
    if keys:
        change.journal.rows.setdefault(f"{label}.{column}", {})[str(old.pk)] = keys  # type: ignore[attr-defined]


def _hand_over_children(change: PlaceChange, old: Place, choose: Chooser) -> None:
    """Put what lies below ``old`` below its successors; paths follow, those of places that have ended too."""
    children = list(Place.objects.filter(parent=old, valid_to=None))
    change.journal.children[str(old.pk)] = [str(child.pk) for child in children]  # type: ignore[attr-defined]
    for child in children:
        target = choose(child.pk)
        repath(child.path, f"{target.path}{child.code}/")
        Place.objects.filter(pk=child.pk).update(parent=target)
    ended = Place.objects.filter(parent__in=[old.pk, *old.formerly], path__startswith=old.path).exclude(valid_to=None)
    for child in ended.exclude(pk__in=old.formerly):
        after = next((row for row in children if child.pk in row.formerly), None)
        repath(child.path, f"{choose(after.pk if after else None).path}{child.code}/")


def _hand_over_bodies(change: PlaceChange, old: Place, choose: Chooser) -> None:
    bodies = list(bodies_at([old]))
    _note(change, Organisation._meta.label_lower, "place", old, [str(body.pk) for body in bodies])
    for body in bodies:
        target = choose(body.pk)
        Organisation.objects.filter(pk=body.pk).update(place=target)
        if str(old) != str(target):
            note = OrganisationChange.objects.create(
                jurisdiction_id=body.jurisdiction_id, organisation=body, kind=OrganisationChange.Kind.CHANGE,
                day=change.day, document=change.document, created_by=change.created_by,
                columns={"place": [str(old), str(target)]},
            )  # fmt: skip
            change.journal.noted.append(str(note.pk))  # type: ignore[attr-defined]


def _hand_over_grants(change: PlaceChange, old: Place, choose: Chooser) -> None:
    """Let grants go on at the successor from the day; a second row keeps where they were before.

    The running row stays the same one: a post may name it.
    """
    for grant in grants_at([old], change.day):
        target, copy = choose(grant.pk), None
        noted = [str(grant.pk), str(old.pk), grant.valid_from.isoformat()]
        if grant.valid_from < change.day:
            copy = Grant.objects.get(pk=grant.pk)
            copy.pk, copy.valid_to, copy._state.adding = new_id(), change.day, True
            copy.save(force_insert=True)
        change.journal.grants.append([*noted, str(copy.pk) if copy else None])  # type: ignore[attr-defined]
        begins = max(grant.valid_from, change.day)
        Grant.objects.filter(pk=grant.pk).update(place=target, valid_from=begins)


def _refuse_namesakes(places: Sequence[Place]) -> None:
    """Refuse to put bodies of one name together: nobody could tell them apart."""
    seen: dict[str, Organisation] = {}
    for body in bodies_at(places).select_related("place"):
        if (other := seen.setdefault(body.name, body)) is not body:
            raise ChangeError(
                _("A body named “%(name)s” stands at %(first)s and at %(second)s. Rename or close one of them first.")
                % {"name": body.name, "first": other.place, "second": body.place},
                "others",
            )


def _finish(change: PlaceChange, before: Sequence[Place], after: list[Place]) -> list[Place]:
    for old in before:
        old.successors.add(*after)
    above = change.kind == Kind.MOVE
    change.before = [_named(place, above=above) for place in before]
    change.after = [_named(place, above=above) for place in after]
    change.moved = change.journal.as_dict()  # type: ignore[attr-defined]
    change.save(update_fields=["before", "after", "moved"])
    transaction.on_commit(memory.forget)
    return after


def _named(place: Place, *, above: bool) -> dict[str, str]:
    named = {"id": str(place.pk), "code": place.code, "name": place.short_name}
    return named | ({"above": place.parent.short_name} if above and place.parent else {})
