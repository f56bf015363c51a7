"""What goes out comes in again and changes nothing, whatever it lists."""

import io

import pytest
from python_calamine import CalamineWorkbook

from tests.conftest import place
from tests.people.rosters.conftest import id_number, workbook
from weilu.orgs.models import Level, Organisation
from weilu.people.models import Appointment, Membership, Person, Post
from weilu.people.rosters.kinds import KINDS
from weilu.people.rosters.sending import send_out

ABOUT = ["1985.03.12", "汉族", "大专", "2010.07.01", "13812345678"]
KNOWN = ["出生年月", "民族", "学历", "入党时间", "联系电话"]
COMMITTEE, OFFICE, BRANCH = "金穗社区居民委员会", "陵江镇综合治理办公室", "金穗社区第一党支部"
ROSTERS = {
    "members": (
        ["姓名", "身份证号", "所在党支部", "转入时间", "备注", *KNOWN],
        [BRANCH, "2020.01.05", "正式党员", *ABOUT],
    ),
    "cadres": (
        ["姓名", "身份证号", "工作单位", "职务", "职级", "任职时间", "任职文号", *KNOWN],
        [OFFICE, "主任", "四级主任科员", "2021.06.01", "陵委〔2021〕3号", *ABOUT],
    ),
    "village-cadres": (
        ["姓名", "身份证号", "所在村", "职务", "任职时间"],
        ["金穗社区", "党支部书记、主任", "2021.01.01"],
    ),
    "grid-workers": (["姓名", "身份证号", "网格名称", "联系电话", "类别"], ["第一网格", "13812345678", "专职"]),
    "community-workers": (["姓名", "身份证号", "所在社区", "岗位", "联系电话"], ["金穗社区", "民政", "13812345678"]),
    "volunteers": (["姓名", "身份证号", "志愿服务队", "特长", "联系电话"], ["金穗（爱心）队", "理发", "13812345678"]),
}


def kept() -> list:
    models = (Person, Membership, Post, Appointment, Organisation)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.fixture
def bodies(world) -> None:
    given = {"jurisdiction": world.jurisdiction, "place": world.village}
    Organisation.objects.create(name=COMMITTEE, kind="community", **given)
    Organisation.objects.create(name="金穗（爱心）队", kind="volunteers", **given)


@pytest.mark.parametrize("reason", ["", "换届选举资格审查"])
@pytest.mark.parametrize("kind", list(ROSTERS))
def test_people_go_out_and_come_in_again_unchanged(world, enter, bodies, kind, reason):
    head, row = ROSTERS[kind]
    people = [["赵一", id_number(order=1), *row], ["钱二", id_number(order=3), *row[:-1], "13900000001"]]
    if kind in ("cadres", "village-cadres"):
        people[1][3] = "副主任"
        people[1][-1] = row[-1]
        people = people if kind == "village-cadres" else [people[0], [*people[1][:-1], "13900000001"]]
    assert enter(kind, workbook(head, *people)).imported == 2
    before = kept()
    result = enter(kind, send_out(KINDS[kind], world.township, by=world.clerk, reason=reason))
    assert result.errors == []
    assert (result.read, result.duplicates, result.extra["leaving"]) == (2, 2, 0)
    assert kept() == before


def test_bodies_go_out_and_come_in_again_unchanged(world, enter, bodies):
    building = place("510824100001-01-003", "3号楼", Level.BUILDING, world.grid)
    head = ["名称", "类别", "所在地", "上级组织", "统一社会信用代码", "联系电话", "服务小区", "别名", "成立时间"]
    content = workbook(
        head,
        ["金穗社区党委", "社区党委", "金穗社区", "", "", "", "", "", "2012年"],
        [
            "陵江物业（集团）有限公司",
            "物业",
            building.code,
            "",
            "91110000600037341L",
            "0839-5221234",
            "家园",
            "陵江物业",
            "2016.01",
        ],
        ["金穗社区第二党支部", "党支部", "金穗社区", "金穗社区党委", "", "", "", "金穗二支部、二支部", "2015年"],
    )
    assert enter("organisations", content).imported == 3
    assert Organisation.objects.get(name="金穗社区党委").valid_from.isoformat() == "2012-01-01"
    before = kept()
    result = enter("organisations", send_out(KINDS["organisations"], world.township, by=world.clerk))
    assert (result.errors, result.imported, result.updated) == ([], 0, 0)
    assert kept() == before


def cells_of(content: bytes) -> list[list]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def test_what_goes_out_names_places_as_a_clerk_reads_them(world, enter, bodies):
    enter("grid-workers", workbook(["姓名", "身份证号", "网格名称"], ["赵一", id_number(order=1), "第一网格"]))
    for at, name in ((world.township, "陵江镇金穗社区第一网格"), (world.village, "金穗社区第一网格")):
        text = str(cells_of(send_out(KINDS["grid-workers"], at, by=world.county_clerk)))
        assert name in text
        assert world.grid.code not in text


def test_places_whose_names_say_not_which_go_out_by_their_code(world, enter, bodies):
    place("510824100001-09", "第一网格", Level.GRID, world.village)
    enter("grid-workers", workbook(["姓名", "身份证号", "网格名称"], ["赵一", id_number(order=1), world.grid.code]))
    content = send_out(KINDS["grid-workers"], world.township, by=world.county_clerk)
    assert world.grid.code in str(cells_of(content))
    result = enter("grid-workers", content)
    assert (result.errors, result.duplicates) == ([], 1)


def test_a_grid_worker_without_a_grid_goes_out_and_comes_in_again(world, enter, bodies):
    head = ["姓名", "身份证号", "网格名称", "所在社区"]
    result = enter("grid-workers", workbook(head, ["赵一", id_number(order=1), "", "金穗社区"]))
    assert (result.errors, result.imported) == ([], 1)
    assert any("没有写网格" in note for note in result.notes)
    again = enter("grid-workers", send_out(KINDS["grid-workers"], world.township, by=world.clerk))
    assert (again.errors, again.duplicates, again.imported) == ([], 1, 0)
