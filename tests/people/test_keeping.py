"""The pages on which clerks and administrators keep bodies and posts."""

import datetime as dt

import pytest
from django.utils import timezone

from weilu.matters.models import Matter
from weilu.matters.workflow import State
from weilu.orgs.bodies import make_body
from weilu.orgs.changes import rename
from weilu.orgs.models import Grant, Organisation, OrganisationChange
from weilu.people.appointments import appoint, change_post, make_post
from weilu.people.closing import close_with_people
from weilu.people.models import Appointment, Honour, Membership, Person, Post

TODAY = timezone.localdate()


@pytest.fixture
def person(world) -> Person:
    from weilu.people.persons import prepare

    row = Person(jurisdiction=world.jurisdiction, name="李明", home=world.village)
    prepare(row)
    row.save()
    return row


@pytest.fixture
def held(world, person) -> Appointment:
    post = make_post(world.office, title="主任", by=None, leads=True)
    return appoint(post, person=person, by=None, since=dt.date(2024, 1, 1), document="陵府〔2024〕1号")


def test_a_clerk_enters_a_body_makes_a_post_and_appoints_to_it(world, person, sign_in):
    client = sign_in(world.clerk)
    given = {"kind": "volunteers", "name": "法律志愿服务队", "speciality": "法律", "since": "2024-03-01"}
    answer = client.post(f"/places/{world.village.code}/organisations/new/", given)
    assert answer.status_code == 302
    body = Organisation.objects.get(name="法律志愿服务队")
    answer = client.post(f"/organisations/{body.pk}/posts/new/", {
        "title": "队长", "strength": 1, "position": 0, "leads": "on", "since": "2024-03-01",
    })  # fmt: skip
    assert answer.url == f"/organisations/{body.pk}/?part=posts"
    post = Post.objects.get(organisation=body)
    assert "李明" in client.get(f"/posts/{post.pk}/appoint/?q=李").content.decode()
    answer = client.post(f"/posts/{post.pk}/appoint/", {"person": person.pk, "since": "2024-04-01"})
    text = client.get(answer.url).content.decode()
    assert "李明" in text
    assert "2024-04-01" in text


def test_a_refusal_stands_beside_its_field_and_the_input_stays(world, sign_in):
    client = sign_in(world.clerk)
    given = {"kind": "branch", "name": "金穗社区第一党支部", "since": "2024-03-01", "phone": "0839-1"}
    answer = client.post(f"/places/{world.village.code}/organisations/new/", given)
    assert answer.status_code == 422
    assert "name" in answer.context["form"].errors
    assert 'value="0839-1"' in answer.content.decode()


def test_a_second_holder_is_refused_on_the_page(world, held, sign_in):
    other = Person.objects.create(jurisdiction=world.jurisdiction, name="王芳", home=world.village)
    answer = sign_in(world.clerk).post(
        f"/posts/{held.post_id}/appoint/", {"person": other.pk, "since": TODAY.isoformat()}
    )
    assert answer.status_code == 422
    assert "李明" in answer.content.decode()
    assert Appointment.objects.count() == 1


def test_a_clerk_appoints_nobody_outside_their_scope(world, held, sign_in):
    far = Person.objects.create(jurisdiction=world.far_jurisdiction, name="远", home=world.far_village)
    post = make_post(world.office, title="副主任", by=None)
    answer = sign_in(world.clerk).post(f"/posts/{post.pk}/appoint/", {"person": far.pk, "since": "2024-01-01"})
    assert answer.status_code == 422
    assert not post.appointments.exists()


def test_a_seat_is_handed_over_and_its_former_holder_stays_in_the_history(world, held, sign_in):
    other = Person.objects.create(jurisdiction=world.jurisdiction, name="王芳", home=world.village)
    client = sign_in(world.clerk)
    client.post(f"/appointments/{held.pk}/hand-over/", {"person": other.pk, "since": "2025-06-01"})
    page = client.get(f"/organisations/{world.office.pk}/?part=posts")
    [seats] = page.context["posts"]
    assert [row.person for row in seats.now] == [other]
    assert [row.person for row in seats.past] == [held.person]
    history = client.get(f"/organisations/{world.office.pk}/?part=history").content.decode()
    assert "李明" in history
    assert "王芳" in history


def test_an_appointment_is_ended_or_taken_back(world, held, sign_in):
    client = sign_in(world.clerk)
    assert client.post(f"/appointments/{held.pk}/end/", {"on": "2023-01-01"}).status_code == 422
    client.post(f"/appointments/{held.pk}/end/", {"on": "2025-06-01"})
    held.refresh_from_db()
    assert held.valid_to == dt.date(2025, 6, 1)
    client.post(f"/appointments/{held.pk}/undo/")
    assert not Appointment.objects.exists()


def test_a_mistaken_end_is_taken_back_on_the_page(world, held, sign_in):
    client = sign_in(world.clerk)
    client.post(f"/appointments/{held.pk}/end/", {"on": "2025-06-01"})
    assert f"/appointments/{held.pk}/reinstate/" in client.get(f"/organisations/{world.office.pk}/?part=posts").text
    client.post(f"/appointments/{held.pk}/reinstate/")
    held.refresh_from_db()
    assert held.valid_to is None
    page = client.post(f"/appointments/{held.pk}/reinstate/", follow=True).text
    assert "没有结束" in page


def test_a_hand_over_is_taken_back_on_the_page_and_its_former_holder_goes_on(world, held, sign_in):
    other = Person.objects.create(jurisdiction=world.jurisdiction, name="王芳", home=world.village)
    client = sign_in(world.clerk)
    client.post(f"/appointments/{held.pk}/hand-over/", {"person": other.pk, "since": "2025-06-01"})
    begun = Appointment.objects.get(person=other)
    assert "李明" in client.get(f"/appointments/{begun.pk}/end/").text
    client.post(f"/appointments/{begun.pk}/undo/", {"restore": "on"})
    assert list(Appointment.objects.values_list("person__name", "valid_to")) == [("李明", None)]
    history = client.get(f"/organisations/{world.office.pk}/?part=history").text
    assert "撤回任职" in history
    assert "王芳" in history


def test_a_body_is_renamed_and_shows_what_it_was_called(world, sign_in):
    client = sign_in(world.clerk)
    form = client.get(f"/organisations/{world.office.pk}/edit/").context["form"]
    given = {name: form[name].value() or "" for name in form.fields} | {"name": "陵江镇平安办", "on": "2024-01-01"}
    answer = client.post(f"/organisations/{world.office.pk}/edit/", given)
    text = client.get(answer.url).content.decode()
    assert "陵江镇平安办" in text
    assert "陵江镇综合治理办公室" in text


def test_a_body_is_closed_with_its_posts_and_opens_no_more_pages_to_change_it(world, held, sign_in):
    client = sign_in(world.clerk)
    client.post(f"/organisations/{world.office.pk}/close/", {"on": "2025-06-01"})
    held.refresh_from_db()
    assert held.valid_to == dt.date(2025, 6, 1)
    assert client.get(f"/organisations/{world.office.pk}/").status_code == 200
    assert client.get(f"/organisations/{world.office.pk}/edit/").status_code == 404


def test_a_post_is_changed_and_closed(world, held, sign_in):
    client = sign_in(world.administrator)
    given = {"title": "办公室主任", "strength": 2, "position": 1, "leads": "on", "role": "township_clerk"}
    assert client.post(f"/posts/{held.post_id}/", given).status_code == 302
    assert Post.objects.get().strength == 2
    client.post(f"/posts/{held.post_id}/close/", {"on": "2025-06-01"})
    assert Post.objects.get().valid_to == dt.date(2025, 6, 1)


def test_a_post_begins_with_its_body_and_its_first_day_is_corrected(world, person, sign_in):
    """Who holds it today was often appointed long before somebody entered the post."""
    client = sign_in(world.clerk)
    page = client.get(f"/organisations/{world.office.pk}/posts/new/").text
    assert f'value="{world.office.valid_from:%Y-%m-%d}"' in page
    late = {"title": "综治主任", "strength": 1, "position": 3, "role": ""}
    client.post(f"/organisations/{world.office.pk}/posts/new/", {**late, "since": TODAY.isoformat()})
    post = Post.objects.get(title="综治主任")
    assert client.post(
        f"/posts/{post.pk}/appoint/", {"person": person.pk, "since": "2020-01-01"}
    ).status_code == 422  # fmt: skip
    client.post(f"/posts/{post.pk}/", {**late, "valid_from": "2019-01-01"})
    client.post(f"/posts/{post.pk}/appoint/", {"person": person.pk, "since": "2020-01-01"})
    assert post.appointments.get().valid_from == dt.date(2020, 1, 1)
    answer = client.post(f"/posts/{post.pk}/", {**late, "valid_from": "2021-01-01"})
    assert answer.status_code == 422
    assert "2020-01-01" in answer.text


def test_a_clerk_who_asks_for_more_than_their_role_is_refused_on_the_page(world, sign_in):
    given = {"title": "主任", "strength": 1, "position": 0, "role": "administrator", "since": "2024-01-01"}
    answer = sign_in(world.clerk).post(f"/organisations/{world.office.pk}/posts/new/", given)
    assert answer.status_code == 422
    assert "role" in answer.context["form"].errors


@pytest.mark.parametrize("part", ["people", "posts", "below", "work", "honours", "history", "nonsense"])
def test_each_part_of_a_body_opens(world, held, sign_in, part):
    Honour.objects.create(
        jurisdiction=world.jurisdiction, organisation=world.office, title="先进单位", level=4, body="县委",
        document="1号", awarded_on=dt.date(2024, 7, 1),
    )  # fmt: skip
    page = sign_in(world.clerk).get(f"/organisations/{world.office.pk}/?part={part}")
    assert page.status_code == 200
    if part == "honours":
        assert "先进单位" in page.content.decode()


def test_many_posts_ask_no_question_for_each(world, held, sign_in, django_assert_max_num_queries):
    for number in range(12):
        post = make_post(world.office, title=f"职务{number}", by=None)
        who = Person.objects.create(jurisdiction=world.jurisdiction, name=f"人{number}", home=world.village)
        appoint(post, person=who, by=None, since=dt.date(2024, 1, 1))
        Membership.objects.create(person=who, organisation=world.office, kind="staff")
    client = sign_in(world.clerk)
    client.get("/desk/")
    with django_assert_max_num_queries(11):
        client.get(f"/organisations/{world.office.pk}/?part=posts")


def test_a_hand_over_keeps_the_last_day_and_refuses_one_before_the_first(world, held, sign_in):
    other = Person.objects.create(jurisdiction=world.jurisdiction, name="王芳", home=world.village)
    client, address = sign_in(world.clerk), f"/appointments/{held.pk}/hand-over/"
    answer = client.post(address, {"person": other.pk, "since": "2025-06-01", "until": "2025-05-01"})
    assert answer.status_code == 422
    assert Appointment.objects.get(pk=held.pk).valid_to is None
    client.post(address, {"person": other.pk, "since": "2025-06-01", "until": "2027-06-30"})
    assert Appointment.objects.get(person=other).valid_to == dt.date(2027, 6, 30)


def test_the_form_of_a_body_starts_without_a_kind_and_offers_what_may_stand_there(world, sign_in):
    client, address = sign_in(world.clerk), f"/places/{world.village.code}/organisations/new/"
    page = client.get(address).content.decode()
    assert '<option value="" selected>' in page
    assert 'value="department"' not in page
    given = {"name": "某某局", "since": "2024-03-01"}
    for more in ({"kind": ""}, {"kind": "department"}, {"kind": "branch", "since": "0001-01-01"},
                 {"kind": "branch", "since": "9999-12-31"}):  # fmt: skip
        assert client.post(address, given | more).status_code == 422
    assert not Organisation.objects.filter(name="某某局").exists()


def test_a_party_committee_does_not_stand_below_a_property_firm(world, sign_in):
    firm = make_body(place=world.village, kind="property_firm", name="安居物业", by=None, since=dt.date(2020, 1, 1))
    given = {"kind": "party_committee", "name": "社区党委", "since": "2024-03-01", "parent": firm.pk}
    answer = sign_in(world.clerk).post(f"/places/{world.village.code}/organisations/new/", given)
    assert answer.status_code == 422
    assert not Organisation.objects.filter(name="社区党委").exists()


def test_a_closing_of_today_is_taken_back_with_all_that_ended_with_it(world, held, sign_in):
    Person.objects.filter(pk=held.person_id).update(user=world.member)
    change_post(held.post, by=None, role="village_clerk")
    Membership.objects.create(
        person=held.person, organisation=world.office, kind="staff", valid_from=dt.date(2024, 1, 1),
        valid_to=TODAY + dt.timedelta(days=400),
    )  # fmt: skip
    before = [list(model.objects.order_by("pk").values_list("pk", "valid_to"))
              for model in (Membership, Post, Appointment, Grant)]  # fmt: skip
    client, address = sign_in(world.clerk), f"/organisations/{world.office.pk}/"
    assert "1个成员" in client.get(f"{address}close/").content.decode()
    client.post(f"{address}close/", {"on": TODAY.isoformat()})
    assert not world.member.grants.filter(role="village_clerk", valid_to=None).exists()
    assert "撤回撤销" in client.get(address).content.decode()
    client.post(f"{address}reopen/")
    after = [list(model.objects.order_by("pk").values_list("pk", "valid_to"))
             for model in (Membership, Post, Appointment, Grant)]  # fmt: skip
    assert after == before
    assert "撤回撤销" not in client.get(address).content.decode()
    assert "撤销已撤回" in client.get(f"{address}?part=history").content.decode()


def test_a_closing_of_yesterday_stays(world, sign_in):
    body = make_body(place=world.village, kind="enterprise", name="某企业", by=None, since=dt.date(2020, 1, 1))
    client = sign_in(world.clerk)
    client.post(f"/organisations/{body.pk}/close/", {"on": TODAY.isoformat()})
    OrganisationChange.objects.filter(kind="close").update(created_at=timezone.now() - dt.timedelta(days=2))
    client.post(f"/organisations/{body.pk}/reopen/")
    assert Organisation.objects.get(pk=body.pk).valid_to == TODAY


def test_a_body_with_work_in_hand_is_not_closed(world, sign_in):
    Matter.objects.filter(pk=world.matter().pk).update(state=State.DISPATCHED, handler=world.office)
    answer = sign_in(world.clerk).post(f"/organisations/{world.office.pk}/close/", {"on": TODAY.isoformat()})
    assert answer.status_code == 422
    assert "1件未办结的诉求" in answer.content.decode()
    assert Organisation.objects.get(pk=world.office.pk).valid_to is None


def test_a_body_is_not_renamed_from_a_day_ahead_and_is_found_by_the_name_it_had(world, sign_in):
    client, address = sign_in(world.clerk), f"/organisations/{world.office.pk}/"
    was = world.office.name
    given = {"kind": "office", "name": "党群服务中心", "valid_from": world.office.valid_from.isoformat()}
    ahead = client.post(f"{address}edit/", given | {"on": (TODAY + dt.timedelta(days=30)).isoformat()})
    assert ahead.status_code == 422
    client.post(f"{address}edit/", given | {"on": TODAY.isoformat()})
    assert "党群服务中心" in client.get("/organisations/", {"q": was}).content.decode()


def test_a_closing_that_is_taken_back_after_its_place_was_renamed_brings_it_to_what_goes_on(world, sign_in):
    body = make_body(place=world.village, kind="enterprise", name="某企业", by=None, since=dt.date(2020, 1, 1))
    client = sign_in(world.clerk)
    client.post(f"/organisations/{body.pk}/close/", {"on": TODAY.isoformat()})
    new = rename(world.village, name="新村", on=TODAY, by=None)
    client.post(f"/organisations/{body.pk}/reopen/")
    body.refresh_from_db()
    assert (body.valid_to, body.place) == (None, new)


def test_a_body_whose_closing_lies_ahead_goes_on_with_its_place(world):
    body = make_body(place=world.village, kind="enterprise", name="某企业", by=None, since=dt.date(2020, 1, 1))
    close_with_people(body, by=None, on=TODAY + dt.timedelta(days=200))
    new = rename(world.village, name="新村", on=TODAY, by=None)
    assert Organisation.objects.get(pk=body.pk).place == new
