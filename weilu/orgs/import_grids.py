"""Grids and buildings from GeoJSON: each feature is a place with its outline."""

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from rich.console import Console
from shapely.geometry import shape

from weilu.lib.import_result import ImportProblem, ImportResult, Refusal, Tell, cannot_read
from weilu.orgs.changes import CODE, LONGEST_NAME, at_length
from weilu.orgs.imports.kinds import Kind
from weilu.orgs.models import Level, Network, Place, PlaceOutline
from weilu.orgs.names import full_name
from weilu.orgs.outlines import (
    LARGEST_FILE,
    BadOutline,
    Box,
    Fence,
    check_reference,
    middle_of,
    read_json,
    sound,
)  # fmt: skip

MOST_FEATURES = 20_000
TELL_AT, BATCH = 200, 1_000
# The property that says in the file of what was refused why it was.
ERROR = "_error"
# The usual names of properties, in lower case.
NAMES: dict[str, tuple[str, ...]] = {
    "code": ("code", "grid_code", "gridcode", "编码", "代码", "网格编码", "网格代码", "楼栋编码", "id"),
    "name": ("name", "grid_name", "gridname", "名称", "网格名称", "网格", "楼栋名称", "楼栋"),
    "level": ("level", "type", "层级", "类型", "级别"),
    "parent": ("parent", "parent_code", "villagecode", "village_code", "gridcode_above", "上级编码", "村社编码",
               "社区编码", "所属网格编码"),
    "networks": ("networks", "network", "网络", "承载网络", "三网"),
    "households": ("households", "户数", "总户数", "居民户数"),
    "since": ("since", "valid_from", "启用日期", "启用时间", "划定日期", "划定时间"),
}  # fmt: skip
IN_DIGITS = {"code", "parent", "households", "since"}  # full-width digits are digits
DAY = re.compile(r"(\d{4})[-./年](\d{1,2})[-./月](\d{1,2})日?(?:[ T].*)?", re.ASCII)
EARLIEST = dt.date(1900, 1, 1)
LEVELS = {
    **dict.fromkeys(("", "grid", "6", "网格"), Level.GRID),
    **dict.fromkeys(("building", "7", "楼栋", "楼", "楼宇"), Level.BUILDING),
}
NETWORKS: dict[str, Network] = {
    **{str(network): network for network in Network},
    **dict.fromkeys(("党建", "党建网", "党建网格"), Network.PARTY),
    **dict.fromkeys(("综治", "综治网", "治安", "平安", "综治网格"), Network.ORDER),
    **dict.fromkeys(("文明", "文明网", "文明实践", "文明创建"), Network.CIVILITY),
}


@dataclass(frozen=True)
class Feature:
    """A grid or building as the file gives it."""

    code: str
    name: str
    level: Level
    parent: str
    networks: list[str] | None
    households: int | None
    since: dt.date | None
    geometry: dict[str, Any]


def run(raw: bytes, *, place: Place, dry_run: bool = False, tell: Tell | None = None) -> ImportResult:
    """Import the grids and buildings of a file: sound ones go in, the others are refused with their reason.

    A code that is there already is brought up to date. Below a township or county each feature says by ``parent`` in
    which village it lies, or it is found by its middle in the villages' outlines.

    Args:
        raw: GeoJSON (RFC 7946): a FeatureCollection, in longitude and latitude. The properties ``code``, ``name``,
            ``level`` (grid or building), ``parent``, ``networks``, ``households`` and ``since`` are also known by
            their usual Chinese names. Without ``since`` a grid began today if others lie beside it already; the first
            ones of a village have been there since nobody knows when.
        place: all of them lie in it.
        dry_run: check everything, write nothing.
        tell: learns how far it is.

    Returns:
        the counts; ``refused_file`` holds the features that were refused, each with its reason as ``_error``.

    Raises:
        ImportProblem: the file as a whole cannot be read; nothing was changed.
    """
    try:
        features = _features(raw)
    except BadOutline as error:
        raise ImportProblem(str(error)) from error
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('weilu.import.divisions'))")
        intake = Intake(place, tell)
        intake.take(features)
        if dry_run:
            transaction.set_rollback(True)
    return intake.result


def run_file(file: Path, *, place: str, dry_run: bool = False, tell: Tell | None = None) -> ImportResult:
    """Import a file of grids for the place that has a code; see :func:`run`.

    Raises:
        ImportProblem: there is no such place or file, or the file as a whole cannot be read.
    """
    row = place_of(place)
    try:
        with file.open("rb") as opened:
            raw = opened.read(LARGEST_FILE + 1)
    except OSError as error:
        raise cannot_read(file, error) from error
    return run(raw, place=row, dry_run=dry_run, tell=tell)


def place_of(code: str) -> Place:
    """Return the place of today that has a code.

    Raises:
        ImportProblem: there is none.
    """
    row = Place.objects.filter(code=code, valid_to=None).first()
    if row is None:
        raise ImportProblem(_("There is no place with the code %(code)s today.") % {"code": code})
    return row


def _run_job(folder: Path, options: dict[str, Any], console: Console | None, tell: Tell | None) -> ImportResult:
    return run_file(next(folder.iterdir()), tell=tell, **options)


KIND = Kind("grids", _lazy("grids and buildings"), _run_job)


def _features(raw: bytes) -> list[Any]:
    document = read_json(raw)
    if not isinstance(document, Mapping):
        raise BadOutline(_("This is not GeoJSON: a FeatureCollection is wanted."))
    check_reference(document)
    found = [document] if document.get("type") == "Feature" else document.get("features")
    if document.get("type") not in ("FeatureCollection", "Feature") or not isinstance(found, list):
        raise BadOutline(_("This is not GeoJSON: a FeatureCollection is wanted."))
    if not found:
        raise BadOutline(_("The file holds no features."))
    if len(found) > MOST_FEATURES:
        raise BadOutline(
            _("The file holds %(count)s features, more than %(limit)s. Cut it by township.")
            % {"count": len(found), "limit": MOST_FEATURES}
        )
    return found


def _text(properties: Mapping[str, Any], column: str) -> str:
    value = next((properties[name] for name in NAMES[column] if properties.get(name) not in (None, "")), "")
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value)
    return unicodedata.normalize("NFKC", text).strip() if column in IN_DIGITS else text.strip()


def _properties(each: Any) -> dict[str, Any]:
    given = each.get("properties") if isinstance(each, Mapping) else None
    return {str(key).strip().lower(): value for key, value in given.items()} if isinstance(given, Mapping) else {}


def _feature(each: Any) -> Feature:
    """Return what a feature says.

    Raises:
        Refusal: it is not sound in itself.
    """
    if not isinstance(each, Mapping) or each.get("type") != "Feature":
        raise Refusal("type", _("This is no Feature."))
    given = _properties(each)
    code, name = _text(given, "code"), full_name(_text(given, "name"))
    if not CODE.fullmatch(code):
        raise Refusal("code", _("A code is 1 to 24 letters, digits or hyphens, not: %(code)s") % {"code": code[:40]})
    if not name or len(name) > LONGEST_NAME:
        raise Refusal("name", _("A name has 1 to %(count)s characters.") % {"count": LONGEST_NAME})
    level = LEVELS.get(_text(given, "level").lower())
    if level is None:
        raise Refusal("level", _("The level is grid or building, not: %(text)s") % {"text": _text(given, "level")[:40]})
    try:
        geometry = sound(each.get("geometry"))
    except BadOutline as error:
        raise Refusal("geometry", str(error)) from error
    return Feature(
        code, name, level, _text(given, "parent"), _networks(given), _households(given), _since(given), geometry
    )


def _networks(given: Mapping[str, Any]) -> list[str] | None:
    value = next((given[name] for name in NAMES["networks"] if given.get(name) is not None), None)
    if value is None:
        return None
    words = value if isinstance(value, list) else re.split(r"[\s,，、;；/+]+", str(value))
    found = set()
    for word in (str(word).strip() for word in words):
        if word and word not in NETWORKS:
            raise Refusal("networks", _("Networks are party, order and civility, not: %(text)s") % {"text": word[:40]})
        if word:
            found.add(NETWORKS[word].value)
    return sorted(found)


def _since(given: Mapping[str, Any]) -> dt.date | None:
    text = _text(given, "since")
    if not text:
        return None
    try:
        match = DAY.fullmatch(text)
        day = dt.date(*map(int, match.groups())) if match else None
    except ValueError:
        day = None
    if day is None or not EARLIEST <= day <= timezone.localdate():
        raise Refusal(
            "since", _("The day is written 2026-03-01, after 1900 and not ahead, not: %(text)s") % {"text": text[:40]}
        )
    return day


def _households(given: Mapping[str, Any]) -> int | None:
    text = _text(given, "households")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise Refusal(
            "households",
            _("The number of households is a whole number from 0 on, not: %(text)s") % {"text": text[:40]},
        )
    return int(text)


@dataclass
class Intake:
    """Judges features one by one, against the database and those before them; writes them at the end, in bulk."""

    place: Place
    tell: Tell | None = None
    result: ImportResult = field(default_factory=ImportResult)
    seen: dict[str, int] = field(default_factory=dict)
    taken: dict[str, Place] = field(default_factory=dict)
    # What is to be written, by code: new places, changed columns of those that are there, outlines.
    new: dict[str, Place] = field(default_factory=dict)
    changed: dict[str, set[str]] = field(default_factory=dict)
    drawn: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        inside = Place.objects.filter(path__startswith=self.place.path, valid_to=None, level__gte=Level.VILLAGE)
        self.known = {row.code: row for row in inside.select_related("outline", "parent")}
        self.names = {
            (row.parent.code, row.level, row.name): code for code, row in self.known.items() if row.parent is not None
        }
        self.outlines = {code: row.outline.geometry for code, row in self.known.items() if hasattr(row, "outline")}
        self.villages = [row for code, row in self.known.items()
                         if row.level == Level.VILLAGE and code in self.outlines]  # fmt: skip
        self.tree = shapely.STRtree([shapely.make_valid(shape(self.outlines[row.code])) for row in self.villages])
        self.fences: dict[str, Fence] = {}
        self.drawn_before = {(parent, level) for parent, level, _name in self.names}

    def take(self, features: list[Any]) -> None:
        """Bring in the features, grids before the buildings that may lie in them; each or refuse it."""
        sound_ones: list[tuple[int, Feature]] = []
        for number, each in enumerate(features, start=1):
            self.result.read += 1
            with self._refusing(number, each):
                sound_ones.append((number, _feature(each)))
            self._say(number, len(features))
        codes = [given.code for _number, given in sound_ones]
        self.taken = {
            row.code: row for row in Place.objects.filter(code__in=codes, valid_to=None).select_related("parent")
        }
        for count, (number, given) in enumerate(sorted(sound_ones, key=lambda pair: pair[1].level), start=1):
            with self._refusing(number, features[number - 1]):
                self._enter(number, given)
            self._say(len(features) + count, 2 * len(features))
        self._write()
        self.result.errors.sort(key=lambda error: error["row"])
        self.result.refused_file = self._refused_file()

    def _say(self, done: int, total: int) -> None:
        if self.tell and done % TELL_AT == 0:
            self.tell(done, max(total, 2 * self.result.read))

    @contextmanager
    def _refusing(self, number: int, each: Any) -> Iterator[None]:
        try:
            yield
        except Refusal as refusal:
            given = _properties(each)
            code, name = _text(given, "code")[:40], full_name(_text(given, "name"))[:LONGEST_NAME]
            where = _("feature %(number)s") % {"number": number} + "".join(f" {word}" for word in (code, name) if word)
            self.result.refuse(number, refusal.column, str(refusal), code=code, name=name, where=where)
            whole = each if isinstance(each, Mapping) else {"type": "Feature", "geometry": None}
            own = whole.get("properties")
            own = dict(own) if isinstance(own, Mapping) else {}
            self.refused.append({**whole, "properties": {**own, ERROR: str(refusal)}})

    def _refused_file(self) -> bytes:
        if not self.refused:
            return b""
        return json.dumps({"type": "FeatureCollection", "features": self.refused}, ensure_ascii=False).encode()

    def _enter(self, number: int, given: Feature) -> None:
        """Judge a feature against what is there; only when all of it is sound is anything kept of it."""
        if first := self.seen.get(given.code):
            raise Refusal("code", _("The code %(code)s stands in feature %(row)s already.")
                          % {"code": given.code, "row": first})  # fmt: skip
        there = self.known.get(given.code)
        if there is None and (other := self.taken.get(given.code)):
            raise Refusal("code", _("The code %(code)s belongs to %(place)s.")
                          % {"code": given.code, "place": at_length(other)})  # fmt: skip
        if there and there.level != given.level:
            raise Refusal("level", _("%(place)s is no %(level)s.") % {"place": there, "level": given.level.label})
        parent = self._parent(given, there)
        self._check_name(given, parent, there)
        redrawn = self.outlines.get(given.code) != given.geometry
        if redrawn:
            self._check_inside(given.geometry, parent)
        place = there or self._begin(given, parent)
        renamed = there is not None and there.name != given.name
        changed = self._fill(place, given)
        if redrawn:
            changed |= self._draw(place, given.geometry)
        self.seen[given.code] = number
        self.known[given.code] = place
        self.names = {key: code for key, code in self.names.items() if code != given.code} if renamed else self.names
        self.names[parent.code, given.level, given.name] = given.code
        if there is None:
            self.new[given.code] = place
            self.result.imported += 1
        elif changed or redrawn:
            self.changed[given.code] = changed
            self.result.updated += 1
        else:
            self.result.duplicates += 1

    def _begin(self, given: Feature, parent: Place) -> Place:
        place = Place(code=given.code, level=given.level, parent=parent, path=f"{parent.path}{given.code}/")
        if given.since and given.since < parent.valid_from:
            words = {"place": parent, "day": parent.valid_from}
            raise Refusal("since", _("%(place)s began on %(day)s; what lies in it cannot be older.") % words)
        if given.since or (parent.code, given.level) in self.drawn_before:
            place.valid_from = given.since or timezone.localdate()
        return place

    def _check_name(self, given: Feature, parent: Place, there: Place | None) -> None:
        """Refuse a grid whose name another in the village has: which of them a record means, nobody knows."""
        if given.level != Level.GRID or (there and there.name == given.name):
            return  # every estate has its building no. 1
        namesake = self.names.get((parent.code, given.level, given.name))
        if namesake and namesake != given.code:
            raise Refusal(
                "name",
                _(
                    "%(parent)s has a %(level)s of this name already, with the code %(code)s. If it is that one, give "
                    "its code; if it is another, name it otherwise, or make it on the page of grids."
                )
                % {"parent": parent, "level": given.level.label, "code": namesake},
            )

    def _check_inside(self, geometry: dict[str, Any], parent: Place) -> None:
        if (around := self.outlines.get(parent.code)) is None:
            return
        fence = self.fences.get(parent.code) or Fence(parent, around)
        self.fences[parent.code] = fence
        try:
            fence.check(geometry)
        except BadOutline as error:
            raise Refusal("geometry", str(error)) from error

    def _draw(self, place: Place, geometry: dict[str, Any]) -> set[str]:
        self.outlines[place.code] = self.drawn[place.code] = geometry
        self.fences.pop(place.code, None)
        if place.latitude is not None:
            return set()
        place.latitude, place.longitude = middle_of(geometry)
        return {"latitude", "longitude"}

    def _fill(self, place: Place, given: Feature) -> set[str]:
        wanted: dict[str, Any] = {"name": given.name}
        if given.networks is not None:
            wanted["networks"] = given.networks
        if given.households is not None:
            wanted["households"] = given.households
        if given.since and place.begun_by_id is None and given.code in self.known:
            wanted["valid_from"] = given.since
        changed = {column for column, value in wanted.items() if getattr(place, column) != value}
        for column in changed:
            setattr(place, column, wanted[column])
        if "name" in changed:
            place.short_name = given.name
            changed.add("short_name")
        return changed

    def _write(self) -> None:
        new = sorted(self.new.values(), key=lambda place: place.level)
        Place.objects.bulk_create(new, batch_size=BATCH)
        rows = [self.known[code] for code, columns in self.changed.items() if columns]
        columns = sorted({column for names in self.changed.values() for column in names})
        if rows:
            Place.objects.bulk_update(rows, columns, batch_size=BATCH)
        now = timezone.now()
        outlines = [
            PlaceOutline(place=self.known[code], geometry=geometry, changed_at=now, **Box.of(geometry).as_columns())
            for code, geometry in self.drawn.items()
        ]
        PlaceOutline.objects.bulk_create(
            outlines, batch_size=BATCH, update_conflicts=True, unique_fields=["place"],
            update_fields=["geometry", "west", "south", "east", "north", "changed_at"],
        )  # fmt: skip

    def _parent(self, given: Feature, there: Place | None) -> Place:
        """Return the place above: of a grid its village, of a building its grid or village."""
        allowed = (Level.VILLAGE,) if given.level == Level.GRID else (Level.GRID, Level.VILLAGE)
        if there:
            above = there.parent
            if given.parent and above and given.parent != above.code:
                raise Refusal("parent", _("%(place)s lies in %(parent)s. Move it there first.")
                              % {"place": there, "parent": above})  # fmt: skip
            return above  # type: ignore[return-value]
        if given.parent:
            above = self.known.get(given.parent)
            if above is None or above.level not in allowed:
                raise Refusal("parent", _("%(code)s is no village or grid in %(place)s.")
                              % {"code": given.parent[:40], "place": self.place})  # fmt: skip
            return above
        if self.place.level in allowed:
            return self.place
        middle = shape(given.geometry).representative_point()
        found = self.tree.query(middle, predicate="intersects")
        if not len(found):
            raise Refusal("parent", _("The code of the place above is missing, and no village's outline holds it."))
        return self.villages[int(found[0])]
