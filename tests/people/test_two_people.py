"""Two records that look like one person and are two: kept, not proposed again, taken back."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from tests.people.people_cast import person
from weilu.people.apart import take_back, tell_apart
from weilu.people.merging import duplicates_of, merge, pairs
from weilu.people.models import Person, PersonsApart
from weilu.people.persons import PersonProblem
from weilu.records.models import Event

BORN = dt.date(1985, 3, 21)


@pytest.fixture
def two(world):
    return person(world, birth_date=BORN), person(world, birth_date=BORN)


def proposed():
    return {frozenset(pair) for pair in pairs(Person.objects.all())}


def test_who_was_told_apart_is_proposed_nowhere_again(world, two):
    one, other = two
    third = person(world, birth_date=BORN)
    row = tell_apart(other, one, by=world.clerk)
    assert (row.one, row.other, row.by) == (*sorted(two, key=lambda p: p.pk), world.clerk)
    assert proposed() == {frozenset((one, third)), frozenset((other, third))}
    assert duplicates_of(one, Person.objects.all()) == [third]
    assert duplicates_of(other, Person.objects.all()) == [third]
    assert [event.actor for event in Event.objects.filter(move="apart")] == [world.clerk] * 2


def test_saying_so_twice_keeps_the_first_and_the_database_holds_one_row_a_pair(world, two):
    one, other = two
    first = tell_apart(one, other, by=world.clerk)
    assert tell_apart(other, one, by=world.county_clerk) == first
    assert Event.objects.filter(move="apart").count() == 2
    for pair in ((first.other, first.one), (first.one, first.other)):
        with pytest.raises(IntegrityError), transaction.atomic():
            PersonsApart.objects.create(jurisdiction=world.jurisdiction, one=pair[0], other=pair[1])


def test_taken_back_they_are_proposed_again_and_the_history_keeps_both(world, two):
    row = tell_apart(*two, by=world.clerk)
    take_back(row, by=world.county_clerk)
    assert proposed() == {frozenset(two)}
    assert Event.objects.filter(record_id=two[0].pk, move__in=["apart", "apart_undo"]).count() == 2
    with pytest.raises(PersonProblem):
        take_back(row, by=world.county_clerk)


def test_who_keeps_only_one_of_the_two_decides_nothing(world, two):
    elsewhere = person(world, birth_date=BORN, home=world.other_village)
    for by in (world.clerk, world.stranger):
        with pytest.raises(PersonProblem):
            tell_apart(two[0], elsewhere, by=by)
    row = tell_apart(two[0], elsewhere, by=world.county_clerk)
    with pytest.raises(PersonProblem):
        take_back(row, by=world.clerk)
    with pytest.raises(PersonProblem):
        tell_apart(two[0], two[0], by=None)


def test_a_merge_of_two_who_were_told_apart_ends_that(world, two):
    tell_apart(*two, by=None)
    merge(two[0], into=two[1], by=None)
    assert not PersonsApart.objects.exists()
    with pytest.raises(PersonProblem):
        tell_apart(*(Person.objects.get(pk=row.pk) for row in two), by=None)


def test_many_pairs_told_apart_do_not_hide_a_new_one(world, two):
    for number in range(4):
        same = [person(world, f"王{number}", birth_date=BORN) for _unused in range(2)]
        tell_apart(*same, by=None)
    assert len(pairs(Person.objects.all(), limit=1)) == 1


def test_a_clerk_says_so_and_takes_it_back_in_the_browser(world, sign_in, two):
    one, other = two
    page = sign_in(world.clerk)
    address = f"/people/{one.pk}/merge/?into={other.pk}"
    assert f"/people/{one.pk}/apart/" in page.get(address).content.decode()
    done = page.post(f"/people/{one.pk}/apart/", {"other": str(other.pk)}, follow=True).content.decode()
    assert address not in done
    assert world.clerk.name in done
    row = PersonsApart.objects.get()
    assert world.clerk.name in page.get(address).content.decode()
    assert f"/merge/?into={one.pk}" not in page.get(f"/people/{one.pk}/").content.decode()
    assert sign_in(world.stranger).post(f"/people/apart/{row.pk}/undo/").status_code == 404
    sign_in(world.clerk).post(f"/people/apart/{row.pk}/undo/")
    assert not PersonsApart.objects.exists()
