"""Rosters as Excel files to send out: empty ones to fill in, and those of today."""

import io
from collections.abc import Iterable, Sequence

import xlsxwriter

from weilu.people.rosters.kinds import Kind

NO_SURPRISES = {"constant_memory": True, "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
WIDE = {"id_number": 22, "organisation": 30, "home": 24, "credit_code": 22, "phone": 15, "name": 12, "sex": 6}


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
