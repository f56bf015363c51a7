"""Rosters as offices send them in: written as Excel workbooks, read by the importer."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import xlsxwriter

from weilu.lib.import_result import ImportProblem
from weilu.people.rosters.command import order_for, read_file
from weilu.people.rosters.entering import process

Line = Sequence[str]


def enter(file: Path, kind: str, place: str, headings: Line, rows: Iterable[Line]) -> int:
    """Write a roster and enter it; return how many rows it had.

    Raises:
        ImportProblem: a row was refused; nothing of the roster is entered then.
    """
    book = xlsxwriter.Workbook(str(file), {"constant_memory": True, "strings_to_urls": False})
    sheet = book.add_worksheet("名册")
    count = 0
    sheet.write_row(0, 0, headings)
    for count, row in enumerate(rows, start=1):
        for column, text in enumerate(row):
            sheet.write_string(count, column, text)
    book.close()
    if not count:
        return 0
    result = process(read_file(file), order_for(kind=kind, place=place))
    file.unlink()
    if result.refused:
        raise ImportProblem(f"the roster of {kind} of {place} was refused: {result.errors[0]}")
    return count
