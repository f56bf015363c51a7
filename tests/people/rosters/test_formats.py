"""Real files of the formats that offices send: old ones, locked ones, with macros, and bombs."""

import io
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from tests.people.rosters.conftest import workbook
from weilu.lib.import_result import ImportProblem
from weilu.people.models import Membership, Person
from weilu.people.rosters.books import Book
from weilu.people.rosters.correcting import marked

FILES = Path(__file__).with_name("files")
BRANCH = "金穗社区第一党支部"


def test_a_workbook_of_before_2007_is_read_with_its_merged_cells_and_dates(world, enter):
    result = enter("members", (FILES / "old.xls").read_bytes())
    assert (result.read, result.imported, result.errors) == (3, 3, [])
    assert Membership.objects.filter(organisation=world.branch).count() == 3
    assert Person.objects.get(name="钱二").birth_date.isoformat() == "1985-03-12"


def test_an_old_workbook_comes_back_with_the_reasons_and_is_accepted_corrected(world, enter):
    refused = enter("members", (FILES / "old.xls").read_bytes(), at=world.other_township)
    assert {error["field"] for error in refused.errors} == {"organisation"}
    answer = marked(refused.roster, refused.errors)
    book = openpyxl.load_workbook(io.BytesIO(answer))
    assert book.sheetnames == ["名册", "说明"]
    assert [book["名册"].cell(row, 4).value for row in (3, 4, 5)] == [BRANCH] * 3
    assert enter("members", answer).imported == 3


def test_a_workbook_with_a_password_says_so():
    with pytest.raises(ImportProblem, match="密码"):
        Book("名册.xlsx", (FILES / "locked.xlsx").read_bytes())


def test_a_workbook_with_macros_says_so():
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.add_worksheet()
    book.add_vba_project(io.BytesIO(b"\xcc\x61" * 500), True)
    book.close()
    with pytest.raises(ImportProblem, match="宏"):
        Book("名册.xlsm", out.getvalue())


def test_a_bomb_is_refused_before_it_unpacks():
    """A sheet of a gigabyte of blanks in a file of a megabyte; nothing of it stays in memory."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(["姓名"]))) as there,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file,
    ):
        for member in there.infolist():
            if "sheet1" not in member.filename:
                file.writestr(member, there.read(member))
                continue
            with file.open(member.filename, "w", force_zip64=True) as part:
                for _megabyte in range(700):
                    part.write(b" " * (1 << 20))
    content = out.getvalue()
    assert len(content) < 5_000_000
    tracemalloc.start()
    with pytest.raises(ImportProblem, match="太大"):
        Book("名册.xlsx", content)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
