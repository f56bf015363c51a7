"""What was written since the cells were folded: told by the database backend, kept in the same transaction."""

from collections.abc import Iterable
from functools import cache
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, ForeignKey, Model, QuerySet
from django.db.models.sql import Query
from django.db.models.sql.where import WhereNode

from weilu.indicators.cell_models import Touched
from weilu.indicators.contributions import AreaOf, Kind, kinds, model_of_table
from weilu.lib.writes import watch
from weilu.orgs.models import Jurisdiction, Place

FEW = 10_000


class Recorder:
    """Keeps what is written to one table: images of its own rows, and marks where it stands beside others.

    Args:
        kinds: those that count its rows.
        beside: those that read it beside their own rows, each with the columns that they read.
    """

    def __init__(self, model: type[Model], kinds: list[Kind], beside: list[tuple[Kind, set[str]]]):
        self.model, self.kinds, self.beside = model, kinds, beside
        self.home = path_to_jurisdiction(model)
        meta = model._meta
        own = '"jurisdiction_id"' if self.home == "jurisdiction_id" else "NULL"
        pk = meta.pk.column  # type: ignore[union-attr]
        columns = sorted({name for kind in kinds for name in kind.columns})
        self._statement = (
            'INSERT INTO indicators_touched ("id", "kind", "jurisdiction_id", "row", "before") SELECT'
            f' gen_random_uuid(), counted_as, {own}, "{pk}", jsonb_build_object('
            + ", ".join(f"'{name}', \"{name}\"" for name in columns)
            + f') FROM "{meta.db_table}" CROSS JOIN unnest(%s::text[]) counted_as WHERE "{pk}"'
        )
        self._read = [(kind.label, frozenset(kind.columns)) for kind in kinds]

    def inserted(self, model: type[Model], keys: list[Any]) -> None:
        """Keep that rows came: before, there was nothing of them."""
        if self.kinds:
            with connection.cursor() as cursor:
                cursor.execute(
                    'INSERT INTO indicators_touched ("id", "kind", "row")'
                    " SELECT gen_random_uuid(), kind, key FROM unnest(%s::text[]) kind, unnest(%s::uuid[]) key",
                    [[kind.label for kind in self.kinds], keys],
                )
        if self.beside:
            for first in range(0, len(keys), FEW):
                self._mark(model._default_manager.filter(pk__in=keys[first : first + FEW]), None)

    def changing(self, model: type[Model], rows: Query, columns: frozenset[str] | None) -> None:
        """Keep the rows as they are now, before they change or go; they stay locked until the transaction ends."""
        labels = [label for label, read in self._read if columns is None or columns & read]
        if labels:
            which, params = _condition(rows)
            with connection.cursor() as cursor:
                cursor.execute(f'{self._statement} {which} FOR UPDATE OF "{model._meta.db_table}"', [labels, *params])
        if any(columns is None or columns & read for _kind, read in self.beside):
            found = model._default_manager.all()
            found.query = rows.chain()
            self._mark(found, columns)

    def rewritten(self, model: type[Model], jurisdiction: UUID | None) -> None:
        """Keep that a county has to be counted anew."""
        labels = {kind.label for kind in self.kinds} | {kind.label for kind, _read in self.beside}
        mark(labels, [jurisdiction])

    def _mark(self, rows: QuerySet, columns: frozenset[str] | None) -> None:
        labels = {kind.label for kind, read in self.beside if columns is None or columns & read}
        if not labels:
            return
        if self.model is Place:
            mark(labels, _counties(rows))
            return
        if self.home is None:
            mark(labels, [None])
            return
        places = self.model._default_manager.filter(pk__in=rows).order_by().values_list(self.home, flat=True)
        mark(labels, list(places.distinct()))


def _counties(rows: QuerySet) -> list[UUID]:
    """Return the counties that some places lie in."""
    places = Place.objects.filter(pk__in=rows).order_by().annotate(area=AreaOf(F("path")))
    return list(
        Place.objects.filter(path__in=places.values("area").distinct(), valid_to=None).values_list("pk", flat=True)
    )


def mark(labels: Iterable[str], jurisdictions: Iterable[UUID | None]) -> None:
    """Keep that everything which some kinds count in some counties, or everywhere, has to be counted anew."""
    Touched.objects.bulk_create(
        Touched(kind=label, jurisdiction_id=each) for label in sorted(labels) for each in jurisdictions
    )


def _condition(rows: Query) -> tuple[str, list[Any]]:
    """Return the condition on the key of the rows of a query; a plain one where it names a single row."""
    if (key := _single_key(rows.where)) is not None:
        return "= %s", [key]
    try:
        text, params = rows.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return "IS NULL", []
    return f"IN ({text})", list(params)


def _single_key(where: WhereNode) -> Any:
    if where.connector != "AND" or where.negated:
        return None
    for child in where.children:
        target = getattr(getattr(child, "lhs", None), "target", None)
        if target is not None and target.primary_key and getattr(child, "lookup_name", "") == "exact":
            key = getattr(child, "rhs", None)
            return None if hasattr(key, "resolve_expression") else key
    return None


def path_to_jurisdiction(model: type[Model]) -> str | None:
    """Return the column that names the county of a row: its own, or that of what it belongs to; None without one."""
    if any(field.name == "jurisdiction" for field in model._meta.concrete_fields):
        return "jurisdiction_id"
    for field in model._meta.concrete_fields:
        if isinstance(field, ForeignKey) and not field.null and field.related_model is not model:
            related: Any = field.related_model
            if any(each.name == "jurisdiction" for each in related._meta.concrete_fields):
                return f"{field.name}__jurisdiction_id"
    return None


@cache
def recorders() -> dict[type[Model], Recorder]:
    """Return a recorder for each table that a definition reads."""
    tables = model_of_table()
    own: dict[type[Model], list[Kind]] = {}
    beside: dict[type[Model], list[tuple[Kind, set[str]]]] = {}
    for kind in kinds():
        if kind.plain:
            own.setdefault(kind.model, []).append(kind)
        for table, columns in kind.beside.items():
            beside.setdefault(tables[table], []).append((kind, columns))
    return {model: Recorder(model, own.get(model, []), beside.get(model, [])) for model in {**own, **beside}}


class Later:
    """Stands for the recorder of a table until the first write: definitions are read once everything is loaded."""

    def inserted(self, model: type[Model], keys: list[Any]) -> None:
        """See :class:`Recorder`."""
        self._of(model, "inserted", keys)

    def changing(self, model: type[Model], rows: Query, columns: frozenset[str] | None) -> None:
        """See :class:`Recorder`."""
        self._of(model, "changing", rows, columns)

    def rewritten(self, model: type[Model], jurisdiction: UUID | None) -> None:
        """See :class:`Recorder`."""
        self._of(model, "rewritten", jurisdiction)

    def _of(self, model: type[Model], what: str, *arguments: Any) -> None:
        recorder = recorders().get(model)
        watch(model, recorder)
        if recorder:
            getattr(recorder, what)(model, *arguments)


def watch_all(models: Iterable[type[Model]]) -> None:
    """Watch every table that may be counted: of which ones definitions speak is seen at the first write."""
    for model in models:
        if model._meta.app_label != "indicators" and not issubclass(model, Jurisdiction):
            watch(model, Later())
