"""The map changes from a day on: renamed, moved, merged, split; records keep their place, readings go on."""

import datetime as dt
import threading

import pytest
from django.db import connection
from django.utils import timezone, translation

from tests.conftest import place as make_place
from weilu.matters.models import Matter
from weilu.orgs.changes import ChangeError, NewPlace, merge, move, rename, split
from weilu.orgs.models import Grant, Jurisdiction, Level, Organisation, OrganisationChange, Place, PlaceChange, User
from weilu.orgs.roles import Role
from weilu.orgs.scope import in_place
from weilu.orgs.succession import places_today, timeline
from weilu.orgs.taking_back import take_back
from weilu.people.models import Membership, Person
from weilu.people.persons import change_person
from weilu.venues.models import Venue, Zone
from weilu.venues.setup import begin_zones


@pytest.fixture(autouse=True)
def english():
    """Messages are compared as they stand in the source."""
    with translation.override("en"):
        yield


def today() -> dt.date:
    return timezone.localdate()


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def sees(user: User, matter: Matter) -> bool:
    return Matter.objects.visible_to(fresh(user)).filter(pk=matter.pk).exists()


def read(place: Place) -> set:
    return set(Matter.objects.filter(in_place(Place.objects.get(pk=place.pk))).values_list("pk", flat=True))


def again(row):
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
def by(world) -> dict:
    return {"on": today(), "by": world.administrator, "document": "川府函〔2026〕1号"}


def join(world, by, **given):
    """Merge the two townships into one that keeps the first one's code."""
    into = NewPlace(world.township.code, "陵云镇")
    return merge([world.township, world.other_township], into=into, **(by | given))


def test_a_renamed_village_keeps_its_records_under_the_old_name_and_reads_them_under_the_new(world, by):
    matter = world.matter()
    new = rename(world.village, name="金穗新村社区居民委员会", **by)
    assert again(matter).village.short_name == "金穗社区"
    assert (new.short_name, new.code) == ("金穗新村社区", world.village.code)
    later = world.matter(at=new)
    assert read(new) == {matter.pk, later.pk}
    assert read(world.village) == {matter.pk}
    assert again(world.village).valid_to == today()
    assert again(world.grid).parent == new


def test_a_new_code_is_followed_by_the_paths_below(world, by):
    building = make_place("B1", "1号楼", Level.BUILDING, world.grid)
    new = rename(world.township, name="陵江街道", code="510824001", **by)
    assert again(building).path == f"51/5108/510824/510824001/{world.village.code}/{world.grid.code}/B1/"
    assert again(world.village).parent == new
    assert again(world.village).path.startswith(new.path)


def test_a_merged_township_takes_over_villages_bodies_grants_people_and_records(world, by):
    before, beside = world.matter(), world.matter(at=world.other_village)
    new = join(world, by)
    assert {again(world.village).parent, again(world.other_village).parent} == {new}
    assert again(world.other_village).path == f"{new.path}{world.other_village.code}/"
    assert {again(world.office).place, again(world.other_office).place} == {new}
    assert OrganisationChange.objects.get(organisation=world.other_office).columns == {"place": ["云峰镇", "陵云镇"]}
    assert again(before).township == world.township
    assert read(new) == {before.pk, beside.pk}
    assert read(world.other_township) == {beside.pk}
    for clerk in (world.clerk, world.stranger):
        assert sees(clerk, before)
        assert sees(clerk, beside)
    assert not sees(world.far_clerk, before)


def test_a_grant_goes_on_at_the_successor_from_the_day_and_its_past_is_kept(world, by):
    grant = world.stranger.grants.get()
    new = join(world, by)
    rows = world.stranger.grants.order_by("valid_from")
    assert [(row.place, row.valid_from, row.valid_to) for row in rows] == [
        (world.other_township, grant.valid_from, today()),
        (new, today(), None),
    ]
    assert rows[1].pk == grant.pk  # what names the grant, such as a post, goes on naming it


def test_a_matter_of_an_ended_village_can_be_handed_over_by_the_successors_clerk(world, by, sign_in):
    from weilu.matters.queries import grids_for, organisations_for, users_of

    matter = world.matter(at=world.other_village)
    join(world, by)
    assert world.office in organisations_for(fresh(world.stranger), again(matter))
    assert Matter.may(fresh(world.clerk), "triage", again(matter))
    assert set(users_of(again(world.other_township))) == {world.clerk, world.stranger}
    assert list(grids_for(fresh(world.clerk), world.matter(at=again(world.village)))) == [world.grid]


def test_a_village_moves_and_both_townships_see_what_was_before(world, by):
    old, grid_matter = world.matter(), world.matter(at=world.grid)
    new = move(world.village, to=world.other_township, **by)
    assert new.parent == world.other_township
    assert again(world.grid).path == f"{world.other_township.path}{new.code}/{world.grid.code}/"
    later = world.matter(at=new)
    assert later.township == world.other_township
    assert sees(world.stranger, old)
    assert sees(world.stranger, grid_matter)
    assert sees(world.stranger, later)
    assert sees(world.clerk, old)
    assert not sees(world.clerk, later)
    # Readings by township stay as they were that day.
    assert read(world.other_township) == {later.pk}
    assert read(new) == {old.pk, grid_matter.pk, later.pk}


def test_a_village_that_moved_and_moves_back_leaves_nothing_behind(world, by):
    first = world.matter()
    there = move(world.village, to=world.other_township, **by | {"on": today() - dt.timedelta(days=2)})
    during = world.matter(at=there)
    move(there, to=again(world.township), **by)
    assert again(world.other_township).taken_over == []
    assert sees(world.clerk, during)
    assert sees(world.clerk, first)
    assert sees(world.stranger, during)  # recorded in their township
    assert not sees(world.stranger, first)


def test_a_grid_moves_within_its_township_only(world, by):
    beside = make_place("510824100002", "江南社区", Level.VILLAGE, world.township)
    matter = world.matter(at=world.grid)
    clerk = world.user("beside_clerk", Role.VILLAGE_CLERK, beside)
    new = move(world.grid, to=beside, **by | {"on": today() - dt.timedelta(days=1)})
    assert sees(clerk, matter)
    assert sees(world.grid_worker, matter)
    with pytest.raises(ChangeError, match="grid below another village"):
        move(new, to=world.other_village, **by)


def test_a_split_sends_each_thing_where_it_was_told(world, by):
    second = make_place("510824100001-02", "第二网格", Level.GRID, world.village)
    matter = world.matter()
    belongs = {world.grid.pk: 0, second.pk: 1, world.branch.pk: 1}
    belongs |= {grant.pk: 1 for grant in Grant.objects.filter(place=world.village)}
    old, new = split(
        world.village,
        parts=[NewPlace(world.village.code, "金穗社区"), NewPlace("510824100003", "银穗社区")],
        belongs=belongs,
        **by,
    )
    assert again(world.grid).parent == old
    assert again(second).path == f"{new.path}{second.code}/"
    assert again(world.branch).place == new
    assert fresh(world.village_clerk).grants_now[0].place == new
    assert read(old) == read(new) == set()
    assert read(world.village) == {matter.pk}  # it names no grid
    for clerk in (world.village_clerk, world.clerk):
        assert sees(clerk, matter)
    assert places_today(again(world.village)) == [old, new]


def test_a_split_asks_about_everything(world, by):
    parts = [NewPlace(world.village.code, "金穗社区"), NewPlace("510824100003", "银穗社区")]
    with pytest.raises(ChangeError, match="第一网格"):
        split(world.village, parts=parts, belongs={}, **by)
    assert again(world.village).valid_to is None
    assert not PlaceChange.objects.exists()


def test_a_second_change_reaches_back_through_the_first(world, by):
    matter = world.matter()
    first = rename(world.township, name="陵水镇", **by | {"on": today() - dt.timedelta(days=3)})
    second = merge([first, world.other_township], into=NewPlace("510824200", "陵云镇"), **by)
    assert read(second) == {matter.pk}
    assert read(first) == read(world.township) == {matter.pk}  # what it held until it ended
    assert set(second.formerly) == {first.pk, world.township.pk, world.other_township.pk}
    assert [change.kind for change in timeline(second)] == ["merge", "rename"]
    assert places_today(again(world.township)) == [second]


@pytest.mark.parametrize(
    ("days", "message"),
    [(1, "lies ahead"), (-400 * 365, "began on")],
)
def test_a_day_ahead_or_before_the_place_began_is_refused(world, by, days, message):
    on = dt.date(1999, 1, 1) if days < 0 else today() + dt.timedelta(days=days)
    with pytest.raises(ChangeError, match=message):
        rename(world.village, name="新村", **by | {"on": on})


def test_a_place_changes_once_a_day(world, by):
    new = rename(world.village, name="新村", **by)
    with pytest.raises(ChangeError, match="later day"):
        rename(new, name="再新村", **by)
    with pytest.raises(ChangeError, match="ended on"):
        rename(world.village, name="再新村", **by)


def test_what_cannot_be_is_refused_in_words(world, by):
    with pytest.raises(ChangeError, match="belongs to 云峰镇 · 红旗村"):
        rename(world.village, name="新村", code=world.other_village.code, **by)
    with pytest.raises(ChangeError, match="already"):
        rename(world.village, name=world.village.name, **by)
    with pytest.raises(ChangeError, match="below the same place"):
        merge([world.village, world.other_village], into=NewPlace("X", "合村"), **by)
    with pytest.raises(ChangeError, match="two places"):
        merge([world.village, world.village], into=NewPlace("X", "合村"), **by)
    with pytest.raises(ChangeError, match="another county"):
        move(world.village, to=world.far_village.parent, **by)
    with pytest.raises(ChangeError, match="Only townships"):
        rename(world.county, name="新县", **by)
    assert not PlaceChange.objects.exists()


def test_bodies_of_one_name_are_not_put_together(world, by):
    twin = Organisation.objects.create(
        jurisdiction=world.jurisdiction, kind="office", name=world.office.name, place=world.other_township
    )
    with pytest.raises(ChangeError, match=twin.name):
        join(world, by)
    assert again(world.township).valid_to is None


def test_a_mistake_of_today_is_taken_back_wholly(world, by):
    def state():
        places = list(Place.objects.order_by("pk").values_list("pk", "path", "parent", "valid_to", "taken_over"))
        bodies = list(Organisation.objects.order_by("pk").values_list("pk", "place"))
        return places, bodies, list(Grant.objects.order_by("pk").values_list("pk", "place", "valid_from", "valid_to"))

    world.matter()
    before = state()
    join(world, by)
    change = PlaceChange.objects.get()
    take_back(change, by=world.administrator)
    assert state() == before
    move(world.village, to=world.other_township, code="510824101009", **by)
    take_back(PlaceChange.objects.filter(undone_at=None).get(), by=world.administrator)
    assert state() == before
    assert again(change).undone_by == world.administrator
    assert change in timeline(world.township)


def test_what_was_recorded_since_is_not_taken_away(world, by):
    new = join(world, by)
    world.matter(at=new)
    with pytest.raises(ChangeError, match="recorded"):
        take_back(PlaceChange.objects.get(), by=world.administrator)
    assert again(new).valid_to is None


def test_a_change_of_yesterday_stays(world, by):
    join(world, by)
    PlaceChange.objects.update(created_at=timezone.now() - dt.timedelta(days=1))
    with pytest.raises(ChangeError, match="today"):
        take_back(PlaceChange.objects.get(), by=world.administrator)


def test_two_mergers_at_once_do_not_mix(real_world):
    world, outcomes = real_world, []
    start = threading.Barrier(2)

    def one(code: str) -> None:
        start.wait()
        try:
            merge(
                [world.township, world.other_township],
                into=NewPlace(code, f"合并{code}"), on=today(), by=world.administrator,
            )  # fmt: skip
            outcomes.append(code)
        except ChangeError as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(code,)) for code in ("AAA", "BBB")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(code in ("AAA", "BBB") for code in outcomes) == 1
    assert Place.objects.filter(level=Level.TOWNSHIP, parent=world.county, valid_to=None).count() == 1
    assert PlaceChange.objects.count() == 1


def test_lists_of_a_merged_township_are_read_in_order_by_the_countys_index(world, by):
    join(world, by)
    merged = str(Matter.objects.visible_to(fresh(world.clerk)).query)
    plain = str(Matter.objects.visible_to(fresh(world.village_clerk)).query)
    assert '"county_id" = ' in merged.split("WHERE")[1]
    assert '"county_id" = ' not in plain.split("WHERE")[1]


def hall(at: Place, name: str = "议事厅") -> Venue:
    begin_zones(Jurisdiction.of(at))
    zone = Zone.objects.filter(jurisdiction=Jurisdiction.of(at)).first()
    return Venue.objects.create(jurisdiction=Jurisdiction.of(at), zone=zone, place=at, name=name, kind="council_hall")


def test_homes_and_venues_go_on_at_the_successor_and_come_back(world, by):
    person = Person.objects.create(jurisdiction=world.jurisdiction, name="赵大山", home=world.village)
    room = hall(world.village)
    new = rename(world.village, name="新村", **by)
    assert (again(person).home, again(room).place) == (new, new)
    take_back(PlaceChange.objects.get(), by=world.administrator)
    assert (again(person).home, again(room).place) == (world.village, world.village)


def test_venues_of_one_name_are_not_put_together(world, by):
    hall(world.township)
    hall(world.other_township)
    with pytest.raises(ChangeError, match="议事厅"):
        join(world, by)
    assert again(world.township).valid_to is None


def test_what_was_put_elsewhere_since_stays_there_when_a_change_is_taken_back(world, by):
    person = Person.objects.create(jurisdiction=world.jurisdiction, name="搬家", home=world.village)
    stays = Person.objects.create(jurisdiction=world.jurisdiction, name="留下", home=world.village)
    new = rename(world.village, name="新村", **by)
    person = Person.objects.get(pk=person.pk)
    change_person(person, by=world.county_clerk, version=person.version, home=world.other_village)
    assert OrganisationChange.objects.filter(columns__place=[str(world.village), "新村"]).exists()
    take_back(PlaceChange.objects.get(), by=world.administrator)
    assert Person.objects.get(pk=person.pk).home == world.other_village
    assert Person.objects.get(pk=stays.pk).home == world.village
    assert not OrganisationChange.objects.filter(columns__place=[str(world.village), str(new)]).exists()


def test_the_grid_worker_of_a_grid_that_is_renamed_goes_on_with_it(world, by):
    person = Person.objects.create(jurisdiction=world.jurisdiction, name="网格员", home=world.village)
    work = Membership.objects.create(
        person=person, organisation=world.office, kind="grid_worker", place=world.grid, valid_from=dt.date(2024, 1, 1)
    )
    new = rename(world.grid, name="滨江网格", **by)
    assert again(work).place == new
    take_back(PlaceChange.objects.get(), by=world.administrator)
    assert again(work).place == world.grid
