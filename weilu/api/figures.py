"""Figures as JSON: the catalogue, one figure, the rows behind it."""

import datetime as dt
from typing import Any

from django.db.models import Model
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from ninja import Query, Router

from weilu.indicators.catalogue import catalogue
from weilu.indicators.choose import NotThere, check_place, indicator_of, period_of, place_of
from weilu.indicators.opening import PARTS, measured, measured_name, open_rows
from weilu.indicators.reading import read, ways
from weilu.lib.crypto import EncryptedField, mask_name
from weilu.lib.indicators import Indicator
from weilu.lib.period import Period
from weilu.orgs.access import AccountRequest
from weilu.orgs.models import Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope
from weilu.people.models import Person

router = Router()


class Missing(ValueError):
    """There is no such thing for this reader; the message says what there is."""


def place_for(user: User, code: str) -> Place:
    """Return the place of a code in the scope of ``user``; without one, the widest of it.

    Raises:
        Missing: it is not there, or not for them.
    """
    if code:
        try:
            return place_of(code, places_in_scope(user, Permission.VIEW))
        except NotThere as error:
            raise Missing(str(error)) from error
    return min((grant.place for grant in user.grants_for(Permission.VIEW)), key=lambda place: place.level)


def indicator_for(code: str) -> Indicator:
    """Return an indicator.

    Raises:
        Missing: there is none of this code.
    """
    try:
        return indicator_of(code)
    except NotThere as error:
        raise Missing(str(error)) from error


def period_for(text: str) -> Period:
    """Return a period; without a text, this year."""
    return period_of(text or str(timezone.localdate().year))


@router.get("figures", url_name="api_figures")
def figures(request: AccountRequest) -> list[dict[str, Any]]:
    """What can be read, and how each may be taken apart in the reader's widest place."""
    place = place_for(request.user, "")
    return [_entry(item, place) for item in catalogue().values()]


def _entry(item: Indicator, place: Place) -> dict[str, Any]:
    return {
        "code": item.code,
        "name": str(item.name),
        "scope": str(item.scope),
        "unit": str(item.unit),
        "version": item.version,
        "mechanism": item.mechanism,
        "figures": list(item.figures),
        "measure": item.measure.value,
        "adds": item.adds.value,
        "breakdowns": [{"code": code, "name": str(label)} for code, label in ways(item, place).items()],
    }


@router.get("figures/{code}", url_name="api_figure")
def figure(request: AccountRequest, code: str, place: str = "", period: str = "", by: str = "") -> dict[str, Any]:
    """One figure: the object of ``weilu figure --json``."""
    indicator, where = indicator_for(code), place_for(request.user, place)
    check_place(indicator, where)
    return read(indicator, where, period_for(period), by).as_dict()


@router.get("figures/{code}/rows", url_name="api_figure_rows")
def figure_rows(
    request: AccountRequest, code: str, place: str = "", period: str = "", by: str = "", key: str = "",
    part: str = "", page: int = Query(1, ge=1, le=10_000),
) -> dict[str, Any]:  # fmt: skip
    """The rows behind a figure or one group of it, as far as the reader may open them."""
    indicator, where, when = indicator_for(code), place_for(request.user, place), period_for(period)
    check_place(indicator, where)
    opened = open_rows(indicator, where, when, request.user, by=by, key=key, part=part, page=page)
    if page > opened.pages:
        raise NotThere(_("There is no page %(n)s; there are %(pages)s.") % {"n": page, "pages": opened.pages})
    return {
        "code": indicator.code,
        "place": where.code,
        "period": when.text,
        "by": by,
        "key": key,
        "part": part,
        "parts": dict(zip(PARTS, opened.parts, strict=True)) if opened.parts else None,
        "total": opened.total,
        "hidden": opened.hidden,
        "page": page,
        "pages": opened.pages,
        "columns": [
            *({"key": attribute, "name": str(label)} for label, attribute in indicator.columns),
            *([{"key": "measured", "name": str(name)}] if (name := measured_name(indicator)) else []),
        ],
        "rows": [_row(row, indicator) for row in opened.rows],
    }


def _row(row: Model, indicator: Indicator) -> dict[str, Any]:
    address = row.get_absolute_url() if hasattr(row, "get_absolute_url") else ""
    values = {attribute: cell(row, attribute) for _label, attribute in indicator.columns}
    if measured_name(indicator):
        values["measured"] = measured(indicator, row)
    return {"url": address, "values": values}


def cell(row: Model, attribute: str) -> Any:
    """Return a value for JSON. Names of people are masked, what is encrypted is left out."""
    value = getattr(row, attribute)
    if display := getattr(row, f"get_{attribute}_display", None):
        return str(display())
    if isinstance(row, Person) and attribute == "name":
        return row.masked_name
    if isinstance(value, Person):
        return value.masked_name
    if isinstance(value, User):
        return mask_name(value.name)
    if any(isinstance(field, EncryptedField) and field.name == attribute for field in row._meta.local_fields):
        return None
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, Model | Promise) else value
