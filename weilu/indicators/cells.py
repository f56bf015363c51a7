"""Reading above the county: cells, and what was written since they were folded. Never stale, one query a figure."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from weilu.indicators.catalogue import catalogue
from weilu.indicators.cell_models import NOBODY, Folded
from weilu.indicators.contributions import (
    Kind,
    Sql,
    cells,
    images,
    in_areas,
    is_duration,
    joined,
    kind_of,
    own_ways,
)
from weilu.indicators.group_names import code_names, names_of
from weilu.indicators.live import LEVELS, TIMES, Reading, in_order, part_of
from weilu.lib.indicators import Breakdown, Indicator, Measure
from weilu.lib.period import Period
from weilu.orgs.memory import remember
from weilu.orgs.models import Level, Place

TIME_KEYS = {"month": "YYYY-MM", "quarter": 'YYYY"Q"Q', "year": "YYYY"}


@dataclass(frozen=True)
class Unfolded:
    """What the cells do not hold yet: whether single rows were written, and counties that have to be counted anew."""

    rows: bool
    counties: list[UUID]
    everywhere: bool


def read_cells(indicator: Indicator, place: Place, period: Period, by: str = "") -> Reading | None:
    """Read an indicator from cells; None where they cannot say it, and the records have to be asked.

    Cells know months, counties, and one breakdown at a time. Of different people they know who, not which group.
    """
    if not (_whole_months(period) and _by_cells(indicator, by) and _folded(indicator)):
        return None
    kind = kind_of(indicator)
    unfolded = _unfolded(kind)
    if unfolded.everywhere:
        return None
    groups = _groups(indicator, kind, place, period, by, unfolded)
    if not by:
        return Reading(indicator, place, period, part_of(indicator, groups.get("", {"rows": 0, "numerator": 0})))
    names = _names(indicator, by, list(groups))
    parts = [part_of(indicator, found, key, names(key)) for key, found in groups.items()]
    whole = groups
    if indicator.measure is Measure.PEOPLE:  # who stands in two groups counts once
        whole = _groups(indicator, kind, place, period, "", unfolded)
    nothing = dt.timedelta() if is_duration(indicator) else 0
    total = {
        "rows": sum(found["rows"] for found in whole.values()),
        "numerator": sum((found["numerator"] for found in whole.values()), start=nothing),
    }
    return Reading(indicator, place, period, part_of(indicator, total), by, in_order(parts, by))


def counties_of(
    indicator: Indicator, place: Place, period: Period, by: str = "", key: str = ""
) -> dict[str, tuple[int, int]] | None:
    """Return how many rows each county has behind a figure, or behind one group of a breakdown of its own.

    Beside them stands how many fulfil the condition of a share; 0 where there is none.

    None where the cells do not know: the records have to be asked, or something stands above the counties.
    """
    if by and by not in dict(own_ways(indicator)):
        return None
    if not (_whole_months(period) and _folded(indicator)):
        return None
    kind = kind_of(indicator)
    unfolded = _unfolded(kind)
    if unfolded.everywhere:
        return None
    groups = _groups(indicator, kind, place, period, "county", unfolded, way=by, key=key)
    if "" in groups:
        return None
    share = indicator.measure is Measure.SHARE
    return {code: (found["rows"], int(found["numerator"]) if share else 0) for code, found in groups.items()}


def _whole_months(period: Period) -> bool:
    return period.start.day == 1 and period.end.day == 1


def _by_cells(indicator: Indicator, by: str) -> bool:
    if by in LEVELS:
        return LEVELS[by] <= Level.COUNTY
    return not by or by in TIMES or by in dict(own_ways(indicator))


def _folded(indicator: Indicator) -> bool:
    """Tell whether an indicator has whole cells; one that a page narrowed, or that hangs on the moment, has none."""
    if indicator.by_now or catalogue().get(indicator.code) is not indicator:
        return False
    known = remember("indicators.folded", lambda: dict(Folded.objects.values_list("code", "version")))
    return known.get(indicator.code) == indicator.version


def _unfolded(kind: Kind) -> Unfolded:
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT EXISTS (SELECT FROM indicators_touched WHERE "kind" = %s AND "row" IS NOT NULL),'
            ' ARRAY(SELECT DISTINCT "jurisdiction_id" FROM indicators_touched WHERE "kind" = %s AND "row" IS NULL)',
            [kind.label, kind.label],
        )
        rows, counties = cursor.fetchone()
    return Unfolded(rows, [each for each in counties if each], None in counties)


def _sources(indicator: Indicator, kind: Kind, unfolded: Unfolded, way: str) -> Sql:
    """Return the query of the cells of one breakdown, folded or not."""
    columns = '"jurisdiction_id", "by", "key", "month", "who", "rows", "numerator"'
    kept = ""
    params: tuple[Any, ...] = ()
    if unfolded.counties:
        kept, params = ' WHERE "jurisdiction_id" <> ALL(%s::uuid[])', (unfolded.counties,)
    # Which breakdown stands in the branch itself: above the union it would be looked for among all of them.
    folded = f'SELECT {columns} FROM indicators_cell WHERE "code" = %s AND "by" = %s{kept.replace("WHERE", "AND")}'  # noqa: S608
    parts = [Sql(folded, (indicator.code, way, *params))]
    rows = indicator.rows()
    if unfolded.rows:
        every = Sql("true")
        touched = RawSQL('SELECT "row" FROM indicators_touched WHERE "kind" = %s AND "row" IS NOT NULL', (kind.label,))
        now = cells(indicator, rows.filter(pk__in=touched), way=way)
        before = cells(indicator, rows, sign=-1, instead=images(kind, every), table=kind.table, way=way)
        for part in (now, before):
            parts.append(Sql(f"SELECT {columns} FROM ({part.text}) written{kept}", (*part.params, *params)))  # noqa: S608
    if unfolded.counties:
        anew = cells(indicator, _of_counties(indicator, rows, unfolded.counties), way=way)
        parts.append(Sql(f"SELECT {columns} FROM ({anew.text}) anew", anew.params))  # noqa: S608
    return joined(parts, " UNION ALL ")


def _of_counties(indicator: Indicator, rows: QuerySet, counties: list[UUID]) -> QuerySet:
    return rows.filter(in_areas(indicator, list(Place.objects.filter(pk__in=counties))))


def _group(by: str) -> str:
    if by in LEVELS:
        return f"split_part(area.path, '/', {int(LEVELS[by])})"
    if by in TIMES:
        return f"to_char(cell.\"month\", '{TIME_KEYS[by]}')"
    return 'cell."key"' if by else "''"


def _groups(
    indicator: Indicator,
    kind: Kind,
    place: Place,
    period: Period,
    by: str,
    unfolded: Unfolded,
    way: str = "",
    key: str = "",
) -> dict[str, dict[str, Any]]:
    """Return rows and numerator of each group; of one group of ``way`` only, if that is given."""
    only, keys = (' AND cell."key" = %s', (key,)) if way else ("", ())
    way = way or (by if by in dict(own_ways(indicator)) else "")
    source = _sources(indicator, kind, unfolded, way)
    until = 'cell."month" < %s' if indicator.stock else 'cell."month" < %s AND cell."month" >= %s'
    days = (period.end,) if indicator.stock else (period.end, period.start)
    people = indicator.measure is Measure.PEOPLE
    text = (
        "WITH area AS MATERIALIZED (SELECT id, path FROM orgs_place"  # noqa: S608
        f" WHERE level <= {int(Level.COUNTY)} AND path LIKE %s)"
        f' SELECT {_group(by)} AS "group", {"cell.who, " if people else ""}'
        ' sum(cell."rows") AS counted, sum(cell."numerator")'
        f' FROM ({source.text}) cell JOIN area ON area.id = cell."jurisdiction_id"'
        f' WHERE {until}{only} GROUP BY 1{", 2" if people else ""} HAVING sum(cell."rows") <> 0'
    )
    if people:
        text = (
            f"SELECT \"group\", sum(counted), count(*) FILTER (WHERE who <> '{NOBODY}')::numeric FROM ({text}) each"  # noqa: S608
            " GROUP BY 1"
        )
    with connection.cursor() as cursor:
        cursor.execute(text, [f"{place.path}%", *source.params, *days, *keys])
        found = cursor.fetchall()
    duration = is_duration(indicator)
    return {
        key: {"rows": int(rows), "numerator": dt.timedelta(seconds=float(number)) if duration else number}
        for key, rows, number in found
    }


def _names(indicator: Indicator, by: str, keys: list[str]) -> Any:
    unknown = str(_("not known"))
    if by in TIMES:
        return lambda key: key
    if by in LEVELS:
        named = code_names([key for key in keys if key])
    else:
        way = next(item for item in indicator.breakdowns if item.code == by)
        named = _labels(way, keys)
    return lambda key: named.get(key, unknown) if key else unknown


def _labels(way: Breakdown, keys: list[str]) -> dict[str, str]:
    if way.choices:
        return {str(key): str(label) for key, label in way.choices().items()}
    return names_of(way, keys)
