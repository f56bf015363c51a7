"""The catalogue: all definitions, and each in words, with its query and who uses it."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Value
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from psycopg import ClientCursor

from weilu.indicators.asked import Asked, asked, asked_indicator, offered_periods
from weilu.indicators.catalogue import catalogue
from weilu.indicators.live import measures_of
from weilu.indicators.reading import rows_of, ways
from weilu.indicators.uses import uses_of
from weilu.indicators.words import ADDS, MEASURES, MECHANISMS, when_words, where_words
from weilu.lib.indicators import Indicator
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.roles import Permission


def found(query: str, mechanism: str) -> list[Indicator]:
    """Return the indicators of a mechanism that have all words of a query in name, scope, unit, code or figures."""
    words = query.lower().split()

    def fits(item: Indicator) -> bool:
        said = " ".join([str(item.name), str(item.scope), str(item.unit), item.code, *item.figures]).lower()
        return mechanism in ("", item.mechanism) and all(word in said for word in words)

    return [item for item in catalogue().values() if fits(item)]


@requires(Permission.VIEW)
@require_safe
def figures(request: AccountRequest) -> HttpResponse:
    """The catalogue: what is counted and how it is meant, by words and mechanism."""
    wanted = asked(request)
    query, mechanism = request.GET.get("q", "").strip()[:60], request.GET.get("mechanism", "")
    context = {
        "asked": wanted,
        "place": wanted.place,
        "period": wanted.period,
        "periods": offered_periods(wanted.period, timezone.localdate()),
        "indicators": found(query, mechanism),
        "total": len(catalogue()),
        "q": query,
        "mechanism": mechanism,
        "mechanisms": {each: MECHANISMS[each] for each in sorted({item.mechanism for item in catalogue().values()})},
    }
    return render(request, "indicators/figures.html", context)


def query_of(wanted: Asked, indicator: Indicator) -> str:
    """Return the query that measures a figure, as it may be run, for who may manage; else nothing."""
    if Permission.MANAGE not in wanted.user.permissions:
        return ""
    measures = measures_of(indicator)
    rows = rows_of(wanted.counted(indicator), wanted.place, wanted.period).order_by()
    measured = rows.annotate(whole=Value("")).values("whole").annotate(**measures).values(*measures)
    try:
        text, params = measured.query.sql_with_params()
    except EmptyResultSet:
        return ""
    connection.ensure_connection()
    return str(ClientCursor(connection.connection).mogrify(text, params))


@requires(Permission.VIEW)
@require_safe
def definition(request: AccountRequest, code: str) -> HttpResponse:
    """One definition in words, its query for who may see it, and who uses it."""
    indicator, wanted = asked_indicator(code), asked(request)
    context: dict[str, Any] = {
        "asked": wanted,
        "place": wanted.place,
        "period": wanted.period,
        "indicator": indicator,
        "mechanism": MECHANISMS[indicator.mechanism],
        "measure": MEASURES[indicator.measure],
        "adds": ADDS[indicator.adds],
        "when": when_words(indicator),
        "where": where_words(indicator),
        "ways": ways(indicator, wanted.place),
        "uses": uses_of(indicator, request.user),
        "sql": query_of(wanted, indicator),
    }
    return render(request, "indicators/definition.html", context)
