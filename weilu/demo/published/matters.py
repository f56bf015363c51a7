"""What was asked for and settled in the invented city in 2022: services that members took as orders, matters of the
platform, and hard problems of villages; and some of each kind that a published figure does not count.
"""

import datetime as dt
import tomllib
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from weilu.demo.published.bodies import BUREAUS
from weilu.demo.published.plan import COUNTY, District, Plan, spread
from weilu.demo.published.writing import Case, Person, Spot, Writer
from weilu.matters.models import Channel
from weilu.orgs.models import Grant, Jurisdiction, Level, Organisation, Place
from weilu.orgs.roles import Role
from weilu.people.models import Membership
from weilu.records.calendar import BEIJING, is_working_day

TEXTS = Path(__file__).parents[1] / "data" / "roads.toml"
BATCH = 5_000
FIRST, LAST = dt.date(2022, 2, 1), dt.date(2022, 12, 14)
OPENS, MINUTES = 9 * 60 + 1, 470  # the first minute of a day in which matters come in, and how many there are
PLATFORM = (Channel.WEB, Channel.QR, Channel.HOTLINE)
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
# How many more there are, at full size, that the published figures do not count.
OF_VOLUNTEERS, ON_VISITS, ON_THE_SPOT = 3_000, 400, 70
Make = Callable[[int], Case]


@cache
def texts() -> dict[str, list[dict[str, str]]]:
    """Return what residents say, by kind."""
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))


@cache
def days() -> list[dt.date]:
    """Return the working days on which matters come in."""
    span = range((LAST - FIRST).days + 1)
    return [day for each in span if is_working_day(day := FIRST + dt.timedelta(days=each))]


def moment(index: int, among: int) -> dt.datetime:
    """Return when the matter of an index comes in: in order, spread over the working time of the year."""
    day, minute = divmod(index * len(days()) * MINUTES // among, MINUTES)
    return dt.datetime.combine(days()[day], dt.time(*divmod(OPENS + minute, 60)), BEIJING)


class Ground:
    """Who and what stands in a district or the county."""

    def __init__(self, code: str):
        self.code = code
        self.jurisdiction = Jurisdiction.objects.select_related("place").get(place__code=code)

    @cached_property
    def places(self) -> dict[Any, Place]:
        rows = Place.objects.filter(path__startswith=self.jurisdiction.place.path, valid_to=None)
        return {row.pk: row for row in rows}

    def spot(self, place: Place) -> Spot:
        """Return a grid, village or community as the columns of a record."""
        grid = place if place.level == Level.GRID else None
        village = self.places[place.parent_id] if grid else place
        township: Any = village.parent_id
        return Spot(township, village.pk, grid.pk if grid else None, village.short_name)

    @cached_property
    def clerks(self) -> dict[Any, Person]:
        """One who dispatches, by the key of the village or community."""
        rows = Grant.objects.filter(role=Role.VILLAGE_CLERK, jurisdiction=self.jurisdiction).select_related("user")
        return {row.place_id: Person(row.user_id, row.user.name) for row in rows.order_by("-user__username")}

    @cached_property
    def committees(self) -> dict[Any, tuple[Any, str]]:
        rows = Organisation.objects.filter(jurisdiction=self.jurisdiction, kind=Organisation.Kind.COMMUNITY)
        return {row.place_id: (row.pk, row.name) for row in rows}

    def takers(self, kind: Membership.Kind) -> list[tuple[Person, Spot, tuple[Any, str]]]:
        """Return those who take orders: account, place and body."""
        rows = Membership.objects.filter(kind=kind, organisation__jurisdiction=self.jurisdiction)
        names = ("person__user", "person__name", "organisation", "organisation__name", "organisation__place")
        spots: dict[Any, Spot] = {}
        found = []
        for user, name, body, title, place in rows.order_by("organisation__name", "pk").values_list(*names).iterator():
            spot = spots.get(place) or spots.setdefault(place, self.spot(self.places[place]))
            found.append((Person(user, name), spot, (body, title)))
        return found


def orders(ground: Ground, kind: Membership.Kind, total: int) -> Make:
    """Return what makes the orders of a district: each member in turn takes one."""
    takers, said = ground.takers(kind), texts()["service"]
    channel = Channel.IMPORT if kind == Membership.Kind.REPORTED else Channel.VISIT

    def make(index: int) -> Case:
        who, spot, body = takers[index % len(takers)]
        after = (20 * MINUTE + index % 40 * MINUTE, HOUR + index % 90 * MINUTE, (18 + index % 30) * HOUR)
        rating = 5 - (index % 7 == 3) if index % 3 else 0
        return Case(
            f"figures:{kind}:{index}", moment(index, total), spot, said[index % len(said)], channel, body,
            ground.clerks[spot.village], who, True, after, rating, public=False,
        )  # fmt: skip

    return make


def matters(ground: Ground, total: int, counted: int) -> Make:
    """Return what makes the matters of a district: those of the platform, then those noted on visits."""
    spots = [ground.spot(row) for row in ground.places.values() if row.level == Level.VILLAGE]
    said = texts()["problem"]

    def make(index: int) -> Case:
        spot = spots[index % len(spots)]
        clerk = ground.clerks[spot.village]
        visit = is_left_out(index, counted, total)
        after = (HOUR + index % 120 * MINUTE, 2 * HOUR + index % 77 * MINUTE, (8 + index * 13 % 150) * HOUR)
        return Case(
            f"figures:matter:{index}", moment(index, total), spot, said[index % len(said)],
            Channel.VISIT if visit else PLATFORM[index % 3], ground.committees[spot.village], clerk, clerk, False,
            after, rating=(5, 4, 5, 0, 5, 3)[index % 6], public=True,
        )  # fmt: skip

    return make


def is_left_out(index: int, counted: int, total: int) -> bool:
    """Tell whether an index is one of those that do not count, spread evenly among the others."""
    return (index + 1) * counted // total == index * counted // total


def hard_problems(ground: Ground, plan: Plan, total: int, counted: int) -> Make:
    """Return what makes the county's hard problems, settled by bureaus; and some that a village settled itself."""
    village = {row.code: row for row in ground.places.values()}
    spots = [ground.spot(village[each.code]) for each in plan.villages]
    rows = Grant.objects.filter(
        role=Role.COUNTY_DEPARTMENT, jurisdiction=ground.jurisdiction, organisation__name__in=BUREAUS
    )
    hands: dict[str, tuple[Person, tuple[Any, str]]] = {
        row.organisation.name: (Person(row.user_id, row.user.name), (row.organisation_id, row.organisation.name))
        for row in rows.select_related("user", "organisation")
        if row.organisation
    }
    desk = Grant.objects.select_related("user").get(user__username="figures-desk")
    clerk, said = Person(desk.user_id, desk.user.name), texts()["difficult"]

    def make(index: int) -> Case:
        spot = spots[index % len(spots)]
        who, body = hands[BUREAUS[index % len(BUREAUS)]]
        if is_left_out(index, counted, total):
            who, body = clerk, ground.committees[spot.village]
        after = (2 * HOUR, 3 * HOUR + index % 60 * MINUTE, (20 + index * 17 % 160) * HOUR)
        return Case(
            f"figures:matter:{index}", moment(index, total), spot, said[index % len(said)], Channel.VISIT, body, clerk,
            who, False, after, rating=(5, 5, 4, 0)[index % 4], public=True,
        )  # fmt: skip

    return make


# What is to be written, batch by batch.

Batch = tuple[str, int, Callable[[], None]]


def _batches(name: str, code: str, total: int, maker: Callable[[], tuple[Writer, Make]]) -> Iterator[Batch]:
    """Yield a name, a count and what writes them, for each batch; what they need is looked up once, and when needed."""
    made: list[tuple[Writer, Make]] = []

    def write(first: int, last: int) -> None:
        if not made:
            made.append(maker())
        writer, make = made[0]
        writer.write(make(index) for index in range(first, last))

    for first in range(0, total, BATCH):
        last = min(total, first + BATCH)
        yield f"{name} {code} {first}", last - first, lambda first=first, last=last: write(first, last)


def of_district(plan: Plan, district: District) -> Iterator[Batch]:
    """Yield the batches of a district."""
    among, at = len(plan.districts), district.index
    services = spread(plan.numbers["F15"], among)[at]
    others = spread(max(among, plan.share(OF_VOLUNTEERS)), among)[at]
    counted = spread(plan.numbers["F25"], among)[at]
    total = counted + spread(max(among, plan.share(ON_VISITS)), among)[at]
    ground = cache(lambda: Ground(district.code))
    writer = cache(lambda: Writer(ground().jurisdiction))
    kind = Membership.Kind
    yield from _batches("matters", district.code, total, lambda: (writer(), matters(ground(), total, counted)))
    yield from _batches(
        "orders", district.code, others, lambda: (writer(), orders(ground(), kind.VOLUNTEER, others))
    )  # fmt: skip
    yield from _batches(
        "services", district.code, services, lambda: (writer(), orders(ground(), kind.REPORTED, services))
    )  # fmt: skip


def of_county(plan: Plan) -> Iterator[Batch]:
    """Yield the batches of the county."""
    counted = plan.numbers["F55"]
    total = counted + plan.share(ON_THE_SPOT)

    def maker() -> tuple[Writer, Make]:
        ground = Ground(COUNTY)
        return Writer(ground.jurisdiction), hard_problems(ground, plan, total, counted)

    yield from _batches("problems", COUNTY, total, maker)
