"""What rows contribute to cells, as SQL made from the one definition of an indicator.

The same query is asked of the rows as they are, of a part of them, and of rows as they were before a change: those
stand in ``indicators_touched`` as images of the columns that definitions read, and take the table's place under its
own name.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from django.apps import apps
from django.db.models import Count, F, ForeignKey, Func, Model, Q, QuerySet, Sum, TextField, Value
from django.db.models.fields import DateField, DateTimeField, DurationField, Field, UUIDField
from django.db.models.functions import Cast, Coalesce

from weilu.indicators.cell_models import NOBODY
from weilu.indicators.fields import field_of
from weilu.lib.indicators import Indicator, Measure
from weilu.orgs.models import Jurisdiction, Place

# Places and counties lend their path, and that of a county never changes; nor does a place's level.
STEADY = frozenset({Place._meta.db_table, Jurisdiction._meta.db_table})
STEADY_COLUMNS = frozenset({"id", "level", "place_id"})
TABLE = re.compile(r'(?:FROM|JOIN) "(\w+)"')
CELL = '"jurisdiction_id", "code", "by", "key", "month", "who", "rows", "numerator"'


class MonthOf(Func):
    """The first day of the month of a day, or of a moment in Beijing."""

    output_field = DateField()

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> Any:  # type: ignore[override]
        """Cut a moment in Beijing time, a day as it is."""
        moment = isinstance(self.source_expressions[0].output_field, DateTimeField)
        zone = " AT TIME ZONE 'Asia/Shanghai'" if moment else "::timestamp"
        return super().as_sql(compiler, connection, template=f"date_trunc('month', %(expressions)s{zone})::date")


class AreaOf(Func):
    """The county's part of a place's path; of a place above the counties, its own path."""

    template = "substring(%(expressions)s from '^(?:[^/]*/){1,3}')"
    output_field = TextField()


class HashOf(Func):
    """A text as a UUID, for counting different ones."""

    template = "md5(%(expressions)s)::uuid"
    output_field = UUIDField()


class Seconds(Func):
    """The length of a duration in seconds."""

    template = "EXTRACT(EPOCH FROM %(expressions)s)"
    output_field = Field()


@dataclass(frozen=True)
class Sql:
    """A statement, or a part of one, with its parameters."""

    text: str
    params: tuple[Any, ...] = ()


def joined(parts: Iterable[Sql], between: str) -> Sql:
    """Put parts one after the other."""
    parts = list(parts)
    return Sql(between.join(part.text for part in parts), tuple(value for part in parts for value in part.params))


def by_path(indicator: Indicator) -> bool:
    """Tell whether its rows stand at a place by its path, not by a record's own columns."""
    return indicator.place.endswith("path")


def own_ways(indicator: Indicator) -> list[tuple[str, str]]:
    """Return code and column of the breakdowns that have cells of their own; different people have none."""
    if indicator.measure is Measure.PEOPLE:
        return []
    return [(way.code, way.key) for way in indicator.breakdowns]


def is_duration(indicator: Indicator) -> bool:
    """Tell whether its numerator is a sum of durations, which cells keep in seconds."""
    if indicator.measure not in (Measure.SUM, Measure.RATIO):
        return False
    rows = indicator.rows().annotate(c_value=_value(indicator))
    return isinstance(rows.query.annotations["c_value"].output_field, DurationField)


def _value(indicator: Indicator) -> Any:
    return F(indicator.value) if isinstance(indicator.value, str) else indicator.value


def numerator_of(indicator: Indicator, among: Any = None) -> Any:
    """Return the aggregate that makes the numerator, 0 where the measure has none.

    Args:
        among: a condition that rows must fulfil to count.
    """
    if indicator.measure is Measure.SHARE:
        return Count(Value(1), filter=Q(among) & Q(indicator.part) if among else indicator.part)
    if indicator.measure in (Measure.SUM, Measure.RATIO):
        total = Sum(_value(indicator), filter=among)
        return Seconds(total) if is_duration(indicator) else total
    return Value(0)


def _who(indicator: Indicator, rows: QuerySet) -> Any:
    """Return what tells different people, or things, from each other: their key, or a hash of what names them."""
    value = str(indicator.value)
    if isinstance(field_of(rows.model, value), ForeignKey):
        key: Any = F(f"{value}_id")
    else:
        key = HashOf(Cast(F(value), TextField()))
    return Coalesce(key, Value(NOBODY), output_field=UUIDField())


def grouping_keys(indicator: Indicator, time: str) -> dict[str, Any]:
    """Return what cells are grouped by: county, month of a time, and the key of each breakdown of its own."""
    area: Any = AreaOf(F(indicator.place)) if by_path(indicator) else F(f"{indicator.place}county_id")
    keys = {
        f"c_key{number}": Coalesce(Cast(F(column), TextField()), Value(""), output_field=TextField())
        for number, (_code, column) in enumerate(own_ways(indicator))
    }
    return {"c_area": area, "c_month": MonthOf(F(time)), **keys}


@dataclass(frozen=True, eq=False)
class Half:
    """Rows that an indicator counts by one of its times.

    A flow counts in the month of its time; a stock from the month in which a row begins, and no longer, ``sign`` being
    -1, from the one in which it ends.
    """

    indicator: Indicator
    rows: QuerySet
    time: str
    sign: int

    def grouped(self) -> QuerySet:
        """Return the query that makes its cells."""
        people = self.indicator.measure is Measure.PEOPLE
        who = _who(self.indicator, self.rows) if people else Value(NOBODY)
        named = {**grouping_keys(self.indicator, self.time), "c_who": who}
        grouped = self.rows.order_by().annotate(**named).values(*named)
        return grouped.annotate(c_rows=Count("*"), c_numerator=numerator_of(self.indicator))


def halves(indicator: Indicator, rows: QuerySet) -> Iterator[Half]:
    """Yield the one half of a flow, or the two of a stock."""
    if not indicator.stock:
        yield Half(indicator, rows, indicator.at, 1)
        return
    yield Half(indicator, rows, indicator.since, 1)
    if indicator.until:
        ended = rows.filter(**{f"{indicator.until}__isnull": False})
        yield Half(indicator, ended, indicator.until, -1)


@dataclass(frozen=True, eq=False)
class Kind:
    """Indicators that are kept together, since they count the same rows.

    Attributes:
        label: as ``indicators_touched`` names it.
        model: whose rows are counted.
        plain: whether its query reads the table once, so that images of rows can take its place; if not, everything
            that the county has is counted anew when a row changes, as it is when a table beside it changes.
    """

    label: str
    model: type[Model]
    indicators: tuple[Indicator, ...]
    plain: bool

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def codes(self) -> list[str]:
        return [each.code for each in self.indicators]

    @cached_property
    def texts(self) -> list[str]:
        """The SQL of its definitions, to see which tables and columns they read."""
        return [text for indicator in self.indicators for text in _texts(indicator)]

    @cached_property
    def columns(self) -> list[str]:
        """The columns of its own table that its definitions read: what an image of a row keeps."""
        named = re.compile(rf'"{self.table}"\."(\w+)"')
        pk = str(self.model._meta.pk.column)  # type: ignore[union-attr]
        return sorted({pk, *(name for text in self.texts for name in named.findall(text))})

    @cached_property
    def beside(self) -> dict[str, set[str]]:
        """Tables besides its own that its definitions read, each with the columns that they name there."""
        found: dict[str, set[str]] = {}
        for text in self.texts:
            for table in TABLE.findall(text):
                if table not in STEADY and (table != self.table or not self.plain):
                    found.setdefault(table, set()).update(_columns(text, table))
        for indicator in self.indicators:  # which rows count may hang on a place; where they count hangs on its county
            text = indicator.rows().query.sql_with_params()[0].partition(" FROM ")[2]
            for table in set(TABLE.findall(f" FROM {text}")) & STEADY - {self.table}:
                if columns := _columns(text, table) - STEADY_COLUMNS:
                    found.setdefault(table, set()).update(columns)
        return found


def _columns(text: str, table: str) -> set[str]:
    names = [table, *re.findall(rf'"{table}" "?(\w+)"?', text)]
    return {column for name in names for column in re.findall(rf'"?{name}"?\."(\w+)"', text)}


def _texts(indicator: Indicator) -> list[str]:
    return [half.grouped().query.sql_with_params()[0] for half in halves(indicator, indicator.rows())]


def kinds_of(indicators: Iterable[Indicator]) -> list[Kind]:
    """Gather indicators by the rows that they count; each that asks by a subquery is kept by itself."""
    plain: dict[type[Model], list[Indicator]] = {}
    found = []
    for indicator in indicators:
        model, texts = indicator.rows().model, _texts(indicator)
        if all(text.count("SELECT") == 1 for text in texts):
            plain.setdefault(model, []).append(indicator)
        else:
            once = all(TABLE.findall(text).count(model._meta.db_table) == 1 for text in texts)
            found.append(Kind(indicator.code, model, (indicator,), plain=once))
    return [Kind(model._meta.label_lower, model, tuple(each), plain=True) for model, each in plain.items()] + found


@cache
def kinds() -> tuple[Kind, ...]:
    """Return the kinds of the catalogue."""
    from weilu.indicators.catalogue import catalogue

    return tuple(kinds_of(each for each in catalogue().values() if not each.by_now))


def kind_of(indicator: Indicator) -> Kind:
    """Return the kind that an indicator is kept with."""
    return next(kind for kind in kinds() if indicator.code in kind.codes)


@cache
def model_of_table() -> dict[str, type[Model]]:
    """Return the models by their tables."""
    return {model._meta.db_table: model for model in apps.get_models()}


def images(kind: Kind, which: Sql) -> Sql:
    """Return a query of rows as they were before the first write that is not folded yet, in the shape of their table.

    Args:
        which: condition on ``indicators_touched``.
    """
    text = (
        f'SELECT was.* FROM (SELECT DISTINCT ON ("row") "before" FROM indicators_touched'  # noqa: S608  names of ours
        f' WHERE "kind" = %s AND "row" IS NOT NULL AND {which.text} ORDER BY "row", "at") first,'
        f' jsonb_populate_record(NULL::"{kind.table}", first."before") was WHERE first."before" IS NOT NULL'
    )
    return Sql(text, (kind.label, *which.params))


def cells(
    indicator: Indicator,
    rows: QuerySet,
    *,
    sign: int = 1,
    instead: Sql | None = None,
    table: str = "",
    way: str | None = None,
) -> Sql:
    """Return a query of the cells that rows make; a cell may come several times.

    Args:
        rows: rows of the indicator.
        sign: -1 to take away what they contributed.
        instead: a query that takes the place of ``table``.
        way: only the cells of one breakdown, or of the whole where it is empty; by default all.
    """
    parts = []
    for half in halves(indicator, rows):
        text, params = half.grouped().query.sql_with_params()
        if instead:
            text, params = f'WITH "{table}" AS ({instead.text}) {text}', (*instead.params, *params)
        parts.append(_spread(indicator, Sql(text, params), sign * half.sign, way))
    return joined(parts, " UNION ALL ")


def _spread(indicator: Indicator, fine: Sql, sign: int, way: str | None) -> Sql:
    """Turn groups by all breakdowns at once into cells: of the whole, and of each breakdown by itself."""
    ways = {"": "''", **{code: f"fine.c_key{number}" for number, (code, _key) in enumerate(own_ways(indicator))}}
    if way is None:
        values = ", ".join(f"('{code}'::text, {key}::text)" for code, key in ways.items())
        named, spread = 'way."by", way."key"', f' CROSS JOIN LATERAL (VALUES {values}) way("by", "key")'
    else:
        named, spread = f'\'{way}\'::text AS "by", {ways[way]}::text AS "key"', ""
    area, join = area_and_join(indicator)
    text = (
        f'SELECT {area} AS "jurisdiction_id", \'{indicator.code}\'::text AS "code", {named},'  # noqa: S608
        f' fine.c_month AS "month", fine.c_who AS "who", {sign} * fine.c_rows AS "rows",'
        f' {sign} * coalesce(fine.c_numerator, 0)::numeric AS "numerator"'
        f" FROM ({fine.text}) fine{join}{spread}"
    )
    return Sql(text, fine.params)


def area_and_join(indicator: Indicator) -> tuple[str, str]:
    """Return the county's key in groups named ``fine``, and what has to be joined to get it."""
    if by_path(indicator):
        return "area.id", " JOIN orgs_place area ON area.path = fine.c_area AND area.valid_to IS NULL"
    return "fine.c_area", ""


def in_areas(indicator: Indicator, areas: Iterable[Place]) -> Q:
    """Return the condition that a row belongs to one of some counties."""
    if not by_path(indicator):
        return Q(**{f"{indicator.place}county_id__in": [each.pk for each in areas]})
    found = Q(pk__in=[])
    for area in areas:
        # What stands above the counties stands at its own path; below a county, all does.
        found |= Q(**{f"{indicator.place}{'__startswith' if area.level >= 3 else ''}": area.path})
    return found
