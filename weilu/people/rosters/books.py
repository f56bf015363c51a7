"""Workbooks as they arrive: checked before anything opens them, then read as rows of plain cells."""

import datetime as dt
import html
import io
import re
import zipfile
import zlib
from array import array
from collections.abc import Container, Iterator
from functools import cached_property
from typing import Any
from xml.parsers import expat

import openpyxl
from django.utils.translation import gettext as _
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from weilu.lib.import_result import ImportProblem
from weilu.people.rosters.parts import SheetInParts

ZIP, COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MOST_BYTES = 40 * 1024 * 1024
# What a workbook may take when it is unpacked: 200,000 rows of 20 columns take a third of it.
MOST_UNPACKED = 600 * 1024 * 1024
MOST_STRINGS = 200 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 256
CHUNK = 1 << 20
OVERLAP = 4_000  # more than a cell with its formula takes
# From here on, unpacked, a sheet is read a part at a time: about 15,000 rows of 12 columns.
LARGE = 10 * 1024 * 1024

DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError, expat.ExpatError,
)  # fmt: skip

Cell = Any
Row = tuple[int, list[Cell]]

# A cell far to the right that holds something; empty ones, that only have a colour, end with a slash at once.
# Patterns that every byte of a sheet is searched with begin with letters: that is three times as fast.
FAR_CELL = re.compile(rb'r="([A-Z]{2,3})\d+"[^>/]*>')
HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\shidden="(?:1|true)"[^>]*>')
ROW_NUMBER = re.compile(rb'\sr="(\d{1,7})"')
FAR_ROW = re.compile(rb'row [^>]*?\br="(\d{6,})"')
# A formula whose result was not kept; one that gave an empty text says t="str".
BARE_FORMULA = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
# A cell whose formula went wrong: the reader of cells gives nothing for it, and nothing would be entered.
FAULT = re.compile(
    rb'<(?:\w+:)?c\b([^>]*\bt="e"[^>]*)>\s*(?:<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*)?'
    rb"<(?:\w+:)?v>([^<]*)</"
)
AT = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
# A cell that holds something, and its style.
STYLED = re.compile(rb'<(?:\w+:)?c r="([A-Z]{1,3})(\d{1,7})" s="(\d{1,5})"[^>/]*>')
FONT = re.compile(rb"<(?:\w+:)?font(?:\s[^>]*)?(?:/>|>.*?</(?:\w+:)?font>)", re.DOTALL)
FONTS = re.compile(rb"<(?:\w+:)?fonts\b.*?</(?:\w+:)?fonts>", re.DOTALL)
STRIKE = re.compile(rb"<(?:\w+:)?strike(?:\s+val=\"(?:1|true)\")?\s*/>")
CELL_STYLES = re.compile(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", re.DOTALL)
STYLE = re.compile(rb"<(?:\w+:)?xf\b([^>]*)>")
FONT_ID = re.compile(rb'\sfontId="(\d+)"')
MOST_STYLES = 4 * 1024 * 1024
SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
RELATION = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
# What stands for a formula without a result in the rows of a roster; one that went wrong stands for itself.
UNKEPT = "#FORMULA!"
ERRORS = ("#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!")


def _wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def no_workbook(name: str) -> ImportProblem:
    """Say that the file is something else."""
    return ImportProblem(
        _("“%(name)s” is no Excel workbook. Open it in Excel or WPS, save it as .xlsx and send that.") % {"name": name}
    )


def _locked(name: str) -> ImportProblem:
    return ImportProblem(
        _("“%(name)s” is protected by a password. Open it, remove the password, save it and send it again.")
        % {"name": name}
    )


def _macros(name: str) -> ImportProblem:
    return ImportProblem(
        _("“%(name)s” holds macros, which are not accepted. Save it as .xlsx, without macros, and send that.")
        % {"name": name}
    )


def _broken(name: str) -> ImportProblem:
    return ImportProblem(
        _("“%(name)s” is damaged and does not open. Open it in Excel or WPS, save it anew and send that.")
        % {"name": name}
    )


def _huge(name: str) -> ImportProblem:
    return ImportProblem(
        _("“%(name)s” is too large when it is unpacked. Remove empty rows, columns and pictures, or split it.")
        % {"name": name}
    )


class Book:
    """A workbook that is safe to read.

    Args:
        name: the file's name, for messages.
        content: its bytes.

    Raises:
        ImportProblem: it is no workbook, damaged, protected by a password, holds macros, or would unpack to more than
            we take.
    """

    def __init__(self, name: str, content: bytes):
        self.name, self.content = name, content
        self.sparse = False
        self.is_archive = content.startswith(ZIP)
        self._faults: dict[str, dict[tuple[int, str], array[int]]] = {}
        self._unseen: dict[str, set[int]] = {}
        self._strikes: set[int] = set()
        self._struck: dict[str, dict[int, set[int]]] = {}
        self._pages: dict[str, CalamineSheet] = {}
        self._sizes: dict[str, int] = {}
        self._lasts: dict[str, int] = {}
        self._in_parts: dict[str, SheetInParts | None] = {}
        if not content:
            raise ImportProblem(_("“%(name)s” is empty.") % {"name": name})
        if len(content) > MOST_BYTES:
            raise ImportProblem(
                _("“%(name)s” is larger than %(limit)s MB. Send a smaller one.")
                % {"name": name, "limit": MOST_BYTES // 1024 // 1024}
            )
        if content.startswith(COMPOUND):
            self._check_compound()
        elif content.startswith(ZIP):
            self._check_archive()
        else:
            raise no_workbook(name)
        self._book: CalamineWorkbook | None = None
        sheets = self._opened().sheets_metadata
        if any(size > LARGE for size in self._sizes.values()):
            self._book = None  # it holds all texts that cells share; a large sheet is read without it
        shown = (SheetVisibleEnum.Visible, SheetTypeEnum.WorkSheet)
        self.sheets = [sheet.name for sheet in sheets if (sheet.visible, sheet.typ) == shown]
        # What stands on a sheet that nobody sees is not read, and said to be so.
        self.hidden = [
            _("%(name)s (hidden)") % {"name": sheet.name}
            for sheet in sheets
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible != SheetVisibleEnum.Visible
        ]
        if not self.sheets:
            raise ImportProblem(_("“%(name)s” has no sheet that is shown.") % {"name": name})

    def _opened(self) -> CalamineWorkbook:
        if self._book is None:
            try:
                self._book = CalamineWorkbook.from_filelike(io.BytesIO(self.content))
            except PasswordError as error:
                raise _locked(self.name) from error
            except (CalamineError, OSError, ValueError) as error:
                raise _broken(self.name) from error
        return self._book

    def _check_compound(self) -> None:
        """A compound file: Excel of before 2007, or one of today that is encrypted, or another of Office's files."""
        if _wide("EncryptedPackage") in self.content or _wide("EncryptionInfo") in self.content:
            raise _locked(self.name)
        if _wide("_VBA_PROJECT_CUR") in self.content:
            raise _macros(self.name)
        if _wide("Workbook") not in self.content and _wide("Book") not in self.content:
            raise no_workbook(self.name)

    def _check_archive(self) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
                self._check_members(archive)
        except ImportProblem:
            raise
        except DAMAGED as error:
            raise _broken(self.name) from error
        except RuntimeError as error:  # what zipfile says of an encrypted member
            raise _locked(self.name) from error

    def _check_members(self, archive: zipfile.ZipFile) -> None:
        members = archive.infolist()
        names = [member.filename.lower() for member in members]
        if any(name.endswith("vbaproject.bin") for name in names):
            raise _macros(self.name)
        if "xl/workbook.xml" not in names:
            raise no_workbook(self.name)
        if any(member.flag_bits & 1 for member in members):
            raise _locked(self.name)
        parts = [member for member in members if not member.filename.lower().startswith("xl/media/")]
        strings = sum(member.file_size for member in parts if "/worksheets/" not in member.filename)
        if sum(member.file_size for member in members) > MOST_UNPACKED or strings > MOST_STRINGS:
            raise _huge(self.name)
        styles = next((member for member in parts if member.filename.lower() == "xl/styles.xml"), None)
        if styles and styles.file_size <= MOST_STYLES:
            self._strikes = _strikes_in(archive.read(styles))
        for member in parts:
            self._scan(archive, member)

    def _scan(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        """Unpack a part without keeping it: sizes that lie show here, and cells far away that would open a desert."""
        is_sheet = member.filename.startswith("xl/worksheets/")
        read, before = 0, b""
        if is_sheet:
            self._sizes[member.filename] = member.file_size
        is_xml = member.filename.lower().endswith(".xml")
        parser = self._well_formed()
        with archive.open(member) as part:
            while chunk := part.read(CHUNK):
                read += len(chunk)
                if read > member.file_size:
                    raise _huge(self.name)
                if not before and b"<!DOCTYPE" in chunk[:2000]:
                    raise no_workbook(self.name)
                if is_xml:
                    parser.Parse(chunk, False)
                if is_sheet:
                    # Tags may begin in the chunk before, and have their attributes in either quotes.
                    seen = before[-OVERLAP:] + (chunk.replace(b"'", b'"') if b"='" in chunk else chunk)
                    self._scan_rows(member.filename, seen)
                    before = seen
                before = before or chunk
            if is_xml:
                parser.Parse(b"", True)

    def _well_formed(self) -> expat.XMLParserType:
        """Return a parser that is asked for nothing but whether a part is whole: the reader of cells is lenient."""

        def refuse(*_declared: Any) -> None:
            raise no_workbook(self.name)

        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = refuse
        return parser

    def _scan_rows(self, part: str, seen: bytes) -> None:
        """Note what a piece of a sheet says of its rows that the reader of cells does not tell."""
        self.sparse = self.sparse or self._is_far(seen)
        if last := ROW_NUMBER.search(seen, max(0, seen.rfind(b"row "))):
            self._lasts[part] = int(last[1])
        if b"hidden=" in seen:
            rows = self._unseen.setdefault(part, set())
            rows |= {int(number[1]) for tag in HIDDEN_ROW.findall(seen) if (number := ROW_NUMBER.search(tag))}
        if self._strikes:
            cells = self._struck.setdefault(part, {})
            for column, row, style in STYLED.findall(seen):
                if int(style) in self._strikes:
                    cells.setdefault(column_of(column.decode()), set()).add(int(row))
        if b"<f" in seen or b":f" in seen or b't="e"' in seen:
            self._note_faults(part, seen)

    def unseen(self, sheet: str) -> set[int]:
        """Return the rows of a sheet that are hidden: whoever sent the file may not know of them."""
        return self._unseen.get(self._parts.get(sheet, ""), set()) if any(self._unseen.values()) else set()

    def struck(self, sheet: str, column: int | None) -> set[int]:
        """Return the rows of a sheet that are struck through in a column, as offices mark who has left."""
        if not self._strikes or column is None:
            return set()
        return self._struck.get(self._parts.get(sheet, ""), {}).get(column, set())

    def _note_faults(self, part: str, text: bytes) -> None:
        """Remember the cells whose formula has no result or went wrong: spreadsheets show something there."""
        # By column and what stands there, four bytes a cell: a column of ages may have a formula in each of its rows.
        found = self._faults.setdefault(part, {})
        bare = [(attributes, UNKEPT) for attributes in BARE_FORMULA.findall(text) if b't="str"' not in attributes]
        wrong = [(attributes, value.decode("utf-8", "replace")) for attributes, value in FAULT.findall(text)]
        for attributes, value in bare + wrong:
            if at := AT.search(attributes):
                found.setdefault((column_of(at[1].decode()), value), array("I")).append(int(at[2]))

    def faults(self, sheet: str, among: Container[int] = range(MOST_COLUMNS)) -> dict[int, dict[int, str]]:
        """Return the cells of a sheet whose formula has no result or went wrong, and what stands for them: row from 1
        -> column from 0 -> text.

        Args:
            among: the columns that are asked for.
        """
        found: dict[int, dict[int, str]] = {}
        if any(self._faults.values()):
            for (column, text), rows in self._faults.get(self._parts.get(sheet, ""), {}).items():
                if column in among:
                    for row in rows:
                        found.setdefault(row, {})[column] = text
        return found

    @cached_property
    def _parts(self) -> dict[str, str]:
        """Return the name of each sheet -> the part of the archive that holds it."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            try:
                book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
                relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
            except KeyError:
                return {}
        targets = {_attribute(tag, "Id"): _attribute(tag, "Target") for tag in RELATION.findall(relations)}
        found = {}
        for tag in SHEET.findall(book):
            target = targets.get(_attribute(tag, r"\w+:id"), "")
            found[_attribute(tag, "name")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        return found

    @staticmethod
    def _is_far(text: bytes) -> bool:
        far = {cell for cell in FAR_CELL.findall(text) if len(cell) == 3 or cell > b"IV"}
        return bool(far) or any(len(number) > 6 or int(number) > MOST_ROWS + 50_000 for number in FAR_ROW.findall(text))

    def rows(self, sheet: str) -> Iterator[Row]:
        """Yield the rows of a sheet with their numbers as a spreadsheet shows them, cells from column A on.

        Raises:
            ImportProblem: the sheet cannot be read.
        """
        if self.sparse:
            yield from self._slowly(sheet)
            return
        try:
            if parts := self._parted(sheet):
                yield from _with_gaps(parts.rows())
            else:
                yield from enumerate(self._page(sheet).iter_rows(), start=1)
        except (CalamineError, OSError, ValueError) as error:
            raise _broken(self.name) from error

    def _slowly(self, sheet: str) -> Iterator[Row]:
        """Read row by row where cells lie so far apart that the whole would not fit into memory."""
        try:
            book = openpyxl.load_workbook(io.BytesIO(self.content), read_only=True, data_only=True)
            page = book[sheet]
            page.reset_dimensions()
            for number, cells in enumerate(page.iter_rows(max_col=MOST_COLUMNS, values_only=True), start=1):
                if cells.count(None) < len(cells):  # asked of a million rows
                    yield number, ["" if cell is None else cell for cell in cells]
        except (KeyError, ValueError, TypeError, OSError, SyntaxError, zipfile.BadZipFile) as error:
            raise _broken(self.name) from error

    def wide(self, sheet: str) -> set[tuple[int, int]]:
        """Return where ranges begin that are merged over three columns or more, as titles and groups are."""
        return {(top + 1, left) for (top, left), (_bottom, right) in self._ranges(sheet) if right - left >= 2}

    def _ranges(self, sheet: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        parts = self._in_parts_of(sheet) if self.sparse else self._parted(sheet)
        if self.sparse and not parts:
            return []
        return parts.merged if parts else self._page(sheet).merged_cell_ranges or []

    def put_away(self) -> None:
        """Let go of the sheet that is read; it is read anew if somebody asks for it."""
        self._pages.clear()

    def height(self, sheet: str) -> int:
        """Return about how many rows a sheet has, for a progress bar."""
        if self.sparse:
            return 0
        return self._lasts.get(self._parts.get(sheet, ""), 0) if self._parted(sheet) else self._page(sheet).total_height

    def _parted(self, sheet: str) -> SheetInParts | None:
        """Return a large sheet as one that is read a part at a time, if it can be."""
        large = self.is_archive and self._sizes.get(self._parts.get(sheet, ""), 0) > LARGE
        return self._in_parts_of(sheet) if large else None

    def _in_parts_of(self, sheet: str) -> SheetInParts | None:
        if sheet not in self._in_parts:
            part = self._parts.get(sheet, "")
            parts = SheetInParts(self.content, part, sheet) if part in self._sizes else None
            self._in_parts[sheet] = parts if parts and parts.is_cut else None
        return self._in_parts[sheet]

    def _page(self, sheet: str) -> CalamineSheet:
        if sheet not in self._pages:
            self._pages = {sheet: self._opened().get_sheet_by_name(sheet)}
        return self._pages[sheet]

    def merged(self, sheet: str) -> dict[tuple[int, int], tuple[int, int]]:
        """Return, for cells of merged ranges that run over rows, the cell that holds their value: (row, column), both
        counted as in :meth:`rows` and from 0."""
        found: dict[tuple[int, int], tuple[int, int]] = {}
        for (top, left), (bottom, right) in self._ranges(sheet):
            if bottom - top > MOST_ROWS or right - left > MOST_COLUMNS:
                continue
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    if (row, column) != (top, left):
                        found[row + 1, column] = (top + 1, left)
                    if len(found) > MOST_ROWS:
                        return found
        return found


def _with_gaps(rows: Iterator[Row]) -> Iterator[Row]:
    """Yield rows with the empty ones between them."""
    expected = 1
    for number, cells in rows:
        for empty in range(expected, number):
            yield empty, []
        yield number, cells
        expected = number + 1


def column_of(letters: str) -> int:
    """Return the index of a column, from 0: ``A``, ``AB``."""
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - 64
    return found - 1


def _strikes_in(styles: bytes) -> set[int]:
    """Return the numbers of the styles of cells whose font is struck through."""
    text = styles.replace(b"'", b'"')
    fonts, cells = FONTS.search(text), CELL_STYLES.search(text)
    if not (fonts and cells and b"strike" in fonts[0]):
        return set()
    struck = {number for number, font in enumerate(FONT.findall(fonts[0])) if STRIKE.search(font)}
    found = (FONT_ID.search(style) for style in STYLE.findall(cells[0]))
    return {number for number, font in enumerate(found) if font and int(font[1]) in struck}


def _attribute(tag: str, name: str) -> str:
    match = re.search(rf'\s{name}="([^"]*)"', tag)
    return html.unescape(match[1]) if match else ""


def text_of(cell: Cell) -> str:
    """Return a cell as it would be typed; control characters and blanks around it are gone."""
    if isinstance(cell, str):
        if cell.isprintable():
            return cell.strip()
        return "".join(sign for sign in cell if sign.isprintable() or sign in "\n\t").strip()
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ", "seconds")
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return "" if cell is None else str(cell)
