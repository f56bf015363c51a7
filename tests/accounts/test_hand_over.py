"""Handing over: the successor gets the grants from a day, the predecessor's end that day, what is in hand is listed."""

import datetime as dt

import pytest
from django.utils import timezone

from weilu.accounts import handing, linking
from weilu.matters import services
from weilu.orgs.models import Grant, User
from weilu.orgs.roles import Role
from weilu.people import appointments
from weilu.people.models import Person
from weilu.records.models import Event, Notification

TODAY = timezone.localdate
LATER = dt.timedelta(days=10)


def held(user, on=None) -> set[tuple[str, str]]:
    """Roles and places that an account has on a day."""
    day = on or TODAY()
    rows = Grant.objects.filter(user=user, valid_from__lte=day).exclude(valid_to__lte=day)
    return {(grant.role, grant.place.code) for grant in rows.select_related("place")}


@pytest.fixture
def successor(world):
    return world.user("successor", Role.OBSERVER, world.village)


@pytest.fixture
def admin(world, sign_in):
    return sign_in(world.administrator)


def test_the_successor_gets_the_grants_from_the_day_and_the_predecessor_keeps_them_until_then(world, successor):
    day = TODAY() + LATER
    handing.hand_over(world.clerk, to=successor, day=day, by=world.administrator)
    post = ("township_clerk", world.township.code)
    assert held(world.clerk) == {post}
    assert post not in held(successor)
    assert held(world.clerk, day) == set()
    assert post in held(successor, day)


def test_on_the_day_one_works_and_the_other_does_not(world, successor, log_in):
    handing.hand_over(world.clerk, to=successor, day=TODAY(), by=world.administrator)
    assert log_in("successor").get("/matters/new/").status_code == 200
    assert log_in("clerk").get("/matters/new/").status_code == 403


def test_history_and_message_say_who_followed_whom(world, successor):
    handing.hand_over(world.clerk, to=successor, day=TODAY(), by=world.administrator)
    moves = dict(Event.objects.filter(record_kind="account").values_list("move", "record_id"))
    assert moves == {"hand_over": world.clerk.pk, "take_over": successor.pk}
    assert Notification.objects.get(user=successor).kind == "grants_handed"


def test_a_grant_that_has_an_end_keeps_it(world, successor):
    end = TODAY() + 3 * LATER
    world.clerk.grants.update(valid_to=end)
    handing.hand_over(world.clerk, to=successor, day=TODAY() + LATER, by=world.administrator)
    assert successor.grants.get(role="township_clerk").valid_to == end


def test_a_grant_that_begins_later_goes_over_whole(world, successor):
    begin = TODAY() + 2 * LATER
    world.clerk.grants.update(valid_from=begin)
    handing.hand_over(world.clerk, to=successor, day=TODAY() + LATER, by=world.administrator)
    assert successor.grants.get(role="township_clerk").valid_from == begin
    assert held(world.clerk, begin) == set()


def test_what_is_over_already_is_not_handed_over(world, successor):
    world.clerk.grants.update(valid_to=TODAY())
    with pytest.raises(handing.HandOverError):
        handing.hand_over(world.clerk, to=successor, day=TODAY(), by=world.administrator)


def test_grants_outside_the_scope_stay(world, successor):
    Grant.objects.create(
        user=world.clerk, role=Role.OBSERVER, place=world.far_county, jurisdiction=world.far_jurisdiction
    )
    handing.hand_over(world.clerk, to=successor, day=TODAY(), by=world.administrator)
    assert held(world.clerk) == {("observer", world.far_county.code)}
    assert ("observer", world.far_county.code) not in held(successor)


@pytest.mark.parametrize("wrong", ["same", "shut", "own"])
def test_what_cannot_be_changes_nothing(world, successor, wrong):
    frm, to = (world.administrator if wrong == "own" else world.clerk), successor
    if wrong == "same":
        to = world.clerk
    if wrong == "shut":
        User.objects.filter(pk=to.pk).update(is_active=False)
        to.refresh_from_db()
    before = list(Grant.objects.order_by("pk").values())
    with pytest.raises(handing.HandOverError):
        handing.hand_over(frm, to=to, day=TODAY(), by=world.administrator)
    assert list(Grant.objects.order_by("pk").values()) == before


# With a post.


def person(world, user=None, name="张三") -> Person:
    return Person.objects.create(jurisdiction=world.jurisdiction, name=name, home=world.village, user=user)


@pytest.fixture
def held_post(world):
    """The office's head, held by whom a new account belongs to."""
    leader = world.user("leader", Role.OBSERVER, world.township)
    begun = TODAY() - 10 * LATER
    post = appointments.make_post(
        world.office, title="主任", by=None, since=begun, role=Role.TOWNSHIP_CLERK
    )  # fmt: skip
    appointments.appoint(post, person=person(world, leader), by=None, since=begun)
    return post


def test_a_grant_that_came_with_a_post_goes_over_with_the_post(world, successor, held_post):
    follows = person(world, successor, "李四")
    handing.hand_over(world.leader, to=successor, day=TODAY(), by=world.administrator)
    now = held_post.appointments.get(valid_to=None)
    assert now.person == follows
    assert now.grant.user == successor
    assert ("township_clerk", world.township.code) in held(successor)
    assert held(world.leader) == set()


def test_without_a_person_behind_the_successor_nothing_goes_over(world, successor, held_post):
    with pytest.raises(handing.HandOverError, match="主任"):
        handing.hand_over(world.leader, to=successor, day=TODAY(), by=world.administrator)
    assert ("township_clerk", world.township.code) in held(world.leader)
    assert held(world.leader) >= {("observer", world.township.code)}
    assert held(successor) == {("observer", world.village.code)}


def test_a_grant_ends_with_the_post(world, held_post):
    appointment = held_post.appointments.get()
    appointments.end_appointment(appointment, by=None, on=TODAY())
    assert held(world.leader) == {("observer", world.township.code)}


# Who an account belongs to.


def test_linking_an_account_to_its_person_brings_the_grants_of_their_posts(world, successor, admin):
    follows = person(world, name="Successor")
    begun = TODAY() - LATER
    post = appointments.make_post(world.office, title="副主任", by=None, since=begun, role=Role.TOWNSHIP_CLERK)
    row = appointments.appoint(post, person=follows, by=None, since=begun)
    assert "Successor" in admin.get("/accounts/successor/person/").content.decode()
    assert admin.post("/accounts/successor/person/", {"person": str(follows.pk)}).status_code == 302
    assert ("township_clerk", world.township.code) in held(successor)
    row.refresh_from_db()
    appointments.end_appointment(row, by=None, on=TODAY())
    assert held(successor) == {("observer", world.village.code)}


def test_nobody_else_is_offered_or_taken(world, successor, admin):
    other = person(world, name="王五")
    taken = person(world, world.clerk, name="Successor")
    for pick in (other, taken):
        assert admin.post("/accounts/successor/person/", {"person": str(pick.pk)}).status_code == 422
    assert admin.post("/accounts/successor/person/", {"person": "x"}).status_code == 422
    assert not Person.objects.filter(user=successor).exists()


def test_an_account_has_one_person(world, successor):
    linking.link(successor, person(world, name="Successor"), by=world.administrator)
    with pytest.raises(linking.LinkError):
        linking.link(successor, person(world, name="Successor"), by=world.administrator)


# In the browser.


def test_the_page_lists_what_is_in_hand_and_hands_over(world, successor, admin):
    order = services.dispatch(world.matter(subject="帮王奶奶搬煤气罐"), to=world.branch, by=world.clerk, version=1)
    services.take(order, by=world.member, version=2)
    page = admin.get("/accounts/member/hand-over/").content.decode()
    assert "帮王奶奶搬煤气罐" in page
    assert order.number in page
    answer = admin.post("/accounts/member/hand-over/", {"successor": "successor", "day": TODAY().isoformat()})
    assert answer["Location"] == "/accounts/successor/"
    assert ("member", world.village.code) in held(successor)


@pytest.mark.parametrize(
    ("field", "value"),
    [("successor", ""), ("successor", "far_clerk"), ("successor", "member"), ("day", ""), ("day", "x")],
)
def test_a_wrong_field_hands_nothing_over(world, successor, admin, field, value):
    before = list(Grant.objects.order_by("pk").values())
    data = {"successor": "successor", "day": TODAY().isoformat()} | {field: value}
    assert admin.post("/accounts/member/hand-over/", data).status_code == 422
    assert list(Grant.objects.order_by("pk").values()) == before


def test_an_account_outside_the_scope_is_not_there(world, admin):
    assert admin.get("/accounts/far_clerk/hand-over/").status_code == 404


def test_a_successor_is_looked_for_by_a_part_of_the_name_and_chosen(world, successor, admin):
    page = admin.get("/accounts/clerk/hand-over/").content.decode()
    assert "second_member" not in page  # no list of all accounts
    data = {"successor": "Success", "day": TODAY().isoformat()}
    asked = admin.post("/accounts/clerk/hand-over/", data)
    assert asked.status_code == 422  # one is found, and nobody is taken whose name was not given in full
    assert str(successor.pk) in asked.content.decode()
    outside = admin.post("/accounts/clerk/hand-over/", data | {"successor-chosen": str(world.far_clerk.pk)})
    assert outside.status_code == 422
    done = admin.post("/accounts/clerk/hand-over/", data | {"successor-chosen": str(successor.pk)})
    assert done["Location"] == "/accounts/successor/"
