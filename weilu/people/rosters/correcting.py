"""The same workbook with what is wrong in it: cells coloured, the reason in a note and at the end of the row.

What was refused stays as it was: a number a number, a date a date. Sent in again uncorrected it is refused again.
"""

import datetime as dt
import io
import logging
import re
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from html import escape
from typing import Any

import openpyxl
import xlsxwriter
from django.utils.translation import gettext as _
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.worksheet import Worksheet

from weilu.people.rosters.books import MOST_COLUMNS, UNKEPT, Book, Cell, text_of
from weilu.people.rosters.kinds import REASON
from weilu.people.rosters.reading import Roster, with_values

# Up to here the file itself is opened and marked: beyond, that takes more memory than the rest of the work.
MOST_BYTES = 6 * 1024 * 1024
MOST_CELLS = 300_000
MOST_NOTES = 3_000
# What openpyxl says of a workbook that it does not understand, as spreadsheets and our reader do.
CANNOT_OPEN = (ValueError, TypeError, KeyError, AttributeError, IndexError, zipfile.BadZipFile)
RED, DARK = "FDE9EA", "A20F1A"
AUTHOR = "围炉"
WIDTH = 48
FILLED = re.compile(
    rb'<c r="([A-Z]+)(\d+)"([^>]*)>(<f\b(?:[^>]*/>|[^>]*>[^<]*</f>))\s*(?:<v\s*/>|<v></v>)</c>'
)  # a formula as openpyxl writes it: without its result

logger = logging.getLogger(__name__)

Faults = dict[int, dict[int, list[str]]]


def marked(roster: Roster, errors: Iterable[dict[str, Any]]) -> bytes:
    """Return the workbook with the reasons; corrected and sent in again, the added column is passed over."""
    faults, reasons = _faults(roster, errors)
    cells = roster.book.height(roster.sheet) * max(len(roster.headings), 1)
    small = len(roster.book.content) <= MOST_BYTES and cells <= MOST_CELLS
    if roster.book.is_archive and not roster.book.sparse and small:
        try:
            return _in_place(roster, faults, reasons)
        except CANNOT_OPEN:
            logger.debug("a roster cannot be marked in place", exc_info=True)
    return _anew(roster, faults, reasons)


def _faults(roster: Roster, errors: Iterable[dict[str, Any]]) -> tuple[Faults, dict[int, str]]:
    """Return what is wrong cell by cell, and row by row in one text that names the columns."""
    faults: Faults = defaultdict(lambda: defaultdict(list))
    lines: dict[int, list[str]] = defaultdict(list)
    for error in errors:
        index = roster.at(error["field"])
        heading = roster.heading(error["field"])
        text = f"{heading}：{error['message']}"
        faults[error["row"]][index if index is not None else roster.at("name") or 0].append(
            error["message"] if index is not None else text
        )
        lines[error["row"]].append(text)
    return faults, {row: "\n".join(texts) for row, texts in lines.items()}


def _reason_column(roster: Roster) -> int:
    """Return where the reasons go: the column of an earlier time, else the first behind everything."""
    for index, heading in enumerate(roster.headings):
        if heading.startswith(REASON):
            return index
    last = len(roster.headings)
    for _number, cells in roster.book.rows(roster.sheet):
        for index in range(min(len(cells), MOST_COLUMNS) - 1, last - 1, -1):
            if text_of(cells[index]):
                last = index + 1
                break
    return last


def _in_place(roster: Roster, faults: Faults, reasons: dict[int, str]) -> bytes:
    with warnings.catch_warnings(action="ignore"):  # of styles that it leaves out
        book = openpyxl.load_workbook(io.BytesIO(roster.book.content), rich_text=True)
    sheet = book[roster.sheet]
    beside = _reason_column(roster) + 1
    _clean(sheet, roster.last_header, beside)
    tops = {
        (row, column): (area.min_row, area.min_col)
        for area in sheet.merged_cells.ranges
        if area.size["rows"] * area.size["columns"] <= MOST_CELLS
        for row, column in area.cells
    }
    fill = PatternFill("solid", start_color=RED, end_color=RED)
    red, wrap = Font(color=DARK), Alignment(wrap_text=True, vertical="top")
    for row, columns in faults.items():
        for column, texts in columns.items():
            cell = sheet.cell(*tops.get((row, column + 1), (row, column + 1)))
            cell.fill = fill
            there = f"{cell.comment.text}\n" if cell.comment else ""
            cell.comment = Comment(there + "\n".join(texts), AUTHOR, width=320, height=90)
        _say(sheet, row, beside, reasons[row], red, wrap)
    _say(sheet, roster.last_header, beside, REASON + _("what to correct"), Font(color=DARK, bold=True), wrap)
    letter = openpyxl.utils.get_column_letter(beside)
    sheet.column_dimensions[letter].width = WIDTH
    sheet.column_dimensions[letter].hidden = False
    out = io.BytesIO()
    book.save(out)
    return _with_results(out.getvalue(), book.worksheets.index(sheet) + 1, roster.book, roster.sheet)


def _say(sheet: Worksheet, row: int, column: int, text: str, font: Font, wrap: Alignment) -> None:
    cell = sheet.cell(row, column)
    if not isinstance(cell, MergedCell):
        cell.value, cell.font, cell.alignment = text, font, wrap


def _clean(sheet: Worksheet, header: int, beside: int) -> None:
    """Take away what we said the last time."""
    for cells in sheet.iter_rows(min_row=header):
        for cell in cells:
            if cell.comment and cell.comment.author == AUTHOR:
                cell.comment, cell.fill = None, PatternFill()
    if str(sheet.cell(header, beside).value or "").startswith(REASON):
        for row in range(header, sheet.max_row + 1):
            cell = sheet.cell(row, beside)
            if not isinstance(cell, MergedCell):
                cell.value = None


def _with_results(content: bytes, number: int, book: Book, sheet: str) -> bytes:
    """Write the results of formulas back, so that the file is understood before a spreadsheet has opened it."""
    part = f"xl/worksheets/sheet{number}.xml"
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        text = old.read(part)
        if not FILLED.search(text):
            return content
        known = _results(book, sheet, {(int(row), letters.decode()) for letters, row, _a, _f in FILLED.findall(text)})

        def result(match: re.Match[bytes]) -> bytes:
            letters, row, attributes, formula = match.groups()
            found = known.get((int(row), letters.decode()))
            if found is None:
                return match[0]
            attributes = re.sub(rb'\s?t="\w*"', b"", attributes)
            kind, value = found
            return (
                b'<c r="' + letters + row + b'"' + attributes + kind.encode() + b">" + formula
                + b"<v>" + value.encode() + b"</v></c>"
            )  # fmt: skip

        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            for member in old.infolist():
                new.writestr(member, FILLED.sub(result, text) if member.filename == part else old.read(member))
    return out.getvalue()


def _results(book: Book, sheet: str, wanted: set[tuple[int, str]]) -> dict[tuple[int, str], tuple[str, str]]:
    """Return, for cells with formulas, the type and text of the result that the file held."""
    faults, found = book.faults(sheet), {}
    columns: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for row, letters in wanted:
        columns[row].append((openpyxl.utils.column_index_from_string(letters) - 1, letters))
    for number, cells in book.rows(sheet):
        for index, letters in columns.get(number, ()):
            fault = faults.get(number, {}).get(index)
            if index < len(cells) and fault != UNKEPT:
                found[number, letters] = _as_result(fault or cells[index])
    return found


def _as_result(cell: Cell) -> tuple[str, str]:
    if isinstance(cell, bool):
        return ' t="b"', str(int(cell))
    if isinstance(cell, int | float):
        return "", repr(cell)
    if isinstance(cell, dt.datetime | dt.date | dt.time | dt.timedelta):
        return "", repr(to_excel(cell))
    if str(cell).startswith("#"):
        return ' t="e"', escape(str(cell))
    return ' t="str"', escape("" if cell is None else str(cell), quote=False)


def _anew(roster: Roster, faults: Faults, reasons: dict[int, str]) -> bytes:
    """Write the sheets again, row by row; what was merged over rows stands in each of them."""
    out = io.BytesIO()
    given = {"constant_memory": True, "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, given)
    form = _Forms(book)
    for name in roster.book.sheets[:30]:
        page = book.add_worksheet(name[:31])
        if name == roster.sheet:
            _write(page, roster, form, faults, reasons)
            page.activate()
        else:
            for number, cells in roster.book.rows(name):
                for column, cell in enumerate(cells[:512]):
                    form.put(page, number - 1, column, cell)
    book.close()
    return out.getvalue()


class _Forms:
    """Writes cells as what they are: numbers as numbers, dates as dates, the rest as text."""

    def __init__(self, book: Any):
        red = {"bg_color": f"#{RED}", "border": 1, "border_color": f"#{DARK}"}
        # By whether a cell is wrong, and whether its row is struck through.
        self.known = {
            (wrong, struck, kind): book.add_format(
                {"num_format": shape} | (red if wrong else {}) | ({"font_strikeout": True} if struck else {})
            )
            for wrong in (False, True)
            for struck in (False, True)
            for kind, shape in (("text", "@"), ("number", "General"), ("date", "yyyy-mm-dd"))
        }
        self.why = book.add_format({"font_color": f"#{DARK}", "text_wrap": True})

    def put(
        self, page: Any, row: int, column: int, cell: Cell, *, wrong: bool = False, struck: bool = False
    ) -> None:  # fmt: skip
        form = {kind: self.known[wrong, struck, kind] for kind in ("text", "number", "date")}
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            page.write_number(row, column, cell, form["number"])
        elif isinstance(cell, dt.datetime | dt.date):
            page.write_datetime(row, column, cell, form["date"])
        elif (text := text_of(cell)) or wrong:
            page.write_string(row, column, text[:32_000], form["text"])


def _write(page: Any, roster: Roster, form: _Forms, faults: Faults, reasons: dict[int, str]) -> None:
    beside = _reason_column(roster)
    page.set_column(beside, beside, WIDTH)
    page.freeze_panes(roster.last_header, 0)
    notes, formulas = 0, roster.faults()
    struck = roster.book.struck(roster.sheet, roster.at("name"))
    for number, cells in roster.rows():
        if number in formulas:  # so that they are refused again until somebody has corrected them
            cells = with_values(cells, formulas[number])
        wrong = faults.get(number, {})
        width = max([min(len(cells), 512), *(index + 1 for index in wrong)])
        for column in range(width):
            if column == beside:
                continue
            cell = cells[column] if column < len(cells) else ""
            form.put(page, number - 1, column, cell, wrong=column in wrong, struck=number in struck)
            if column in wrong and notes < MOST_NOTES:
                notes += 1
                page.write_comment(number - 1, column, "\n".join(wrong[column]), {"author": AUTHOR})
        if number in reasons:
            page.write_string(number - 1, beside, reasons[number], form.why)
        elif number == roster.last_header:
            page.write_string(number - 1, beside, REASON + _("what to correct"), form.why)
