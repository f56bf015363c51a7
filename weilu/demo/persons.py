"""What the demo county knows of its people: birth, ID number, education, honours, double records, reported members.

ID numbers are valid in form and belong to nobody: their order is one of those that GB 11643 keeps for people of a
hundred years and more.
"""

import datetime as dt
from random import Random

from stdnum.cn import ric

from weilu.demo.county import COUNTY, County, in_town
from weilu.demo.filing import SEED
from weilu.demo.names import WOMEN_LAST
from weilu.lib.copying import copy_rows
from weilu.orgs.models import Organisation
from weilu.people.models import Honour, Membership, Person
from weilu.people.persons import prepare
from weilu.records.models import Event

As = Membership.Kind
EDUCATION = ("初中", "高中", "中专", "大专", "大专", "大学", "大学", "研究生")
BORN_FROM, BORN_DAYS = dt.date(1958, 1, 1), 365 * 45
OF_PEOPLE = (
    ("优秀共产党员", "表彰的决定"), ("优秀党务工作者", "表彰的决定"), ("最美网格员", "通报"),
    ("优秀志愿者", "通报"), ("五一劳动奖章", "决定"), ("乡村振兴先进个人", "决定"),
)  # fmt: skip
OF_BODIES = ("先进基层党组织", "文明单位", "优秀志愿服务组织", "民主法治示范村（社区）", "平安建设先进集体")
GIVERS = {
    1: ("中共中央", "中组〔{}〕"), 2: ("中共四川省委", "川委〔{}〕"), 3: ("中共广元市委", "广委〔{}〕"),
    4: ("中共苍溪县委", "苍委〔{}〕"), 5: ("中共{}委员会", "镇委〔{}〕"),
}  # fmt: skip
LEVELS = (2, 3, 3, 4, 4, 4, 4, 5, 5, 5)


class Describer:
    """Gives people a birth date, a sex, an ID number and an education; no number twice."""

    def __init__(self) -> None:
        self.rng = Random(f"{SEED}:persons")
        self.given: set[str] = set()

    def describe(self, person: Person) -> None:
        """Fill what is not yet known of a person, and what they are found by."""
        person.sex = Person.Sex.FEMALE if person.name[-1] in WOMEN_LAST else Person.Sex.MALE
        number = self._number(person)
        while number in self.given:
            number = self._number(person)
        self.given.add(number)
        person.id_number, person.birth_date = number, ric.get_birth_date(number)
        person.ethnicity, person.education = "汉族", self.rng.choice(EDUCATION)
        prepare(person)

    def _number(self, person: Person) -> str:
        born = BORN_FROM + dt.timedelta(days=self.rng.randrange(BORN_DAYS))
        if (joined := person.joined_party_on) and born.year > joined.year - 19:
            born = dt.date(joined.year - 19 - self.rng.randrange(15), born.month, min(born.day, 28))
        order = self.rng.choice((996, 998) if person.sex == Person.Sex.FEMALE else (997, 999))
        stem = f"{COUNTY}{born:%Y%m%d}{order}"
        return stem + ric.calc_check_digit(stem + "0")


class Records:
    """Departments' branches with members who report home, honours, double records, what one account's owner reads."""

    def __init__(self, county: County, persons: list[Person], memberships: list[Membership], now: dt.datetime):
        self.county, self.persons, self.memberships, self.now = county, persons, memberships, now
        self.rng = Random(f"{SEED}:records")
        self.added: list[Membership] = []

    def keep(self) -> None:
        """Make everything, and write it."""
        branches = self._work()
        copy_rows(Organisation, branches)
        doubles = self._doubles()
        copy_rows(Person, doubles)
        copy_rows(Membership, self.added)
        copy_rows(Honour, self._honours())
        self._tell()

    def _work(self) -> list[Organisation]:
        """Give each department a branch of its staff, of whom most have reported to their home estate."""
        staff: dict[object, list[Person]] = {}
        for row in self.memberships:
            if row.kind == As.STAFF:
                staff.setdefault(row.organisation_id, []).append(row.person)
        branches = []
        for department in self.county.departments.values():
            since = dt.date(2008, 5, 1)
            branch = Organisation(
                jurisdiction=self.county.jurisdiction, kind=Organisation.Kind.BRANCH, place=self.county.place,
                name=f"{department.name}机关党支部", parent=department, parent_from=department.valid_from,
                valid_from=since,
            )  # fmt: skip
            branches.append(branch)
            for person in staff.get(department.pk, []):
                joined = max(since, person.joined_party_on or since)
                self.added.append(
                    Membership(
                        jurisdiction=self.county.jurisdiction,
                        person=person,
                        organisation=branch,
                        kind=As.MEMBER,
                        valid_from=joined,
                    )
                )
                self._report(person)
        return branches

    def _report(self, person: Person) -> None:
        estates = self.county.branches[person.home.parent_id]  # type: ignore[index]
        if estates and self.rng.random() < 0.7:
            day = self.now.date() - dt.timedelta(days=self.rng.randint(20, 300))
            row = Membership(
                jurisdiction=self.county.jurisdiction,
                person=person,
                organisation=self.rng.choice(estates),
                kind=As.REPORTED,
                valid_from=day,
            )
            self.added.append(row)

    def _doubles(self) -> list[Person]:
        """Second records of some people of the county town, as two rosters bring them."""
        found = []
        volunteers = [row for row in self.memberships if row.kind == As.VOLUNTEER][:4]
        members = [row for row in self.memberships if row.kind == As.MEMBER and in_town(row.person.home.parent)][:3]  # type: ignore[arg-type]
        team = volunteers[0].organisation if volunteers else None
        for row in [*members, *volunteers]:
            person = row.person
            double = Person(
                jurisdiction=self.county.jurisdiction, name=person.name, home=person.home, sex=person.sex,
                birth_date=person.birth_date, phone=person.phone if row.kind == As.VOLUNTEER else "",
                created_at=self.now - dt.timedelta(days=self.rng.randint(5, 60)),
            )  # fmt: skip
            prepare(double)
            found.append(double)
            if team and row.kind == As.MEMBER:
                self.added.append(
                    Membership(
                        jurisdiction=self.county.jurisdiction,
                        person=double,
                        organisation=team,
                        kind=As.VOLUNTEER,
                        valid_from=dt.date(2025, 3, 5),
                    )
                )
        return found

    def _honours(self) -> list[Honour]:
        people = [person for person in self.persons if person.user and person.user.has_usable_password()]
        people += self.rng.sample(self.persons, 60)
        bodies = [body for found in self.county.branches.values() for body in found]
        chosen = self.rng.sample(bodies, min(40, len(bodies))) + self.county.branches[self.county.community.pk]
        rows = [self._honour(person.home.parent or person.home, person=person) for person in people]
        rows += [self._honour(body.place, organisation=body) for body in chosen]
        rows[-3].withdrawn_on, rows[-3].withdrawn_why = self.now.date(), "复查发现材料不实"
        seen: set[object] = set()
        return [
            row
            for row in rows
            if (key := (row.title, row.awarded_on, row.person_id, row.organisation_id)) not in seen
            and not seen.add(key)  # type: ignore[func-returns-value]
        ]

    def _honour(self, place, **holder) -> Honour:
        level = self.rng.choice(LEVELS)
        giver, document = GIVERS[level]
        year = self.now.year - self.rng.randrange(5) - 1
        title = self.rng.choice(OF_PEOPLE)[0] if "person" in holder else self.rng.choice(OF_BODIES)
        township = place.parent.short_name if place.parent else place.short_name
        return Honour(
            jurisdiction=self.county.jurisdiction, title=title, level=level, body=giver.format(township),
            document=f"{document.format(year)}{self.rng.randint(2, 60)}号",
            awarded_on=dt.date(year, self.rng.choice((1, 3, 7, 12)), 1), **holder,
        )  # fmt: skip

    def _tell(self) -> None:
        """Somebody looked at the numbers of the member whose account is shown; the member asked for a correction."""
        member = self.county.shown["member"]
        person = next(person for person in self.persons if person.user is member)
        clerk = self.county.shown["village"]
        common = {"jurisdiction": self.county.jurisdiction, "record_kind": "person", "record_id": person.pk}
        rows = [
            Event(
                **common, at=self.now - dt.timedelta(days=40), move="unmask", actor=clerk, actor_name=clerk.name,
                note="核对党员名册，电话通知支部大会", open_to_resident=False,
            ),
            Event(
                **common, at=self.now - dt.timedelta(days=2), move="ask_correction", actor=member,
                actor_name=member.name, note="我已取得大专学历，名册中还没有更新。", open_to_resident=False,
            ),
        ]  # fmt: skip
        copy_rows(Event, rows)
