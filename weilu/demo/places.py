"""Places of the demo county: the real divisions, and grids, buildings and positions that are invented.

The divisions files hold no positions. Those given here are plausible (in the county's rectangle, villages around
their township) and wrong.
"""

from math import cos, hypot, pi, radians, sin
from pathlib import Path
from random import Random
from uuid import UUID

from rich.console import Console

from weilu.demo.county import COUNTY, TOWN, County, is_community
from weilu.demo.outlines import Outlines
from weilu.lib.copying import copy_rows
from weilu.orgs import import_divisions
from weilu.orgs.models import Level, Place

DIVISIONS = Path(__file__).parent / "data" / "divisions"
SOUTH, NORTH, WEST, EAST = 31.41, 32.13, 105.77, 106.42
TOWN_POSITION = (31.73, 105.94)
KM_OF_DEGREE = 111.0
ORDINALS = "一二三四五六七八九"


def import_places() -> None:
    """Bring in the five levels of divisions, without a bar of their own beside ours."""
    import_divisions.run(DIVISIONS, dry_run=False, console=Console(quiet=True))


def lay_out(county: County, rng: Random) -> None:
    """Read the county's places, give them positions, and make grids and buildings."""
    rows = list(Place.objects.filter(path__startswith=county.place.path, valid_to=None).order_by("code"))
    known = {place.pk: place for place in rows} | {county.place.pk: county.place}
    for place in rows:
        if place.parent_id in known:
            place.parent = known[place.parent_id]
    county.townships = [place for place in rows if place.level == Level.TOWNSHIP]
    county.villages = [place for place in rows if place.level == Level.VILLAGE]
    outlines = _position(county, rng)
    new = []
    for village in county.villages:
        grids = [_grid(village, number, rng) for number in range(1, rng.choice((2, 3, 3, 4)) + 1)]
        outlines.hold(village, grids)
        county.grids[village.pk] = grids
        new += grids
        if is_community(village):
            new += [_building(grid, number, rng) for grid in grids for number in range(1, rng.randint(2, 4))]
    _count_households(new)
    copy_rows(Place, new)
    outlines.write()


def _count_households(places: list[Place]) -> None:
    """Say how many households live in each building and grid; from the code, so that nothing else changes."""
    inside: dict[UUID | None, int] = {}
    for place in places:
        if place.level == Level.BUILDING:
            place.households = Random(f"households:{place.code}").randint(36, 96)
            inside[place.parent_id] = inside.get(place.parent_id, 0) + place.households
    for place in places:
        if place.level == Level.GRID:
            few, many = (40, 160) if place.pk in inside else (45, 130)
            place.households = Random(f"households:{place.code}").randint(few, many) + inside.get(place.pk, 0)


def near(place: Place, rng: Random, km: float) -> tuple[float, float]:
    """Return a point within ``km`` of a place, rounded to about ten metres."""
    angle, distance = rng.uniform(0, 2 * pi), km * rng.random() ** 0.6
    latitude = (place.latitude or 0) + distance * sin(angle) / KM_OF_DEGREE
    longitude = (place.longitude or 0) + distance * cos(angle) / (KM_OF_DEGREE * cos(radians(latitude)))
    return round(latitude, 4), round(longitude, 4)


def _position(county: County, rng: Random) -> Outlines:
    taken = [TOWN_POSITION]
    for township in county.townships:
        found = TOWN_POSITION if township.code == TOWN else _apart(taken, rng)
        taken.append(found)
        township.latitude, township.longitude = found
    for village in county.villages:
        km = 1.8 if is_community(village) else 5
        village.latitude, village.longitude = near(village.parent or county.place, rng, km)
    county.place.latitude, county.place.longitude = TOWN_POSITION
    outlines = Outlines(county)
    places = [county.place, *county.townships, *county.villages]
    Place.objects.bulk_update(places, ["latitude", "longitude"], batch_size=250)
    return outlines


def _apart(taken: list[tuple[float, float]], rng: Random) -> tuple[float, float]:
    """Return the point, of some drawn at random, that lies farthest from those taken."""
    drawn = [(round(rng.uniform(SOUTH, NORTH), 4), round(rng.uniform(WEST, EAST), 4)) for _ in range(30)]
    return max(drawn, key=lambda at: min(hypot(at[0] - other[0], at[1] - other[1]) for other in taken))


def _grid(village: Place, number: int, rng: Random) -> Place:
    return _below(village, number, f"第{ORDINALS[number - 1]}网格", Level.GRID, near(village, rng, 0.6))


def _building(grid: Place, number: int, rng: Random) -> Place:
    return _below(grid, number, f"{number}号楼", Level.BUILDING, near(grid, rng, 0.15))


def _below(parent: Place, number: int, name: str, level: Level, at: tuple[float, float]) -> Place:
    code = f"{parent.code}-{number:02d}"
    return Place(
        code=code, name=name, short_name=name, level=level, parent=parent, path=f"{parent.path}{code}/",
        latitude=at[0], longitude=at[1],
    )  # fmt: skip


def county_place() -> Place:
    """Return the county's own place."""
    return Place.objects.get(code=COUNTY, valid_to=None)
