"""Working time: public holidays with their make-up days, the hours of a day, years whose notice is not out."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weilu.records.calendar import (
    BEIJING,
    WorkingHours,
    by_regulation,
    holiday_name,
    is_announced,
    is_working_day,
)

HOURS = WorkingHours()
DAY = HOURS.day


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> dt.datetime:
    return dt.datetime(year, month, day, hour, minute, tzinfo=BEIJING)


def test_the_holidays_of_2026_are_as_announced():
    free = [dt.date(2026, 10, day) for day in range(1, 8)] + [dt.date(2026, 2, day) for day in range(15, 24)]
    made_up = [dt.date(2026, 9, 20), dt.date(2026, 10, 10), dt.date(2026, 2, 14), dt.date(2026, 2, 28)]
    assert not any(is_working_day(day) for day in free)
    assert all(is_working_day(day) for day in made_up), "Saturdays and Sundays worked instead"
    assert [is_working_day(dt.date(2026, 11, day)) for day in range(2, 9)] == [True] * 5 + [False] * 2


def test_a_deadline_over_the_national_holiday_counts_the_make_up_day():
    # Wednesday 30 September, noon: half of it, then 8, 9 and the make-up Saturday the 10th.
    assert HOURS.add(at(2026, 9, 30, 13), 3 * DAY) == at(2026, 10, 10, 13)
    assert HOURS.between(at(2026, 9, 30, 17), at(2026, 10, 8, 9)) == dt.timedelta()


def test_a_weekend_does_not_count():
    assert HOURS.add(at(2026, 11, 6, 16), dt.timedelta(hours=2)) == at(2026, 11, 9, 10)
    assert HOURS.add(at(2026, 11, 7, 3), DAY) == at(2026, 11, 9, 17)


def test_before_and_after_hours_count_from_the_next_opening():
    assert HOURS.add(at(2026, 11, 9, 7), dt.timedelta(hours=1)) == at(2026, 11, 9, 10)
    assert HOURS.add(at(2026, 11, 9, 18), dt.timedelta(hours=1)) == at(2026, 11, 10, 10)
    assert HOURS.add(at(2026, 11, 9, 9), DAY) == at(2026, 11, 9, 17)


def test_a_year_without_a_notice_has_the_holidays_of_the_regulation_and_no_make_up_days():
    assert not is_announced(2033)
    free = by_regulation(2033)
    assert free == {
        dt.date(2033, 1, 1): "元旦",
        **{dt.date(2033, 1, 30) + dt.timedelta(days=n): "春节" for n in range(4)},  # its eve is the 30th
        dt.date(2033, 4, 4): "清明",
        dt.date(2033, 5, 1): "劳动节",
        dt.date(2033, 5, 2): "劳动节",
        dt.date(2033, 6, 1): "端午",
        dt.date(2033, 9, 8): "中秋",
        **{dt.date(2033, 10, day): "国庆节" for day in (1, 2, 3)},
    }
    assert not any(is_working_day(day) for day in free)
    assert [holiday_name(day) for day in free] == list(free.values())
    assert is_working_day(dt.date(2033, 2, 3))
    others = [dt.date(2033, 1, 1) + dt.timedelta(days=n) for n in range(365)]
    assert all(is_working_day(day) == (day.weekday() < 5) for day in others if day not in free)


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_days_of_the_regulation_are_among_those_that_were_announced(year):
    assert {day: holiday_name(day) for day in by_regulation(year)} == by_regulation(year)


def test_the_days_of_the_next_new_year_and_spring_festival_are_free_announced_or_not():
    assert not any(is_working_day(dt.date(2027, *day)) for day in ((1, 1), (2, 5), (2, 6), (2, 7), (2, 8)))


def test_a_year_beyond_the_lunar_calendar_keeps_the_days_of_the_solar_one():
    assert len(by_regulation(2200)) == 6


def test_the_clock_of_another_time_zone_is_read_in_beijing_time():
    utc = dt.datetime(2026, 11, 9, 1, 0, tzinfo=dt.UTC)
    assert HOURS.add(utc, dt.timedelta(hours=1)) == at(2026, 11, 9, 10)


def test_working_time_does_not_run_backwards():
    with pytest.raises(ValueError):
        HOURS.add(at(2026, 11, 9, 10), -dt.timedelta(seconds=1))
    assert HOURS.between(at(2026, 11, 10, 10), at(2026, 11, 9, 10)) == dt.timedelta()


moments = st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2027, 6, 1), timezones=st.just(BEIJING))
amounts = st.timedeltas(dt.timedelta(), dt.timedelta(hours=240))
days = st.tuples(st.integers(0, 12), st.integers(13, 23)).map(
    lambda pair: WorkingHours(dt.time(pair[0]), dt.time(pair[1]))
)


@given(moments, amounts, days)
@settings(max_examples=150, deadline=None)
def test_between_gives_back_what_was_added(start, amount, hours):
    end = hours.add(start, amount)
    assert hours.between(start, end) == amount
    assert end >= start


@given(moments, amounts, amounts)
@settings(max_examples=100, deadline=None)
def test_adding_in_two_parts_is_adding_at_once(start, first, second):
    end = HOURS.add(HOURS.add(start, first), second)
    assert HOURS.between(start, end) == first + second


@given(moments, amounts, amounts)
@settings(max_examples=60, deadline=None)
def test_more_work_never_ends_earlier(start, first, second):
    small, large = sorted([first, second])
    assert HOURS.add(start, small) <= HOURS.add(start, large)
