"""How many households reach a service centre on foot in fifteen minutes, and where they do not.

The fifteen-minute circle is that of GB 50180-2018 (城市居住区规划设计标准, 十五分钟生活圈居住区): 800 to 1,000 m.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import cos, radians
from uuid import UUID

from django.utils import timezone
from shapely import STRtree, points

from weilu.orgs.models import Jurisdiction, Level, Place, valid_on
from weilu.venues.models import Venue

MINUTES = 15
METRES_PER_MINUTE = 75  # 4.5 km/h, an adult without haste; an old person walks 60
DETOUR = 1.3  # ways along streets are about this much longer than the straight line
RADIUS = MINUTES * METRES_PER_MINUTE / DETOUR  # metres in a straight line: 865

METRES_PER_DEGREE = 111_195  # of latitude, on a sphere of 6,371 km


@dataclass
class GridReach:
    """A grid: how many households, and how many of them reach a centre."""

    place: Place
    households: int = 0
    reached: int = 0
    metres: float | None = None

    @property
    def missing(self) -> int:
        return self.households - self.reached

    @property
    def minutes(self) -> float | None:
        """The walk to the nearest centre, of the grid's farthest part that was counted."""
        return None if self.metres is None else self.metres * DETOUR / METRES_PER_MINUTE


@dataclass
class Reach:
    """The answer for a place."""

    place: Place
    centres: list[Venue]
    grids: list[GridReach] = field(default_factory=list)
    # Households of grids whose position nobody has entered: neither reached nor missing.
    unknown: int = 0

    @property
    def households(self) -> int:
        return sum(row.households for row in self.grids)

    @property
    def reached(self) -> int:
        return sum(row.reached for row in self.grids)

    @property
    def share(self) -> float | None:
        """Share of households within the walk, in per cent; None where none are known."""
        return 100 * self.reached / self.households if self.households else None

    @property
    def gaps(self) -> list[GridReach]:
        """Grids with households that do not reach a centre, those with most first."""
        return sorted((row for row in self.grids if row.missing), key=lambda row: (-row.missing, row.place.code))


class _Centres:
    """The nearest of many points, on a plane that is true to a few metres within a county."""

    def __init__(self, venues: Iterable[Venue], latitude: float):
        self.scale = METRES_PER_DEGREE * cos(radians(latitude))
        found = [self._flat(venue.latitude or 0.0, venue.longitude or 0.0) for venue in venues]
        self.tree = STRtree(points(found)) if found else None

    def _flat(self, latitude: float, longitude: float) -> tuple[float, float]:
        return longitude * self.scale, latitude * METRES_PER_DEGREE

    def distances(self, at: list[tuple[float, float]]) -> list[float | None]:
        """Return the metres from each position to the nearest centre, None without any."""
        if self.tree is None or not at:
            return [None] * len(at)
        from_here = points([self._flat(latitude, longitude) for latitude, longitude in at])
        nearest = self.tree.query_nearest(from_here, return_distance=True, all_matches=False)
        return [float(metres) for metres in nearest[1]]


def centres_of(jurisdiction: Jurisdiction) -> list[Venue]:
    """Return the service centres of a county whose position is known: people walk across borders of townships."""
    rows = Venue.objects.current().filter(
        jurisdiction=jurisdiction, kind=Venue.Kind.SERVICE_CENTRE, latitude__isnull=False
    )
    return list(rows.select_related("place").order_by("place__path", "name"))


Home = tuple[UUID, int, float | None, float | None]


def _homes(grids: dict[UUID, Place], buildings: Iterable[Place]) -> list[Home]:
    """Return grid, households and position: of buildings where they are counted, the rest of a grid at its own."""
    homes: list[Home] = []
    in_buildings: dict[UUID, int] = defaultdict(int)
    for building in buildings:
        grid = building.parent_id
        if grid in grids and building.households and building.latitude is not None:
            homes.append((grid, building.households, building.latitude, building.longitude))
            in_buildings[grid] += building.households
    for pk, grid_place in grids.items():
        rest = (grid_place.households or 0) - in_buildings[pk]
        if rest > 0:
            homes.append((pk, rest, grid_place.latitude, grid_place.longitude))
    return homes


def reach_of(place: Place, jurisdiction: Jurisdiction) -> Reach:
    """Work out which households of ``place`` reach a service centre within :data:`MINUTES` on foot."""
    below = Place.objects.filter(valid_on(timezone.localdate()), path__startswith=place.path)
    columns = ["code", "short_name", "level", "parent", "households", "latitude", "longitude", "path"]
    grids = {
        row.pk: row
        for row in below.filter(level=Level.GRID).select_related("parent").only(*columns, "parent__short_name")
    }
    buildings = below.filter(level=Level.BUILDING, households__gt=0).only(*columns).order_by()
    homes = _homes(grids, buildings.iterator())
    reach = Reach(place, centres_of(jurisdiction))
    rows = {pk: GridReach(grid) for pk, grid in grids.items()}
    known = [(lat, lng) for _grid, _count, lat, lng in homes if lat is not None and lng is not None]
    found = iter(_Centres(reach.centres, known[0][0] if known else 0.0).distances(known))
    for grid, count, latitude, _longitude in homes:
        if latitude is None:
            reach.unknown += count
            continue
        row, metres = rows[grid], next(found)
        row.households += count
        if metres is not None:
            row.reached += count if metres <= RADIUS else 0
            row.metres = max(metres, row.metres or 0.0)
    reach.grids = sorted((row for row in rows.values() if row.households), key=lambda row: row.place.code)
    return reach
