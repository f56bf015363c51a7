"""A roster in a workbook: its header among title rows, its groups, the rows that are people."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from django.utils.translation import gettext as _

from weilu.lib.import_result import ImportProblem
from weilu.people.rosters.books import MOST_ROWS, Book, Cell, text_of
from weilu.people.rosters.kinds import REASON, Column, Kind, fold_heading, known_as, likeliest, map_headings

HEADER_WITHIN = 40
LONGEST_GROUP = 60
# 四级正干部（181人）; 一、城关镇（共12名）
_NUMBER = r"(?:[一二三四五六七八九十百]+、|[（(][一二三四五六七八九十]+[)）])"
NUMBERED = re.compile(rf"^{_NUMBER}\s*")
COUNTED = re.compile(rf"^(?:{_NUMBER}|\d+[、.])?\s*(.+?)\s*[（(]\s*(?:共|合计)?\s*(\d+)\s*[人名个位户]?\s*[)）]$")
# What stands below the last row or between: signatures, sums, help.
REMARK = re.compile(
    r"^(?:注|说明|备注|填表|制表|审核|审批|填报|单位[(]?(?:盖章|公章)|负责人|联系人|日期|年月日|合计|总计|小计|共计|示例|例如?:"
    r"|第\d+页|以下空白)"
)
REMARK_BEGINS = frozenset("注说备填制审单负联日年合总小共示例第以")


class Line(NamedTuple):
    """A row that may be a person: its number as a spreadsheet shows it, its cells, the group it stands in."""

    number: int
    cells: list[Cell]
    group: str


class NotMapped(ImportProblem):
    """The header was found, but some columns that are needed were not; somebody can say which they are."""

    def __init__(self, message: str, roster: "Roster"):
        super().__init__(message)
        self.roster = roster


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
        misfits: groups that announce another number of people than stand below them.
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
    misfits: list[str] = field(default_factory=list)
    groups: int = 0
    name_at: int | None = None
    folded: list[str] = field(default_factory=list)

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
        text = _(
            "This is no roster of the kind “%(kind)s”: it lacks the columns %(names)s. Row %(row)s reads: %(header)s"
        ) % {"kind": self.kind.label, "names": names, "row": self.header, "header": header}
        if other := likeliest(self.headings, self.kind.code):
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
        for count, line in enumerate(self._lines(), start=1):
            if count > MOST_ROWS:
                raise ImportProblem(
                    _("The sheet has more than %(count)s rows. Split the roster, for example by township.")
                    % {"count": f"{MOST_ROWS:,}"}
                )
            yield line

    def _lines(self) -> Iterator[Line]:
        self.name_at, self.folded = self.at("name"), [fold_heading(text) for text in self.headings]
        merged = self.book.merged(self.sheet)
        held: dict[tuple[int, int], Cell] = {}
        tops = set(merged.values())
        group, announced, counted = "", 0, 0
        for number, cells in self.book.rows(self.sheet):
            if number <= self.last_header:
                continue
            if tops:
                cells = self._filled(number, cells, merged, tops, held)
            filled = [(index, text) for index, cell in enumerate(cells) if (text := text_of(cell))]
            if not filled:
                continue
            if self._is_remark(filled):
                self._skip(number, filled)
            elif found := self._group(filled):
                self._count(group, announced, counted)
                (group, announced), counted = found, 0
                self.groups += 1
            else:
                counted += 1
                yield Line(number, cells, group)
        self._count(group, announced, counted)

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

    def _is_remark(self, filled: list[tuple[int, str]]) -> bool:
        name = self.name_at
        if len(filled) > 3 and filled[0][1][0] not in REMARK_BEGINS and not self._is_header(filled):
            return False
        first = unicodedata.normalize("NFKC", "".join(filled[0][1].split()))
        if REMARK.match(first) and (filled[0][0] != name or len(filled) <= 2):
            return True
        if len(filled) == 1:
            return len(first) > LONGEST_GROUP or first.isdecimal()
        return self._is_header(filled)

    def _is_header(self, filled: list[tuple[int, str]]) -> bool:
        """Tell whether a row repeats the header, as on each printed page."""
        return all(
            index < len(self.folded)
            and (
                fold_heading(text) == self.folded[index]
                or (index in self.mapping and known_as(self.kind, text) == self.mapping[index])
            )
            for index, text in filled
        )

    def _group(self, filled: list[tuple[int, str]]) -> tuple[str, int] | None:
        """Return the group that a row opens, and how many it announces: a text that stands alone in its row."""
        index, text = filled[0]
        if any(other != text for _index, other in filled):
            return None
        if found := COUNTED.match(text):
            return found.group(1), int(found.group(2))
        if index == self.name_at and len(filled) == 1 and not NUMBERED.match(text) and len(text) < 5:
            return None
        return NUMBERED.sub("", text), 0


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


def _find_header(kind: Kind, book: Book, sheet: str) -> Roster | None:
    """Return the roster of a sheet by the row that names most of our columns, alone or with the row below it."""
    head = [(number, _headings(cells)) for number, cells in islice(book.rows(sheet), HEADER_WITHIN)]
    best: tuple[int, int] = (1, 0)
    found: Roster | None = None
    for position, (number, texts) in enumerate(head):
        single = map_headings(kind, texts)
        last, headings, mapping = number, texts, single
        if position + 1 < len(head) and single and head[position + 1][0] == number + 1:
            below = head[position + 1][1]
            merged = _both(kind, texts, below)
            both = map_headings(kind, merged)
            if len(map_headings(kind, below)) > 0 and len(both) > max(len(single), len(map_headings(kind, below))):
                last, headings, mapping = number + 1, merged, both
        score = (len(mapping), sum(column.key in mapping.values() for column in kind.required))
        if score > best and len(mapping) >= 2:
            best = score
            found = Roster(kind, book, sheet, number, last, headings, mapping)
    return found


def open_roster(kind: Kind, book: Book, sheet: str = "") -> Roster:
    """Find the roster in a workbook.

    Args:
        sheet: its name; without one, the first sheet whose header names the columns that are needed, else the first
            with any header.

    Raises:
        ImportProblem: there is no such sheet, or no header in it.
    """
    if sheet and sheet not in book.sheets:
        raise ImportProblem(
            _("There is no sheet “%(sheet)s”. There are: %(names)s") % {"sheet": sheet, "names": "、".join(book.sheets)}
        )
    found: list[Roster] = []
    for name in [sheet] if sheet else book.sheets[:30]:
        if roster := _find_header(kind, book, name):
            found.append(roster)
            if _fitness(roster)[0] == len(kind.required):
                break
    if not found:
        text = _("No header was found in the first %(rows)s rows: a row that names the columns, such as %(names)s.") % {
            "rows": HEADER_WITHIN, "names": "、".join(column.heading for column in kind.required),
        }  # fmt: skip
        raise ImportProblem(text + _looks_like(kind, book, [sheet] if sheet else book.sheets[:30]))
    best = max(found, key=_fitness)
    best.others = [name for name in book.sheets if name != best.sheet]
    return best


def _looks_like(kind: Kind, book: Book, sheets: list[str]) -> str:
    for name in sheets:
        for _number, cells in islice(book.rows(name), HEADER_WITHIN):
            if other := likeliest(_headings(cells), kind.code):
                return " " + _("It looks like a roster of the kind “%(kind)s”.") % {"kind": other.label}
    return ""


def _fitness(roster: Roster) -> tuple[int, int]:
    there = set(roster.mapping.values())
    return sum(column.key in there for column in roster.kind.required), len(there)
