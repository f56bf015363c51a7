"""Tables that offices send: CSV in UTF-8 or GB18030, CSV in gzip, Excel. What a file is, its content tells."""

import csv
import datetime as dt
import gzip
import io
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from weilu.lib.import_result import ImportProblem, Refusal, cannot_read

GZIP = b"\x1f\x8b"
# An Excel workbook of today is a zip archive, one of before 2007 a compound file.
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
BOM = b"\xef\xbb\xbf"
LONGEST_CELL = 10_000_000
# A line of our own behind the last: it comes back as a record of its own only if all quotes were closed.
END = "\x00end"

Rows = Iterator[tuple[int, list[str]]]


@dataclass
class Table:
    """A table as it is read, once.

    Attributes:
        name: the file's name.
        header: the cells of row 1.
        rows: the other rows that are not blank, with their numbers as a spreadsheet shows them.
        about: how many rows there may be, for a progress bar.
    """

    name: str
    header: list[str]
    rows: Rows
    about: int

    def columns(self, wanted: Mapping[str, Iterable[str]], required: Iterable[str]) -> dict[str, int]:
        """Return where the columns are.

        Args:
            wanted: for each column its headings, which are compared without regard to case, width and blanks.
            required: columns that must be there.

        Raises:
            ImportProblem: some required columns are missing; the message names them.
        """
        at: dict[str, int] = {}
        for index, heading in enumerate(self.header):
            at.setdefault(_fold(heading), index)
        found = {
            column: next(at[_fold(heading)] for heading in headings if _fold(heading) in at)
            for column, headings in wanted.items()
            if any(_fold(heading) in at for heading in headings)
        }
        if missing := [column for column in required if column not in found]:
            raise ImportProblem(
                _("%(file)s lacks the columns: %(columns)s. Its first row reads: %(header)s")
                % {"file": self.name, "columns": ", ".join(missing), "header": ", ".join(self.header)[:200]}
            )
        return found

    def check_width(self, cells: list[str]) -> None:
        """Refuse a row with more cells than the header: a comma without quotes has moved what follows it.

        Raises:
            Refusal: there are such cells.
        """
        if len(cells) > len(self.header) and any(cell.strip() for cell in cells[len(self.header) :]):
            raise Refusal("", _("The row has more cells than the header; is a comma not in quotes?"))


def _fold(heading: str) -> str:
    return "".join(unicodedata.normalize("NFKC", heading).lower().split())


def read_table(file: Path) -> Table:
    """Open a table: CSV (UTF-8 with or without a mark, GB18030), the same in gzip, or the first sheet of a workbook.

    Raises:
        ImportProblem: the file is missing, empty, damaged or no table. Damage further down is raised by the rows.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise cannot_read(file, error) from error
    if data.startswith(GZIP):
        data = _unpacked(file.name, data)
    if data.startswith(WORKBOOKS):
        rows, about = _sheet(file.name, data)
    else:
        rows, about = _records(file.name, _decoded(file.name, data)), data.count(b"\n")
    header = next(rows, (0, [""]))[1]
    if not any(cell.strip() for cell in header):
        raise ImportProblem(_("%(file)s is empty: its first row should name the columns.") % {"file": file.name})
    return Table(file.name, header, _not_blank(rows), about)


def _not_blank(rows: Rows) -> Rows:
    return ((number, cells) for number, cells in rows if any(cell and not cell.isspace() for cell in cells))


def _unpacked(name: str, data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ImportProblem(_("%(file)s is damaged: the gzip archive does not open.") % {"file": name}) from error


def _decoded(name: str, data: bytes) -> str:
    """Return the text. What fails as UTF-8 in a few places only is damaged UTF-8, not GB18030."""
    if b"\x00" in data:
        raise ImportProblem(
            _("%(file)s is no table. Expected: CSV (UTF-8 or GB18030), CSV in gzip, or Excel.") % {"file": name}
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    text = data.decode("utf-8", "replace")
    odd = text.count("\ufffd")
    if not data.startswith(BOM) and odd * 10 > sum(not char.isascii() for char in text):
        try:
            return data.decode("gb18030")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
    raise ImportProblem(
        _("%(file)s is damaged at line %(line)s: that is neither UTF-8 nor GB18030.") % {"file": name, "line": line}
    )


def _records(name: str, text: str) -> Rows:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(_lines(text))
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if cells and END in cells[-1]:
                if cells != [END]:
                    raise ImportProblem(
                        _("%(file)s is cut off: the quotes opened in row %(row)s are never closed.")
                        % {"file": name, "row": number}
                    )
                return
            yield number, cells
    except csv.Error as error:
        raise ImportProblem(
            _("%(file)s cannot be read after row %(row)s: %(reason)s") % {"file": name, "row": number, "reason": error}
        ) from error


def _lines(text: str) -> Iterator[str]:
    yield from io.StringIO(text, newline="")
    yield END


def _sheet(name: str, data: bytes) -> tuple[Rows, int]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError, IndexError) as error:
        raise ImportProblem(_("%(file)s does not open as an Excel workbook.") % {"file": name}) from error
    return ((number, [_text(cell) for cell in cells]) for number, cells in enumerate(rows, start=1)), len(rows)


def _text(cell: Any) -> str:
    """Return what a cell of a workbook would be in CSV."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ", "seconds")
    return str(cell)
