"""Coverage: each number counts what its list shows, and no more than one may see."""

import datetime as dt
import io

import pytest
from python_calamine import CalamineWorkbook

from weilu.orgs.bodies import make_body
from weilu.orgs.models import Organisation, User
from weilu.people.appointments import appoint, end_appointment, make_post
from weilu.people.coverage import QUESTIONS
from weilu.people.models import Membership, Person

Kind = Organisation.Kind
SINCE, LATER = dt.date(2020, 1, 1), dt.date(2022, 1, 1)


def seen(user: User, code: str) -> set[str]:
    return {str(row) for row in QUESTIONS[code].rows(User.objects.get(pk=user.pk), None)}


@pytest.fixture
def body(world):
    def make(kind, name, place=world.village, **given) -> Organisation:
        return make_body(place=place, kind=kind, name=name, by=None, since=SINCE, **given)

    return make


@pytest.fixture
def person(world):
    def make(name, joined=False, home=world.village, **given) -> Person:
        day = dt.date(2010, 7, 1) if joined else None
        return Person.objects.create(
            jurisdiction=world.jurisdiction, name=name, home=home, joined_party_on=day, **given
        )  # fmt: skip

    return make


def head(body, who=None, title="主任"):
    post = make_post(body, title=title, by=None, leads=True)
    return appoint(post, person=who, by=None, since=SINCE) if who else post


def test_a_village_is_covered_by_a_branch_at_its_grid_too(world, body):
    assert seen(world.county_clerk, "villages-without-branch") == {"红旗村"}
    body(Kind.BRANCH, "红旗村党支部", world.other_village)
    assert seen(world.county_clerk, "villages-without-branch") == set()
    Organisation.objects.filter(pk=world.branch.pk).update(place=world.grid)
    assert seen(world.county_clerk, "villages-without-branch") == set()


def test_an_estate_is_covered_by_the_branch_that_serves_it(world, body):
    body(Kind.OWNERS_COMMITTEE, "凯旋城业委会", serves="凯旋城")
    body(Kind.PROPERTY_FIRM, "凯旋城物业", serves="凯旋城")
    body(Kind.PROPERTY_FIRM, "梨花苑物业", serves="梨花苑")
    assert QUESTIONS["estates-without-branch"].rows(world.clerk, None).count() == 2
    body(Kind.BRANCH, "凯旋城党支部", serves="凯旋城")
    assert seen(world.clerk, "estates-without-branch") == {"梨花苑物业"}


def test_a_branch_is_small_without_those_who_only_reported(world, person):
    kinds = ["secretary", "member", "reported", "reported"]
    people = [person(f"人{number}") for number in range(4)]
    for who, kind in zip(people, kinds, strict=True):
        Membership.objects.create(person=who, organisation=world.branch, kind=kind)
    Membership.objects.create(person=people[0], organisation=world.branch, kind="member")  # one person, two rows
    assert QUESTIONS["small-branches"].rows(world.clerk, None).get().members == 2
    Membership.objects.create(person=person("又一人"), organisation=world.branch, kind="member")
    assert seen(world.clerk, "small-branches") == set()


def test_a_team_is_without_a_leader_again_when_its_leader_goes(world, body, person):
    team = body(Kind.VOLUNTEERS, "法律志愿服务队", speciality="法律")
    assert seen(world.clerk, "teams-without-leader") == {"法律志愿服务队"}
    held = head(team, person("李明"), "队长")
    assert seen(world.clerk, "teams-without-leader") == set()
    end_appointment(held, by=None, on=LATER)
    assert seen(world.clerk, "teams-without-leader") == {"法律志愿服务队"}


def test_an_owners_committee_is_red_when_a_member_leads_it(world, body, person):
    red, plain, vacant = (body(Kind.OWNERS_COMMITTEE, name) for name in ("甲业委会", "乙业委会", "丙业委会"))
    by_branch = person("王芳")
    Membership.objects.create(person=by_branch, organisation=world.branch, kind="member")
    head(red, by_branch)
    head(plain, person("赵强"))
    head(vacant)
    assert seen(world.clerk, "committees-led-by-member") == {"甲业委会"}
    assert seen(world.clerk, "committees-not-led-by-member") == {"乙业委会", "丙业委会"}


def test_a_property_firm_is_red_when_a_member_works_there(world, body, person):
    red, plain = body(Kind.PROPERTY_FIRM, "甲物业"), body(Kind.PROPERTY_FIRM, "乙物业")
    person("李明", joined=True, work=red)
    person("赵强", work=plain)
    assert seen(world.clerk, "firms-with-members") == {"甲物业"}
    assert seen(world.clerk, "firms-without-members") == {"乙物业"}


def test_the_secretary_who_chairs_the_owners_committee_and_the_policeman_are_cross_posts(world, body, person):
    secretary, police, other = person("李明"), person("王警官", home=world.other_village), person("赵强")
    owners, committee = body(Kind.OWNERS_COMMITTEE, "甲业委会"), body(Kind.PARTY_COMMITTEE, "金穗社区党委")
    head(owners, secretary)
    head(world.branch, secretary, "书记")
    for title in ("副书记", "委员"):  # two posts in one body are no cross-post
        appoint(make_post(committee, title=title, by=None), person=other, by=None, since=SINCE)
    appoint(make_post(committee, title="兼职副书记", by=None), person=police, by=None, since=SINCE)
    appoint(make_post(owners, title="顾问", by=None), person=police, by=None, since=SINCE)
    assert seen(world.clerk, "cross-posts") == {"李明", "王警官"}
    assert seen(world.stranger, "cross-posts") == set()


@pytest.mark.parametrize("code", sorted(QUESTIONS))
def test_each_number_opens_its_rows_and_their_excel_file(world, body, person, sign_in, code):
    red, firm = body(Kind.OWNERS_COMMITTEE, "甲业委会", serves="凯旋城"), body(Kind.PROPERTY_FIRM, "甲物业")
    body(Kind.PROPERTY_FIRM, "乙物业"), body(Kind.OWNERS_COMMITTEE, "乙业委会"), body(Kind.VOLUNTEERS, "队")
    secretary = person("李明", joined=True)
    head(red, secretary)
    head(firm, secretary, "经理")
    client = sign_in(world.county_clerk)
    shown = client.get("/coverage/").context
    [count] = [row[1] for row in [*shown["gaps"], *shown["there"]] if row[0].code == code]
    page = client.get(f"/coverage/{code}/")
    assert count == page.context["count"] == len(page.context["lines"]) > 0
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"/coverage/{code}/export/").content))
    assert len(book.get_sheet_by_index(0).to_python()) == count + 1


def test_a_place_narrows_every_number_and_only_ones_own_places_do(world, body, sign_in):
    body(Kind.VOLUNTEERS, "队")
    client = sign_in(world.county_clerk)
    for place, count in ((world.township, 1), (world.other_township, 0)):
        assert client.get(f"/coverage/teams-without-leader/?place={place.code}").context["count"] == count
    assert client.get(f"/coverage/?place={world.far_county.code}").status_code == 404
    assert client.get("/coverage/nonsense/").status_code == 404
