"""Outlines of the demo county: each place gets the ground that is nearer to it than to its neighbours. Invented."""

from collections.abc import Sequence
from random import Random
from uuid import UUID

import shapely
from shapely.geometry import MultiPoint, Point, Polygon, mapping
from shapely.geometry.base import BaseGeometry

from weilu.demo.county import COMMUNITY, County, in_town
from weilu.lib.copying import copy_rows
from weilu.orgs.models import Network, Place, PlaceOutline
from weilu.orgs.outlines import Box, sound

EDGE = 0.02  # degrees that the county reaches beyond its outermost townships
DIGITS = 4
NETWORKS = [Network.PARTY, Network.ORDER, Network.CIVILITY]


def _point(place: Place) -> Point:
    return Point(place.longitude or 0, place.latitude or 0)


def _cells(places: Sequence[Place], ground: BaseGeometry) -> dict[UUID, BaseGeometry]:
    """Cut ``ground`` into the pieces that are nearest to each place."""
    if len(places) == 1:
        return {places[0].pk: ground}
    found = shapely.voronoi_polygons(MultiPoint([_point(place) for place in places]), extend_to=ground)
    pieces = shapely.get_parts(found)
    tree = shapely.STRtree(pieces)
    return {
        place.pk: _one_part(pieces[tree.query(_point(place), predicate="intersects")[0]].intersection(ground))
        for place in places
    }


def _one_part(found: BaseGeometry) -> BaseGeometry:
    return max(shapely.get_parts(found), key=lambda part: part.area)


def _pull_in(places: Sequence[Place], ground: BaseGeometry, middle: Point) -> None:
    """Move each place towards ``middle`` until it lies well inside ``ground``; no two on one spot."""
    inner = ground.buffer(-0.0008)
    inner = inner if inner.contains(middle) else ground
    taken: set[tuple[float, float]] = set()
    for place in places:
        at, step = _point(place), 0
        while not inner.contains(at) or (at.x, at.y) in taken:
            step += 1
            share = 0.85**step
            wobble = Random(f"{place.code}:{step}")
            spread = 0.0 if step < 12 else 0.002
            at = Point(
                round(middle.x + (at.x - middle.x) * share + wobble.uniform(-spread, spread), DIGITS),
                round(middle.y + (at.y - middle.y) * share + wobble.uniform(-spread, spread), DIGITS),
            )
            if step > 60:
                break
        taken.add((at.x, at.y))
        place.longitude, place.latitude = at.x, at.y


class Outlines:
    """The ground of the townships and villages; made when these have their positions, before there are grids."""

    def __init__(self, county: County):
        self.county = county
        around = MultiPoint([_point(place) for place in county.townships]).convex_hull
        self.ground = around.buffer(EDGE, quad_segs=6).simplify(0.002)
        self.cells = _cells(county.townships, self.ground)
        for township in county.townships:
            villages = [village for village in county.villages if village.parent_id == township.pk]
            if villages:
                _pull_in(villages, self.cells[township.pk], _point(township))
                self.cells |= _cells(villages, self.cells[township.pk])

    def hold(self, village: Place, grids: list[Place]) -> None:
        """Cut the ground of a village of the county town among its grids, and say which networks these carry."""
        for grid in grids:
            rng = Random(f"networks:{grid.code}")
            grid.networks = sorted(str(each) for each in NETWORKS if each == Network.ORDER or rng.random() < 0.8)
        if not in_town(village):
            return
        ground = self.cells[village.pk]
        _pull_in(grids, ground, ground.representative_point())
        self.cells |= _cells(grids, ground)
        if village.code == COMMUNITY:
            self._slip(grids)

    def _slip(self, grids: list[Place]) -> None:
        """Draw two grids of the shown community badly, as happens: one reaches into the next, one falls short."""
        first, last = grids[0].pk, grids[-1].pk
        ground = shapely.union_all([self.cells[grid.pk] for grid in grids])
        self.cells[first] = _one_part(
            self.cells[first].buffer(0.0004, join_style="mitre", mitre_limit=2).intersection(ground)
        )
        middle = self.cells[last].centroid
        corner = Polygon([(middle.x, middle.y), *list(self.cells[last].exterior.coords)[:2]])
        self.cells[last] = _one_part(self.cells[last].difference(corner))

    def write(self) -> None:
        """Write all outlines."""
        rows = [self._row(self.county.place.pk, self.ground)]
        rows += [self._row(key, cell) for key, cell in self.cells.items()]
        copy_rows(PlaceOutline, rows)

    def _row(self, key: UUID, cell: BaseGeometry) -> PlaceOutline:
        geometry = sound(mapping(cell))
        return PlaceOutline(place_id=key, geometry=geometry, **Box.of(geometry).as_columns())
