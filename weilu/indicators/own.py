"""An indicator narrowed to the work of the reader's own organisation: what a department or a branch answers for."""

from dataclasses import replace

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Q, QuerySet

from weilu.lib.indicators import Indicator
from weilu.orgs.models import Organisation, User
from weilu.orgs.roles import Permission


def _has(rows: QuerySet, name: str, model: type) -> bool:
    try:
        return rows.model._meta.get_field(name).related_model is model
    except FieldDoesNotExist:
        return False


def own_rows(indicator: Indicator, user: User) -> QuerySet:
    """Return the rows that were handed to the user's organisations or taken by the user; where rows know no
    organisation, those that the user may open."""
    rows = indicator.rows()
    if not _has(rows, "handler", Organisation):
        return indicator.visible(rows, user)
    grants = user.grants_for(Permission.VIEW)
    condition = Q(handler__in=[grant.organisation_id for grant in grants if grant.by_organisation])
    if _has(rows, "taken_by", User):
        condition |= Q(taken_by=user)
    return rows.filter(condition)


def own(indicator: Indicator, user: User) -> Indicator:
    """Return an indicator that counts only the user's own work. It is read from the records, never from what was
    folded: the catalogue does not hold it."""
    return replace(indicator, rows=lambda: own_rows(indicator, user))
