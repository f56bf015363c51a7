"""Above the county, cells and what is not folded into them say what counting all records again would say."""

import datetime as dt
import random
from uuid import uuid4

import pytest
from django.db.models import F
from django.utils import timezone

from tests.people.people_cast import person
from weilu.indicators.catalogue import catalogue
from weilu.indicators.cells import read_cells
from weilu.indicators.contributions import in_areas, kinds
from weilu.indicators.folding import fold, recount
from weilu.indicators.live import read_live
from weilu.indicators.models import Cell, Folded, Touched
from weilu.indicators.passes import in_passes
from weilu.indicators.reading import read, ways
from weilu.lib.period import Period
from weilu.matters import services
from weilu.matters.judging import may_reopen, rate, reopen
from weilu.matters.models import Category, Matter, Module
from weilu.matters.workflow import OPEN, State
from weilu.orgs.changes import NewPlace, rename, split
from weilu.orgs.changes import merge as merge_places
from weilu.orgs.memory import forget
from weilu.orgs.models import Grant, Level, Organisation, Place
from weilu.orgs.roles import Role
from weilu.orgs.succession import asked_in_split
from weilu.people.appointments import appoint, make_post
from weilu.people.honours import award, withdraw
from weilu.people.merging import merge as merge_persons
from weilu.people.merging import undo_merge
from weilu.people.models import Membership
from weilu.people.persons import PersonProblem

TODAY = timezone.localdate()
YEAR = str(TODAY.year)
PERIODS = [YEAR, f"{YEAR}Q{(TODAY.month + 2) // 3}", f"{TODAY:%Y-%m}", str(TODAY.year - 1)]
SEEDS = range(6)


def by_cells(code, place, period, by=""):
    """What the cells say; a reading that they cannot give fails the test."""
    forget()
    found = read_cells(catalogue()[code], place, Period.of(period), by)
    assert found is not None, (code, by)
    return found


def assert_agree(world, chance=None):
    """Every indicator says the same from cells and from the records; ``chance`` picks ways and periods."""
    forget()
    city = Place.objects.get(pk=world.county.parent_id)
    for indicator in catalogue().values():
        for place in (city, city.parent):
            there = ["", *ways(indicator, place)]
            for by in chance.sample(there, k=min(2, len(there))) if chance else there:
                period = Period.of(chance.choice(PERIODS) if chance else YEAR)
                found = read_cells(indicator, place, period, by)
                if found is not None:
                    wanted = read_live(indicator, place, period, by)
                    assert found.as_dict() == wanted.as_dict(), (indicator.code, place.code, period.text, by)


class Work:
    """A county's days: one random deed after another, by the services that people use."""

    def __init__(self, world, seed):
        self.world, self.chance = world, random.Random(seed)
        self.changed = TODAY - dt.timedelta(days=300)
        self.villages = [world.village, world.other_village, world.far_village, world.grid, world.far_county]
        self.deeds = [
            self.raise_matter, self.raise_matter, self.move_matter, self.move_matter, self.move_matter,
            self.correct_matters, self.join, self.leave, self.leave_all, self.name_category, self.open_body,
            self.close_body, self.appoint, self.honour, self.grant, self.merge_people, self.change_map, self.grid,
            self.forget_member, self.book, self.name_body,
        ]  # fmt: skip

    def one(self, rows):
        return self.chance.choice(list(rows) or [None])

    def clerk_of(self, row):
        return self.world.county_clerk if row.county_id == self.world.county.pk else self.world.far_clerk

    def day(self):
        return TODAY - dt.timedelta(days=self.chance.randint(0, 500))

    def raise_matter(self):
        place = self.chance.choice(self.villages)
        county = Place.objects.get(code=place.ancestor_codes[2], valid_to=None)
        matter = self.world.matter(
            at=Place.objects.get(pk=place.pk),
            category=self.one(Category.objects.filter(jurisdiction=county.pk)),
            module=self.one(Module.objects.filter(jurisdiction=county.pk)),
        )
        moment = timezone.now() - dt.timedelta(days=self.chance.randint(0, 400))
        Matter.objects.filter(pk=matter.pk).update(created_at=moment)

    def move_matter(self):
        matter = self.one(Matter.objects.select_related("jurisdiction__place").order_by("?"))
        if matter is None:
            return
        clerk = self.clerk_of(matter)
        if matter.state == State.SETTLED:
            if may_reopen(matter) and self.chance.random() < 0.5:
                reopen(matter, note="还是不亮")
            else:
                rate(matter, rating=self.chance.randint(1, 5))
        elif matter.state in OPEN:
            deed = self.chance.choice(["settle", "settle", "decline", "merge"])
            other = self.one(Matter.objects.filter(state__in=sorted(OPEN), county=matter.county).exclude(pk=matter.pk))
            if deed == "merge" and other:
                services.merge(matter, into=other, by=clerk, version=matter.version)
            elif deed == "decline":
                services.decline(matter, by=clerk, version=matter.version, note="不属于受理范围")
            else:
                services.settle(matter, by=clerk, version=matter.version, outcome="好了", public_outcome="已修好。")

    def correct_matters(self):
        """Many rows by one statement, as a correction by hand would do."""
        rows = Matter.objects.filter(settled_at__isnull=False, township__isnull=False)
        rows.update(settled_late=True, taken_by=self.chance.choice([None, self.world.member, self.world.clerk]))
        Matter.objects.filter(settled_at__isnull=False).update(
            settled_at=F("settled_at") - dt.timedelta(days=self.chance.choice([0, 40]))
        )

    def join(self):
        body = self.one(Organisation.objects.filter(valid_to=None))
        home = self.world.village if body.jurisdiction_id == self.world.jurisdiction.pk else self.world.far_village
        who = person(self.world, name=f"李{self.chance.randint(1, 999)}", home=Place.objects.get(pk=home.pk))
        kind = self.chance.choice(Membership.Kind.values)
        bodies = list(body.jurisdiction.organisation_set.filter(valid_to=None))
        bodies = self.chance.sample(bodies, k=min(2, len(bodies)))
        Membership.objects.bulk_create(
            Membership(person=who, organisation=each, kind=kind, valid_from=self.day()) for each in bodies
        )

    def leave(self):
        row = self.one(Membership.objects.filter(valid_to=None))
        if row:
            row.valid_to = max(TODAY, row.valid_from + dt.timedelta(days=1))
            row.save(update_fields=["valid_to"])

    def leave_all(self):
        Membership.objects.filter(valid_to=None, kind="staff").update(valid_to=F("valid_from") + dt.timedelta(days=20))

    def forget_member(self):
        row = self.one(Membership.objects.all())
        if row:
            row.delete()
        Membership.objects.filter(kind="part_time").delete()

    def name_category(self):
        row = self.one(Category.objects.all())
        row.name = f"类别{self.chance.randint(1, 9999)}"
        row.save(update_fields=["name"])
        Module.objects.filter(pk=self.one(Module.objects.all()).pk).update(name=f"模块{self.chance.randint(1, 9999)}")

    def name_body(self):
        Organisation.objects.filter(kind="branch").update(name=F("name"), speciality=str(self.chance.randint(1, 3)))

    def open_body(self):
        place = Place.objects.get(pk=self.chance.choice(self.villages).pk)
        county = Place.objects.get(code=place.ancestor_codes[2], valid_to=None)
        Organisation.objects.create(
            jurisdiction_id=county.pk, place=place, kind=self.chance.choice(Organisation.Kind.values),
            name=f"组织{uuid4().hex[:8]}", valid_from=self.day(),
        )  # fmt: skip

    def close_body(self):
        row = self.one(Organisation.objects.filter(valid_to=None, name__startswith="组织"))
        if row:
            Organisation.objects.filter(pk=row.pk).update(valid_to=TODAY + dt.timedelta(days=1))

    def appoint(self):
        standing = Membership.objects.filter(valid_to=None, organisation__valid_to=None, person__merged_into=None)
        member = self.one(standing.select_related("person", "organisation"))
        if member:
            post = make_post(member.organisation, title=f"职务{uuid4().hex[:6]}", by=None, leads=True)
            appoint(post, person=member.person, by=None, since=max(TODAY, member.organisation.valid_from))

    def honour(self):
        body = self.one(Organisation.objects.filter(valid_to=None))
        given = award(
            body,
            title=f"先进集体{self.chance.randint(1, 99999)}", level=self.chance.randint(1, 5), body="县委",
            awarded_on=max(self.day(), body.valid_from), by=None, document="1号",
        )  # fmt: skip
        if self.chance.random() < 0.4:
            withdraw(given, reason="弄错了", by=None)

    def grant(self):
        place = Place.objects.get(pk=self.chance.choice(self.villages).pk)
        user = self.world.user(f"u{uuid4().hex[:10]}", Role.VILLAGE_CLERK, place)
        other = Place.objects.get(pk=self.chance.choice(self.villages).pk)
        county = Place.objects.get(code=other.ancestor_codes[2], valid_to=None)
        Grant.objects.create(user=user, role=Role.OBSERVER, place=other, jurisdiction_id=county.pk)

    def merge_people(self):
        rows = list(Membership.objects.filter(person__merged_into=None).select_related("person"))
        pairs = [
            (a.person, b.person)
            for a in rows
            for b in rows
            if a.person_id != b.person_id and a.person.jurisdiction_id == b.person.jurisdiction_id
        ]
        if pairs:
            one, other = self.chance.choice(pairs)
            try:
                merged = merge_persons(one, into=other, by=None)
            except PersonProblem:
                return
            if self.chance.random() < 0.5:
                undo_merge(merged, by=None)

    def change_map(self):
        """Two villages of one township become one, one becomes two, or one is called otherwise."""
        self.changed += dt.timedelta(days=9)
        by = {"on": self.changed, "by": self.world.administrator, "document": "川府函〔2026〕1号"}
        villages = list(
            Place.objects.filter(level=Level.VILLAGE, valid_to=None, path__startswith=self.world.county.path)
        )
        tag = uuid4().hex[:5]
        code = f"{self.world.township.code}{self.chance.randint(300, 999)}"
        if Place.objects.filter(code=code).exists():
            return
        township = [each for each in villages if each.parent_id == self.world.township.pk]
        if len(township) > 1:
            new = merge_places(township[:2], into=NewPlace(township[0].code, f"合并村{tag}"), **by)
        elif self.chance.random() < 0.5 and township:
            parts = [NewPlace(township[0].code, f"东村{tag}"), NewPlace(code, f"西村{tag}")]
            belongs = {key: self.chance.randint(0, 1) for key, _row in asked_in_split(township[0], self.changed)}
            new = split(township[0], parts=parts, belongs=belongs, **by)[0]
        elif township:
            new = rename(township[0], name=f"新村{tag}", **by)
        else:
            return
        self.villages[0] = new

    def grid(self):
        village = Place.objects.get(pk=self.villages[0].pk)
        code = f"{village.code}-{uuid4().hex[:6]}"
        made = Place.objects.create(
            code=code, name=code, short_name=code, level=Level.GRID, parent=village, path=f"{village.path}{code}/",
            valid_from=self.day(),
        )  # fmt: skip
        if self.chance.random() < 0.5:
            Place.objects.filter(pk=made.pk).update(valid_to=TODAY + dt.timedelta(days=2))

    def book(self):
        Matter.objects.filter(state=State.RATED).update(rating=self.chance.randint(1, 5))


@pytest.mark.parametrize("seed", SEEDS)
def test_after_random_work_cells_and_what_is_not_folded_agree_with_all_records(world, seed):
    work = Work(world, seed)
    fold()
    for _round in range(4):
        for _deed in range(work.chance.randint(1, 25)):
            work.chance.choice(work.deeds)()
            if work.chance.random() < 0.15:
                fold()
        assert_agree(world, work.chance)
    fold()
    assert not Touched.objects.exists()
    assert_agree(world)


def settled(world, at, **columns):
    matter = world.matter(at=at)
    Matter.objects.filter(pk=matter.pk).update(state=State.SETTLED, settled_at=timezone.now(), due_at=None, **columns)
    return matter


def test_cells_say_it_and_not_the_records(world):
    """The cells are really what is read: a wrong cell gives a wrong figure."""
    settled(world, world.village)
    fold()
    Cell.objects.filter(code="matters.settled", by="").update(rows=41)
    assert by_cells("matters.settled", world.county.parent, YEAR).whole.value == 41


def test_a_reading_between_two_foldings_has_what_was_written_since(world):
    settled(world, world.village)
    fold()
    settled(world, world.far_village)
    assert Touched.objects.filter(kind="matters.matter").exists()
    found = by_cells("matters.settled", world.county.parent, YEAR, "county")
    assert {part.key: part.value for part in found.parts} == {"510824": 1, "510823": 1}


def test_a_matter_opened_again_is_taken_away(world):
    matter = settled(world, world.village)
    fold()
    Matter.objects.filter(pk=matter.pk).update(state=State.DISPATCHED, settled_at=None)
    assert by_cells("matters.settled", world.county.parent, YEAR).whole.value == 0
    fold()
    assert by_cells("matters.settled", world.county.parent, YEAR).whole.value == 0
    assert by_cells("matters.unsettled", world.county.parent, YEAR).whole.value == 1


def test_a_row_written_twice_counts_as_it_was_at_first(world):
    matter = settled(world, world.village)
    fold()
    for rating in (1, 5, 3):
        Matter.objects.filter(pk=matter.pk).update(state=State.RATED, rating=rating)
    assert Touched.objects.filter(kind="matters.matter", row=matter.pk).count() == 3
    assert by_cells("matters.satisfied", world.county.parent, YEAR).whole.numerator == 0
    fold()
    assert by_cells("matters.satisfied", world.county.parent, YEAR).whole.rows == 1


def test_a_new_name_of_a_category_reaches_what_was_counted_before(world):
    settled(world, world.village)
    fold()
    row = Category.objects.get(jurisdiction=world.jurisdiction, code="public_works")
    row.name = "道路与路灯"
    row.save()
    for _when in ("before", "after"):
        found = by_cells("matters.settled", world.county.parent, YEAR, "category")
        assert [part.name for part in found.parts] == ["道路与路灯"]
        fold()


def test_who_works_in_two_counties_is_one_person(world):
    settled(world, world.village, taken_by=world.member)
    settled(world, world.far_village, taken_by=world.member)
    fold()
    found = by_cells("orders.members", world.county.parent, YEAR, "county")
    assert [part.value for part in found.parts] == [1, 1]
    assert found.whole.value == 1


def test_an_image_keeps_no_words_and_no_contact(world):
    matter = world.matter()
    Matter.objects.filter(pk=matter.pk).update(state=State.DECLINED, due_at=None)
    images = [row.before for row in Touched.objects.filter(kind="matters.matter").exclude(before=None)]
    assert images
    kept = {name for image in images for name in image}
    assert not kept & {"subject", "detail", "address", "reporter_name", "reporter_phone", "secret_hash", "outcome"}


def test_a_definition_of_a_new_version_is_counted_anew(world):
    settled(world, world.village)
    fold()
    Folded.objects.filter(code="matters.settled").update(version=0)
    Cell.objects.filter(code="matters.settled").update(rows=7)
    forget()
    assert read_cells(catalogue()["matters.settled"], world.county.parent, Period.of(YEAR)) is None
    assert read(catalogue()["matters.settled"], world.county.parent, Period.of(YEAR)).whole.value == 1
    fold()
    assert by_cells("matters.settled", world.county.parent, YEAR).whole.value == 1


def test_a_rebuild_mends_whatever_the_cells_said(world):
    settled(world, world.village)
    fold()
    settled(world, world.far_village)
    Cell.objects.update(rows=F("rows") + 5)
    for kind in kinds():
        recount(kind)
    assert_agree(world)
    fold()
    assert_agree(world)


def test_days_that_are_no_months_are_read_from_the_records(world):
    settled(world, world.village)
    fold()
    week = Period("week", TODAY - dt.timedelta(days=6), TODAY + dt.timedelta(days=1))
    assert read_cells(catalogue()["matters.settled"], world.county.parent, week) is None
    assert read(catalogue()["matters.settled"], world.county.parent, week).whole.value == 1


def test_two_queries_read_a_figure_above_the_county(world, django_assert_num_queries):
    settled(world, world.village)
    fold()
    by_cells("matters.settled", world.county.parent, YEAR)
    settled(world, world.village)
    with django_assert_num_queries(2):
        read_cells(catalogue()["matters.settled"], world.county.parent, Period.of(YEAR), "month")


def test_no_definition_hangs_on_the_day_on_which_it_is_asked(world):
    """Cells are kept by what is written; what changes by time alone would pass them by."""
    before = {kind.label: kind.texts for kind in kinds()}
    params = [query for kind in kinds() for query in _params(kind)]
    today = (timezone.localdate(), dt.date.today())
    assert before
    assert not [each for each in params if isinstance(each, dt.date) and each in today]
    assert not [each for each in params if isinstance(each, dt.datetime) and abs(each - timezone.now()).days < 2]


def _params(kind):
    from weilu.indicators.contributions import halves

    for indicator in kind.indicators:
        for half in halves(indicator, indicator.rows()):
            yield from half.grouped().query.sql_with_params()[1]


def test_definitions_that_count_by_the_same_time_share_one_pass(world):
    """Matters are read once by the day they came in and once by the day they were settled."""
    [kind] = [kind for kind in kinds() if kind.label == "matters.matter"]
    found = in_passes(kind.indicators, lambda indicator: in_areas(indicator, [world.county]))
    shared = [part.text for part in found if part.text.count("matters.") > 1]
    assert len(shared) == 2
    assert [text.count('FROM "matters_matter"') for text in shared] == [1, 1]
    assert len(found) < len(kind.indicators) / 2
