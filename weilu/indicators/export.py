"""Figures as Excel files, as an office keeps them: title, place, period and time above, number formats, one A4 wide."""

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.indicators.asked import Asked
from weilu.indicators.compare import Compared
from weilu.indicators.opening import measured_name
from weilu.indicators.reading import Reading
from weilu.indicators.words import period_words
from weilu.lib.indicators import Indicator
from weilu.lib.sheets import TYPE

WIDEST = 48
A4 = 9  # as Excel numbers sizes of paper


class Signed(float):
    """A difference: written with its sign."""


class Book:
    """An Excel file of some sheets: each with its title, notes, headings and lines; text is never a formula."""

    def __init__(self) -> None:
        self.out = io.BytesIO()
        self.book = xlsxwriter.Workbook(
            self.out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        style = self.book.add_format
        self.title = style({"bold": True, "font_size": 14})
        self.note = style({"font_color": "#4C5562"})
        self.head = style({"bold": True, "bg_color": "#F3E9E9", "border": 1, "text_wrap": True, "valign": "vcenter"})
        self.text, self.whole = style({"border": 1}), style({"border": 1, "num_format": "#,##0"})
        self.point = style({"border": 1, "num_format": "#,##0.0"})
        self.sign = style({"border": 1, "num_format": "+#,##0.0;-#,##0.0;0"})
        self.day = style({"border": 1, "num_format": "yyyy-mm-dd"})
        self.moment = style({"border": 1, "num_format": "yyyy-mm-dd hh:mm"})

    def sheet(
        self, name: str, title: str, notes: Sequence[str], headings: Sequence[Any], lines: Iterable[Sequence[Any]]
    ) -> None:
        """Add a sheet; its headings stay when one scrolls and stand on each printed page."""
        sheet = self.book.add_worksheet(name[:31])
        sheet.write_string(0, 0, title, self.title)
        for at, note in enumerate(notes, start=1):
            sheet.write_string(at, 0, note, self.note)
        top = len(notes) + 2
        for column, heading in enumerate(headings):
            sheet.write_string(top, column, str(heading), self.head)
        widths = [min(10, len(str(heading))) for heading in headings]
        for row, line in enumerate(lines, start=top + 1):
            for column, value in enumerate(line):
                widths[column] = max(widths[column], self._write(sheet, row, column, value))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, min(WIDEST, 2 * width + 3))
        sheet.freeze_panes(top + 1, 1)
        sheet.repeat_rows(top)
        sheet.set_paper(A4)
        if sum(widths) > 40:
            sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&C&P / &N")

    def _write(self, sheet: Any, row: int, column: int, value: Any) -> int:
        """Write a cell by its kind and return how wide it is, in Chinese letters."""
        if isinstance(value, dt.datetime):
            sheet.write_datetime(row, column, timezone.localtime(value).replace(tzinfo=None), self.moment)
            return 8
        if isinstance(value, dt.date):
            sheet.write_datetime(row, column, dt.datetime(value.year, value.month, value.day), self.day)
            return 5
        if isinstance(value, Signed):
            sheet.write_number(row, column, value, self.sign)
            return 4
        if isinstance(value, int | float) and not isinstance(value, bool):
            sheet.write_number(row, column, value, self.whole if isinstance(value, int) else self.point)
            return 4
        sheet.write_string(row, column, "" if value is None else str(value), self.text)
        return 0 if value is None else len(str(value))

    def response(self, name: str) -> HttpResponse:
        """Return the file to download."""
        self.book.close()
        response = HttpResponse(self.out.getvalue(), content_type=TYPE)
        response["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
        return response


def _signed(value: float | None) -> Signed | None:
    return None if value is None else Signed(round(value, 4))


def notes_of(asked: Asked, *more: str) -> list[str]:
    """Return what stands above every table: whose figures, of what time, made when, and more."""
    whose = "、".join(str(each) for each in asked.organisations) if asked.own else ""
    days = f"{asked.period.start} – {asked.period.last_day}"
    first = [asked.place.name, whose, f"{period_words(asked.period)} ({days})"]
    made = _("Made on %(when)s") % {"when": f"{timezone.localtime():%Y-%m-%d %H:%M}"}
    return [" · ".join(each for each in first if each), *(each for each in more if each), made]


def _meaning(indicator: Indicator) -> str:
    unit = _("unit: %(unit)s") % {"unit": indicator.unit}
    return f"{indicator.code} v{indicator.version} · {unit}"


def figure(asked: Asked, reading: Reading) -> HttpResponse:
    """Return one figure, whole and taken apart."""
    indicator = reading.indicator
    value = _("value (%(unit)s)") % {"unit": indicator.unit}
    headings = [_("group"), value, _("numerator"), _("denominator"), _("rows")]
    lines = [
        [
            part.name or (_("together") if part is reading.whole else _("not known")),
            part.value, part.numerator, part.denominator, part.rows,
        ]
        for part in [*reading.parts, reading.whole]
    ]  # fmt: skip
    book = Book()
    notes = notes_of(asked, str(indicator.scope), _meaning(indicator))
    book.sheet(_("Figure"), str(indicator.name), notes, headings, lines)
    return book.response(f"{indicator.code}-{asked.place.code}-{asked.period}")


def headings_of(indicator: Indicator) -> list[Any]:
    """Return the headings of the rows behind a figure."""
    more = measured_name(indicator)
    return [*(label for label, _attribute in indicator.columns), *([more] if more else [])]


def rows(asked: Asked, indicator: Indicator, lines: Iterable[Sequence[Any]], hidden: int) -> HttpResponse:
    """Return the rows behind a figure, as the page shows them."""
    left = _("%(n)s rows lie outside what your role may open.") % {"n": hidden} if hidden else ""
    book = Book()
    headings = headings_of(indicator)
    notes = notes_of(asked, str(indicator.scope), _meaning(indicator), left)
    book.sheet(_("Rows"), str(indicator.name), notes, headings, lines)
    return book.response(f"{indicator.code}-rows-{asked.place.code}-{asked.period}")


def comparison(asked: Asked, found: Compared) -> HttpResponse:
    """Return two sides of a figure, whole and by groups."""
    lines = [
        [line.name or _("together"), line.unit, line.first.value, line.second.value, _signed(line.difference),
         _signed(line.per_cent)]
        for line in [*found.lines, *([found.whole] if found.by or not found.lines else [])]
    ]  # fmt: skip
    headings = [_("group"), _("unit"), *found.heads, _("difference"), _("in per cent")]
    book = Book()
    notes = notes_of(asked, str(found.indicator.scope), _meaning(found.indicator))
    book.sheet(_("Comparison"), str(found.indicator.name), notes, headings, lines)
    return book.response(f"{found.indicator.code}-compare-{asked.place.code}-{asked.period}")


def dashboard(asked: Asked, shown: dict[str, Any]) -> HttpResponse:
    """Return what a dashboard shows: a sheet each for figures, months, what is late, places below, and what grows."""
    book, notes = Book(), notes_of(asked)
    name = _("How it goes in %(name)s") % {"name": asked.place.short_name or asked.place.name}
    book.sheet(
        _("Figures"), name, notes,
        [_("Figure"), _("Unit"), _("This period"), _("The period before"), _("difference"), _("What counts")],
        [
            [card.indicator.name, card.indicator.unit, card.now.value, card.before and card.before.value,
             _signed(card.change), card.indicator.scope]
            for card in shown["cards"]
        ],
    )  # fmt: skip
    book.sheet(
        _("Months"), name, notes, [_("Month"), _("Matters raised"), _("Matters settled")],
        [[bar.period.text, bar.raised.rows, bar.settled.rows] for bar in shown["trend"]],
    )  # fmt: skip
    if below := shown["below"]:
        book.sheet(
            _("Places below"), name, notes,
            [_("Place"), *(f"{each.name} ({each.unit})" for each in below.indicators)],
            [
                *([row.name, *(part.value for part in row.parts)] for row in below.rows),
                [_("Median"), *below.medians],
            ],
        )  # fmt: skip
    if late := shown["late"]:
        head = _("Category") if late.by == "category" else _("Place")
        book.sheet(_("Late now"), name, notes, [head, _("matters")], [[part.name, part.value] for part in late.parts])
    grown = [*shown["growing"], *shown["growing_places"]]
    if grown:
        book.sheet(
            _("Growing"), name, notes,
            [_("Group"), _("received"), _("Raised in the period before"), _("settled")],
            [[each.name, each.now, each.before, each.settled] for each in grown],
        )  # fmt: skip
    return book.response(f"dashboard-{asked.place.code}-{asked.period}")
