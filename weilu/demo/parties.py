"""What else stands in the communities of the demo's county town: Party organisations in four levels, and the bodies
beside them, with posts, those who hold and held them, and people who hold posts in several bodies at once.

Estates, firms and people are invented; their credit codes are valid in form only.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from stdnum.cn import uscc

from weilu.demo.county import County, in_town, is_community
from weilu.demo.filing import SEED
from weilu.demo.population import Population
from weilu.lib.copying import copy_rows
from weilu.orgs.models import Level, Organisation, OrganisationChange, Place
from weilu.people.models import Appointment, Membership, Person, Post

Kind, As = Organisation.Kind, Membership.Kind
LONG_AGO, FOUNDED = dt.date(1998, 6, 1), dt.date(2012, 3, 1)
TERMS = (dt.date(2017, 3, 1), dt.date(2021, 3, 1))
ESTATES = (
    *("凯旋城", "江南水岸", "梨花苑", "滨江壹号", "锦绣家园", "红军路小区", "嘉陵花园", "状元府", "金桂苑", "书香名邸"),
    *("兰池新居", "杜里坝安置小区", "北门小区", "月亮湾", "翡翠城", "九龙山庄", "世纪新城", "百利小区", "文焕苑"),
)
FIRMS = ("安居", "和谐", "惠民", "嘉和", "金盾", "鑫泰")
SPECIALITIES = ("综合", "法律", "文教", "医疗")
UNITS = ("中学", "人民医院", "农商银行", "税务局", "供电公司", "疾控中心", "图书馆", "司法所", "移动公司", "粮油公司")
TRADES = ("猕猴桃食品", "建材", "家具", "商贸", "酒业", "农机", "印务", "电子")


@dataclass
class Parties:
    """Collects the rows of these bodies, and writes them at the end."""

    county: County
    population: Population
    rng: Random = field(default_factory=lambda: Random(f"{SEED}:parties"))
    bodies: list[Organisation] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    appointments: list[Appointment] = field(default_factory=list)
    persons: list[Person] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    changes: list[OrganisationChange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.members: defaultdict[UUID, list[Person]] = defaultdict(list)
        self.secretaries: dict[UUID, Person] = {}
        for row in self.population.memberships:
            if row.kind == As.SECRETARY:
                self.secretaries[row.organisation_id] = row.person
            elif row.kind in (As.MEMBER, As.VOLUNTEER):
                self.members[row.organisation_id].append(row.person)
        self.estates = iter(self.rng.sample(ESTATES, len(ESTATES)) * 9)
        self.serial = 0

    def found(self) -> None:
        """Make everything, and write it."""
        town = self.county.town
        top = self.body(Kind.PARTY_COMMITTEE, f"{town.short_name}党委", town, since=LONG_AGO)
        communities = [place for place in self.county.villages if in_town(place) and is_community(place)]
        buildings = self._buildings()
        for team in (team for found in self.county.teams.values() for team in found):
            self._lead(team, self.members[team.pk])
        for number, community in enumerate(communities):
            self._community(community, top, number, buildings[community.pk])
        self._town(top, communities[0])
        for model, rows in (
            (Organisation, self.bodies), (Person, self.persons), (Membership, self.memberships), (Post, self.posts),
            (Appointment, self.appointments), (OrganisationChange, self.changes),
        ):  # fmt: skip
            copy_rows(model, rows)  # type: ignore[arg-type]
        served = [branch for place in communities for branch in self.county.branches[place.pk]]
        Organisation.objects.bulk_update(served, ["parent", "parent_from", "serves"])

    def _town(self, top: Organisation, community: Place) -> None:
        """The heads of the town's committee and offices, who stand on its notice."""
        offices = self.county.offices[self.county.town.pk]
        for body, title in ((top, "书记"), *((office, "主任") for office in offices)):
            self.hold(self.post(body, title, 0, leads=True), self.person(self._home(community), joined=True), TERMS[1])

    # Bodies of one community.

    def _community(self, place: Place, top: Organisation, number: int, buildings: list[Place]) -> None:
        committee = self.body(Kind.PARTY_COMMITTEE, f"{place.short_name}党委", place, parent=top, since=LONG_AGO)
        branches = self.county.branches[place.pk]
        self._committee(committee, place, [self.secretaries[branch.pk] for branch in branches], number)
        for at, branch in enumerate(branches):
            estate = next(self.estates)
            branch.parent, branch.parent_from, branch.serves = committee, LONG_AGO, estate
            self._branch(branch, at)
            self._estate(place, estate, branch, number + at)
            self._groups(branch, buildings[2 * at : 2 * at + 2])
        if number % 3 == 0:  # an estate that no branch serves yet
            self._estate(place, next(self.estates), None, number)
        for speciality in SPECIALITIES if number < 12 else SPECIALITIES[:1]:
            self._team(place, speciality, [person for branch in branches for person in self.members[branch.pk]])
        self._unit(place, committee, number)
        if number % 2 == 0:
            self._enterprise(place, committee, number)

    def _committee(self, committee: Organisation, place: Place, secretaries: list[Person], number: int) -> None:
        head = self.post(committee, "书记", 0, leads=True)
        self._terms(head, self.person(self._home(place), joined=True))
        deputy = self.post(committee, "副书记", 1, strength=2)
        police = self.person(self._home(place), work=self.county.departments["police"], joined=True)
        self.hold(deputy, police, TERMS[1])
        self.hold(self.post(self.county.committees[place.pk], "社区民警", 5), police, TERMS[1])
        ordinary = self.post(committee, "委员", 2, strength=4)
        for seat, person in enumerate(secretaries[:3], start=1):
            self.hold(ordinary, person, TERMS[1], seat=seat)
        self.post(committee, "兼职委员", 3, strength=3)
        if number % 4 == 1:
            old = committee.name.replace("党委", "党总支")
            committee.aliases = [old]
            self.changes.append(
                OrganisationChange(
                    jurisdiction=self.county.jurisdiction, organisation=committee, kind="rename", day=TERMS[0],
                    columns={"name": [old, committee.name]}, document="陵委〔2017〕11号",
                )
            )  # fmt: skip

    def _branch(self, branch: Organisation, number: int) -> None:
        self._terms(self.post(branch, "书记", 0, leads=True), self.secretaries[branch.pk], changed=number % 2 == 0)
        members = self.members[branch.pk]
        if members:
            self.hold(self.post(branch, "组织委员", 1), members[0], TERMS[1])
        self.post(branch, "宣传委员", 2)

    def _estate(self, place: Place, estate: str, branch: Organisation | None, number: int) -> None:
        owners = self.body(
            Kind.OWNERS_COMMITTEE, f"{place.short_name}{estate}业主委员会", place, serves=estate, since=FOUNDED
        )  # fmt: skip
        head = self.post(owners, "主任", 0, leads=True)
        members = self.members[branch.pk] if branch else []
        who = self.rng.random()
        if branch and who < 0.5:  # the secretary chairs the owners' committee
            self._terms(head, self.secretaries[branch.pk])
        elif members and who < 0.7:
            self._terms(head, self.rng.choice(members))
        elif who < 0.9:
            self._terms(head, self.person(self._home(place)))
        ordinary = self.post(owners, "委员", 1, strength=4)
        for seat, person in enumerate([self.person(self._home(place)), *members[-1:]], start=1):
            if not self._holds(owners, person):
                self.hold(ordinary, person, TERMS[1], seat=seat)
        if number % 5 != 4:
            self._firm(place, estate, number)

    def _firm(self, place: Place, estate: str, number: int) -> None:
        name = f"苍溪{FIRMS[number % len(FIRMS)]}物业{estate}项目部"
        firm = self.body(Kind.PROPERTY_FIRM, name, place, serves=estate, since=FOUNDED)
        manager = self.person(self._home(place), work=firm, joined=number % 5 < 2)
        self.hold(self.post(firm, "项目经理", 0, leads=True), manager, TERMS[1])

    def _groups(self, branch: Organisation, buildings: list[Place]) -> None:
        for building, member in zip(buildings, self.members[branch.pk], strict=False):
            above = building.parent.short_name if building.parent else ""
            name = f"{above}{building.short_name}党小组"
            group = self.body(Kind.PARTY_GROUP, name, building, parent=branch, since=FOUNDED)
            self.hold(self.post(group, "组长", 0, leads=True), member, TERMS[1])
            household = f"{member.name}家（党员中心户）"
            self.body(Kind.MEMBER_HOUSEHOLD, household, building, parent=group, since=TERMS[0])

    def _team(self, place: Place, speciality: str, members: list[Person]) -> None:
        name = f"{place.short_name}{speciality}志愿服务队"
        team = self.body(Kind.VOLUNTEERS, name, place, speciality=speciality, since=FOUNDED)
        found = self.rng.sample(members, min(3, len(members)))
        for person in found:
            self.join(person, team, As.VOLUNTEER)
        self._lead(team, found)

    def _lead(self, team: Organisation, members: list[Person]) -> None:
        leader = self.post(team, "队长", 0, leads=True)
        if members and self.rng.random() < 0.85:
            self.hold(leader, members[0], TERMS[1])

    def _unit(self, place: Place, committee: Organisation, number: int) -> None:
        name = f"苍溪县{UNITS[number % len(UNITS)]}" + (f"（{place.short_name}联系点）" if number >= len(UNITS) else "")
        unit = self.body(Kind.CO_BUILDER, name, place, since=FOUNDED)
        contact = self.person(self._home(place), work=unit, joined=True)
        self.hold(self.post(unit, "共建联络员", 0, leads=True), contact, TERMS[1])
        part_time = next(post for post in self.posts if post.organisation is committee and post.title == "兼职委员")
        self.hold(part_time, contact, TERMS[1])
        self.join(contact, committee, As.PART_TIME, note=name)

    def _enterprise(self, place: Place, committee: Organisation, number: int) -> None:
        self.serial += 1
        stem = f"91510824MA{self.serial:07d}"
        name = f"苍溪县{FIRMS[number % len(FIRMS)]}{TRADES[number // 2 % len(TRADES)]}有限公司"
        firm = self.body(
            Kind.ENTERPRISE, name, place, credit_code=stem + uscc.calc_check_digit(stem), since=FOUNDED
        )  # fmt: skip
        if number % 4 == 0:  # a branch of two members, of which there should be a joint one
            branch = self.body(Kind.BRANCH, f"{name}党支部", place, parent=committee, since=TERMS[0])
            for seat in range(2):
                person = self.person(self._home(place), work=firm, joined=True)
                self.join(person, branch, As.MEMBER)
                if seat == 0:
                    self.hold(self.post(branch, "书记", 0, leads=True), person, TERMS[1])

    # Rows.

    def body(self, kind: Organisation.Kind, name: str, place: Place, *, since: dt.date, **given) -> Organisation:
        """A body, with the first row of its history."""
        parent = given.get("parent")
        row = Organisation(
            jurisdiction=self.county.jurisdiction, kind=kind, name=name, place=place, valid_from=since,
            parent_from=parent.valid_from if parent else None, **given,
        )  # fmt: skip
        self.bodies.append(row)
        self.changes.append(
            OrganisationChange(
                jurisdiction=self.county.jurisdiction, organisation=row, kind="begin", day=since,
                columns={"name": ["", name]},
            )
        )  # fmt: skip
        return row

    def post(self, body: Organisation, title: str, position: int, *, strength: int = 1, leads: bool = False) -> Post:
        """A post as old as its body."""
        row = Post(
            jurisdiction=self.county.jurisdiction, organisation=body, title=title, position=position,
            strength=strength, leads=leads, valid_from=body.valid_from,
        )  # fmt: skip
        self.posts.append(row)
        return row

    def hold(self, post: Post, person: Person, since: dt.date, *, until: dt.date | None = None, seat: int = 1) -> None:
        """Appoint somebody, with a document."""
        row = Appointment(
            jurisdiction=self.county.jurisdiction, post=post, person=person, valid_from=since, valid_to=until,
            seat=seat, document=f"陵委〔{since.year}〕{self.rng.randint(3, 60)}号",
        )  # fmt: skip
        self.appointments.append(row)

    def join(self, person: Person, body: Organisation, kind: Membership.Kind, note: str = "") -> None:
        """Make somebody belong to a body."""
        self.memberships.append(
            Membership(
                jurisdiction=self.county.jurisdiction, person=person, organisation=body, kind=kind,
                valid_from=TERMS[1], note=note,
            )
        )  # fmt: skip

    def person(self, home: Place, *, work: Organisation | None = None, joined: bool = False) -> Person:
        """Somebody new, with a telephone number that belongs to nobody."""
        years = self.rng.randint(3, 25)
        row = Person(
            jurisdiction=self.county.jurisdiction, name=self.population.names.name(), home=home, work=work,
            phone=self.population.names.phone(), joined_party_on=dt.date(2024 - years, 7, 1) if joined else None,
        )  # fmt: skip
        self.population.describer.describe(row)
        self.persons.append(row)
        return row

    def _terms(self, post: Post, person: Person, *, changed: bool = True) -> None:
        """One who holds a post this term, and perhaps another who held it the term before."""
        if changed and self.rng.random() < 0.7:
            self.hold(post, self.person(person.home), TERMS[0], until=TERMS[1])
        self.hold(post, person, TERMS[1])

    def _holds(self, body: Organisation, person: Person) -> bool:
        return any(row.person is person and row.post.organisation is body for row in self.appointments[-20:])

    def _home(self, place: Place) -> Place:
        return self.rng.choice(self.county.grids[place.pk])

    def _buildings(self) -> defaultdict[UUID, list[Place]]:
        """The buildings of the town's communities, by community."""
        found: defaultdict[UUID, list[Place]] = defaultdict(list)
        rows = Place.objects.filter(level=Level.BUILDING, path__startswith=self.county.town.path)
        for building in rows.select_related("parent").order_by("code"):
            if building.parent and building.parent.parent_id:
                found[building.parent.parent_id].append(building)
        return found
