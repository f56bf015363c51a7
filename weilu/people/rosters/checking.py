"""Rows of people, checked one by one: what is wrong with each cell, and what the row says."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from weilu.lib.crypto import keyed_hash
from weilu.lib.ids import new_id
from weilu.lib.import_result import Refusal
from weilu.lib.pinyin import spell
from weilu.orgs.models import Level, Place
from weilu.people.persons import PARTY_AGE, add_years, born_by, parts_of, tail_hash
from weilu.people.rosters.books import Cell
from weilu.people.rosters.cells import (
    bracketed,
    date_of,
    id_number_of,
    name_of,
    phone_numbers,
    phone_of,
    plain,
    sex_of,
)
from weilu.people.rosters.directory import Bodies, Places
from weilu.people.rosters.kinds import Column, Kind
from weilu.people.rosters.reading import Line, Roster
from weilu.people.rosters.sieve import RANKED

BATCH = 2_000
# What nobody is called: a body in the column of names.
NO_NAME = re.compile(
    r"..(?:支部|总支|党委|委员会|居委会|村委会|办公室|有限公司|服务中心|协会)$"
    r"|^(?:党?支部|党?总支|党委|合计|总计|小计|共计|说明|备注|姓名|空缺|暂缺|待定"
    r"|同上|群众|党员|(?:支部|副)?书记|主任|委员)$"
)
GONE = re.compile(r"\((?:已故|已?去世|已?病故|已?转出|已?调离|已?离职|已?退党|已?除名)\)$")
# What stands in names beside characters, letters and digits: 阿依·古丽, Anne-Marie O'Neil, 张三(小).
IN_NAMES = frozenset(" ·.-'’()")
sounds = lru_cache(10_000)(lambda name: (*spell(name), " ".join(parts_of(name))))
# How many cells of a column are remembered.
MOST_KNOWN = 5_000
# Columns whose text is kept with the person or with what they are; the others say where to look.
KEPT = ("name", "ethnicity", "education", "note", "post", "rank", "document")


class Said(NamedTuple):
    """What a cell says: its text, and the fields of an entry that it fills."""

    text: str
    fields: tuple[tuple[str, Any], ...]


NOTHING_SAID = Said("", ())


class Problem(NamedTuple):
    """What is wrong with one cell."""

    row: int
    field: str
    message: str


def listed(rows: list[int]) -> str:
    """Return the first rows of a list, and how many there are where it is long."""
    text = "、".join(str(row) for row in rows[:20])
    return text if len(rows) <= 20 else _("%(rows)s … (%(n)s in all)") % {"rows": text, "n": len(rows)}


@dataclass
class Entry:
    """What a row says of a person, and of what they are in which body."""

    row: int
    name: str = ""
    sex: str = ""
    birth_date: dt.date | None = None
    birth_day_known: bool = True
    id_number: str = ""
    phone: str = ""
    ethnicity: str = ""
    education: str = ""
    joined_party_on: dt.date | None = None
    home_id: UUID | None = None
    home_given: bool = False
    work_id: UUID | None = None
    organisation_id: UUID | None = None
    place_id: UUID | None = None
    since: dt.date | None = None
    note: str = ""
    post: str = ""
    rank: str = ""
    document: str = ""

    def line(self, id_number: bytes, phone: bytes) -> list[Any]:
        """Return the row for the stage, ``STAGE`` in :mod:`weilu.people.rosters.staging`.

        Args:
            id_number: the ID number, encrypted.
            phone: the telephone number, encrypted.
        """
        pinyin, initials, parts = sounds(self.name)
        return [
            self.row, new_id(), self.name, pinyin, initials, parts, self.sex, self.birth_date, self.birth_day_known,
            id_number, keyed_hash(self.id_number),
            tail_hash(self.id_number[-4:]) if self.id_number else b"",
            phone, keyed_hash(self.phone), tail_hash(self.phone[-4:]) if self.phone else b"",
            self.ethnicity, self.education, self.joined_party_on, self.home_id, self.home_given, self.work_id,
            self.organisation_id, self.place_id, self.since, self.note, self.post, self.rank, self.document,
        ]  # fmt: skip


@dataclass
class Checker:
    """Checks rows of one roster.

    Attributes:
        problems: what was wrong, cell by cell.
        refused: the rows that have problems.
        unsaid: how many further cells have problems that are not kept.
        read: how many rows were read.
        masked: the rows whose ID number is masked, as in the roster that goes out.
        without_grid: rows of grid workers that name no grid: they belong to the body, and to no grid.
        second_phones: rows that name a second telephone, which is not kept.
        homes_elsewhere: rows whose address names no village of the place.
    """

    kind: Kind
    roster: Roster
    places: Places
    bodies: Bodies
    today: dt.date
    most: int = 10_000
    problems: list[Problem] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    unsaid: int = 0
    read: int = 0
    masked: set[int] = field(default_factory=set)
    without_grid: list[int] = field(default_factory=list)
    second_phones: list[int] = field(default_factory=list)
    homes_elsewhere: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.at = {key: index for index, key in self.roster.mapping.items()}
        # Of each column, what its cells have said already: most say what hundreds of others say.
        self.columns: list[tuple[Column, int, dict[str, Said]]] = [
            (column, self.at[column.key], {}) for column in self.kind.columns if column.key in self.at
        ]

    def refuse(self, row: int, column: str, message: str) -> None:
        """Note what is wrong with a cell."""
        self.refused.add(row)
        self.unsaid += len(self.problems) >= self.most
        if len(self.problems) < self.most:
            self.problems.append(Problem(row, column, message))

    def entries(self) -> Iterator[Entry]:
        """Yield what the sound rows say."""
        lines = self.roster.lines()
        while batch := list(islice(lines, BATCH)):
            self.read += len(batch)
            self._look_up(batch)
            for line in batch:
                if entry := self._entry(line):
                    yield entry

    def _look_up(self, batch: list[Line]) -> None:
        index = self.at.get("organisation")
        names = set()
        for line in batch:
            for text in (self._quiet(line, index), line.group):
                if text:
                    names.add(text)
        self.bodies.prepare(names)

    @staticmethod
    def _quiet(line: Line, index: int | None) -> str:
        try:
            return plain(line.cells[index]) if index is not None and index < len(line.cells) else ""
        except ValueError:
            return ""

    def _entry(self, line: Line) -> Entry | None:
        entry = Entry(line.number)
        before = len(self.refused)
        texts: dict[str, str] = {}
        wrong: set[str] = set()
        cells, width = line.cells, len(line.cells)
        for column, index, already in self.columns:
            cell = cells[index] if index < width else ""
            if cell is None or cell == "":
                continue
            try:
                if column.reads in ("id_number", "phone"):
                    self._number(entry, column.reads, cell)
                    continue
                said = already.get(cell) if type(cell) is str else None
                if said is None:
                    said = self._said(column, cell)
                    if type(cell) is str:
                        if len(already) >= MOST_KNOWN:
                            already.clear()
                        already[cell] = said
                if said.text:
                    texts[column.key] = said.text
                for name, value in said.fields:
                    setattr(entry, name, value)
            except Refusal as refusal:
                wrong.add(column.key)
                self.refuse(line.number, refusal.column or column.key, str(refusal))
            except ValueError as error:
                wrong.add(column.key)
                self.refuse(line.number, column.key, str(error))
        if not entry.name and "name" not in wrong:
            self.refuse(line.number, "name", pgettext("of a person", "The name is missing."))
        if self.kind.becomes == "post" and "post" not in texts and "post" not in wrong:
            self.refuse(line.number, "post", _("The post is missing."))
        self._agree(entry)
        self._of_age(entry)
        try:
            self._belong(entry, texts, line.group)
        except Refusal as refusal:
            self.refuse(line.number, refusal.column, str(refusal))
        return entry if len(self.refused) == before and line.number not in self.refused else None

    def _said(self, column: Column, cell: Cell) -> Said:
        """Return what a cell says, or raise what is wrong with it; the same cell always says the same.

        Raises:
            ValueError: it cannot be so.
        """
        key, reads = column.key, column.reads
        if reads == "date":
            day = date_of(key, cell, self.today)
            if day is None:
                return NOTHING_SAID
            known = (("birth_day_known", day.day_known),) if key == "birth_date" else ()
            return Said("given", ((key, day.date), *known))
        if reads == "sex":
            return Said("", ((key, sex_of(cell)),))
        text = name_of(plain(cell)) if reads == "name" else plain(cell)
        if reads == "name" and text and (NO_NAME.search(text) or not (text.isalpha() or any(map(str.isalpha, text)))):
            raise Refusal(key, _("“%(text)s” is no name.") % {"text": text[:40]})
        if reads == "name" and GONE.search(text):
            raise Refusal(key, _("“%(text)s” has left: remove the row.") % {"text": text[:40]})
        if reads == "name" and (strange := {sign for sign in text if not sign.isalnum() and sign not in IN_NAMES}):
            words = _("“%(text)s”: only the name stands here, without %(signs)s. What else there is to say is a note.")
            raise Refusal(key, words % {"text": text[:40], "signs": " ".join(sorted(strange))})
        if reads == "address":
            text = text[:200]
        elif len(text) > column.length:
            raise Refusal(key, _("This has more than %(count)s characters.") % {"count": column.length})
        if not text or key not in KEPT:
            return Said(text, ())
        return Said(text, ((key, bracketed(text) if key in ("note", "post", "rank") else text),))

    def _number(self, entry: Entry, reads: str, cell: Cell) -> None:
        """Take an ID number or a telephone number: no two cells say the same."""
        if reads == "id_number":
            entry.id_number = id_number_of(cell)
            if not entry.id_number and isinstance(cell, str) and "**" in cell:
                self.masked.add(entry.row)
        else:
            entry.phone = phone_of(cell)
            if entry.phone and entry.phone != cell and len(phone_numbers(plain(cell))) > 1:
                self.second_phones.append(entry.row)

    def _agree(self, entry: Entry) -> None:
        """Hold birth date and sex against the ID number (GB 11643), and fill them from it."""
        if not entry.id_number:
            return
        number = entry.id_number  # a sound one
        born = born_by(number)
        sex = "male" if int(number[16]) % 2 else "female"
        given = entry.birth_date
        if given and given != born and (entry.birth_day_known or (given.year, given.month) != (born.year, born.month)):
            day = born if entry.birth_day_known else f"{born:%Y.%m}"
            self.refuse(
                entry.row, "birth_date",
                _("The ID number says: born on %(day)s. Correct one of the two.") % {"day": day},
            )  # fmt: skip
        if entry.sex and entry.sex != sex:
            word = _("male") if sex == "male" else _("female")
            self.refuse(
                entry.row, "sex", _("The ID number says: %(sex)s. Correct one of the two.") % {"sex": word}
            )  # fmt: skip
        entry.birth_date, entry.birth_day_known, entry.sex = born, True, sex

    def _of_age(self, entry: Entry) -> None:
        """Hold the day of joining the Party against the birth date; where only its month is known, by the month."""
        born, joined = entry.birth_date, entry.joined_party_on
        if not born or not joined:
            return
        if joined < born:
            text = _("Nobody joined the Party before they were born or after today.")
            self.refuse(entry.row, "joined_party_on", text)
        elif joined < add_years(born.replace(day=1), PARTY_AGE):
            text = _("Nobody joins the Party before the age of 18 (Party constitution, article 1).")
            self.refuse(entry.row, "joined_party_on", text)

    def _belong(self, entry: Entry, texts: dict[str, str], group: str) -> None:
        """Find body, grid, home and place of work."""
        village = self._village(texts)
        named = texts.get("organisation", "")
        if self.kind.code == "grid-workers":
            if "grid" in texts:
                grid = self.places.grid(texts["grid"], village)
                entry.place_id = grid.pk
                village = self._above(grid, Level.VILLAGE) or village
            elif named or village:
                self.without_grid.append(entry.row)
            else:
                self._no("grid", _("The grid is missing."))
        if group and self.kind.becomes == "post" and not entry.rank and (named or RANKED.search(group)):
            if RANKED.search(group):
                entry.rank = bracketed(group[:40])
        elif group and not named:
            named = group
        if named:
            body = self.bodies.find(named, village, entry.row)
        elif self.kind.code == "grid-workers" and village:
            body = self.bodies.of_village(village)
        else:
            self._no("organisation", _("The body is missing."))
        entry.organisation_id = body.id
        if self.kind.employs:
            entry.work_id = body.id
        elif work := texts.get("work"):
            entry.work_id = self._work(work)
        home = self.places.of_address(texts["home"]) if "home" in texts else None
        entry.home_given = home is not None
        if "home" in texts and home is None:
            self.homes_elsewhere.append(entry.row)
        entry.home_id = home.pk if home else entry.place_id or body.place_id

    def _village(self, texts: dict[str, str]) -> Place | None:
        return self.places.one("place", texts["place"]) if texts.get("place") else None

    def _above(self, place: Place, level: Level) -> Place | None:
        codes = place.ancestor_codes
        return next(
            (found for code in codes if (found := self.places.by_code.get(code)) and found.level == level), None
        )

    def _work(self, text: str) -> UUID | None:
        """Return the body that a place of work names, if it is entered; what is not entered is no fault."""
        known = self.bodies.known(text)
        return known[0].id if len(known) == 1 else None

    def told(self) -> list[str]:
        """Return what was not kept as it stands in the file, without being refused."""
        kept = [
            (self.second_phones, _("Two telephone numbers in one cell: the first is kept. Rows: %(rows)s")),
            (self.without_grid, _("No grid is named: they are entered with their village only. Rows: %(rows)s")),
            (
                self.homes_elsewhere,
                _("The home names no village of %(place)s: they are entered where their body stands. Rows: %(rows)s"),
            ),
        ]
        told = [text % {"place": self.places.place, "rows": listed(rows)} for rows, text in kept if rows]
        if self.unsaid:
            words = _("Only the first %(most)s cells to correct are named; %(more)s more wait until these are right.")
            told.append(words % {"most": f"{self.most:,}", "more": f"{self.unsaid:,}"})
        return told

    @staticmethod
    def _no(column: str, message: str) -> Any:
        raise Refusal(column, message)
