"""A figure as an Excel file: what it means, its value, its parts."""

import io

import xlsxwriter
from django.utils.translation import gettext as _

from weilu.indicators.reading import Reading


def workbook(reading: Reading) -> bytes:
    """Return the workbook of a reading."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    bold = book.add_format({"bold": True})
    head = book.add_format({"bold": True, "bg_color": "#F3E9E9", "border": 1})
    sheet = book.add_worksheet(_("Figure"))
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 4, 14)
    indicator, whole = reading.indicator, reading.whole
    sheet.write_string(0, 0, str(indicator.name), bold)
    sheet.write_string(1, 0, str(indicator.scope))
    sheet.write_string(2, 0, f"{reading.place.name} · {reading.period} · {indicator.code} v{indicator.version}")
    labels = [_("group"), _("value"), _("numerator"), _("denominator"), _("rows")]
    for column, label in enumerate(labels):
        sheet.write_string(4, column, label, head)
    for line, part in enumerate([*reading.parts, whole], start=5):
        sheet.write_string(line, 0, part.name or (_("together") if part is whole else _("not known")))
        for column, value in enumerate([part.value, part.numerator, part.denominator, part.rows], start=1):
            if value is not None:
                sheet.write_number(line, column, value)
    sheet.freeze_panes(5, 0)
    book.close()
    return out.getvalue()
