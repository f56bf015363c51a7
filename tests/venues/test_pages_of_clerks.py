"""Clerks enter venues, their hours and bookings in the browser."""

import datetime as dt
from uuid import uuid4

import pytest
from django.utils import timezone

from weilu.venues import services
from weilu.venues.models import Booking, Venue, Zone
from weilu.venues.setup import ZONES


def text(answer):
    return answer.content.decode()


@pytest.fixture
def desk(world, sign_in):
    return sign_in(world.village_clerk)


def fields(world, **given):
    zone = Zone.objects.filter(jurisdiction=world.jurisdiction).first()
    defaults = {"name": "调解室", "kind": "mediation_room", "zone": str(zone.pk) if zone else "", "bookable": "on"}
    return defaults | {"place_code": world.village.code} | given


def test_a_county_begins_with_eight_zones_which_it_renames(world, sign_in):
    page = sign_in(world.administrator)
    assert len(ZONES) == 8
    assert text(page.get("/settings/zones/")).count('name="') >= 4 * 9
    rows = list(Zone.objects.filter(jurisdiction=world.jurisdiction))
    given = {f"{row.code}-name": row.name for row in rows} | {f"{row.code}-position": row.position for row in rows}
    given |= {"party-name": "党建引领", "new-name": "红白喜事", "new-position": 8}
    assert page.post("/settings/zones/", given).status_code == 302
    names = list(Zone.objects.filter(jurisdiction=world.jurisdiction).values_list("name", flat=True))
    assert names[0] == "党建引领"
    assert names[-1] == "红白喜事"
    assert page.post("/settings/zones/", given | {"party-name": ""}).status_code == 422


def test_a_clerk_enters_a_venue_its_hours_and_a_booking(world, desk):
    desk.get("/desk/venues/new/")  # the county's zones begin
    answer = desk.post("/desk/venues/new/", fields(world))
    room = Venue.objects.get()
    assert answer.url == f"/desk/venues/{room.pk}/"
    hours = {f"{edge}-{day}-0": time for day in range(7) for edge, time in (("opens", "09:00"), ("closes", "17:00"))}
    assert desk.post(f"/desk/venues/{room.pk}/hours/", hours).status_code == 302
    assert room.hours.count() == 7
    day = timezone.localdate() + dt.timedelta(days=2)
    while not services.day_of(room, day).spans:
        day += dt.timedelta(days=1)
    given = {"day": day, "starts": "10:00", "ends": "11:00", "purpose": "邻里调解", "intake_key": str(uuid4())}
    answer = desk.post(f"/desk/venues/{room.pk}/book/", given)
    assert "邻里调解" in text(desk.get(answer.url))
    assert "邻里调解" in text(desk.get("/desk/venues/"))
    again = desk.post(f"/desk/venues/{room.pk}/book/", given | {"intake_key": str(uuid4())})
    assert again.status_code == 422
    assert "已经有人预约" in text(again)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"place_code": "510824101201"}, "没有"),  # of another township
        ({"place_code": "510823100201"}, "没有"),  # of another county
        ({"latitude": "31.7"}, "经度"),
        ({"latitude": "131.7", "longitude": "105.9"}, ""),
        ({"name": ""}, ""),
        ({"phone": "12"}, "电话"),
    ],
)
def test_a_venue_that_cannot_be_is_refused_and_nothing_is_kept(world, desk, given, says):
    desk.get("/desk/venues/new/")
    answer = desk.post("/desk/venues/new/", fields(world, **given))
    assert answer.status_code == 422
    assert says in text(answer)
    assert Venue.objects.count() == 0


def test_a_second_venue_of_the_same_name_is_refused_in_words(world, desk, hall):
    answer = desk.post("/desk/venues/new/", fields(world, name=hall.name))
    assert answer.status_code == 422
    assert "同名" in text(answer)


def test_a_venue_keeps_its_name_when_the_change_is_refused(world, desk, hall):
    answer = desk.post(f"/desk/venues/{hall.pk}/", fields(world, name="议事大厅", place_code="510824101201"))
    assert answer.status_code == 422
    hall.refresh_from_db()
    assert hall.name == "议事厅"


def test_half_a_span_is_refused(desk, hall):
    answer = desk.post(f"/desk/venues/{hall.pk}/hours/", {"opens-0-0": "09:00"})
    assert answer.status_code == 422
    assert "星期一" in text(answer)
    assert hall.hours.count() == 14


def test_a_date_is_closed_and_opened_again(desk, hall):
    day = timezone.localdate() + dt.timedelta(days=3)
    desk.post(f"/desk/venues/{hall.pk}/day/", {"day": day, "note": "停电"})
    assert "停电" in text(desk.get(f"/desk/venues/{hall.pk}/"))
    desk.post(f"/desk/venues/{hall.pk}/day/", {"drop": day.isoformat()})
    assert "停电" not in text(desk.get(f"/desk/venues/{hall.pk}/"))
    assert desk.post(f"/desk/venues/{hall.pk}/day/", {"drop": "x"}).status_code == 404


def test_a_clerk_answers_a_request(world, desk, hall, wish):
    booking = services.ask_for(hall, wish(name="李秀兰", phone="13812345678"), by=None)
    shown = text(desk.get(booking.get_absolute_url()))
    assert "13812345678" not in shown
    assert "138****5678" in shown
    assert "13812345678" in text(desk.post(f"{booking.get_absolute_url()}contact/", {"reason": "打电话答复"}))
    assert desk.post(f"{booking.get_absolute_url()}refuse/", {"version": 1, "note": ""}).status_code == 409
    desk.post(f"{booking.get_absolute_url()}confirm/", {"version": 1})
    booking.refresh_from_db()
    assert booking.state == "confirmed"
    assert desk.post(f"{booking.get_absolute_url()}confirm/", {"version": 1}).status_code == 409
    assert desk.post(f"{booking.get_absolute_url()}vanish/", {"version": 2}).status_code == 404


def test_outside_the_scope_a_venue_and_its_bookings_are_not_there(world, hall, wish, sign_in):
    booking = services.book(hall, wish(), by=world.clerk)
    page = sign_in(world.stranger)
    for address in (f"/desk/venues/{hall.pk}/", f"/desk/venues/{hall.pk}/book/", booking.get_absolute_url()):
        assert page.get(address).status_code == 404
    assert page.post(f"{booking.get_absolute_url()}cancel/", {"version": 1, "note": "x"}).status_code == 404
    assert hall.name not in text(page.get("/desk/venues/"))
    assert booking.purpose not in text(page.get("/desk/venues/"))
    assert Booking.objects.get().state == "confirmed"


def test_a_member_finds_their_own_booking_and_takes_it_back(world, hall, wish, sign_in):
    mine = services.ask_for(hall, wish(), by=world.member)
    other = services.ask_for(hall, wish(key="two"), by=world.second_member)
    page = sign_in(world.member)
    shown = text(page.get("/bookings/"))
    assert mine.number in shown
    assert other.number not in shown
    assert page.get(other.get_absolute_url()).status_code == 404
    page.post(f"{mine.get_absolute_url()}cancel/", {"version": 1, "note": "改期"})
    mine.refresh_from_db()
    assert mine.state == "cancelled"


def test_a_message_of_a_booking_leads_to_it(world, hall, wish, desk):
    booking = services.ask_for(hall, wish(), by=None)
    assert booking.get_absolute_url() in text(desk.get("/messages/"))
    assert booking.get_absolute_url() in text(desk.get("/desk/"))


def test_a_room_has_seats_and_lists_say_a_dash_where_nothing_is_chosen(world, hall, sign_in):
    page = text(sign_in(world.village_clerk).get(f"/desk/venues/{hall.pk}/"))
    assert "容纳人数" in page
    assert "职数" not in page
    assert "---------" not in page
