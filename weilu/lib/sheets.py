"""One sheet as an Excel file to download."""

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter
from django.http import HttpResponse
from django.utils import timezone

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDEST = 48


def workbook(name: str, title: str, headings: Sequence[str], lines: Iterable[Sequence[Any]]) -> HttpResponse:
    """Return rows as an Excel file: dates as dates, numbers as numbers, all else as text and never as a formula.

    Args:
        name: what the file is called before the day.
        title: of the sheet.
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(title[:31])
    head = book.add_format({"bold": True, "bg_color": "#F3E9E9", "border": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, head)
    widths = [len(heading) for heading in headings]
    last = 0
    for last, line in enumerate(lines, start=1):
        for column, value in enumerate(line):
            if isinstance(value, dt.date):
                sheet.write_datetime(last, column, dt.datetime(value.year, value.month, value.day), day)
            elif isinstance(value, int | float):
                sheet.write_number(last, column, value)
            elif text := str(value or ""):
                sheet.write_string(last, column, text)
                widths[column] = max(widths[column], len(text))
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(WIDEST, 2 * width + 4))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, last), len(headings) - 1)
    book.close()
    response = HttpResponse(out.getvalue(), content_type=TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}-{timezone.localdate():%Y%m%d}.xlsx"'
    return response
