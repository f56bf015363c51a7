"""Rosters as Excel files to send out: empty ones to fill in, those of today, and those with what is wrong in them."""

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from weilu.people.rosters.books import text_of
from weilu.people.rosters.kinds import REASON, Kind
from weilu.people.rosters.reading import Roster

NO_SURPRISES = {"constant_memory": True, "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
WIDE = {"id_number": 22, "organisation": 30, "home": 24, "credit_code": 22, "phone": 15, "name": 12, "sex": 6}


def marked(roster: Roster, errors: Iterable[dict[str, Any]]) -> bytes:
    """Return the same sheet with the reason in a column beside each column that has a fault, faulty cells coloured.

    Sent in again, the added columns are passed over, so that somebody corrects this file and needs no other.
    """
    at: dict[int, dict[int, str]] = defaultdict(dict)
    for error in errors:
        index = roster.at(error["field"])
        column = index if index is not None else roster.at("name") or 0
        text = (
            error["message"]
            if index is not None
            else f"{roster.kind.by_key[error['field']].heading}: {error['message']}"
        )
        there = at[error["row"]].get(column)
        at[error["row"]][column] = f"{there} {text}" if there else text
    added = sorted({column for row in at.values() for column in row})
    shift = {column: column + sum(other < column for other in added) for column in range(512)}
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, NO_SURPRISES)
    sheet = book.add_worksheet(roster.sheet[:31])
    text = book.add_format({"num_format": "@"})
    wrong = book.add_format({"num_format": "@", "bg_color": "#FDE9EA", "border": 1, "border_color": "#A20F1A"})
    why = book.add_format({"font_color": "#A20F1A", "text_wrap": True})
    for column in added:
        sheet.set_column(shift[column] + 1, shift[column] + 1, 36)
    sheet.freeze_panes(roster.last_header, 0)
    for number, cells in roster.book.rows(roster.sheet):
        row = number - 1
        faults = at.get(number, {})
        for column, cell in enumerate(cells[:512]):
            if (value := text_of(cell)) or column in faults:
                sheet.write_string(row, shift[column], value[:32_000], wrong if column in faults else text)
            if column in faults:
                sheet.write_string(row, shift[column] + 1, faults[column], why)
            elif column in added and number == roster.last_header:
                sheet.write_string(row, shift[column] + 1, REASON + _("what to correct"), why)
    book.close()
    return out.getvalue()


def roster_book(kind: Kind, rows: Iterable[Sequence[str]], title: str) -> bytes:
    """Return a roster with our own headings, so that it can be sent in again; without rows, one to fill in.

    Args:
        rows: a text for each column of ``kind``.
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, NO_SURPRISES)
    sheet = book.add_worksheet(str(kind.label)[:31])
    text = book.add_format({"num_format": "@"})
    head = book.add_format({"bold": True, "bg_color": "#F3E9E9", "border": 1, "num_format": "@"})
    needed = book.add_format({"bold": True, "bg_color": "#F3E9E9", "border": 1, "font_color": "#A20F1A"})
    for index, column in enumerate(kind.columns):
        sheet.set_column(index, index, WIDE.get(column.key, 14), text)
    sheet.freeze_panes(2, 1)
    sheet.write_string(0, 0, title, book.add_format({"bold": True, "font_size": 14}))
    for index, column in enumerate(kind.columns):
        sheet.write_string(1, index, column.heading, needed if column.required else head)
    for number, row in enumerate(rows, start=2):
        for index, value in enumerate(row):
            if value:
                sheet.write_string(number, index, value, text)
    book.close()
    return out.getvalue()
