"""Django's SQL compilers, which tell :mod:`weilu.lib.writes` what they are about to write.

Every way to write through Django ends here: ``save``, ``create``, ``bulk_create``, ``update``, ``delete``. A signal or
a method of a manager would be passed by on some of them.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.backends.postgresql import compiler
from django.db.models.sql import Query

from weilu.lib.writes import watcher_of

SQLCompiler = compiler.SQLCompiler
SQLAggregateCompiler = compiler.SQLAggregateCompiler


def _affected(query: Query) -> Query:
    """Return the query of the keys that a statement is about to change."""
    rows = query.chain(klass=Query)
    rows.get_initial_alias()
    rows.select_related = False
    rows.clear_ordering(force=True)
    rows.extra = {}
    rows.select = ()
    rows.add_fields(["pk"])
    return rows


def _told_first(using: str | None, tell: Callable[[], None], write: Callable[[], Any]) -> Any:
    with transaction.atomic(using=using, savepoint=False):
        tell()
        return write()


class SQLInsertCompiler(compiler.SQLInsertCompiler):
    """Tells of the rows that come."""

    def execute_sql(self, returning_fields: Any = None) -> Any:  # type: ignore[override]
        """Insert, and tell the watcher of the table."""
        model = self.query.model
        watcher = watcher_of(model)
        write = super().execute_sql
        if watcher is None or model is None:
            return write(returning_fields)
        with transaction.atomic(using=self.using, savepoint=False):
            found = write(returning_fields)
            watcher.inserted(model, [row.pk for row in self.query.objs])
        return found


class SQLUpdateCompiler(compiler.SQLUpdateCompiler):
    """Tells of the rows that change."""

    def execute_sql(self, result_type: Any) -> Any:  # type: ignore[override]
        """Update, once the watcher of the table knows."""
        model = self.query.model
        watcher = watcher_of(model)
        write = super().execute_sql
        given: list[Any] = self.query.values  # type: ignore[attr-defined]
        if watcher is None or model is None or not given:
            return write(result_type)
        rows = _affected(self.query)
        columns = frozenset(field.column for field, _model, _value in given)
        return _told_first(self.using, lambda: watcher.changing(model, rows, columns), lambda: write(result_type))


class SQLDeleteCompiler(compiler.SQLDeleteCompiler):
    """Tells of the rows that go."""

    def execute_sql(self, result_type: Any, *rest: Any, **more: Any) -> Any:  # type: ignore[override]
        """Delete, once the watcher of the table knows."""
        model = self.query.model
        watcher = watcher_of(model)
        write = super().execute_sql
        if watcher is None or model is None:
            return write(result_type, *rest, **more)
        rows = _affected(self.query)
        return _told_first(
            self.using, lambda: watcher.changing(model, rows, None), lambda: write(result_type, *rest, **more)
        )
