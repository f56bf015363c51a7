"""An address that names a place which has ended leads on to what it became, or says so; it never lists everybody."""

import pytest
from django.utils import timezone, translation

from tests.conftest import place
from tests.people.people_cast import person
from weilu.orgs.changes import NewPlace, merge, move, split
from weilu.orgs.models import Level

PAGES = ["/people/", "/coverage/", "/coverage/villages-without-branch/"]


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def read(world, sign_in):
    """Read a page of a county clerk at a place, by its code or key."""

    def get(address, named, user=None):
        client = sign_in(user or world.county_clerk)
        client.cookies["django_language"] = "en"
        return client.get(f"{address}?place={named}")

    return get


def by(world):
    return {"on": timezone.localdate(), "by": world.administrator, "document": "1号"}


@pytest.fixture
def merged(world):
    """红旗村 has gone up into 凤凰村."""
    other = place("510824101202", "凤凰村", Level.VILLAGE, world.other_township)
    person(world, "王芳", home=world.other_village)
    person(world, "赵强", home=world.village)
    new = merge([world.other_village, other], into=NewPlace("510824101202", "凤凰村"), **by(world))
    return new


@pytest.fixture
def torn(world):
    """红旗村 has gone on as two villages, neither with its code."""
    home = place("510824101201-01", "第一网格", Level.GRID, world.other_village)
    person(world, "王芳", home=home)
    parts = [NewPlace("510824101211", "上红旗村"), NewPlace("510824101212", "下红旗村")]
    split(world.other_village, parts=parts, belongs={home.pk: 0}, **by(world))
    return parts


@pytest.mark.parametrize("address", PAGES)
def test_what_went_on_as_one_place_leads_on_to_it(world, merged, read, address):
    for named in (world.other_village.code, world.other_village.pk):
        answer = read(address, named)
        assert (answer.status_code, answer.context["place"]) == (200, merged)
        assert "红旗村 was until" in answer.text
        assert f"({merged.code}), which goes on from it" in answer.text


def test_the_people_who_went_on_with_it_are_listed_and_nobody_else(world, merged, read):
    answer = read("/people/", world.other_village.code)
    assert [row.name for row in answer.context["found"].rows] == ["王芳"]


@pytest.mark.parametrize("address", PAGES[:2])
def test_what_went_on_as_several_is_named_with_each_of_them_and_nothing_is_listed(world, torn, read, address):
    answer = read(address, world.other_village.code)
    assert answer.status_code == 200
    assert "no one place goes on from it" in answer.text
    for part in torn:
        assert f'href="?place={part.code}"' in answer.text
    assert "王芳" not in answer.text
    assert "figure-" not in answer.text
    assert not answer.context.get("gaps")


def test_rows_and_excel_file_of_what_went_on_as_several_lead_to_where_it_is_said(world, torn, read):
    for address in (PAGES[2], f"{PAGES[2]}export/"):
        answer = read(address, world.other_village.code)
        assert answer["Location"] == f"/coverage/?place={world.other_village.pk}"


def test_what_went_out_of_ones_scope_is_said_to_have_ended_and_not_shown(world, read):
    person(world, "赵强")
    new = move(world.village, to=world.other_township, code="510824101009", **by(world))
    answer = read("/people/", world.village.code, world.clerk)
    assert "Nothing in your scope goes on from it." in answer.text
    assert new.code not in answer.text
    assert "赵强" not in answer.text


@pytest.mark.parametrize("named", ["510824999", "x", "510823100201"])
def test_an_unknown_or_foreign_code_lists_nobody_and_says_so(world, read, named):
    person(world, "赵强")
    answer = read("/people/", named)
    assert answer.status_code == 404
    assert "There is no place with this code in your scope." in answer.text
    assert "赵强" not in answer.text
    said = read("/coverage/", named)
    assert said.status_code == 404
    assert "There is no place with this code in your scope." in said.text


def test_the_page_of_a_place_that_has_ended_leads_to_its_figures(world, merged, read, client):
    address = f"/figures/?place={world.other_village.pk}"
    assert f'href="{address}"' in read(f"/places/then/{world.other_village.pk}/", "").text
    assert client.get(address).status_code == 200
