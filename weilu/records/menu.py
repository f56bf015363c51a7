"""The pages that people work with: one list for the side bar of a desk and for the page on which a phone finds them."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from django.utils.translation import gettext_lazy as _

from weilu.orgs.roles import Permission as P


@dataclass(frozen=True)
class Entry:
    """A page, and who may use it.

    Attributes:
        below: the routes of the pages below it, as patterns.
        without: the permission of those who come there by another entry.
        bar: it stands in the bar at the bottom of a phone too.
        side: it stands in the side bar; elsewhere it is reached from a page above.
    """

    route: str
    icon: str
    words: Any
    needs: P = P.VIEW
    below: tuple[str, ...] = ()
    without: P | None = None
    bar: bool = False
    side: bool = True

    def is_for(self, permissions: set[P]) -> bool:
        """Tell whether somebody with these permissions finds it."""
        return self.needs in permissions and self.without not in permissions

    def holds(self, route: str) -> bool:
        """Tell whether the page of a route is this one or lies below it."""
        return route == self.route or any(fnmatchcase(route, pattern) for pattern in self.below)


ENTRIES = [
    Entry("workbench", "layout-dashboard", _("Workbench"), P.SIGNED_IN, bar=True),
    Entry("orders", "hand-stop", _("Open orders"), P.TAKE_ORDERS, bar=True),
    Entry("work_mine", "checklist", _("My work"), P.HANDLE, bar=True),
    Entry("queue", "inbox", _("Matters"), below=("matter",), bar=True),
    Entry("intake", "phone", _("Record a matter"), P.INTAKE, bar=True),
    Entry("dashboard", "chart-bar", _("Figures"), below=("figures", "published_figures", "figure", "figure_rows")),
    Entry("places", "map-pin", _("Places"), below=("place",)),
    Entry("map", "map", _("Map")),
    Entry("tree", "building-community", _("Organisations"), below=("bodies", "organisation", "coverage*")),
    Entry("coverage", "list-search", _("Coverage"), P.VIEW_PEOPLE, side=False),
    Entry("people", "id", _("People"), P.VIEW_PEOPLE, below=("person*", "duplicates")),
    Entry("honours", "star", _("Honours"), P.VIEW_PEOPLE, below=("honour_new",)),
    Entry("rosters", "upload", _("Rosters"), P.KEEP, below=("roster*",)),
    Entry("venues_manage", "calendar-event", _("Venues"), P.KEEP, below=("venue*", "booking")),
    Entry("notices", "printer", _("Notices"), P.KEEP, below=("notice*",)),
    Entry("bookings", "calendar-event", _("My bookings"), P.SIGNED_IN, below=("booking*",), without=P.KEEP),
    Entry("accounts", "users", _("Accounts"), P.MANAGE, below=("account_*",)),
    Entry("settings", "settings", _("Settings"), P.MANAGE, below=("dictionary_row",)),
]
