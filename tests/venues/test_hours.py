"""When a venue is open: its week, public holidays, make-up days, dates that are not as usual."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from weilu.records.calendar import BEIJING
from weilu.venues.hours import Span, day_of, is_open
from weilu.venues.models import DayException, OpeningHours
from weilu.venues.services import BadHours, drop_day, set_day, set_hours

# In 2026: 1 October is National Day, Saturday 10 October is worked for it, Saturday 17 October is not.
HOLIDAY, MADE_UP, SATURDAY, FRIDAY = (dt.date(2026, 10, day) for day in (1, 10, 17, 16))
OFFICE = [(day, Span(dt.time(9), dt.time(17))) for day in range(5)]


@pytest.fixture
def office(hall, world):
    hall.keeps_holidays = True
    hall.save()
    set_hours(hall, OFFICE, by=world.clerk)
    return hall


def spans(venue, day):
    return [str(span) for span in day_of(venue, day).spans]


def test_it_is_open_as_its_week_says(office):
    assert spans(office, FRIDAY) == ["09:00–17:00"]
    assert spans(office, SATURDAY) == []


def test_it_is_closed_on_a_public_holiday_which_is_named(office):
    day = day_of(office, HOLIDAY)
    assert day.spans == ()
    assert day.why == "国庆节"


def test_a_saturday_that_is_worked_for_a_holiday_is_open_as_a_monday(office):
    assert spans(office, MADE_UP) == ["09:00–17:00"]
    assert day_of(office, MADE_UP).why


def test_a_venue_that_keeps_no_holidays_is_open_on_them(hall):
    assert spans(hall, HOLIDAY) == ["09:00–12:00", "14:00–21:00"]


def test_in_a_year_whose_list_is_not_out_yet_it_is_closed_on_the_holidays_of_the_law(office):
    for day, name in ((dt.date(2090, 10, 2), "国庆节"), (dt.date(2090, 1, 30), "春节"), (dt.date(2027, 1, 1), "元旦")):
        assert spans(office, day) == []
        assert day_of(office, day).why == name
    assert spans(office, dt.date(2090, 10, 4)) == ["09:00–17:00"]


def test_a_date_that_is_not_as_usual_goes_before_week_and_holiday(office, world):
    set_day(office, HOLIDAY, span=Span(dt.time(10), dt.time(12)), note="国庆值班", by=world.clerk)
    set_day(office, FRIDAY, span=None, note="停电", by=world.clerk)
    assert spans(office, HOLIDAY) == ["10:00–12:00"]
    assert day_of(office, FRIDAY).why == "停电"
    assert spans(office, FRIDAY) == []
    drop_day(office, FRIDAY, by=world.clerk)
    office.refresh_from_db()
    assert spans(office, FRIDAY) == ["09:00–17:00"]


def test_the_same_date_set_again_replaces_what_was_there(office, world):
    for note in ("停电", "粉刷"):
        set_day(office, FRIDAY, span=None, note=note, by=world.clerk)
    assert [row.note for row in DayException.objects.all()] == ["粉刷"]


def test_it_is_open_from_the_first_minute_and_not_at_the_last(hall):
    def at(hour, minute):
        return dt.datetime.combine(FRIDAY, dt.time(hour, minute), BEIJING)

    assert is_open(hall, at(9, 0))
    assert not is_open(hall, at(8, 59))
    assert not is_open(hall, at(12, 0))
    assert not is_open(hall, at(13, 0))


@pytest.mark.parametrize(
    "bad",
    [
        [(0, Span(dt.time(12), dt.time(9)))],
        [(0, Span(dt.time(9), dt.time(9)))],
        [(2, Span(dt.time(9), dt.time(12))), (2, Span(dt.time(11), dt.time(14)))],
    ],
)
def test_hours_that_cannot_be_are_refused_and_the_old_ones_stay(office, world, bad):
    with pytest.raises(BadHours):
        set_hours(office, bad, by=world.clerk)
    assert office.hours.count() == 5


def test_the_database_itself_refuses_hours_that_overlap(hall):
    with pytest.raises(IntegrityError, match="hours_of_a_day_apart"), transaction.atomic():
        OpeningHours.objects.create(venue=hall, weekday=0, opens=dt.time(11), closes=dt.time(15))
    OpeningHours.objects.create(venue=hall, weekday=0, opens=dt.time(12), closes=dt.time(14))  # it only touches


def test_nobody_sets_the_hours_of_a_place_that_they_do_not_keep(hall, world):
    for user in (world.stranger, world.far_clerk, world.member, world.observer):
        with pytest.raises(PermissionDenied):
            set_hours(hall, [], by=user)
    assert hall.hours.count() == 14
