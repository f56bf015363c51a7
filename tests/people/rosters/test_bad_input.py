"""What cannot be entered ends in one clear message, and nothing changed."""

import io
import zipfile

import openpyxl
import pytest

from tests.people.rosters.conftest import id_number, workbook
from weilu.lib.import_result import ImportProblem
from weilu.orgs.models import Organisation
from weilu.people.models import Membership, Person, Post
from weilu.people.rosters import books
from weilu.people.rosters.books import Book

BRANCH = "金穗社区第一党支部"
HEAD = ["姓名", "身份证号", "出生年月", "性别", "所在党支部", "联系电话"]
GOOD = ["赵一", id_number("19850312", 1), "1985.03", "男", BRANCH, "13812345678"]


def refused(result, row: int, column: str, word: str = "") -> None:
    assert [(error["row"], error["field"]) for error in result.errors] == [(row, column)]
    assert word in result.errors[0]["message"]
    assert not Person.objects.exists()
    assert not Membership.objects.exists()


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "空"),
        (b"name,id\n1,2\n", "不是Excel"),
        (b"%PDF-1.4 ...", "不是Excel"),
        (books.COMPOUND + b"\0" * 512 + wide("EncryptedPackage"), "密码"),
        (books.COMPOUND + b"\0" * 512 + wide("Workbook") + wide("_VBA_PROJECT_CUR"), "宏"),
        (books.COMPOUND + b"\0" * 512 + wide("WordDocument"), "不是Excel"),
        (books.COMPOUND + b"\0" * 512 + wide("Workbook"), "损坏"),
        (archive(**{"xl/workbook.xml": b"<x/>", "xl/vbaProject.bin": b"x"}), "宏"),
        (archive(**{"word/document.xml": b"<x/>"}), "不是Excel"),
        (archive(**{"xl/workbook.xml": b"<x/>", "xl/worksheets/sheet1.xml": b"<x"}), "损坏"),
        (workbook(HEAD, GOOD)[:-300], "损坏"),
    ],
)
def test_a_file_that_is_no_good_workbook_says_so(content, word):
    with pytest.raises(ImportProblem) as problem:
        Book("名册.xlsx", content)
    assert word in str(problem.value)


def test_a_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(books, "MOST_UNPACKED", 5_000_000)
    bomb = archive(**{"xl/workbook.xml": b"<x/>", "xl/worksheets/sheet1.xml": b" " * 6_000_000})
    assert len(bomb) < 20_000
    with pytest.raises(ImportProblem, match="太大"):
        Book("名册.xlsx", bomb)


def test_more_rows_than_we_take_are_refused_at_once(world, enter, monkeypatch):
    monkeypatch.setattr("weilu.people.rosters.reading.MOST_ROWS", 2)
    with pytest.raises(ImportProblem, match="2行"):
        enter("members", workbook(HEAD, GOOD, GOOD, GOOD))
    assert not Person.objects.exists()


def test_a_number_that_lost_its_digits_is_refused_not_repaired(world, enter):
    row = [GOOD[0], float(int(GOOD[1][:17] + "0")), *GOOD[2:]]
    refused(enter("members", workbook(HEAD, row)), 2, "id_number", "15位")


@pytest.mark.parametrize("text", ["5.10824E+17", "51082419850312", "510824850312001"])
def test_an_id_number_that_is_none_is_refused(world, enter, text):
    refused(enter("members", workbook(HEAD, [GOOD[0], text, *GOOD[2:]])), 2, "id_number")


def test_birth_date_and_sex_are_held_against_the_number(world, enter):
    refused(enter("members", workbook(HEAD, [*GOOD[:2], "1986.03", *GOOD[3:]])), 2, "birth_date", "1985.03")
    refused(enter("members", workbook(HEAD, [*GOOD[:3], "女", *GOOD[4:]])), 2, "sex", "男")


def test_an_unknown_branch_is_refused_with_the_nearest_names(world, enter):
    refused(enter("members", workbook(HEAD, [*GOOD[:4], "金穗社区第九党支部", GOOD[5]])), 2, "organisation", BRANCH)


def test_an_alias_is_a_name(world, enter):
    world.branch.aliases = ["金穗一支部"]
    world.branch.save()
    assert enter("members", workbook(HEAD, [*GOOD[:4], "金穗一支部", GOOD[5]])).imported == 1


def test_a_missing_branch_is_made_when_that_is_wanted(world, enter):
    result = enter("members", workbook(HEAD, [*GOOD[:4], "金穗社区第九党支部", GOOD[5]]), create=True)
    assert (result.imported, result.made) == (1, ["金穗社区第九党支部"])
    made = Membership.objects.get().organisation
    assert (made.kind, made.place) == ("branch", world.village)
    assert made.changes.get().kind == "begin"


def test_a_branch_of_another_place_is_not_known(world, enter):
    refused(enter("members", workbook(HEAD, GOOD), at=world.other_township), 2, "organisation")


def test_the_same_person_twice_with_other_data_is_refused(world, enter):
    other = [*GOOD[:5], "13900000000"]
    refused(enter("members", workbook(HEAD, GOOD, other)), 3, "phone", "2")


def test_the_same_row_twice_counts_once(world, enter):
    result = enter("members", workbook(HEAD, GOOD, GOOD))
    assert (result.read, result.imported, result.duplicates) == (2, 1, 1)


def test_the_same_number_under_another_name_is_refused(world, enter):
    enter("members", workbook(HEAD, GOOD))
    result = enter("members", workbook(HEAD, ["赵二", *GOOD[1:]]))
    assert [(error["row"], error["field"]) for error in result.errors] == [(2, "name")]
    assert "赵*" in result.errors[0]["message"]


def test_a_file_of_the_wrong_kind_says_which_it_looks_like(world, enter):
    with pytest.raises(ImportProblem) as problem:
        enter("members", workbook(["姓名", "志愿服务队", "特长"], ["赵一", "爱心队", "理发"]))
    assert "志愿者" in str(problem.value)


def test_a_sheet_that_is_not_there_names_those_that_are(world, enter):
    with pytest.raises(ImportProblem, match="名册"):
        enter("members", workbook(HEAD, GOOD), sheet="党员")


def test_a_sheet_without_a_header_says_what_is_looked_for(world, enter):
    with pytest.raises(ImportProblem, match="姓名"):
        enter("members", workbook(["甲", "乙"], ["1", "2"]))


def test_the_first_sheet_with_a_header_is_taken(world, enter):
    def second(book, page):
        sheet = book.add_worksheet("党员")
        for number, row in enumerate([HEAD, GOOD]):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, cell)

    result = enter("members", workbook(["填表说明"], ["请在第二张表填写"], change=second))
    assert result.imported == 1
    assert result.roster.sheet == "党员"


def test_faults_of_many_cells_are_all_told_and_the_row_counts_once(world, enter):
    result = enter("members", workbook(HEAD, [*GOOD[:2], "去年", "中", "不知道支部", "12"], GOOD))
    assert {error["field"] for error in result.errors} == {"birth_date", "sex", "organisation", "phone"}
    assert (result.read, result.refused) == (2, 1)
    assert (result.imported, result.updated, result.duplicates, result.extra["held_back"]) == (0, 0, 0, 1)


def test_a_formula_that_went_wrong_is_refused_where_it_stands(world, enter):
    """The reader of cells gives nothing for an error: nothing would be entered, without a word."""
    out = io.BytesIO()
    book = openpyxl.load_workbook(io.BytesIO(workbook(HEAD, GOOD)))
    page = book.active
    page["C2"].value, page["C2"].data_type = "#REF!", "e"
    book.save(out)
    refused(enter("members", out.getvalue()), 2, "birth_date", "#REF!")


def test_an_error_that_a_formula_kept_is_refused(world, enter):
    content = workbook(HEAD, GOOD, change=lambda book, page: page.write_formula("C2", "=NA()", None, "#N/A"))
    refused(enter("members", content), 2, "birth_date", "#N/A")


@pytest.mark.parametrize(("born", "joined", "sound"), [("1985.03", "1990.01", False), ("1985.03", "2003.03", True)])
def test_nobody_joined_the_party_as_a_child(world, enter, born, joined, sound):
    head = ["姓名", "出生年月", "所在党支部", "入党时间"]
    result = enter("members", workbook(head, ["赵一", born, BRANCH, joined]))
    if sound:
        assert result.imported == 1
    else:
        refused(result, 2, "joined_party_on", "18")


@pytest.mark.parametrize("cell", ["13900002011/13900002012", "0839-5222333 13900002011", "13900002011/5222333"])
def test_a_second_telephone_number_is_told(world, enter, cell):
    result = enter("members", workbook(HEAD, [*GOOD[:-1], cell]))
    assert Person.objects.get().phone == "13900002011"
    assert any("两个" in note and "2" in note for note in result.notes)


def test_chinese_brackets_stay_as_they_are_written(world, enter):
    Organisation.objects.create(
        name="陵江镇党政办", kind="office", place=world.township, jurisdiction=world.jurisdiction
    )
    head = ["姓名", "身份证号", "工作单位", "职务"]
    enter("cadres", workbook(head, ["赵一", id_number(order=1), "陵江镇党政办", "副主任（挂职）"]))
    assert Post.objects.get().title == "副主任（挂职）"
    again = enter("cadres", workbook(head, ["赵一", id_number(order=1), "陵江镇党政办", "副主任(挂职)"]))
    assert (again.duplicates, again.imported) == (1, 0)


@pytest.mark.parametrize(
    "address", ["成都市武侯区一环路5号", "浙江省杭州市西湖区金穗社区", "广东省某县陵江镇金穗社区3组"]
)
def test_an_address_that_lies_elsewhere_is_told(world, enter, address):
    head = [*HEAD, "家庭住址"]
    result = enter("members", workbook(head, [*GOOD, address]))
    assert Person.objects.get().home == world.village
    assert any("住址" in note and "2" in note for note in result.notes)
    for here in ("陵江镇金穗社区3组", "四川省广元市苍溪县陵江镇金穗社区幸福小区2栋"):
        assert enter("members", workbook(head, [*GOOD, here])).notes == []


def hiding(rows: list[list], *hidden: int) -> bytes:
    """A workbook as a filter leaves it: some rows are there and not shown."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    for number in hidden:
        sheet.row_dimensions[number].hidden = True
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_rows_that_a_filter_hides_are_read_and_told(world, enter):
    second = ["钱二", id_number("19850313", 2), "1985.03", "女", BRANCH, "13812345679"]
    result = enter("members", hiding([HEAD, GOOD, second], 3))
    assert Person.objects.count() == 2
    assert any("1行被隐藏" in note and "：3" in note for note in result.notes)
    assert not any("隐藏" in note for note in enter("members", hiding([HEAD, GOOD, second])).notes)
    assert not any("隐藏" in note for note in enter("members", hiding([HEAD, GOOD], 3, 4, 5)).notes), (
        "nobody stands there"
    )


def test_rows_that_are_struck_through_are_told(world, enter):
    def strike(book, page):
        page.write_string("A3", "王芳", book.add_format({"font_strikeout": True}))
        page.write_string("A4", "赵四", book.add_format({"bold": True}))
        page.write_string("C4", "金穗社区第一党支部", book.add_format({"font_strikeout": True}))

    rows = [[name, id_number(order=at), "金穗社区第一党支部"] for at, name in enumerate(["李明", "王芳", "赵四"], 1)]
    result = enter("members", workbook(["姓名", "身份证号", "所在党支部"], *rows, change=strike))
    assert result.imported == 3
    [note] = [note for note in result.notes if "删除线" in note]
    assert "：3。" in note


def test_a_roster_on_a_hidden_sheet_only_is_told_so(world, enter):
    book = openpyxl.Workbook()
    book.active.append(["说明"])
    hidden = book.create_sheet("数据")
    for row in (HEAD, GOOD):
        hidden.append(row)
    hidden.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(ImportProblem, match="数据"):
        enter("members", out.getvalue())
