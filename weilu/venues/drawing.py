"""A small map drawn on the server: grids as dots, service centres as squares with their circle; no tiles, no script."""

from dataclasses import dataclass
from math import cos, radians

from weilu.venues.reach import METRES_PER_DEGREE, RADIUS, GridReach, Reach

EDGE = 1000  # of the drawing's longer side, in its own units
MARGIN = 40
DOT = 7


@dataclass(frozen=True)
class Dot:
    """A grid on the map."""

    x: float
    y: float
    tone: str
    row: GridReach


@dataclass(frozen=True)
class Square:
    """A service centre on the map."""

    x: float
    y: float
    name: str


@dataclass(frozen=True)
class Drawing:
    """What the template draws; lengths in the drawing's own units."""

    width: float
    height: float
    radius: float
    dots: list[Dot]
    centres: list[Square]
    # A bar that is so many metres long.
    scale: float
    scale_metres: int


def _tone(row: GridReach) -> str:
    return "full" if not row.missing else "part" if row.reached else "gap"


def drawing(reach: Reach) -> Drawing | None:
    """Lay out the grids of ``reach`` and the centres among them; None where no position is known."""
    rows = [row for row in reach.grids if row.place.latitude is not None]
    if not rows:
        return None
    shrink = METRES_PER_DEGREE * cos(radians(rows[0].place.latitude or 0.0))
    flat = [((row.place.longitude or 0.0) * shrink, (row.place.latitude or 0.0) * METRES_PER_DEGREE) for row in rows]
    west, east = min(x for x, _y in flat) - RADIUS, max(x for x, _y in flat) + RADIUS
    south, north = min(y for _x, y in flat) - RADIUS, max(y for _x, y in flat) + RADIUS
    unit = (EDGE - 2 * MARGIN) / max(east - west, north - south)

    def at(x: float, y: float) -> tuple[float, float]:
        return round(MARGIN + (x - west) * unit, 1), round(MARGIN + (north - y) * unit, 1)

    dots = [Dot(*at(*point), _tone(row), row) for point, row in zip(flat, rows, strict=True)]
    dots.sort(key=lambda dot: ("full", "part", "gap").index(dot.tone))  # gaps lie on top
    centres = []
    for venue in reach.centres:
        x, y = (venue.longitude or 0.0) * shrink, (venue.latitude or 0.0) * METRES_PER_DEGREE
        if west <= x <= east and south <= y <= north:
            centres.append(Square(*at(x, y), venue.name))
    metres = next((size for size in (10_000, 5_000, 2_000, 1_000, 500) if size * unit < EDGE / 3), 200)
    return Drawing(
        round((east - west) * unit + 2 * MARGIN, 1),
        round((north - south) * unit + 2 * MARGIN, 1),
        round(RADIUS * unit, 1),
        dots,
        centres,
        round(metres * unit, 1),
        metres,
    )
