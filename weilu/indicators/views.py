"""Pages of figures: the catalogue, one figure and the rows behind it, the figures of a place."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from weilu.indicators.catalogue import catalogue
from weilu.indicators.choose import NotThere, indicator_of, period_of, place_of
from weilu.indicators.dashboard import dashboard_of
from weilu.indicators.export import workbook
from weilu.indicators.live import group_name
from weilu.indicators.opening import open_rows
from weilu.indicators.reading import LEVELS, UnknownBreakdown, read, rows_of, ways
from weilu.lib.indicators import Indicator
from weilu.lib.period import Period
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.attribution import naming
from weilu.orgs.models import Level, Place
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope

SHOWN = 100
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _asked_place(request: AccountRequest) -> Place:
    """Return the place of the address in the reader's scope; by default the widest of it."""
    scope = places_in_scope(request.user, Permission.VIEW)
    if code := request.GET.get("place"):
        try:
            return place_of(code, scope)
        except NotThere as error:
            raise Http404(str(error)) from error
    widest = min((grant.place for grant in request.user.grants_for(Permission.VIEW)), key=lambda place: place.level)
    return widest


def _asked_period(request: AccountRequest) -> Period:
    text = request.GET.get("period") or str(timezone.localdate().year)
    try:
        return period_of(text)
    except NotThere as error:
        raise Http404(str(error)) from error


def _asked_indicator(code: str) -> Indicator:
    try:
        return indicator_of(code)
    except NotThere as error:
        raise Http404(str(error)) from error


def periods(today_year: int, chosen: Period) -> list[str]:
    """Return the periods that a page offers: two years, their quarters, and the twelve months of the year chosen."""
    year = chosen.start.year
    offered = [str(each) for each in range(today_year, today_year - 4, -1)]
    offered += [f"{year}Q{quarter}" for quarter in range(1, 5)]
    offered += [f"{year}-{month:02d}" for month in range(1, 13)]
    return list(dict.fromkeys([chosen.text, *offered]))


@requires(Permission.VIEW)
@require_safe
def figures(request: AccountRequest) -> HttpResponse:
    """The catalogue: what is counted, how it is meant, who uses it."""
    place = _asked_place(request)
    period = _asked_period(request)
    context = {
        "indicators": list(catalogue().values()),
        "place": place,
        "period": period,
        "periods": periods(timezone.localdate().year, period),
    }
    return render(request, "indicators/figures.html", context)


def _link(place: Place, period: Period, **more: str) -> str:
    return "?" + urlencode(
        {"place": naming(place)[0], "period": period.text, **{key: v for key, v in more.items() if v}}
    )


@requires(Permission.VIEW)
@require_safe
def figure(request: AccountRequest, code: str) -> HttpResponse:
    """One figure: its value, what it is made of, how it was before."""
    indicator, place, period = _asked_indicator(code), _asked_place(request), _asked_period(request)
    there = ways(indicator, place)
    by = request.GET.get("by", "")
    by = by if by in there else next(iter(there), "")
    reading = read(indicator, place, period, by)
    if request.GET.get("format") == "xlsx":
        response = HttpResponse(workbook(reading), content_type=XLSX)
        response["Content-Disposition"] = f'attachment; filename="{indicator.code}-{place.code}-{period.text}.xlsx"'
        return response
    largest = max((part.value or 0 for part in reading.parts), default=0)
    context = {
        "indicator": indicator,
        "place": place,
        "period": period,
        "periods": periods(timezone.localdate().year, period),
        "reading": reading,
        "before": read(indicator, place, period.before).whole,
        "by": by,
        "ways": there,
        "largest": largest,
        "parts": [
            (
                part,
                _link(place, period, by=by, key=part.key),
                _link(_child(part.key, place), period, by="") if by in LEVELS and part.key else "",
            )
            for part in reading.parts
        ],
        "rows_link": _link(place, period),
        "export": _link(place, period, by=by, format="xlsx"),
        "sql": str(rows_of(indicator, place, period).query) if Permission.MANAGE in request.user.permissions else "",
    }
    return render(request, "indicators/figure.html", context)


def _child(code: str, place: Place) -> Place:
    return Place(code=code, level=place.level + 1)


def _cell(row: Any, attribute: str) -> Any:
    value = getattr(row, attribute)
    display = getattr(row, f"get_{attribute}_display", None)
    return display() if display else value


@requires(Permission.VIEW)
@require_safe
def figure_rows(request: AccountRequest, code: str) -> HttpResponse:
    """The rows behind a figure or one group of it, as far as the reader may see; how many they may not is said."""
    indicator, place, period = _asked_indicator(code), _asked_place(request), _asked_period(request)
    by, key = request.GET.get("by", ""), request.GET.get("key", "")
    try:
        opened = open_rows(indicator, place, period, request.user, by=by, key=key)
    except (UnknownBreakdown, ValueError) as error:
        raise Http404(str(error)) from error
    context = {
        "indicator": indicator,
        "place": place,
        "period": period,
        "group": group_name(indicator, by, key) if by else "",
        "labels": [label for label, _attribute in indicator.columns],
        "rows": [
            (
                row.get_absolute_url() if hasattr(row, "get_absolute_url") else "",
                [_cell(row, attribute) for _label, attribute in indicator.columns],
            )
            for row in opened.rows
        ],
        "total": opened.total,
        "hidden": opened.hidden,
        "more": opened.more,
        "back": _link(place, period, by=by),
    }
    return render(request, "indicators/rows.html", context)


@requires(Permission.VIEW)
@require_safe
def dashboard(request: AccountRequest) -> HttpResponse:
    """How it goes in a place: the figures of the month, the trend, the places below, what is late and growing."""
    place = _asked_place(request)
    if place.level >= Level.BUILDING:
        return redirect("dashboard")
    context = {"place": place, **dashboard_of(place, timezone.localdate())}
    return render(request, "indicators/dashboard.html", context)
