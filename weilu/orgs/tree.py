"""The tree of places and bodies: one level at a time, with the bodies below each node counted in one query."""

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, Exists, F, Func, OuterRef, Q, QuerySet, TextField, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.orgs.bodies import DEEPEST
from weilu.orgs.memory import remember
from weilu.orgs.models import Level, Organisation, Place, User, valid_on
from weilu.orgs.roles import Permission
from weilu.orgs.scope import organisations_in_scope, places_in_scope

PLACES_SHOWN, BODIES_SHOWN = 500, 200
KINDS_SHOWN = 5
FEW_TOPS = 3
Kind = Organisation.Kind
KIND_ORDER = {kind: number for number, kind in enumerate(Kind.values)}


@dataclass
class Node:
    """A row of the tree.

    Attributes:
        key: a place's code, or a body's id.
        what: its level or kind, in words.
        icon: decoration.
        counts: bodies below it: kind in words, how many, the address of their list.
        opens: whether anything lies below it.
        children: what lies below it where it is open; None where it is closed.
        begins: the day on which a body will be founded; None for what is there.
        up: what is open when this is closed again, for the address.
    """

    key: str
    name: str
    what: str
    address: str
    icon: str
    is_body: bool = False
    opens: bool = False
    counts: list[tuple[str, int, str]] = field(default_factory=list)
    children: list["Node"] | None = None
    up: str = ""
    begins: dt.date | None = None

    @property
    def open_address(self) -> str:
        """The page with this node open, or closed again."""
        if self.children is not None:
            return f"{reverse('tree')}?{self.up}" if self.up else reverse("tree")
        return f"{reverse('tree')}?{urlencode({'body' if self.is_body else 'open': self.key})}#n-{self.key}"

    @property
    def level_address(self) -> str:
        """What lies below, alone: for a script."""
        return reverse("tree_body" if self.is_body else "tree_place", args=[self.key])


def my_places(user: User) -> QuerySet[Place]:
    """Return the places of today in the scope of ``user``."""
    return Place.objects.filter(places_in_scope(user, Permission.VIEW), valid_on(timezone.localdate()))


def my_bodies(user: User, permission: Permission = Permission.VIEW) -> QuerySet[Organisation]:
    """Return the bodies of today in the scope of ``user``."""
    return Organisation.objects.filter(organisations_in_scope(user, permission), valid_on(timezone.localdate()))


def coming(user: User) -> Q:
    """Return the condition that a body is founded on a day to come and that ``user`` manages it.

    Nobody else sees it yet, and it counts nowhere.
    """
    not_closed = Q(valid_to=None) | Q(valid_to__gt=F("valid_from"))
    return organisations_in_scope(user, Permission.KEEP) & Q(valid_from__gt=timezone.localdate()) & not_closed


def shown_bodies(user: User, permission: Permission = Permission.VIEW) -> QuerySet[Organisation]:
    """Return the bodies that pages list: those of today, and those to come that ``user`` manages."""
    today = organisations_in_scope(user, permission) & valid_on(timezone.localdate())
    return Organisation.objects.filter(today | coming(user))


def tops(user: User) -> list[Place]:
    """Return the places at which the scope of ``user`` begins."""
    granted = [grant.place_id for grant in user.grants_for(Permission.VIEW)]
    found = list(my_places(user).filter(pk__in=granted).order_by("level", "code"))
    return [place for place in found if not any(place.path.startswith(up.path) for up in found if up != place)]


def whole(user: User, opened: set[str]) -> list[Node]:
    """Return the tree from the top, with the nodes of these keys open."""
    places = tops(user)
    counts = _counts_of(user, places)
    nodes = [_place_node(place, counts[place.code], "") for place in places]
    for place, node in zip(places, nodes, strict=True):
        node.opens = True
        if node.key in opened or len(places) == 1:
            node.children = below_place(user, place, opened)
    return nodes


def opened_by(user: User, code: str = "", body: UUID | None = None) -> set[str]:
    """Return the keys of all nodes on the way down to a place or a body; empty if it is not in scope."""
    keys: set[str] = set()
    if body is not None:
        found = shown_bodies(user).select_related("place", "parent").filter(pk=body).first()
        for _step in range(DEEPEST):
            if found is None:
                break
            keys.add(str(found.pk))
            code = found.place.code
            above = found.parent
            found = shown_bodies(user).select_related("place", "parent").filter(pk=above.pk).first() if above else None
    place = my_places(user).filter(code=code).first() if code else None
    return keys | set(place.ancestor_codes) if place else set()


def below_place(user: User, place: Place, opened: set[str]) -> list[Node]:
    """Return what lies right below a place: the bodies that stand there, then the places in it."""
    today = timezone.localdate()
    up = urlencode({"open": place.code})
    standing = shown_bodies(user).filter(Q(parent=None) | ~Q(parent__place=place), place=place)
    nodes = _bodies(user, standing, opened, up)
    inner = Place.objects.filter(valid_on(today), parent=OuterRef("pk"))
    bodies = Organisation.objects.filter(valid_on(today) | coming(user), place=OuterRef("pk"))
    rows = my_places(user).filter(parent=place).annotate(opens=Exists(inner) | Exists(bodies)).order_by("code")
    counts = counts_below(user, place)
    for child in rows[:PLACES_SHOWN]:
        node = _place_node(child, counts[child.code], up)
        node.opens = child.opens
        if node.key in opened:
            node.children = below_place(user, child, opened)
        nodes.append(node)
    return nodes


def below_body(user: User, body: Organisation, opened: set[str]) -> list[Node]:
    """Return the bodies right below a body."""
    return _bodies(user, shown_bodies(user).filter(parent=body), opened, urlencode({"body": str(body.pk)}))


def _bodies(user: User, rows: QuerySet[Organisation], opened: set[str], up: str) -> list[Node]:
    below = Organisation.objects.filter(valid_on(timezone.localdate()) | coming(user), parent=OuterRef("pk"))
    found = list(rows.annotate(opens=Exists(below)).order_by("name")[:BODIES_SHOWN])
    found.sort(key=lambda body: (KIND_ORDER[body.kind], body.name))
    nodes = []
    for body in found:
        node = Node(
            str(body.pk), body.name, str(Kind(body.kind).label), reverse("organisation", args=[body.pk]), "users",
            is_body=True, opens=body.opens, up=up, begins=body.begins_later,
        )  # fmt: skip
        if node.key in opened:
            node.children = below_body(user, body, opened)
        nodes.append(node)
    return nodes


def _place_node(place: Place, counts: Counter[str], up: str) -> Node:
    return Node(
        place.code, place.short_name, str(Level(place.level).label), reverse("place", args=[place.code]), "map-pin",
        counts=_in_words(place, counts), up=up,
    )  # fmt: skip


def _in_words(place: Place, counts: Counter[str]) -> list[tuple[str, int, str]]:
    """Name the kinds that are there, each with the address of its rows; many are summed up at the end."""
    kinds = sorted(counts, key=lambda kind: KIND_ORDER[kind])
    shown = kinds if len(kinds) <= KINDS_SHOWN + 1 else kinds[:KINDS_SHOWN]
    words = [(str(Kind(kind).label), counts[kind], _list_of(place, kind)) for kind in shown]
    if len(shown) < len(kinds):
        words.append((_("all bodies"), counts.total(), _list_of(place)))
    return words


def _list_of(place: Place, kind: str = "") -> str:
    return f"{reverse('bodies')}?{urlencode({'place': place.code} | ({'kind': kind} if kind else {}))}"


class Part(Func):
    """The part of a text between two separators, counted from one."""

    function = "SPLIT_PART"
    output_field = TextField()


def counts_below(user: User, place: Place) -> dict[str, Counter[str]]:
    """Count the bodies in each place right below ``place`` by kind: one query, whatever lies below.

    Above the county that is many rows, so it is remembered for a minute.
    """
    if place.level >= Level.COUNTY:
        return _count(user, place)
    scope = tuple(sorted(str(grant.pk) for grant in user.grants_for(Permission.VIEW)))
    return remember(("bodies below", place.pk, scope), lambda: _count(user, place))


def _count(user: User, place: Place) -> dict[str, Counter[str]]:
    child = Part(F("place__path"), Value("/"), Value(len(place.ancestor_codes) + 1))
    rows: Any = my_bodies(user).filter(place__path__startswith=place.path).order_by()
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for code, kind, count in rows.values_list(child, "kind").annotate(count=Count("pk")):
        found[code][kind] = count
    return found


def _counts_of(user: User, places: list[Place]) -> dict[str, Counter[str]]:
    """Count the bodies at and below the places at which a scope begins.

    Who sees many provinces would ask for each of them; one pass over all bodies answers for all at once.
    """
    whole = not any(grant.by_organisation for grant in user.grants_for(Permission.VIEW))
    if len(places) > FEW_TOPS and whole and len({place.level for place in places}) == 1:
        codes = tuple(place.code for place in places)
        return remember(("bodies of", codes), lambda: _count_all(codes, len(places[0].ancestor_codes)))
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for place in places:
        for counts in counts_below(user, place).values():
            found[place.code].update(counts)
    return found


def _count_all(codes: tuple[str, ...], depth: int) -> dict[str, Counter[str]]:
    top = Part(F("place__path"), Value("/"), Value(depth))
    rows: Any = Organisation.objects.filter(valid_on(timezone.localdate())).alias(top=top).order_by()
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for code, kind, count in rows.filter(top__in=codes).values_list(top, "kind").annotate(count=Count("pk")):
        found[code][kind] = count
    return found
