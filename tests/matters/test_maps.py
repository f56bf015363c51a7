"""The map: its layers hold what one's scope holds, each with its table."""

import re

import pytest

from tests.conftest import place as make_place
from tests.orgs.test_import_grids import square
from weilu.matters.models import Matter
from weilu.orgs.changes import rename
from weilu.orgs.models import Level
from weilu.orgs.outlines import set_outline


@pytest.fixture
def drawn(world):
    """Outlines for the township, the village, its grid, and the other township's village."""
    set_outline(world.township, square(0, 0, 4, 4))
    set_outline(world.village, square(0, 0, 2, 2))
    set_outline(world.grid, square())
    set_outline(world.other_village, square(5, 0, 2, 2))
    return world


def at(matter: Matter, latitude: float, longitude: float) -> Matter:
    Matter.objects.filter(pk=matter.pk).update(latitude=latitude, longitude=longitude)
    return matter


def names(answer) -> list[str]:
    return [feature["properties"]["name"] for feature in answer.json()["features"]]


def test_outlines_end_where_the_scope_does(drawn, sign_in):
    client = sign_in(drawn.county_clerk)
    assert names(client.get(f"/map/{drawn.county.code}/outlines/5.json")) == ["金穗社区", "红旗村"]
    client = sign_in(drawn.clerk)
    assert names(client.get(f"/map/{drawn.township.code}/outlines/5.json")) == ["金穗社区"]
    assert client.get(f"/map/{drawn.county.code}/outlines/5.json").status_code == 404
    assert client.get(f"/map/{drawn.other_village.code}/laps.json").status_code == 404


def test_points_are_open_matters_of_the_scope_that_have_a_position(drawn, sign_in):
    here = at(drawn.matter(at=drawn.grid), 31.723, 105.944)
    at(drawn.matter(at=drawn.other_village), 31.723, 105.994)
    drawn.matter(at=drawn.grid)
    answer = sign_in(drawn.clerk).get(f"/map/{drawn.township.code}/matters.json")
    [feature] = answer.json()["features"]
    assert feature["properties"]["url"] == here.get_absolute_url()
    assert feature["geometry"]["coordinates"] == [105.944, 31.723]
    assert "no-store" in answer["Cache-Control"]
    county = sign_in(drawn.county_clerk).get(f"/map/{drawn.county.code}/matters.json").json()["features"]
    assert len(county) == 2


def test_a_department_sees_no_point_but_what_it_was_handed(drawn, sign_in):
    at(drawn.matter(at=drawn.grid), 31.723, 105.944)
    assert names(sign_in(drawn.handler).get(f"/map/{drawn.county.code}/matters.json")) == []


def test_heat_counts_the_matters_of_each_grid_and_of_what_it_goes_on_from(drawn, sign_in):
    second = make_place("G2", "第二网格", Level.GRID, drawn.village)
    set_outline(second, square(1))
    for _number in range(4):
        drawn.matter(at=drawn.grid)
    drawn.matter(at=second)
    from django.utils import timezone

    rename(drawn.grid, name="东门网格", on=timezone.localdate(), by=drawn.administrator)
    answer = sign_in(drawn.village_clerk).get(f"/map/{drawn.village.code}/heat/6.json")
    found = {row["properties"]["name"]: row["properties"] for row in answer.json()["features"]}
    assert (found["东门网格"]["count"], found["东门网格"]["shade"]) == (4, 5)
    assert (found["第二网格"]["count"], found["第二网格"]["shade"]) == (1, 3)
    page = sign_in(drawn.village_clerk).get(f"/map/?place={drawn.village.code}&layer=heat").content.decode()
    assert "80.0 %" in page


@pytest.mark.parametrize("layer", ["places", "matters", "heat", "nonsense"])
def test_each_layer_has_its_table_and_no_script_of_its_own(drawn, sign_in, layer):
    at(drawn.matter(at=drawn.grid), 31.723, 105.944)
    page = sign_in(drawn.clerk).get(f"/map/?layer={layer}").content.decode()
    assert "<table" in page
    assert "data-areas=" in page
    assert "<script>" not in page


def test_a_map_of_elsewhere_does_not_exist(drawn, sign_in):
    client = sign_in(drawn.clerk)
    assert client.get(f"/map/?place={drawn.other_village.code}").status_code == 404
    assert client.get("/map/?place=nowhere").status_code == 404
    assert client.get(f"/map/{drawn.village.code}/heat/7.json").status_code == 404


def test_a_grid_worker_gets_the_map_of_the_grid(drawn, sign_in):
    assert "第一网格" in sign_in(drawn.grid_worker).get("/map/").content.decode()


def test_tiles_are_let_through_only_from_the_address_that_is_set(settings):
    from config.settings import tile_origins

    assert settings.TILES == ""
    assert tile_origins("") == []
    assert tile_origins("https://tiles.example:8443/{z}/{x}/{y}.png?key=1") == ["https://tiles.example:8443"]
    assert tile_origins("https://{s}.tiles.example/{z}/{x}/{y}.png") == ["https://*.tiles.example"]
    assert tile_origins("javascript:alert(1)") == []


def test_venues_are_a_layer_with_their_list(drawn, sign_in):
    page = sign_in(drawn.clerk).get("/map/?layer=venues").content.decode()
    wanted = f"?county={drawn.county.code}&amp;place={drawn.township.code}"
    assert f'data-points="/venues/points.json{wanted}"' in page
    table = f"/desk/venues/of/{drawn.township.code}/"
    assert f'data-panel="{table}?page=1"' in page


def test_the_table_of_matters_has_pages(drawn, sign_in, monkeypatch):
    monkeypatch.setattr("weilu.matters.maps.TABLE_ROWS", 2)
    first, *_later = [at(drawn.matter(at=drawn.grid), 31.723, 105.944) for _number in range(3)]
    client = sign_in(drawn.clerk)
    page = client.get("/map/?layer=matters").content.decode()
    assert f'href="{first.get_absolute_url()}"' not in page
    address = re.search(r'rel="next" href="([^"]+)"', page).group(1).replace("&amp;", "&")
    page = client.get(f"/map/{address}").content.decode()
    assert f'href="{first.get_absolute_url()}"' in page
    assert "金穗社区" in page


def test_heat_says_how_many_matters_name_no_grid(drawn, sign_in):
    drawn.matter(at=drawn.village)
    page = sign_in(drawn.village_clerk).get(f"/map/?place={drawn.village.code}&layer=heat").content.decode()
    assert "另有1件没有写明这一级的地点" in page
