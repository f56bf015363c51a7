"""The import of places: whole folders, broken rows, and the same folder again."""

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import timezone
from rich.console import Console

from weilu.matters.setup import open_jurisdiction
from weilu.orgs import import_divisions
from weilu.orgs.changes import NewPlace, merge, rename, split
from weilu.orgs.import_divisions import ImportProblem
from weilu.orgs.models import Level, Place, PlaceChange
from weilu.orgs.taking_back import take_back

pytestmark = pytest.mark.django_db

TOWNSHIPS = "code,name,areaCode,provinceCode,cityCode\n510824901,灯塔镇,510824,51,5108\n"
VILLAGES = (
    "code,name,streetCode,provinceCode,cityCode,areaCode\n"
    "510824901001,石桥社区居民委员会,510824901,51,5108,510824\n"
    "510824901201,白观村村民委员会,510824901,51,5108,510824\n"
)


@pytest.fixture
def folder(tmp_path):
    """Writes files into a folder and returns it."""

    def write(encoding: str = "utf-8", **files: str) -> Path:
        for name, text in files.items():
            (tmp_path / f"{name}.csv").write_bytes(text.encode(encoding))
        return tmp_path

    return write


def counts(result) -> tuple[int, ...]:
    found = result.as_dict()
    assert found["read"] == found["imported"] + found["updated"] + found["duplicates"] + found["refused"]
    return tuple(found[key] for key in ("read", "imported", "updated", "duplicates", "refused"))


def faults(result) -> list[tuple]:
    return [(error["file"], error["row"], error["field"]) for error in result.errors]


def test_it_imports_townships_and_villages_below_their_county(folder):
    result = import_divisions.run(folder(townships=TOWNSHIPS, villages=VILLAGES))
    assert counts(result) == (3, 3, 0, 0, 0)
    village = Place.objects.get(code="510824901201")
    assert (village.name, village.short_name, village.level) == ("白观村村民委员会", "白观村", Level.VILLAGE)
    assert village.path == "51/5108/510824/510824901/510824901201/"
    assert village.parent.short_name == "灯塔镇"


def test_it_makes_only_the_ancestors_it_needs_from_gbt_2260(folder):
    result = import_divisions.run(folder(townships=TOWNSHIPS))
    assert result.extra["ancestors"] == 3
    names = list(Place.objects.order_by("code").values_list("code", "name"))
    assert names == [("51", "四川省"), ("5108", "广元市"), ("510824", "苍溪县"), ("510824901", "灯塔镇")]
    assert import_divisions.run(folder()).extra["ancestors"] == 0


def test_names_of_the_folder_come_before_those_of_gbt_2260(folder):
    given = {"provinces": 'code,name\n51,"川省"\n', "cities": 'code,name,provinceCode\n5108,"利州"\n'}
    import_divisions.run(folder(**given, areas="code,name,cityCode,provinceCode\n510824,苍溪,5108,51\n"))
    assert list(Place.objects.order_by("code").values_list("name", flat=True)) == ["川省", "利州", "苍溪"]


def test_cities_without_counties_have_their_townships_below_a_code_of_their_own(folder):
    streets = "code,name,areaCode,provinceCode,cityCode\n441900990,灯塔街道办事处,441900,44,4419\n"
    assert counts(import_divisions.run(folder(streets=streets))) == (1, 1, 0, 0, 0)
    assert Place.objects.get(code="441900990").path == "44/4419/441900/441900990/"
    assert Place.objects.get(code="441900").name == "东莞市"
    other = "code,name,areaCode\n510800990,灯塔镇,510800\n"
    assert counts(import_divisions.run(folder(streets=other))) == (1, 1, 0, 0, 0)
    assert Place.objects.get(code="510800").name == "广元市"


def test_the_same_folder_again_changes_nothing(folder):
    where = folder(townships=TOWNSHIPS, villages=VILLAGES)
    import_divisions.run(where)
    before = list(Place.objects.order_by("code").values())
    assert counts(import_divisions.run(where)) == (3, 0, 0, 3, 0)
    assert list(Place.objects.order_by("code").values()) == before


def test_a_new_name_updates_the_place_and_keeps_its_id(folder):
    import_divisions.run(folder(townships=TOWNSHIPS, villages=VILLAGES))
    before = Place.objects.get(code="510824901201")
    result = import_divisions.run(folder(villages=VILLAGES.replace("白观村村民委员会", "新观村村委会")))
    assert counts(result) == (3, 0, 1, 2, 0)
    after = Place.objects.get(pk=before.pk)
    assert (after.name, after.short_name) == ("新观村村委会", "新观村")


def test_a_place_that_has_ended_is_left_alone(folder):
    import_divisions.run(folder(townships=TOWNSHIPS))
    Place.objects.filter(code="510824901").update(valid_to="2020-01-01")
    assert counts(import_divisions.run(folder(townships=TOWNSHIPS))) == (1, 1, 0, 0, 0)
    assert Place.objects.filter(code="510824901").count() == 2


def test_an_older_list_does_not_begin_again_what_a_merger_has_ended(folder):
    names = folder(townships=TOWNSHIPS + "510824902,红光镇,510824,51,5108\n", villages=VILLAGES)
    import_divisions.run(names)
    open_jurisdiction("510824", prefix="CX")
    first, second = Place.objects.filter(level=Level.TOWNSHIP).order_by("code")
    merge([first, second], into=NewPlace("510824902", "灯光镇"), on=timezone.localdate(), by=None)
    result = import_divisions.run(names)
    assert Place.objects.filter(level=Level.TOWNSHIP, valid_to=None).count() == 1
    assert [error["row"] for error in result.errors] == [2, 2, 3]


def test_a_list_does_not_undo_a_renaming_a_merger_or_a_split_and_says_which_names_it_kept(folder):
    names = folder(townships=TOWNSHIPS + "510824902,红光镇,510824,51,5108\n", villages=VILLAGES)
    import_divisions.run(names)
    open_jurisdiction("510824", prefix="CX")
    on = {"on": timezone.localdate(), "by": None}
    first, second = Place.objects.filter(level=Level.TOWNSHIP).order_by("code")
    merge([first, second], into=NewPlace("510824901", "灯光镇"), **on)
    rename(Place.objects.get(code="510824901001"), name="新石桥社区", **on)
    split(
        Place.objects.get(code="510824901201"),
        parts=[NewPlace("510824901201", "上观村"), NewPlace("510824901202", "下观村")], belongs={}, **on,
    )  # fmt: skip
    before = list(Place.objects.order_by("code", "valid_from").values())
    result = import_divisions.run(names)
    assert list(Place.objects.order_by("code", "valid_from").values()) == before
    assert counts(result) == (4, 0, 0, 3, 1)  # the other township has ended
    assert [(row["code"], row["was"], row["name"]) for row in result.as_dict()["kept"]] == [
        ("510824901", "灯光镇", "灯塔镇"),
        ("510824901001", "新石桥社区", "石桥社区居民委员会"),
        ("510824901201", "上观村", "白观村村民委员会"),
    ]


def test_another_name_in_an_open_county_is_a_renaming_of_today_that_can_be_taken_back(folder):
    import_divisions.run(folder(townships=TOWNSHIPS, villages=VILLAGES))
    open_jurisdiction("510824", prefix="CX")
    old = Place.objects.get(code="510824901201")
    newer = folder(villages=VILLAGES.replace("白观村村民委员会", "新观村村委会"))
    result = import_divisions.run(newer)
    assert counts(result) == (3, 0, 1, 2, 0)
    assert [(row["row"], row["was"], row["name"]) for row in result.renamed] == [
        (3, "白观村村民委员会", "新观村村委会")
    ]
    new = Place.objects.get(code="510824901201", valid_to=None)
    assert (new.short_name, new.formerly, new.begun_by.kind) == ("新观村", [old.pk], "import")
    assert counts(import_divisions.run(newer)) == (3, 0, 0, 3, 0)
    take_back(PlaceChange.objects.get(), by=None)
    assert Place.objects.get(code="510824901201").name == "白观村村民委员会"


def test_a_short_name_given_by_hand_outlives_a_new_position(folder):
    import_divisions.run(folder(townships=TOWNSHIPS))
    Place.objects.filter(code="510824901").update(short_name="灯塔")
    import_divisions.run(
        folder(townships="code,name,areaCode,latitude,longitude\n510824901,灯塔镇,510824,31.7,105.9\n")
    )
    place = Place.objects.get(code="510824901")
    assert (place.short_name, place.latitude) == ("灯塔", 31.7)


def test_grids_and_buildings_lie_below_villages(folder):
    grids = "code,name,villageCode,latitude,longitude\nG-01,第１网格,510824901201,31.7,105.9\n"
    buildings = "code,name,gridCode,villageCode\nB-1,一号楼,G-01,\nB-2,二号楼,,510824901201\n"
    where = folder(townships=TOWNSHIPS, villages=VILLAGES, grids=grids, buildings=buildings)
    assert counts(import_divisions.run(where)) == (6, 6, 0, 0, 0)
    grid = Place.objects.get(code="G-01")
    assert (grid.name, grid.latitude, grid.longitude) == ("第1网格", 31.7, 105.9)
    assert Place.objects.get(code="B-1").path == grid.path + "B-1/"
    assert Place.objects.get(code="B-2").parent.code == "510824901201"
    assert counts(import_divisions.run(where)) == (6, 0, 0, 6, 0)


def test_a_file_without_positions_keeps_those_that_are_there(folder):
    grids = "code,name,villageCode,latitude,longitude\nG-01,第一网格,510824901201,31.7,105.9\n"
    import_divisions.run(folder(townships=TOWNSHIPS, villages=VILLAGES, grids=grids))
    import_divisions.run(folder(grids="code,name,villageCode\nG-01,东网格,510824901201\n"))
    grid = Place.objects.get(code="G-01")
    assert (grid.name, grid.latitude) == ("东网格", 31.7)
    moved = "code,name,villageCode,latitude,longitude\nG-01,东网格,510824901201,31.8,105.9\n"
    assert counts(import_divisions.run(folder(grids=moved)))[2] == 1


def test_bad_rows_are_refused_with_their_reason_and_sound_ones_go_in(folder):
    villages = VILLAGES + (
        "51082490120,短村,510824901,51,5108,510824\n"
        "5.10825E+11,表村,510824901,51,5108,510824\n"
        "５10824901203,宽村,510824901,51,5108,510824\n"
        "510824901204,　,510824901,51,5108,510824\n"
        f"510824901205,{'长' * 81},510824901,51,5108,510824\n"
        "510824902206,错村,510824901,51,5108,510824\n"
        "510824999207,孤村,510824999,51,5108,510824\n"
        "510824901208,散村,510824901,51,5108,510824,x\n"
        "510824901209,好村,510824901\n"
    )
    result = import_divisions.run(folder(townships=TOWNSHIPS, villages=villages))
    assert counts(result) == (12, 4, 0, 0, 8)
    fields = ["code", "code", "code", "name", "name", "streetCode", "code", ""]
    assert faults(result) == [("villages.csv", row, field) for row, field in enumerate(fields, start=4)]
    assert "510824999" in result.errors[6]["message"]
    assert Place.objects.get(code="510824901209").short_name == "好村"


def test_a_repeated_row_is_a_duplicate_and_another_name_for_its_code_is_refused(folder):
    again = "510824901201,白观村村民委员会,510824901,51,5108,510824\n510824901201,黑观村,510824901,51,5108,510824\n"
    result = import_divisions.run(folder(townships=TOWNSHIPS, villages=VILLAGES + again))
    assert counts(result) == (5, 3, 0, 1, 1)
    assert faults(result) == [("villages.csv", 5, "name")]
    assert "3" in result.errors[0]["message"]
    assert "白观村村民委员会" in result.errors[0]["message"]


def test_places_below_a_refused_one_are_refused_too(folder):
    result = import_divisions.run(folder(townships=TOWNSHIPS.replace("灯塔镇", " "), villages=VILLAGES))
    assert counts(result) == (3, 0, 0, 0, 3)
    assert not Place.objects.filter(level__gte=Level.TOWNSHIP).exists()


def test_a_county_unknown_to_all_is_refused(folder):
    result = import_divisions.run(folder(townships=TOWNSHIPS.replace("510824", "519999")))
    assert counts(result) == (1, 0, 0, 0, 1)
    assert not Place.objects.exists()


@pytest.mark.parametrize(
    ("latitude", "longitude", "field"),
    [
        ("31.7", "", "longitude"),
        ("", "105.9", "latitude"),
        ("91", "105.9", "latitude"),
        ("31.7", "-180.1", "longitude"),
        ("north", "105.9", "latitude"),
        ("nan", "105.9", "latitude"),
        ("31.7", "inf", "longitude"),
    ],
)
def test_positions_off_the_earth_are_refused(folder, latitude, longitude, field):
    townships = f"code,name,latitude,longitude\n510824901,灯塔镇,{latitude},{longitude}\n"
    assert faults(import_divisions.run(folder(townships=townships))) == [("townships.csv", 2, field)]


def test_grids_are_not_moved_nor_put_below_the_wrong_level(folder):
    grids = "code,name,villageCode\nG-01,一,510824901201\nG-02,二,510824901\nG/3,三,510824901201\nG-04,四,\n"
    result = import_divisions.run(folder(townships=TOWNSHIPS, villages=VILLAGES, grids=grids))
    assert faults(result) == [("grids.csv", 3, "code"), ("grids.csv", 4, "code"), ("grids.csv", 5, "villageCode")]
    result = import_divisions.run(folder(grids="code,name,villageCode\nG-01,第一网格,510824901001\n"))
    assert "510824901201" in next(error for error in result.errors if error["row"] == 2)["message"]


def test_a_grid_cannot_take_the_code_of_another_place(folder):
    grids = "code,name,villageCode\n510824901001,第一网格,510824901201\n510824,第二网格,510824901201\n"
    result = import_divisions.run(folder(townships=TOWNSHIPS, villages=VILLAGES, grids=grids))
    assert faults(result) == [("grids.csv", 2, "name"), ("grids.csv", 3, "code")]


def test_a_dry_run_counts_the_same_and_writes_nothing(folder):
    where = folder(townships=TOWNSHIPS, villages=VILLAGES + "1,坏,2,3,4,5\n")
    dry = import_divisions.run(where, dry_run=True)
    assert not Place.objects.exists()
    assert dry.as_dict() == import_divisions.run(where).as_dict()


def test_it_reads_what_excel_saved(folder):
    import_divisions.run(folder("gb18030", townships=TOWNSHIPS))
    (folder("utf-8-sig") / "villages.csv").write_bytes(gzip.compress(VILLAGES.encode("utf-8-sig")))
    assert counts(import_divisions.run(folder())) == (3, 2, 0, 1, 0)


def test_odd_characters_in_names_come_through(folder):
    import_divisions.run(folder(townships='code,name\n510824901,"灯\\N塔,\t""镇"""\n'))
    assert Place.objects.get(code="510824901").name == '灯\\N塔, "镇"'


def test_it_names_what_is_missing(folder, tmp_path):
    with pytest.raises(ImportProblem, match="nowhere"):
        import_divisions.run(tmp_path / "nowhere")
    with pytest.raises(ImportProblem, match=r"villages\.csv"):
        import_divisions.run(tmp_path)
    with pytest.raises(ImportProblem, match=r"grids\.csv.*villageCode"):
        import_divisions.run(folder(grids="code,name\nG-01,第一网格\n"))
    with pytest.raises(ImportProblem, match=r"townships\.csv.*code, name"):
        import_divisions.run(folder(townships="编码,名称\n510824901,灯塔镇\n"))


def test_a_file_cut_off_in_the_middle_brings_nothing_in(folder):
    with pytest.raises(ImportProblem):
        import_divisions.run(folder(townships=TOWNSHIPS, villages=VILLAGES + '510824901202,"半'))
    assert not Place.objects.exists()


def test_an_interruption_leaves_nothing_half_done(folder, monkeypatch):
    writes = import_divisions._writes

    def interrupted():
        yield from writes()
        raise KeyboardInterrupt

    monkeypatch.setattr(import_divisions, "_writes", interrupted)
    where = folder(townships=TOWNSHIPS, villages=VILLAGES)
    with pytest.raises(KeyboardInterrupt):
        import_divisions.run(where)
    monkeypatch.undo()
    assert not Place.objects.exists()
    assert counts(import_divisions.run(where)) == (3, 3, 0, 0, 0)


def test_it_shows_its_progress_on_the_console_given(folder):
    screen = io.StringIO()
    import_divisions.run(folder(townships=TOWNSHIPS), console=Console(file=screen, force_terminal=True))
    assert "townships.csv" in screen.getvalue()


def test_the_demo_countys_places_are_shipped_and_sound():
    shipped = Path(import_divisions.__file__).parents[1] / "demo" / "data" / "divisions"
    assert counts(import_divisions.run(shipped)) == (491, 491, 0, 0, 0)
    assert set(Place.objects.filter(level=Level.COUNTY).values_list("code", flat=True)) == {"510824"}


def test_the_command_prints_json_and_leaves_with_1_if_rows_were_refused(folder, capsys):
    import typer

    from config.cli import report

    sound = import_divisions.run(folder(townships=TOWNSHIPS))
    broken = import_divisions.run(folder(townships=TOWNSHIPS + "1,坏,2,3,4\n"))
    for result, status in ((sound, 0), (broken, 1)):
        with pytest.raises(typer.Exit) as left:
            report(result, as_json=True)
        assert left.value.exit_code == status
        assert json.loads(capsys.readouterr().out) == result.as_dict()


def test_the_command_runs_from_a_shell(folder, tmp_path):
    where = folder(townships=TOWNSHIPS, villages=VILLAGES + "1,坏,2,3,4,5\n")
    environment = {**os.environ, "WEILU_DATA": str(tmp_path / "data"), "COLUMNS": "80"}
    environment.pop("DATABASE_URL", None)
    command = [str(Path(sys.executable).with_name("weilu")), "import", "divisions", str(where), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert (found["imported"], found["refused"], found["errors"][0]["row"]) == (3, 1, 4)
    command[3] = str(tmp_path / "data")  # no folder of divisions: the reason comes as JSON too
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert list(found)[:6] == ["read", "imported", "updated", "duplicates", "refused", "errors"]
    assert found["read"] == 0
    assert "".join(found["errors"][0]["message"].split()) in "".join(done.stderr.split())
