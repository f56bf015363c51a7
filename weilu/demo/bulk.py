"""Many rows at once, by COPY."""

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model
from psycopg import sql
from uuid_utils.compat import uuid7

from weilu.lib.search import to_vector
from weilu.matters.models import Matter


def id_at(moment: dt.datetime) -> UUID:
    """Return a UUIDv7 as if made at ``moment``."""
    return uuid7(nanoseconds=int(moment.timestamp()) * 10**9 + moment.microsecond * 1_000)


def copy_rows(model: type[Model], rows: Iterable[Model]) -> None:
    """Write unsaved rows; their keys are made already, and no signal is sent."""
    fields = model._meta.local_concrete_fields
    lines = ([field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields] for row in rows)
    _copy(model._meta.db_table, [str(field.column) for field in fields], lines)


def copy_words(rows: Iterable[tuple[Matter, list[str]]]) -> None:
    """Write the words that matters are found by, as :func:`weilu.matters.queries.add_words` does."""
    lines = ([matter.pk, matter.jurisdiction_id, to_vector(words)] for matter, words in rows)
    _copy("matters_mattertext", ["matter_id", "jurisdiction_id", "words"], lines)


def _copy(table: str, columns: list[str], lines: Iterable[list[Any]]) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as out:
        for line in lines:
            out.write_row(line)
