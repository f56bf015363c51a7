"""An account for somebody in a post: it may do what the post brings, as long as it is held, and nothing else."""

import datetime as dt

import pytest
from django.utils import timezone

from weilu.orgs.models import User
from weilu.orgs.roles import Role
from weilu.people.appointments import appoint, end_appointment, make_post
from weilu.people.models import Person

TODAY = timezone.localdate


@pytest.fixture
def secretary(world) -> Person:
    person = Person.objects.create(jurisdiction=world.jurisdiction, name="梁书记", home=world.village)
    post = make_post(world.branch, title="书记", by=None, role=Role.VILLAGE_CLERK)
    appoint(post, person=person, by=None, since=dt.date(2024, 1, 1))
    return person


def given(**more) -> dict[str, str]:
    return {"username": "liang", "name": "梁书记", "email": "", "password": "lamp-post-in-winter-7"} | more


def test_the_account_has_the_role_of_the_post_and_loses_it_with_the_post(world, secretary, sign_in):
    client = sign_in(world.administrator)
    page = client.get(f"/people/{secretary.pk}/").content.decode()
    assert f"/people/{secretary.pk}/account/" in page
    page = client.get(f"/people/{secretary.pk}/account/").content.decode()
    assert "书记 · " in page
    assert 'value="梁书记"' in page
    answer = client.post(f"/people/{secretary.pk}/account/", given())
    assert answer.status_code == 302
    user = User.objects.get(username="liang")
    assert user.password_to_change
    [grant] = user.grants_now
    assert (grant.role, grant.place) == (Role.VILLAGE_CLERK, world.branch.place)
    secretary.refresh_from_db()
    assert secretary.user == user
    end_appointment(secretary.appointments.get(), by=world.administrator, on=TODAY())
    assert User.objects.get(pk=user.pk).grants_now == []


def test_an_invited_person_goes_on_to_the_link(world, secretary, sign_in):
    answer = sign_in(world.administrator).post(f"/people/{secretary.pk}/account/", given(invite="on", password=""))
    assert answer["Location"].endswith("/accounts/liang/invite/")
    assert not User.objects.get(username="liang").has_usable_password()


def test_without_a_post_that_brings_a_role_no_account_is_made(world, sign_in):
    person = Person.objects.create(jurisdiction=world.jurisdiction, name="无岗", home=world.village)
    client = sign_in(world.administrator)
    assert f"/people/{person.pk}/account/" not in client.get(f"/people/{person.pk}/").content.decode()
    assert "没有带角色的岗位" in client.get(f"/people/{person.pk}/account/").content.decode()
    answer = client.post(f"/people/{person.pk}/account/", given(name="无岗"))
    assert answer.status_code == 422
    assert not User.objects.filter(username="liang").exists()


def test_a_name_that_is_taken_is_refused_at_its_field_and_nothing_typed_is_lost(world, secretary, sign_in):
    answer = sign_in(world.administrator).post(f"/people/{secretary.pk}/account/", given(username="Clerk"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Clerk"' in page
    assert User.objects.filter(username__iexact="clerk").count() == 1


def test_who_has_an_account_gets_no_second_one(world, secretary, sign_in):
    client = sign_in(world.administrator)
    client.post(f"/people/{secretary.pk}/account/", given())
    answer = client.post(f"/people/{secretary.pk}/account/", given(username="liang2"))
    assert answer["Location"].endswith("/accounts/liang/")
    assert not User.objects.filter(username="liang2").exists()
