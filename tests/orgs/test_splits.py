"""After a split every record is counted once: in a part, or in what ended; whoever saw it goes on seeing it."""

import random

import pytest
from django.utils import timezone

from tests.conftest import place as make_place
from tests.venues.conftest import make_hall
from weilu.indicators.catalogue import catalogue
from weilu.indicators.live import narrowed, rows_of
from weilu.indicators.reading import read
from weilu.lib.period import Period
from weilu.matters.maps import heat
from weilu.matters.models import Matter
from weilu.orgs.changes import ChangeError, NewPlace, merge, move, rename, split
from weilu.orgs.models import Level, Place, PlaceChange, User
from weilu.orgs.roles import Role
from weilu.orgs.scope import in_place
from weilu.orgs.succession import asked_in_split
from weilu.orgs.taking_back import take_back
from weilu.people.models import Person

YEAR = timezone.localdate().year


@pytest.fixture
def by(world) -> dict:
    return {"on": timezone.localdate(), "by": world.administrator}


def fresh(place: Place) -> Place:
    return Place.objects.get(pk=place.pk)


def count(place: Place) -> int:
    place = fresh(place)
    counted = Matter.objects.filter(in_place(place)).count()
    figure = read(catalogue()["matters.raised"], place, Period.of(str(YEAR))).whole
    assert figure.rows == counted
    return counted_among(place).count()


def counted_among(place: Place):
    """The matters of a place among others, each counted once."""
    return Matter.objects.filter(in_place(place, beside=True))


def by_level(place: Place, level: str) -> dict[str, int]:
    """Return the rows of each group, having looked that as many rows stand behind it."""
    indicator, period = catalogue()["matters.raised"], Period.of(str(YEAR))
    reading = read(indicator, fresh(place), period, level)
    for part in reading.parts:
        assert narrowed(indicator, rows_of(indicator, fresh(place), period), level, part.key).count() == part.rows
    assert sum(part.rows for part in reading.parts) == reading.whole.rows
    assert len({part.key for part in reading.parts}) == len(reading.parts)
    return {part.name: part.rows for part in reading.parts}


def parted(place: Place, parts: list[NewPlace], went, **by) -> list[Place]:
    """Split a place; ``went`` says for each place below it in which part it goes on, the rest stays in the first."""
    asked = dict(asked_in_split(place, by["on"]))
    return split(place, parts=parts, belongs={key: went.get(key, 0) for key in asked}, **by)


def two_of(world, by) -> tuple[Place, list[Place]]:
    """Split the township; its second village goes on in the second part."""
    second = make_place("510824100002", "江南社区", Level.VILLAGE, world.township)
    for at, times in ((world.township, 1), (world.village, 2), (world.grid, 3), (second, 4)):
        for _time in range(times):
            world.matter(at=at)
    names = [NewPlace("510824100", "陵江镇"), NewPlace("510824109", "江南镇")]
    return second, parted(world.township, names, {second.pk: 1}, **by)


def test_the_parts_and_what_ended_add_up_to_the_whole(world, by):
    _second, [north, south] = two_of(world, by)
    world.matter(at=world.other_village)
    assert [count(place) for place in (north, south, world.township)] == [5, 4, 1]
    groups = by_level(world.county, "township")
    day = timezone.localdate().isoformat()
    assert groups == {"陵江镇": 5, "江南镇": 4, f"原陵江镇（至{day}）": 1, "云峰镇": 1}
    assert count(world.county) == 11
    assert by_level(north, "village") == {"金穗社区": 5}
    counts = {row.name: row.count for row in heat(world.administrator, world.county, Level.TOWNSHIP, 30)}
    assert counts == groups


def test_clerks_of_both_parts_go_on_seeing_all_of_before(world, by, sign_in):
    _second, [_north, south] = two_of(world, by)
    other = world.user("south_clerk", Role.TOWNSHIP_CLERK, south)
    for user in (world.clerk, other):
        assert Matter.objects.visible_to(User.objects.get(pk=user.pk)).count() == 10
    page = sign_in(other).get(f"/places/{south.code}/").content.decode()
    assert f"/places/then/{world.township.pk}/" in page
    page = sign_in(other).get(f"/matters/?tab=all&place={world.township.pk}").content.decode()
    assert page.count("/matters/CX-") >= 1
    assert "江南镇" in page


def test_a_village_that_moves_after_the_split_leaves_its_old_records_where_they_were(world, by):
    second, [north, south] = two_of(world, by)
    move(fresh(second), to=fresh(north), **by)
    assert [count(place) for place in (north, south, world.township)] == [5, 4, 1]
    assert sum(by_level(world.county, "township").values()) == 10


def test_a_village_split_without_grids_keeps_its_records_for_itself(world, by):
    for _time in range(2):
        world.matter()
    world.matter(at=world.grid)
    names = [NewPlace("510824100001", "金穗社区"), NewPlace("510824100007", "银穗社区")]
    gold, silver = parted(world.village, names, {world.grid.pk: 1}, **by)
    assert [count(place) for place in (gold, silver, world.village)] == [0, 1, 2]
    assert count(world.township) == 3
    assert sorted(by_level(world.township, "village").values()) == [1, 2]


def test_a_split_that_is_taken_back_leaves_nothing(world, by):
    _second, [north, _south] = two_of(world, by)
    take_back(north.begun_by, by=world.administrator)
    assert count(world.township) == 10
    assert fresh(world.township).split_away is None
    assert by_level(world.county, "township") == {"陵江镇": 10}


@pytest.mark.parametrize("seed", range(6))
def test_after_any_changes_every_matter_is_counted_exactly_once(world, seed):
    """Split, merge, rename, move at random, with matters in between: today's places and what split hold each once."""
    chance = random.Random(seed)
    day = timezone.localdate() - timezone.timedelta(days=40)
    made = 0

    def today(level: Level, **where) -> list[Place]:
        return list(Place.objects.filter(level=level, valid_to=None, path__startswith=world.county.path, **where))

    for _step in range(14):
        day += timezone.timedelta(days=1)
        by = {"on": day, "by": None}
        for _matter in range(3):
            level = chance.choice([Level.TOWNSHIP, Level.VILLAGE, Level.GRID])
            world.matter(at=chance.choice(today(level) or today(Level.VILLAGE)))
            made += 1
        level = chance.choice([Level.TOWNSHIP, Level.VILLAGE, Level.VILLAGE])
        place = chance.choice(today(level))
        deed = chance.choice(["split", "split", "merge", "rename", "move"])
        beside = [row for row in today(level, parent=place.parent) if row != place]
        code = f"{seed}{_step:02}"
        if deed == "split":
            below = Place.objects.filter(parent=place, valid_to=None)
            went = {row.pk: chance.randint(0, 1) for row in below}
            parted(place, [NewPlace(place.code, f"甲{code}"), NewPlace(f"P{code}", f"乙{code}")], went, **by)
        elif deed == "merge" and beside:
            merge([place, chance.choice(beside)], into=NewPlace(place.code, f"合{code}"), **by)
        elif deed == "move" and level == Level.VILLAGE and len(today(Level.TOWNSHIP)) > 1:
            to = chance.choice([row for row in today(Level.TOWNSHIP) if row.pk != place.parent_id])
            move(place, to=to, **by)
        else:
            rename(place, name=f"新{code}", **by)
        for level in (Level.TOWNSHIP, Level.VILLAGE):
            column = level.name.lower()
            named = Matter.objects.exclude(**{column: None}).values_list("pk", flat=True)
            places = today(level) + list(Place.objects.filter(level=level).exclude(split_away=None))
            found = [pk for row in places for pk in counted_among(row).values_list("pk", flat=True)]
            assert sorted(found) == sorted(named)
    for level in ("township", "village"):
        assert sum(by_level(world.county, level).values()) == made


def test_homes_and_venues_go_on_where_the_split_was_told(world, by, sign_in):
    hall = make_hall(world)
    office = make_hall(world, name="服务站")
    for number, home in enumerate([world.village, world.village, world.grid]):
        Person.objects.create(jurisdiction=world.jurisdiction, name=f"村民{number}", home=home)
    asked = dict(asked_in_split(world.village, by["on"]))
    assert str(asked["people.person.home"]).startswith("登记在此地、未登记到下级地点的2人")
    page = sign_in(world.administrator).get(f"/places/{world.village.code}/change/split/").content.decode()
    assert f'name="belongs_{hall.pk}"' in page
    assert 'name="belongs_people.person.home"' in page
    names = [NewPlace(world.village.code, "金穗社区"), NewPlace("510824100003", "银穗社区")]
    went = {hall.pk: 1, "people.person.home": 1}
    first, second = parted(world.village, names, went, **by)
    hall.refresh_from_db(), office.refresh_from_db()
    assert (hall.place, office.place) == (second, first)
    assert [person.home for person in Person.objects.order_by("name")] == [second, second, world.grid]
    take_back(PlaceChange.objects.get(), by=world.administrator)
    hall.refresh_from_db()
    assert hall.place == world.village
    assert Person.objects.filter(home=world.village).count() == 2


def test_a_split_asks_about_homes_and_venues_too(world, by):
    hall = make_hall(world)
    names = [NewPlace(world.village.code, "金穗社区"), NewPlace("510824100003", "银穗社区")]
    belongs = {key: 0 for key, _row in asked_in_split(world.village, by["on"]) if key != hall.pk}
    with pytest.raises(ChangeError, match="议事厅"):
        split(world.village, parts=names, belongs=belongs, **by)
