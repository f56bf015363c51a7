"""Names as offices write them: in short, with brackets of either width, with figures for words."""

import pytest
from django.utils import timezone

from tests.conftest import place
from tests.people.rosters.conftest import id_number, workbook
from weilu.orgs.changes import rename
from weilu.orgs.models import Level, Organisation
from weilu.people.models import Membership, Person
from weilu.people.rosters.shortening import in_words, shortened

HEAD = ["姓名", "所在党支部", "身份证号"]
BODIES = ["名称", "类别", "所在地", "上级组织", "别名"]


def body(world, name: str, kind: str = "branch", at=None, **given) -> Organisation:
    given |= {"jurisdiction": world.jurisdiction, "kind": kind, "place": at or world.village}
    return Organisation.objects.create(name=name, **given)


@pytest.mark.parametrize(
    ("full", "short"),
    [
        ("金穗社区居民委员会", "金穗社区居委会"),
        ("红旗村村民委员会", "红旗村委会"),
        ("苍溪县审计局", "审计局"),
        ("苍溪县审计局", "县审计局"),
        ("第二网格", "第2网格"),
        ("第十二网格", "12网格"),
        ("金穗社区党总支", "中共金穗社区总支部委员会"),
        ("金穗社区第一党支部", "中共金穗社区第1支部委员会"),
        ("第一党支部", "第一支部"),
        ("中共陵江镇委员会", "陵江镇党委"),
    ],
)
def test_usual_abbreviations_are_the_same_name(full, short):
    county = ("苍溪县", "苍溪")
    assert shortened(full, county) == shortened(short, county)


@pytest.mark.parametrize("other", ["金穗社区第二党支部", "剑阁县审计局", "金穗社区党委", "红旗村党支部"])
def test_other_names_stay_others(other):
    known = ["金穗社区第一党支部", "苍溪县审计局", "金穗社区党总支", "红旗村村民委员会"]
    assert shortened(other, ("苍溪县",)) not in {shortened(name, ("苍溪县",)) for name in known}


def test_numbers_are_written_as_words():
    assert [in_words(number) for number in (1, 10, 12, 20, 35)] == ["一", "十", "十二", "二十", "三十五"]


@pytest.mark.parametrize("short", ["金穗社区第1党支部", "金穗社区第一支部", "中共苍溪县陵江镇金穗社区第一支部委员会"])
def test_a_branch_is_known_by_its_short_name(world, enter, short):
    assert enter("members", workbook(HEAD, ["赵一", short, id_number()])).imported == 1
    assert Membership.objects.get().organisation == world.branch


def test_a_short_name_of_two_bodies_is_refused_with_both(world, enter):
    body(world, "金穗社区第一支部")
    result = enter("members", workbook(HEAD, ["赵一", "金穗社区第1支部", id_number()]))
    assert [(error["row"], error["field"]) for error in result.errors] == [(2, "organisation")]
    assert "金穗社区第一党支部" in result.errors[0]["message"]


def test_a_department_is_known_without_the_county_before_it(world, enter):
    content = workbook(
        ["姓名", "单位", "职务"], ["赵一", "住房和城乡建设局", "科长"], ["钱二", "县住房和城乡建设局", "股长"]
    )
    assert enter("cadres", content, at=world.county).imported == 2


def test_a_committee_and_a_grid_are_known_in_short(world, enter):
    committee = body(world, "金穗社区居民委员会", "community")
    head = ["姓名", "所属单位", "网格"]
    content = workbook(head, ["赵一", "金穗社区居委会", "第1网格"], ["钱二", "", "金穗社区1网格"])
    assert enter("grid-workers", content).imported == 2
    assert set(Membership.objects.values_list("organisation", "place")) == {(committee.pk, world.grid.pk)}


def test_bodies_with_full_width_brackets_are_not_doubled(world, enter):
    above = body(world, "金穗社区（城区）党委", "party_committee", aliases=["金穗（党委）"])
    body(world, "物业公司（分部）", "property_firm", parent=above, parent_from=above.valid_from)
    before = Organisation.objects.count()
    for left, right in (("（", "）"), ("(", ")")):
        content = workbook(
            BODIES,
            [f"金穗社区{left}城区{right}党委", "党委", "金穗社区", "", f"金穗{left}党委{right}"],
            [f"物业公司{left}分部{right}", "物业", "金穗社区", f"金穗社区{left}城区{right}党委", ""],
        )
        result = enter("organisations", content)
        assert (result.duplicates, result.errors) == (2, [])
    assert Organisation.objects.count() == before


def test_bodies_and_homes_may_lie_at_buildings(world, enter):
    building = place("510824100001-01-003", "3号楼", Level.BUILDING, world.grid)
    content = workbook(BODIES, ["三号楼业委会", "业委会", building.code])
    assert enter("organisations", content).imported == 1
    assert Organisation.objects.get(name="三号楼业委会").place == building
    assert enter("organisations", content).duplicates == 1
    refused = enter("organisations", workbook(BODIES, ["四号楼业委会", "业委会", "510824100001-01-004"]))
    assert refused.errors[0]["field"] == "place"
    content = workbook([*HEAD, "居住地"], ["赵一", world.branch.name, id_number(), building.code])
    assert enter("members", content).imported == 1
    assert Person.objects.get().home == building


def test_a_township_may_stand_before_the_name_under_the_name_it_had(world, enter):
    """Whatever became of the village in the name of the branch."""
    renamed = rename(world.township, name="云顶镇", code=world.township.code, on=timezone.localdate(), by=None)
    village = renamed.children.get(code=world.village.code, valid_to=None)
    Organisation.objects.create(name="王渡村党支部", kind="branch", place=village, jurisdiction=world.jurisdiction)
    for number, name in enumerate(("云顶镇王渡村党支部", "陵江镇王渡村党支部"), start=1):
        content = workbook(["姓名", "身份证号", "所在党支部"], ["赵一", id_number(order=number), name])
        assert enter("members", content, at=renamed, write=False).errors == []


@pytest.mark.parametrize(
    "name",
    [
        "*张三",
        "张三*",
        "?三",
        "张�",
        "书记：张三",
        "张三、李四",
        "党支部",
        "总计",
        "空缺",
        "同上",
        "张三（已故）",
        "张三（已转出）",
    ],
)
def test_what_is_no_name_is_refused_at_its_cell(world, enter, name):
    content = workbook(["姓名", "身份证号", "所在党支部"], [name, id_number(), "金穗社区第一党支部"])
    result = enter("members", content)
    assert [(error["row"], error["field"]) for error in result.errors] == [(2, "name")]


@pytest.mark.parametrize(
    ("written", "name"),
    [("张三（女）", "张三"), ("张三(预备)", "张三"), ("阿依·古丽", "阿依·古丽"), ("王芳2", "王芳2")],
)
def test_a_name_is_entered_without_what_is_said_beside_it(world, enter, written, name):
    content = workbook(["姓名", "身份证号", "所在党支部"], [written, id_number(order=2), "金穗社区第一党支部"])
    assert enter("members", content).imported == 1
    assert Person.objects.filter(name=name).exists()
