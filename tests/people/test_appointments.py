"""Posts and who holds them: filled, handed over, ended; and what the database refuses."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from weilu.orgs.bodies import BodyError, constraint_of, make_body
from weilu.orgs.models import Grant, Organisation, User
from weilu.orgs.roles import Permission, Role
from weilu.people import appointments as verbs
from weilu.people.appointments import (
    AppointmentError,
    appoint,
    change_post,
    close_post,
    end_appointment,
    hand_over,
    make_post,
)
from weilu.people.body_parts import history_of
from weilu.people.closing import close_with_people
from weilu.people.models import Appointment, Membership, Person
from weilu.records.models import Event

FOUNDED, FIRST, SECOND = dt.date(2016, 1, 1), dt.date(2020, 6, 1), dt.date(2023, 9, 1)
DAY = dt.timedelta(1)


@pytest.fixture
def body(world) -> Organisation:
    kind = Organisation.Kind.OWNERS_COMMITTEE
    return make_body(place=world.village, kind=kind, name="凯旋城业主委员会", by=world.clerk, since=FOUNDED)


@pytest.fixture
def head(world, body):
    return make_post(body, title="主任", by=world.clerk, leads=True)


@pytest.fixture
def person(world):
    def make(name: str, user: User | None = None) -> Person:
        return Person.objects.create(jurisdiction=world.jurisdiction, name=name, home=world.village, user=user)

    return make


def refused(make, *, by: str) -> None:
    """The database itself refuses what ``make`` writes, by the constraint of this name."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        make()
    assert constraint_of(caught.value) == by


def row(post, person, seat=1, since=FIRST, until=None) -> Appointment:
    return Appointment.objects.create(
        jurisdiction_id=post.jurisdiction_id, post=post, person=person, seat=seat, valid_from=since, valid_to=until
    )


def test_a_person_is_appointed_and_the_body_keeps_it_in_its_history(world, head, person):
    held = appoint(head, person=person("李明"), by=world.clerk, since=FIRST, document="陵府〔2020〕3号")
    assert (held.seat, held.valid_to, held.document) == (1, None, "陵府〔2020〕3号")
    event = Event.objects.get(move="appoint")
    assert (event.record_id, event.actor) == (head.organisation_id, world.clerk)
    assert "李明" not in str(event.changes)


def test_the_database_refuses_two_holders_of_one_seat(world, head, person):
    first, second = person("李明"), person("王芳")
    row(head, first)
    refused(lambda: row(head, second, since=SECOND), by="appointment_one_holder_of_a_seat")
    with pytest.raises(AppointmentError) as caught:
        appoint(head, person=second, by=world.clerk, since=SECOND)
    assert caught.value.column == "since"
    assert "李明" in caught.value.message
    assert "2020-06-01" in caught.value.message


def test_the_database_refuses_one_person_twice_in_a_post(world, body, person):
    post, member = make_post(body, title="委员", by=world.clerk, strength=3), person("李明")
    row(post, member)
    refused(lambda: row(post, member, seat=2, since=SECOND), by="appointment_once_for_a_person")
    with pytest.raises(AppointmentError) as caught:
        appoint(post, person=member, by=world.clerk, since=SECOND)
    assert caught.value.column == "person"


def test_the_database_refuses_an_appointment_that_ends_before_it_begins(world, head, person):
    refused(lambda: row(head, person("李明"), until=FIRST), by="appointment_ends_later")
    with pytest.raises(AppointmentError) as caught:
        appoint(head, person=person("王芳"), by=world.clerk, since=FIRST, until=FIRST - DAY)
    assert caught.value.column == "until"


def test_the_database_refuses_two_posts_of_one_title(world, body, head):
    with pytest.raises(AppointmentError) as caught:
        make_post(body, title=" 主任 ", by=world.clerk)
    assert caught.value.column == "title"


def test_who_goes_and_who_comes_may_share_a_day(world, head, person):
    appoint(head, person=person("李明"), by=world.clerk, since=FIRST, until=SECOND)
    appoint(head, person=person("王芳"), by=world.clerk, since=SECOND)
    assert [held.seat for held in head.appointments.all()] == [1, 1]


def test_a_post_of_three_seats_takes_three_and_no_fourth(world, body, person):
    post = make_post(body, title="委员", by=world.clerk, strength=3)
    held = [appoint(post, person=person(name), by=world.clerk, since=FIRST) for name in "甲乙丙"]
    assert [one.seat for one in held] == [1, 2, 3]
    with pytest.raises(AppointmentError) as caught:
        appoint(post, person=person("丁"), by=world.clerk, since=SECOND)
    assert all(name in caught.value.message for name in "甲乙丙")
    with pytest.raises(AppointmentError) as caught:
        appoint(post, person=person("戊"), by=world.clerk, since=SECOND, seat=4)
    assert caught.value.column == "seat"
    end_appointment(held[1], by=world.clerk, on=SECOND)
    assert appoint(post, person=person("丁"), by=world.clerk, since=SECOND).seat == 2


def test_nobody_holds_a_post_before_its_body_began_or_after_it_ended(world, body, head, person):
    with pytest.raises(AppointmentError) as caught:
        appoint(head, person=person("李明"), by=world.clerk, since=FOUNDED - DAY)
    assert caught.value.column == "since"
    close_with_people(body, by=world.clerk, on=SECOND)
    with pytest.raises(AppointmentError) as caught:
        appoint(head, person=person("李明"), by=world.clerk, since=FIRST)
    assert caught.value.column == "until"


def test_an_appointment_does_not_end_before_it_began(world, head, person):
    held = appoint(head, person=person("李明"), by=world.clerk, since=FIRST)
    with pytest.raises(AppointmentError):
        end_appointment(held, by=world.clerk, on=FIRST)
    end_appointment(held, by=world.clerk, on=SECOND)
    with pytest.raises(AppointmentError):
        end_appointment(held, by=world.clerk, on=SECOND + DAY)


def test_a_seat_is_handed_over_on_one_day_or_not_at_all(world, head, person):
    first, second = person("李明"), person("王芳")
    held = appoint(head, person=first, by=world.clerk, since=FIRST)
    ended, begun = hand_over(held, to=second, by=world.clerk, on=SECOND)
    assert (ended.valid_to, begun.valid_from, begun.seat, begun.person) == (SECOND, SECOND, 1, second)
    stranger = Person.objects.create(jurisdiction=world.far_jurisdiction, name="远", home=world.far_village)
    with pytest.raises(AppointmentError):
        hand_over(begun, to=stranger, by=world.clerk, on=SECOND + DAY)
    begun.refresh_from_db()
    assert begun.valid_to is None


def test_a_mistake_is_taken_back_and_its_grant_never_held(world, body, person):
    post = make_post(body, title="主任", by=None, role=Role.VILLAGE_CLERK)
    held = appoint(post, person=person("李明", world.handler), by=None, since=FIRST)
    verbs.take_back(held, by=world.clerk)
    assert not post.appointments.exists()
    grant = Grant.objects.get(user=world.handler, role=Role.VILLAGE_CLERK)
    assert grant.valid_to == grant.valid_from
    assert Event.objects.filter(move="appointment_undo").exists()


def test_a_mistaken_end_is_taken_back_with_its_grant(world, body, person):
    post = make_post(body, title="主任", by=None, role=Role.VILLAGE_CLERK)
    held = appoint(post, person=person("李明", world.handler), by=None, since=FIRST)
    end_appointment(held, by=world.administrator, on=SECOND)
    verbs.reinstate(held, by=world.administrator)
    held.refresh_from_db()
    assert held.valid_to is None
    assert held.grant.valid_to is None
    step = next(step for step in history_of(body) if step.what == "撤回免职")
    assert (step.day, step.detail) == (timezone.localdate(), f"主任 · 李明 · {SECOND}")
    with pytest.raises(AppointmentError):
        verbs.reinstate(held, by=world.administrator)


def test_an_end_is_not_taken_back_where_somebody_follows_or_the_post_is_closed(world, head, person):
    held = appoint(head, person=person("李明"), by=world.clerk, since=FIRST)
    hand_over(held, to=person("王芳"), by=world.clerk, on=SECOND)
    with pytest.raises(AppointmentError, match="王芳"):
        verbs.reinstate(held, by=world.clerk)
    close_post(head, by=world.clerk, on=SECOND + DAY)
    last = head.appointments.get(person__name="王芳")
    with pytest.raises(AppointmentError):
        verbs.reinstate(last, by=world.clerk)


def test_with_another_role_since_it_is_that_one_which_comes_back(world, body, person):
    post = make_post(body, title="主任", by=None, role=Role.ADMINISTRATOR)
    held = appoint(post, person=person("李明", world.handler), by=None, since=FIRST)
    end_appointment(held, by=None, on=SECOND)
    change_post(post, by=None, role=Role.VILLAGE_CLERK)
    verbs.reinstate(held, by=None)
    given = {grant.role: grant.valid_to for grant in Grant.objects.filter(user=world.handler, place=body.place)}
    assert given[Role.ADMINISTRATOR] == SECOND
    assert given[Role.VILLAGE_CLERK] is None


def test_a_role_that_was_withdrawn_by_itself_does_not_come_back(world, body, person):
    post = make_post(body, title="主任", by=None, role=Role.VILLAGE_CLERK)
    held = appoint(post, person=person("李明", world.handler), by=None, since=FIRST)
    Grant.objects.filter(pk=held.grant_id).update(valid_to=SECOND - DAY)
    end_appointment(held, by=None, on=SECOND)
    verbs.reinstate(held, by=None)
    assert [grant.valid_to for grant in Grant.objects.filter(user=world.handler, role=Role.VILLAGE_CLERK)] == [
        SECOND - DAY
    ]


def test_an_end_is_not_taken_back_where_the_seat_is_gone(world, body, person):
    post = make_post(body, title="委员", by=None, strength=2)
    appoint(post, person=person("王芳"), by=None, since=FIRST)
    held = appoint(post, person=person("李明"), by=None, since=FIRST)
    end_appointment(held, by=None, on=SECOND)
    change_post(post, by=None, strength=1)
    with pytest.raises(AppointmentError):
        verbs.reinstate(held, by=None)


def test_nobody_takes_back_the_end_of_a_post_whose_role_they_may_not_give(world, body, person):
    post = make_post(body, title="主任", by=None, role=Role.ADMINISTRATOR)
    held = appoint(post, person=person("李明", world.handler), by=None, since=FIRST)
    end_appointment(held, by=None, on=SECOND)
    with pytest.raises(AppointmentError):
        verbs.reinstate(held, by=world.clerk)


def test_a_hand_over_is_taken_back_whole(world, body, person):
    """Who handed over holds the post again, with the role that comes with it; who took over never did."""
    post = make_post(body, title="主任", by=None, role=Role.VILLAGE_CLERK)
    first = appoint(post, person=person("李明", world.handler), by=None, since=FIRST)
    _ended, begun = hand_over(first, to=person("王芳", world.member), by=None, on=SECOND)
    again = verbs.take_back_hand_over(begun, by=world.administrator)
    assert again == first
    assert list(post.appointments.values_list("person__name", "valid_to")) == [("李明", None)]
    roles = Grant.objects.filter(role=Role.VILLAGE_CLERK, user__in=[world.handler, world.member])
    assert {grant.user: grant.valid_to for grant in roles} == {world.handler: None, world.member: SECOND}
    assert any("王芳" in step.detail for step in history_of(body) if step.what == "撤回任职")


# The grant that comes with a post.


def test_a_grant_begins_and_ends_with_the_appointment(world, body, person):
    post = make_post(body, title="主任", by=world.administrator, role=Role.VILLAGE_CLERK)
    held = appoint(post, person=person("李明", world.handler), by=world.administrator, since=FIRST)
    assert (held.grant.role, held.grant.place, held.grant.organisation) == (Role.VILLAGE_CLERK, world.village, None)
    assert held.grant.valid_from == FIRST
    end_appointment(held, by=world.administrator, on=SECOND)
    assert Grant.objects.get(pk=held.grant_id).valid_to == SECOND


def test_a_role_of_an_organisation_names_it(world, person):
    post = make_post(world.branch, title="党员", by=None, role=Role.MEMBER, strength=9)
    held = appoint(post, person=person("李明", world.handler), by=None, since=FIRST)
    assert held.grant.organisation == world.branch


def test_a_grant_changes_hands_with_the_seat(world, body, person):
    post = make_post(body, title="主任", by=None, role=Role.VILLAGE_CLERK)
    held = appoint(post, person=person("李明", world.handler), by=None, since=FIRST)
    today = timezone.localdate()
    hand_over(held, to=person("王芳", world.member), by=None, on=today)
    assert Role.VILLAGE_CLERK not in User.objects.get(username="handler").roles
    assert Role.VILLAGE_CLERK in User.objects.get(username="member").roles


def test_who_gets_an_account_later_gets_the_grant_then_and_once(world, body, person):
    post, someone = make_post(body, title="主任", by=None, role=Role.VILLAGE_CLERK), person("李明")
    held = appoint(post, person=someone, by=None, since=FIRST)
    assert held.grant is None
    someone.user = world.handler
    someone.save()
    held = Appointment.objects.get(pk=held.pk)
    assert verbs.give_grant(held) == verbs.give_grant(held) == held.grant
    assert Grant.objects.filter(user=world.handler, role=Role.VILLAGE_CLERK).count() == 1


def test_with_another_role_the_holders_get_other_grants(world, body, person):
    post = make_post(body, title="主任", by=None, role=Role.VILLAGE_CLERK)
    held = appoint(post, person=person("李明", world.handler), by=None, since=FIRST)
    verbs.change_post(post, by=world.administrator, role=Role.OBSERVER)
    assert User.objects.get(username="handler").roles == {Role.COUNTY_DEPARTMENT, Role.OBSERVER}
    held.refresh_from_db()
    assert (held.valid_from, held.grant.role) == (FIRST, Role.OBSERVER)


def test_a_clerk_gives_no_role_that_goes_beyond_their_own(world, body, person):
    with pytest.raises(AppointmentError) as caught:
        make_post(body, title="主任", by=world.clerk, role=Role.ADMINISTRATOR)
    assert caught.value.column == "role"
    post = make_post(body, title="主任", by=world.administrator, role=Role.ADMINISTRATOR)
    with pytest.raises(AppointmentError):
        appoint(post, person=person("李明", world.clerk), by=world.clerk, since=FIRST)
    assert Permission.MANAGE not in User.objects.get(username="clerk").permissions
    assert make_post(body, title="文书", by=world.clerk, role=Role.VILLAGE_CLERK)


def test_a_clerk_next_door_gives_no_role_here(world, body):
    with pytest.raises(AppointmentError):
        make_post(body, title="文书", by=world.stranger, role=Role.VILLAGE_CLERK)


# Posts and bodies that end.


def test_a_post_does_not_shrink_below_those_who_hold_it(world, body, person):
    post = make_post(body, title="委员", by=world.clerk, strength=2)
    for name in "甲乙":
        appoint(post, person=person(name), by=world.clerk, since=FIRST)
    with pytest.raises(AppointmentError) as caught:
        verbs.change_post(post, by=world.clerk, strength=1)
    assert caught.value.column == "strength"


def test_a_body_closes_with_its_posts_holders_and_members(world, body, head, person):
    held = appoint(head, person=person("李明"), by=world.clerk, since=FIRST)
    member = Membership.objects.create(person=held.person, organisation=body, kind="staff", valid_from=FIRST)
    close_with_people(body, by=world.clerk, on=SECOND)
    for thing in (body, head, held, member):
        thing.refresh_from_db()
        assert thing.valid_to == SECOND


def test_a_body_that_somebody_joined_later_is_not_closed_and_nothing_is(world, body, head, person):
    held = appoint(head, person=person("李明"), by=world.clerk, since=SECOND)
    with pytest.raises(BodyError):
        close_with_people(body, by=world.clerk, on=FIRST)
    held.refresh_from_db()
    assert held.valid_to is None


def test_the_tab_of_people_names_the_holders_of_posts_too(world, body, head, person, sign_in):
    appoint(head, person=person("李明"), by=world.clerk, since=FIRST)
    end_appointment(appoint(head_of(world, body), person=person("张卸任"), by=world.clerk, since=FIRST), by=world.clerk,
                    on=SECOND)  # fmt: skip
    page = sign_in(world.clerk).get(f"/organisations/{body.pk}/").content.decode()
    assert "李明" in page
    assert "张卸任" not in page


def head_of(world, body):
    return make_post(body, title="副主任", by=world.clerk)
