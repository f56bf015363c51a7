"""Following one's matter: who may, what it says, answering, rating, reopening."""

import datetime as dt

import pytest
from django.utils import timezone

from weilu.matters import services
from weilu.matters.models import Matter


@pytest.fixture
def matter(world) -> Matter:
    return world.matter(intake_key="mine", contact=services.Contact("田七", "13800001111"))


@pytest.fixture
def resident(client, matter):
    client.post("/follow/", {"number": matter.number, "secret": services.secret_for("mine")})
    return client


def page(client, matter) -> str:
    return client.get(f"/follow/{matter.number}/").content.decode()


@pytest.mark.parametrize(
    "change", [str.lower, lambda text: f" {text[:4]} {text[4:]} ", lambda text: f"{text[:4]}-{text[4:]}"]
)
def test_a_secret_is_taken_as_people_type_it(client, matter, change):
    data = {"number": f" {matter.number.lower()} ", "secret": change(services.secret_for("mine"))}
    assert client.post("/follow/", data).status_code == 302


def test_the_secret_of_another_matter_does_not_open_it(world, client, matter):
    world.matter(intake_key="other")
    answer = client.post("/follow/", {"number": matter.number, "secret": services.secret_for("other")})
    assert answer.status_code == 422
    assert client.get(f"/follow/{matter.number}/").status_code == 404


def test_a_matter_without_a_secret_opens_for_nobody(client, matter):
    Matter.objects.update(secret_hash=b"")
    answer = client.post("/follow/", {"number": matter.number, "secret": services.secret_for("mine")})
    assert answer.status_code == 422


def test_one_device_does_not_see_what_another_follows(resident, matter):
    assert resident.get(f"/follow/{matter.number}/").status_code == 200
    assert resident.__class__().get(f"/follow/{matter.number}/").status_code == 404
    assert matter.subject not in resident.__class__().get("/follow/").content.decode()


def test_each_step_is_told_in_plain_words(world, resident, matter):
    seen = {page(resident, matter).split('class="standing"')[1].split("</p>")[0]}
    for step in (
        lambda m: services.dispatch(m, to=world.department, by=world.county_clerk, version=m.version),
        lambda m: services.start(m, by=world.handler, version=m.version),
        lambda m: services.ask(m, by=world.handler, version=m.version, note="哪一盏？"),
        lambda m: services.answer(m, note="第一盏"),
        lambda m: services.settle(m, by=world.handler, version=m.version, outcome="换了灯泡"),
        lambda m: services.rate(m, rating=5),
        lambda m: services.reopen(m, note="又坏了"),
    ):
        step(Matter.objects.get(pk=matter.pk))
        seen.add(page(resident, matter).split('class="standing"')[1].split("</p>")[0])
    assert len(seen) >= 6
    assert not any("%(" in words or "None" in words for words in seen)


def test_every_state_has_its_words_and_every_step_its_name(world, resident, matter):
    from weilu.matters.workflow import WORKFLOW, State
    from weilu.portal.words import standing, told
    from weilu.records.models import Event

    matter.merged_into = world.matter()
    for state in State:
        matter.state = state
        assert standing(matter)
    for name, step in WORKFLOW.moves.items():
        if step.open_to_resident:
            assert told(Event(move=name, changes={})) != name


def test_what_is_for_offices_is_not_shown(world, resident, matter):
    matter = services.dispatch(matter, to=world.department, by=world.county_clerk, version=1)
    services.give_back(matter, by=world.handler, version=2, note="此人常来闹事")
    services.reveal_contact(matter, by=world.clerk, reason="电话核实灯的位置")
    text = page(resident, matter)
    assert "此人常来闹事" not in text
    for user in world.users.values():
        assert user.name not in text
    assert "13800001111" not in text


def test_the_resident_answers_a_question_once(world, resident, matter):
    services.ask(matter, by=world.clerk, version=1, note="哪一盏？")
    assert "哪一盏？" in page(resident, matter)
    address = f"/follow/{matter.number}/answer/"
    assert resident.post(address, {"note": " "}).status_code == 422
    assert resident.post(address, {"note": "第一盏"}).status_code == 302
    answer = resident.post(address, {"note": "第二遍写了很多"})
    assert answer.status_code == 409
    assert Matter.objects.get(pk=matter.pk).state == "raised"


@pytest.mark.parametrize("by_a_clerk", [False, True])
def test_an_answer_says_who_wrote_it_down(world, resident, matter, by_a_clerk):
    services.ask(matter, by=world.clerk, version=1, note="哪一盏？")
    services.answer(matter, note="电话里说是第一盏", by=world.clerk if by_a_clerk else None)
    text = page(resident, matter)
    assert "电话里说是第一盏" in text
    assert ("工作人员记下了您的答复" in text) == by_a_clerk
    assert ("您作了答复" in text) != by_a_clerk
    assert world.clerk.name not in text


def test_the_resident_rates_with_one_to_five(world, resident, matter):
    services.settle(matter, by=world.clerk, version=1, outcome="换了灯泡")
    address = f"/follow/{matter.number}/rate/"
    for rating in ("", "0", "6", "x", "5.0", "-1", "１"):
        answer = resident.post(address, {"rating": rating, "comment": "还行吧"})
        assert answer.status_code == 422, rating
        assert "还行吧" in answer.content.decode()
    assert resident.post(address, {"rating": "5", "comment": "x" * 501}).status_code == 422
    assert resident.post(address, {"rating": "5", "comment": "<b>好</b>"}).status_code == 302
    assert "<b>好</b>" not in page(resident, matter)
    assert resident.post(address, {"rating": "1"}).status_code == 409
    assert Matter.objects.get(pk=matter.pk).rating == 5


def test_too_late_a_rating_is_said_in_words(world, resident, matter):
    services.settle(matter, by=world.clerk, version=1, outcome="换了灯泡")
    Matter.objects.update(rate_until=timezone.now() - dt.timedelta(minutes=1))
    answer = resident.post(f"/follow/{matter.number}/rate/", {"rating": "5"})
    assert answer.status_code == 409
    assert 'role="alert"' in answer.content.decode()


def test_the_resident_reopens_once(world, resident, matter):
    services.settle(matter, by=world.clerk, version=1, outcome="换了灯泡")
    address = f"/follow/{matter.number}/reopen/"
    assert address in page(resident, matter)
    assert resident.post(address, {"note": ""}).status_code == 422
    assert resident.post(address, {"note": "又坏了"}).status_code == 302
    assert address not in page(resident, matter)
    assert resident.post(address, {"note": "又又坏了"}).status_code == 409


def test_another_device_can_neither_answer_nor_rate_nor_reopen(world, client, matter):
    services.settle(matter, by=world.clerk, version=1, outcome="换了灯泡")
    for name, data in (("answer", {"note": "x"}), ("rate", {"rating": 5}), ("reopen", {"note": "x"})):
        assert client.post(f"/follow/{matter.number}/{name}/", data).status_code == 404
    assert Matter.objects.get(pk=matter.pk).state == "settled"


def test_a_word_that_is_no_deed_does_nothing(resident, matter):
    assert resident.post(f"/follow/{matter.number}/settle/", {"note": "x", "rating": 5}).status_code in (302, 404)
    assert Matter.objects.get(pk=matter.pk).version == 1


def test_who_leaves_a_lent_device_leaves_nothing_on_it(world, client):
    client.cookies["county"] = world.county.code
    client.post("/raise/", {"module": "report", "subject": "家里漏水"})
    client.post("/raise/where/", {"place": world.village.code})
    client.post("/raise/send/", {"name": "田七"})
    assert client.get("/raise/done/").status_code == 200
    number = Matter.objects.get().number
    client.post("/follow/leave/")
    assert client.get(f"/follow/{number}/").status_code == 404
    after = client.get("/raise/done/", follow=True).content.decode()
    assert number not in after
    assert "data-secret" not in after


def test_the_list_of_followed_matters_asks_no_question_for_each(world, client):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    made = [
        services.dispatch(world.matter(at=world.grid), to=world.department, by=world.county_clerk, version=1)
        for _n in range(12)
    ]

    def questions(count: int) -> int:
        session = client.session
        session["follow"] = [str(matter.pk) for matter in made[:count]]
        session.save()
        with CaptureQueriesContext(connection) as found:
            client.get("/follow/")
        return len(found)

    questions(2)
    assert questions(2) == questions(12)


def test_the_note_with_which_it_was_handed_over_is_for_offices(world, resident, matter):
    services.dispatch(matter, to=world.department, by=world.county_clerk, version=1, note="此人常来闹事")
    assert "此人常来闹事" not in page(resident, matter)
