"""Venues for everybody: the list, a week, asking for one; nothing of who has booked."""

import datetime as dt
from uuid import uuid4

import pytest
from django.conf import settings as live

from tests.venues.conftest import make_hall, make_wish
from weilu.venues import services
from weilu.venues.models import Booking, Zone


@pytest.fixture
def hall(world):
    return make_hall(world, name="金穗大院", latitude=31.73, longitude=105.94)


@pytest.fixture
def visitor(world, client):
    client.cookies["county"] = world.county.code
    return client


def text(answer):
    return answer.content.decode()


def form(**given):
    day = make_wish().starts.date()
    defaults = {"day": day, "starts": "09:00", "ends": "11:00", "purpose": "读书会", "intake_key": str(uuid4())}
    return defaults | {"name": "李秀兰", "phone": "13812345678"} | given


def test_the_list_is_of_a_place_a_zone_and_a_kind(world, hall, visitor):
    make_hall(world, name="云峰调解室", place=world.other_village, kind="mediation_room")
    everything = text(visitor.get("/venues/"))
    assert hall.name in everything
    assert "云峰调解室" in everything
    here = text(visitor.get(f"/venues/?place={world.village.code}&zone=deliberation&kind=council_hall"))
    assert hall.name in here
    assert "云峰调解室" not in here
    assert hall.name not in text(visitor.get("/venues/?zone=culture"))
    assert visitor.get(f"/venues/?place={world.far_village.code}").status_code == 404
    assert visitor.get("/venues/?zone=none").status_code == 404


def test_the_week_says_when_the_list_of_a_years_holidays_is_not_out_yet(world, hall, visitor, sign_in, monkeypatch):
    monkeypatch.setattr("weilu.venues.queries.is_announced", lambda year: False)
    said = "放假安排尚未公布"
    address = f"/venues/{hall.pk}/"
    assert said not in text(visitor.get(address))  # it keeps no holidays
    hall.keeps_holidays = True
    hall.save()
    assert said in text(visitor.get(address))
    assert said in text(sign_in(world.village_clerk).get(f"/desk{address}"))
    monkeypatch.undo()
    assert said not in text(visitor.get(f"{address}?week=2026-01-01"))


def test_what_is_open_now_says_so(world, hall, visitor):
    services.set_hours(
        hall, [(day, services.Span(dt.time(0), dt.time(23, 59, 59))) for day in range(7)], by=world.clerk
    )
    assert "正在开放" in text(visitor.get("/venues/"))
    services.set_hours(hall, [], by=world.clerk)
    assert "正在开放" not in text(visitor.get("/venues/"))


def test_venues_of_another_county_and_closed_ones_are_not_listed(world, hall, visitor):
    assert hall.name not in text(visitor.get("/venues/", {"county": world.far_county.code}))
    visitor.cookies["county"] = world.county.code
    services.close(hall, by=world.clerk)
    assert hall.name not in text(visitor.get("/venues/"))
    assert visitor.get(f"/venues/{hall.pk}/").status_code == 404


def test_the_week_shows_that_it_is_taken_and_not_by_whom_or_what_for(world, hall, visitor):
    wish = make_wish(purpose="退役军人座谈", name="李秀兰", phone="13812345678")
    services.book(hall, wish, by=world.clerk)
    page = text(visitor.get(f"/venues/{hall.pk}/?week={wish.starts.date()}"))
    assert "09:00–11:00" in page
    assert "11:00–12:00" in page
    for private in ("退役军人座谈", "李秀兰", "13812345678", "CX-B"):
        assert private not in page


@pytest.mark.parametrize("week", ["x", "1066-10-14", "9999-12-31", "2026-13-01"])
def test_a_week_that_cannot_be_is_this_one(hall, visitor, week):
    assert visitor.get(f"/venues/{hall.pk}/?week={week}").status_code == 200


def test_a_resident_asks_without_an_account_and_reads_what_happens_next(world, hall, visitor):
    answer = visitor.post(f"/venues/{hall.pk}/ask/", form(), follow=True)
    booking = Booking.objects.get()
    assert booking.state == "wanted"
    assert booking.contact_phone == "13812345678"
    assert booking.number in text(answer)
    assert booking.created_by is None
    stranger = visitor.__class__()
    assert stranger.get(f"/venues/{hall.pk}/asked/").status_code == 302  # only on the device that asked


def test_a_member_asks_as_themselves_and_gives_no_telephone(world, hall, sign_in):
    page = sign_in(world.member)
    assert 'name="phone"' not in text(page.get(f"/venues/{hall.pk}/ask/"))
    page.post(f"/venues/{hall.pk}/ask/", form())
    assert Booking.objects.get().created_by == world.member
    assert Booking.objects.get().contact_phone == ""


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"phone": ""}, ""),
        ({"phone": "12345"}, "电话"),
        ({"name": ""}, ""),
        ({"starts": "12:30", "ends": "13:30"}, "09:00–12:00"),
        ({"day": "2020-01-01"}, "已经过去"),
        ({"day": "x"}, ""),
        ({"purpose": "请打13812345678"}, "用途"),
        ({"people": "0"}, ""),
        ({"intake_key": "x"}, ""),
    ],
)
def test_a_request_that_cannot_be_is_refused_in_words_and_nothing_is_kept(hall, visitor, given, says):
    answer = visitor.post(f"/venues/{hall.pk}/ask/", form(**given))
    assert answer.status_code == 422
    assert says in text(answer)
    assert Booking.objects.count() == 0


def test_a_request_sent_twice_is_one(hall, visitor):
    given = form()
    for _n in range(2):
        assert visitor.post(f"/venues/{hall.pk}/ask/", given).status_code == 302
    assert Booking.objects.count() == 1


def test_a_stranger_who_asks_too_often_is_told_when_to_come_again(hall, visitor, settings):
    settings.RATE_LIMITS = live.RATE_LIMITS | {"file": 2}
    answers = [visitor.post(f"/venues/{hall.pk}/ask/", form(phone="")).status_code for _n in range(3)]
    assert answers == [422, 422, 429]


def test_a_venue_that_is_not_for_booking_is_not_asked_for(hall, visitor):
    hall.bookable = False
    hall.save()
    assert visitor.post(f"/venues/{hall.pk}/ask/", form()).status_code == 302
    assert Booking.objects.count() == 0


def test_a_map_gets_the_points_of_the_list_with_its_table(world, hall, visitor):
    make_hall(world, name="没有位置")
    found = visitor.get(f"/venues/points.json?place={world.village.code}").json()
    [point] = found["points"]
    assert point["name"] == hall.name
    assert (point["latitude"], point["longitude"]) == (31.73, 105.94)
    assert point["url"] == f"/venues/{hall.pk}/"
    assert found["table"] == f"/venues/?place={world.village.code}"
    assert point["zone"] == str(Zone.objects.get(pk=hall.zone_id))
    assert visitor.get("/venues/points.json", {"county": world.far_county.code}).json()["points"] == []


def test_what_is_wrong_with_a_request_is_said_once_and_plainly(hall, visitor):
    answer = visitor.post(f"/venues/{hall.pk}/ask/", form(phone="123"))
    assert "不填" not in text(answer)  # the telephone is required here
    again = text(visitor.post(f"/venues/{hall.pk}/ask/", form(ends="09:00")))
    assert "结束时间必须晚于开始时间" in again
    assert "nonfield" not in again
