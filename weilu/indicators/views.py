"""Pages of figures: how it goes in a place, one figure, and the rows behind it."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from weilu.indicators import charts, export
from weilu.indicators.asked import Asked, asked, asked_indicator, offered_periods, refuse_place
from weilu.indicators.below import nothing
from weilu.indicators.dashboard import LATE, USUAL_DAYS, dashboard_of, empty, late_at, link
from weilu.indicators.definition_views import query_of
from weilu.indicators.figure_map import areas_address, coloured, levels_of
from weilu.indicators.live import group_name
from weilu.indicators.opening import Opened, in_order, in_part, measured, measured_name, open_rows
from weilu.indicators.reading import (
    LEVELS,
    TIMES,
    Reading,
    UnknownBreakdown,
    check_way,
    narrowed,
    read,
    rows_of,
    seen_by,
    ways,
)
from weilu.indicators.words import LAST_DAYS, answer
from weilu.lib.crypto import mask_name
from weilu.lib.explained import NotFound
from weilu.lib.indicators import Indicator
from weilu.lib.period import Period, last_days, months_up_to
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.models import Level, Place, User
from weilu.orgs.place_views import box_around
from weilu.orgs.roles import Permission

MOST_PAGES = 100_000
MOST_EXPORTED = 10_000
TREND_MONTHS = 12


def _trend(wanted: Asked, indicator: Indicator) -> dict[str, Any] | None:
    """Return the last twelve months of a figure as a chart; None for a stock, which has no months."""
    if indicator.stock:
        return None
    last = min(wanted.period.last_day, timezone.localdate())
    months = months_up_to(last, TREND_MONTHS)
    year = Period.days(months[0].start, months[-1].last_day)
    found = {part.key: part for part in read(wanted.counted(indicator), wanted.place, year, "month").parts}
    parts = [found.get(month.text) or nothing(indicator, month.text, month.text) for month in months]
    links = [link(indicator.code, wanted.link(period=month.text)) for month in months]
    chart = charts.columns(
        indicator.unit,
        charts.month_labels(months),
        [charts.series(indicator, parts, links)],
        line=indicator.is_fraction,
    )
    return {"chart": chart, "rows": list(zip(months, parts, links, strict=True))}


def _apart_chart(wanted: Asked, reading: Reading) -> dict[str, Any] | None:
    if not reading.parts or reading.by in TIMES:
        return None
    code = reading.indicator.code
    rows = [
        (part.name, part, link(code, wanted.link(by=reading.by, key=part.key), "figure_rows")) for part in reading.parts
    ]
    return charts.bars(reading.indicator, rows)


@requires(Permission.VIEW)
@require_safe
def figure(request: AccountRequest, code: str) -> HttpResponse:
    """One figure: its value, what it is made of, how it was before."""
    indicator, wanted = asked_indicator(code), asked(request)
    place, period = wanted.place, wanted.period
    refuse_place(indicator, place)
    there = ways(indicator, place)
    by = request.GET.get("by", "")
    try:
        if by:
            check_way(indicator, place, by)
    except UnknownBreakdown as error:
        raise NotFound(str(error)) from error
    by = by or next(iter(there), "")
    reading = read(wanted.counted(indicator), place, period, by)
    if request.GET.get("format") == "xlsx":
        return export.figure(wanted, reading)
    named = [(part.name, part) for part in reading.parts if part.key]
    context = {
        "asked": wanted,
        "indicator": indicator,
        "place": place,
        "period": period,
        "periods": offered_periods(period, timezone.localdate()),
        "reading": reading,
        "before": read(wanted.counted(indicator), place, period.before).whole,
        "before_link": wanted.link(period=period.before.text),
        "by": by,
        "ways": there,
        "largest": max((part.value or 0 for part in reading.parts), default=0),
        "parts": [
            (part, wanted.link(by=by, key=part.key), wanted.link(place=part.key) if by in LEVELS and part.key else "")
            for part in reading.parts
        ],
        "chart": _apart_chart(wanted, reading),
        "answer": answer(indicator, named) if by in LEVELS else "",
        "trend": _trend(wanted, indicator),
        "mapped": bool(levels_of(indicator, place)),
        "rows_link": wanted.link(),
        "export": wanted.link(by=by, format="xlsx"),
        "sql": query_of(wanted, indicator),
        "to_come": period.start > timezone.localdate(),
        "running": period.start <= timezone.localdate() < period.last_day,
        "printed": timezone.localtime(),
    }
    return render(request, "indicators/figure.html", context)


def _cell(row: Any, attribute: str) -> Any:
    value = getattr(row, attribute)
    if isinstance(value, User):
        return mask_name(value.name)
    display = getattr(row, f"get_{attribute}_display", None)
    return display() if display else value


def _cells(rows: Iterable[Any], indicator: Indicator) -> list[tuple[str, list[Any]]]:
    """Return the address and the cells of rows, as they stand in the list."""
    more = bool(measured_name(indicator))
    return [
        (
            row.get_absolute_url() if hasattr(row, "get_absolute_url") else "",
            [
                *(_cell(row, attribute) for _label, attribute in indicator.columns),
                *([measured(indicator, row)] if more else []),
            ],
        )
        for row in rows
    ]


def _page(request: AccountRequest) -> int:
    text = request.GET.get("page", "1")
    return int(text) if text.isdecimal() and 0 < int(text) < MOST_PAGES else 1


@requires(Permission.VIEW)
@require_safe
def figure_rows(request: AccountRequest, code: str) -> HttpResponse:
    """The rows behind a figure or one group of it, as far as the reader may see; how many they may not is said."""
    indicator, wanted = asked_indicator(code), asked(request)
    refuse_place(indicator, wanted.place)
    by, key, part = (request.GET.get(name, "") for name in ("by", "key", "part"))
    opening = partial(
        open_rows, wanted.counted(indicator), wanted.place, wanted.period, request.user, by=by, key=key, part=part
    )
    try:
        opened = opening(page=_page(request))
        if opened.number > opened.pages:  # past the end stands the last page
            opened = opening(page=opened.pages)
        if request.GET.get("format") == "xlsx":
            return export.rows(wanted, indicator, _lines(wanted, indicator, by, key, part), opened.hidden)
    except (UnknownBreakdown, ValueError) as error:
        raise NotFound(str(error)) from error
    context = {
        "asked": wanted,
        "indicator": indicator,
        "place": wanted.place,
        "period": wanted.period,
        "group": group_name(indicator, by, key) if by else "",
        "labels": export.headings_of(indicator),
        "parts": _part_links(wanted, indicator, opened, by, key, part),
        "rows": _cells(opened.rows, indicator),
        "total": opened.total,
        "hidden": opened.hidden,
        "opened": opened,
        "most": MOST_EXPORTED if opened.visible > MOST_EXPORTED else 0,
        "earlier": wanted.link(by=by, key=key, part=part, page=str(opened.number - 1)) if opened.number > 1 else "",
        "later": wanted.link(by=by, key=key, part=part, page=str(opened.number + 1)) if opened.more else "",
        "export": wanted.link(by=by, key=key, part=part, format="xlsx"),
        "back": wanted.link(by=by),
        "printed": timezone.localtime(),
    }
    return render(request, "indicators/rows.html", context)


def _part_links(
    wanted: Asked, indicator: Indicator, opened: Opened, by: str, key: str, part: str
) -> list[tuple[str, int, str, bool]]:
    """Return the parts of a share with how many rows each has, its address, and whether it is shown."""
    if opened.parts is None:
        return []
    yes, no = opened.parts
    offered = [("", _("all"), yes + no), ("yes", indicator.part_names[0], yes), ("no", indicator.part_names[1], no)]
    return [(str(name), n, wanted.link(by=by, key=key, part=each), each == part) for each, name, n in offered]


def _lines(wanted: Asked, indicator: Indicator, by: str, key: str, part: str) -> Iterator[list[Any]]:
    """Yield the cells of the latest rows that the reader may open, for a workbook."""
    rows = rows_of(wanted.counted(indicator), wanted.place, wanted.period)
    rows = in_part(indicator, narrowed(indicator, rows, by, key) if by else rows, part)
    seen = in_order(indicator, seen_by(indicator, rows, wanted.user))[:MOST_EXPORTED]
    return (cells for _link, cells in _cells(seen, indicator))


def _dashboard_periods(chosen: Period) -> list[Period]:
    """Return the periods that a dashboard offers: the last days, this month and year and those before."""
    today = timezone.localdate()
    month, year = Period.of(f"{today:%Y-%m}"), Period.of(str(today.year))
    quarter = Period.of(f"{today.year}Q{(today.month + 2) // 3}")
    offered = [last_days(today, count) for count in LAST_DAYS]
    offered += [each for now in (month, quarter, year) for each in (now, now.before)]
    return [*([] if chosen in offered else [chosen]), *offered]


@requires(Permission.VIEW)
@require_safe
def dashboard(request: AccountRequest) -> HttpResponse:
    """How it goes in a place: the figures of a period, the trend, the places below, what is late and growing."""
    today = timezone.localdate()
    wanted = asked(request, last_days(today, USUAL_DAYS), own_first=True)
    if wanted.place.level >= Level.BUILDING:
        raise NotFound(_("A building has no page of its own here; see its grid."))
    shown = dashboard_of(wanted, today, request.GET.get("measure", ""))
    if request.GET.get("format") == "xlsx":
        return export.dashboard(wanted, shown)
    context = {
        "asked": wanted,
        "place": wanted.place,
        "period": wanted.period,
        "periods": _dashboard_periods(wanted.period),
        "organisations": wanted.organisations,
        "above": _above(wanted),
        "late_link": reverse("figure_rows", args=[LATE]) + wanted.link(period=late_at(wanted, today).text),
        "export": wanted.link(format="xlsx"),
        "printed": timezone.localtime(),
        "empty": empty(shown),
        "over": wanted.period.last_day < today,
        "running": wanted.period.start <= today < wanted.period.last_day,
        **shown,
        **_map(wanted, shown),
    }
    return render(request, "indicators/dashboard.html", context)


def _above(wanted: Asked) -> list[Place]:
    """Return the places above the one shown that the reader may open too."""
    mine = [grant.place.path for grant in wanted.user.grants_for(Permission.VIEW)]
    rows = Place.objects.filter(code__in=wanted.place.ancestor_codes[:-1], valid_to=None).order_by("level")
    return [row for row in rows if any(row.path.startswith(path) for path in mine)]


def _map(wanted: Asked, shown: dict[str, Any]) -> dict[str, Any]:
    """Return what the map of the places below needs; nothing where nothing lies below."""
    measure, below = shown["measure"], shown["below"]
    if not measure or not below or below.by not in levels_of(measure, wanted.place):
        return {}
    drawn = coloured(wanted, measure, below.by)
    if drawn.without == len(drawn.areas):
        return {}  # a map of nothing
    return {
        "areas": areas_address(wanted, measure, below.by),
        "box": box_around(wanted.place),
        "tiles": settings.TILES,
        "coloured": drawn,
    }
