"""Outlines of places: checked when they come in, measured, laid over each other.

Coordinates are longitude and latitude in degrees, WGS 84 or CGCS2000 (they differ by centimetres), as GeoJSON has them
(RFC 7946). Areas are measured in Lambert's cylindrical equal-area projection of a sphere with the earth's surface:
within 0.3 % here.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import shapely
from django.utils import timezone
from django.utils.translation import gettext as _
from shapely.errors import ShapelyError
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from weilu.orgs.models import Place, PlaceOutline

EARTH = 6_371_007.2  # metres; radius of the sphere with the surface of WGS 84's ellipsoid
METRES_OF_DEGREE = math.pi * EARTH / 180
DIGITS = 6  # of a degree: a tenth of a metre
MOST_POINTS = 20_000
LARGEST_FILE = 20_000_000
SMALLEST = 10.0  # square metres
TOLERANCE = 10.0  # metres that an outline may reach beyond the one it lies in
REFERENCES = ("CRS84", "4326", "4490", "WGS84", "WGS 84")


class BadOutline(ValueError):
    """What was given is no outline that a place can have; the message says why and what to do."""


@dataclass(frozen=True)
class Box:
    """The rectangle around an outline."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def of(cls, geometry: Mapping[str, Any]) -> "Box":
        return cls(*(float(number) for number in shape(geometry).bounds))

    def as_columns(self) -> dict[str, float]:
        """Return the columns of :class:`weilu.orgs.models.PlaceOutline`."""
        return asdict(self)


def read_json(raw: bytes) -> Any:
    """Return what a file of JSON holds.

    Raises:
        BadOutline: it is too large or no JSON in UTF-8.
    """
    if len(raw) > LARGEST_FILE:
        raise BadOutline(
            _("The file is larger than %(size)s MB. Cut it by township, or simplify the outlines.")
            % {"size": LARGEST_FILE // 1_000_000}
        )
    if not raw.strip():
        raise BadOutline(_("The file is empty: a FeatureCollection of GeoJSON is wanted."))
    try:
        return json.loads(raw.decode("utf-8-sig"))  # NaN is refused where it stands, with the feature it stands in
    except (ValueError, RecursionError) as error:
        raise BadOutline(_("This is not GeoJSON: it cannot be read as JSON in UTF-8.")) from error


def outline_in(raw: bytes) -> Any:
    """Return the outline that a pasted text or a file holds: a geometry, a Feature, or a collection of one.

    Raises:
        BadOutline: it is no GeoJSON, in another reference system, or holds more than one feature.
    """
    if re.match(rb"\s*(SRID=\d+;)?\s*(MULTI)?POLYGON\s*Z?\s*\(", raw, re.IGNORECASE):
        raise BadOutline(_('This is WKT. Export it as GeoJSON: it begins with {"type": "Polygon".'))
    document = read_json(raw)
    if not isinstance(document, Mapping):
        raise BadOutline(_('This is a list of numbers. GeoJSON begins with {"type": "Polygon", "coordinates": ….'))
    check_reference(document)
    if document.get("type") == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list) or len(features) != 1:
            raise BadOutline(
                _("The text holds %(count)s features; give the one whose outline this is.")
                % {"count": len(features) if isinstance(features, list) else 0}
            )
        document = features[0]
    return document.get("geometry") if isinstance(document, Mapping) and "geometry" in document else document


def check_reference(document: Mapping[str, Any]) -> None:
    """Refuse a file whose old-style ``crs`` names another system than longitude and latitude.

    Raises:
        BadOutline: it names another one.
    """
    crs = document.get("crs")
    if not crs:
        return
    properties = crs.get("properties") if isinstance(crs, Mapping) else None
    name = str((properties or {}).get("name", "")) if isinstance(properties, Mapping) else str(crs)
    if not any(known in name.upper() for known in REFERENCES):
        raise BadOutline(
            _("The file is in the reference system %(name)s. Export it as longitude and latitude (EPSG:4326).")
            % {"name": name[:60] or "?"}
        )


def sound(geometry: Any) -> dict[str, Any]:
    """Return an outline as it is kept: Polygon or MultiPolygon, two dimensions, six digits, rings in their order.

    Raises:
        BadOutline: it is none, lies outside the range of degrees, crosses itself, or is too small or too fine.
    """
    if not isinstance(geometry, Mapping) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise BadOutline(_("An outline is a Polygon or MultiPolygon of GeoJSON."))
    try:
        with np.errstate(invalid="ignore"):  # what is no number is refused below
            found = shapely.force_2d(shape(dict(geometry)))
    except (ShapelyError, ValueError, TypeError, IndexError, KeyError, AttributeError, RecursionError) as error:
        raise BadOutline(_("The coordinates of the outline cannot be read: pairs of numbers are wanted.")) from error
    points = shapely.get_coordinates(found)
    if not len(points):
        raise BadOutline(_("The outline holds no points."))
    if len(points) > MOST_POINTS:
        raise BadOutline(
            _("The outline has %(count)s points, more than %(limit)s. Simplify it.")
            % {"count": len(points), "limit": MOST_POINTS}
        )
    _check_range(points)
    if not found.is_valid:
        raise BadOutline(_("The outline is not sound: %(reason)s. Lines must not cross.") % {"reason": _reason(found)})
    found = shapely.set_precision(found, 10**-DIGITS)
    if area(found) < SMALLEST:
        raise BadOutline(_("The outline is smaller than %(area)s m².") % {"area": int(SMALLEST)})
    return _as_json(found)


def _check_range(points: Any) -> None:
    if not np.isfinite(points).all():
        raise BadOutline(_("The coordinates of the outline cannot be read: pairs of numbers are wanted."))
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    if west < -180 or east > 180 or south < -90 or north > 90:
        swapped = max(abs(west), abs(east)) <= 90 and max(abs(south), abs(north)) <= 180
        raise BadOutline(
            _("Latitude and longitude are swapped: GeoJSON gives the longitude first.")
            if swapped
            else _("The coordinates are no degrees (%(x)s, %(y)s). Export longitude and latitude (EPSG:4326).")
            % {"x": f"{points[0][0]:.0f}", "y": f"{points[0][1]:.0f}"}
        )


def _reason(found: BaseGeometry) -> str:
    text = shapely.is_valid_reason(found)
    kind, _sep, at = text.partition("[")
    words = {
        "Self-intersection": _("it crosses itself"),
        "Ring Self-intersection": _("it touches itself"),
        "Hole lies outside shell": _("a hole lies outside of it"),
        "Nested shells": _("its parts lie in each other"),
        "Too few points in geometry component": _("it has fewer than three points"),
        "Invalid Coordinate": _("a coordinate is no number"),
        "Interior is disconnected": _("its inside falls apart"),
        "Duplicate Rings": _("a ring stands twice"),
        "Holes are nested": _("a hole lies in another"),
    }
    at = at.rstrip("]")
    return f"{words.get(kind, kind)} ({at})" if at else words.get(kind, kind)


def _as_json(found: BaseGeometry) -> dict[str, Any]:
    if found.geom_type == "GeometryCollection":
        found = shapely.union_all([part for part in shapely.get_parts(found) if part.area])
    # In one order and one spelling, so that the same outline given twice is the same.
    found = shapely.orient_polygons(shapely.normalize(found))
    return json.loads(json.dumps(mapping(shapely.transform(found, lambda points: np.round(points, DIGITS)))))


def flat(found: BaseGeometry) -> BaseGeometry:
    """Return a geometry in metres, on a plane where areas are true."""

    def project(points: Any) -> Any:
        return np.column_stack([np.radians(points[:, 0]) * EARTH, np.sin(np.radians(points[:, 1])) * EARTH])

    return shapely.transform(found, project)


def area(found: BaseGeometry) -> float:
    """Return the area of a geometry in square metres."""
    return float(flat(found).area)


def union_of(geometries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the outline around several; seams between them vanish."""
    return _as_json(shapely.union_all([shapely.make_valid(shape(dict(each))) for each in geometries]))


class Fence:
    """The ground that outlines in a place may take: that of its own outline, and ten metres around it."""

    def __init__(self, place: Place, geometry: Mapping[str, Any]):
        self.place = place
        self.ground = shapely.make_valid(shape(dict(geometry))).buffer(TOLERANCE / METRES_OF_DEGREE)
        shapely.prepare(self.ground)

    def check(self, geometry: Mapping[str, Any]) -> None:
        """Refuse an outline that reaches beyond it.

        Raises:
            BadOutline: it does.
        """
        found = shape(dict(geometry))
        if self.ground.covers(found):
            return
        beyond = area(found.difference(self.ground))
        if beyond > 1:
            raise BadOutline(
                _("The outline reaches beyond %(place)s by %(area)s m².")
                % {"place": self.place, "area": f"{beyond:,.0f}"}
            )


def check_inside(geometry: Mapping[str, Any], place: Place) -> None:
    """Refuse an outline that reaches beyond the one of ``place``, if that has one; ten metres are let pass.

    Raises:
        BadOutline: it does.
    """
    if around := PlaceOutline.objects.filter(place=place).first():
        Fence(place, around.geometry).check(geometry)


def middle_of(geometry: Mapping[str, Any]) -> tuple[float, float]:
    """Return latitude and longitude of a point inside an outline, about its middle."""
    middle = shape(dict(geometry)).representative_point()
    return round(middle.y, DIGITS), round(middle.x, DIGITS)


def set_outline(place: Place, geometry: Any) -> PlaceOutline:
    """Give a place its outline, and a position in the middle of it if it has none.

    Raises:
        BadOutline: it is not sound, or reaches beyond the place above.
    """
    kept = sound(geometry)
    if place.parent_id:
        check_inside(kept, place.parent)  # type: ignore[arg-type]
    row, _made = PlaceOutline.objects.update_or_create(
        place=place, defaults={"geometry": kept, "changed_at": timezone.now(), **Box.of(kept).as_columns()}
    )
    if place.latitude is None:
        place.latitude, place.longitude = middle_of(kept)
        place.save(update_fields=["latitude", "longitude"])
    return row


@dataclass(frozen=True)
class Lap:
    """A piece of a village that two grids claim, or none."""

    grids: tuple[Place, ...]
    area: float
    share: float
    geometry: dict[str, Any]


@dataclass(frozen=True)
class Cover:
    """How the grids of a village cover it."""

    area: float
    without: list[Place]
    overlaps: list[Lap]
    gaps: list[Lap]
    # Without an outline of the village only the holes between its grids are known.
    known: bool


def cover(village: Place) -> Cover:
    """Lay the grids of a village over each other and over its outline.

    Pieces below ten square metres are the pen's width and do not count.
    """
    grids = list(Place.objects.filter(parent=village, valid_to=None, level=village.level + 1).select_related("outline"))
    drawn = {grid: shapely.make_valid(shape(grid.outline.geometry)) for grid in grids if hasattr(grid, "outline")}
    around = PlaceOutline.objects.filter(place=village).first()
    together = shapely.union_all(list(drawn.values()))
    ground = shapely.make_valid(shape(around.geometry)) if around else _without_holes(together)
    total = area(ground) or 1.0

    def laps(found: BaseGeometry, of: tuple[Place, ...]) -> list[Lap]:
        pieces = [piece for piece in shapely.get_parts(found) if piece.geom_type == "Polygon"]
        measured = [(area(piece), piece) for piece in pieces]
        return [
            Lap(of, size, 100 * size / total, json.loads(json.dumps(mapping(piece))))
            for size, piece in measured
            if size >= SMALLEST
        ]

    overlaps = []
    rows, shapes = list(drawn), list(drawn.values())
    pairs = shapely.STRtree(shapes).query(shapes, predicate="intersects").T if shapes else []
    for first, second in pairs:
        if first < second:
            overlaps += laps(shapes[first].intersection(shapes[second]), (rows[first], rows[second]))
    gaps = laps(ground.difference(together), ()) if drawn else []
    return Cover(
        area(ground),
        [grid for grid in grids if grid not in drawn],
        sorted(overlaps, key=lambda lap: -lap.area),
        sorted(gaps, key=lambda lap: -lap.area),
        around is not None,
    )


def _without_holes(found: BaseGeometry) -> BaseGeometry:
    parts = [part for part in shapely.get_parts(found) if part.geom_type == "Polygon"]
    return shapely.union_all([shapely.Polygon(part.exterior) for part in parts])
