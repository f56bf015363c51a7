"""A look at somebody's numbers in full: with a reason, kept, and read by them."""

import pytest

from tests.people.people_cast import id_number, person
from weilu.people.models import Person
from weilu.people.persons import PersonProblem, unmask
from weilu.records.models import Event


@pytest.fixture
def she(world):
    found = person(world, phone="13812345678", id_number=id_number("19850321", 12))
    Person.objects.filter(pk=found.pk).update(user=world.member)
    return found


def test_the_numbers_are_shown_once_with_the_reason_and_who_looked_is_kept(world, sign_in, she):
    page = sign_in(world.village_clerk)
    text = page.post(f"/people/{she.pk}/numbers/", {"reason": "核对党员名册"}).content.decode()
    assert "13812345678" in text
    assert she.id_number in text
    event = Event.objects.get(move="unmask")
    assert (event.record_id, event.actor, event.note) == (she.pk, world.village_clerk, "核对党员名册")
    assert "13812345678" not in page.get(f"/people/{she.pk}/").content.decode()


@pytest.mark.parametrize("reason", ["", "   ", "x", "长" * 201])
def test_without_a_reason_nothing_is_shown_and_nothing_kept(world, sign_in, she, reason):
    answer = sign_in(world.village_clerk).post(f"/people/{she.pk}/numbers/", {"reason": reason})
    assert answer.status_code == 422
    assert "13812345678" not in answer.content.decode()
    assert not Event.objects.filter(move="unmask").exists()


def test_who_sees_the_person_but_may_not_see_numbers_is_refused(world, sign_in, she):
    with pytest.raises(PersonProblem):
        unmask(she, reason="想看看", by=world.administrator)
    assert sign_in(world.administrator).post(f"/people/{she.pk}/numbers/", {"reason": "看看"}).status_code == 403
    assert sign_in(world.stranger).post(f"/people/{she.pk}/numbers/", {"reason": "看看"}).status_code == 404
    assert not Event.objects.filter(move="unmask").exists()


def test_the_person_reads_who_looked_and_why(world, sign_in, she):
    unmask(she, reason="核对党员名册", by=world.village_clerk)
    text = sign_in(world.member).get("/account/me/").content.decode()
    assert world.village_clerk.name in text
    assert "核对党员名册" in text


def test_a_look_does_not_open_a_record_by_get(world, sign_in, she):
    answer = sign_in(world.village_clerk).get(f"/people/{she.pk}/numbers/?reason=abc")
    assert (answer.status_code, answer["Location"]) == (302, f"/people/{she.pk}/")
    assert not Event.objects.filter(move="unmask").exists()
