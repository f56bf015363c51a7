"""Grids and buildings from GeoJSON: each feature is a place with its outline."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely
from django.db import connection, transaction
from django.utils.translation import gettext as _
from shapely.geometry import shape

from weilu.lib.import_result import ImportProblem, ImportResult, Refusal
from weilu.orgs.changes import CODE, LONGEST_NAME
from weilu.orgs.models import Level, Network, Place
from weilu.orgs.names import full_name
from weilu.orgs.outlines import LARGEST_FILE, BadOutline, check_reference, read_json, set_outline, sound

MOST_FEATURES = 20_000
# The usual names of properties, in lower case.
NAMES: dict[str, tuple[str, ...]] = {
    "code": ("code", "grid_code", "gridcode", "编码", "代码", "网格编码", "网格代码", "楼栋编码", "id"),
    "name": ("name", "grid_name", "gridname", "名称", "网格名称", "网格", "楼栋名称", "楼栋"),
    "level": ("level", "type", "层级", "类型", "级别"),
    "parent": ("parent", "parent_code", "villagecode", "village_code", "gridcode_above", "上级编码", "村社编码",
               "社区编码", "所属网格编码"),
    "networks": ("networks", "network", "网络", "承载网络", "三网"),
    "households": ("households", "户数", "总户数", "居民户数"),
}  # fmt: skip
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
    geometry: dict[str, Any]


def run(raw: bytes, *, place: Place, dry_run: bool = False) -> ImportResult:
    """Import the grids and buildings of a file: sound ones go in, the others are refused with their reason.

    A code that is there already is brought up to date. Below a township or county each feature says by ``parent`` in
    which village it lies, or it is found by its middle in the villages' outlines.

    Args:
        raw: GeoJSON (RFC 7946): a FeatureCollection, in longitude and latitude. The properties ``code``, ``name``,
            ``level`` (grid or building), ``parent``, ``networks`` and ``households`` are also known by their usual
            Chinese names.
        place: all of them lie in it.
        dry_run: check everything, write nothing.

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
        intake = Intake(place)
        intake.take(features)
        if dry_run:
            transaction.set_rollback(True)
    return intake.result


def run_file(file: Path, *, place: str, dry_run: bool = False) -> ImportResult:
    """Import a file of grids for the place that has a code; see :func:`run`.

    Raises:
        ImportProblem: there is no such place or file, or the file as a whole cannot be read.
    """
    row = Place.objects.filter(code=place, valid_to=None).first()
    if row is None:
        raise ImportProblem(_("There is no place with the code %(code)s today.") % {"code": place})
    try:
        with file.open("rb") as opened:
            raw = opened.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ImportProblem(_("%(file)s cannot be read.") % {"file": file}) from error
    return run(raw, place=row, dry_run=dry_run)


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
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()


def _feature(each: Any) -> Feature:
    """Return what a feature says.

    Raises:
        Refusal: it is not sound in itself.
    """
    if not isinstance(each, Mapping) or each.get("type") != "Feature":
        raise Refusal("type", _("This is no Feature."))
    given = each.get("properties")
    given = {str(key).strip().lower(): value for key, value in given.items()} if isinstance(given, Mapping) else {}
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
    return Feature(code, name, level, _text(given, "parent"), _networks(given), _households(given), geometry)


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


def _households(given: Mapping[str, Any]) -> int | None:
    text = _text(given, "households")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise Refusal(
            "households", _("The number of households is a whole number, not: %(text)s") % {"text": text[:40]}
        )
    return int(text)


@dataclass
class Intake:
    """Judges features one by one, against the database and those before them."""

    place: Place
    result: ImportResult = field(default_factory=ImportResult)
    seen: dict[str, int] = field(default_factory=dict)
    taken: dict[str, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        inside = Place.objects.filter(path__startswith=self.place.path, valid_to=None, level__gte=Level.VILLAGE)
        self.known = {row.code: row for row in inside.select_related("outline", "parent")}
        drawn = [row for row in self.known.values() if row.level == Level.VILLAGE and hasattr(row, "outline")]
        self.villages = drawn
        self.tree = shapely.STRtree([shapely.make_valid(shape(row.outline.geometry)) for row in drawn])

    def take(self, features: list[Any]) -> None:
        """Bring in the features, grids before the buildings that may lie in them; each or refuse it."""
        sound_ones: list[tuple[int, Feature]] = []
        for number, each in enumerate(features, start=1):
            self.result.read += 1
            with self._refusing(number):
                sound_ones.append((number, _feature(each)))
        codes = [given.code for _number, given in sound_ones]
        self.taken = {row.code: row for row in Place.objects.filter(code__in=codes, valid_to=None)}
        for number, given in sorted(sound_ones, key=lambda pair: pair[1].level):
            with self._refusing(number):
                self._enter(number, given)
        self.result.errors.sort(key=lambda error: error["row"])

    @contextmanager
    def _refusing(self, number: int) -> Iterator[None]:
        try:
            yield
        except Refusal as refusal:
            self.result.refuse(number, refusal.column, str(refusal))

    def _enter(self, number: int, given: Feature) -> None:
        if first := self.seen.get(given.code):
            raise Refusal("code", _("The code %(code)s stands in feature %(row)s already.")
                          % {"code": given.code, "row": first})  # fmt: skip
        there = self.known.get(given.code)
        if there is None and (other := self.taken.get(given.code)):
            raise Refusal("code", _("The code %(code)s belongs to %(place)s.") % {"code": given.code, "place": other})
        if there and there.level != given.level:
            raise Refusal("level", _("%(place)s is no %(level)s.") % {"place": there, "level": given.level.label})
        parent = self._parent(given, there)
        place = there or Place(code=given.code, level=given.level, parent=parent, path=f"{parent.path}{given.code}/")
        changed = self._fill(place, given)
        before = there.outline.geometry if there and hasattr(there, "outline") else None
        try:
            with transaction.atomic():
                if there is None:
                    place.save(force_insert=True)
                elif changed:
                    place.save(update_fields=changed)
                if before != given.geometry:
                    place.outline = set_outline(place, given.geometry)
        except BadOutline as error:
            raise Refusal("geometry", str(error)) from error
        self.seen[given.code] = number
        self.known[given.code] = place
        if there is None:
            self.result.imported += 1
        elif changed or before != given.geometry:
            self.result.updated += 1
        else:
            self.result.duplicates += 1

    def _fill(self, place: Place, given: Feature) -> list[str]:
        wanted: dict[str, Any] = {"name": given.name, "short_name": given.name}
        if given.networks is not None:
            wanted["networks"] = given.networks
        if given.households is not None:
            wanted["households"] = given.households
        changed = [column for column, value in wanted.items() if getattr(place, column) != value]
        for column in changed:
            setattr(place, column, wanted[column])
        return changed

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
