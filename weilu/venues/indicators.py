"""What may be counted of venues and bookings."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from weilu.lib.indicators import Breakdown, Indicator
from weilu.venues.models import Booking, Venue
from weilu.venues.workflow import State

VENUES = pgettext_lazy("unit", "venues")


def _visible(rows: Any, user: Any) -> Any:
    return rows.visible_to(user)


INDICATORS = [
    Indicator(
        code="venues.venues",
        name=_("Venues"),
        scope=_("Venues for residents that there are on the last day of the period."),
        unit=VENUES,
        mechanism="A7",
        rows=lambda: Venue.objects.all(),
        visible=_visible,
        opens="view",
        since="valid_from",
        until="valid_to",
        place="place__path",
        breakdowns=(
            Breakdown("kind", _("kind"), "kind", choices=lambda: dict(Venue.Kind.choices)),
            Breakdown("zone", _("functional zone"), "zone__name"),
        ),
        columns=((_("venue"), "name"), (_("place"), "place"), (_("functional zone"), "zone")),
    ),
    Indicator(
        code="venues.bookings",
        name=_("Bookings of venues"),
        scope=_("Bookings by the day on which they were entered; those that were refused or cancelled do not count."),
        unit=pgettext_lazy("unit", "bookings"),
        mechanism="A7",
        rows=lambda: Booking.objects.filter(state=State.CONFIRMED),
        visible=_visible,
        opens="view",
        at="created_at",
        breakdowns=(
            Breakdown("venue", _("venue"), "venue__name"),
            Breakdown("kind", _("kind"), "venue__kind", choices=lambda: dict(Venue.Kind.choices)),
        ),
        columns=((_("number"), "number"), (_("venue"), "venue"), (_("purpose"), "purpose")),
    ),
]
