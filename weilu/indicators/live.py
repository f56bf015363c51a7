"""Reading an indicator from the records: for a place and a period, whole or taken apart; and the rows behind it."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Func, Q, QuerySet, Sum, Value
from django.db.models.fields import CharField, DateTimeField, Field, TextField
from django.db.models.functions import ExtractQuarter, ExtractYear, TruncMonth
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from weilu.lib.indicators import Breakdown, Indicator, Measure
from weilu.lib.period import BEIJING, Period
from weilu.orgs.memory import rows_by_id
from weilu.orgs.models import Level, Place, User
from weilu.orgs.scope import COLUMNS, in_place

LEVELS = {level.name.lower(): level for level in Level}
TIMES = {"month": _lazy("month"), "quarter": _lazy("quarter"), "year": _lazy("year")}
DAY = dt.timedelta(days=1)


class UnknownBreakdown(ValueError):
    """The indicator cannot be taken apart so; the message names the ways that there are."""


@dataclass(frozen=True)
class Part:
    """A figure, or one group of it.

    Attributes:
        key: what names the group to a machine; empty for the whole.
        name: what names it to a reader.
        value: None where there is nothing to judge: a share of no rows.
        numerator, denominator: of a share or ratio; else None.
        rows: how many rows stand behind it.
    """

    key: str
    name: str
    value: float | int | None
    numerator: float | int | None
    denominator: int | None
    rows: int

    def as_dict(self) -> dict[str, Any]:
        """Return it, ready for JSON."""
        return {
            "key": self.key,
            "name": self.name,
            "value": self.value,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "rows": self.rows,
        }


@dataclass(frozen=True)
class Reading:
    """What an indicator read."""

    indicator: Indicator
    place: Place
    period: Period
    whole: Part
    by: str = ""
    parts: list[Part] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the object that ``weilu figure --json`` prints."""
        return {
            "code": self.indicator.code,
            "version": self.indicator.version,
            "place": self.place.code,
            "period": self.period.text,
            "value": self.whole.value,
            "numerator": self.whole.numerator,
            "denominator": self.whole.denominator,
            "unit": str(self.indicator.unit),
            "rows": self.whole.rows,
            "breakdown": [part.as_dict() for part in self.parts],
        }


class SplitPart(Func):
    """PostgreSQL's ``split_part``: the code of one level out of a place's path."""

    function = "SPLIT_PART"
    output_field = TextField()


def _field(rows: QuerySet, path: str) -> Field:
    model, found = rows.model, None
    for name in path.split("__"):
        found = model._meta.get_field(name)
        model = getattr(found, "related_model", None) or model
    return found  # type: ignore[return-value]


def _moment(rows: QuerySet, path: str, moment: dt.datetime, day: dt.date) -> dt.datetime | dt.date:
    return moment if isinstance(_field(rows, path), DateTimeField) else day


def _in(indicator: Indicator, place: Place) -> Q:
    if indicator.place.endswith("path"):
        return Q(**{f"{indicator.place}__startswith": place.path})
    return in_place(place, indicator.place)


def rows_of(indicator: Indicator, place: Place, period: Period) -> QuerySet:
    """Return the rows that an indicator counts in a place and a period: counted for the value, listed for all."""
    rows = indicator.rows().filter(_in(indicator, place)).order_by()
    if indicator.stock:
        since = _moment(rows, indicator.since, period.ends, period.last_day)
        comparison = "lt" if isinstance(since, dt.datetime) else "lte"
        rows = rows.filter(**{f"{indicator.since}__{comparison}": since})
        if indicator.until:
            until = _moment(rows, indicator.until, period.ends, period.last_day)
            comparison = "gte" if isinstance(until, dt.datetime) else "gt"
            rows = rows.filter(
                Q(**{f"{indicator.until}__isnull": True}) | Q(**{f"{indicator.until}__{comparison}": until})
            )
        return rows
    first = _moment(rows, indicator.at, period.begins, period.start)
    after = _moment(rows, indicator.at, period.ends, period.end)
    return rows.filter(**{f"{indicator.at}__gte": first, f"{indicator.at}__lt": after})


def _measures(indicator: Indicator) -> dict[str, Any]:
    """Return the aggregates that make a value; ``rows`` always, the others as the measure needs."""
    found: dict[str, Any] = {"rows": Count("pk")}
    if indicator.measure is Measure.PEOPLE:
        found["numerator"] = Count(indicator.value, distinct=True)
    elif indicator.measure in (Measure.SUM, Measure.RATIO):
        found["numerator"] = Sum(indicator.value)
    elif indicator.measure is Measure.SHARE:
        found["numerator"] = Count("pk", filter=indicator.part)
    return found


def _number(value: Any) -> float | int:
    if isinstance(value, dt.timedelta):
        return value / DAY
    number = float(value or 0)
    return int(number) if number.is_integer() else number


def part_of(indicator: Indicator, found: dict[str, Any], key: str = "", name: str = "") -> Part:
    """Make a figure of what was counted: ``rows``, and the ``numerator`` where the measure has one."""
    rows = found["rows"]
    if indicator.measure is Measure.COUNT:
        return Part(key, name, rows, None, None, rows)
    numerator = _number(found["numerator"])
    if not indicator.is_fraction:
        return Part(key, name, numerator, None, None, rows)
    scale = 100 if indicator.measure is Measure.SHARE else 1
    return Part(key, name, scale * numerator / rows if rows else None, numerator, rows, rows)


def ways(indicator: Indicator, place: Place) -> dict[str, str | Promise]:
    """Return the ways to take an indicator apart at a place: levels below it, times, and its own."""
    levels = {
        name: level.label
        for name, level in LEVELS.items()
        if level > place.level and (level in COLUMNS or level < Level.COUNTY or indicator.place.endswith("path"))
    }
    times = {} if indicator.stock else dict(TIMES)
    return {**levels, **times, **{item.code: item.label for item in indicator.breakdowns}}


def check_way(indicator: Indicator, place: Place, by: str) -> None:
    """Refuse a way that is not among :func:`ways`.

    Raises:
        UnknownBreakdown: with those that there are.
    """
    there = ways(indicator, place)
    if by not in there:
        raise UnknownBreakdown(
            _("“%(code)s” cannot be taken apart by “%(by)s”; there is: %(ways)s")
            % {"code": indicator.code, "by": by, "ways": ", ".join(there)}
        )


def _keyed(indicator: Indicator, by: str) -> tuple[Any, Callable[[list[Any]], dict[Any, str]]]:
    """Return the expression that groups rows, and what names its groups."""
    if by in LEVELS:
        return _by_level(indicator, LEVELS[by])
    if by in TIMES:
        return _by_time(indicator, by)
    way = next(item for item in indicator.breakdowns if item.code == by)
    return F(way.key), lambda keys: names_of(way, keys)


def names_of(way: Breakdown, keys: list[Any]) -> dict[Any, str]:
    """Return what a reader calls the groups of a breakdown."""
    if way.choices:
        labels = way.choices()
        return {key: str(labels.get(key, key)) for key in keys}
    return {key: str(key) for key in keys}


def _by_level(indicator: Indicator, level: Level) -> tuple[Any, Callable[[list[Any]], dict[Any, str]]]:
    if not indicator.place.endswith("path") and level in COLUMNS:
        return F(f"{indicator.place}{COLUMNS[level]}_id"), _place_names
    path = indicator.place if indicator.place.endswith("path") else f"{indicator.place}county__path"
    return SplitPart(F(path), Value("/"), Value(int(level))), code_names


def _place_names(keys: list[Any]) -> dict[Any, str]:
    return {key: place.short_name for key, place in rows_by_id(Place, [key for key in keys if key]).items()}


def code_names(keys: list[Any]) -> dict[Any, str]:
    """Return the names of places by their codes."""
    return dict(
        Place.objects.filter(code__in=[key for key in keys if key], valid_to=None).values_list("code", "short_name")
    )


def _by_time(indicator: Indicator, by: str) -> tuple[Any, Callable[[list[Any]], dict[Any, str]]]:
    moment: dict[str, Any] = (
        {"tzinfo": BEIJING} if isinstance(_field(indicator.rows(), indicator.at), DateTimeField) else {}
    )
    if by == "month":
        return TruncMonth(indicator.at, **moment), lambda keys: {key: f"{key:%Y-%m}" for key in keys}
    year = ExtractYear(indicator.at, **moment)
    if by == "year":
        return year, lambda keys: {key: str(key) for key in keys}
    return year * 10 + ExtractQuarter(indicator.at, **moment), lambda keys: {
        key: f"{key // 10}Q{key % 10}" for key in keys
    }


def _key(key: Any, by: str, name: str) -> str:
    if by in TIMES:
        return name
    if by in LEVELS and key is not None and not isinstance(key, str):
        return rows_by_id(Place, [key])[key].code
    return "" if key is None else str(key)


def read_live(indicator: Indicator, place: Place, period: Period, by: str = "") -> Reading:
    """Read an indicator from the records: one query, and one more for what cannot be added up.

    Args:
        by: a way of :func:`ways`, to take the figure apart; empty for the whole only.

    Raises:
        UnknownBreakdown: it cannot be taken apart so.
    """
    rows = rows_of(indicator, place, period)
    measures = _measures(indicator)
    if not by:
        return Reading(indicator, place, period, part_of(indicator, rows.aggregate(**measures)))
    check_way(indicator, place, by)
    expression, named = _keyed(indicator, by)
    groups = list(rows.annotate(group=expression).values("group").annotate(**measures).order_by("group"))
    names = named([group["group"] for group in groups if group["group"] not in (None, "")])
    parts = []
    for group in groups:
        name = names.get(group["group"], str(_("not known")))
        parts.append(part_of(indicator, group, _key(group["group"], by, name), name))
    return Reading(indicator, place, period, _whole(indicator, rows, groups), by, in_order(parts, by))


def in_order(parts: list[Part], by: str) -> list[Part]:
    """Return groups in the order in which they are shown: times as they pass, others by what they hold."""
    if by in TIMES:
        return sorted(parts, key=lambda part: part.key)
    return sorted(parts, key=lambda part: (part.value is None, -(part.value or 0), part.key))


def _whole(indicator: Indicator, rows: QuerySet, groups: list[dict[str, Any]]) -> Part:
    if indicator.measure is Measure.PEOPLE:  # who stands in two groups counts once
        return part_of(indicator, rows.aggregate(**_measures(indicator)))
    total: dict[str, Any] = {"rows": sum(group["rows"] for group in groups)}
    values = [group["numerator"] for group in groups if group.get("numerator") is not None]
    total["numerator"] = sum(values, start=type(values[0])()) if values else 0
    return part_of(indicator, total)


def narrowed(indicator: Indicator, rows: QuerySet, by: str, key: str) -> QuerySet:
    """Narrow the rows behind a figure to one group of it.

    Raises:
        UnknownBreakdown: the indicator cannot be taken apart so.
    """
    if by in TIMES:
        part = Period.of(key)
        first = _moment(rows, indicator.at, part.begins, part.start)
        after = _moment(rows, indicator.at, part.ends, part.end)
        return rows.filter(**{f"{indicator.at}__gte": first, f"{indicator.at}__lt": after})
    if by in LEVELS:
        if not indicator.place.endswith("path") and LEVELS[by] in COLUMNS:
            column = f"{indicator.place}{COLUMNS[LEVELS[by]]}"
            return rows.filter(**({f"{column}__code": key} if key else {f"{column}__isnull": True}))
        return rows.annotate(group=_by_level(indicator, LEVELS[by])[0]).filter(group=key)
    way = next((item for item in indicator.breakdowns if item.code == by), None)
    if way is None:
        raise UnknownBreakdown(by)
    if key:
        return rows.filter(**{way.key: key})
    empty = isinstance(_field(rows, way.key), CharField)  # not filled in: nothing, or no letter
    return rows.filter(**({way.key: ""} if empty else {f"{way.key}__isnull": True}))


def seen_by(indicator: Indicator, rows: QuerySet, user: User) -> QuerySet:
    """Return those of the rows that a reader may open; the others are counted, not shown."""
    return indicator.visible(rows, user)
