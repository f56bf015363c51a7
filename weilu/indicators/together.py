"""Reading several indicators at once: those that count rows of one table by one time read it in one pass.

Settled, in time, satisfied, days: a page that shows them side by side would read the same rows once for each.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Value

from weilu.indicators.live import TIMES, grouping_of, measures_of, names_in, reading_of, within
from weilu.indicators.passes import any_of, asks_own_columns
from weilu.indicators.reading import Reading, check_way, read
from weilu.lib.indicators import Indicator, Measure
from weilu.lib.period import Period
from weilu.lib.prepared import planned_by_values
from weilu.orgs.models import Level, Place


def read_together(indicators: Iterable[Indicator], place: Place, period: Period, by: str = "") -> list[Reading]:
    """Read some indicators, each as :func:`weilu.indicators.reading.read` reads it, with as few queries as can be.

    Args:
        by: a way to take apart that all of them have; empty for the whole only.

    Raises:
        UnknownBreakdown: one of them cannot be taken apart so.
    """
    indicators = list(indicators)
    passes: dict[Any, list[Indicator]] = {}
    for indicator in indicators:
        if by:
            check_way(indicator, place, by)
        key = _pass_of(indicator, place, by) or indicator.code
        passes.setdefault(key, []).append(indicator)
    found = {}
    for shared in passes.values():
        several = _counted(shared, place, period, by) if len(shared) > 1 else [read(shared[0], place, period, by)]
        found |= {reading.indicator.code: reading for reading in several}
    return [found[indicator.code] for indicator in indicators]


def _pass_of(indicator: Indicator, place: Place, by: str) -> Any:
    """Return what indicators have in common that can be counted in one pass; None for one that cannot share one."""
    if place.level < Level.COUNTY or indicator.stock or by in TIMES or indicator.measure is Measure.PEOPLE:
        return None
    rows = indicator.rows()
    if not asks_own_columns(rows, rows.order_by().values(indicator.at).annotate(**measures_of(indicator))):
        return None
    way = next((way.key for way in indicator.breakdowns if way.code == by), by)
    return rows.model, indicator.place, indicator.at, way


def _counted(shared: list[Indicator], place: Place, period: Period, by: str) -> list[Reading]:
    first = shared[0]
    conditions: list[Any] = [indicator.rows().query.where for indicator in shared]
    rows = any_of(within(first, first.rows().model._base_manager.order_by(), place, period), conditions)
    grouping = grouping_of(first, rows, period, by) if by else None
    measures = {
        f"{name}{number}": measure
        for number, (indicator, condition) in enumerate(zip(shared, conditions, strict=True))
        for name, measure in measures_of(indicator, condition or None).items()
    }
    with planned_by_values():
        counted = rows.annotate(group=grouping.expression if grouping else Value("")).values("group")
        groups = list(counted.annotate(**measures))
    named = names_in(grouping, groups) if grouping else {}
    return [reading_of(each, place, period, by, _of(groups, number), named) for number, each in enumerate(shared)]


def _of(groups: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """Return the groups in which one of the indicators counts rows."""
    return [
        {"group": group["group"], "rows": rows, "numerator": group.get(f"numerator{number}")}
        for group in groups
        if (rows := group[f"rows{number}"])
    ]
