"""Entering and changing a person: checks, pinyin, versions, what the history keeps."""

import datetime as dt

import pytest

from tests.people.people_cast import id_number, person
from weilu.people.models import Person
from weilu.people.persons import PersonChanged, PersonProblem, change_person, make_person
from weilu.records.models import Event


def test_birth_date_and_sex_are_read_from_the_id_number(world):
    made = person(world, id_number=id_number("19850321", 12))
    assert (made.birth_date, made.sex) == (dt.date(1985, 3, 21), "female")


def test_a_county_code_may_be_younger_than_the_person_who_bears_it(world):
    number = id_number("19580101")  # 苍溪县 has its code since 1985, and gave numbers out to all who lived there
    assert person(world, id_number=number).id_number == number


def test_surnames_are_spelt_as_families_read_them(world):
    spelt = {name: person(world, name).pinyin for name in ("单雄信", "仇和", "区志强", "尉迟恭", "吕布", "曾国藩")}
    assert list(spelt.values()) == ["shanxiongxin", "qiuhe", "ouzhiqiang", "yuchigong", "lvbu", "zengguofan"]


@pytest.mark.parametrize(
    ("given", "column"),
    [
        ({"id_number": "51082419850321001"}, "id_number"),
        ({"id_number": "510824198503210010"}, "id_number"),
        ({"id_number": id_number("19850321", 1, county="999999")}, "id_number"),
        ({"id_number": id_number("19850231", 1)}, "id_number"),
        ({"id_number": id_number("19850321"), "birth_date": dt.date(1985, 3, 22)}, "birth_date"),
        ({"id_number": id_number("19850321", 1), "sex": "female"}, "sex"),
        ({"phone": "1380000"}, ""),
        ({"phone": "23800000000"}, "phone"),
        ({"birth_date": dt.date(2999, 1, 1)}, "birth_date"),
        ({"birth_date": dt.date(2000, 1, 1), "joined_party_on": dt.date(1999, 1, 1)}, "joined_party_on"),
        ({"name": "  "}, "name"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field_and_nobody_is_entered(world, given, column):
    if not column:  # a short landline is one
        assert person(world, **given).phone == "1380000"
        return
    with pytest.raises(PersonProblem) as refused:
        person(world, **({"name": "李芳"} | given))
    assert refused.value.column == column
    assert not Person.objects.exists()


def test_a_birth_date_known_to_the_month_only_agrees_with_the_number_and_is_completed(world):
    made = person(world, id_number=id_number("19850321"), birth_date=dt.date(1985, 3, 1), birth_day_known=False)
    assert (made.birth_date, made.birth_day_known) == (dt.date(1985, 3, 21), True)


def test_full_width_digits_and_blanks_are_read(world):
    made = person(world, "李 芳", phone="＋86 138 0000 0000", id_number=f" {id_number('19850321')} ".replace("5", "５"))
    assert (made.name, made.phone) == ("李芳", "13800000000")
    assert made.id_number == id_number("19850321")


def test_one_id_number_has_one_record(world):
    person(world, id_number=id_number("19850321"))
    with pytest.raises(PersonProblem) as refused:
        person(world, "李方", id_number=id_number("19850321"))
    assert refused.value.column == "id_number"
    assert Person.objects.count() == 1


def test_a_clerk_enters_people_of_their_own_place_only(world):
    make_person(by=world.village_clerk, home=world.grid, name="李芳")
    with pytest.raises(PersonProblem):
        make_person(by=world.stranger, home=world.village, name="李芳")


def test_a_change_is_kept_by_column_without_what_stood_there(world):
    made = person(world, phone="13800000000")
    done = change_person(made, by=world.clerk, version=1, phone="13900000001", education="大专", name="李芳")
    assert (done.phone, done.version) == ("13900000001", 2)
    event = Event.objects.get(record_id=made.pk, move="change")
    assert set(event.changes["columns"]) == {"phone", "education"}
    assert "139" not in str(event.changes)


def test_a_second_clerk_overwrites_nothing(world):
    made = person(world)
    change_person(made, by=world.clerk, version=1, education="大专")
    with pytest.raises(PersonChanged):
        change_person(made, by=world.county_clerk, version=1, education="本科")
    assert Person.objects.get().education == "大专"


def test_what_does_not_differ_is_no_change(world):
    made = person(world, education="大专")
    assert change_person(made, by=world.clerk, version=1, education="大专").version == 1
    assert not Event.objects.filter(move="change").exists()


def test_a_clerk_does_not_move_a_person_out_of_their_scope_or_in(world):
    made = person(world)
    with pytest.raises(PersonProblem):
        change_person(made, by=world.clerk, version=1, home=world.other_village)
    with pytest.raises(PersonProblem):
        change_person(made, by=world.stranger, version=1, home=world.other_village)
    assert change_person(made, by=world.county_clerk, version=1, home=world.other_village).home == world.other_village
    with pytest.raises(PersonProblem):
        change_person(made, by=None, version=2, home=world.far_village)


# In the browser.


def test_a_clerk_enters_and_changes_a_person_in_the_browser(world, sign_in):
    page = sign_in(world.village_clerk)
    given = {"name": "单田芳", "home": world.grid.code, "id_number": id_number("19850321"), "phone": "13800000000"}
    wrong = page.post("/people/new/", given | {"birth_date": "1985-03-22"})
    assert wrong.status_code == 422
    assert "1985-03-21" in wrong.content.decode() or "1985" in wrong.content.decode()
    answer = page.post("/people/new/", given)
    made = Person.objects.get()
    assert answer.url == f"/people/{made.pk}/"
    form = page.get(f"/people/{made.pk}/edit/").content.decode()
    assert "138****0000" in form
    assert "13800000000" not in form
    page.post(f"/people/{made.pk}/edit/", given | {"id_number": "", "phone": "无", "version": 1, "education": "高中"})
    made.refresh_from_db()
    assert (made.id_number, made.phone, made.education) == (id_number("19850321"), "", "高中")
    late = page.post(f"/people/{made.pk}/edit/", given | {"version": 1})
    assert late.status_code == 422


def test_an_employer_that_is_not_known_is_refused_with_those_near(world, sign_in):
    page = sign_in(world.village_clerk)
    given = {"name": "李芳", "home": world.village.code, "work": "住房和城乡建设"}
    assert "苍溪县住房和城乡建设局" in page.post("/people/new/", given).content.decode()
    page.post("/people/new/", given | {"work": "苍溪县住房和城乡建设局"})
    assert Person.objects.get().work == world.department
