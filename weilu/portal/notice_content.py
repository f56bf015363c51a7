"""What a notice (公示牌) says: who is responsible, what they do, how to reach them, what was settled here lately.

Names stand on it only of those whose post or membership makes them answer to residents: who leads a body, its
secretary, the grid worker. Telephones are the public ones of that post or membership, else the office's; a person's own
number never.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from django.db.models import Q, QuerySet
from django.utils import timezone

from weilu.matters.models import Matter
from weilu.orgs.models import Jurisdiction, Level, Organisation, Place, valid_on
from weilu.orgs.scope import ids_of, in_place
from weilu.people.models import Appointment, Membership
from weilu.portal.models import NoticeText

Kind = NoticeText.Kind
Body = Organisation.Kind

MOST_PEOPLE = 4
MOST_SETTLED = 3
LATELY = dt.timedelta(days=365)

KIND_OF_LEVEL = {
    Level.COUNTY: Kind.COUNTY,
    Level.TOWNSHIP: Kind.TOWNSHIP,
    Level.VILLAGE: Kind.VILLAGE,
    Level.GRID: Kind.GRID,
    Level.BUILDING: Kind.BUILDING,
}
PARTY = (Body.PARTY_COMMITTEE, Body.BRANCH, Body.PARTY_GROUP)
# Bodies whose notice everybody may read. A member's household is somebody's home.
PUBLIC_BODIES = [kind for kind in Body if kind != Body.MEMBER_HOUSEHOLD]
# Whose leaders stand first on the notice of a village or township.
RANK: dict[str, int] = {Body.PARTY_COMMITTEE: 0, Body.COMMUNITY: 1, Body.BRANCH: 2, Body.OFFICE: 3, Body.DEPARTMENT: 3}

# What a county begins with, until it edits the rows.
DUTIES = {
    Kind.COUNTY: "受理全县群众诉求，交办到乡镇和部门，按期答复。",
    Kind.TOWNSHIP: "受理群众诉求，协调处置，办事指引，矛盾调解，民政救助。",
    Kind.VILLAGE: "受理群众诉求，入户走访，代办事项，邻里调解，组织议事协商。",
    Kind.GRID: "每日巡查，采集上报问题，走访住户，宣传政策，帮办代办。",
    Kind.BUILDING: "联系本楼住户，收集诉求，调解邻里小事，照看独居老人。",
    Kind.BRANCH: "联系服务群众，认领群众订单，组织党员活动和志愿服务。",
    Kind.BODY: "在职责范围内为群众服务，接受监督。",
}


@dataclass(frozen=True)
class Responsible:
    """Somebody who answers to residents, as the notice names them.

    Attributes:
        key: ``membership:…`` or ``post:…``, where the public telephone is kept; empty of an office.
        own_phone: whether the telephone is that of the post rather than the office's.
        body: the key of the body that they answer for.
    """

    role: str
    name: str
    phone: str
    key: str
    own_phone: bool
    body: object = None


@dataclass(frozen=True)
class Settled:
    """Something that was settled and published; nothing personal."""

    day: dt.date
    title: str
    outcome: str


@dataclass
class Notice:
    """The notice of a place or a body."""

    kind: str
    title: str
    above: str
    # Where the QR code leads: raising a matter at this place.
    code: str
    duties: str
    hotline: str
    place: Place
    body: Organisation | None = None
    people: list[Responsible] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)

    @property
    def kind_name(self) -> str:
        return str(Kind(self.kind).label)


def duties_of(jurisdiction: Jurisdiction) -> dict[str, str]:
    """Return what those on each kind of notice do, in the county's words or those to begin with."""
    own = dict(NoticeText.objects.filter(jurisdiction=jurisdiction).values_list("kind", "duties"))
    return {str(kind): own.get(kind, text) for kind, text in DUTIES.items()}


class Leaders:
    """Those who answer to residents, of one village or of the bodies that stand at a higher place; two queries."""

    def __init__(self, lookup: str, value: object):
        today = timezone.localdate()
        holders = Appointment.objects.filter(valid_on(today), valid_on(today, "post__"), post__leads=True)
        holders = holders.filter(**{f"post__organisation__{lookup}": value})
        self.posts = list(
            holders.select_related("person", "post__organisation__place").order_by("post__position", "seat")
        )
        kinds = [Membership.Kind.SECRETARY, Membership.Kind.GRID_WORKER]
        members = Membership.objects.filter(valid_on(today), kind__in=kinds, **{f"organisation__{lookup}": value})
        related = ("person", "organisation__place", "place")
        self.members = list(members.select_related(*related).order_by("person__name", "id"))
        self._phones: dict[object, str] = {}

    @classmethod
    def of_village(cls, village: Place) -> "Leaders":
        """Of all bodies in a village, its grids and buildings."""
        return cls("place__path__startswith", village.path)

    @classmethod
    def of_place(cls, place: Place) -> "Leaders":
        """Of the bodies that stand at a township or county itself."""
        return cls("place", place)

    @classmethod
    def of_body(cls, body: Organisation) -> "Leaders":
        """Of one body."""
        return cls("pk", body.pk)

    def reached(self, people: list[Responsible], place: Place) -> list[Responsible]:
        """Give those without a telephone that of the office of their village or community: somebody answers there."""
        if all(person.phone for person in people) or place.level < Level.VILLAGE:
            return people
        village = _village(place)
        if village.pk not in self._phones:
            self._phones[village.pk] = next((row.phone for row in _offices(village, Body.COMMUNITY)), "")
        return [replace(person, phone=person.phone or self._phones[village.pk]) for person in people]

    def _posts(self, bodies: set) -> list[tuple[Organisation, object, Responsible]]:
        found: list[tuple[Organisation, object, Responsible]] = []
        for row in self.posts:
            body = row.post.organisation
            if body.pk in bodies:
                phone = row.post.public_phone
                person = Responsible(
                    _role(body, row.post.title),
                    row.person.name,
                    phone or body.phone,
                    f"post:{row.post_id}",
                    bool(phone),
                    body.pk,
                )
                found.append((body, row.person_id, person))
        return found

    def at(self, place: Place, kinds: set[str] | None = None) -> list[Responsible]:
        """Return those who lead the bodies that stand at exactly this place, the first of them first."""
        bodies = {row.post.organisation_id: row.post.organisation for row in self.posts}
        bodies |= {row.organisation_id: row.organisation for row in self.members}
        here = {
            pk
            for pk, body in bodies.items()
            if body.place_id == place.pk and (body.kind in kinds if kinds else body.kind in PUBLIC_BODIES)
        }
        found = self._posts(here)
        for row in self.members:
            if row.kind == Membership.Kind.SECRETARY and row.organisation_id in here:
                found.append((row.organisation, row.person_id, _member(row)))
        found.sort(key=lambda item: (RANK.get(item[0].kind, 9), item[0].name))
        once: dict[object, Responsible] = {}
        for _body, who, person in found:
            once.setdefault(who, person)  # who chairs two bodies stands on the notice once
        return list(once.values())

    def grid_workers(self, grid: Place) -> list[Responsible]:
        """Return the workers of a grid; where none has it alone, those who walk all grids of the village."""
        workers = [row for row in self.members if row.kind == Membership.Kind.GRID_WORKER]
        own = [row for row in workers if row.place_id == grid.pk]
        return [_member(row) for row in own or [row for row in workers if row.place_id is None]]


def _role(body: Organisation, title: str) -> str:
    return f"{body.name} {title}"


def _member(row: Membership) -> Responsible:
    body = row.organisation
    title = row.get_kind_display()
    role = title if row.kind == Membership.Kind.GRID_WORKER else _role(body, title)
    return Responsible(
        role, row.person.name, row.public_phone or body.phone, f"membership:{row.pk}", bool(row.public_phone), body.pk
    )


def _settled(rows: QuerySet[Matter]) -> list[Settled]:
    public = rows.public().filter(settled_at__gte=timezone.now() - LATELY)  # type: ignore[attr-defined]
    found = public.order_by("-settled_at", "-id").values_list("settled_at", "public_title", "public_outcome")
    return [Settled(timezone.localtime(at).date(), title, outcome) for at, title, outcome in found[:MOST_SETTLED]]


def settled_at(place: Place) -> list[Settled]:
    """Return what was settled at a place lately; a building shows what was settled in its grid."""
    if place.level == Level.BUILDING:
        place = place.parent  # type: ignore[assignment]
    rows = Matter.objects.filter(in_place(place))  # what was settled before it was renamed, merged or split too
    if place.level == Level.GRID:  # published matters are found by their village
        villages = Place.objects.filter(children__in=ids_of(place)).distinct()
        rows = rows.filter(village_id__in={pk for village in villages for pk in ids_of(village)})
    return _settled(rows)


def _village(place: Place) -> Place:
    while place.level > Level.VILLAGE and place.parent:
        place = place.parent
    return place


def leaders_for(place: Place) -> Leaders:
    """Read those who may stand on the notice of ``place``."""
    return Leaders.of_village(_village(place)) if place.level >= Level.VILLAGE else Leaders.of_place(place)


def _offices(place: Place, kind: str) -> list[Organisation]:
    rows = Organisation.objects.filter(valid_on(timezone.localdate()), place=place, kind=kind).exclude(phone="")
    return list(rows.order_by("name")[:MOST_PEOPLE])


def _people(place: Place, leaders: Leaders) -> list[Responsible]:
    if place.level <= Level.TOWNSHIP:
        led = leaders.at(place, {str(Body.PARTY_COMMITTEE), str(Body.OFFICE)})
        named = {person.body for person in led}
        offices = [body for body in _offices(place, Body.OFFICE) if body.pk not in named]
        return [*led, *(Responsible(body.get_kind_display(), body.name, body.phone, "", False) for body in offices)]
    village = leaders.at(_village(place), {str(Body.PARTY_COMMITTEE), str(Body.COMMUNITY)})
    village = village or leaders.at(_village(place), {str(Body.BRANCH)})  # where one branch heads the village
    if place.level == Level.VILLAGE:
        return leaders.reached(village, place)
    grid = place if place.level == Level.GRID else place.parent
    workers = leaders.grid_workers(grid)[:2] if grid else []
    head = leaders.at(place)[:2]
    return leaders.reached([*head, *workers, *village[:1]], place)


def above_of(place: Place) -> str:
    """Return the names above a place up to the township, such as ``陵江镇 金穗社区``."""
    names: list[str] = []
    up = place.parent
    while up and up.level >= Level.TOWNSHIP:
        names.insert(0, up.short_name)
        up = up.parent
    return " ".join(names)


def notice_of(
    place: Place, jurisdiction: Jurisdiction, duties: dict[str, str], leaders: Leaders | None = None
) -> Notice:
    """Put together the notice of a place from county to building; ``place.parent`` is known up to the township."""
    kind = str(KIND_OF_LEVEL[Level(place.level)])
    people = _people(place, leaders or leaders_for(place))
    return Notice(
        kind=kind,
        title=place.name if place.level <= Level.VILLAGE else place.short_name,
        above=above_of(place),
        code=place.code,
        duties=duties[kind],
        hotline=jurisdiction.hotline,
        place=place,
        people=people[:MOST_PEOPLE],
        settled=settled_at(place),
    )


def notice_of_body(body: Organisation, duties: dict[str, str], leaders: Leaders | None = None) -> Notice:
    """Put together the notice of a body; its QR code raises a matter at its place."""
    kind = str(Kind.BRANCH if body.kind in PARTY else Kind.BODY)
    found = leaders or Leaders.of_body(body)
    people = [person for _body, _who, person in found._posts({body.pk})]
    named = {person.name for person in people}
    people += [
        _member(row)
        for row in found.members
        if row.organisation_id == body.pk and row.kind == Membership.Kind.SECRETARY and row.person.name not in named
    ]
    place = body.place
    title = place.short_name if place.level >= Level.TOWNSHIP else ""
    return Notice(
        kind=kind,
        title=body.name,
        above=" ".join(part for part in (above_of(place), title) if part),
        code=place.code,
        duties=duties[kind],
        hotline=body.jurisdiction.hotline,
        place=place,
        body=body,
        people=found.reached(people[:MOST_PEOPLE], place),
        settled=_settled(Matter.objects.filter(handler=body)),
    )


def public_bodies() -> QuerySet[Organisation]:
    """Return the bodies that have a notice today."""
    rows = Organisation.objects.filter(valid_on(timezone.localdate()), kind__in=PUBLIC_BODIES)
    return rows.select_related("jurisdiction", "place__parent__parent__parent")


# --- all notices of a place -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Plan:
    """Which notices a print holds, in their order: a place, then its bodies, then what lies in it."""

    places: list[Place]
    bodies: dict[object, list[Organisation]]

    @property
    def count(self) -> int:
        return len(self.places) + sum(map(len, self.bodies.values()))


def plan(place: Place, kinds: list[str]) -> Plan:
    """List the notices of ``kinds`` for ``place`` and all in it, without reading what they say."""
    today = timezone.localdate()
    levels = [level for level, kind in KIND_OF_LEVEL.items() if kind in kinds]
    below = Place.objects.filter(valid_on(today), path__startswith=place.path, level__gte=Level.COUNTY)
    known = {row.pk: row for row in below.order_by("path")}
    up = place.parent
    while up:
        known[up.pk] = up
        up = up.parent
    for row in known.values():
        if row.parent_id in known:
            row.parent = known[row.parent_id]
    wanted = Q(kind__in=[])
    if Kind.BRANCH in kinds:
        wanted |= Q(kind__in=PARTY)
    if Kind.BODY in kinds:
        wanted |= Q(kind__in=PUBLIC_BODIES) & ~Q(kind__in=PARTY)
    bodies: dict[object, list[Organisation]] = {}
    for body in public_bodies().filter(wanted, place__path__startswith=place.path).order_by("kind", "name"):
        body.place = known.get(body.place_id, body.place)
        bodies.setdefault(body.place_id, []).append(body)
    inside = [row for row in known.values() if row.path.startswith(place.path)]
    return Plan([row for row in inside if row.level in levels], bodies)


def notices_of(found: Plan, jurisdiction: Jurisdiction) -> Iterator[Notice]:
    """Yield the notices of a plan, one village's people read at a time."""
    duties = duties_of(jurisdiction)
    around: tuple[object, Leaders] | None = None
    left = dict(found.bodies)
    for place in found.places:
        area = _village(place)
        if around is None or around[0] != area.pk:
            around = (area.pk, leaders_for(place))
        yield notice_of(place, jurisdiction, duties, around[1])
        for body in left.pop(place.pk, []):
            yield notice_of_body(body, duties, around[1])
    for bodies in left.values():  # of places whose own notice was not wanted
        for body in bodies:
            yield notice_of_body(body, duties)
