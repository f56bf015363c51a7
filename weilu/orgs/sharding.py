"""Which tables are divided among machines, which are everywhere, which stay where the application connects.

A table with a jurisdiction is divided by it, unless :data:`EVERYWHERE` names it with its reason.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from django.apps import apps
from django.db.models import ForeignKey, Model
from django.db.models.lookups import Exact
from django.db.models.sql.where import WhereNode

COLUMN = "jurisdiction_id"


class Kind(StrEnum):
    """Where the rows of a table lie on a sharded database."""

    DISTRIBUTED = "distributed"  # each row with its jurisdiction
    REFERENCE = "reference"  # every row on every machine
    LOCAL = "local"  # on the machine that the application connects to


# Small, and read together with everything; or found before the jurisdiction is known.
EVERYWHERE = {
    "orgs.Place": "every record names places",
    "orgs.Place_successors": "part of the places",
    "orgs.PlaceChange": "places name the change they began with",
    "orgs.PlaceOutline": "part of the places",
    "orgs.Jurisdiction": "every record names one",
    "orgs.Organisation": "grants name them, and who logs in is asked for them before the jurisdiction is known",
    "orgs.User": "an account may work in several jurisdictions; its name is unique in all",
    "orgs.Grant": "asked at each request, of all jurisdictions at once",
    "accounts.Invitation": "found by its secret alone, which is unique in all",
    "matters.Module": "a dictionary",
    "matters.Category": "a dictionary",
    "venues.Zone": "a dictionary",
    "venues.Venue": "a few for each village, described and not worked on",
    "venues.OpeningHours": "part of the venues",
    "venues.DayException": "part of the venues",
    "portal.NoticeText": "a few texts for each county",
}
# Of a session, of a token, of an address: asked by key at each request or by the worker alone.
# What was written and is not folded yet is gone within a minute; an import when it has ended.
HERE = {
    *("accounts.Session", "api.ApiToken", "orgs.RateCount", "indicators.Touched", "indicators.Folded"),
    *("orgs.ImportJob", "orgs.ImportPart"),
}


def kind_of(model: type[Model]) -> Kind:
    """Return where the rows of a model lie.

    Raises:
        ValueError: a table of ours has no jurisdiction and is not named here.
    """
    label = model._meta.label
    if label in EVERYWHERE:
        return Kind.REFERENCE
    if label in HERE or not model.__module__.startswith("weilu."):
        return Kind.LOCAL
    if any(field.name == "jurisdiction" for field in model._meta.local_fields):
        return Kind.DISTRIBUTED
    raise ValueError(f"{label} has no jurisdiction: say in weilu/orgs/sharding.py where its rows lie")


def tables() -> dict[type[Model], Kind]:
    """Return all models that have a table, in the order of the apps."""
    return {
        model: kind_of(model)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }


def inner_keys() -> Iterator[ForeignKey]:
    """Return the keys of distributed tables that name a row of a distributed table: one of the same jurisdiction."""
    distributed = {model for model, kind in tables().items() if kind is Kind.DISTRIBUTED}
    for model in distributed:
        for field in model._meta.local_fields:
            if isinstance(field, ForeignKey) and field.related_model in distributed:
                yield field


def join_by_jurisdiction() -> None:
    """Make joins and look-ups along such keys name the jurisdiction too.

    On one machine the key alone finds the row. On several, the jurisdiction says on which of them both rows lie.
    """
    for key in inner_keys():
        key.get_extra_restriction = _restriction(key)  # type: ignore[method-assign]
        key.get_extra_descriptor_filter = _same  # type: ignore[method-assign]


def _restriction(key: ForeignKey):
    ours: Any = key.model._meta.get_field("jurisdiction")
    theirs: Any = key.related_model._meta.get_field("jurisdiction")  # type: ignore[union-attr]

    def restriction(alias: str, related_alias: str) -> WhereNode:
        """Django gives the alias of the table that the key names first, that of the key's own table second."""
        return WhereNode([Exact(theirs.get_col(alias), ours.get_col(related_alias))])  # type: ignore[list-item]

    return restriction


def key_of(row: Model) -> dict[str, Any]:
    """Return what a row is found by, and on which machine: a lock goes to one."""
    return {"pk": row.pk, COLUMN: getattr(row, COLUMN)}


def _same(instance: Model) -> dict[str, Any]:
    return {COLUMN: getattr(instance, COLUMN)}
