"""Figures that places have published, beside what the records say.

The values are facts with their source, kept in ``data/published.csv``. The places that published them are not named:
``weilu demo figures`` lays out an invented city of that size, and each figure is read there.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet

from weilu.indicators.catalogue import catalogue
from weilu.indicators.reading import read
from weilu.lib.indicators import Indicator
from weilu.lib.period import Period
from weilu.orgs.models import Place
from weilu.records.models import Event

EVERYWHERE = Q()
FACTS = Path(__file__).parent / "data" / "published.csv"
# Codes of the invented places, by the scope that a source speaks of. GB/T 2260 gives 5170 to nobody.
CITY, COUNTY = "5170", "517021"
PLACES = {"city": CITY, "county": COUNTY, "community": "517002001001", "estate": "517003001001-01"}
# The events by which the laying out of these places is known: how large they are, and which steps are done.
KIND, SIZED = "figures", "size"


@dataclass(frozen=True)
class Published:
    """A figure as it was published.

    Attributes:
        figure: its id in the list of published figures, such as F14.
        source: number of the text that it stands in.
        words: what the text calls it.
        qualifier: exact, about, 余 or 多 (more than).
        scope: what it was published for: a city, a county, a community, an estate.
        scales: whether a smaller copy of the places has less of it; there are always nine modules and eight zones.
    """

    figure: str
    source: str
    words: str
    value: int
    qualifier: str
    unit: str
    scope: str
    period: str
    scales: bool

    @property
    def place(self) -> str:
        """Code of the place where it is read."""
        return PLACES[self.scope]

    @property
    def indicator(self) -> Indicator:
        """The indicator that yields it."""
        return next(item for item in catalogue().values() if self.figure in item.figures)

    def at(self, scale: int) -> int:
        """Return what is expected of places ``scale`` times smaller."""
        return max(1, round(self.value / scale)) if self.scales else self.value


@cache
def published() -> tuple[Published, ...]:
    """Return the published figures, in their order."""
    with FACTS.open(encoding="utf-8", newline="") as file:
        return tuple(_fact(row) for row in csv.DictReader(file))


def _fact(row: dict[str, Any]) -> Published:
    return Published(**{**row, "value": int(row["value"]), "scales": row["scales"] == "yes"})


@dataclass(frozen=True)
class Comparison:
    """A published figure, where it is read, and what was read; None where its place is not there."""

    fact: Published
    place: Place
    expected: int
    value: float | int | None

    @property
    def exact(self) -> bool:
        return self.value == self.expected

    def as_dict(self) -> dict[str, object]:
        """Return it, ready for JSON."""
        return {
            "id": self.fact.figure, "code": self.fact.indicator.code, "place": self.place.code,
            "period": self.fact.period, "value": self.value, "expected": self.expected, "exact": self.exact,
        }  # fmt: skip


def scale_laid_out() -> int:
    """Return how many times smaller than published the places were laid out; 0 if they were not."""
    found = Event.objects.filter(record_kind=KIND, move=SIZED, record_id__in=_city()).first()
    return found.changes["scale"] if found else 0


def _city() -> QuerySet:
    return Place.objects.filter(code=CITY, valid_to=None).values("pk")


def places_of(facts: tuple[Published, ...], scope: Q = EVERYWHERE) -> dict[str, Place]:
    """Return the places of the figures that are there and in ``scope``, by code."""
    rows = Place.objects.filter(scope, code__in={fact.place for fact in facts}, valid_to=None)
    return {place.code: place for place in rows.select_related("parent")}


def compare(fact: Published, place: Place, scale: int) -> Comparison:
    """Read a figure in its place and period."""
    found = read(fact.indicator, place, Period.of(fact.period)).whole
    return Comparison(fact, place, fact.at(scale), found.value)


def compared() -> list[Comparison]:
    """Read all published figures whose place is there."""
    facts, scale = published(), scale_laid_out() or 1
    places = places_of(facts)
    return [compare(fact, places[fact.place], scale) for fact in facts if fact.place in places]
