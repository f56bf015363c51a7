"""The page of published figures: what a source says, what the records say, and the way into them."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from weilu.indicators.published import Comparison, Published, compare, places_of, published, scale_laid_out
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.models import Level, Place
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope


@dataclass(frozen=True)
class Section:
    """The figures of one place."""

    place: Place
    rows: list[Comparison]

    @property
    def name(self) -> str:
        """The place, with the one above it where its own name says too little."""
        above = f"{self.place.parent} " if self.place.level >= Level.GRID else ""
        return f"{above}{self.place}"


def as_published(fact: Published) -> str:
    """Return a value as the text gives it: about 43,000, more than 8,000."""
    number = f"{fact.value:,}"
    if fact.qualifier == "exact":
        return number
    return (_("about %(n)s") if fact.qualifier == "about" else _("more than %(n)s")) % {"n": number}


def sections(places: dict[str, Place], scale: int) -> list[Section]:
    """Return the figures of each place that is there, the widest first."""
    found = [
        Section(place, [compare(fact, place, scale) for fact in published() if fact.place == place.code])
        for place in places.values()
    ]
    return sorted(found, key=lambda section: section.place.level)


def link(row: Comparison) -> str:
    """Return what leads a page of figures to where a row was read."""
    return "?" + urlencode({"place": row.place.code, "period": row.fact.period})


@requires(Permission.VIEW)
@require_safe
def published_figures(request: AccountRequest) -> HttpResponse:
    """Each published figure whose place lies in the reader's scope, beside what is read there now."""
    facts, scale = published(), scale_laid_out()
    places = places_of(facts, places_in_scope(request.user, Permission.VIEW))
    found = sections(places, scale or 1)
    rows = [row for section in found for row in section.rows]
    context = {
        "sections": [(each, [(row, as_published(row.fact), link(row)) for row in each.rows]) for each in found],
        "count": len(rows),
        "differ": sum(not row.exact for row in rows),
        "scale": scale,
        "there": bool(scale),
    }
    return render(request, "indicators/published_figures.html", context)
