"""Cells of several definitions, counted in one pass over the rows that they share.

Settled, in time, satisfied, days: they count rows of one table by one time, and differ in which of them and in what
they add up. Each by itself would read the table once; together they read it once.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.sql.datastructures import Join
from django.db.models.sql.where import OR, WhereNode

from weilu.indicators.cell_models import NOBODY
from weilu.indicators.contributions import (
    Half,
    Sql,
    area_and_join,
    cells,
    grouping_keys,
    halves,
    numerator_of,
    own_ways,
)
from weilu.lib.indicators import Indicator, Measure

Narrow = Callable[[Indicator], Q]


def in_passes(indicators: Iterable[Indicator], narrow: Narrow) -> list[Sql]:
    """Return queries of the cells that rows of indicators make, as few as can be.

    Args:
        narrow: the condition that a row belongs to what is counted, such as some counties.
    """
    together: dict[Any, list[Half]] = {}
    found = []
    for indicator in indicators:
        if indicator.measure is Measure.PEOPLE:  # a cell for each of them
            found.append(cells(indicator, indicator.rows().filter(narrow(indicator))))
            continue
        for half in halves(indicator, indicator.rows()):
            if asks_own_columns(half.rows, half.grouped()):
                key = (half.rows.model, indicator.place, half.time, tuple(own_ways(indicator)))
                together.setdefault(key, []).append(half)
            else:
                dated = {f"{half.time}__isnull": False}
                found.append(_alone(half, half.rows.filter(narrow(indicator), **dated)))
    return [_pass(shared, narrow(shared[0].indicator)) for shared in together.values()] + found


def asks_own_columns(rows: QuerySet, grouped: QuerySet) -> bool:
    """Tell whether the condition of rows, grouped as they are counted, can be asked of each row of the table by itself.

    Not where it reads another table, nor where the groups multiply rows.
    """
    query, counted = rows.query, grouped.query
    plain = not (query.combinator or query.distinct or query.is_sliced or query.annotations)
    by_subquery = counted.sql_with_params()[0].count("SELECT") > 1  # asked of every row, it would be asked one by one
    joins: list[Any] = [join for join in counted.alias_map.values() if isinstance(join, Join)]
    several = any(join.join_field.one_to_many or join.join_field.many_to_many for join in joins)
    return plain and len(query.alias_map) <= 1 and not several and not by_subquery


def any_of(rows: QuerySet, conditions: list[Any]) -> QuerySet:
    """Narrow all rows of a table to those that fulfil one of some conditions, as querysets of it keep them."""
    if all(conditions):  # one that is empty takes every row
        rows.query.where.add(WhereNode(list(conditions), OR), "AND")
    return rows


def _pass(shared: list[Half], which: Q) -> Sql:
    indicator, time = shared[0].indicator, shared[0].time
    # What has no such time is counted nowhere; said so, an index of those that have one is enough.
    rows = shared[0].rows.model._base_manager.order_by().filter(which, **{f"{time}__isnull": False})
    conditions: list[Any] = [half.rows.query.where for half in shared]
    rows = any_of(rows, conditions)
    named = grouping_keys(indicator, time)
    counted = {}
    for number, (half, condition) in enumerate(zip(shared, conditions, strict=True)):
        counted[f"c_rows{number}"] = Count(Value(1), filter=condition or None)
        counted[f"c_numerator{number}"] = numerator_of(half.indicator, condition or None)
    text, params = rows.annotate(**named).values(*named).annotate(**counted).query.sql_with_params()
    return _cells_of(shared, Sql(text, params), list(counted))


def _alone(half: Half, rows: QuerySet) -> Sql:
    """Return the query of the cells that rows of one indicator make, which cannot share a pass."""
    named = grouping_keys(half.indicator, half.time)
    counted = {"c_rows0": Count("*"), "c_numerator0": numerator_of(half.indicator)}
    text, params = rows.order_by().annotate(**named).values(*named).annotate(**counted).query.sql_with_params()
    return _cells_of([half], Sql(text, params), list(counted))


def _cells_of(shared: list[Half], fine: Sql, counted: list[str]) -> Sql:
    """Add groups up to those of the whole and of each breakdown, then give each indicator its cells."""
    ways = [code for code, _column in own_ways(shared[0].indicator)]
    keys = [f"c_key{number}" for number in range(len(ways))]
    sets = ", ".join(f"(c_area, c_month{also})" for also in ("", *(f", {key}" for key in keys)))
    by = "".join(f" WHEN GROUPING({key}) = 0 THEN '{code}'" for key, code in zip(keys, ways, strict=True))
    key = "".join(f" WHEN GROUPING({key}) = 0 THEN {key}" for key in keys)
    sums = ", ".join(f'sum({name}) AS "{name}"' for name in counted)
    area, join = area_and_join(shared[0].indicator)
    each = ", ".join(
        f"('{half.indicator.code}', {half.sign} * fine.c_rows{number},"
        f" {half.sign} * coalesce(fine.c_numerator{number}, 0)::numeric)"
        for number, half in enumerate(shared)
    )
    text = (
        f'SELECT {area} AS "jurisdiction_id", each."code", fine."by", fine."key", fine.c_month AS "month",'  # noqa: S608
        f' \'{NOBODY}\'::uuid AS "who", each."rows", each."numerator"'
        f' FROM (SELECT c_area, c_month, {f"CASE{by} ELSE {_NONE} END" if ways else _NONE} AS "by",'
        f' {f"CASE{key} ELSE {_NONE} END" if ways else _NONE} AS "key", {sums}'
        f" FROM ({fine.text}) finest GROUP BY GROUPING SETS ({sets})) fine{join}"
        f' CROSS JOIN LATERAL (VALUES {each}) each("code", "rows", "numerator")'
        ' WHERE each."rows" <> 0 OR each."numerator" <> 0'
    )
    return Sql(text, fine.params)


_NONE = "''::text"
