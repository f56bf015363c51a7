"""The page that sets a figure beside another, and its Excel file."""

from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from weilu.indicators import charts, compare, export
from weilu.indicators.asked import Asked, asked, asked_indicator, offered_periods, readable, refuse_place
from weilu.indicators.catalogue import catalogue
from weilu.indicators.choose import NotThere, check_place, period_of
from weilu.indicators.compare import Compared, Siblings
from weilu.indicators.reading import LEVELS, ways
from weilu.lib.indicators import Indicator
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.models import Level, Place
from weilu.orgs.roles import Permission

MOST_NEIGHBOURS = 60


def kinds() -> dict[str, str]:
    """Return the ways to compare, by their name in addresses."""
    return {"periods": _("Two periods"), "places": _("Two places"), "siblings": _("With its siblings")}


def neighbours(request: AccountRequest, place: Place) -> list[Place]:
    """Return places that the page offers: the siblings in reach, else those right below."""
    rows = Place.objects.filter(readable(request.user), valid_to=None, level__lte=Level.GRID)
    rows = rows.exclude(pk=place.pk).order_by("code")
    around = list(rows.filter(parent=place.parent_id, level=place.level)[:MOST_NEIGHBOURS]) if place.parent_id else []
    return around or list(rows.filter(parent=place.pk)[:MOST_NEIGHBOURS])


def _by(request: AccountRequest, indicator: Indicator, place: Place, kind: str) -> str:
    there = [by for by in ways(indicator, place) if kind != "places" or by not in LEVELS]
    if kind == "periods":
        there = [by for by in there if by not in ("month", "quarter", "year")]
    wanted = request.GET.get("by", "")
    return wanted if wanted in there else next(iter(there), "")


def _periods(request: AccountRequest, wanted: Asked, indicator: Indicator, context: dict[str, Any]) -> Compared | None:
    usual = wanted.period.a_year_before.text
    context["other_period"] = request.GET.get("with_period", "") or usual
    try:
        other = period_of(context["other_period"])
    except NotThere as error:
        context["problem"] = str(error)
        return None
    return compare.periods(wanted, indicator, other, context["by"])


def _places(request: AccountRequest, wanted: Asked, indicator: Indicator, context: dict[str, Any]) -> Compared | None:
    around = neighbours(request, wanted.place)
    text = request.GET.get("with_place", "") or (around[0].code if around else "")
    context |= {"other_place": text, "neighbours": around}
    if not text:
        context["problem"] = _("There is no other place within your reach.")
        return None
    try:
        other = compare.place_named(text, readable(request.user))
        check_place(indicator, other)
    except NotThere as error:
        context["problem"] = str(error)
        return None
    if other.pk == wanted.place.pk:
        context["problem"] = _("That is the same place. Choose another one.")
        return None
    context["other_place"] = f"{other.code}"
    return compare.places(wanted, indicator, other, context["by"])


def chart_of(found: Compared) -> dict[str, Any]:
    """Return the chart of two sides by groups."""
    lines = found.lines[: charts.MOST_PAIRS] if found.by and found.lines else [found.whole]
    sides = [("second", 1), ("first", 0)]
    return {
        **charts.columns(
            found.indicator.unit,
            [line.name or str(found.indicator.name) for line in lines],
            [
                charts.series(
                    found.indicator,
                    [getattr(line, side) for line in lines],
                    [line.links[at] for line in lines],
                    found.heads[at],
                )
                for side, at in sides
            ],
        ),
        "kind": "pairs",
        "size": charts.size_of(2 * len(lines)),
    }


def _siblings_chart(wanted: Asked, found: Siblings) -> dict[str, Any]:
    if not found.parts:
        return chart_of(replace(found.compared, lines=[]))
    mine = next((name for name, part, _link in found.parts if part.key == wanted.place.code), "")
    return charts.bars(found.compared.indicator, found.parts, found.compared.whole.second.value, marked=mine)


@requires(Permission.VIEW)
@require_safe
def figure_compare(request: AccountRequest, code: str) -> HttpResponse:
    """A figure of two periods, two places, or of a place and its siblings; what cannot be compared is said."""
    indicator = asked_indicator(code)
    text, problem = request.GET.get("period", ""), ""
    if text:
        try:
            period_of(text)
        except NotThere as error:
            problem, request.GET = str(error), request.GET.copy()  # type: ignore[assignment]
            request.GET.pop("period")  # type: ignore[attr-defined]
    wanted = asked(request)
    refuse_place(indicator, wanted.place)
    kind = request.GET.get("kind", "")
    kind = kind if kind in kinds() else "periods"
    context: dict[str, Any] = {
        "asked": wanted, "place": wanted.place, "period": wanted.period, "period_text": text or wanted.period.text,
        "indicator": indicator, "indicators": list(catalogue().values()), "kind": kind, "kinds": kinds(),
        "by": _by(request, indicator, wanted.place, kind), "ways": ways(indicator, wanted.place),
        "periods": offered_periods(wanted.period, timezone.localdate()), "problem": problem,
        "printed": timezone.localtime(),
    }  # fmt: skip
    found = None if problem else _found(request, wanted, indicator, context)
    if found and request.GET.get("format") == "xlsx":
        return export.comparison(wanted, found)
    context |= {"found": found, "chart": context.get("chart") or (chart_of(found) if found else None)}
    return render(request, "indicators/compare.html", context, status=422 if context["problem"] else 200)


def _found(request: AccountRequest, wanted: Asked, indicator: Indicator, context: dict[str, Any]) -> Compared | None:
    """Compare, and put into the page's context what its kind needs."""
    if context["kind"] == "periods":
        return _periods(request, wanted, indicator, context)
    if context["kind"] == "places":
        return _places(request, wanted, indicator, context)
    parent = wanted.place.parent
    found = None
    if parent is not None and LEVELS and _level_in(indicator, wanted.place, parent):
        found = compare.siblings(wanted, indicator, readable(request.user))
    context["siblings"] = found
    if found is None:
        return None
    context["chart"] = _siblings_chart(wanted, found)
    return found.compared


def _level_in(indicator: Indicator, place: Place, parent: Place) -> bool:
    level = next(name for name, each in LEVELS.items() if each == place.level)
    return level in ways(indicator, parent)
