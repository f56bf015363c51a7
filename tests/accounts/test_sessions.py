"""One's sessions: seen with device and address, ended one by one or all others, and really ended."""

import datetime as dt

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.conftest import PASSWORD
from weilu.accounts.models import Session

PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36 MicroMessenger/8.0"
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"


def at_desk(log_in):
    return log_in(headers={"user-agent": DESK}, REMOTE_ADDR="198.51.100.1")


def with_phone(log_in, name="clerk"):
    return log_in(name, headers={"user-agent": PHONE}, REMOTE_ADDR="203.0.113.7")


def test_the_page_shows_each_session_with_device_and_address_and_says_which_is_this(world, log_in):
    desk, _phone = at_desk(log_in), with_phone(log_in)
    page = desk.get("/account/security/").content.decode()
    assert "Chrome · Windows" in page
    assert "微信 WeChat · Android" in page
    assert "203.0.113.7" in page
    assert page.index("Chrome · Windows") < page.index("微信")


def test_the_key_of_a_session_stands_on_no_page(world, log_in):
    desk, phone = at_desk(log_in), with_phone(log_in)
    page = desk.get("/account/security/").content.decode()
    for client in (desk, phone):
        assert client.cookies["sessionid"].value not in page


def test_an_ended_session_is_ended_at_its_next_request(world, log_in):
    desk, phone = at_desk(log_in), with_phone(log_in)
    assert phone.get("/desk/").status_code == 200
    row = Session.objects.get(session_key=phone.cookies["sessionid"].value)
    desk.post(f"/account/sessions/{row.id}/end/")
    assert phone.get("/desk/").status_code == 302
    assert desk.get("/desk/").status_code == 200
    assert not Session.objects.filter(pk=row.pk).exists()


def test_a_session_that_was_ended_during_a_request_does_not_come_back(world, log_in):
    phone = with_phone(log_in)
    session = phone.session
    session["x"] = 1  # read, and changed, but not written yet
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        session.save()
    assert not Session.objects.exists()


def test_all_others_are_ended_at_once(world, log_in):
    desk, phone, tablet = at_desk(log_in), with_phone(log_in), with_phone(log_in)
    somebody = with_phone(log_in, "observer")
    desk.post("/account/sessions/end/")
    assert [client.get("/desk/").status_code for client in (desk, phone, tablet, somebody)] == [200, 302, 302, 200]


def test_sessions_of_others_are_not_ended(world, log_in):
    desk, other = at_desk(log_in), with_phone(log_in, "observer")
    row = Session.objects.get(user=world.observer)
    assert desk.post(f"/account/sessions/{row.id}/end/").status_code == 404
    assert other.get("/desk/").status_code == 200


def test_the_last_use_and_the_address_are_noted_every_five_minutes_and_not_more_often(world, log_in):
    phone = with_phone(log_in)
    key = phone.cookies["sessionid"].value
    with CaptureQueriesContext(connection) as found:
        phone.get("/messages/")
    assert not [query for query in found if query["sql"].startswith("UPDATE")]
    long_ago = timezone.now() - dt.timedelta(minutes=6)
    Session.objects.filter(pk=key).update(used_at=long_ago)
    phone.get("/messages/", REMOTE_ADDR="203.0.113.99")
    row = Session.objects.get(pk=key)
    assert row.used_at > long_ago
    assert row.address == "203.0.113.99"


def test_a_session_is_read_with_one_query(world, log_in):
    phone = with_phone(log_in)
    phone.get("/messages/")
    with CaptureQueriesContext(connection) as found:
        phone.get("/messages/")
    assert len([query for query in found if "accounts_session" in query["sql"]]) == 1


def test_a_new_password_keeps_this_session_and_ends_the_others(world, log_in):
    desk, phone = at_desk(log_in), with_phone(log_in)
    new = "seven-Lamps-by-the-river"
    desk.post("/account/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert desk.get("/desk/").status_code == 200
    assert phone.get("/desk/").status_code == 302
    assert "Chrome · Windows" in desk.get("/account/security/").content.decode()


def test_logging_out_takes_the_session_from_the_list(world, log_in):
    desk, phone = at_desk(log_in), with_phone(log_in)
    phone.post("/logout/")
    assert "微信" not in desk.get("/account/security/").content.decode()


def test_a_browser_that_names_itself_strangely_is_listed(world, log_in):
    for agent in ("", "x" * 5000, "<script>", "😀"):
        client = log_in(headers={"user-agent": agent})
        page = client.get("/account/security/").content.decode()
        assert "<script>alert" not in page
        assert client.get("/desk/").status_code == 200
