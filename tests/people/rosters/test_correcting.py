"""The workbook with the reasons: the same file, marked; what was refused stays refused until somebody corrects it."""

import datetime as dt
import io

import openpyxl
import pytest
from openpyxl.comments import Comment

from tests.people.rosters.conftest import id_number, workbook
from weilu.people.models import Membership, Person
from weilu.people.rosters import correcting
from weilu.people.rosters.correcting import marked

BRANCH = "金穗社区第一党支部"
HEAD = ["姓名", "身份证号", "出生年月", "所在党支部", "联系电话"]
ZHAO = ["赵一", id_number(order=1), "1985.03", BRANCH, "13812345678"]


def of(result) -> bytes:
    return marked(result.roster, result.errors)


def page(content: bytes, sheet: str = "名册"):
    return openpyxl.load_workbook(io.BytesIO(content))[sheet]


def faults(result) -> list[tuple[int, str]]:
    return [(error["row"], error["field"]) for error in result.errors]


def both_ways(monkeypatch, large: bool) -> None:
    if large:
        monkeypatch.setattr(correcting, "MOST_BYTES", 0)


@pytest.mark.parametrize("large", [False, True])
def test_what_lost_digits_or_is_ambiguous_is_refused_again_when_it_is_sent_in_uncorrected(
    world, enter, monkeypatch, large
):
    both_ways(monkeypatch, large)
    born = dt.date(1985, 3, 12)
    content = workbook(
        HEAD,
        ["赵一", 510824198503120000.0, "", BRANCH, ""],
        ["钱二", "", 1985.1, BRANCH, ""],
        ["孙三", "", born, BRANCH, "1"],
    )
    first = enter("members", content)
    assert faults(first) == [(2, "id_number"), (3, "birth_date"), (4, "phone")]
    answer = of(first)
    cells = page(answer)
    assert isinstance(cells["B2"].value, int | float)
    assert cells["C3"].value == 1985.1
    assert cells["C4"].value.date() == born
    assert faults(enter("members", answer)) == faults(first)
    assert not Person.objects.exists()


def organised(book, sheet) -> None:
    """A title over all columns, one branch merged over the rows, a hidden column and a second sheet."""
    sheet.merge_range(1, 3, 3, 3, BRANCH)
    sheet.set_column(2, 2, None, None, {"hidden": True})
    sheet.set_column(0, 0, 33)
    other = book.add_worksheet("填表说明")
    other.write_string(0, 0, "请按身份证填写")


def test_the_file_is_the_same_with_the_reason_beside_each_cell(world, enter):
    rows = [ZHAO[:3], ["钱二", "12", "1985.03"], ["孙三", id_number(order=3), "1985.03"]]
    result = enter("members", workbook(HEAD, *rows, change=organised))
    assert faults(result) == [(3, "id_number")]
    answer = of(result)
    cells = page(answer)
    assert [str(area) for area in cells.merged_cells.ranges] == ["D2:D4"]
    assert cells.column_dimensions["C"].hidden
    assert cells.column_dimensions["A"].width > 30
    assert page(answer, "填表说明")["A1"].value == "请按身份证填写"
    assert cells["B3"].fill.start_color.rgb.endswith("FDE9EA")
    assert "身份证" in cells["B3"].comment.text
    assert (cells["F1"].value[0], cells["F2"].value) == ("▲", None)
    assert cells["F3"].value.startswith("身份证号：")


@pytest.mark.parametrize("large", [False, True])
def test_the_one_wrong_cell_is_corrected_in_it_and_all_is_entered(world, enter, monkeypatch, large):
    both_ways(monkeypatch, large)
    rows = [ZHAO[:3], ["钱二", "12", "1985.03"], ["孙三", id_number(order=3), "1985.03"]]
    book = openpyxl.load_workbook(io.BytesIO(of(enter("members", workbook(HEAD, *rows, change=organised)))))
    book["名册"]["B3"] = id_number(order=2)
    out = io.BytesIO()
    book.save(out)
    result = enter("members", out.getvalue())
    assert (result.read, result.imported, result.errors) == (3, 3, [])
    assert Membership.objects.filter(organisation=world.branch).count() == 3


def test_results_of_formulas_stay_in_the_file(world, enter):
    def formulas(book, sheet):
        sheet.write_formula(1, 0, '="赵"&"一"', None, "赵一")
        sheet.write_formula(2, 4, "=B9", None, 13812345678)

    content = workbook(HEAD, ["", *ZHAO[1:]], ["钱二", "12", "", BRANCH, ""], change=formulas)
    answer = of(enter("members", content))
    assert page(answer)["A2"].value == '="赵"&"一"'
    assert faults(enter("members", answer)) == [(3, "id_number")]


def test_marks_of_the_last_time_are_gone_where_all_is_well_and_others_notes_stay(world, enter):
    content = workbook(HEAD, ["赵一", "12", "", BRANCH, ""], ["钱二", "", "", BRANCH, "1"])
    book = openpyxl.load_workbook(io.BytesIO(of(enter("members", content))))
    book["名册"]["B2"] = id_number()
    book["名册"]["A2"].comment = Comment("核对过", "王芳")
    out = io.BytesIO()
    book.save(out)
    cells = page(of(enter("members", out.getvalue())))
    assert cells["A2"].comment.text == "核对过"
    assert (cells["B2"].comment, cells["F2"].value) == (None, None)
    assert (cells["E3"].comment is not None, cells["G1"].value) == (True, None)


def test_a_fault_in_a_merged_cell_is_marked_where_its_value_stands(world, enter):
    def merge(book, sheet):
        sheet.merge_range(1, 3, 2, 3, "不知道支部")

    result = enter("members", workbook(HEAD, ZHAO[:3], ["钱二", id_number(order=2), ""], change=merge))
    assert faults(result) == [(2, "organisation"), (3, "organisation")]
    assert "不知道支部" in page(of(result))["D2"].comment.text
