"""Nobody is passed over in silence: a row is a person, a refused one, a group, or a remark that is listed."""

import io
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.people.rosters.conftest import id_number, workbook
from weilu.orgs.models import Organisation
from weilu.people.models import Appointment, Membership, Person
from weilu.people.rosters.books import Book, text_of
from weilu.people.rosters.headers import open_roster
from weilu.people.rosters.kinds import KINDS
from weilu.people.rosters.sieve import Sieve

BRANCH = "金穗社区第一党支部"
HEAD = ["序号", "姓名", "所在党支部", "身份证号"]


def faults(result) -> list[tuple[int, str]]:
    return [(error["row"], error["field"]) for error in result.errors]


@pytest.mark.parametrize("body", ["审批服务管理局", "注册登记中心", "总计局", "联系人办公室", "单位事务中心", "备注局"])
def test_a_body_in_the_first_column_that_begins_like_a_remark_is_a_body(world, enter, body):
    content = workbook(["工作单位", "姓名", "职务"], [body, "周全", "局长"], ["审计局", "周三", "局长"])
    result = enter("cadres", content, create=True)
    assert (result.read, result.imported) == (2, 2)
    assert Appointment.objects.get(person__name="周全").post.organisation.name == body


def test_a_body_that_begins_like_a_remark_is_entered(world, enter):
    content = workbook(["名称", "类别"], ["注册会计师协会党支部", "党支部"], ["审批服务管理局", "部门"], ["合计", "2"])
    result = enter("organisations", content, at=world.county)
    assert (result.read, result.imported) == (2, 2)
    assert Organisation.objects.filter(name="注册会计师协会党支部").exists()


def test_sums_signatures_and_samples_are_still_passed_over_and_listed(world, enter):
    content = workbook(
        HEAD,
        ["示例", "张三", BRANCH, ""],
        [1, "赵一", BRANCH, id_number()],
        ["小计", "1人"],
        ["", "合计", "1人"],
        ["", "填表人：李四", "审核人：王五"],
        ["2026年6月30日"],
        ["注：一式两份"],
    )
    result = enter("members", content)
    assert (result.read, result.imported) == (1, 1)
    assert len([note for note in result.notes if "跳过" in note]) == 6


def test_a_branch_without_a_name_is_refused_not_taken_for_a_group(world, enter):
    content = workbook(HEAD, [1, "甲甲", BRANCH, ""], ["", "", BRANCH, ""], ["", "乙乙", BRANCH, ""])
    result = enter("members", content)
    assert faults(result) == [(3, "name")]
    assert "姓名" in result.errors[0]["message"]
    assert not Person.objects.exists()


@pytest.mark.parametrize("cell", [id_number(order=5), "关于这个人的情况说明，" * 8])
def test_what_stands_alone_below_another_heading_is_a_person_without_a_name(world, enter, cell):
    result = enter("members", workbook(HEAD, [1, "甲甲", BRANCH, ""], ["", "", "", cell]))
    assert (3, "name") in faults(result)


def test_a_long_name_alone_in_its_row_is_refused(world, enter):
    result = enter("members", workbook(HEAD, [1, "甲甲", BRANCH, ""], ["", "长" * 70, "", ""]))
    assert {row for row, _field in faults(result)} == {3}


def test_a_formula_without_a_kept_result_is_refused(world, enter):
    def formulas(book, page):
        page.write_formula(2, 1, '="孙"&"九"', None, "")
        page.write_formula(3, 0, "=ROW()-1", None, "")  # a column that nobody reads

    content = workbook(HEAD, [1, "赵一", BRANCH, ""], [2, "", BRANCH, ""], change=formulas)
    content = without_results(content)
    result = enter("members", content)
    assert faults(result) == [(3, "name")]
    assert "没有保存计算结果" in result.errors[0]["message"]


def without_results(content: bytes) -> bytes:
    """As programs write formulas that they do not compute."""
    out = io.BytesIO()
    openpyxl.load_workbook(io.BytesIO(content)).save(out)
    return out.getvalue()


def test_a_formula_that_gave_an_empty_text_is_empty(world, enter):
    content = workbook(
        HEAD, [1, "赵一", BRANCH, ""], change=lambda book, page: page.write_formula(4, 1, '=""', None, "")
    )
    content = repacked(content, rb'<c r="B5">', rb'<c r="B5" t="str">')
    assert Book("名册.xlsx", content).faults("名册") == {}
    assert enter("members", content).read == 1


def repacked(content: bytes, old: bytes, new: bytes) -> bytes:
    """Change the text of the first sheet as it lies in the file."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as there, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for member in there.infolist():
            text = there.read(member)
            assert "sheet1" not in member.filename or old in text
            file.writestr(member, text.replace(old, new) if "sheet1.xml" in member.filename else text)
    return out.getvalue()


def test_true_groups_stay_groups(world, enter):
    head = ["姓名", "单位", "现任职务"]
    office = "陵江镇综合治理办公室"

    def merge(book, page):
        page.merge_range(5, 0, 5, 2, "五级副干部")

    content = workbook(
        head,
        ["四级正干部（1人）"],
        ["赵一", office, "主任"],
        ["一、五级正干部"],
        ["钱二", office, "副主任"],
        ["五级副干部"],
        ["孙三", office, "干事"],
        change=merge,
    )
    result = enter("cadres", content)
    assert (result.read, result.imported) == (3, 3)
    ranks = dict(Appointment.objects.values_list("person__name", "rank"))
    assert ranks == {"赵一": "四级正干部", "钱二": "五级正干部", "孙三": "五级副干部"}


def test_a_row_that_holds_nothing_but_a_merged_branch_is_empty(world, enter):
    def merge(book, page):
        page.merge_range(1, 2, 3, 2, BRANCH)

    content = workbook(HEAD, [1, "赵一"], ["", "", ""], ["", "钱二"], change=merge)
    assert enter("members", content).imported == 2
    assert Membership.objects.count() == 2


NAMES = ["张三", "合计", "小计", "以下空白", "年月日", "姓名", "党员姓名", "示例", "备注", "填表人", "单位", "党支部"]
OTHERS = [
    "",
    "",
    "1",
    3,
    2.0,
    "示例",
    "注",
    "2人",
    "共2人",
    BRANCH,
    "所在党支部",
    "身份证号",
    " ",
    "四级正干部（2人）",
    True,
]


@given(st.sampled_from(OTHERS), st.sampled_from(NAMES), st.lists(st.sampled_from([*OTHERS, *NAMES]), max_size=4))
def test_a_row_that_is_plainly_somebody_is_no_remark_and_no_group_either(first, name, others):
    cells = [first, name, *others]
    roster = open_roster(KINDS["members"], Book("名册.xlsx", workbook(HEAD, [1, "甲甲", BRANCH, ""])))
    sieve = Sieve(roster)
    if sieve.is_plain(cells):
        filled = [(index, text) for index, cell in enumerate(cells) if (text := text_of(cell))]
        assert not roster._is_template(filled)
        assert not sieve.is_remark(9, filled)
        assert sieve.group(9, filled) is None
