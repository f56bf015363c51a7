"""What the loading knows of the county: who stands where, and who acts for whom."""

from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from weilu.orgs.models import Jurisdiction, Organisation, Place, User

COUNTY = "510824"
TOWN = "510824100"
COMMUNITY = "510824100001"


def by_key() -> defaultdict[UUID, list]:
    return defaultdict(list)


@dataclass
class County:
    """The demo county; lists are keyed by the id of the place or organisation they belong to."""

    jurisdiction: Jurisdiction
    place: Place
    townships: list[Place] = field(default_factory=list)
    villages: list[Place] = field(default_factory=list)
    grids: defaultdict[UUID, list[Place]] = field(default_factory=by_key)
    departments: dict[str, Organisation] = field(default_factory=dict)
    offices: defaultdict[UUID, list[Organisation]] = field(default_factory=by_key)
    committees: dict[UUID, Organisation] = field(default_factory=dict)
    branches: defaultdict[UUID, list[Organisation]] = field(default_factory=by_key)
    teams: defaultdict[UUID, list[Organisation]] = field(default_factory=by_key)
    # Accounts that triage for a place, and accounts that work for an organisation or grid.
    desks: defaultdict[UUID, list[User]] = field(default_factory=by_key)
    hands: defaultdict[UUID, list[User]] = field(default_factory=by_key)
    # The accounts with a password, by their name.
    shown: dict[str, User] = field(default_factory=dict)

    @property
    def town(self) -> Place:
        """The county town, where the accounts that are shown work."""
        return next(place for place in self.townships if place.code == TOWN)

    @property
    def community(self) -> Place:
        """The community around which the accounts that are shown work."""
        return next(place for place in self.villages if place.code == COMMUNITY)


def is_community(village: Place) -> bool:
    """Tell whether a place is a community of a town rather than a village."""
    return village.short_name.endswith("社区")


def in_town(village: Place) -> bool:
    """Tell whether a village or community belongs to the county town."""
    return village.code.startswith(TOWN)
