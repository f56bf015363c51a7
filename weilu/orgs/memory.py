"""Rows of small dictionaries, remembered for a minute in each process: names of places, bodies and categories.

Only for showing and choosing. What decides about scope or permission is always asked of the database.
"""

import time
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model
from django.db.models.signals import post_delete, post_save

SECONDS = 60.0
ROOM = 20_000

T = TypeVar("T")
M = TypeVar("M", bound=Model)
_kept: dict[Hashable, tuple[float, Any]] = {}


def forget() -> None:
    """Forget everything: tests, and a change made here, begin anew."""
    _kept.clear()


def remember(key: Hashable, make: Callable[[], T]) -> T:
    """Return what ``make`` gave for ``key`` within the last minute, or what it gives now."""
    now = time.monotonic()
    known = _kept.get(key)
    if known and known[0] > now:
        return known[1]
    if len(_kept) > ROOM:
        forget()
    value = make()
    _kept[key] = (now + SECONDS, value)
    return value


def rows_by_id(model: type[M], ids: Iterable[UUID]) -> dict[UUID, M]:
    """Return rows of ``model`` by their keys; one query for those that are not remembered."""
    now = time.monotonic()
    found: dict[UUID, M] = {}
    missing = []
    for pk in set(ids):
        known = _kept.get((model, pk))
        if known and known[0] > now:
            found[pk] = known[1]
        else:
            missing.append(pk)
    if missing:
        if len(_kept) > ROOM:
            forget()
        for row in model._default_manager.filter(pk__in=missing).order_by():
            _kept[(model, row.pk)] = (now + SECONDS, row)
            found[row.pk] = row
    return found


def forget_when_changed(*models: type[Model]) -> None:
    """Forget as soon as a row of ``models`` is saved or deleted in this process."""
    for model in models:
        for signal in (post_save, post_delete):
            signal.connect(_on_change, sender=model, dispatch_uid=f"memory.{model.__name__}.{id(signal)}")


def _on_change(**kwargs: Any) -> None:
    forget()
