"""How it goes in a place: figures of the month, a trend, the places below compared, what is late and growing."""

import datetime as dt
from dataclasses import dataclass
from statistics import median
from typing import Any

from weilu.indicators.catalogue import catalogue
from weilu.indicators.choose import this_month
from weilu.indicators.reading import LEVELS, Part, read
from weilu.lib.indicators import Indicator
from weilu.lib.period import Period, months_up_to
from weilu.orgs.models import Level, Place

CARDS = [
    "matters.raised",
    "matters.settled",
    "matters.unsettled",
    "matters.in_time",
    "matters.satisfied",
    "matters.days",
    "orders.services",
    "people.members",
]
MONTHS = 12
# Of the places below: less is better for these, more for the others.
LESS_IS_BETTER = {"matters.days", "matters.unsettled"}
COMPARED = [
    "matters.raised",
    "matters.settled",
    "matters.unsettled",
    "matters.in_time",
    "matters.satisfied",
    "matters.days",
]


@dataclass(frozen=True)
class Card:
    """One figure of the month beside the month before."""

    indicator: Indicator
    now: Part
    before: Part

    @property
    def change(self) -> float | None:
        """The difference to the month before; None where one of them has no value."""
        if self.now.value is None or self.before.value is None:
            return None
        return self.now.value - self.before.value

    @property
    def tone(self) -> str:
        """``better``, ``worse`` or nothing: only where more is plainly good or bad."""
        if not self.change or self.indicator.code in ("matters.raised", "people.members"):
            return ""
        return "better" if (self.change > 0) != (self.indicator.code in LESS_IS_BETTER) else "worse"


@dataclass(frozen=True)
class Bar:
    """A month of the trend, with the heights of its two bars in the drawing."""

    period: Period
    raised: int
    settled: int
    x: float
    raised_height: float
    settled_height: float


WIDTH, HEIGHT, GAP = 720.0, 160.0, 0.28


def _trend(place: Place, today: dt.date) -> list[Bar]:
    months = months_up_to(today, MONTHS)
    year = Period(f"{months[0]}…{months[-1]}", months[0].start, months[-1].end)
    found = {
        code: {part.key: part.rows for part in read(catalogue()[code], place, year, "month").parts}
        for code in ("matters.raised", "matters.settled")
    }
    raised, settled = found["matters.raised"], found["matters.settled"]
    top = max([*raised.values(), *settled.values(), 1])
    step = WIDTH / MONTHS
    return [
        Bar(
            period=month,
            raised=raised.get(month.text, 0),
            settled=settled.get(month.text, 0),
            x=round(index * step + step * GAP / 2, 1),
            raised_height=round(HEIGHT * raised.get(month.text, 0) / top, 1),
            settled_height=round(HEIGHT * settled.get(month.text, 0) / top, 1),
        )
        for index, month in enumerate(months)
    ]


@dataclass(frozen=True)
class Child:
    """A place below, with the figures that are compared."""

    code: str
    name: str
    values: list[Part | None]
    growing: bool


def _children(place: Place, today: dt.date) -> tuple[list[Child], list[float | None]]:
    """Return the places right below with their figures of the last 90 days, and the median of each figure."""
    level = next((name for name, each in LEVELS.items() if each == place.level + 1), "")
    if not level or place.level >= Level.GRID:
        return [], []
    days = Period("90", today - dt.timedelta(days=89), today + dt.timedelta(days=1))
    columns = [{part.key: part for part in read(catalogue()[code], place, days, level).parts} for code in COMPARED]
    names = {key: part.name for column in columns for key, part in column.items() if key}
    children = [
        Child(key, name, [column.get(key) for column in columns], _growing(columns, key)) for key, name in names.items()
    ]
    children.sort(key=lambda child: -(child.values[0].rows if child.values[0] else 0))
    values = [[part.value for part in column.values() if part.key and part.value is not None] for column in columns]
    return children, [median(each) if each else None for each in values]


def _growing(columns: list[dict[str, Part]], key: str) -> bool:
    """Tell whether more came in than was settled, by more than a tenth."""
    raised, settled = columns[0].get(key), columns[1].get(key)
    return bool(raised and raised.rows > 5 and raised.rows > 1.1 * (settled.rows if settled else 0))


def dashboard_of(place: Place, today: dt.date) -> dict[str, Any]:
    """Return what the dashboard of a place shows."""
    month = this_month(today)
    known = catalogue()
    cards = [
        Card(known[code], read(known[code], place, month).whole, read(known[code], place, month.before).whole)
        for code in CARDS
    ]
    trend = _trend(place, today)
    children, medians = _children(place, today)
    best = max(
        (child for child in children if child.values[3] and child.values[3].rows >= 10), key=_in_time, default=None
    )
    return {
        "period": month,
        "cards": cards,
        "trend": trend,
        "bar_width": round(WIDTH / MONTHS * (1 - GAP) / 2, 1),
        "children": children,
        "medians": medians,
        "compared": [known[code] for code in COMPARED],
        "best": best,
        "growing": [child for child in children if child.growing],
    }


def _in_time(child: Child) -> tuple[float, int]:
    part = child.values[3]
    return (part.value or 0, part.rows) if part else (0, 0)
