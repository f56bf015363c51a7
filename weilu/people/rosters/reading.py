"""A roster in a workbook: its header among title rows, its groups, the rows that are people."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from django.utils.translation import gettext as _

from weilu.lib.import_result import ImportProblem
from weilu.people.rosters.books import ERRORS, MOST_ROWS, UNKEPT, Book, Cell, text_of
from weilu.people.rosters.kinds import REASON, Column, Kind, fold_heading, likeliest
from weilu.people.rosters.sieve import Sieve


class Line(NamedTuple):
    """A row that may be a person: its number as a spreadsheet shows it, its cells, the group it stands in."""

    number: int
    cells: list[Cell]
    group: str


def padded(cells: list[Cell], width: int) -> list[Cell]:
    """Return a row that is at least so wide: rows end with the last cell that holds something near them."""
    return cells + [""] * (width - len(cells)) if len(cells) < width else cells


def with_values(cells: list[Cell], values: dict[int, str]) -> list[Cell]:
    """Return a row with other values in some columns."""
    found = list(padded(cells, max(values) + 1))
    for index, value in values.items():
        found[index] = value
    return found


class NotMapped(ImportProblem):
    """The header was found, but some columns that are needed were not; somebody can say which they are."""

    def __init__(self, message: str, roster: "Roster", guessed: bool = False):
        super().__init__(message)
        self.roster, self.guessed = roster, guessed


@dataclass
class Roster:
    """One sheet as a roster of one kind.

    Attributes:
        sheet: its name.
        header: the row of its header.
        headings: what stands in the header, column by column.
        mapping: index -> key of our column.
        skipped: rows that were passed over, with what stands there.
        others: sheets that were not read.
        nameless: columns that hold something and have no heading, known once the rows are read.
        misfits: groups that announce another number of people than stand below them.
        unseen: rows that were read and that the spreadsheet hides, known once the rows are read.
        struck: rows that were read and are struck through, known once the rows are read.
    """

    kind: Kind
    book: Book
    sheet: str
    header: int
    last_header: int
    headings: list[str]
    mapping: dict[int, str] = field(default_factory=dict)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    nameless: set[int] = field(default_factory=set)
    misfits: list[str] = field(default_factory=list)
    unseen: list[int] = field(default_factory=list)
    struck: list[int] = field(default_factory=list)
    groups: int = 0

    @property
    def fingerprint(self) -> str:
        """A hash of the headings in their order, by which a mapping is found again; our own columns do not count."""
        own = [fold_heading(text) for text in self.headings if text and not text.startswith(REASON)]
        return hashlib.sha256("\x1f".join(own).encode()).hexdigest()

    def at(self, key: str) -> int | None:
        """Return the index of the column that was mapped to ``key``."""
        return next((index for index, name in self.mapping.items() if name == key), None)

    def heading(self, key: str) -> str:
        """Return the heading over the column of ``key``, or ours where the roster has none."""
        index = self.at(key)
        return self.headings[index] if index is not None else self.kind.by_key[key].heading

    def use(self, mapping: dict[str, str]) -> None:
        """Map columns as somebody chose: heading's index as text -> key; an empty key leaves a column out."""
        chosen = {int(index): key for index, key in mapping.items() if key in self.kind.by_key and index.isdecimal()}
        self.mapping = {index: key for index, key in chosen.items() if index < len(self.headings)}

    def check(self) -> None:
        """Hold the mapping against what is needed.

        Raises:
            NotMapped: a column is missing. Bodies may be named by groups instead.
        """
        there = set(self.mapping.values())
        missing = [column for column in self.kind.required if column.key not in there]
        if [column.key for column in missing] == ["organisation"] and self._has_groups():
            missing = []
        if missing:
            raise NotMapped(self._lacks(missing), self)

    def _lacks(self, missing: list[Column]) -> str:
        names = "、".join(column.heading for column in missing)
        header = "、".join(heading for heading in self.headings if heading)[:200]
        given = {"kind": self.kind.label, "names": names, "row": self.header, "header": header}
        other = likeliest(self.headings, self.kind.code)
        if other or not self.mapping or len(missing) == len(self.kind.required):
            words = _("This is no roster of the kind “%(kind)s”: it lacks the columns %(names)s. "
                      "Row %(row)s reads: %(header)s.")  # fmt: skip
        else:  # one heading that nobody here has used yet
            words = _("No column is understood as %(names)s. Say which one it is. Row %(row)s reads: %(header)s.")
        text = words % given
        if unknown := "、".join(
            heading for index, heading in enumerate(self.headings) if heading and index not in self.mapping
        )[:200]:
            text += " " + _("Not understood: %(headings)s.") % {"headings": unknown}
        if other:
            text += " " + _("It looks like a roster of the kind “%(kind)s”.") % {"kind": other.label}
        return text

    def _has_groups(self) -> bool:
        found = next((line for line in islice(self._lines(), 20) if line.group), None)
        return found is not None

    def lines(self) -> Iterator[Line]:
        """Yield the rows that may be people. Groups, remarks and repeated headers are passed over and noted.

        Raises:
            ImportProblem: there are more rows than we take, or the sheet is damaged further down.
        """
        self.skipped, self.misfits, self.groups = [], [], 0
        self.unseen, self.struck = [], []
        for count, line in enumerate(self._lines(), start=1):
            if count > MOST_ROWS:
                raise ImportProblem(
                    _("The sheet has more than %(count)s rows. Split the roster, for example by township.")
                    % {"count": f"{MOST_ROWS:,}"}
                )
            yield line

    def _lines(self) -> Iterator[Line]:
        sieve, faults = Sieve(self), self.faults()
        hidden, struck = self.book.unseen(self.sheet), self.book.struck(self.sheet, self.at("name"))
        self._unheaded = [index for index, text in enumerate(self.headings) if not text and index not in self.mapping]
        ours = {index for index, heading in enumerate(self.headings) if heading.startswith(REASON)}
        group, announced, counted = "", 0, 0
        for number, cells in self.rows():
            if number <= self.last_header:
                continue
            if number in faults:
                cells = with_values(cells, faults[number])
            if sieve.is_plain(cells):
                self._note_nameless(cells)
            else:
                filled = [
                    (index, text)
                    for index, cell in enumerate(cells)
                    if cell != "" and index not in ours and (text := text_of(cell))
                ]
                if not filled or self._is_template(filled):
                    continue
                if len(filled) > 1:
                    self._note_nameless(cells)
                if sieve.is_remark(number, filled):
                    self._skip(number, filled)
                    continue
                if found := sieve.group(number, filled):
                    self._count(group, announced, counted)
                    (group, announced), counted = found, 0
                    self.groups += 1
                    continue
            counted += 1
            if number in hidden:
                self.unseen.append(number)
            if number in struck:
                self.struck.append(number)
            yield Line(number, cells, group)
        self._count(group, announced, counted)

    def _is_template(self, filled: list[tuple[int, str]]) -> bool:
        """Tell whether a row holds only formulas that wait for a name to be filled in."""
        waits = all(text == UNKEPT or text in ERRORS for _index, text in filled)
        return waits and self.at("name") not in dict(filled)

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Yield all rows of the sheet; below the header, cells merged over rows each hold the value of their range.

        A row that holds nothing of its own stays empty.
        """
        merged = self.book.merged(self.sheet)
        held: dict[tuple[int, int], Cell] = {}
        tops = set(merged.values())
        width = max((column + 1 for _row, column in merged), default=0)
        for number, cells in self.book.rows(self.sheet):
            if tops and number > self.last_header and any(cell != "" for cell in cells):
                cells = self._filled(number, padded(cells, width), merged, tops, held)
            yield number, cells

    def faults(self) -> dict[int, dict[int, str]]:
        """Return, row by row, the columns that we read and whose formula has no result or went wrong."""
        return self.book.faults(self.sheet, self.mapping)

    def _note_nameless(self, cells: list[Cell]) -> None:
        """Note which columns without a heading hold something."""
        headed = len(self.headings)
        for index in (*self._unheaded, *range(headed, len(cells))):
            if index < len(cells) and cells[index] != "" and index not in self.mapping and text_of(cells[index]):
                self.nameless.add(index)

    @staticmethod
    def _filled(
        number: int, cells: list[Cell], merged: dict[tuple[int, int], tuple[int, int]],
        tops: set[tuple[int, int]], held: dict[tuple[int, int], Cell],
    ) -> list[Cell]:  # fmt: skip
        """Give each cell of a range merged over rows the value of the range; over columns it stays with the first."""
        out = None
        for index, cell in enumerate(cells):
            if (number, index) in tops:
                held[number, index] = cell
            elif (top := merged.get((number, index))) and top[0] != number and top[1] == index and not cell:
                out = out or list(cells)
                out[index] = held.get(top, "")
        return out or cells

    def _skip(self, number: int, filled: list[tuple[int, str]]) -> None:
        if len(self.skipped) < 200:
            self.skipped.append((number, " ".join(text for _index, text in filled)[:120]))

    def _count(self, group: str, announced: int, counted: int) -> None:
        if announced and announced != counted and len(self.misfits) < 50:
            self.misfits.append(
                _("“%(group)s” announces %(announced)s, but %(counted)s rows stand there.")
                % {"group": group, "announced": announced, "counted": counted}
            )
