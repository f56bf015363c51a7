"""How it goes in a place: figures of the period beside the one before, a trend, the places below compared, what is
late and what grows."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from weilu.indicators import charts
from weilu.indicators.asked import Asked
from weilu.indicators.below import Below, Reads, can_compare, compared, level_below
from weilu.indicators.catalogue import catalogue
from weilu.indicators.reading import Part
from weilu.indicators.words import ENOUGH, NEITHER, answer, less_is_better
from weilu.lib.indicators import Indicator
from weilu.lib.period import Period, months_up_to
from weilu.orgs.models import Level

CARDS = [
    "matters.raised", "matters.settled", "matters.unsettled", "matters.late", "matters.in_time", "matters.satisfied",
    "matters.rated", "matters.days", "orders.services", "people.members",
]  # fmt: skip
# What an organisation answers for: its own work, no rosters.
OWN_CARDS = [code for code in CARDS if code not in ("people.members", "matters.rated")]
COMPARED = [
    "matters.raised", "matters.settled", "matters.unsettled", "matters.in_time", "matters.satisfied", "matters.days",
]  # fmt: skip
MONTHS = 12
LATE, RAISED, SETTLED = "matters.late", "matters.raised", "matters.settled"
USUAL_MEASURE = "matters.in_time"
USUAL_DAYS = 90
# Cards that are not compared, but counted in one pass over the same rows.
BESIDE = ["matters.rated", "orders.services"]
# What grows: at least so many came in, so much more than before or than was settled, and by so many.
FEWEST, FACTOR, BY = 5, 1.2, 3
SHOWN = 8
# Beside the map.
MOST_BARS = 20


def link(code: str, query: str, page: str = "figure") -> str:
    """Return the address of a page of a figure."""
    return reverse(page, args=[code]) + query


@dataclass(frozen=True)
class Card:
    """One figure of the period beside the period before."""

    indicator: Indicator
    now: Part
    before: Part | None
    link: str

    @property
    def change(self) -> float | None:
        """The difference to the period before; None where one of them has no value."""
        if self.before is None or self.now.value is None or self.before.value is None:
            return None
        return self.now.value - self.before.value

    @property
    def tone(self) -> str:
        """``better``, ``worse`` or nothing: only where more is plainly good or bad."""
        if not self.change or self.indicator.code in NEITHER:
            return ""
        return "better" if (self.change > 0) != less_is_better(self.indicator) else "worse"


@dataclass(frozen=True)
class Growth:
    """A category or a place where more comes in than before or than is settled."""

    key: str
    name: str
    now: int
    before: int
    settled: int
    links: tuple[str, str, str]

    @property
    def than_before(self) -> bool:
        """Whether clearly more came in than in the period before."""
        return self.now > FACTOR * self.before and self.now - self.before >= BY

    @property
    def than_settled(self) -> bool:
        """Whether clearly more came in than was settled."""
        return self.now > FACTOR * self.settled and self.now - self.settled >= BY


def late_at(asked: Asked, today: dt.date) -> Period:
    """Return the period of which what is late now is read: what is late is late today, whatever period is shown."""
    return asked.period if asked.period.last_day >= today else Period.days(today, today)


def _way_of(asked: Asked, code: str) -> str:
    """Return how the page reads a figure: by the places below where it is compared, or where it is counted in one pass
    with those that are. The whole comes with its groups, so that each period is read once."""
    apart = {*COMPARED, LATE} if asked.place.level < Level.COUNTY else {*COMPARED, LATE, *BESIDE}
    return level_below(asked.place) if code in apart else ""


def _cards(asked: Asked, reads: Reads, today: dt.date) -> list[Card]:
    codes = [code for code in (OWN_CARDS if asked.own else CARDS) if code in catalogue()]
    found = []
    for code in codes:
        period = late_at(asked, today) if code == LATE else asked.period
        before = None if code == LATE else reads(code, asked.period.before, _way_of(asked, code)).whole
        now = reads(code, period, _way_of(asked, code)).whole
        found.append(Card(catalogue()[code], now, before, link(code, asked.link(period=period.text))))
    return found


def _ahead(asked: Asked, reads: Reads, compared: list[str]) -> None:
    """Read what the page shows of the period and of the one before, what is taken apart in the same way at once."""
    cards = [code for code in (OWN_CARDS if asked.own else CARDS) if code in catalogue() and code != LATE]
    apart = level_below(asked.place)
    ways = {code: _way_of(asked, code) for code in cards} | dict.fromkeys(compared if apart else [], apart)
    for by in dict.fromkeys(ways.values()):
        together = [code for code, way in ways.items() if way == by]
        reads.ahead(together, asked.period, by)
        reads.ahead([code for code in together if code in cards], asked.period.before, by)


@dataclass(frozen=True)
class Bar:
    """A month of the trend, with the heights of its two bars in the drawing without a script."""

    period: Period
    raised: Part
    settled: Part
    links: tuple[str, str]
    x: float
    raised_height: float
    settled_height: float


WIDTH, HEIGHT, GAP = 720.0, 160.0, 0.28
BAR_WIDTH = round(WIDTH / MONTHS * (1 - GAP) / 2, 1)


def _trend(asked: Asked, reads: Reads, today: dt.date) -> list[Bar]:
    months = months_up_to(min(today, asked.period.last_day), MONTHS)
    year = Period.days(months[0].start, months[-1].last_day)
    empty = Part("", "", 0, None, None, 0)
    found = {code: {part.key: part for part in reads(code, year, "month").parts} for code in (RAISED, SETTLED)}
    top = max([part.rows for parts in found.values() for part in parts.values()], default=0) or 1
    step = WIDTH / MONTHS

    def bar(index: int, month: Period) -> Bar:
        raised, settled = (found[code].get(month.text, empty) for code in (RAISED, SETTLED))
        links = tuple(link(code, asked.link(period=month.text)) for code in (RAISED, SETTLED))
        heights = (round(HEIGHT * part.rows / top, 1) for part in (raised, settled))
        return Bar(month, raised, settled, links, round(index * step + step * GAP / 2, 1), *heights)  # type: ignore[arg-type]

    return [bar(index, month) for index, month in enumerate(months)]


def trend_chart(trend: list[Bar]) -> dict[str, Any]:
    """Return the chart of what came in and what was settled."""
    raised, settled = catalogue()[RAISED], catalogue()[SETTLED]
    return charts.columns(
        raised.unit,
        charts.month_labels([bar.period for bar in trend]),
        [
            charts.series(raised, [bar.raised for bar in trend], [bar.links[0] for bar in trend]),
            charts.series(settled, [bar.settled for bar in trend], [bar.links[1] for bar in trend]),
        ],
    )


def trend_words(trend: list[Bar], today: dt.date) -> str:
    """Return what the trend answers: whether more came in than was settled, over the months that are over."""
    over = [bar for bar in trend if bar.period.last_day < today]
    raised, settled = sum(bar.raised.rows for bar in over), sum(bar.settled.rows for bar in over)
    if raised < ENOUGH:
        return ""
    if raised > 1.1 * settled:
        return _("In %(n)s months more came in than was settled") % {"n": len(over)}
    return _("In %(n)s months settling kept up") % {"n": len(over)} if settled >= 0.95 * raised else ""


def growing(asked: Asked, reads: Reads, by: str) -> list[Growth]:
    """Return the groups where more comes in than before or than is settled, the largest surplus first."""
    before = asked.period.before
    now, was, settled = reads(RAISED, by=by), reads(RAISED, before, by), reads(SETTLED, by=by)
    past = {part.key: part.rows for part in was.parts}
    done = {part.key: part.rows for part in settled.parts}
    found = [
        Growth(
            part.key,
            part.name,
            part.rows,
            past.get(part.key, 0),
            done.get(part.key, 0),
            (
                link(RAISED, asked.link(by=by, key=part.key), "figure_rows"),
                link(RAISED, asked.link(by=by, key=part.key, period=before.text), "figure_rows"),
                link(SETTLED, asked.link(by=by, key=part.key), "figure_rows"),
            ),
        )
        for part in now.parts
        if part.key and part.rows >= FEWEST
    ]
    rising = [each for each in found if each.than_before or each.than_settled]
    return sorted(rising, key=lambda each: -max(each.now - each.settled, each.now - each.before))[:SHOWN]


def measures(asked: Asked) -> list[Indicator]:
    """Return the indicators by which the places below can be compared."""
    return [each for each in catalogue().values() if can_compare(each, asked.place)]


@dataclass(frozen=True)
class Late:
    """Open matters whose limit is over, by the places below or by category."""

    by: str
    parts: list[Part]
    rows: list[tuple[Part, str]]


def _late(asked: Asked, reads: Reads, today: dt.date) -> Late | None:
    if LATE not in catalogue():
        return None
    by = level_below(asked.place) or "category"
    period = late_at(asked, today)
    parts = [part for part in reads(LATE, period, by).parts if part.rows]

    def rows(part: Part) -> str:
        return link(LATE, asked.link(by=by, key=part.key, period=period.text), "figure_rows")

    return Late(by, parts, [(part, rows(part)) for part in parts[:SHOWN]])


def below_chart(asked: Asked, below: Below, measure: Indicator) -> dict[str, Any]:
    """Return the chart of the places below by one figure."""
    rows = [
        (name, part, link(measure.code, asked.link(by=below.by, key=part.key), "figure_rows"))
        for name, part in below.of(measure.code)
    ]
    return charts.bars(measure, rows, below.median_of(measure.code), most=MOST_BARS)


def dashboard_of(asked: Asked, today: dt.date, measure: str = "") -> dict[str, Any]:
    """Return what the dashboard of a place shows.

    Args:
        measure: code of the indicator whose chart and map are shown.
    """
    reads = Reads(asked)
    offered = measures(asked)
    chosen = next((each for each in offered if each.code == (measure or USUAL_MEASURE)), None)
    codes = [*COMPARED, *([chosen.code] if chosen and chosen.code not in COMPARED else [])]
    _ahead(asked, reads, codes)
    below = compared(asked, reads, codes)
    trend = _trend(asked, reads, today)
    context = {
        "cards": _cards(asked, reads, today),
        "trend": trend,
        "trend_words": trend_words(trend, today),
        "trend_chart": trend_chart(trend),
        "bar_width": BAR_WIDTH,
        "late": _late(asked, reads, today),
        "growing": growing(asked, reads, "category"),
        "growing_places": growing(asked, reads, below.by) if below else [],
        "below": below,
        "measures": offered,
        "measure": chosen,
    }
    if below and chosen:
        context |= {
            "below_chart": below_chart(asked, below, chosen),
            "answer": answer(chosen, below.of(chosen.code)),
        }
    return context


def empty(context: dict[str, Any]) -> bool:
    """Tell whether a dashboard has nothing to show: no rows now, none before, none in twelve months."""
    parts = [part for card in context["cards"] for part in (card.now, card.before) if part]
    months = [part for bar in context["trend"] for part in (bar.raised, bar.settled)]
    return not any(part.rows for part in [*parts, *months])
