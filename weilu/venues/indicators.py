"""What may be counted of venues and bookings."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from weilu.lib.indicators import Breakdown, Indicator, Measure
from weilu.venues.models import Booking, Venue
from weilu.venues.workflow import State

VENUES = pgettext_lazy("unit", "venues")


def _visible(rows: Any, user: Any) -> Any:
    return rows.visible_to(user)


def _venues(code: str, name: Any, scope: Any, unit: Any = VENUES, **given: Any) -> Indicator:
    """Venues that there are on a day."""
    which = given.pop("which", {})
    return Indicator(
        code=code,
        name=name,
        scope=scope,
        unit=unit,
        mechanism="A7",
        rows=lambda: Venue.objects.filter(**which),
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
        **given,
    )


INDICATORS = [
    _venues("venues.venues", _("Venues"), _("Venues for residents that there are on the last day of the period.")),
    _venues(
        "venues.service_centres",
        _("Service centres"),
        _("Venues of the kind service centre that there are on the last day of the period; their rooms do not count."),
        which={"kind": Venue.Kind.SERVICE_CENTRE},
        figures=("F17",),
    ),
    _venues(
        "venues.zones",
        _("Functional zones"),
        _(
            "Different functional zones of which there is at least one venue on the last day of the period; the same "
            "zone of two counties counts once."
        ),
        pgettext_lazy("unit", "zones"),
        figures=("F18",),
        measure=Measure.PEOPLE,
        value="zone__code",
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
