"""People of the demo county, their memberships, and the accounts of those who act."""

import datetime as dt
from dataclasses import dataclass, field
from random import Random

from weilu.demo.accounts import PASSWORD, ROLES
from weilu.demo.bodies import DEPARTMENTS
from weilu.demo.county import COMMUNITY, TOWN, County, in_town, is_community
from weilu.demo.names import Names
from weilu.demo.persons import Describer
from weilu.lib.copying import copy_rows
from weilu.orgs.models import Grant, Organisation, Place, User
from weilu.orgs.roles import Role
from weilu.people.models import Membership, Person

Kind = Membership.Kind


@dataclass
class Population:
    """Collects the rows of everybody, and writes them at the end."""

    county: County
    rng: Random
    opened: dt.datetime
    persons: list[Person] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = Names(self.rng)
        self.describer = Describer()

    def settle(self) -> None:
        """Make everybody, from the county down to the villages, and write them."""
        self._county()
        for township in self.county.townships:
            self._township(township)
        for village in self.county.villages:
            self._village(village)
        self._describe()
        for model, rows in ((User, self.users), (Person, self.persons), (Membership, self.memberships)):
            copy_rows(model, rows)
        copy_rows(Grant, self.grants)

    # People.

    def _describe(self) -> None:
        for row in self.memberships:
            if row.kind in (Kind.MEMBER, Kind.SECRETARY):
                row.person.joined_party_on = dt.date(min(row.valid_from.year - 1, 2018), 7, 1)
        for person in self.persons:
            self.describer.describe(person)

    def person(self, home: Place, organisation: Organisation, kind: Kind) -> Person:
        """A new person who lives in ``home`` and belongs to ``organisation``."""
        person = Person(
            jurisdiction=self.county.jurisdiction, phone=self.names.phone(), name=self.names.name(), home=home,
            created_at=self.opened,
        )  # fmt: skip
        self.persons.append(person)
        self.join(person, organisation, kind)
        return person

    def join(self, person: Person, organisation: Organisation, kind: Kind) -> None:
        """Add a membership, some years old."""
        years = {Kind.MEMBER: 20, Kind.VOLUNTEER: 4}.get(kind, 6)
        since = self.opened.date() - dt.timedelta(days=self.rng.randint(30, 365 * years))
        row = Membership(
            jurisdiction=self.county.jurisdiction, person=person, organisation=organisation, kind=kind, valid_from=since
        )
        self.memberships.append(row)

    def home(self, village: Place) -> Place:
        """A grid of the village to live in."""
        return self.rng.choice(self.county.grids[village.pk])

    # Accounts.

    def account(self, person: Person, username: str) -> User:
        """Give a person an account; only those that are shown have a password."""
        user = User(username=username, name=person.name, created_at=self.opened)
        if username in ROLES:
            user.set_password(PASSWORD)
            self.county.shown[username] = user
        else:
            user.set_unusable_password()
        user.__dict__["grants_now"] = []
        person.user = user
        self.users.append(user)
        return user

    def grant(self, user: User, role: Role, place: Place, organisation: Organisation | None = None) -> None:
        """Give an account a role, in the database and in what this loading knows."""
        row = Grant(
            user=user, jurisdiction=self.county.jurisdiction, role=role, place=place, organisation=organisation,
            valid_from=self.opened.date(),
        )  # fmt: skip
        self.grants.append(row)
        user.grants_now.append(row)
        if organisation or role == Role.GRID_WORKER:
            self.county.hands[(organisation or place).pk].append(user)
        elif role in (Role.VILLAGE_CLERK, Role.TOWNSHIP_CLERK, Role.COUNTY_CLERK):
            self.county.desks[place.pk].append(user)

    # From the county down.

    def _county(self) -> None:
        homes = [village for village in self.county.villages if in_town(village) and is_community(village)]
        for code in DEPARTMENTS:
            body = self.county.departments[code]
            staff = [self.person(self.home(self.rng.choice(homes)), body, Kind.STAFF) for _ in range(3)]
            for person in staff:
                person.work = body
            if code == "hotline":
                for number, person in enumerate(staff):
                    user = self.account(person, f"d-hotline-{number}" if number else "county")
                    self.grant(user, Role.COUNTY_CLERK, self.county.place)
            elif code == "organisation":
                self.grant(self.account(staff[0], "observer"), Role.OBSERVER, self.county.place)
                self.grant(self.account(staff[1], "admin"), Role.ADMINISTRATOR, self.county.place)
            else:
                for number, person in enumerate(staff[: 2 if code in ("housing", "transport", "civil") else 1]):
                    shown = code == "housing" and number == 0
                    user = self.account(person, "department" if shown else f"d-{code}-{number}")
                    self.grant(user, Role.COUNTY_DEPARTMENT, self.county.place, body)

    def _township(self, township: Place) -> None:
        villages = [village for village in self.county.villages if village.parent_id == township.pk]
        general, service = self.county.offices[township.pk]
        desk = [self.person(self.home(self.rng.choice(villages)), general, Kind.STAFF) for _ in range(2)]
        counter = [self.person(self.home(self.rng.choice(villages)), service, Kind.STAFF) for _ in range(2)]
        for number, person in enumerate(desk if township.code == TOWN else desk[:1]):
            shown = township.code == TOWN and number == 0
            user = self.account(person, "township" if shown else f"t{township.code}-{number}")
            self.grant(user, Role.TOWNSHIP_CLERK, township)
            self.grant(user, Role.TOWNSHIP_CLERK, township, general)
        user = self.account(counter[0], f"t{township.code}-s")
        self.grant(user, Role.TOWNSHIP_CLERK, township, service)
        for team in self.county.teams[township.pk]:
            people = [self.person(self.home(self.rng.choice(villages)), team, Kind.VOLUNTEER) for _ in range(8)]
            for number, person in enumerate(people[:2]):
                user = self.account(person, f"v{township.code}-{len(self.users)}-{number}")
                self.grant(user, Role.MEMBER, township, team)

    def _village(self, village: Place) -> None:
        first = village.code == COMMUNITY
        committee = self.county.committees[village.pk]
        branches = enumerate(self.county.branches[village.pk])
        secretaries = [self._branch(village, branch, number) for number, branch in branches]
        if is_community(village):
            clerk = self.person(self.home(village), committee, Kind.STAFF)
        else:  # in villages the secretary heads the committee too
            clerk = secretaries[0]
            self.join(clerk, committee, Kind.STAFF)
        user = self.account(clerk, "village" if first else f"c{village.code}")
        self.grant(user, Role.VILLAGE_CLERK, village)
        self.grant(user, Role.VILLAGE_CLERK, village, committee)
        self._grid_workers(village, committee)

    def _branch(self, village: Place, branch: Organisation, number: int) -> Person:
        head = self.person(self.home(village), branch, Kind.SECRETARY)
        members = [self.person(self.home(village), branch, Kind.MEMBER) for _ in range(self.rng.choice((2, 3, 3, 4)))]
        acting = 2 if in_town(village) else 1
        for position, person in enumerate(members[:acting] if is_community(village) else []):
            shown = village.code == COMMUNITY and number == position == 0
            user = self.account(person, "member" if shown else f"m{village.code}-{number}{position}")
            self.grant(user, Role.MEMBER, village, branch)
        return head

    def _grid_workers(self, village: Place, committee: Organisation) -> None:
        """One for each grid in the county town's communities; elsewhere one person walks them all."""
        grids = self.county.grids[village.pk]
        urban = is_community(village) and in_town(village)
        for number, walked in enumerate([[grid] for grid in grids] if urban else [grids]):
            worker = self.person(walked[0], committee, Kind.GRID_WORKER)
            if urban:
                mine = self.memberships[-1]
                mine.place, mine.public_phone = walked[0], f"0839-5557{len(self.memberships) % 1000:03d}"
            if is_community(village):
                shown = village.code == COMMUNITY and number == 0
                user = self.account(worker, "grid" if shown else f"g{village.code}-{number + 1:02d}")
                for grid in walked:
                    self.grant(user, Role.GRID_WORKER, grid)
