"""Whoever looks at numbers in full says why, wherever they stand, and whom they belong to reads it."""

import datetime as dt

import pytest
from django.utils import timezone

from weilu.matters.services import Contact
from weilu.orgs.models import Place
from weilu.people.persons import make_person
from weilu.records.models import Event
from weilu.venues import services as bookings
from weilu.venues.hours import Span
from weilu.venues.services import Wish
from weilu.venues.setup import begin_zones

PHONE = "13812345678"
NO_REASONS = ["", "   ", ".", "。。", "…!", "、 、", "查"]


@pytest.fixture
def kept(world):
    """A matter, a booking and a person of the village, each with a telephone; their pages."""
    matter = world.matter(contact=Contact("田七", PHONE), intake_key="mine")
    begin_zones(world.jurisdiction)
    from weilu.venues.models import Venue, Zone

    zone = Zone.objects.filter(jurisdiction=world.jurisdiction).first()
    hall = Venue(jurisdiction=world.jurisdiction, kind="council_hall", name="议事厅", zone=zone, place=world.village)
    bookings.enter(hall, by=world.clerk)
    bookings.set_hours(hall, [(day, Span(dt.time(9), dt.time(18))) for day in range(7)], by=world.clerk)
    hall.keeps_holidays = False
    day = timezone.localdate() + dt.timedelta(days=5)
    from weilu.records.calendar import BEIJING

    at = [dt.datetime.combine(day, dt.time(hour), BEIJING) for hour in (10, 11)]
    booking = bookings.ask_for(hall, Wish(*at, "院坝会", "k", name="田七", phone=PHONE), by=None)
    home = Place.objects.select_related("parent__parent__parent").get(pk=world.village.pk)
    person = make_person(by=None, home=home, name="田七", phone=PHONE)
    return {
        f"/matters/{matter.number}/contact/": matter.pk,
        f"/bookings/{booking.number}/contact/": booking.pk,
        f"/people/{person.pk}/numbers/": person.pk,
    }


def looks(pk):
    return list(Event.objects.filter(record_id=pk, move="unmask").values_list("actor_name", "note"))


def test_no_number_is_shown_without_a_reason(world, kept, sign_in):
    desk = sign_in(world.clerk)
    for address, pk in kept.items():
        for reason in NO_REASONS:
            answer = desk.post(address, {"reason": reason})
            assert answer.status_code == 422, (address, reason)
            assert PHONE not in answer.content.decode()
            assert "说明为什么要看" in answer.content.decode()
        assert not looks(pk)


def test_the_reason_is_kept_and_the_number_is_shown_once(world, kept, sign_in):
    desk = sign_in(world.clerk)
    for address, pk in kept.items():
        answer = desk.post(address, {"reason": " 打电话  答复 "})
        assert PHONE in answer.content.decode()
        assert looks(pk) == [(world.clerk.name, "打电话 答复")]
        page = desk.get(address.rsplit("/", 2)[0] + "/").content.decode()
        assert PHONE not in page
        assert "打电话 答复" in page


def test_the_resident_reads_why_their_contact_was_looked_at(world, kept, sign_in, client):
    from weilu.matters.services import secret_for

    [address, *_rest] = kept
    sign_in(world.clerk).post(address, {"reason": "打电话问哪盏灯"})
    client.logout()
    number = address.split("/")[2]
    page = client.post("/follow/", {"number": number, "secret": secret_for("mine")}, follow=True).content.decode()
    assert "打电话问哪盏灯" in page
    assert world.clerk.name not in page
