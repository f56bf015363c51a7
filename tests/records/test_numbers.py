"""Numbers: by jurisdiction, by year, given back by a rollback."""

import datetime as dt

from weilu.records.calendar import BEIJING
from weilu.records.models import SECRET_ALPHABET, new_secret, next_numbers

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=BEIJING)


def test_each_county_counts_for_itself(world):
    assert world.matter().number[:3] == "CX-"
    assert world.matter(at=world.far_village).number.startswith("JG-")
    assert world.matter(at=world.far_village).number.endswith("-000002")


def test_each_year_begins_anew_by_beijing_time(world):
    late = dt.datetime(2026, 12, 31, 16, 0, tzinfo=dt.UTC)  # midnight in Beijing
    assert next_numbers(world.jurisdiction, "matter", NOON, 3) == [f"CX-2026-{n:06d}" for n in (1, 2, 3)]
    assert next_numbers(world.jurisdiction, "matter", late) == ["CX-2027-000001"]
    assert next_numbers(world.jurisdiction, "matter", NOON) == ["CX-2026-000004"]


def test_each_kind_of_record_counts_for_itself(world):
    next_numbers(world.jurisdiction, "matter", NOON)
    assert next_numbers(world.jurisdiction, "petition", NOON) == ["CX-2026-000001"]


def test_a_secret_has_no_letters_that_look_alike():
    text = "".join(new_secret() for _n in range(200))
    assert set(text) <= set(SECRET_ALPHABET)
    assert not set("01OIL") & set(text)
