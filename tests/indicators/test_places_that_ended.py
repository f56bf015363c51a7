"""A place that has ended can still be asked for: for the time before, it reads as it read then."""

import datetime as dt

import pytest
from django.utils import timezone

from tests.conftest import place as make_place
from tests.things import in_post, rooms, some
from weilu.indicators.catalogue import catalogue
from weilu.indicators.live import rows_of
from weilu.indicators.reading import read, ways
from weilu.lib.period import Period
from weilu.orgs.bodies import make_body
from weilu.orgs.changes import NewPlace, merge, move, rename, split
from weilu.orgs.models import Grant, Level, Organisation, Place
from weilu.orgs.succession import asked_in_split
from weilu.people.closing import close_with_people
from weilu.people.models import Membership, Person

TODAY = timezone.localdate()
LONG_AGO = TODAY - dt.timedelta(days=900)
THEN = Period.of(f"{TODAY - dt.timedelta(days=60):%Y-%m}")
YEARS = Period.of(f"{TODAY.year - 1}-{TODAY.year}")


def make_neighbour(world) -> Place:
    other = make_place(f"{world.township.code}002", "邻村", Level.VILLAGE, world.township)
    make_place(f"{other.code}-01", "邻村网格", Level.GRID, other)
    Person.objects.create(jurisdiction=world.jurisdiction, name="邻人", home=other)
    world.matter(at=other)
    return other


@pytest.fixture
def lived_in(world) -> Place:
    """A village where everything stands that figures count, since long ago."""
    some(world)
    rooms(world)
    in_post(world)
    team, committee = (
        make_body(place=world.village, kind=kind, name=name, by=None, since=LONG_AGO)
        for kind, name in (
            (Organisation.Kind.VOLUNTEERS, "邻里队"),
            (Organisation.Kind.COMMUNITY, "居委会"),
        )
    )
    for home in (world.village, world.grid):
        person = Person.objects.create(jurisdiction=world.jurisdiction, name="党员", home=home)
        for kind, body in (("member", world.branch), ("volunteer", team), ("grid_worker", committee)):
            Membership.objects.create(person=person, organisation=body, kind=kind, valid_from=LONG_AGO)
    for at in (world.village, world.grid, world.township):
        world.matter(at=at)
    make_neighbour(world)
    Place.objects.update(valid_from=LONG_AGO)
    Grant.objects.update(valid_from=LONG_AGO)
    Organisation.objects.update(valid_from=LONG_AGO)
    return world.village


def merged(world) -> None:
    other = Place.objects.get(name="邻村")
    merge([world.village, other], into=NewPlace(world.village.code, "合并村"), on=TODAY, by=None)


def renamed_and_merged(world) -> None:
    new = rename(world.village, name="新村", on=TODAY - dt.timedelta(days=1), by=None)
    other = Place.objects.get(name="邻村")
    merge([other, new], into=NewPlace(other.code, "合并村"), on=TODAY, by=None)


def parted(world) -> None:
    names = [NewPlace(world.village.code, "东村"), NewPlace(f"{world.township.code}666", "西村")]
    asked = asked_in_split(world.village, TODAY)
    split(world.village, parts=names, belongs={key: at % 2 for at, (key, _) in enumerate(asked)}, on=TODAY, by=None)


def moved_and_its_grid_merged(world) -> None:
    new = move(world.village, to=world.other_township, on=TODAY - dt.timedelta(days=1), by=None)
    second = make_place(f"{new.code}-09", "第九网格", Level.GRID, new)
    Place.objects.filter(pk=second.pk).update(valid_from=TODAY - dt.timedelta(days=1))
    merge([Place.objects.get(pk=world.grid.pk), Place.objects.get(pk=second.pk)],
          into=NewPlace(f"{new.code}-10", "大网格"), on=TODAY, by=None)  # fmt: skip


CHANGES = [merged, renamed_and_merged, parted, moved_and_its_grid_merged]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_every_figure_of_the_time_before_reads_as_it_did(world, lived_in, change):
    def readings() -> dict[str, tuple]:
        place = Place.objects.get(pk=lived_in.pk)
        found = {}
        for code, indicator in catalogue().items():
            for period in (THEN, YEARS):
                whole = read(indicator, place, period).whole
                assert rows_of(indicator, place, period).count() == whole.rows
                if period is THEN or not indicator.stock:
                    found[code, str(period)] = (whole.rows, whole.value)
        return found

    before = readings()
    assert len([key for key, (rows, _value) in before.items() if rows]) > 10
    change(world)
    after = readings()
    assert {key: after[key] for key in after if after[key] != before[key]} == {}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_its_parts_add_up_to_it(world, lived_in, change):
    change(world)
    place = Place.objects.get(pk=lived_in.pk)
    for code in ("matters.raised", "people.members"):
        indicator = catalogue()[code]
        if "grid" in ways(indicator, place):
            reading = read(indicator, place, YEARS, "grid")
            assert sum(part.rows for part in reading.parts) == reading.whole.rows


def test_its_page_says_until_when_it_was_and_its_links_stay_with_it(world, lived_in, sign_in):
    merged(world)
    client = sign_in(world.administrator)
    page = client.get(f"/figures/matters.raised/?place={lived_in.pk}").content.decode()
    assert f"（至{TODAY}）" in page
    assert f"place={lived_in.pk}" in page
    assert f"place={lived_in.code}&" not in page


def test_what_ended_before_a_split_is_in_no_part_that_has_ended(world, lived_in):
    team = Organisation.objects.get(name="邻里队")
    close_with_people(team, by=None, on=TODAY - dt.timedelta(days=10))
    parted(world)
    east, west = Place.objects.filter(name__in=["东村", "西村"], valid_to=None).order_by("name")
    Place.objects.filter(pk__in=[east.pk, west.pk]).update(valid_from=TODAY - dt.timedelta(days=1))
    teams = catalogue()["bodies.volunteer_teams"]

    def both() -> list[int]:
        return [read(teams, Place.objects.get(pk=place.pk), THEN).whole.rows for place in (east, west)]

    before = both()
    for place, name in ((east, "东一村"), (west, "西一村")):
        rename(place, name=name, on=TODAY, by=None)
    assert both() == before


def test_it_is_not_compared_with_those_of_today(world, lived_in, sign_in):
    merged(world)
    address = f"/figures/matters.raised/compare/?place={lived_in.pk}&kind=siblings"
    page = sign_in(world.administrator).get(address).content.decode()
    assert "中位数" not in page.partition("<main")[2].partition("compare-form")[0]
    assert "排第" not in page
