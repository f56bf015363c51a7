"""What is told when rows of a table are about to change: figures keep themselves by it.

The database backend tells of each INSERT, UPDATE and DELETE that goes through Django, whichever way it was asked for;
what writes SQL of its own says so with :func:`rewritten`. Nobody is told of tables that nobody watches.
"""

from collections.abc import Iterable
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Model
from django.db.models.sql import Query


class Watcher(Protocol):
    """Who is told, in the transaction that writes."""

    def inserted(self, model: type[Model], keys: list[Any]) -> None:
        """Rows with ``keys`` were inserted."""

    def changing(self, model: type[Model], rows: Query, columns: frozenset[str] | None) -> None:
        """The rows of a query are about to be changed in ``columns``, or deleted where that is None."""

    def rewritten(self, model: type[Model], jurisdiction: UUID | None) -> None:
        """Rows of ``model`` are written by SQL that only its author knows."""


_watchers: dict[type[Model], Watcher] = {}


def watch(model: type[Model], watcher: Watcher | None) -> None:
    """Tell ``watcher`` of what is written to the table of ``model``; a table has one watcher, or none."""
    if watcher:
        _watchers[model] = watcher
    else:
        _watchers.pop(model, None)


def watcher_of(model: type[Model] | None) -> Watcher | None:
    """Return who watches a table, if anybody does."""
    return _watchers.get(model) if model else None


def rewritten(models: Iterable[type[Model]], jurisdiction: UUID | None) -> None:
    """Say, in the transaction that writes, that rows of ``models`` are written by SQL of one's own.

    Args:
        jurisdiction: whose rows; None where they may be anybody's.
    """
    for model in models:
        if watcher := watcher_of(model):
            watcher.rewritten(model, jurisdiction)
