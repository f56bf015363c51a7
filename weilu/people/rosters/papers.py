"""Rosters as Excel files to send out: empty ones to fill in, and those of today."""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from weilu.people.rosters.kinds import Kind

NO_SURPRISES = {"constant_memory": True, "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
WIDE = {"id_number": 22, "organisation": 30, "home": 24, "credit_code": 22, "phone": 15, "name": 12, "sex": 6}


def roster_book(kind: Kind, rows: Iterable[Sequence[str]], title: str) -> bytes:
    """Return a roster with our own headings, so that it can be sent in again; without rows, one to fill in.

    Args:
        rows: a text for each column of ``kind``.
    """
    out = io.BytesIO()
    # A county's roster would take 300 MB in memory: what is written lies in a file without a name until it is done.
    book = xlsxwriter.Workbook(out, NO_SURPRISES | {"in_memory": False})
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


def changes_book(changes: Iterable[dict[str, Any]], leaving: Iterable[Sequence[str]]) -> bytes:
    """Return what a roster changes, field by field, and who is missing from it, on two sheets."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, NO_SURPRISES)
    bold = book.add_format({"bold": True, "bg_color": "#F3E9E9", "border": 1})
    first = book.add_worksheet(_("changes"))
    head = [_("Row"), _("Name"), _("Body"), pgettext("a column", "Change"), _("Field"), _("Old"), _("New")]
    lines: Iterator[list[Any]] = (
        [change["row"], change["name"], " ".join((change["body"], change["post"])).strip(), word, *map(str, field)]
        for change in changes
        for word in [_("new") if change["outcome"] == "new" else _("changed")]
        for field in change["fields"] or [("", "", "")]
    )
    _sheet(first, bold, head, lines)
    second = book.add_worksheet(_("Missing from the roster"))
    _sheet(second, bold, [_("Name"), _("Body"), _("Post")], leaving)
    book.close()
    return out.getvalue()


def _sheet(sheet: Any, bold: Any, head: Sequence[str], lines: Iterable[Sequence[Any]]) -> None:
    for column, text in enumerate(head):
        sheet.set_column(column, column, 18)
        sheet.write_string(0, column, text, bold)
    for number, line in enumerate(lines, start=1):
        for column, value in enumerate(line):
            if isinstance(value, int):
                sheet.write_number(number, column, value)
            elif value:
                sheet.write_string(number, column, value)
