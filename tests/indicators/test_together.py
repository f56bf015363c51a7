"""Figures that count the same rows are read in one pass, and say what each says by itself."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.indicators.test_cells import TODAY, YEAR, Work
from weilu.indicators.catalogue import catalogue
from weilu.indicators.reading import UnknownBreakdown, read, ways
from weilu.indicators.together import read_together
from weilu.lib.period import Period

OF_WHAT_WAS_SETTLED = ["matters.settled", "matters.in_time", "matters.satisfied", "matters.rated", "matters.days"]
PERIODS = [YEAR, f"{TODAY.year - 1}-{TODAY.year}"]


@pytest.mark.parametrize("seed", range(2))
def test_read_together_every_figure_says_what_it_says_by_itself(world, seed):
    work = Work(world, seed)
    for _step in range(60):
        work.chance.choice(work.deeds)()
    for place in (world.county.parent, world.county, world.township):
        for period in map(Period.of, PERIODS):
            for by in ("", "township", "category", "month"):
                there = [each for each in catalogue().values() if not by or by in ways(each, place)]
                found = read_together(there, place, period, by)
                assert [each.as_dict() for each in found] == [read(each, place, period, by).as_dict() for each in there]


@pytest.mark.parametrize("by", ["", "township", "category"])
def test_figures_of_what_was_settled_ask_the_base_once(world, by):
    indicators = [catalogue()[code] for code in OF_WHAT_WAS_SETTLED]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        read_together(indicators, world.county, Period.of(YEAR), by)
    assert len([each for each in asked.captured_queries if "count(" in each["sql"].lower()]) == 1


def test_a_way_that_one_of_them_does_not_have_is_refused(world):
    with pytest.raises(UnknownBreakdown, match=r"people\.members"):
        read_together(
            [catalogue()["matters.settled"], catalogue()["people.members"]], world.county, Period.of(YEAR), "channel"
        )
