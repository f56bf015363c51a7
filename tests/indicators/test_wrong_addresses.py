"""Addresses of figures that ask for what is not there say what is wrong, and what there is."""

import pytest

from tests.conftest import place as make_place
from weilu.orgs.models import Level

WRONG = [
    ("/figures/matters.settled/?period=zzz", "“zzz”不是时段"),
    ("/figures/matters.settled/?by=zzz", "zzz"),
    ("/figures/matters.settled/rows/?by=zzz&key=1", "zzz"),
    ("/figures/matters.settled/rows/?by=month&key=zzz", "“zzz”"),
    ("/figures/matters.settled/rows/?by=month&key=2025", "“2025”"),
    ("/figures/matters.settled/rows/?by=township&key=zzz", "“zzz”"),
    ("/figures/matters.settled/rows/?by=channel&key=zzz", "“zzz”"),
    ("/figures/matters.settled/rows/?by=category&key=zzz", "“zzz”"),
    ("/figures/matters.settled/rows/?key=zzz", "“zzz”"),
    ("/figures/matters.settled/map/?level=zzz", "“zzz”"),
    ("/figures/matters.setled/", "matters.settled"),
    ("/figures/matters.settled/?place=999999", "999999"),
    ("/dashboard/?period=zzz", "“zzz”不是时段"),
    ("/figures/matters.settled/map/?period=zzz", "“zzz”不是时段"),
]


@pytest.mark.parametrize(("address", "words"), WRONG)
def test_a_wrong_address_says_what_is_wrong(world, sign_in, address, words):
    answer = sign_in(world.county_clerk).get(address)
    assert answer.status_code == 404
    assert words in answer.content.decode()


def test_a_place_out_of_scope_is_told_like_one_that_is_not_there(world, sign_in):
    clerk = sign_in(world.clerk)
    for code in (world.other_township.code, "510824999"):
        assert f"没有代码为{code}的地点" in clerk.get(f"/figures/matters.settled/?place={code}").content.decode()


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [("by=month&key=zzz", 422, "“zzz”"), ("by=zzz&key=1", 422, "zzz"), ("place=5108%0024", 400, "NUL")],
)
def test_the_api_says_in_json_what_is_wrong(world, sign_in, query, status, words):
    answer = sign_in(world.county_clerk).get(f"/api/v1/figures/matters.settled/rows?{query}")
    assert answer.status_code == status
    assert words in answer.json()["detail"]


def test_a_building_has_no_figures_of_matters_and_says_where_they_are_counted(world, sign_in):
    building = make_place(f"{world.grid.code}-01", "1号楼", Level.BUILDING, world.grid)
    client = sign_in(world.county_clerk)
    for address in ("", "rows/", "compare/"):
        page = client.get(f"/figures/matters.settled/{address}?place={building.code}&by=month")
        assert page.status_code == 404
        assert str(world.grid) in page.text
    answer = client.get(f"/api/v1/figures/matters.settled?place={building.code}&by=month")
    assert answer.status_code == 422
    assert str(world.grid) in answer.json()["detail"]


def test_a_grid_is_compared_with_another_grid_and_not_with_its_building(world, sign_in):
    make_place(f"{world.grid.code}-01", "1号楼", Level.BUILDING, world.grid)
    page = sign_in(world.grid_worker).get("/figures/matters.settled/compare/?kind=places")
    assert page.status_code in (200, 422)
    assert "1号楼" not in page.text
