"""Workbooks as offices keep them: titles, groups, help, pages, dates and blanks of every kind."""

import datetime as dt

import pytest

from tests.people.rosters.conftest import id_number, workbook
from weilu.lib.import_result import ImportProblem, Refusal
from weilu.people.models import Appointment, Membership, Person
from weilu.people.rosters.cells import date_of
from weilu.people.rosters.reading import NotMapped

BRANCH = "金穗社区第一党支部"
HEAD = ["姓名", "身份证号", "所在党支部"]
TODAY = dt.date(2026, 7, 1)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("1985.03", "1985-03-01"),
        ("198503", "1985-03-01"),
        (198503.0, "1985-03-01"),
        (1985.03, "1985-03-01"),
        ("1985年3月", "1985-03-01"),
        ("1985年3月12日", "1985-03-12"),
        ("1985-03-12", "1985-03-12"),
        ("1985/3/12", "1985-03-12"),
        ("１９８５．０３", "1985-03-01"),
        (" 1985.10 ", "1985-10-01"),
        ("19850312", "1985-03-12"),
        (dt.date(1985, 3, 12), "1985-03-12"),
        (dt.datetime(1985, 3, 12), "1985-03-12"),
    ],
)
def test_a_date_is_read_in_every_spelling(cell, day):
    assert date_of("birth_date", cell, TODAY).date.isoformat() == day


@pytest.mark.parametrize("cell", ["1985.13", "去年", "85.3", "2027.01", "1820.01", 31118.0, 1985.1])
def test_what_is_no_date_is_refused(cell):
    with pytest.raises(Refusal):
        date_of("birth_date", cell, TODAY)


def test_titles_help_pages_and_signatures_are_passed_over(world, enter):
    people = [[name, id_number("19850312", n), BRANCH] for n, name in enumerate(("赵一", "钱二", "孙三"), start=1)]
    content = workbook(
        ["附件1"],
        ["苍溪县陵江镇党员花名册"],
        ["填报单位（盖章）：", "", "填报时间：2026年6月"],
        [],
        [" 姓 名 ", "公民身份号码（18位，文本格式）", "所在\n党支部*"],
        people[0],
        HEAD,
        people[1],
        ["合计", "2人"],
        people[2],
        ["注：本表一式两份。" + "填写时请注意" * 20],
    )
    result = enter("members", content)
    assert (result.read, result.imported, result.errors) == (3, 3, [])
    assert any("合计" in note for note in result.notes)


def test_sixteen_thousand_empty_columns_do_no_harm(world, enter):
    def colour(book, page):
        for row in range(40):
            page.write_blank(row, 16_383, None, book.add_format({"bg_color": "#eeeeee"}))

    assert enter("members", workbook(HEAD, ["赵一", id_number(), BRANCH], change=colour)).imported == 1


def test_a_cell_in_the_last_corner_does_not_open_a_desert(world, enter):
    def far(book, page):
        page.write_string(1_048_575, 16_383, "x")

    result = enter("members", workbook(HEAD, ["赵一", id_number(), BRANCH], change=far))
    assert result.imported == 1


def test_two_header_rows_are_read_as_one(world, enter):
    upper = ["姓名", "基本情况", "", "组织关系"]
    lower = ["", "身份证号", "性别", "所在党支部"]
    result = enter("members", workbook(["花名册"], upper, lower, ["赵一", id_number(), "男", BRANCH]))
    assert (result.read, result.imported) == (1, 1)
    assert Person.objects.get().sex == "male"


def test_full_width_digits_and_blanks_are_layout(world, enter):
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in id_number())
    result = enter("members", workbook(HEAD, ["赵　一 ", f" {wide} ", f"{BRANCH}　"]))
    assert result.imported == 1
    assert Person.objects.get(name="赵一").id_number == id_number()


def test_a_merged_cell_names_the_branch_of_all_its_rows(world, enter):
    def merge(book, page):
        page.merge_range(1, 2, 2, 2, BRANCH)

    rows = [["赵一", id_number(order=1)], ["钱二", id_number(order=2)]]
    assert enter("members", workbook(HEAD, *rows, change=merge)).imported == 2
    assert Membership.objects.filter(organisation=world.branch).count() == 2


def test_group_rows_give_the_rank_and_are_no_people(world, enter):
    head = ["姓名", "单位", "现任职务", "身份证号"]
    content = workbook(
        head,
        ["四级正干部（2人）"],
        ["赵一", "陵江镇综合治理办公室", "主任", id_number(order=1)],
        ["五级副干部（1人）"],
        ["钱二", "陵江镇综合治理办公室", "副主任", id_number(order=2)],
    )
    result = enter("cadres", content)
    assert (result.read, result.imported) == (2, 2)
    ranks = dict(Appointment.objects.values_list("person__name", "rank"))
    assert ranks == {"赵一": "四级正干部", "钱二": "五级副干部"}
    assert any("四级正干部" in note for note in result.notes)  # announces two, one stands there


def test_group_rows_may_name_the_branch(world, enter):
    content = workbook(["姓名", "身份证号"], [f"一、{BRANCH}（1人）"], ["赵一", id_number()])
    assert enter("members", content).imported == 1
    assert Membership.objects.get().organisation == world.branch


def test_values_of_formulas_are_read_and_their_errors_refused(world, enter):
    def formulas(book, page):
        page.write_formula(1, 0, '="赵"&"一"', None, "赵一")
        page.write_formula(2, 0, "=1/0", None, "#DIV/0!")

    rows = [["", id_number(order=1), BRANCH], ["", id_number(order=2), BRANCH]]
    result = enter("members", workbook(HEAD, *rows, change=formulas))
    assert [(error["row"], error["field"]) for error in result.errors] == [(3, "name")]
    assert (
        enter(
            "members", workbook(HEAD, rows[0], change=lambda b, p: p.write_formula(1, 0, "=A9", None, "赵一"))
        ).imported
        == 1
    )


def test_three_header_rows_are_read_as_one(world, enter):
    def merge(book, page):
        page.merge_range(1, 0, 3, 0, "姓名")

    top = ["姓名", "基本情况", "", "", "组织情况", ""]
    middle = ["", "个人", "", "", "支部", ""]
    bottom = ["", "性别", "出生年月", "手机", "所在党支部", "入党时间"]
    row = ["赵一", "男", "1980.01", "13900008888", BRANCH, "2001.01"]
    result = enter("members", workbook(["表一"], top, middle, bottom, row, change=merge))
    assert (result.read, result.imported, result.roster.last_header) == (1, 1, 4)
    person = Person.objects.get()
    assert (person.sex, person.phone, person.joined_party_on) == ("male", "13900008888", dt.date(2001, 1, 1))


def test_a_missing_column_is_told_with_the_headings_that_were_not_understood(world, enter):
    with pytest.raises(ImportProblem, match=r"所在党支部.*没有认出的列名：支部全名"):
        enter("members", workbook(["姓名", "身份证号", "支部全名"], ["赵一", id_number(), BRANCH]))


def test_grid_workers_may_name_their_community_in_a_column_of_names(world, enter):
    content = workbook(["姓名", "社区名称", "网格"], ["赵一", "金穗社区", "第一网格"])
    assert enter("grid-workers", content, create=True).imported == 1
    assert Membership.objects.get().place == world.grid


def test_a_year_alone_is_enough_where_a_body_was_founded_and_named_where_it_is_not():
    assert date_of("since", "1985年", TODAY, year_is_enough=True).date == dt.date(1985, 1, 1)
    with pytest.raises(Refusal, match="月"):
        date_of("birth_date", "1985年", TODAY)


def test_one_heading_that_is_not_known_is_asked_for_and_the_roster_not_called_another(world, enter):
    with pytest.raises(NotMapped) as problem:
        enter(
            "members",
            workbook(["姓名", "身份证号", "组织关系归口"], ["赵一", id_number(order=1), "金穗社区第一党支部"]),
        )
    assert "哪一列" in str(problem.value)
    assert "组织关系归口" in str(problem.value)
    assert "不是" not in str(problem.value)


def test_a_sheet_that_nobody_sees_is_not_read_and_said_so(world, enter):
    def hide(book, page):
        book.add_worksheet("旧名册").hide()

    row = ["赵一", id_number(order=1), BRANCH]
    result = enter("members", workbook(HEAD, row, change=hide))
    assert result.imported == 1
    assert any("旧名册（隐藏）" in note for note in result.notes)


def test_a_line_that_only_counts_is_no_person(world, enter):
    result = enter("members", workbook(HEAD, ["赵一", id_number(order=1), BRANCH], ["共 1 人"]))
    assert (result.errors, result.imported) == ([], 1)


def test_a_roster_of_cadres_is_taken_for_one(world, enter):
    head = ["姓名", "工作单位", "职务", "职级"]
    with pytest.raises(NotMapped, match="看起来是“干部”"):
        enter("members", workbook(head, ["赵一", "党政办", "主任", "四级主任科员"]))


def test_columns_without_a_heading_are_told(world, enter):
    result = enter("members", workbook([*HEAD, "", ""], ["赵一", id_number(order=1), BRANCH, "", "重要"]))
    assert result.imported == 1
    assert any("没有列名" in note and "E" in note for note in result.notes)


def test_of_a_header_over_two_rows_the_last_is_named(world, enter):
    rows = [
        ["党员花名册"], ["姓名", "身份证号", "组织关系", ""], ["", "", "归口支部", "时间"],
        ["赵一", id_number(order=1), BRANCH, "2020.01"],
    ]  # fmt: skip
    mapping = {"0": "name", "1": "id_number", "2": "organisation"}
    result = enter("members", workbook(*rows), header=3, mapping=mapping)
    assert (result.errors, result.imported) == ([], 1)
    with pytest.raises(NotMapped) as problem:
        enter("members", workbook(*rows), header=3)
    assert "姓名、身份证号、归口支部、时间" in str(problem.value)


def test_a_row_that_only_divides_headings_above_it_belongs_to_the_header(world, enter):
    rows = [
        ["党员花名册"], ["姓名", "所在党支部", "学历", "", "出生年月", "时间", ""],
        ["", "", "全日制", "在职", "", "入党", "转正"],
        ["赵一", BRANCH, "大专", "本科", "1985.03", "2005.06", "2006.06"],
    ]  # fmt: skip
    result = enter("members", workbook(*rows))
    assert (result.errors, result.imported) == ([], 1)
    person = Person.objects.get()
    assert (person.education, person.joined_party_on.isoformat()) == ("大专", "2005-06-01")
