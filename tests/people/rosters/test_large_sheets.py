"""A sheet that is large is read a part at a time, and says the same as one that is read whole."""

import datetime as dt
import io
import re
import zipfile

import pytest
import xlsxwriter

from weilu.lib.import_result import ImportProblem
from weilu.people.rosters import books, parts
from weilu.people.rosters.books import Book

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
