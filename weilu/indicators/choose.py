"""What a reader asks for in an address or a command: indicator, place, period."""

from difflib import get_close_matches
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from weilu.indicators.catalogue import catalogue
from weilu.lib.indicators import Indicator
from weilu.lib.period import Period
from weilu.orgs.models import Level, Place


class NotThere(ValueError):
    """There is no such indicator, place or period; the message says what there is."""


def indicator_of(code: str) -> Indicator:
    """Return an indicator by its code.

    Raises:
        NotThere: there is none; the message names the nearest.
    """
    known = catalogue()
    if code in known:
        return known[code]
    near = ", ".join(get_close_matches(code, known, n=3, cutoff=0.5)) or ", ".join(known)
    raise NotThere(_("There is no indicator “%(code)s”. Perhaps: %(near)s") % {"code": code, "near": near})


def check_place(indicator: Indicator, place: Place) -> None:
    """Refuse a place that is smaller than any that the rows of an indicator name.

    Raises:
        NotThere: with where they are counted.
    """
    if place.level > Level.GRID and not indicator.place.endswith("path"):
        raise NotThere(
            _("“%(name)s” is counted down to the grid, not for a building: ask for %(grid)s.")
            % {"name": indicator.name, "grid": place.parent}
        )


def period_of(text: str) -> Period:
    """Return a period by its name.

    Raises:
        NotThere: it names none.
    """
    try:
        return Period.of(text)
    except ValueError as error:
        raise NotThere(
            _("“%(text)s” is not a period. Write 2025, 2025Q3, 2025-03, 2021-2022 or 2025-01-15..2025-04-14.")
            % {"text": text}
        ) from error


def place_of(code: str, condition: Q | None = None) -> Place:
    """Return the place that has a code today, or the last that had it; or the one that a key names.

    A place that was split is named by its key: one of its parts may have its code.

    Args:
        condition: what else must hold of the place: a reader's scope.

    Raises:
        NotThere: there is none.
    """
    rows = Place.objects.filter(condition or Q())
    try:
        found = rows.filter(pk=UUID(code)).first()
    except ValueError:
        rows = rows.filter(code=code)
        found = rows.filter(valid_to=None).first() or rows.order_by("-valid_to").first()
    if found is None:
        raise NotThere(_("There is no place %(code)s.") % {"code": code})
    return found
