"""Where the header of a roster stands in a workbook: among title rows, over one, two or three rows."""

import re
from collections.abc import Container, Iterator
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from weilu.lib.import_result import ImportProblem
from weilu.people.rosters.books import Book, Cell, text_of
from weilu.people.rosters.kinds import Kind, known_as, likeliest, map_headings
from weilu.people.rosters.reading import NotMapped, Roster

HEADER_WITHIN = 40
DEEPEST = 3  # rows of one header
ROWS_SHOWN = 15
LONG_NUMBER = re.compile(r"\d{5,}\w*")


def _headings(cells: list[Cell]) -> list[str]:
    texts = [" ".join(text_of(cell).split()) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def _both(kind: Kind, upper: list[str], lower: list[str]) -> list[str]:
    """Return two header rows as one: the lower names the column where it does, else the upper."""
    size = max(len(upper), len(lower))
    upper, lower = upper + [""] * (size - len(upper)), lower + [""] * (size - len(lower))

    def chosen(above: str, below: str) -> str:
        return below if below and (known_as(kind, below) or not known_as(kind, above)) else above

    return [chosen(*pair) for pair in zip(upper, lower, strict=True)]


def _ways(kind: Kind, head: list[tuple[int, list[str]]], position: int) -> Iterator[tuple[int, list[str]]]:
    """Yield how a header may begin at a row: that row alone, and with one or two rows below it that name more."""
    number, texts = head[position]
    yield number, texts
    known = len(map_headings(kind, texts))
    for deeper in range(1, DEEPEST):
        if not known or position + deeper >= len(head) or head[position + deeper][0] != number + deeper:
            return
        above, below = texts, head[position + deeper][1]
        texts = _both(kind, texts, below)
        both, alone = len(map_headings(kind, texts)), len(map_headings(kind, below))
        if (alone and both > max(known, alone)) or _divides(above, below):
            yield number + deeper, texts


def _divides(upper: list[str], lower: list[str]) -> bool:
    """Tell whether a row only divides headings above it that run over several columns: 时间 into 入党 and 转正."""
    under = [index for index, text in enumerate(lower) if text]

    def empty(index: int) -> bool:
        return index >= len(upper) or not upper[index]

    parts = all(empty(index) or empty(index + 1) for index in under)
    words = all(len(lower[index]) <= 12 and not any(sign.isdigit() for sign in lower[index]) for index in under)
    return len(under) > 1 and parts and words and any(empty(index) for index in under)


def _rows(book: Book, sheet: str) -> list[tuple[int, list[str]]]:
    return [(number, _headings(cells)) for number, cells in islice(book.rows(sheet), HEADER_WITHIN)]


def _find_header(kind: Kind, book: Book, sheet: str, known: Container[str]) -> Roster | None:
    """Return the roster of a sheet by the row that names most of our columns, or whose headings somebody named."""
    head = _rows(book, sheet)
    best: tuple[int, int] = (1, 0)
    found: Roster | None = None
    for position, (number, _texts) in enumerate(head):
        for last, headings in _ways(kind, head, position):
            mapping = map_headings(kind, headings)
            roster = Roster(kind, book, sheet, number, last, headings, mapping)
            if len([text for text in headings if text]) > 1 and roster.fingerprint in known:
                return roster
            score = (len(mapping), sum(column.key in mapping.values() for column in kind.required))
            deeper = score == best and found is not None and found.header == number  # a row that only divides
            if (score > best or deeper) and len(mapping) >= 2:
                best, found = score, roster
    return found


def _at_row(kind: Kind, book: Book, sheet: str, header: int) -> Roster | None:
    """Return the roster whose header somebody named, of several rows the last; what it leaves empty the others say."""
    rows = dict(_rows(book, sheet))
    texts = rows.get(header, [])
    if not texts:
        return None
    for above in (rows.get(header - step, []) for step in range(1, DEEPEST)):
        if len([text for text in above if text]) < 2:  # a title
            break
        size = max(len(texts), len(above))
        upper, lower = above + [""] * (size - len(above)), texts + [""] * (size - len(texts))
        texts = [below or text for text, below in zip(upper, lower, strict=True)]
    return Roster(kind, book, sheet, header, header, texts, map_headings(kind, texts))


def _guess(kind: Kind, book: Book, sheets: list[str]) -> Roster | None:
    """Return a sheet with the row that looks most like a header: most texts, none of them a number, none twice."""
    best, found = 1, None
    for sheet in sheets:
        for number, texts in _rows(book, sheet):
            filled = [text for text in texts if text]
            words = {text for text in filled if len(text) <= 20 and not any(sign.isdigit() for sign in text)}
            if len(words) > best and len(words) == len(filled):
                best = len(words)
                found = Roster(kind, book, sheet, number, number, texts, map_headings(kind, texts))
    return found


def open_roster(kind: Kind, book: Book, sheet: str = "", header: int = 0, known: Container[str] = ()) -> Roster:
    """Find the roster in a workbook.

    Args:
        sheet: its name; without one, the first sheet whose header names the columns that are needed, else the first
            with any header.
        header: the row that somebody named as header.
        known: fingerprints of headers that somebody named before.

    Raises:
        NotMapped: no header was found, but a row that may be one; somebody can say so.
        ImportProblem: there is no such sheet, or nothing in it that could be a header.
    """
    if sheet and sheet not in book.sheets:
        raise ImportProblem(
            _("There is no sheet “%(sheet)s”. There are: %(names)s.")
            % {"sheet": sheet, "names": "、".join(book.sheets)}
        )
    sheets = [sheet] if sheet else book.sheets[:30]
    found: list[Roster] = []
    for name in sheets:
        roster = _at_row(kind, book, name, header) if header else _find_header(kind, book, name, known)
        if roster:
            found.append(roster)
            if header or _fitness(roster)[0] == len(kind.required) or roster.fingerprint in known:
                break
    if not found:
        raise _no_header(kind, book, sheets, header)
    best = max(found, key=lambda roster: (roster.fingerprint in known, _fitness(roster)))
    best.others = [name for name in book.sheets if name != best.sheet] + book.hidden
    return best


def _no_header(kind: Kind, book: Book, sheets: list[str], header: int) -> ImportProblem:
    if header:
        return ImportProblem(_("Row %(row)s is empty: it cannot be the header.") % {"row": header})
    text = _("No header was found in the first %(rows)s rows: a row that names the columns, such as %(names)s.") % {
        "rows": HEADER_WITHIN, "names": "、".join(column.heading for column in kind.required),
    }  # fmt: skip
    text += _looks_like(kind, book, sheets)
    if guess := _guess(kind, book, sheets):
        guess.others = [name for name in book.sheets if name != guess.sheet] + book.hidden
        return NotMapped(text + " " + _("Say which row it is and what its columns are."), guess, guessed=True)
    if book.hidden:
        text += " " + _("Not read: %(names)s. Show the sheet in Excel if the roster stands there.") % {
            "names": "、".join(book.hidden[:10])
        }
    return ImportProblem(text)


def _looks_like(kind: Kind, book: Book, sheets: list[str]) -> str:
    for name in sheets:
        for _number, cells in islice(book.rows(name), HEADER_WITHIN):
            if other := likeliest(_headings(cells), kind.code):
                return " " + _("It looks like a roster of the kind “%(kind)s”.") % {"kind": other.label}
    return ""


def _fitness(roster: Roster) -> tuple[int, int]:
    there = set(roster.mapping.values())
    return sum(column.key in there for column in roster.kind.required), len(there)


def first_rows(book: Book, sheet: str) -> list[list[Any]]:
    """Return the first rows that hold several texts, for somebody to say which is the header; numbers are masked."""
    rows = [(number, [text for text in texts if text]) for number, texts in _rows(book, sheet)]
    return [[number, LONG_NUMBER.sub("…", "、".join(texts))[:80]] for number, texts in rows if len(texts) > 1][
        :ROWS_SHOWN
    ]
