"""Bookings, from asking to the answer."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from weilu.records.calendar import BEIJING
from weilu.records.models import Event, Notification
from weilu.records.moves import Incomplete, NotAllowed, NotPossible, Stale
from weilu.venues import services
from weilu.venues.models import Booking
from weilu.venues.queries import stranded, to_answer, week_of
from weilu.venues.services import BadTime, Taken, Wish


def moves(booking):
    return [event.move for event in Event.objects.of(booking)]


def test_a_resident_asks_and_the_clerk_confirms(world, hall, wish):
    booking = services.ask_for(hall, wish(name="李秀兰", phone="13812345678"), by=None)
    assert booking.state == "wanted"
    assert booking.number.startswith("CX-B")
    assert booking.due_at
    assert list(to_answer(world.village_clerk)) == [booking]
    done = services.confirm(booking, by=world.village_clerk, version=1)
    assert done.state == "confirmed"
    assert done.due_at is None
    assert moves(done) == ["ask_for", "confirm"]


def test_the_clerks_of_the_venues_place_are_told_and_nobody_else(world, hall, wish):
    services.ask_for(hall, wish(), by=None)
    assert [row.user for row in Notification.objects.filter(kind="booking_wanted")] == [world.village_clerk]


def test_a_clerk_books_at_once(world, hall, wish):
    booking = services.book(hall, wish(), by=world.clerk)
    assert booking.state == "confirmed"
    assert moves(booking) == ["book"]


def test_who_does_not_keep_the_venue_books_nothing_at_once(world, hall, wish):
    for user in (world.member, world.grid_worker, world.stranger, world.far_clerk, world.observer):
        with pytest.raises(NotAllowed):
            services.book(hall, wish(), by=user)
    assert Booking.objects.count() == 0


def test_a_member_asks_and_is_told_the_answer(world, hall, wish):
    booking = services.ask_for(hall, wish(), by=world.member)
    services.refuse(booking, by=world.clerk, version=1, note="当天有选举")
    assert Notification.objects.get(user=world.member).kind == "booking_refused"


def test_a_refusal_needs_its_reason(world, hall, wish):
    booking = services.ask_for(hall, wish(), by=None)
    with pytest.raises(Incomplete):
        services.refuse(booking, by=world.clerk, version=1, note=" ")


def test_a_clerk_of_another_township_may_not_answer(world, hall, wish):
    booking = services.ask_for(hall, wish(), by=None)
    with pytest.raises(NotAllowed):
        services.confirm(booking, by=world.stranger, version=1)


def test_a_second_clerk_overwrites_nothing(world, hall, wish):
    booking = services.ask_for(hall, wish(), by=None)
    services.confirm(booking, by=world.clerk, version=1)
    with pytest.raises(Stale):
        services.refuse(booking, by=world.village_clerk, version=1, note="不行")


def test_the_same_form_sent_twice_is_one_booking(world, hall, wish):
    first = services.book(hall, wish(), by=world.clerk)
    assert services.book(hall, wish(), by=world.clerk) == first
    assert Booking.objects.count() == 1


# --- when it cannot be ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"hour": 11, "until": 13}, "09:00–12:00"),  # over lunch
        ({"hour": 12, "until": 14}, "09:00–12:00"),
        ({"hour": 20, "until": 22}, "14:00–21:00"),
        ({"hour": 11, "until": 9}, "必须晚于"),
        ({"hour": 9, "until": 9}, "必须晚于"),
        ({"days": -1}, "已经过去"),
        ({"days": 92}, "90"),
        ({"people": 41}, "40"),
    ],
)
def test_a_time_that_cannot_be_is_refused_in_words(world, hall, wish, given, says):
    with pytest.raises(BadTime) as refused:
        services.book(hall, wish(**given), by=world.clerk)
    assert says in str(refused.value.message)
    assert Booking.objects.count() == 0


def test_a_whole_span_can_be_booked(world, hall, wish):
    assert services.book(hall, wish(9, 12), by=world.clerk).state == "confirmed"


def test_a_day_that_is_closed_is_refused_with_its_reason(world, hall, wish):
    asked = wish()
    services.set_day(hall, asked.starts.date(), span=None, note="墙面粉刷", by=world.clerk)
    with pytest.raises(BadTime) as refused:
        services.ask_for(hall, asked, by=None)
    assert "墙面粉刷" in str(refused.value.message)


def test_a_venue_that_is_not_for_booking_is_not_booked(world, hall, wish):
    hall.bookable = False
    with pytest.raises(BadTime):
        services.book(hall, wish(), by=world.clerk)


# --- two at one time --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("hour", "until"), [(9, 11), (10, 12), (9, 12), (10, 11)])
def test_a_time_that_is_taken_is_refused_at_once(world, hall, wish, hour, until):
    services.book(hall, wish(9, 11), by=world.clerk)
    for verb, by in ((services.book, world.clerk), (services.ask_for, None)):
        with pytest.raises(Taken):
            verb(hall, wish(hour, until, key="two"), by=by)


def test_the_next_begins_when_the_first_ends(world, hall, wish):
    services.book(hall, wish(9, 11), by=world.clerk)
    assert services.book(hall, wish(11, 12, key="two"), by=world.clerk).state == "confirmed"


def test_two_may_ask_for_one_time_but_only_one_is_confirmed(world, hall, wish):
    first = services.ask_for(hall, wish(9, 11), by=None)
    second = services.ask_for(hall, wish(10, 12, key="two"), by=None)
    services.confirm(second, by=world.clerk, version=1)
    assert [row.clashes for row in to_answer(world.clerk)] == [True]
    with pytest.raises(Taken):
        services.confirm(first, by=world.clerk, version=1)
    first.refresh_from_db()
    assert first.state == "wanted"
    assert moves(first) == ["ask_for"]


def test_the_database_itself_refuses_two_confirmed_at_one_time(world, hall, wish):
    first = services.book(hall, wish(9, 11), by=world.clerk)
    second = services.ask_for(hall, wish(11, 12, key="two"), by=None)
    with pytest.raises(IntegrityError, match="booking_no_two_at_once"), transaction.atomic():
        Booking.objects.filter(pk=second.pk).update(during=first.during, state="confirmed")


def test_a_booking_that_was_cancelled_leaves_its_time_free(world, hall, wish):
    booking = services.book(hall, wish(), by=world.clerk)
    services.cancel(booking, by=world.clerk, version=1, note="改期")
    assert services.book(hall, wish(key="two"), by=world.clerk).state == "confirmed"


# --- taking back ------------------------------------------------------------------------------------------------------
def test_who_asked_takes_it_back_and_another_member_may_not(world, hall, wish):
    booking = services.ask_for(hall, wish(), by=world.member)
    with pytest.raises(NotAllowed):
        services.cancel(booking, by=world.second_member, version=1, note="不去了")
    assert services.cancel(booking, by=world.member, version=1, note="不去了").state == "cancelled"


def test_cancelling_needs_its_reason(world, hall, wish):
    booking = services.book(hall, wish(), by=world.clerk)
    with pytest.raises(Incomplete):
        services.cancel(booking, by=world.clerk, version=1, note="")


def test_what_is_over_is_not_cancelled(world, hall, wish):
    booking = services.book(hall, wish(), by=world.clerk)
    before = (timezone.now() - dt.timedelta(hours=3), timezone.now() - dt.timedelta(hours=1))
    Booking.objects.update(during=before)
    booking.refresh_from_db()
    with pytest.raises(BadTime):
        services.cancel(booking, by=world.clerk, version=1, note="晚了")


def test_a_request_nobody_answered_is_closed_when_its_time_has_come(world, hall, wish):
    booking = services.ask_for(hall, wish(), by=None)
    kept = services.ask_for(hall, wish(key="two", days=5), by=None)
    assert services.expire_unanswered() == 0
    now = timezone.now()
    Booking.objects.filter(pk=booking.pk).update(during=(now - dt.timedelta(hours=1), now))
    assert services.expire_unanswered() == 1
    booking.refresh_from_db()
    assert booking.state == "refused"
    with pytest.raises(NotPossible):
        services.confirm(booking, by=world.clerk, version=2)
    kept.refresh_from_db()
    assert kept.state == "wanted"


# --- what depends on bookings -----------------------------------------------------------------------------------------
def test_a_venue_with_bookings_to_come_is_not_closed(world, hall, wish):
    booking = services.book(hall, wish(), by=world.clerk)
    with pytest.raises(BadTime):
        services.close(hall, by=world.clerk)
    services.cancel(booking, by=world.clerk, version=1, note="搬迁")
    assert services.close(hall, by=world.clerk).valid_to == timezone.localdate()


def test_bookings_that_new_hours_leave_outside_are_pointed_out(world, hall, wish):
    booking = services.book(hall, wish(), by=world.clerk)
    assert stranded(hall) == []
    services.set_hours(hall, [], by=world.clerk)
    hall.refresh_from_db()
    assert stranded(hall) == [booking]


def test_the_week_shows_what_is_booked_and_what_is_left(world, hall, wish):
    asked = wish(10, 11)
    services.book(hall, asked, by=world.clerk)
    services.ask_for(hall, wish(15, 16, key="two"), by=None)  # not confirmed: the time is still free
    monday = asked.starts.date() - dt.timedelta(days=asked.starts.weekday())
    row = week_of(hall, monday)[asked.starts.weekday()]
    assert [booking.purpose for booking in row.booked] == ["院坝会"]
    assert [str(span) for span in row.free] == ["09:00–10:00", "11:00–12:00", "14:00–21:00"]


def test_a_look_at_the_telephone_is_kept(world, hall, wish):
    booking = services.ask_for(hall, wish(name="李秀兰", phone="13812345678"), by=None)
    look = {"by": world.clerk, "reason": "打电话答复"}
    assert services.reveal_contact(booking, **look) == {"name": "李秀兰", "phone": "13812345678"}
    assert moves(booking) == ["ask_for", "unmask"]
    with pytest.raises(NotAllowed):
        services.reveal_contact(booking, by=world.stranger, reason="打电话答复")


# --- when the answer is due -------------------------------------------------------------------------------------------
def at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    """A moment of the week from Monday 2 March 2026, in which every day from Monday to Friday is worked."""
    return dt.datetime(2026, 3, day, hour, minute, tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("asked", "begins", "due"),
    [
        (at(2, 10), at(12, 10), at(4, 10)),  # two working days, and the event is far
        (at(2, 10), at(3, 14), at(3, 14)),  # within working time: until it begins
        (at(2, 10), at(3, 19), at(3, 17)),  # in the evening: until offices close
        (at(6, 16), at(8, 10), at(6, 17)),  # Friday for Sunday: until Friday evening
        (at(7, 10), at(8, 10), at(8, 10)),  # Saturday for Sunday: no office opens before
    ],
)
def test_an_answer_is_promised_before_the_event(world, hall, monkeypatch, asked, begins, due):
    monkeypatch.setattr(timezone, "now", lambda: asked)
    wished = Wish(begins, begins + dt.timedelta(hours=1), "院坝会", "one", phone="13812345678")
    booking = services.ask_for(hall, wished, by=None)
    assert (booking.due_at, booking.promised_at) == (due, due)
