"""Periods as people name them."""

import datetime as dt
import re

import pytest

from weilu.lib.period import Period, months_up_to


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2025", dt.date(2025, 1, 1), dt.date(2026, 1, 1)),
        ("2025Q1", dt.date(2025, 1, 1), dt.date(2025, 4, 1)),
        ("2025q4", dt.date(2025, 10, 1), dt.date(2026, 1, 1)),
        ("2025-02", dt.date(2025, 2, 1), dt.date(2025, 3, 1)),
        ("2025-12", dt.date(2025, 12, 1), dt.date(2026, 1, 1)),
        ("2021–2022", dt.date(2021, 1, 1), dt.date(2023, 1, 1)),
        ("2021-2022", dt.date(2021, 1, 1), dt.date(2023, 1, 1)),
        ("2025-01-15..2025-02-14", dt.date(2025, 1, 15), dt.date(2025, 2, 15)),
    ],
)
def test_a_period_has_its_days(text, start, end):
    period = Period.of(text)
    assert (period.start, period.end) == (start, end)
    assert period.last_day == end - dt.timedelta(days=1)
    assert Period.of(period.text) == period


@pytest.mark.parametrize("text", ["", "25", "2025Q5", "2025-13", "2025-1", "2025Q", "2022-2021", "0001", "２０２５x"])
def test_what_names_no_period_is_refused(text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        Period.of(text)


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("2025", "2024"),
        ("2025Q1", "2024Q4"),
        ("2025Q3", "2025Q2"),
        ("2025-01", "2024-12"),
        ("2021–2022", "2019–2020"),
        ("2025-01-11..2025-01-20", "2025-01-01..2025-01-10"),
    ],
)
def test_the_period_before_is_as_long(text, before):
    assert Period.of(text).before == Period.of(before)


def test_the_first_moment_is_midnight_in_beijing():
    assert Period.of("2025").begins.astimezone(dt.UTC) == dt.datetime(2024, 12, 31, 16, tzinfo=dt.UTC)


def test_twelve_months_end_with_this_one():
    months = months_up_to(dt.date(2026, 2, 28), 12)
    assert [months[0].text, months[-2].text, months[-1].text] == ["2025-03", "2026-01", "2026-02"]


@pytest.mark.parametrize(
    "text", ["2025-02-02..2025-02-01", "2025-02-30..2025-03-01", "2025-01-01..", "0001-01-01..2025-01-01"]
)
def test_days_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match=r"."):
        Period.of(text)


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("2025", "2024"),
        ("2025Q1", "2024Q1"),
        ("2025-03", "2024-03"),
        ("2024-02-29..2024-03-10", "2023-02-28..2023-03-10"),
    ],
)
def test_the_same_period_of_the_year_before(text, then):
    assert Period.of(text).a_year_before == Period.of(then)
