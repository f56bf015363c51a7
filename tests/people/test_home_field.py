"""The home of a person is typed: a part of a name, names above before it, or a code."""

import pytest

from tests.conftest import place
from tests.people.people_cast import person
from weilu.orgs.models import Level
from weilu.people.models import Person


@pytest.fixture
def homes(world):
    """Two villages of one name in two townships, and two buildings of one name in two communities."""
    world.here = place("510824100002", "凤凰村", Level.VILLAGE, world.township)
    world.there = place("510824101202", "凤凰村", Level.VILLAGE, world.other_township)
    world.second = place("510824100003", "文昌社区", Level.VILLAGE, world.township)
    second_grid = place("510824100003-01", "第一网格", Level.GRID, world.second)
    world.building = place("510824100001-01-001", "1号楼", Level.BUILDING, world.grid)
    world.second_building = place("510824100003-01-001", "1号楼", Level.BUILDING, second_grid)
    return world


def entered(page, home, **given):
    """The answer to the form, and the home of the person entered if one was."""
    answer = page.post("/people/new/", {"name": "李芳", "home": home, **given})
    made = Person.objects.first()
    return answer, made and made.home


def offered(answer):
    return [label for _key, label in answer.context["form"]["home"].field.widget.offered]


def test_two_villages_of_one_name_are_told_apart_by_their_townships(homes, sign_in):
    page = sign_in(homes.county_clerk)
    answer, home = entered(page, "凤凰村")
    assert (answer.status_code, home) == (422, None)
    assert offered(answer) == ["陵江镇 · 凤凰村", "云峰镇 · 凤凰村"]
    assert "云峰镇 · 凤凰村</span>" in answer.text
    assert entered(page, "凤凰村", **{"home-chosen": str(homes.there.pk)})[1] == homes.there


def test_an_administrator_and_a_county_clerk_choose_grids_and_buildings(homes, sign_in):
    for user in (homes.county_clerk, homes.administrator):
        answer, _home = entered(sign_in(user), "1号楼")
        assert offered(answer) == ["陵江镇 · 金穗社区 · 第一网格 · 1号楼", "陵江镇 · 文昌社区 · 第一网格 · 1号楼"]
        assert entered(sign_in(user), "文昌社区 第一网格")[1].code == "510824100003-01"
        Person.objects.all().delete()


@pytest.mark.parametrize(
    "text",
    ["金穗社区第一网格1号楼", "陵江镇金穗社区第一网格1号楼", "陵江镇 · 金穗社区 · 第一网格 · 1号楼",
     "苍溪县陵江镇金穗社区第一网格１号楼", "510824100001-01-001"],
)  # fmt: skip
def test_a_name_with_those_above_before_it_or_a_code_is_taken_at_once(homes, sign_in, text):
    assert entered(sign_in(homes.county_clerk), text)[1] == homes.building


def test_a_key_and_a_name_that_only_one_place_has_are_taken_at_once(homes, sign_in):
    page = sign_in(homes.county_clerk)
    assert entered(page, str(homes.there.pk))[1] == homes.there
    Person.objects.all().delete()
    assert entered(page, "红旗村")[1] == homes.other_village


def test_parts_of_names_above_narrow_what_is_offered(homes, sign_in):
    page = sign_in(homes.county_clerk)
    assert offered(entered(page, "云峰 凤凰")[0]) == ["云峰镇 · 凤凰村"]
    assert offered(entered(page, "文昌 1号")[0]) == ["陵江镇 · 文昌社区 · 第一网格 · 1号楼"]


def test_only_places_of_ones_own_scope_from_the_village_down_are_found(homes, sign_in):
    page = sign_in(homes.clerk)
    assert offered(entered(page, "凤凰")[0]) == ["陵江镇 · 凤凰村"]
    outside = ["红旗村", "云峰镇凤凰村", "云峰 红旗", homes.there.code, str(homes.there.pk), "远山村"]
    for text in (*outside, "陵江镇", "%", "·"):
        answer, home = entered(page, text)
        assert (answer.status_code, home, offered(answer)) == (422, None, []), text


def test_what_has_ended_is_not_found(homes, sign_in):
    homes.here.valid_to = homes.here.valid_from.replace(year=2020)
    homes.here.save()
    assert entered(sign_in(homes.county_clerk), "凤凰村")[1] == homes.there


def test_the_home_stays_when_nothing_is_changed_even_if_others_are_called_so(homes, sign_in):
    twin = place("510824100001-02", "第一网格", Level.GRID, homes.village)
    found = person(homes, home=twin)
    page = sign_in(homes.county_clerk)
    shown = page.get(f"/people/{found.pk}/edit/").context["form"]["home"].value()
    assert shown == "陵江镇 · 金穗社区 · 第一网格"
    page.post(f"/people/{found.pk}/edit/", {"name": "李芳菲", "home": shown, "version": 1})
    found.refresh_from_db()
    assert (found.name, found.home) == ("李芳菲", twin)


def test_what_was_chosen_stays_chosen_when_another_field_is_wrong(homes, sign_in):
    given = {"home-chosen": str(homes.there.pk), "birth_date": "x"}
    answer, _home = entered(sign_in(homes.county_clerk), "凤凰村", **given)
    assert answer.status_code == 422
    assert f'value="{homes.there.pk}" checked' in answer.text
    assert 'value="凤凰村"' in answer.text


def test_the_form_does_not_list_the_places(homes, sign_in, django_assert_max_num_queries):
    page = sign_in(homes.county_clerk)
    page.get("/people/new/")
    with django_assert_max_num_queries(8):
        shown = page.get("/people/new/").text
    assert "凤凰村" not in shown
    with django_assert_max_num_queries(11):
        entered(page, "文昌 1号")
