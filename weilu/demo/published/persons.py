"""Invented people, each known by a number: the same number is always the same person.

ID numbers are valid in form and belong to nobody: their order is one of those that GB 11643 keeps for people of a
hundred years and more.
"""

import datetime as dt
from dataclasses import dataclass
from random import Random

from stdnum.cn import ric

from weilu.demo.names import MEN, MEN_LAST, SURNAMES, WOMEN, WOMEN_LAST

BORN_FROM, BORN_DAYS = dt.date(1958, 1, 1), 15_500
STEP = 7_919  # no divisor of the days: neighbours in number are not so in age
ORDERS = (996, 997, 998, 999)
FAMILIES = [name for name, weight in SURNAMES.items() for _each in range(max(1, weight // 3))]
# Where the numbers of each group begin, in every district and in the county.
REPORTED, WORKERS, GRID_WORKERS, VOLUNTEERS, CHAIRS, HEADS, STAFF = 0, 20_000, 22_000, 24_000, 32_000, 35_000, 38_000
MEMBERS, OTHERS, BUREAUS = 40_000, 56_000, 60_000


@dataclass(frozen=True)
class Somebody:
    """What rosters say of a person."""

    name: str
    id_number: str
    joined: str


def somebody(place: str, number: int) -> Somebody:
    """Return the person of a number in a district or county."""
    rng = Random(int(place) * 100_000 + number)
    born = BORN_FROM + dt.timedelta(days=number * STEP % BORN_DAYS)
    order = ORDERS[(number + number // BORN_DAYS) % len(ORDERS)]
    stem = f"510000{born:%Y%m%d}{order}"
    first, last = (MEN, MEN_LAST) if order % 2 else (WOMEN, WOMEN_LAST)
    name = rng.choice(FAMILIES) + rng.choice(first) + rng.choice(last)
    joined = dt.date(born.year + 19, 7, 1)
    return Somebody(name, stem + ric.calc_check_digit(stem + "0"), joined.isoformat())
