"""Grids and buildings from GeoJSON: outlines are checked, places made once, overlaps and gaps found."""

import datetime as dt
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone, translation

from tests.conftest import place as make_place
from weilu.lib.import_result import ImportProblem
from weilu.orgs import outlines
from weilu.orgs.import_grids import run, run_file
from weilu.orgs.imports import jobs
from weilu.orgs.models import ImportJob, Level, Place, PlaceOutline
from weilu.orgs.outlines import BadOutline, area, cover, set_outline, sound

WEST, SOUTH, SIDE = 105.94, 31.72, 0.01


@pytest.fixture(autouse=True)
def english():
    """Messages are compared as they stand in the source."""
    with translation.override("en"):
        yield


def square(x: float = 0, y: float = 0, width: float = 1, height: float = 1) -> dict:
    """A rectangle, measured in hundredths of a degree from the village's corner."""
    west, south = WEST + x * SIDE, SOUTH + y * SIDE
    east, north = west + width * SIDE, south + height * SIDE
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(named: str, geometry: dict, **properties) -> dict:
    given = {"code": named, "name": f"网格{named}"} | properties
    return {"type": "Feature", "properties": given, "geometry": geometry}


def file_of(*features: dict, **more) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)} | more).encode()


def test_grids_come_in_with_outline_networks_and_households(world):
    raw = file_of(
        feature("G1", square(), networks="党建,综治", households=120),
        feature("G2", square(1), **{"网络": "文明"}),
    )
    result = run(raw, place=world.village)
    assert (result.imported, result.errors) == (2, [])
    grid = Place.objects.get(code="G1")
    assert (grid.parent, grid.level, grid.path) == (world.village, Level.GRID, f"{world.village.path}G1/")
    assert (grid.networks, grid.households) == (["order", "party"], 120)
    assert grid.outline.geometry["type"] == "Polygon"
    assert (grid.outline.west, grid.outline.north) == (pytest.approx(WEST), pytest.approx(SOUTH + SIDE))
    assert grid.latitude == pytest.approx(SOUTH + SIDE / 2)
    assert Place.objects.get(code="G2").networks == ["civility"]


def test_chinese_properties_are_known(world):
    raw = file_of({"type": "Feature", "geometry": square(),
                   "properties": {"网格编码": "G9", "网格名称": " 东门网格 ", "户数": 88.0,
                                  "三网": "党建、综治、文明"}})  # fmt: skip
    assert run(raw, place=world.village).imported == 1
    grid = Place.objects.get(code="G9")
    assert (grid.name, grid.households, len(grid.networks)) == ("东门网格", 88, 3)


def test_the_same_file_again_changes_nothing_and_a_changed_one_updates(world):
    raw = file_of(feature("G1", square(), households=100))
    run(raw, place=world.village)
    assert run(raw, place=world.village).duplicates == 1
    assert run(file_of(feature("G1", square(), households=101)), place=world.village).updated == 1
    assert run(file_of(feature("G1", square(0, 0, 2))), place=world.village).updated == 1
    assert Place.objects.get(code="G1").households == 101
    assert Place.objects.filter(code="G1").count() == 1


def test_a_building_lies_in_the_grid_it_names_wherever_it_stands_in_the_file(world):
    raw = file_of(
        feature("B1", square(0.2, 0.2, 0.1, 0.1), level="楼栋", parent="G1"),
        feature("G1", square()),
    )
    assert run(raw, place=world.village).imported == 2
    assert Place.objects.get(code="B1").parent.code == "G1"


def test_below_a_township_a_grid_is_found_by_its_village_or_refused(world):
    set_outline(world.village, square(0, 0, 2, 2))
    raw = file_of(feature("G1", square()), feature("G2", square(5, 5)))
    result = run(raw, place=world.township)
    assert (result.imported, result.refused) == (1, 1)
    assert result.errors[0]["field"] == "parent"
    assert Place.objects.get(code="G1").parent == world.village


def test_a_dry_run_writes_nothing(world):
    assert run(file_of(feature("G1", square())), place=world.village, dry_run=True).imported == 1
    assert not Place.objects.filter(code="G1").exists()


CROSSING = {"type": "Polygon", "coordinates": [[[105.9, 31.7], [105.91, 31.71], [105.91, 31.7], [105.9, 31.71],
                                               [105.9, 31.7]]]}  # fmt: skip
METRES = {"type": "Polygon", "coordinates": [[[589000, 3510000], [589100, 3510000], [589100, 3510100],
                                             [589000, 3510000]]]}  # fmt: skip
SWAPPED = {"type": "Polygon", "coordinates": [[[31.7, 105.9], [31.7, 105.91], [31.71, 105.91], [31.7, 105.9]]]}


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        (CROSSING, "crosses itself"),
        (METRES, "EPSG:4326"),
        (SWAPPED, "swapped"),
        ({"type": "Point", "coordinates": [105.9, 31.7]}, "Polygon or MultiPolygon"),
        (None, "Polygon or MultiPolygon"),
        ({"type": "Polygon", "coordinates": [[["a", "b"]]]}, "cannot be read"),
        ({"type": "Polygon", "coordinates": [[[105.9, 31.7], [105.91, 31.7]]]}, "cannot be read"),
        ({"type": "Polygon", "coordinates": []}, "no points"),
        ({"type": "Polygon"}, "cannot be read"),
        (square(0, 0, 0.0001, 0.0001), "smaller than"),
    ],
)
def test_an_outline_that_cannot_be_is_refused_in_words_and_the_others_go_in(world, geometry, message):
    raw = file_of(feature("G1", geometry), feature("G2", square()))
    result = run(raw, place=world.village)
    assert message in result.errors[0]["message"]
    assert result.errors[0]["row"] == 1
    assert result.imported == 1
    assert not Place.objects.filter(code="G1").exists()


def test_an_outline_with_too_many_points_is_refused(world, monkeypatch):
    monkeypatch.setattr(outlines, "MOST_POINTS", 4)
    with pytest.raises(BadOutline, match="Simplify"):
        sound(square())


@pytest.mark.parametrize(
    ("properties", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "../x"}, "code"),
        ({"name": ""}, "name"),
        ({"name": "长" * 81}, "name"),
        ({"level": "province"}, "level"),
        ({"networks": "telegraph"}, "networks"),
        ({"households": "many"}, "households"),
        ({"households": -3}, "households"),
        ({"parent": "nowhere"}, "parent"),
    ],
)
def test_a_feature_is_refused_by_the_field_at_fault(world, properties, field):
    result = run(file_of(feature("G1", square(), **properties)), place=world.village)
    assert [error["field"] for error in result.errors] == [field]


def test_a_feature_with_a_coordinate_that_is_no_number_is_refused_and_the_others_go_in(world):
    wrong = square()
    wrong["coordinates"][0][1][0] = float("nan")
    result = run(file_of(feature("G1", wrong), feature("G2", square(1))), place=world.village)
    assert [(error["row"], error["field"]) for error in result.errors] == [(1, "geometry")]
    assert result.imported == 1


def test_full_width_digits_are_digits(world):
    result = run(file_of(feature("Ｇ１", square(), households="１２０")), place=world.village)
    assert result.errors == []
    assert Place.objects.get(code="G1").households == 120


def test_a_second_grid_of_a_name_in_a_village_is_refused_with_the_code_of_the_first(world):
    """Which of two a record means, nobody would know; one who means it makes it on the page of grids."""
    raw = file_of(
        feature("G1", square(), name=world.grid.name),
        feature("G2", square(1), name="第九网格"),
        feature("G3", square(2), name="第九网格"),
        feature("G4", square(3), name="第十网格", level="building"),
        feature("G5", square(3), name="第十网格"),
        feature("G6", square(3), name="1号楼", level="building"),
        feature("G7", square(3), name="1号楼", level="building"),
    )
    result = run(raw, place=world.village)
    assert [(error["row"], error["field"]) for error in result.errors] == [(1, "name"), (3, "name")]
    assert world.grid.code in result.errors[0]["message"]
    assert "G2" in result.errors[1]["message"]
    again = run(file_of(feature("G2", square(1), name="第九网格")), place=world.village)
    assert again.duplicates == 1


def test_a_name_that_a_grid_gives_up_is_free_for_another(world):
    run(file_of(feature("G1", square(), name="甲网格")), place=world.village)
    raw = file_of(feature("G1", square(), name="甲东网格"), feature("G2", square(1), name="甲网格"))
    assert run(raw, place=world.village).errors == []


@pytest.mark.parametrize("what", ["grids", "matters"])
def test_an_empty_file_ends_in_one_message(world, tmp_path, what):
    file = tmp_path / ("zero.geojson" if what == "grids" else "zero.csv")
    file.write_bytes(b"")
    with file.open("rb") as opened:
        place = world.village if what == "grids" else None
        options = {"place": world.village.code} if what == "grids" else {"at": world.county.code}
        job = jobs.file_in(what, [(file.name, opened)], options=options, place=place)
    jobs.work(job.pk)
    job.refresh_from_db()
    assert job.state == ImportJob.State.FAILED
    assert "empty" in job.message


def test_codes_are_used_once_in_a_file_and_in_the_county(world):
    raw = file_of(feature("G1", square()), feature("G1", square(1)), feature(world.other_village.code, square(2)))
    result = run(raw, place=world.village)
    assert result.imported == 1
    assert [error["field"] for error in result.errors] == ["code", "code"]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"PK\x03\x04 not json", "cannot be read as JSON"),
        (b"\xff\xfe\x00", "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"[1, 2]", "FeatureCollection is wanted"),
        (b'{"type": "Topology"}', "FeatureCollection is wanted"),
        (b'{"type": "FeatureCollection", "features": {}}', "FeatureCollection is wanted"),
        (b'{"type": "FeatureCollection", "features": []}', "no features"),
        (file_of(feature("G1", square()), crs={"type": "name", "properties": {"name": "EPSG:3857"}}), "EPSG:3857"),
        (file_of(feature("G1", square()), crs="EPSG:2383"), "EPSG:2383"),
    ],
)
def test_a_file_that_is_none_changes_nothing_and_says_so(world, raw, message):
    with pytest.raises(ImportProblem, match=message):
        run(raw, place=world.village)
    assert not Place.objects.filter(code="G1").exists()


def test_the_usual_reference_systems_are_taken(world):
    for name in ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4490"):
        raw = file_of(feature("G1", square()), crs={"type": "name", "properties": {"name": name}})
        assert run(raw, place=world.village).refused == 0


def test_a_huge_file_is_refused_before_it_is_read(world, tmp_path, monkeypatch):
    monkeypatch.setattr("weilu.orgs.outlines.LARGEST_FILE", 1000)
    monkeypatch.setattr("weilu.orgs.import_grids.LARGEST_FILE", 1000)
    path = tmp_path / "grids.geojson"
    path.write_bytes(file_of(feature("G1", square(), note="x" * 2000)))
    with pytest.raises(ImportProblem, match="larger than"):
        run_file(path, place=world.village.code)
    with pytest.raises(ImportProblem, match="no place"):
        run_file(path, place="nowhere")
    with pytest.raises(ImportProblem, match="There is no file"):
        run_file(tmp_path / "missing", place=world.village.code)


def test_an_outline_stays_inside_the_one_above_but_for_the_pens_width(world):
    set_outline(world.village, square(0, 0, 2, 2))
    result = run(file_of(feature("G1", square(1.5)), feature("G2", square(0, 0, 2.0005, 1))), place=world.village)
    assert (result.imported, result.refused) == (1, 1)
    assert "reaches beyond 金穗社区" in result.errors[0]["message"]
    assert not Place.objects.filter(code="G1").exists()


def test_areas_are_true_on_the_ground():
    from shapely.geometry import shape

    # A hundredth of a degree at 31.725° north: 1,108.7 by 947.1 metres on WGS 84's ellipsoid.
    assert area(shape(square())) == pytest.approx(1108.7 * 947.1, rel=0.005)


def test_overlaps_and_gaps_are_found_with_area_and_share(world):
    set_outline(world.village, square(0, 0, 2, 1))
    set_outline(world.grid, square(0, 0, 1, 1))
    second = make_place("G2", "第二网格", Level.GRID, world.village)
    set_outline(second, square(0.9, 0, 0.6, 1))
    third = make_place("G3", "第三网格", Level.GRID, world.village)
    found = cover(world.village)
    [lap], [gap] = found.overlaps, found.gaps
    assert {grid.code for grid in lap.grids} == {world.grid.code, "G2"}
    assert lap.share == pytest.approx(5, rel=0.01)
    assert gap.share == pytest.approx(25, rel=0.01)
    assert lap.area == pytest.approx(found.area * 0.05, rel=0.01)
    assert found.without == [third]
    assert found.known


def test_without_an_outline_of_the_village_only_holes_are_gaps(world):
    for number, at in enumerate([(0, 0, 3, 1), (0, 2, 3, 1), (0, 1, 1, 1), (2, 1, 1, 1)]):
        set_outline(make_place(f"H{number}", f"网格{number}", Level.GRID, world.village), square(*at))
    found = cover(world.village)
    assert not found.known
    assert found.overlaps == []
    assert [gap.share for gap in found.gaps] == [pytest.approx(100 / 9, rel=0.01)]


def test_a_village_without_drawn_grids_has_neither(world):
    found = cover(world.village)
    assert (found.overlaps, found.gaps, found.without) == ([], [], [world.grid])


# --- pages ------------------------------------------------------------------------------------------------------------
def test_a_clerk_uploads_a_file_and_sees_what_became_of_each_feature(world, sign_in):
    client = sign_in(world.village_clerk)
    file = SimpleUploadedFile("grids.geojson", file_of(feature("G1", square()), feature("G2", CROSSING)))
    answer = client.post(f"/places/{world.village.code}/grids/", {"file": file})
    job = ImportJob.objects.get()
    assert answer.url == f"/imports/{job.pk}/"
    assert "等待后台处理" in client.get(answer.url).content.decode()
    assert not Place.objects.filter(code="G1").exists()  # the worker does it
    with translation.override("zh-hans"):
        jobs.work(job.pk)
    page = client.get(answer.url).content.decode()
    for word in ("交叉", "G2", "网格G2", "第2个", "边界"):
        assert word in page
    assert Place.objects.filter(code="G1").exists()
    assert "grids.geojson" in client.get(f"/places/{world.village.code}/grids/").content.decode()


def test_what_was_refused_comes_back_as_a_file_with_the_reasons_and_goes_in_when_corrected(world, sign_in):
    client = sign_in(world.village_clerk)
    file = SimpleUploadedFile("grids.geojson", file_of(feature("G1", square()), feature("G2", CROSSING, note="南门")))
    client.post(f"/places/{world.village.code}/grids/", {"file": file})
    jobs.work(ImportJob.objects.get().pk)
    answer = client.get(f"/imports/{ImportJob.objects.get().pk}/refused.geojson")
    [left] = json.loads(answer.content)["features"]
    assert (left["properties"]["code"], left["properties"]["note"]) == ("G2", "南门")
    assert "crosses itself" in left["properties"]["_error"]
    left["geometry"] = square(1)
    assert run(file_of(left), place=world.village).imported == 1


def test_a_file_that_is_none_fails_with_its_reason_and_nothing_else(world, sign_in):
    client = sign_in(world.village_clerk)
    client.post(f"/places/{world.village.code}/grids/", {"file": SimpleUploadedFile("grids.geojson", b"no")})
    job = ImportJob.objects.get()
    jobs.work(job.pk)
    page = client.get(f"/imports/{job.pk}/").content.decode()
    assert "not GeoJSON" in page
    assert not job.parts.exists()


def test_the_second_feature_of_a_code_goes_in_whole_where_the_first_is_refused(world):
    set_outline(world.village, square(0, 0, 2, 2))
    raw = file_of(
        feature("G1", square(5, 5), name="越界", households=9, networks="party"),
        feature("G1", square(), name="东门网格", households=120),
    )
    result = run(raw, place=world.village)
    assert (result.imported, result.refused) == (1, 1)
    grid = Place.objects.get(code="G1")
    assert (grid.name, grid.households, grid.networks) == ("东门网格", 120, [])
    assert (run(raw, place=world.village).duplicates, run(raw, place=world.village).updated) == (1, 0)


def test_a_refused_change_leaves_the_grid_as_it_was(world):
    set_outline(world.village, square(0, 0, 2, 2))
    run(file_of(feature("G1", square(), households=100)), place=world.village)
    raw = file_of(feature("G1", square(5, 5), name="新名", households=7), feature("G1", square(), households=100))
    result = run(raw, place=world.village)
    assert (result.refused, result.duplicates, result.updated) == (1, 1, 0)
    assert (Place.objects.get(code="G1").name, Place.objects.get(code="G1").households) == ("网格G1", 100)


def test_thousands_of_features_are_written_in_a_few_statements(world, django_assert_max_num_queries):
    set_outline(world.village, square(0, 0, 20, 20))
    raw = file_of(*[feature(f"G{x}-{y}", square(x, y)) for x in range(20) for y in range(20)])
    with django_assert_max_num_queries(15):
        assert run(raw, place=world.village).imported == 400


def test_who_only_looks_imports_nothing(world, sign_in):
    file = SimpleUploadedFile("grids.geojson", file_of(feature("G1", square())))
    answer = sign_in(world.observer).post(f"/places/{world.village.code}/grids/", {"file": file})
    assert answer.status_code == 404
    assert not Place.objects.filter(code="G1").exists()


def test_an_outline_is_kept_from_text_or_file_with_the_grids_networks(world, sign_in):
    client = sign_in(world.village_clerk)
    address = f"/places/{world.grid.code}/outline/"
    given = {"geometry": json.dumps(square()), "networks": ["party", "order"], "households": "80"}
    assert client.post(address, given).status_code == 302
    grid = Place.objects.get(pk=world.grid.pk)
    assert (grid.networks, grid.households) == (["party", "order"], 80)
    assert PlaceOutline.objects.get(place=grid).geometry == sound(square())
    file = SimpleUploadedFile("a.geojson", file_of(feature("x", square(0, 0, 2))))
    client.post(address, given | {"file": file})
    assert PlaceOutline.objects.get(place=grid).east == pytest.approx(WEST + 2 * SIDE)
    answer = client.post(address, given | {"geometry": json.dumps(CROSSING)})
    assert answer.status_code == 422
    assert "105.9" in answer.content.decode()  # what was given stays


def test_overlaps_stand_in_the_table_and_in_the_layer_of_the_map(world, sign_in):
    set_outline(world.village, square(0, 0, 2, 1))
    set_outline(world.grid, square(0, 0, 1.1, 1))
    set_outline(make_place("G2", "第二网格", Level.GRID, world.village), square(1, 0, 0.9, 1))
    client = sign_in(world.village_clerk)
    page = client.get(f"/places/{world.village.code}/grids/").content.decode()
    assert "重叠" in page
    assert "5.00 %" in page
    kinds = [row["properties"]["kind"] for row in client.get(f"/map/{world.village.code}/laps.json").json()["features"]]
    assert kinds == ["overlap", "gap"]


def test_a_new_grid_beside_others_began_today_and_the_first_ones_long_ago(world):
    bare = make_place(f"{world.township.code}002", "无网格村", Level.VILLAGE, world.township)
    for village, code in ((world.village, "G7"), (bare, "G8")):
        assert run(file_of(feature(code, square())), place=village).imported == 1
    assert Place.objects.get(code="G7").valid_from == timezone.localdate()
    assert Place.objects.get(code="G8").valid_from == dt.date(2000, 1, 1)


def test_the_day_on_which_a_grid_began_is_read_and_refused_where_it_cannot_be(world):
    days = [{"启用日期": "2024年3月1日"}, {"since": "2999-01-01"}, {"since": "昨天"}]
    features = [feature(f"G{at}", square(at), **more) for at, more in enumerate(days, 1)]
    result = run(file_of(*features), place=world.village)
    assert Place.objects.get(code="G1").valid_from == dt.date(2024, 3, 1)
    assert [(error["row"], error["field"]) for error in result.errors] == [(2, "since"), (3, "since")]


def test_the_day_of_a_grid_that_is_there_is_corrected(world):
    run(file_of(feature("G1", square(), since="2024-03-01")), place=world.village)
    assert run(file_of(feature("G1", square(), since="2023-05-01")), place=world.village).updated == 1
    assert Place.objects.get(code="G1").valid_from == dt.date(2023, 5, 1)
    assert run(file_of(feature("G1", square())), place=world.village).duplicates == 1
