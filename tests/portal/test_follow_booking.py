"""A resident follows a booking by its number and secret, and takes it back; nobody else does."""

import re

import pytest
from django.test import Client

from tests.venues.conftest import make_hall, make_wish
from weilu.records.models import Event, Notification
from weilu.venues import services
from weilu.venues.models import Booking


@pytest.fixture
def hall(world):
    return make_hall(world)


@pytest.fixture
def booking(world, hall):
    return services.ask_for(hall, make_wish(phone="13812345678", name="李秀兰"), by=None)


def secret(booking):
    return services.secret_for(booking.intake_key)


def follow(client, number, code):
    return client.post("/follow/", {"number": number, "secret": code}, follow=True)


def text(answer):
    return answer.content.decode()


def test_the_page_after_asking_shows_a_secret_with_which_any_device_follows(world, hall, client):
    from tests.portal.test_public_venues import form

    client.cookies["county"] = world.county.code
    shown = text(client.post(f"/venues/{hall.pk}/ask/", form(), follow=True))
    booking = Booking.objects.get()
    [code] = re.findall(r"data-secret>(\w+)<", shown)
    assert code == secret(booking)
    assert code not in str(bytes(booking.secret_hash))
    elsewhere = Client()
    page = follow(elsewhere, booking.number.lower(), f" {code[:4]} {code[4:].lower()}")
    assert page.wsgi_request.path == f"/follow/bookings/{booking.number}/"
    assert "议事厅" in text(page)
    assert "13812345678" not in text(page)
    assert booking.number in text(elsewhere.get("/follow/"))
    elsewhere.post("/follow/leave/")
    assert elsewhere.get(f"/follow/bookings/{booking.number}/").status_code == 404


def test_a_wrong_secret_opens_nothing(world, hall, booking, client):
    for code in ("22222222", secret(booking)[::-1]):
        assert follow(client, booking.number, code).status_code == 422
    own = services.ask_for(hall, make_wish(15, 16, key="two"), by=world.member)  # an account's own has no secret
    assert follow(client, own.number, services.secret_for(own.intake_key)).status_code == 422
    assert client.get(f"/follow/bookings/{booking.number}/").status_code == 404
    assert client.post(f"/follow/bookings/{booking.number}/cancel/", {"version": 1}).status_code == 404
    booking.refresh_from_db()
    assert booking.state == "wanted"


@pytest.mark.parametrize("confirmed", [False, True])
def test_the_resident_takes_it_back_and_the_clerk_is_told(world, booking, client, confirmed):
    version = 1
    if confirmed:
        version = services.confirm(booking, by=world.village_clerk, version=1).version
    follow(client, booking.number, secret(booking))
    address = f"/follow/bookings/{booking.number}/"
    assert client.post(f"{address}cancel/", {"version": 9}).status_code == 409
    assert client.post(f"{address}cancel/", {"version": version, "note": "改天再办"})["Location"] == address
    booking.refresh_from_db()
    assert (booking.state, booking.due_at) == ("cancelled", None)
    event = Event.objects.of(booking).last()
    assert (event.move, event.actor, event.note) == ("cancel", None, "改天再办")
    assert Notification.objects.get(kind="booking_withdrawn").user == world.village_clerk
    page = text(client.get(address))
    assert "您取消了预约" in page
    assert f"{address}cancel/" not in page
    assert client.post(f"{address}cancel/", {"version": booking.version}).status_code == 409


def test_a_booking_that_is_over_is_not_taken_back(booking, client):
    from psycopg.types.range import Range

    follow(client, booking.number, secret(booking))
    earlier = services.timezone.now() - services.dt.timedelta(days=3)
    Booking.objects.update(during=Range(earlier, earlier + services.dt.timedelta(hours=1)))
    assert client.post(f"/follow/bookings/{booking.number}/cancel/", {"version": 1}).status_code == 409


def test_each_step_is_told_without_the_names_of_offices(world, booking, client):
    follow(client, booking.number, secret(booking))
    address = f"/follow/bookings/{booking.number}/"
    assert "答复您" in text(client.get(address))
    services.reveal_contact(booking, by=world.village_clerk, reason="打电话答复")
    services.refuse(booking, by=world.village_clerk, version=1, note="当天有选举")
    page = text(client.get(address))
    for said in ("打电话答复", "当天有选举", "没有约上"):
        assert said in page
    assert world.village_clerk.name not in page


def test_matters_are_followed_as_before(world, client):
    from weilu.matters.services import secret_for

    matter = world.matter(intake_key="mine")
    page = follow(client, matter.number, secret_for("mine"))
    assert page.wsgi_request.path == f"/follow/{matter.number}/"
