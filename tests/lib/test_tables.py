"""Tables that offices send, whatever program wrote them."""

import datetime as dt
import gzip

import pytest
import xlsxwriter

from weilu.lib.import_result import ImportProblem, ImportResult, Refusal
from weilu.lib.tables import read_table

TEXT = "标题,内容\n路灯坏了,晚上看不见\n水管漏水,三天了\n"
ROWS = [(2, ["路灯坏了", "晚上看不见"]), (3, ["水管漏水", "三天了"])]


def written(folder, data: bytes, name="table.csv"):
    file = folder / name
    file.write_bytes(data)
    return file


def workbook(folder, rows, name="table.xlsx"):
    with xlsxwriter.Workbook(folder / name, {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        sheet = book.add_worksheet()
        for index, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write(index, column, cell)
    return folder / name


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("gb18030"),
        TEXT.replace("\n", "\r\n").encode("gb18030"),
        TEXT.rstrip("\n").encode(),
        gzip.compress(TEXT.encode()),
        gzip.compress(TEXT.encode("gb18030")),
    ],
    ids=["utf-8", "utf-8 with a mark", "gb18030", "windows lines", "no last line end", "gzip", "gb18030 in gzip"],
)
def test_it_reads_the_same_table_in_each_encoding(tmp_path, data):
    table = read_table(written(tmp_path, data))
    assert table.header == ["标题", "内容"]
    assert list(table.rows) == ROWS


def test_it_tells_what_a_file_is_by_its_content_not_by_its_name(tmp_path):
    book = workbook(tmp_path, [["标题", "内容"], ["路灯坏了", "晚上看不见"], ["水管漏水", "三天了"]])
    assert list(read_table(book.rename(tmp_path / "export.csv")).rows) == ROWS
    assert list(read_table(written(tmp_path, gzip.compress(TEXT.encode()), "export")).rows) == ROWS
    assert list(read_table(written(tmp_path, TEXT.encode(), "export.xlsx")).rows) == ROWS


def test_it_reads_codes_and_dates_of_a_workbook_as_they_are_shown(tmp_path):
    rows = [["code", "at", "share"], [510824100001, dt.datetime(2026, 1, 6, 12, 9, 38), 0.5], [None, None, None], ["x"]]
    table = read_table(workbook(tmp_path, rows))
    assert list(table.rows) == [(2, ["510824100001", "2026-01-06 12:09:38", "0.5"]), (4, ["x", "", ""])]


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path):
    data = b'a,b\n"one\nin three\nlines",1\n\n  ,\nlast,2\n'
    assert [number for number, _cells in read_table(written(tmp_path, data)).rows] == [2, 5]


def test_it_finds_columns_by_any_of_their_headings(tmp_path):
    table = read_table(written(tmp_path, "\ufeff 标 题 ,More,SUBMITTED_AT,标题\n".encode()))
    wanted = {"subject": ["subject", "标题"], "at": ["submitted_at"], "detail": ["detail"]}
    assert table.columns(wanted, required=["subject"]) == {"subject": 0, "at": 2}


def test_it_names_the_columns_that_are_missing(tmp_path):
    table = read_table(written(tmp_path, b"one,two\n1,2\n"))
    with pytest.raises(ImportProblem, match=r"table\.csv.*subject, category.*one, two"):
        table.columns({"subject": ["subject"], "category": ["category"]}, required=["subject", "category"])


def test_it_refuses_a_row_with_more_cells_than_the_header(tmp_path):
    table = read_table(written(tmp_path, b"a,b\n1,2,3\n1,2,,\n"))
    (_two, wide), (_three, blank) = table.rows
    with pytest.raises(Refusal):
        table.check_width(wide)
    table.check_width(blank)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"PK\x03\x04 no workbook",
        b"\x1f\x8b no archive",
        gzip.compress(TEXT.encode() * 50)[:-20],
        "subject\n晚上看不见".encode("utf-16"),
    ],
    ids=["empty", "blank", "a photo", "half a workbook", "no gzip", "half a gzip", "utf-16"],
)
def test_it_says_so_when_a_file_is_no_table(tmp_path, data):
    with pytest.raises(ImportProblem, match="garbage"):
        read_table(written(tmp_path, data, "garbage"))


def test_it_says_so_when_a_file_is_missing_or_a_folder(tmp_path):
    for path in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(ImportProblem, match=str(path)):
            read_table(path)


def test_it_does_not_take_damaged_utf8_for_gb18030(tmp_path):
    damaged = ("标题,内容\n" + "路灯坏了,晚上看不见\n" * 50).encode() + b"\xff\xfe\n"
    with pytest.raises(ImportProblem, match="52"):
        read_table(written(tmp_path, damaged))


def test_it_notices_that_a_file_was_cut_off_within_quotes(tmp_path):
    table = read_table(written(tmp_path, b'a,b\n1,2\n3,"cut off\nhere\n'))
    assert next(table.rows) == (2, ["1", "2"])
    with pytest.raises(ImportProblem, match="3"):
        next(table.rows)


def test_a_result_gives_its_counts_in_one_order_and_extras_last():
    result = ImportResult(read=3, imported=1, duplicates=1, extra={"undated": 1})
    result.refuse(4, "name", "missing", file="villages.csv")
    assert list(result.as_dict()) == ["read", "imported", "updated", "duplicates", "refused", "errors", "undated"]
    assert result.as_dict()["refused"] == 1
    assert result.as_dict()["errors"] == [{"row": 4, "field": "name", "message": "missing", "file": "villages.csv"}]
