"""Venues of the demo county, all invented: a service centre with its rooms in each community of the county town and one
for each township, with opening hours; bookings in the shown community and two others.
"""

import datetime as dt
from dataclasses import dataclass
from random import Random

from weilu.demo.county import COMMUNITY, County, in_town, is_community
from weilu.demo.places import near
from weilu.lib.copying import copy_rows
from weilu.lib.ids import id_at
from weilu.orgs.models import Organisation, Place, User
from weilu.records.calendar import BEIJING
from weilu.records.models import Event, next_numbers
from weilu.venues.models import Booking, DayException, OpeningHours, Venue, Zone
from weilu.venues.setup import begin_zones

Kind = Venue.Kind
SEED = "venues"
MORNING, AFTERNOON = (dt.time(9), dt.time(12)), (dt.time(14), dt.time(17, 30))
EVENING = (dt.time(14), dt.time(21))
WEEK, WORKDAYS = range(7), range(5)


@dataclass(frozen=True)
class Room:
    """A kind of room that a community has."""

    kind: str
    name: str
    zone: str
    seats: int | None
    bookable: bool
    days: range
    afternoon: tuple[dt.time, dt.time]
    holidays: bool = True


CENTRE = Room(Kind.SERVICE_CENTRE, "党群服务中心", "services", None, False, WORKDAYS, AFTERNOON)
ROOMS = (
    Room(Kind.COUNCIL_HALL, "议事厅", "deliberation", 60, True, WEEK, EVENING, False),
    Room(Kind.MEDIATION_ROOM, "调解室", "mediation", 12, True, WORKDAYS, AFTERNOON),
    Room(Kind.ACTIVITY_ROOM, "党员活动室", "party", 40, True, WEEK, EVENING, False),
    Room(Kind.SCREENING_ROOM, "红色放映室", "culture", 50, True, WEEK, EVENING, False),
    Room(Kind.AFTER_SCHOOL, "四点半课堂", "children", 30, False, WORKDAYS, (dt.time(15), dt.time(18, 30))),
    Room(Kind.CANTEEN, "助老食堂", "elderly", 36, False, WEEK, (dt.time(16), dt.time(18, 30)), False),
    Room(Kind.CHARITY_SHOP, "爱心超市", "convenience", None, False, WORKDAYS, AFTERNOON),
)
PURPOSES = (
    "院坝会",
    "读书会",
    "业委会例会",
    "主题党日",
    "书法班",
    "防诈骗讲座",
    "健康讲座",
    "邻里议事会",
    "家长沙龙",
    "红歌排练",
)
SLOTS = ((9, 0, 11, 0), (14, 30, 16, 0), (19, 0, 20, 30))


class Venues:
    """Collects the venues and writes them, then some bookings."""

    def __init__(self, county: County, now: dt.datetime):
        self.county, self.now, self.rng = county, now, Random(SEED)
        begin_zones(county.jurisdiction)
        self.zones = {zone.code: zone for zone in Zone.objects.filter(jurisdiction=county.jurisdiction)}
        self.venues: list[Venue] = []
        self.hours: list[OpeningHours] = []

    def furnish(self) -> None:
        """Make everything."""
        for township in self.county.townships:
            [_general, service] = self.county.offices[township.pk]
            self._venue(CENTRE, f"{township.short_name}便民服务中心", township, 0.2, service)
        for village in self.county.villages:
            if in_town(village) and is_community(village):
                for room in (CENTRE, *ROOMS):
                    self._venue(room, village.short_name + room.name, village, 0.25, self.county.committees[village.pk])
        copy_rows(Venue, self.venues)
        copy_rows(OpeningHours, self.hours)
        hall = next(row for row in self.venues if row.place.code == COMMUNITY and row.kind == Kind.COUNCIL_HALL)
        painted = self.now.astimezone(BEIJING).date() + dt.timedelta(days=9)
        DayException.objects.create(venue=hall, day=painted, note="墙面粉刷")
        self._bookings(painted)

    def _venue(self, room: Room, name: str, place: Place, km: float, body: Organisation) -> None:
        latitude, longitude = near(place, self.rng, km)
        address = f"{self.rng.choice('一二三')}楼{self.rng.randint(1, 3)}0{self.rng.randint(1, 8)}室"
        row = Venue(
            jurisdiction=self.county.jurisdiction, kind=room.kind, name=name, zone=self.zones[room.zone], place=place,
            organisation=body, address=address,
            phone=body.phone, latitude=latitude, longitude=longitude, capacity=room.seats, bookable=room.bookable,
            keeps_holidays=room.holidays,
        )  # fmt: skip
        self.venues.append(row)
        for weekday in room.days:
            for opens, closes in (MORNING, room.afternoon):
                self.hours.append(OpeningHours(venue=row, weekday=weekday, opens=opens, closes=closes))

    # Bookings: the last two weeks and the next, in rooms that are open every evening.

    def _bookings(self, painted: dt.date) -> None:
        rooms = [row for row in self.venues if row.kind in (Kind.COUNCIL_HALL, Kind.ACTIVITY_ROOM, Kind.SCREENING_ROOM)]
        homes = list(dict.fromkeys(row.place for row in rooms))[:3]
        rows: list[Booking] = []
        today = self.now.astimezone(BEIJING).date()
        for venue in [row for row in rooms if row.place in homes]:
            for offset in range(-14, 12):
                day = today + dt.timedelta(days=offset)
                chance = 0.55 if venue.place.code == COMMUNITY else 0.25
                if day != painted and self.rng.random() < chance:
                    rows.append(self._booking(venue, day))
        rows.sort(key=lambda row: (row.created_at, str(row.pk)))
        for year in sorted({row.created_at.astimezone(BEIJING).year for row in rows}):
            of_year = [row for row in rows if row.created_at.astimezone(BEIJING).year == year]
            numbers = next_numbers(self.county.jurisdiction, "booking", of_year[0].created_at, len(of_year))
            for row, number in zip(of_year, numbers, strict=True):
                row.number = number.replace("-", "-B", 1)
        Booking.objects.bulk_create(rows)
        copy_rows(Event, [event for row in rows for event in self._events(row)])

    def _booking(self, venue: Venue, day: dt.date) -> Booking:
        clerk = self._clerk(venue)
        hour, minute, until, past = self.rng.choice(SLOTS)
        starts = dt.datetime.combine(day, dt.time(hour, minute), BEIJING)
        made = min(starts, self.now) - dt.timedelta(hours=self.rng.randint(2, 60))
        ahead = starts > self.now + dt.timedelta(days=1)
        state = (
            "wanted" if ahead and self.rng.random() < 0.3 else "cancelled" if self.rng.random() < 0.08 else "confirmed"
        )
        wanted = state == "wanted"
        row = Booking(
            id=id_at(made), jurisdiction=self.county.jurisdiction, venue=venue, purpose=self.rng.choice(PURPOSES),
            during=(starts, dt.datetime.combine(day, dt.time(until, past), BEIJING)), people=self.rng.randint(6, 38),
            state=state, created_at=made, created_by=None if wanted else clerk,
            contact_name="李秀兰" if wanted else "",
            contact_phone="13900000000" if wanted else "",
            intake_key=f"demo:{venue.pk}:{day}",
            version=2 if state == "cancelled" else 1,
        )  # fmt: skip
        row.set_place(venue.place)
        if wanted:
            row.start_clock(2, made)
        return row

    def _clerk(self, venue: Venue) -> User:
        return self.county.desks[venue.place.pk][0]

    def _events(self, row: Booking) -> list[Event]:
        asked = row.state == "wanted"
        by = None if asked else row.created_by
        first = Event(
            id=id_at(row.created_at), jurisdiction=row.jurisdiction, record_kind="booking", record_id=row.pk,
            at=row.created_at, move="ask_for" if asked else "book", to_state="wanted" if asked else "confirmed",
            actor=by, actor_name=by.name if by else "",
        )  # fmt: skip
        if row.state != "cancelled":
            return [first]
        at = row.created_at + dt.timedelta(hours=1)
        return [
            first,
            Event(
                id=id_at(at), jurisdiction=row.jurisdiction, record_kind="booking", record_id=row.pk, at=at,
                move="cancel", from_state="confirmed", to_state="cancelled", actor=by, actor_name=by.name if by else "",
                note="参加的人太少，改期再约。",
            ),
        ]  # fmt: skip
