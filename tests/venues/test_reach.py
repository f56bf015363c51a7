"""How many households reach a service centre on foot, and where they do not."""

import pytest

from tests.conftest import place
from tests.venues.conftest import make_hall
from weilu.orgs.models import Level
from weilu.venues.drawing import drawing
from weilu.venues.reach import METRES_PER_DEGREE, RADIUS, reach_of

HERE = (31.73, 105.94)


def north(metres):
    return HERE[0] + metres / METRES_PER_DEGREE, HERE[1]


def put(spot, at, households=None):
    spot.latitude, spot.longitude = at
    spot.households = households
    spot.save()
    return spot


@pytest.fixture
def centre(world):
    return make_hall(world, kind="service_centre", name="党群服务中心", latitude=HERE[0], longitude=HERE[1])


@pytest.fixture
def grids(world):
    """Three grids: at the door, just within, just beyond."""
    found = [put(world.grid, HERE, 100)]
    for number, metres in ((2, RADIUS - 5), (3, RADIUS + 5)):
        code = f"{world.village.code}-0{number}"
        found.append(put(place(code, f"第{number}网格", Level.GRID, world.village), north(metres), 50))
    return found


def test_the_share_is_of_households_within_fifteen_minutes(world, centre, grids):
    reach = reach_of(world.village, world.jurisdiction)
    assert (reach.households, reach.reached) == (200, 150)
    assert reach.share == 75
    assert [row.place for row in reach.gaps] == [grids[2]]
    assert 15 < reach.gaps[0].minutes < 15.2


def test_the_walk_is_that_of_the_standard():
    assert 800 <= RADIUS <= 1000  # GB 50180-2018


def test_households_of_a_building_count_where_it_stands_and_none_twice(world, centre, grids):
    put(place(f"{grids[0].code}-01", "1号楼", Level.BUILDING, grids[0]), north(RADIUS * 2), 30)
    reach = reach_of(world.village, world.jurisdiction)
    assert (reach.households, reach.reached) == (200, 120)
    assert {row.place: row.missing for row in reach.gaps} == {grids[0]: 30, grids[2]: 50}


def test_a_grid_without_position_is_neither_reached_nor_missing(world, centre, grids):
    put(grids[2], (None, None), 50)
    reach = reach_of(world.village, world.jurisdiction)
    assert reach.unknown == 50
    assert reach.share == 100


def test_without_a_centre_nobody_reaches_one_and_without_households_there_is_no_share(world, grids):
    assert reach_of(world.village, world.jurisdiction).share == 0
    assert reach_of(world.other_village, world.jurisdiction).share is None


def test_other_rooms_closed_centres_and_those_of_another_county_do_not_count(world, centre, grids):
    centre.kind = "council_hall"
    centre.save()
    assert reach_of(world.village, world.jurisdiction).reached == 0


def test_a_centre_of_the_next_township_counts(world, centre, grids):
    centre.place = world.other_village
    centre.save()
    assert reach_of(world.village, world.jurisdiction).reached == 150


def test_the_map_shows_each_grid_once_with_gaps_on_top(world, centre, grids):
    found = drawing(reach_of(world.village, world.jurisdiction))
    assert [dot.tone for dot in found.dots] == ["full", "full", "gap"]
    assert len(found.centres) == 1
    assert all(0 <= dot.x <= found.width and 0 <= dot.y <= found.height for dot in found.dots)
    ys = {dot.row.place: dot.y for dot in found.dots}
    assert ys[grids[2]] < ys[grids[0]]  # north is above


def test_the_page_names_share_and_gaps_and_only_of_ones_scope(world, centre, grids, sign_in):
    page = sign_in(world.village_clerk)
    text = page.get(page.get("/desk/venues/reach/").url).content.decode()
    assert "75.0%" in text
    assert "第3网格" in text
    assert '<svg class="reach-map"' in text
    assert page.get(f"/desk/venues/reach/{world.other_village.code}/").status_code == 404
