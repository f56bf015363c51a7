"""Reading an indicator from the records: for a place and a period, whole or taken apart; and the rows behind it."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, Count, F, Func, Q, QuerySet, Sum, Value, When
from django.db.models.fields import CharField, DateField, DateTimeField, IntegerField, TextField
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from weilu.indicators.fields import field_of
from weilu.indicators.group_names import named_by_code, named_gone, named_places, names_beside, names_of
from weilu.lib.indicators import Indicator, Measure
from weilu.lib.period import Period, spans_of
from weilu.orgs.attribution import counted_at, find_group, in_ended, in_group, is_group, naming, paths_of
from weilu.orgs.models import Level, Place, User
from weilu.orgs.scope import COLUMNS, in_place

LEVELS = {level.name.lower(): level for level in Level}
TIMES = {"month": _lazy("month"), "quarter": _lazy("quarter"), "year": _lazy("year")}
DAY = dt.timedelta(days=1)
WRITTEN = {
    "month": re.compile(r"\d{4}-(0[1-9]|1[0-2])"), "quarter": re.compile(r"\d{4}Q[1-4]"), "year": re.compile(r"\d{4}"),
}  # fmt: skip


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
            "period": self.period.text.replace("–", "-"),  # as it may be asked for again
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


def _moment(rows: QuerySet, path: str, moment: dt.datetime, day: dt.date) -> dt.datetime | dt.date:
    return moment if isinstance(field_of(rows.model, path), DateTimeField) else day


def _in(indicator: Indicator, place: Place) -> Q:
    if indicator.place.endswith("path") and place.valid_to is not None:
        return in_ended(indicator.rows().model, indicator.place, place)
    if indicator.place.endswith("path"):
        found = Q()
        for path in paths_of(place):
            found |= Q(**{f"{indicator.place}__startswith": path})
        return found
    return in_place(place, indicator.place)


def rows_of(indicator: Indicator, place: Place, period: Period) -> QuerySet:
    """Return the rows that an indicator counts in a place and a period: counted for the value, listed for all."""
    if indicator.stock:
        rows = _begun(indicator, place, period)
        return rows.filter(_going_on(indicator) | _ended_later(indicator, rows, period)) if indicator.until else rows
    return within(indicator, indicator.rows().order_by(), place, period)


def within(indicator: Indicator, rows: QuerySet, place: Place, period: Period) -> QuerySet:
    """Return those of some rows of an indicator's table that lie in a place and, by its time, in a period."""
    first = _moment(rows, indicator.at, period.begins, period.start)
    after = _moment(rows, indicator.at, period.ends, period.end)
    return rows.filter(_in(indicator, place), **{f"{indicator.at}__gte": first, f"{indicator.at}__lt": after})


def _begun(indicator: Indicator, place: Place, period: Period) -> QuerySet:
    """Return the rows of a stock that began by the end of a period."""
    rows = indicator.rows().filter(_in(indicator, place)).order_by()
    since = _moment(rows, indicator.since, period.ends, period.last_day)
    return rows.filter(**{f"{indicator.since}__{'lt' if isinstance(since, dt.datetime) else 'lte'}": since})


def _going_on(indicator: Indicator) -> Q:
    return Q(**{f"{indicator.until}__isnull": True})


def _ended_later(indicator: Indicator, rows: QuerySet, period: Period) -> Q:
    until = _moment(rows, indicator.until, period.ends, period.last_day)
    return Q(**{f"{indicator.until}__{'gte' if isinstance(until, dt.datetime) else 'gt'}": until})


def measures_of(indicator: Indicator, among: Any = None) -> dict[str, Any]:
    """Return the aggregates that make a value; ``rows`` always, ``numerator`` as the measure needs.

    Rows are counted by ``*``, not by their key, which no index of figures holds.

    Args:
        among: a condition that rows must fulfil to count.
    """
    found: dict[str, Any] = {"rows": Count(Value(1), filter=among) if among else Count("*")}
    if indicator.measure is Measure.PEOPLE:
        found["numerator"] = Count(indicator.value, distinct=True, filter=among)
    elif indicator.measure in (Measure.SUM, Measure.RATIO):
        found["numerator"] = Sum(indicator.value, filter=among)
    elif indicator.measure is Measure.SHARE:
        found["numerator"] = Count(Value(1), filter=Q(among) & Q(indicator.part) if among else indicator.part)
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


@dataclass(frozen=True)
class Grouping:
    """How rows are grouped: the expression, and what makes key and name of a group of it.

    Attributes:
        named: from what the expression gave to key and name; groups of the same key are one.
    """

    expression: Any
    named: Callable[[list[Any]], dict[Any, tuple[str, str]]]


def grouping_of(indicator: Indicator, rows: QuerySet, period: Period, by: str) -> Grouping:
    """Return how rows are grouped by a way of :func:`ways`."""
    if by in LEVELS:
        return _by_level(indicator, LEVELS[by])
    if by in TIMES:
        return _by_time(indicator, rows, period, by)
    way = next(item for item in indicator.breakdowns if item.code == by)
    beside, _dot, name = way.key.rpartition("__")
    if beside and not way.choices and indicator.measure is not Measure.PEOPLE:
        # By the key of what is named beside the row: joined after they are counted, names cost nothing.
        related: Any = field_of(rows.model, beside).related_model
        return Grouping(F(f"{beside}_id"), lambda keys: names_beside(related, name, keys))
    return Grouping(F(way.key), lambda keys: {key: (str(key), name) for key, name in names_of(way, keys).items()})


def _by_level(indicator: Indicator, level: Level) -> Grouping:
    if not indicator.place.endswith("path") and level in COLUMNS:
        return Grouping(counted_at(level, indicator.place), named_places)
    path = indicator.place if indicator.place.endswith("path") else f"{indicator.place}county__path"
    return Grouping(
        SplitPart(F(path), Value("/"), Value(int(level))),
        lambda keys: named_by_code(keys, level),
    )


class WidthBucket(Func):
    """PostgreSQL's ``width_bucket``: the number of the span that a moment falls into, cheaper than cutting it."""

    function = "width_bucket"
    output_field = IntegerField()


def _by_time(indicator: Indicator, rows: QuerySet, period: Period, by: str) -> Grouping:
    spans = spans_of(period, by)
    moments = isinstance(field_of(rows.model, indicator.at), DateTimeField)
    edges = Value(
        [span.begins if moments else span.start for span in spans],
        output_field=ArrayField(DateTimeField() if moments else DateField()),
    )
    names = {number: (span.text, span.text) for number, span in enumerate(spans, start=1)}
    return Grouping(WidthBucket(F(indicator.at), edges), lambda keys: {key: names[key] for key in keys})


def read_live(indicator: Indicator, place: Place, period: Period, by: str = "") -> Reading:
    """Read an indicator from the records: one query, and one more for what cannot be added up.

    Args:
        by: a way of :func:`ways`, to take the figure apart; empty for the whole only.

    Raises:
        UnknownBreakdown: it cannot be taken apart so.
    """
    if not by:
        return reading_of(indicator, place, period, by, _counted(indicator, place, period, Value("")), {})
    check_way(indicator, place, by)
    rows = rows_of(indicator, place, period)
    grouping = grouping_of(indicator, rows, period, by)
    if by in TIMES:
        groups = _counted_in_spans(indicator, rows, grouping.expression)
    else:
        groups = _counted(indicator, place, period, grouping.expression)
    return reading_of(indicator, place, period, by, groups, names_in(grouping, groups))


def names_in(grouping: Grouping, groups: list[dict[str, Any]]) -> dict[Any, tuple[str, str]]:
    """Return key and name of each group that was found."""
    return grouping.named([group["group"] for group in groups if group["group"] not in (None, "")])


def reading_of(
    indicator: Indicator,
    place: Place,
    period: Period,
    by: str,
    groups: list[dict[str, Any]],
    named: dict[Any, tuple[str, str]],
) -> Reading:
    """Make a reading of what was counted in each group."""
    if not by:
        return Reading(indicator, place, period, part_of(indicator, _sum(groups)))
    rows = rows_of(indicator, place, period)
    parts = _parts(indicator, rows, by, groups, named)
    return Reading(indicator, place, period, _whole(indicator, rows, groups), by, in_order(parts, by))


def _counted(indicator: Indicator, place: Place, period: Period, group: Any) -> list[dict[str, Any]]:
    """Count the rows behind a figure by ``group``; a group may come twice.

    A stock is counted in two halves, what goes on and what ended later: each has an index, both together have none.
    """
    if indicator.until and indicator.measure is not Measure.PEOPLE:  # who stands in both halves counts once
        begun = _begun(indicator, place, period)
        halves = [begun.filter(_going_on(indicator)), begun.filter(_ended_later(indicator, begun, period))]
    else:
        halves = [rows_of(indicator, place, period)]
    measures = measures_of(indicator)
    counted = [half.annotate(group=group).values("group").annotate(**measures) for half in halves]
    return list(counted[0].union(*counted[1:], all=True))


def _counted_in_spans(indicator: Indicator, rows: QuerySet, span: Any) -> list[dict[str, Any]]:
    """Count the rows behind a figure by span of time.

    Of an expression the server thinks that it has as many values as the moments in it, and sorts the rows by it. Of a
    column that comes out of a query it thinks that there are few: it counts them as it reads, with several processes.
    ``LIMIT ALL`` limits nothing, and keeps it from putting the two together again.
    """
    held, numerator = {"group": span}, "0"
    if indicator.measure is Measure.SHARE:
        held["held"] = Case(When(indicator.part, then=Value(True)), default=Value(False))
        numerator = "count(*) FILTER (WHERE held)"
    elif indicator.measure is not Measure.COUNT:
        held["held"] = F(indicator.value) if isinstance(indicator.value, str) else indicator.value
        numerator = "count(DISTINCT held)" if indicator.measure is Measure.PEOPLE else "sum(held)"
    try:
        text, params = rows.annotate(**held).values(*held).query.sql_with_params()
    except EmptyResultSet:  # the rows name no place of this level
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT "group", count(*), {numerator} FROM ({text} LIMIT ALL) spans GROUP BY 1',  # noqa: S608  of the ORM
            params,
        )
        return [{"group": group, "rows": counted, "numerator": number} for group, counted, number in cursor.fetchall()]


def _parts(
    indicator: Indicator, rows: QuerySet, by: str, groups: list[dict[str, Any]], named: dict[Any, tuple[str, str]]
) -> list[Part]:
    """Make the groups that a reader sees: those of the same key are one."""
    unknown = str(_("not known"))
    same: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for group in groups:
        key, name = named.get(group["group"], ("", ""))
        same.setdefault((key, name or unknown), []).append(group)
    found = []
    for (key, name), members in same.items():
        if len(members) == 1:
            total = members[0]
        elif indicator.measure is Measure.PEOPLE:  # who stands in both counts once
            total = narrowed(indicator, rows, by, key).aggregate(**measures_of(indicator))
        else:
            total = _sum(members)
        found.append(part_of(indicator, total, key, name))
    return found


def _sum(groups: list[dict[str, Any]]) -> dict[str, Any]:
    values = [group["numerator"] for group in groups if group.get("numerator") is not None]
    return {
        "rows": sum(group["rows"] for group in groups),
        "numerator": sum(values, start=type(values[0])()) if values else 0,
    }


def in_order(parts: list[Part], by: str) -> list[Part]:
    """Return groups in the order in which they are shown: times as they pass, others by what they hold."""
    if by in TIMES:
        return sorted(parts, key=lambda part: part.key)
    parts = told_apart(parts) if by in LEVELS else parts
    return sorted(parts, key=lambda part: (part.value is None, -(part.value or 0), part.key))


def told_apart(parts: list[Part]) -> list[Part]:
    """Return places that have one name with what tells them apart: the place above, or their code where it is one."""
    many = Counter(part.name for part in parts if part.key)
    alike = [part.key for part in parts if many[part.name] > 1]
    if not alike:
        return parts
    above = dict(Place.objects.filter(code__in=alike, valid_to=None).values_list("code", "parent__short_name"))
    pairs = Counter((part.name, above.get(part.key)) for part in parts)

    def told(part: Part) -> str:
        place = above[part.key]
        return f"{part.name}（{place if pairs[part.name, place] == 1 else part.key}）"

    return [replace(part, name=told(part)) if part.key in alike and above.get(part.key) else part for part in parts]


def _whole(indicator: Indicator, rows: QuerySet, groups: list[dict[str, Any]]) -> Part:
    if indicator.measure is Measure.PEOPLE:  # who stands in two groups counts once
        return part_of(indicator, rows.aggregate(**measures_of(indicator)))
    return part_of(indicator, _sum(groups))


def _no_group(by: str, key: str) -> UnknownBreakdown:
    return UnknownBreakdown(
        _("There is no “%(key)s” among the groups of “%(by)s”; open the group from the figure.")
        % {"key": key, "by": by}
    )


def narrowed(indicator: Indicator, rows: QuerySet, by: str, key: str) -> QuerySet:
    """Narrow the rows behind a figure to one group of it.

    Raises:
        UnknownBreakdown: the indicator cannot be taken apart so, or there is no such group.
    """
    if by in TIMES:
        if not WRITTEN[by].fullmatch(key):
            raise _no_group(by, key)
        part = Period.of(key)
        first = _moment(rows, indicator.at, part.begins, part.start)
        after = _moment(rows, indicator.at, part.ends, part.end)
        return rows.filter(**{f"{indicator.at}__gte": first, f"{indicator.at}__lt": after})
    if by in LEVELS:
        if key and not is_group(key, LEVELS[by]):
            raise _no_group(by, key)
        if not indicator.place.endswith("path") and LEVELS[by] in COLUMNS:
            return rows.filter(in_group(key, LEVELS[by], indicator.place))
        codes = [key, *(code for code, (now, _name) in named_gone(LEVELS[by]).items() if now == key)]
        return rows.annotate(group=_by_level(indicator, LEVELS[by]).expression).filter(group__in=codes)
    way = next((item for item in indicator.breakdowns if item.code == by), None)
    if way is None:
        raise UnknownBreakdown(by)
    if key and way.choices and key not in {str(each) for each in way.choices()}:
        raise _no_group(by, key)
    if key:
        beside, _dot, name = way.key.rpartition("__")
        if beside and not way.choices:
            related: Any = field_of(rows.model, beside).related_model
            if not related._base_manager.filter(**{name: key}).exists():
                raise _no_group(by, key)
        return rows.filter(**{way.key: key})
    empty = isinstance(field_of(rows.model, way.key), CharField)  # not filled in: nothing, or no letter
    return rows.filter(**({way.key: ""} if empty else {f"{way.key}__isnull": True}))


def group_name(indicator: Indicator, by: str, key: str) -> str:
    """Return what a reader calls a group, from its key."""
    if by in TIMES:
        return key
    if by in LEVELS:
        place = find_group(key, LEVELS[by]) if key else None
        return naming(place)[1] if place else str(_("not known"))
    way = next(item for item in indicator.breakdowns if item.code == by)
    labels = {str(each): str(label) for each, label in way.choices().items()} if way.choices else {}
    return labels.get(key, key) or str(_("not known"))


def seen_by(indicator: Indicator, rows: QuerySet, user: User) -> QuerySet:
    """Return those of the rows that a reader may open; the others are counted, not shown."""
    return indicator.visible(rows, user)
