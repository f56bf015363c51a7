"""What is recorded about a person is shown to them, and they can ask for a correction."""

import datetime as dt

import pytest
from django.utils import timezone

from tests.people.people_cast import id_number, person
from weilu.orgs.models import Grant
from weilu.people.appointments import appoint, make_post
from weilu.people.honours import award
from weilu.people.merging import merge, undo_merge
from weilu.people.models import Membership, Person
from weilu.people.persons import PersonProblem
from weilu.people.reporting import answer_correction, ask_correction, clerks_of, open_corrections
from weilu.records.models import Notification

DAY = dt.date(2020, 1, 1)


@pytest.fixture
def she(world):
    found = person(
        world, phone="13812345678", id_number=id_number("19850321", 12), education="大专", ethnicity="汉族",
        home=world.grid, joined_party_on=dt.date(2010, 7, 1), work=world.department,
    )  # fmt: skip
    Person.objects.filter(pk=found.pk).update(user=world.member)
    found.refresh_from_db()
    return found


def test_all_of_it_is_shown_in_full(world, sign_in, she):
    Membership.objects.create(person=she, organisation=world.branch, kind="member", valid_from=DAY)
    Membership.objects.create(
        person=she, organisation=world.office, kind="volunteer", valid_from=DAY, valid_to=dt.date(2021, 1, 1)
    )
    appoint(make_post(world.branch, title="宣传委员", by=None), person=she, by=None, since=DAY)
    award(she, title="优秀党员", level=4, body="县委", document="1号", awarded_on=DAY, by=None)
    text = sign_in(world.member).get("/account/me/").content.decode()
    for shown in (
        *(she.name, she.id_number, "13812345678", "1985-03-21", "大专", "汉族", world.grid.name, world.department.name),
        *("2010-07-01", world.branch.name, world.office.name, "宣传委员", "优秀党员"),
    ):
        assert shown in text, shown


def test_nobody_elses_record_is_shown_and_an_account_without_one_is_told(world, sign_in, she):
    text = sign_in(world.second_member).get("/account/me/").content.decode()
    assert she.id_number not in text
    assert sign_in(world.second_member).post("/account/me/correct/", {"note": "x"}).status_code == 404


def test_a_request_reaches_the_clerk_of_the_home_place_and_the_answer_comes_back(world, sign_in, she):
    page = sign_in(world.member)
    page.post("/account/me/correct/", {"note": "我的学历是本科"})
    told = Notification.objects.get()
    assert (told.user, told.kind, told.record_id) == (world.village_clerk, "ask_correction", she.pk)
    assert she.name not in told.subject
    clerk = sign_in(world.village_clerk)
    assert f"/people/{she.pk}/" in clerk.get("/messages/").content.decode()
    assert "我的学历是本科" in clerk.get(f"/people/{she.pk}/").content.decode()
    asked = str(open_corrections(she)[0].pk)
    assert asked in clerk.get(f"/people/{she.pk}/").content.decode()
    clerk.post(f"/people/{she.pk}/correct/", {"asked": asked, "note": "已改为本科"})
    assert open_corrections(she) == []
    page = sign_in(world.member)
    assert "已改为本科" in page.get("/account/me/").content.decode()
    assert 'href="/account/me/"' in page.get("/messages/").content.decode()


def test_where_the_village_has_no_clerk_the_township_is_asked(world, she):
    Grant.objects.filter(user=world.village_clerk).delete()
    assert clerks_of(she.home) == [world.clerk]
    Grant.objects.filter(user=world.clerk).delete()
    assert clerks_of(she.home) == [world.county_clerk]


def test_nobody_asks_for_another_and_nothing_is_asked_without_words(world, she):
    for by, text in ((world.second_member, "改"), (world.member, "  "), (world.member, "长" * 501)):
        with pytest.raises(PersonProblem):
            ask_correction(she, text=text, by=by)
    assert not Notification.objects.exists()


def test_only_a_clerk_of_their_home_answers_and_only_what_is_open(world, she):
    with pytest.raises(PersonProblem):
        answer_correction(she, asked="", text="好", by=world.clerk)
    asked = str(ask_correction(she, text="错了", by=world.member).pk)
    with pytest.raises(PersonProblem):
        answer_correction(she, asked=asked, text="好", by=world.stranger)
    with pytest.raises(PersonProblem):
        answer_correction(she, asked=asked, text=" ", by=world.clerk)
    assert len(open_corrections(she)) == 1


def test_each_request_is_answered_by_itself(world, she):
    first, second = (ask_correction(she, text=text, by=world.member) for text in ("学历错了", "电话错了"))
    answer_correction(she, asked=str(second.pk), text="已改", by=world.clerk)
    assert open_corrections(she) == [first]
    with pytest.raises(PersonProblem):
        answer_correction(she, asked=str(second.pk), text="再改", by=world.clerk)
    answer_correction(she, asked=str(first.pk), text="已改", by=world.clerk)
    assert open_corrections(she) == []


def test_a_post_that_begins_later_is_not_among_those_held_before(world, sign_in, she):
    later = timezone.localdate() + dt.timedelta(days=40)
    appoint(make_post(world.branch, title="书记", by=None), person=she, by=None, since=later)
    text = sign_in(world.member).get("/account/me/").content.decode()
    assert "尚未到任" in text
    assert "曾任" not in text


def test_what_was_asked_while_two_records_were_one_goes_back_with_the_account(world, she):
    double = person(world, home=world.village)
    merged = merge(she, into=double, by=None)
    asked = Person.objects.get(pk=double.pk)
    ask_correction(asked, text="学历应为高中", by=world.member)
    undo_merge(merged, by=None)
    [event] = open_corrections(Person.objects.get(pk=she.pk))
    assert (event.note, event.actor) == ("学历应为高中", world.member)
    assert open_corrections(Person.objects.get(pk=double.pk)) == []


def test_what_was_asked_before_two_records_became_one_is_open_at_the_one(world, she):
    ask_correction(she, text="学历应为高中", by=world.member)
    double = person(world, home=world.village)
    merge(she, into=double, by=None)
    [event] = open_corrections(Person.objects.get(pk=double.pk))
    answer_correction(Person.objects.get(pk=double.pk), asked=str(event.pk), text="已改", by=world.clerk)
    assert open_corrections(Person.objects.get(pk=double.pk)) == []
