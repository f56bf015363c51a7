"""A query that is compiled once and run again and again with other values.

Building a queryset and compiling it costs Django several times what PostgreSQL needs to answer it. For the few
queries that every request asks, that is done once in each process.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=Model)


@contextmanager
def planned_by_values() -> Iterator[None]:
    """Let statements be planned anew with their values: how many rows a month or a province has decides the plan.

    A plan kept for the connection does not know them, and a figure then takes many times as long.
    """
    connection.ensure_connection()
    driver = connection.connection
    kept, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        yield
    finally:
        driver.prepare_threshold = kept


@dataclass(frozen=True)
class _Plan:
    sql: str
    params: list[Any]
    names: list[str | None]  # for each parameter the value that replaces it; None for a constant
    compiler: Any
    first: int
    last: int
    columns: list[str]
    converters: dict[int, Any]
    populators: list[Any]


class PreparedQuery(Generic[M]):
    """A queryset with keys, days or texts that are filled in at each call.

    Args:
        build: makes the queryset from a stand-in for each named value. The values must reach the SQL unchanged: plain
            comparisons of columns with UUIDs, days, times and texts.
        stand_ins: a value of the right type for each name, each unlike the others and unlike the query's constants.
    """

    def __init__(self, build: Callable[..., QuerySet[M]], **stand_ins: Any):
        self._build = build
        self._stand_ins = stand_ins
        self._plan: _Plan | None = None

    def _compiled(self) -> _Plan:
        compiler = self._build(**self._stand_ins).query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        known = {value: name for name, value in self._stand_ins.items()}
        names = [known.get(param) for param in params]
        if missing := set(self._stand_ins) - set(names):
            raise ValueError(f"not found among the parameters of the query: {sorted(missing)}")
        info, select = compiler.klass_info, compiler.select
        first, last = info["select_fields"][0], info["select_fields"][-1] + 1
        return _Plan(
            sql=sql,
            params=list(params),
            names=names,
            compiler=compiler,
            first=first,
            last=last,
            columns=[item[0].target.attname for item in select[first:last]],
            converters=compiler.get_converters([item[0] for item in select]),
            populators=get_related_populators(info, select, connection.alias),  # type: ignore[call-arg]
        )

    def __call__(self, **values: Any) -> list[M]:
        """Return the rows for ``values``, with what ``select_related`` asked for."""
        plan = self._plan = self._plan or self._compiled()
        params = [values[name] if name else param for name, param in zip(plan.names, plan.params, strict=True)]
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, params)
            lines = cursor.fetchall()
        if plan.converters:
            lines = list(plan.compiler.apply_converters(lines, plan.converters))
        rows: list[M] = []
        for line in lines:
            row = plan.compiler.klass_info["model"].from_db(
                connection.alias, plan.columns, line[plan.first : plan.last]
            )
            for populator in plan.populators:
                populator.populate(line, row)
            rows.append(row)
        return rows
