"""A hall of the village and the wishes of those who want it."""

import datetime as dt

import pytest

from weilu.records.calendar import BEIJING
from weilu.venues.hours import Span
from weilu.venues.models import Venue, Zone
from weilu.venues.services import Wish, set_hours
from weilu.venues.setup import begin_zones

MORNING, EVENING = Span(dt.time(9), dt.time(12)), Span(dt.time(14), dt.time(21))


def make_hall(world, **given) -> Venue:
    """A hall of the village, open every day from 9 to 12 and from 14 to 21."""
    begin_zones(world.jurisdiction)
    zone = Zone.objects.get(jurisdiction=world.jurisdiction, code="deliberation")
    defaults = {"kind": "council_hall", "name": "议事厅", "zone": zone, "place": world.village, "capacity": 40}
    hall = Venue.objects.create(jurisdiction=world.jurisdiction, **(defaults | {"keeps_holidays": False} | given))
    set_hours(hall, [(day, span) for day in range(7) for span in (MORNING, EVENING)], by=world.county_clerk)
    return hall


def make_wish(hour: int = 9, until: int = 11, *, days: int = 3, key: str = "one", **given) -> Wish:
    """A wish some days from now."""
    day = dt.datetime.now(BEIJING).date() + dt.timedelta(days=days)
    starts, ends = (dt.datetime.combine(day, dt.time(at), BEIJING) for at in (hour, until))
    return Wish(starts, ends, given.pop("purpose", "院坝会"), key, **given)


@pytest.fixture
def hall(world) -> Venue:
    return make_hall(world)


@pytest.fixture
def wish():
    return make_wish
