"""Grids and buildings made on the page of their village: drawn, pasted or uploaded; and outlines emptied or spoilt."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone, translation

from tests.conftest import place as make_place
from tests.orgs.test_import_grids import CROSSING, feature, file_of, square
from weilu.orgs.making import next_code
from weilu.orgs.models import Level, Place, PlaceOutline
from weilu.orgs.outlines import set_outline, sound


def draw(client, at: Place, kind: str = "grid", **given):
    fields = {"name": "东门网格", "code": "510824100001-02", "geometry": json.dumps(square())} | given
    return client.post(f"/places/{at.code}/new/{kind}/", fields)


def test_a_grid_is_drawn_with_its_networks_and_households(world, sign_in):
    client = sign_in(world.village_clerk)
    page = client.get(f"/places/{world.village.code}/new/grid/").content.decode()
    assert 'value="510824100001-02"' in page  # the next free code
    assert "data-outline" in page
    answer = draw(client, world.village, networks=["party", "order"], households="120")
    assert answer.url == "/places/510824100001-02/"
    grid = Place.objects.get(code="510824100001-02")
    assert (grid.parent, grid.level, grid.valid_from) == (world.village, Level.GRID, timezone.localdate())
    assert (grid.networks, grid.households) == (["order", "party"], 120)
    assert PlaceOutline.objects.get(place=grid).geometry == sound(square())
    assert grid.latitude


def test_a_building_is_made_in_a_grid_without_an_outline_and_the_next_is_begun(world, sign_in):
    client = sign_in(world.village_clerk)
    answer = draw(client, world.grid, "building", name="1号楼", code="L1", geometry="", more="1")
    assert answer.url == f"/places/{world.grid.code}/new/building/"
    assert (Place.objects.get(code="L1").parent, Place.objects.get(code="L1").level) == (world.grid, Level.BUILDING)


def test_a_taken_code_names_the_village_of_who_has_it_and_keeps_what_was_entered(world, sign_in):
    answer = draw(sign_in(world.village_clerk), world.village, code=world.grid.code)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "金穗社区 · 第一网格" in page
    assert "东门网格" in page


def test_an_outline_beyond_the_village_makes_nothing(world, sign_in):
    set_outline(world.village, square(0, 0, 2, 2))
    answer = draw(sign_in(world.village_clerk), world.village, geometry=json.dumps(square(5, 5)))
    assert answer.status_code == 422
    assert not Place.objects.filter(code="510824100001-02").exists()


@pytest.mark.parametrize("at", ["township", "grid"])
def test_a_grid_is_made_in_a_village_only(world, sign_in, at):
    assert draw(sign_in(world.clerk), getattr(world, at)).status_code == 404


def test_nobody_makes_grids_elsewhere(world, sign_in):
    assert draw(sign_in(world.stranger), world.village).status_code == 404
    assert draw(sign_in(world.observer), world.village).status_code == 403


def test_proposed_codes_go_on_from_those_beside_even_from_one_that_ended(world):
    make_place("510824100001-07", "旧网格", Level.GRID, world.village)
    Place.objects.filter(code="510824100001-07").update(valid_to=timezone.localdate())
    assert next_code(world.village, Level.GRID) == "510824100001-08"
    assert next_code(world.other_village, Level.GRID) == "510824101201-01"
    assert next_code(world.other_village, Level.BUILDING) == "510824101201-L01"


# --- outlines emptied, or spoilt -----------------------------------------------------------------------------------
def test_an_emptied_outline_is_removed_only_if_that_is_said(world, sign_in):
    set_outline(world.grid, square())
    client = sign_in(world.village_clerk)
    address = f"/places/{world.grid.code}/outline/"
    answer = client.post(address, {"geometry": ""})
    assert answer.status_code == 422
    assert "边界是空的" in answer.content.decode()
    assert PlaceOutline.objects.filter(place=world.grid).exists()
    page = client.post(address, {"geometry": "", "remove": "on"}, follow=True).content.decode()
    assert "边界已删除" in page
    assert not PlaceOutline.objects.filter(place=world.grid).exists()


def test_nothing_drawn_is_not_called_kept(world, sign_in):
    answer = sign_in(world.clerk).post(f"/places/{world.village.code}/outline/", {"geometry": " "})
    assert answer.status_code == 422
    assert "还没有画" in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("POLYGON((105.9 31.7, 105.91 31.7, 105.91 31.71, 105.9 31.7))", "WKT"),
        ("[[105.9, 31.7], [105.91, 31.7]]", "list of numbers"),
        ("105.9,31.7 105.91,31.7", "not GeoJSON"),
        (json.dumps(CROSSING), "crosses itself"),
        (file_of(feature("A", square()), feature("B", square(1))).decode(), "2 features"),
        (json.dumps({"type": "Polygon", "crs": {"properties": {"name": "EPSG:4547"}}}), "EPSG:4547"),
        (json.dumps({"type": "LineString", "coordinates": [[105.9, 31.7], [105.91, 31.7]]}), "Polygon or MultiPolygon"),
    ],
)
def test_a_bad_outline_is_explained_beside_the_field_it_stands_in(world, sign_in, text, message):
    client = sign_in(world.village_clerk)
    client.cookies["django_language"] = "en"
    with translation.override("en"):
        answer = client.post(f"/places/{world.grid.code}/outline/", {"geometry": text})
        assert message in str(answer.context["form"].errors["geometry"]).replace("&quot;", '"')
        file = SimpleUploadedFile("a.geojson", text.encode())
        answer = client.post(f"/places/{world.grid.code}/outline/", {"geometry": json.dumps(square()), "file": file})
        assert message in str(answer.context["form"].errors["file"])
    assert not PlaceOutline.objects.filter(place=world.grid).exists()
