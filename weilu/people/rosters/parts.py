"""A large sheet, read a part at a time: each part is made a workbook of its own that the reader of cells opens.

The reader of cells holds a sheet whole, about 1.3 KB a row. A roster of 200,000 rows would take 260 MB so, and two of
them at once the memory of a small server.
"""

import io
import re
import zipfile
from array import array
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from python_calamine import CalamineSheet, CalamineWorkbook

# How much of a sheet is opened at once, unpacked; about 3,000 rows of 12 columns.
PART = 2 * 1024 * 1024
CHUNK = 1 << 20
# What may stand before the first row: widths of columns, views, properties.
MOST_HEAD = 4 * 1024 * 1024
BEGIN = re.compile(rb"<((?:\w+:)?)sheetData\b[^>]*(?<!/)>")
NUMBERED = re.compile(rb'\s*<(?:\w+:)?row\b[^>]*?\sr="\d')
TEXT = re.compile(rb"<(?:\w+:)?si(?:\s[^>]*)?(?:/>|>.*?</(?:\w+:)?si>)", re.DOTALL)
# A cell that names a text by its number among those that cells share.
SHARED = re.compile(rb'( t="s"[^>]*>\s*<(?:\w+:)?v>)(\d+)(?=<)')


class _Ends(NamedTuple):
    """What stands around the rows of a sheet."""

    head: bytes
    close: bytes
    row_end: bytes
    tail: bytes


class _Texts:
    """The texts that cells share, as they stand in the file, of which each part is given those it names.

    Args:
        name: where in the archive they lie.
    """

    def __init__(self, name: str, content: bytes):
        self.name, self.content = name, content
        # Where each begins and ends: eight bytes a text.
        self._spans = array("I")
        for match in TEXT.finditer(content):
            self._spans.extend(match.span())

    def cut(self, rows: bytes) -> tuple[bytes, bytes]:
        """Return rows that name their texts by new numbers, and those texts alone.

        Where a cell names its text in a way that we do not know, all texts are given and the rows stay as they are.
        """
        numbers: dict[bytes, bytes] = {}
        texts: list[bytes] = []

        def renumbered(match: re.Match[bytes]) -> bytes:
            number = match[2]
            if number not in numbers:
                at = 2 * int(number)
                begin, end = self._spans[at : at + 2]
                texts.append(self.content[begin:end])
                numbers[number] = b"%d" % len(numbers)
            return match[1] + numbers[number]

        try:
            found, count = SHARED.subn(renumbered, rows)
        except ValueError:  # there is no such text
            return rows, self.content
        if count != rows.count(b't="s"') or b"'s'" in rows:
            return rows, self.content
        head = self.content[: self._spans[0]] if self._spans else self.content
        tail = self.content[self._spans[-1] :] if self._spans else b""
        return found, b"".join((head, *texts, tail))


class SheetInParts:
    """One sheet of a workbook of Excel 2007 or later.

    Args:
        content: the workbook's bytes, checked already.
        part: where in the archive the sheet lies.
        name: what the sheet is called.
    """

    def __init__(self, content: bytes, part: str, name: str):
        self._content, self._part, self._name = content, part, name
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self._frame, self._texts = _without_sheets(archive)
            self._ends = self._find_ends(archive)

    @property
    def is_cut(self) -> bool:
        """Whether it can be read so: its rows are found, and say which they are."""
        return self._ends is not None

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Yield the rows that hold something and those between, with their numbers from 1; cells from column A on."""
        for rows in self._pieces():
            page = self._open(rows)
            if page.start is None:  # nothing in any of its cells
                continue
            top, left = page.start
            before = [""] * left
            for number, cells in enumerate(page.to_python(), start=top + 1):
                yield number, before + cells if left else cells

    @cached_property
    def merged(self) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """Ranges of merged cells, as the reader of cells gives them; they stand behind the rows."""
        assert self._ends is not None  # noqa: S101  is_cut was asked
        return self._open(b"", self._ends.tail).merged_cell_ranges or []

    def _open(self, rows: bytes, tail: bytes = b"") -> CalamineSheet:
        """Return rows of the sheet as one of a workbook that has no others."""
        assert self._ends is not None  # noqa: S101  is_cut was asked
        head, close, _row_end, own_tail = self._ends
        worksheet = tail or own_tail[own_tail.rfind(b"</") :]
        book = io.BytesIO(self._frame)
        with zipfile.ZipFile(book, "a", zipfile.ZIP_STORED) as archive:
            if self._texts:
                rows, texts = self._texts.cut(rows)
                archive.writestr(self._texts.name, texts)
            archive.writestr(self._part, b"".join((head, rows, close, worksheet)))
        book.seek(0)
        return CalamineWorkbook.from_filelike(book).get_sheet_by_name(self._name)

    def _pieces(self) -> Iterator[bytes]:
        """Yield the rows as they stand in the file, so many at a time that a part is full."""
        assert self._ends is not None  # noqa: S101  is_cut was asked
        head, close, row_end, _tail = self._ends
        with zipfile.ZipFile(io.BytesIO(self._content)) as archive, archive.open(self._part) as source:
            source.read(len(head))
            kept = b""
            while chunk := source.read(PART):
                kept += chunk
                if (end := kept.find(close, max(0, len(kept) - len(chunk) - len(close)))) >= 0:
                    yield kept[:end]
                    return
                cut = kept.rfind(row_end) + len(row_end)
                if cut > len(row_end):
                    yield kept[:cut]
                    kept = kept[cut:]

    def _find_ends(self, archive: zipfile.ZipFile) -> _Ends | None:
        """Read the sheet once and return what stands before and behind its rows."""
        with archive.open(self._part) as source:
            head = b""
            while (begin := BEGIN.search(head)) is None:
                chunk = source.read(CHUNK)
                if not chunk or len(head) > MOST_HEAD:
                    return None
                head += chunk
            behind, head = head[begin.end() :], head[: begin.end()]
            close, row_end = b"</%ssheetData>" % begin[1], b"</%srow>" % begin[1]
            behind += source.read(CHUNK)
            if not NUMBERED.match(behind):
                return None
            while (end := behind.find(close)) < 0:
                chunk = source.read(CHUNK)
                if not chunk:
                    return None
                behind = behind[-len(close) :] + chunk
            return _Ends(head, close, row_end, behind[end + len(close) :] + source.read())


def _without_sheets(archive: zipfile.ZipFile) -> tuple[bytes, _Texts | None]:
    """Return the workbook without its sheets and what only they need; and the texts that cells share, if there are."""
    out, texts = io.BytesIO(), None
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as frame:
        for member in archive.infolist():
            name = member.filename.lower()
            if name.endswith("sharedstrings.xml"):
                texts = _Texts(member.filename, archive.read(member))
            elif not name.startswith(("xl/worksheets/", "xl/media/", "xl/drawings/", "xl/embeddings/")):
                frame.writestr(member.filename, archive.read(member))
    return out.getvalue(), texts
