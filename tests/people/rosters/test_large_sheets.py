"""A sheet that is large is read a part at a time, and says the same as one that is read whole."""

import datetime as dt
import io
import re
import zipfile

import pytest
import xlsxwriter

from tests.people.rosters.conftest import id_number
from tests.people.rosters.conftest import workbook as workbook_of
from weilu.lib.import_result import ImportProblem
from weilu.people.models import Person
from weilu.people.rosters import books, correcting, parts
from weilu.people.rosters.books import Book
from weilu.people.rosters.correcting import marked

SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


@pytest.fixture
def small_parts(monkeypatch):
    """Every sheet counts as large, and a part holds a few rows."""
    monkeypatch.setattr(books, "LARGE", 0)
    monkeypatch.setattr(parts, "PART", 2_000)


def workbook(*, shared: bool) -> bytes:
    """A sheet of all that a cell may hold: texts twice, numbers, dates, formulas, marks of XML, gaps, merged ranges."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": not shared, "in_memory": shared})
    page = book.add_worksheet("名册")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    if shared:
        page.merge_range("A1:D1", "花名册")
        page.merge_range("B5:B7", "一支部")
    else:
        page.write_string(0, 0, "花名册")
    rich = book.add_format({"bold": True})
    for row in range(1, 300):
        if row % 40 < 3:
            continue
        page.write_number(row, 0, row)
        page.write_string(row, 1, f"<张> & “三” {row % 7}")
        if row % 3:
            page.write_datetime(row, 2, dt.datetime(1950 + row % 60, 3, 1), day)
        page.write_formula(row, 4, "=1+1", None, 2)
        page.write_string(row, 5, f"名{row}\n第二行")
        if shared and row % 50 == 4:
            page.write_rich_string(row, 6, "粗", rich, "体", "字")
        page.write_boolean(row, 7, row % 2 == 0)
    book.close()
    return out.getvalue()


def changed(content: bytes, part: str, change) -> bytes:
    """The same workbook with one part changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.infolist():
            text = old.read(member)
            new.writestr(member.filename, change(text) if member.filename == part else text)
    return out.getvalue()


def whole(content: bytes):
    """What the sheet says when it is read whole."""
    book = Book("名册.xlsx", content)
    assert book._parted("名册") is None
    return said(book)


def said(book: Book):
    """All cells, without the empty ones at the end of a row, and the merged ranges."""
    rows = [(number, "".join(map(repr, cells)).rstrip("'")) for number, cells in book.rows("名册")]
    return rows, book.merged("名册"), book.wide("名册")


@pytest.mark.parametrize("shared", [True, False], ids=["texts shared", "texts in their cells"])
def test_a_sheet_read_in_parts_says_what_it_says_whole(shared, monkeypatch):
    content = workbook(shared=shared)
    expected = whole(content)
    monkeypatch.setattr(books, "LARGE", 0)
    monkeypatch.setattr(parts, "PART", 2_000)
    book = Book("名册.xlsx", content)
    assert book._parted("名册")
    assert said(book) == expected
    assert book.height("名册") == 300


def test_no_more_than_a_part_is_opened_at_once(small_parts, monkeypatch):
    opened = []
    real = parts.SheetInParts._open

    def spy(self, rows, tail=b""):
        opened.append(len(rows))
        return real(self, rows, tail)

    monkeypatch.setattr(parts.SheetInParts, "_open", spy)
    assert len(list(Book("名册.xlsx", workbook(shared=True)).rows("名册"))) == 300
    assert len(opened) > 10
    assert max(opened) < 2 * parts.PART


def test_a_part_is_given_only_the_texts_that_its_cells_name():
    content = b"<sst><si><t>a</t></si><si/><si><r><t>b</t></r></si><si><t>c</t></si></sst>"
    texts = parts._Texts(STRINGS, content)
    rows = b'<row r="1"><c r="A1" t="s"><v>3</v></c><c r="B1"><v>3</v></c><c r="C1" s="1" t="s"><v>0</v></c></row>'
    found, own = texts.cut(rows)
    assert found == rows.replace(b'<v>3</v></c><c r="B1">', b'<v>0</v></c><c r="B1">', 1).replace(
        b't="s"><v>0</v></c></row>', b't="s"><v>1</v></c></row>'
    )
    assert own == b"<sst><si><t>c</t></si><si><t>a</t></si></sst>"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b't="s"', b"t='s'"),
        lambda text: re.sub(rb'( t="s")><v>(\d+)</v>', rb"\1><!-- --><v>\2</v>", text, count=20),
    ],
    ids=["other quotes", "a comment between"],
)
def test_cells_that_name_their_texts_in_another_way_are_read_with_all_texts(change, monkeypatch):
    content = changed(workbook(shared=True), SHEET, change)
    expected = whole(content)
    monkeypatch.setattr(books, "LARGE", 0)
    monkeypatch.setattr(parts, "PART", 2_000)
    assert said(Book("名册.xlsx", content)) == expected


@pytest.mark.parametrize(
    "change",
    [lambda text: re.sub(rb'<row r="\d+"', b"<row", text), lambda text: text.replace(b"sheetData", b"sheetdata")],
    ids=["rows without numbers", "no rows"],
)
def test_a_sheet_that_cannot_be_cut_is_read_whole(change, small_parts):
    book = Book("名册.xlsx", changed(workbook(shared=True), SHEET, change))
    assert book._parted("名册") is None
    list(book.rows("名册"))


def test_a_text_that_is_not_there_ends_in_a_message(small_parts):
    content = changed(workbook(shared=True), SHEET, lambda text: text.replace(b"<v>1</v>", b"<v>99999</v>"))
    with pytest.raises(ImportProblem, match="已损坏"):
        list(Book("名册.xlsx", content).rows("名册"))


HEAD = ["姓名", "身份证号", "所在党支部", "联系电话", "民族"]
BRANCH = "金穗社区第一党支部"


def members(rows: int, **given) -> list[list[str]]:
    return [HEAD, *([f"党员{number:03d}", id_number(order=number), BRANCH, "", ""] for number in range(1, rows + 1))]


def test_a_merged_range_that_runs_over_whole_parts_is_filled_down(world, enter, small_parts):
    rows = members(200)
    content = workbook_of(*rows, change=lambda book, page: page.merge_range("E102:E201", "彝族"))
    result = enter("members", content)
    assert (result.read, result.refused) == (200, 0)
    assert Person.objects.filter(ethnicity="彝族").count() == 100


@pytest.mark.parametrize("limit", [0, books.LARGE], ids=["read in parts", "read whole"])
def test_a_formula_that_went_wrong_in_the_last_column_is_refused_and_again_in_the_workbook_that_comes_back(
    world, enter, monkeypatch, limit
):
    def formulas(book, page):
        page.write_formula("D3", "=NA()", None, "#N/A")
        page.write_formula("E4", "=F4", None, 987654)

    monkeypatch.setattr(books, "LARGE", limit)
    monkeypatch.setattr(parts, "PART", 2_000)
    monkeypatch.setattr(correcting, "MOST_CELLS", 0)  # too many to mark in place
    content = changed(
        workbook_of(*members(60), change=formulas), SHEET, lambda text: text.replace(b"<v>987654</v>", b"")
    )
    result = enter("members", content)
    expected = [(3, "phone"), (4, "ethnicity")]
    assert [(error["row"], error["field"]) for error in result.errors] == expected
    again = enter("members", marked(result.roster, result.errors))
    assert [(error["row"], error["field"]) for error in again.errors] == expected


def test_no_formula_is_forgotten_however_many_there_are(monkeypatch):
    cells = b"".join(b'<c r="F%d"><f>A1</f></c>' % row for row in range(2, 120_000))
    book = Book("名册.xlsx", workbook(shared=True))
    book._note_faults(SHEET, cells + b'<c r="D119999" t="e"><v>#N/A</v></c>')
    assert book.faults("名册", {3}) == {119_999: {3: "#N/A"}}
    assert len(book.faults("名册")) == 119_998


def test_merged_ranges_count_where_a_cell_lies_far_away(world, enter):
    def merge(book, page):
        page.merge_range("C2:C7", BRANCH)
        page.write_string("XFC5", " ")

    rows = [[name, number, "", *rest] for name, number, _branch, *rest in members(6)[1:]]
    content = workbook_of(HEAD, *rows, change=merge)
    assert Book("名册.xlsx", content).sparse
    assert enter("members", content).imported == 6


def test_a_workbook_that_cannot_be_marked_in_place_is_written_anew(world, enter):
    content = workbook_of(*members(3), ["赵", "1", BRANCH, "", ""])
    content = changed(content, "xl/styles.xml", lambda text: text.replace(b'<family val="2"/>', b'<family val="54"/>'))
    result = enter("members", content)
    assert [(error["row"], error["field"]) for error in result.errors] == [(5, "id_number")]
    again = enter("members", marked(result.roster, result.errors))
    assert [(error["row"], error["field"]) for error in again.errors] == [(5, "id_number")]


@pytest.mark.parametrize("within", [3, 12, 30], ids=["in the mark", "in the value", "in the end"])
def test_a_cell_that_went_wrong_is_seen_wherever_the_file_is_cut(monkeypatch, within):
    def formula(book, page):
        page.write_formula("D30", "=NA()", None, "#N/A")

    content = workbook_of(*members(60), change=formula)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        at = archive.read(SHEET).index(b't="e"')
    monkeypatch.setattr(books, "CHUNK", at + within)
    assert Book("名册.xlsx", content).faults("名册") == {30: {3: "#N/A"}}


def test_attributes_may_stand_in_single_quotes():
    def formula(book, page):
        page.write_formula("D30", "=NA()", None, "#N/A")
        page.set_row(19, None, None, {"hidden": True})

    content = changed(workbook_of(*members(60), change=formula), SHEET, lambda text: text.replace(b'"', b"'"))
    book = Book("名册.xlsx", content)
    assert book.faults("名册") == {30: {3: "#N/A"}}
    assert book.unseen("名册") == {20}


def half(text: bytes) -> bytes:
    return text[: len(text) // 2]


@pytest.mark.parametrize(
    ("part", "change"),
    [
        (SHEET, half),
        (STRINGS, half),
        (SHEET, lambda text: text.replace(b"</row>", b"</rwo>", 3)),
        (STRINGS, lambda text: text.replace(b"</si>", b"</is>", 3)),
    ],
)
def test_a_part_that_is_no_whole_xml_is_damaged(part, change):
    with pytest.raises(ImportProblem, match="已损坏"):
        Book("名册.xlsx", changed(workbook_of(*members(60)), part, change))


def test_rows_that_are_struck_through_stay_so_in_the_workbook_that_comes_back(world, enter, monkeypatch):
    def strike(book, page):
        page.write_string("A3", "王芳", book.add_format({"font_strikeout": True}))

    monkeypatch.setattr(correcting, "MOST_CELLS", 0)
    content = workbook_of(*members(3), ["赵", "1", BRANCH, "", ""], change=strike)
    result = enter("members", content)
    back = Book("名册.xlsx", marked(result.roster, result.errors))
    assert back.struck("名册", 0) == {3}
