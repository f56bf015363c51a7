"""Honours of people and bodies: entered, listed, withdrawn, exported."""

import datetime as dt
import io

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from python_calamine import CalamineWorkbook

from tests.people.people_cast import id_number, person
from weilu.people.honours import award, withdraw
from weilu.people.models import Honour
from weilu.people.persons import PersonChanged, PersonProblem
from weilu.records.models import Event

GIVEN = {"title": "优秀共产党员", "level": 4, "body": "中共苍溪县委", "document": "苍委〔2025〕12号"}
DAY = dt.date(2025, 7, 1)


@pytest.fixture
def honours(world):
    she = person(world)
    return (
        award(she, **GIVEN, awarded_on=DAY, by=world.clerk),
        award(
            world.branch,
            title="先进基层党组织",
            level=2,
            body="省委",
            document="省委〔2024〕9号",
            awarded_on=dt.date(2024, 7, 1),
            by=None,
        ),
        award(person(world, "远民", home=world.other_village), **GIVEN, awarded_on=DAY, by=None),
    )


def titles(page, **asked):
    return page.get("/honours/", asked).content.decode()


def test_one_sees_the_honours_of_ones_scope(world, sign_in, honours):
    text = titles(sign_in(world.village_clerk))
    assert "李芳" in text
    assert "先进基层党组织" in text
    assert "远民" not in text
    assert "李芳" not in titles(sign_in(world.far_clerk))


def test_filters_by_level_year_place_and_holder(world, sign_in, honours):
    page = sign_in(world.county_clerk)
    assert "优秀共产党员" not in titles(page, level="2")
    assert "先进基层党组织" not in titles(page, year="2025")
    assert "远民" not in titles(page, place=world.township.code)
    assert "李芳" not in titles(page, of="bodies")
    assert "远民" not in titles(page, q="李芳")
    assert page.get("/honours/", {"level": "x", "year": "²", "from": "x", "of": "x", "place": "x"}).status_code == 200


def test_a_clerk_enters_one_on_the_page_of_the_person_or_the_body(world, sign_in):
    page, she = sign_in(world.clerk), person(world)
    data = GIVEN | {"awarded_on": "2025-07-01"}
    answer = page.post(f"/honours/new/?person={she.pk}", data)
    assert answer.url == f"/people/{she.pk}/"
    assert "苍委〔2025〕12号" in page.get(answer.url).content.decode()
    page.post(f"/honours/new/?organisation={world.branch.pk}", data)
    assert Honour.objects.filter(organisation=world.branch).count() == 1
    assert page.post(f"/honours/new/?person={she.pk}", data).status_code == 422  # twice


def test_who_is_honoured_can_be_named(world, sign_in):
    page = sign_in(world.clerk)
    she, _other = person(world, id_number=id_number("19850321")), person(world)
    data = GIVEN | {"awarded_on": "2025-07-01"}
    for name in ("李芳", "没有此人", world.department.name):
        assert page.post("/honours/new/", data | {"holder": name}).status_code == 422, name
    page.post("/honours/new/", data | {"holder": she.id_number})
    page.post("/honours/new/", data | {"holder": world.branch.name})
    assert {honour.person or honour.organisation for honour in Honour.objects.all()} == {she, world.branch}


def test_a_withdrawn_honour_stays_with_its_reason(world, sign_in, honours):
    page = sign_in(world.village_clerk)
    page.post(f"/honours/{honours[0].pk}/withdraw/", {"reason": ""})
    assert Honour.objects.standing().count() == 3
    page.post(f"/honours/{honours[0].pk}/withdraw/", {"reason": "弄虚作假"})
    text = page.get(f"/people/{honours[0].person_id}/").content.decode()
    assert "弄虚作假" in text
    assert Honour.objects.standing().count() == 2
    assert [event.move for event in Event.objects.filter(record_id=honours[0].pk).order_by("at")] == [
        "award",
        "withdraw",
    ]
    with pytest.raises(PersonChanged):
        withdraw(honours[0], reason="再来", by=world.clerk)


def test_what_cannot_be_is_refused(world):
    she, tomorrow = person(world), timezone.localdate() + dt.timedelta(days=1)
    for wrong in ({"title": " "}, {"body": ""}, {"level": 9}, {"awarded_on": tomorrow}, {"by": world.stranger}):
        with pytest.raises(PersonProblem):
            award(she, **(GIVEN | {"awarded_on": DAY, "by": world.clerk} | wrong))
    honour = award(she, **GIVEN, awarded_on=DAY, by=world.clerk)
    for on in (dt.date(2025, 6, 30), tomorrow):
        with pytest.raises(PersonProblem):
            withdraw(honour, reason="弄虚作假", by=world.clerk, on=on)
    with pytest.raises(PersonProblem):
        withdraw(honour, reason="弄虚作假", by=world.stranger)


def test_the_list_is_exported_with_its_filters(world, sign_in, honours):
    award(person(world, "=1+1"), title="劳动模范", level=3, body="市委", document="1号", awarded_on=DAY, by=None)
    answer = sign_in(world.village_clerk).get("/honours/export/", {"of": "people"})
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert len(rows) == 3
    assert {row[5] for row in rows[1:]} == {"李芳", "=1+1"}
    assert {row[4] for row in rows[1:]} == {DAY}


def test_an_honour_has_a_document_number_or_says_why_it_has_none(world, sign_in):
    page, she = sign_in(world.clerk), person(world)
    address, data = f"/honours/new/?person={she.pk}", GIVEN | {"awarded_on": "2025-07-01", "document": ""}
    for wrong in ({}, {"no_document": "旧证书"}, {"undocumented": "on"}, {"undocumented": "on", "no_document": "-"}):
        answer = page.post(address, data | wrong)
        assert answer.status_code == 422, wrong
        assert "document" in answer.context["form"].errors
    page.post(address, data | {"undocumented": "on", "no_document": "1987年的证书上没有文号"})
    assert Honour.objects.get().no_document == "1987年的证书上没有文号"
    assert "1987年的证书上没有文号" in titles(page)
    with pytest.raises(IntegrityError), transaction.atomic():
        Honour.objects.update(no_document="")


def test_nobody_is_honoured_before_they_were_there(world):
    she = person(world, birth_date=dt.date(1985, 3, 21), joined_party_on=dt.date(2010, 7, 1))
    world.branch.valid_from = dt.date(2020, 1, 1)
    for holder, title, day in (
        (she, "三好学生", dt.date(1985, 3, 20)),
        (she, "优秀共产党员", dt.date(2010, 6, 30)),
        (world.branch, "先进基层党组织", dt.date(2019, 12, 31)),
    ):
        with pytest.raises(PersonProblem) as error:
            award(holder, **(GIVEN | {"title": title}), awarded_on=day, by=None)
        assert error.value.column == "awarded_on"
    assert award(she, **(GIVEN | {"title": "劳动模范"}), awarded_on=dt.date(2010, 6, 30), by=None)


def test_honours_stand_in_the_history_of_the_person(world, sign_in):
    she = person(world)
    given = award(she, **GIVEN, awarded_on=DAY, by=world.clerk)
    withdraw(given, reason="弄错了", by=world.clerk)
    shown = sign_in(world.village_clerk).get(f"/people/{she.pk}/").content.decode()
    history = shown.split("<ol", 1)[1]
    assert history.count("优秀共产党员") == 2
    assert "弄错了" in history
