"""What the indicators behind published figures count, and what they do not."""

import datetime as dt

import pytest

from tests.conftest import place
from tests.indicators.test_reading import JANUARY, settled, value
from weilu.matters.models import Category, Channel, Module
from weilu.orgs.countryside import in_communities, in_villages
from weilu.orgs.models import Level, Organisation, Place
from weilu.people.appointments import appoint, end_appointment, make_post
from weilu.people.honours import award, withdraw
from weilu.people.models import Membership, Person
from weilu.venues.models import Venue, Zone
from weilu.venues.setup import begin_zones

SINCE = dt.date(2020, 1, 1)
Kind = Organisation.Kind


def body(world, kind, name, at, **given) -> Organisation:
    given = {"jurisdiction": world.jurisdiction, "valid_from": SINCE} | given
    return Organisation.objects.create(kind=kind, name=name, place=at, **given)


def person(world, name, member_of=None, kind="member", **given) -> Person:
    row = Person.objects.create(jurisdiction=world.jurisdiction, name=name, home=world.village)
    if member_of:
        Membership.objects.create(person=row, organisation=member_of, kind=kind, valid_from=SINCE, **given)
    return row


def lead(organisation, who, title="主任", *, leads=True, since=SINCE):
    post = organisation.posts.filter(title=title).first()
    post = post or make_post(organisation, title=title, by=None, leads=leads, strength=9)
    return appoint(post, person=who, by=None, since=since)


@pytest.fixture
def hamlet(world) -> Place:
    """A grid of the village 红旗村, beside the grid of the community 金穗社区."""
    return place("510824101201-01", "第一网格", Level.GRID, world.other_village)


def test_villages_and_communities_are_told_apart_by_their_codes(world, hamlet):
    rural = Place.objects.filter(in_villages()).values_list("name", "level")
    assert set(rural) == {("红旗村", 5), ("远山村", 5), ("第一网格", 6)}
    assert set(Place.objects.filter(in_communities()).values_list("code", flat=True)) == {
        world.village.code, world.grid.code,
    }  # fmt: skip


def test_grids_of_villages_are_grids_but_none_of_communities(world, hamlet):
    assert value("places.grids", world.county, "2026") == 2
    assert value("places.community_grids", world.county, "2026") == 1
    assert value("places.community_grids", world.other_village, "2026") == 0


def test_a_branch_counts_as_of_the_grid_or_estate_where_it_is(world):
    body(world, Kind.BRANCH, "第一网格党支部", world.grid)
    body(world, Kind.BRANCH, "江南小区党支部", world.village, serves="江南小区")
    body(world, Kind.PARTY_COMMITTEE, "锦绣小区党委", world.village, serves="锦绣小区")
    body(world, Kind.OWNERS_COMMITTEE, "江南小区业主委员会", world.village, serves="江南小区")
    assert value("bodies.branches", world.county, "2026") == 3  # with the community's own
    assert value("bodies.grid_branches", world.county, "2026") == 2
    assert value("bodies.estate_organisations", world.county, "2026") == 2
    assert value("bodies.estate_organisations", world.county, "2019") == 0


def test_teams_of_young_people_and_of_professions(world):
    for name, speciality, serves in (
        ("青年志愿服务队", "", ""), ("返乡志愿服务队", "青年", ""), ("江南法律志愿服务队", "法律", "江南小区"),
        ("江南医疗志愿服务队", "医疗卫生", "江南小区"), ("江南棋牌志愿服务队", "棋牌", "江南小区"),
        ("法律志愿服务队", "法律", ""),
    ):  # fmt: skip
        body(world, Kind.VOLUNTEERS, name, world.village, speciality=speciality, serves=serves)
    assert value("bodies.volunteer_teams", world.county, "2026") == 6
    assert value("bodies.youth_teams", world.county, "2026") == 2
    assert value("bodies.professional_teams", world.county, "2026") == 2


def test_an_owners_committee_is_red_while_a_member_leads_it(world):
    owners = [body(world, Kind.OWNERS_COMMITTEE, f"{name}业主委员会", world.village) for name in "甲乙丙丁"]
    held = lead(owners[0], person(world, "党员", world.branch))
    lead(owners[1], person(world, "群众"))
    lead(owners[2], person(world, "委员", world.branch), "委员", leads=False)
    lead(owners[3], person(world, "退党的", world.branch, valid_to=dt.date(2021, 1, 1)), since=dt.date(2022, 1, 1))
    assert value("bodies.owners_committees", world.county, "2026") == 4
    assert value("bodies.red_owners_committees", world.county, "2025") == 1
    end_appointment(held, by=None, on=dt.date(2026, 2, 1))
    assert value("bodies.red_owners_committees", world.county, "2026-01") == 1
    assert value("bodies.red_owners_committees", world.county, "2026-02") == 0


def test_two_members_who_lead_make_one_red_owners_committee(world):
    owners = body(world, Kind.OWNERS_COMMITTEE, "甲业主委员会", world.village)
    for name in ("张三", "李四"):
        lead(owners, person(world, name, world.branch))
    assert value("bodies.red_owners_committees", world.county, "2026") == 1


def test_a_firm_is_red_with_members_in_both_teams(world):
    firms = {name: body(world, Kind.PROPERTY_FIRM, f"{name}物业", world.village) for name in "甲乙丙丁戊"}
    crew = "维修班长"
    lead(firms["甲"], person(world, "甲经理", world.branch))
    lead(firms["甲"], person(world, "甲班长", world.branch), crew, leads=False)
    lead(firms["乙"], person(world, "乙经理", world.branch))
    lead(firms["乙"], person(world, "乙班长"), crew, leads=False)
    lead(firms["丙"], person(world, "丙经理"))
    lead(firms["丙"], person(world, "丙班长", world.branch), crew, leads=False)
    alone = person(world, "丁经理", world.branch)
    lead(firms["丁"], alone)
    lead(firms["丁"], alone, crew, leads=False)  # one person is not two teams
    lead(firms["戊"], person(world, "戊经理", world.branch))
    staff = person(world, "戊保洁", world.branch)
    Membership.objects.create(person=staff, organisation=firms["戊"], kind="staff", valid_from=SINCE)
    assert value("bodies.property_firms", world.county, "2026") == 5
    assert value("bodies.red_property_firms", world.county, "2026") == 2


def test_who_sits_in_both_committees_of_a_village_counts_once(world):
    committee = body(world, Kind.COMMUNITY, "红旗村村民委员会", world.other_village)
    branch = body(world, Kind.BRANCH, "红旗村党支部", world.other_village)
    firm = body(world, Kind.ENTERPRISE, "红旗果业公司", world.other_village)
    of_firm = body(world, Kind.BRANCH, "红旗果业公司党支部", world.other_village, parent=firm)
    urban = body(world, Kind.COMMUNITY, "金穗社区居民委员会", world.village)
    both = person(world, "一肩挑")
    lead(committee, both)
    lead(branch, both, "书记")
    lead(committee, person(world, "委员"), "委员", leads=False)
    lead(of_firm, person(world, "企业书记"), "书记")
    lead(firm, person(world, "经理"), "经理")
    lead(urban, person(world, "社区主任"))
    assert value("people.village_cadres", world.county, "2021") == 2
    assert value("people.village_cadres", world.county, "2019") == 0


def test_members_of_villages_are_those_of_their_branches(world):
    branch = body(world, Kind.BRANCH, "红旗村党支部", world.other_village)
    person(world, "党员", branch)
    person(world, "书记", branch, "secretary")
    person(world, "报到的", branch, "reported")
    person(world, "走了的", branch, valid_to=dt.date(2021, 6, 1))
    person(world, "社区党员", world.branch)
    assert value("people.rural_members", world.county, "2021") == 2
    assert value("people.rural_members", world.county, "2020") == 3
    assert value("people.members", world.county, "2021") == 3


def test_honours_by_title_and_by_who_has_them(world):
    somebody, other = person(world, "张三"), person(world, "李四")
    day = dt.date(2023, 8, 30)
    for to, title in (
        (somebody, "“人民满意的公务员”"), (world.department, "“人民满意的公务员集体”"), (other, "记一等功公务员"),
        (world.department, "记一等功公务员集体"), (world.office, "记一等功公务员集体"), (somebody, "优秀公务员"),
    ):  # fmt: skip
        award(to, title=title, level=2, body="省委", awarded_on=day, by=None, document="省委〔2023〕1号")
    taken = award(other, title="个人一等功", level=2, body="省委", awarded_on=day, by=None, document="省委〔2023〕1号")
    withdraw(taken, reason="材料不实", by=None)
    codes = ("honours.given", "honours.satisfied", "honours.first_class", "honours.first_class_bodies")
    assert [value(code, world.county, "2023") for code in codes] == [6, 1, 1, 2]
    assert [value(code, world.county, "2022") for code in codes] == [0, 0, 0, 0]


def test_services_are_those_of_members_who_had_reported_by_then(world):
    for user, since in ((world.member, dt.date(2025, 12, 1)), (world.second_member, dt.date(2026, 6, 1))):
        who = person(world, user.username)
        Person.objects.filter(pk=who.pk).update(user=user)
        Membership.objects.create(person=who, organisation=world.branch, kind="reported", valid_from=since)
        settled(world, world.village, JANUARY, taken_by=user)
    settled(world, world.village, JANUARY, taken_by=world.clerk)
    settled(world, world.village, JANUARY)
    assert value("orders.services", world.county, "2026") == 3
    assert value("orders.reported_services", world.county, "2026") == 1
    assert value("orders.reported_services", world.county, "2025") == 0


def test_a_member_who_came_back_to_an_estate_serves_once_for_each_order(world):
    who = person(world, "党员", world.branch, "reported", valid_to=dt.date(2025, 6, 1))
    Person.objects.filter(pk=who.pk).update(user=world.member)
    Membership.objects.create(person=who, organisation=world.branch, kind="reported", valid_from=dt.date(2025, 7, 1))
    other = body(world, Kind.BRANCH, "第二党支部", world.village)
    Membership.objects.create(person=who, organisation=other, kind="reported", valid_from=dt.date(2025, 7, 1))
    settled(world, world.village, JANUARY, taken_by=world.member)
    assert value("orders.reported_services", world.county, "2026") == 1


def test_the_platform_is_web_page_code_and_hotline(world):
    for channel in Channel:
        settled(world, world.village, JANUARY, channel=channel)
    world.matter()  # not settled
    assert value("matters.settled", world.county, "2026") == len(Channel)
    assert value("matters.on_platform", world.county, "2026") == 3


def test_a_difficult_problem_is_settled_above_the_village(world):
    for handler in (world.office, world.department, world.branch, None):
        settled(world, world.other_village, JANUARY, handler=handler)
    settled(world, world.county, JANUARY, handler=world.department)  # of no village
    assert value("matters.difficult", world.county, "2026") == 2


def test_the_same_kinds_of_two_counties_are_offered_once(world):
    city = world.county.parent
    assert value("intake.modules", world.county, "2026") == value("intake.modules", city, "2026") == 9
    Module.objects.filter(jurisdiction=world.jurisdiction, code="praise").update(valid_to=dt.date(2026, 3, 1))
    assert value("intake.modules", world.county, "2026") == 8
    assert value("intake.modules", city, "2026") == 9
    assert Category.objects.exists()


def test_service_centres_and_zones_that_have_a_venue(world):
    for county in (world.jurisdiction, world.far_jurisdiction):
        begin_zones(county)
    for county, at, zone, kind in (
        (world.jurisdiction, world.village, "services", "service_centre"),
        (world.jurisdiction, world.village, "culture", "screening_room"),
        (world.far_jurisdiction, world.far_village, "services", "service_centre"),
    ):
        found = Zone.objects.get(jurisdiction=county, code=zone)
        Venue.objects.create(jurisdiction=county, zone=found, place=at, kind=kind, name=f"{zone}{at}")
    city = world.county.parent
    codes = ("venues.venues", "venues.service_centres", "venues.zones")
    assert [value(code, city, "2026") for code in codes] == [3, 2, 2]
    assert [value(code, world.far_county, "2026") for code in codes] == [1, 1, 1]
