"""An indicator reads what the records say, for every place, period and way to take it apart."""

import datetime as dt
import random
from collections import Counter
from uuid import uuid4

import pytest
from django.utils import timezone

from tests import conftest
from weilu.indicators.catalogue import catalogue
from weilu.indicators.live import grouping_of
from weilu.indicators.reading import TIMES, UnknownBreakdown, narrowed, read, rows_of, ways
from weilu.lib.indicators import Adds
from weilu.lib.period import BEIJING, Period
from weilu.matters.models import Category, Matter
from weilu.matters.workflow import DONE, State
from weilu.orgs.changes import NewPlace, merge
from weilu.orgs.models import Grant, Level
from weilu.orgs.roles import Role

DECEMBER = dt.datetime(2025, 12, 31, 23, 59, 59, tzinfo=BEIJING)
JANUARY = dt.datetime(2026, 1, 1, tzinfo=BEIJING)


def settled(world, at, when, **columns) -> Matter:
    """A matter of ``at`` that was raised two days before it was settled."""
    matter = world.matter(at=at)
    Matter.objects.filter(pk=matter.pk).update(
        state=columns.pop("state", State.SETTLED),
        created_at=when - dt.timedelta(days=2),
        settled_at=when,
        due_at=None,
        **columns,
    )
    return matter


def value(code, place, period, by=""):
    return read(catalogue()[code], place, Period.of(period), by).whole.value


def test_a_matter_counts_in_the_year_in_which_it_was_settled_in_beijing(world):
    settled(world, world.village, DECEMBER)
    settled(world, world.village, JANUARY)
    assert value("matters.settled", world.county, "2025") == 1
    assert value("matters.settled", world.county, "2026") == 1
    assert value("matters.settled", world.county, "2025-12") == 1
    assert value("matters.settled", world.county, "2026Q1") == 1


def test_a_place_has_its_own_and_no_others(world):
    settled(world, world.village, JANUARY)
    settled(world, world.other_village, JANUARY)
    settled(world, world.far_village, JANUARY)
    wanted = {world.county: 2, world.township: 1, world.village: 1, world.other_township: 1, world.far_county: 1}
    assert {place: value("matters.settled", place, "2026") for place in wanted} == wanted
    assert value("matters.settled", world.county.parent, "2026") == 3


def test_a_share_keeps_numerator_and_denominator(world):
    settled(world, world.village, JANUARY, settled_late=True)
    settled(world, world.village, JANUARY)
    settled(world, world.village, JANUARY)
    whole = read(catalogue()["matters.in_time"], world.county, Period.of("2026")).whole
    assert (whole.numerator, whole.denominator, whole.rows) == (2, 3, 3)
    assert whole.value == pytest.approx(200 / 3)


def test_a_share_of_nothing_is_no_share(world):
    whole = read(catalogue()["matters.in_time"], world.county, Period.of("2026")).whole
    assert whole.value is None
    assert whole.rows == 0


def test_a_ratio_is_no_average_of_averages(world):
    for place, days in ((world.village, 2), (world.village, 2), (world.other_village, 8)):
        matter = settled(world, place, JANUARY)
        Matter.objects.filter(pk=matter.pk).update(created_at=JANUARY - dt.timedelta(days=days))
    reading = read(catalogue()["matters.days"], world.county, Period.of("2026"), "township")
    assert reading.whole.value == pytest.approx(4)
    assert {part.name: part.value for part in reading.parts} == {"陵江镇": 2, "云峰镇": 8}


def test_not_rated_is_neither_satisfied_nor_not(world):
    settled(world, world.village, JANUARY, state=State.RATED, rating=5)
    settled(world, world.village, JANUARY, state=State.RATED, rating=2)
    settled(world, world.village, JANUARY, state=State.UNRATED)
    assert value("matters.satisfied", world.county, "2026") == 50
    assert value("matters.rated", world.county, "2026") == pytest.approx(200 / 3)


def test_a_member_who_settled_two_orders_is_one_person(world):
    for member in (world.member, world.member, world.second_member):
        settled(world, world.village, JANUARY, taken_by=member)
    assert value("orders.services", world.county, "2026") == 3
    assert value("orders.members", world.county, "2026") == 2


def test_a_person_in_two_groups_counts_once_in_the_whole(world):
    settled(world, world.village, JANUARY, taken_by=world.member)
    settled(world, world.other_village, JANUARY, taken_by=world.member)
    reading = read(catalogue()["orders.members"], world.county, Period.of("2026"), "township")
    assert [part.value for part in reading.parts] == [1, 1]
    assert reading.whole.value == 1


def test_a_stock_is_read_at_the_end_of_the_period(world):
    Grant.objects.filter(user=world.clerk).update(valid_from=dt.date(2026, 2, 1), valid_to=dt.date(2026, 3, 31))
    counts = {month: value("accounts.registered", world.township, month) for month in ("2026-01", "2026-02", "2026-03")}
    others = counts["2026-01"]
    assert counts == {"2026-01": others, "2026-02": others + 1, "2026-03": others}


def test_what_was_open_then_is_open_then(world):
    settled(world, world.village, JANUARY)
    assert value("matters.unsettled", world.village, "2025-12") == 1
    assert value("matters.unsettled", world.village, "2026-01") == 0


def test_a_way_that_is_not_there_is_refused_with_those_that_are(world):
    with pytest.raises(UnknownBreakdown, match="category"):
        read(catalogue()["matters.raised"], world.county, Period.of("2026"), "colour")


def test_groups_of_a_joined_column_have_the_words_of_its_choices(world):
    """The kind of a booking's venue is said in words at every level."""
    indicator = catalogue()["venues.bookings"]
    kind = next(way for way in indicator.breakdowns if way.code == "kind")
    assert kind.choices
    assert "__" in kind.key
    grouping = grouping_of(indicator, indicator.rows(), Period.of("2026"), "kind")
    assert grouping.named(["council_hall"]) == {"council_hall": ("council_hall", str(kind.choices()["council_hall"]))}


def test_a_stock_cannot_be_taken_apart_by_month(world):
    assert not set(TIMES) & set(ways(catalogue()["places.grids"], world.county))


def test_a_place_is_taken_apart_by_the_levels_below_it_only(world):
    assert "county" not in ways(catalogue()["matters.raised"], world.township)
    assert "village" in ways(catalogue()["matters.raised"], world.township)


def test_one_query_reads_a_figure_with_its_parts(world, django_assert_num_queries):
    settled(world, world.village, JANUARY)
    with django_assert_num_queries(1):
        read(catalogue()["matters.settled"], world.county, Period.of("2026"), "month")


@pytest.mark.parametrize("code", list(catalogue()))
def test_every_indicator_reads_every_way_and_its_rows_are_as_many_as_it_says(world, code):
    indicator = catalogue()[code]
    year = Period.of(str(timezone.localdate().year))
    for _each in range(2):
        settled(world, world.village, timezone.now(), taken_by=world.member)
    for place in (world.county.parent, world.county, world.village):
        for by in ("", *ways(indicator, place)):
            reading = read(indicator, place, year, by)
            rows = rows_of(indicator, place, year)
            assert reading.whole.rows == rows.count()
            for part in reading.parts:
                assert narrowed(indicator, rows, by, part.key).count() == part.rows, (by, part)
            if indicator.adds is not Adds.NOTHING and by:
                assert sum(part.value or 0 for part in reading.parts) == reading.whole.value


def test_after_random_work_every_figure_is_what_counting_by_hand_gives(world):
    chance = random.Random(20260101)
    places = [world.village, world.other_village, world.grid, world.township, world.far_village]
    categories = {
        county: list(Category.objects.filter(jurisdiction=county)[:3])
        for county in (world.jurisdiction, world.far_jurisdiction)
    }
    for _each in range(80):
        place = chance.choice(places)
        county = world.far_jurisdiction if place is world.far_village else world.jurisdiction
        moment = DECEMBER + dt.timedelta(days=chance.randint(-200, 200))
        matter = world.matter(at=place, category=chance.choice(categories[county]), intake_key=str(uuid4()))
        state = chance.choice([State.RAISED, State.SETTLED, State.RATED, State.UNRATED, State.DECLINED])
        columns = {"state": state, "created_at": moment, "due_at": None}
        if state in DONE:
            columns |= {"settled_at": moment + dt.timedelta(days=chance.randint(0, 30))}
        if state == State.RATED:
            columns |= {"rating": chance.randint(1, 5)}
        Matter.objects.filter(pk=matter.pk).update(**columns)
    for text in ("2025", "2026", "2025Q4", "2026-01"):
        period = Period.of(text)
        inside = [
            row
            for row in Matter.objects.select_related("category", "township")
            if row.settled_at and period.begins <= row.settled_at < period.ends and row.county_id == world.county.pk
        ]
        by_category = read(catalogue()["matters.settled"], world.county, period, "category")
        assert by_category.whole.value == len(inside)
        assert {part.name: part.value for part in by_category.parts} == Counter(row.category.name for row in inside)
        by_place = read(catalogue()["matters.settled"], world.county, period, "township")
        assert {part.key: part.value for part in by_place.parts} == Counter(row.township.code for row in inside)
        rated = [row.rating for row in inside if row.rating]
        satisfied = read(catalogue()["matters.satisfied"], world.county, period).whole
        assert (satisfied.numerator or 0, satisfied.rows) == (sum(each >= 4 for each in rated), len(rated))


def test_a_village_without_a_role_sees_no_account_of_another(world):
    world.user("elsewhere", Role.TOWNSHIP_CLERK, world.far_county)
    assert value("accounts.registered", world.far_county, "2026") == 2


def test_what_stands_at_a_village_that_ended_is_a_group_by_its_path_too(world):
    """Grants stand at a place by its path; the groups are together the whole, and open into as many rows."""
    ended = conftest.place(f"{world.township.code}777", "并出村", Level.VILLAGE, world.township)
    Grant.objects.create(user=world.clerk, jurisdiction=world.jurisdiction, role=Role.OBSERVER, place=ended)
    into = NewPlace(code=world.village.code, name="合并村")
    merge([ended, world.village], into=into, on=timezone.localdate(), by=None)
    registered, period = catalogue()["accounts.registered"], Period.of(f"{timezone.localdate():%Y-%m}")
    found = read(registered, world.county, period, "village")
    rows = rows_of(registered, world.county, period)
    assert sum(part.rows for part in found.parts) == found.whole.rows
    for part in found.parts:
        assert narrowed(registered, rows, "village", part.key).count() == part.rows
