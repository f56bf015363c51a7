"""Two records of one person become one, and exactly two again."""

import datetime as dt
import threading

import pytest
from django.db import connection
from django.utils import timezone

from tests.people.people_cast import id_number, person
from weilu.indicators.catalogue import catalogue
from weilu.indicators.reading import read
from weilu.lib.period import Period
from weilu.orgs.models import Grant
from weilu.orgs.roles import Role
from weilu.people.appointments import appoint, make_post
from weilu.people.honours import award
from weilu.people.merging import duplicates_of, merge, pairs, undo_merge
from weilu.people.models import Appointment, Honour, Membership, Person, PersonMerge
from weilu.people.persons import PersonChanged, PersonProblem, change_person

DAY = dt.date(2020, 1, 1)


@pytest.fixture
def two(world):
    one = person(world, id_number=id_number("19850321", 12), education="大专")
    other = person(world, birth_date=dt.date(1985, 3, 21), phone="13800000000")
    return one, other


def state():
    """All that a merge could touch, but the versions."""
    left_out = {"version", "id_number", "phone"}
    rows = [{k: v for k, v in row.items() if k not in left_out} for row in Person.objects.order_by("pk").values()]
    numbers = [(row.id_number, row.phone) for row in Person.objects.order_by("pk")]
    tables = [list(model.objects.order_by("pk").values()) for model in (Membership, Appointment, Honour)]
    return rows, numbers, tables


def test_a_merge_moves_everything_and_undoing_it_restores_exactly(world, two):
    one, other = two
    one.user = world.member
    one.save()
    Membership.objects.create(person=one, organisation=world.branch, kind="member", valid_from=DAY)
    Membership.objects.create(person=one, organisation=world.office, kind="staff", valid_from=DAY)
    Membership.objects.create(person=other, organisation=world.office, kind="staff", valid_from=DAY)
    appoint(make_post(world.branch, title="书记", by=None), person=one, by=None, since=DAY)
    award(one, title="优秀党员", level=4, body="县委", document="1号", awarded_on=DAY, by=None)
    award(one, title="劳动模范", level=3, body="市委", document="1号", awarded_on=DAY, by=None)
    award(other, title="劳动模范", level=3, body="市委", document="1号", awarded_on=DAY, by=None)
    before = state()

    row = merge(one, into=other, by=world.clerk, versions=(one.version, other.version))
    other.refresh_from_db()
    assert (other.id_number, other.education, other.user) == (id_number("19850321", 12), "大专", world.member)
    assert (other.sex, other.phone) == ("female", "13800000000")
    assert other.memberships.count() == 2  # what stood in both is one
    assert other.appointments.count() == 1
    assert sorted(other.honours.values_list("title", flat=True)) == ["优秀党员", "劳动模范"]
    assert Person.objects.current().get() == other

    undo_merge(row, by=world.clerk)
    assert state() == before


def test_what_was_entered_or_changed_since_stays_with_the_record_it_was_entered_for(world, two):
    one, other = two
    row = merge(one, into=other, by=None)
    change_person(other, by=None, version=None, education="本科")
    Membership.objects.create(person=other, organisation=world.office, kind="staff", valid_from=DAY)
    undo_merge(row, by=None)
    other.refresh_from_db()
    assert (other.education, other.id_number) == ("本科", "")
    assert other.memberships.count() == 1


def test_memberships_one_after_the_other_do_not_clash(world, two):
    one, other = two
    middle = dt.date(2022, 1, 1)
    Membership.objects.create(person=one, organisation=world.office, kind="staff", valid_from=DAY, valid_to=middle)
    Membership.objects.create(person=other, organisation=world.office, kind="staff", valid_from=middle)
    merge(one, into=other, by=None)
    assert other.memberships.count() == 2


def test_the_account_that_comes_along_gets_the_role_of_a_post_and_loses_it_again(world, two):
    one, other = two
    one.user = world.member
    one.save()
    post = make_post(world.office, title="主任", by=None, role="township_clerk", since=DAY)
    appoint(post, person=other, by=None, since=DAY)
    row = merge(one, into=other, by=None)
    grant = Grant.objects.get(user=world.member, role="township_clerk")
    undo_merge(row, by=None)
    grant.refresh_from_db()
    assert grant.valid_to == grant.valid_from
    assert Appointment.objects.get().grant is None


def test_two_accounts_stay_apart(world, two):
    one, other = two
    Person.objects.filter(pk=one.pk).update(user=world.member)
    Person.objects.filter(pk=other.pk).update(user=world.second_member)
    merge(one, into=other, by=None)
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.user, other.user) == (world.member, world.second_member)


def test_two_different_id_numbers_are_two_people(world):
    one, other = person(world, id_number=id_number("19850321")), person(world, id_number=id_number("19850321", 3))
    with pytest.raises(PersonProblem):
        merge(one, into=other, by=None)
    assert duplicates_of(one, Person.objects.all()) == []
    assert pairs(Person.objects.all()) == []


def test_refusals_change_nothing(world, two):
    one, other = two
    far = person(world, home=world.far_village)
    neighbour = person(world, home=world.other_village)
    before = state()
    for mine, into, by in (
        (one, one, None),
        (one, far, None),
        (one, neighbour, world.clerk),
        (one, other, world.stranger),
    ):
        with pytest.raises(PersonProblem):
            merge(mine, into=into, by=by)
    with pytest.raises(PersonChanged):
        merge(one, into=other, by=world.clerk, versions=(one.version, 99))
    assert state() == before


def test_neither_a_merged_record_nor_one_that_others_were_merged_into_is_merged_on(world, two):
    one, other = two
    merge(one, into=other, by=None)
    third = person(world)
    with pytest.raises(PersonChanged):
        merge(one, into=third, by=None)
    with pytest.raises(PersonProblem):
        merge(other, into=third, by=None)
    with pytest.raises(PersonProblem):
        change_person(one, by=None, version=None, education="x")


def test_a_merge_is_undone_once_and_may_be_made_again(world, two):
    one, other = two
    row = merge(one, into=other, by=None)
    undo_merge(row, by=None)
    with pytest.raises(PersonProblem):
        undo_merge(row, by=None)
    merge(one, into=other, by=None)
    assert PersonMerge.objects.filter(undone_at=None).count() == 1


def test_undoing_is_refused_where_the_number_was_given_to_another(world, two):
    one, other = two
    row = merge(one, into=other, by=None)
    change_person(other, by=None, version=None, id_number="")
    person(world, "别人", id_number=id_number("19850321", 12))
    with pytest.raises(PersonProblem):
        undo_merge(row, by=None)
    one.refresh_from_db()
    assert one.merged_into == other


def test_same_name_and_birth_date_or_the_same_telephone_are_proposed(world, two):
    one, other = two
    by_phone = person(world, "李方", phone="13800000000")
    assert duplicates_of(one, Person.objects.all()) == [other]
    assert set(duplicates_of(other, Person.objects.all())) == {one, by_phone}
    assert {frozenset(pair) for pair in pairs(Person.objects.all())} == {
        frozenset((one, other)), frozenset((other, by_phone)),
    }  # fmt: skip


@pytest.mark.parametrize("same_way", [True, False])
def test_of_two_merges_at_once_one_wins(real_world, same_way):
    one, other = person(real_world), person(real_world)
    gate, ends = threading.Barrier(2), []

    def work(mine, into):
        gate.wait()
        try:
            merge(mine, into=into, by=None, versions=(1, 1))
            ends.append("done")
        except PersonProblem:
            ends.append("refused")
        finally:
            connection.close()

    ways = [(one, other), (one, other) if same_way else (other, one)]
    threads = [threading.Thread(target=work, args=way) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(ends) == ["done", "refused"]
    assert PersonMerge.objects.count() == 1
    assert Person.objects.current().count() == 1


# In the browser.


def test_a_clerk_compares_merges_and_undoes_in_the_browser(world, sign_in, two):
    one, other = two
    page = sign_in(world.clerk)
    assert one.name in page.get("/people/duplicates/").content.decode()
    text = page.get(f"/people/{one.pk}/merge/?into={other.pk}").content.decode()
    assert "138****0000" in text
    assert "13800000000" not in text
    stale = page.post(f"/people/{one.pk}/merge/", {"into": other.pk, "version": 1, "into_version": 7})
    assert stale.status_code == 409
    page.post(f"/people/{one.pk}/merge/", {"into": other.pk, "version": 1, "into_version": 1})
    assert page.get(f"/people/{one.pk}/").url == f"/people/{other.pk}/"
    page.post(f"/people/merges/{PersonMerge.objects.get().pk}/undo/")
    assert page.get(f"/people/{one.pk}/").status_code == 200


def test_one_record_outside_the_scope_is_not_there_to_merge(world, sign_in, two):
    far = person(world, home=world.other_village)
    page = sign_in(world.clerk)
    assert page.get(f"/people/{two[0].pk}/merge/?into={far.pk}").status_code == 404
    assert page.get(f"/people/{two[0].pk}/merge/?into=x").status_code == 404
    assert page.get(f"/people/{two[0].pk}/merge/?into={two[0].pk}").status_code == 404


def test_the_merged_records_page_of_changes_leads_to_the_one_that_is_kept(world, sign_in, two):
    one, other = two
    merge(one, into=other, by=None)
    answer = sign_in(world.clerk).get(f"/people/{one.pk}/edit/")
    assert answer.url == f"/people/{other.pk}/edit/"


def test_who_was_entered_twice_in_a_branch_counts_once_after_the_merge_and_twice_after_its_undoing(world, two):
    one, other = two
    early, late = dt.date(2020, 1, 1), dt.date(2023, 1, 1)
    Membership.objects.create(person=one, organisation=world.branch, kind="member", valid_from=early, valid_to=None)
    Membership.objects.create(person=other, organisation=world.branch, kind="member", valid_from=late)
    before = state()

    def members(year):
        return read(catalogue()["people.members"], world.village, Period.of(year)).whole.value

    assert (members("2021"), members("2024")) == (1, 2)
    row = merge(one, into=other, by=None)
    assert (members("2021"), members("2024")) == (1, 1), "with the days of both"
    assert [(each.person, each.valid_from) for each in world.branch.memberships.all()] == [(other, early)]
    undo_merge(row, by=None)
    assert state() == before


def test_two_memberships_that_stretched_one_are_taken_apart_again(world, two):
    one, other = two
    days = [dt.date(year, 1, 1) for year in (2018, 2019, 2020, 2021, 2022, 2023)]
    given = {"organisation": world.branch, "kind": "member"}
    Membership.objects.create(person=one, **given, valid_from=days[0], valid_to=days[2])
    Membership.objects.create(person=one, **given, valid_from=days[3], valid_to=days[5])
    Membership.objects.create(person=other, **given, valid_from=days[1], valid_to=days[4])
    before = state()
    row = merge(one, into=other, by=None)
    assert [(each.valid_from, each.valid_to) for each in other.memberships.all()] == [(days[0], days[5])]
    undo_merge(row, by=None)
    assert state() == before


def test_of_two_merges_that_stretched_one_membership_the_later_is_undone_first(world, two):
    one, other = two
    third = person(world, birth_date=dt.date(1985, 3, 21))
    given = {"organisation": world.branch, "kind": "member"}
    for each, year in ((one, 2018), (third, 2016), (other, 2020)):
        Membership.objects.create(person=each, **given, valid_from=dt.date(year, 1, 1))
    before = state()
    first, second = merge(one, into=other, by=None), merge(third, into=other, by=None)
    with pytest.raises(PersonProblem):
        undo_merge(first, by=None)
    undo_merge(second, by=None)
    undo_merge(first, by=None)
    assert state() == before


def test_of_one_post_held_twice_the_seat_becomes_free_and_the_role_ends_with_it(world, two):
    one, other = two
    one.user = world.member
    one.save()
    other.user = world.handler
    other.save()
    post = make_post(world.branch, title="委员", by=None, strength=2, role=Role.VILLAGE_CLERK)
    for each in two:
        appoint(post, person=each, by=None, since=DAY)
    row = merge(one, into=other, by=None)
    assert [each.person for each in post.appointments.all()] == [other]
    given = Grant.objects.get(user=world.member, role=Role.VILLAGE_CLERK)
    assert given.valid_to == timezone.localdate()
    undo_merge(row, by=None)
    given.refresh_from_db()
    assert given.valid_to is None
    assert post.appointments.get(person=one).grant == given
