"""Workbooks as offices make them, and people as GB 11643 numbers them."""

import io

import pytest
import xlsxwriter
from stdnum.cn import ric

from weilu.people.rosters.books import Book
from weilu.people.rosters.entering import Order, place_of, process
from weilu.people.rosters.kinds import KINDS


def id_number(born: str = "19850312", order: int = 1, county: str = "510824") -> str:
    """A sound ID number of somebody born on ``born``; an odd order is a man."""
    head = f"{county}{born}{order:03d}"
    return head + ric.calc_check_digit(head + "0")


def workbook(*rows, sheet: str = "名册", change=None) -> bytes:
    """An Excel file with these rows from the first on; ``change`` gets workbook and sheet before it is closed."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    page = book.add_worksheet(sheet)
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell is not None and cell != "":
                page.write(number, column, cell) if not isinstance(cell, str) else page.write_string(
                    number, column, cell
                )
    if change:
        change(book, page)
    book.close()
    return out.getvalue()


@pytest.fixture
def enter(world):
    """Enter a roster of one kind for a place; the township unless said otherwise."""

    def as_(kind: str, content: bytes, *, at=None, write: bool = True, **order):
        place, jurisdiction = place_of((at or world.township).code)
        given = {"create": order.pop("create", False), **order}
        return process(Book("名册.xlsx", content), Order(KINDS[kind], place, jurisdiction, write=write, **given))

    return as_
