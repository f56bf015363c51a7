"""The page of a body: its people by name, within one's scope, telephones masked."""

import pytest

from weilu.lib.crypto import keyed_hash
from weilu.people.models import Membership, Person


@pytest.fixture
def people(world):
    def person(name, home):
        phone = "13812345678"
        found = Person.objects.create(
            jurisdiction=world.jurisdiction, name=name, home=home, phone=phone, phone_hash=keyed_hash(phone)
        )
        Membership.objects.create(person=found, organisation=world.branch, kind="member")
        return found

    return person("近民", world.village), person("远民", world.other_village)


def test_names_are_shown_and_telephones_masked(world, sign_in, people):
    text = sign_in(world.county_clerk).get(f"/organisations/{world.branch.pk}/").content.decode()
    assert "近民" in text
    assert "远民" in text
    assert "138****5678" in text
    assert "13812345678" not in text


def test_who_lives_outside_ones_scope_is_not_shown(world, sign_in, people):
    text = sign_in(world.village_clerk).get(f"/organisations/{world.branch.pk}/").content.decode()
    assert "近民" in text
    assert "远民" not in text


def test_who_has_left_is_not_shown(world, sign_in, people):
    from django.utils import timezone

    Membership.objects.filter(person=people[0]).update(valid_to=timezone.localdate())
    assert "近民" not in sign_in(world.clerk).get(f"/organisations/{world.branch.pk}/").content.decode()


def test_persons_are_seen_by_where_they_live(world, people):
    seen = {name: set(Person.objects.visible_to(user)) for name, user in world.users.items()}
    near, far = people
    assert seen["village_clerk"] == seen["clerk"] == {near}
    assert seen["stranger"] == {far}
    assert seen["county_clerk"] == seen["observer"] == {near, far}
    for name in ("member", "handler", "grid_worker", "far_clerk"):
        assert seen[name] == set(), name


def test_a_body_of_many_asks_no_question_for_each(world, sign_in, people, django_assert_max_num_queries):
    for n in range(15):
        person = Person.objects.create(jurisdiction=world.jurisdiction, name=f"人{n}", home=world.village)
        Membership.objects.create(person=person, organisation=world.branch, kind="volunteer")
    client = sign_in(world.clerk)
    client.get("/desk/")
    with django_assert_max_num_queries(9):
        client.get(f"/organisations/{world.branch.pk}/")


def test_telephones_are_not_readable_in_the_database(people):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM people_person")
        assert all(b"138" not in bytes(row[0]) for row in cursor.fetchall())
