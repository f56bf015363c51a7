"""Notices: who is responsible, what they do, how to reach them, what was settled; and nothing that is not for all."""

import datetime as dt

import pytest
from django.conf import settings as live
from django.utils import timezone

from tests.conftest import place
from tests.paper import fonts_of, letters_of, pages_of
from weilu.matters import services
from weilu.matters.models import Matter
from weilu.orgs.changes import NewPlace, merge, rename, split
from weilu.orgs.models import Level, Organisation
from weilu.orgs.succession import asked_in_split
from weilu.people.models import Appointment, Membership, Person, Post
from weilu.portal.notice_content import duties_of, notice_of, notice_of_body

Kind = Organisation.Kind
SINCE = dt.date(2024, 1, 1)
TODAY = timezone.localdate()
OWN = "13811112222"  # a person's own number


def text(answer):
    return answer.content.decode()


def person(world, name):
    return Person.objects.create(jurisdiction=world.jurisdiction, name=name, home=world.village, phone=OWN)


def body(world, kind, name, at, **given):
    return Organisation.objects.create(jurisdiction=world.jurisdiction, kind=kind, name=name, place=at, **given)


def lead(world, where, name, title="书记", **given):
    post = Post.objects.create(
        jurisdiction=world.jurisdiction, organisation=where, title=title, leads=True, valid_from=SINCE, **given
    )
    return Appointment.objects.create(
        jurisdiction=world.jurisdiction, post=post, person=person(world, name), valid_from=SINCE
    )


def member(world, where, name, kind, **given):
    return Membership.objects.create(
        person=person(world, name), organisation=where, kind=kind, valid_from=SINCE, **given
    )


@pytest.fixture
def people(world):
    """A village with its committees, a grid with its worker, a building with its head."""
    world.building = place(f"{world.grid.code}-01", "1号楼", Level.BUILDING, world.grid)
    world.committee = body(world, Kind.COMMUNITY, "金穗社区居民委员会", world.village, phone="0839-5551111")
    world.party = body(world, Kind.PARTY_COMMITTEE, "金穗社区党委", world.village)
    world.group = body(world, Kind.PARTY_GROUP, "1号楼党小组", world.building)
    lead(world, world.party, "党书记")
    lead(world, world.group, "楼栋长", "组长", public_phone="0839-5553333")
    member(world, world.committee, "网格甲", "grid_worker", place=world.grid, public_phone="0839-5552222")
    member(world, world.committee, "普通职员", "staff")
    member(world, world.branch, "支书乙", "secretary")
    member(world, world.branch, "党员丙", "member")
    return world


def shown(world, at):
    found = notice_of(at, world.jurisdiction, duties_of(world.jurisdiction))
    return [(row.name, row.phone) for row in found.people]


def test_a_village_names_who_leads_it_with_the_offices_telephone(people):
    assert shown(people, people.village) == [("党书记", "0839-5551111")]


def test_a_grid_names_its_worker_and_the_head_of_the_village(people):
    assert shown(people, people.grid) == [("网格甲", "0839-5552222"), ("党书记", "0839-5551111")]


def test_a_building_names_its_head_its_grid_worker_and_the_head_of_the_village(people):
    assert [name for name, _phone in shown(people, people.building)] == ["楼栋长", "网格甲", "党书记"]


def test_a_worker_of_all_grids_stands_on_a_grid_that_has_none_of_its_own(people):
    other = place(f"{people.village.code}-02", "第二网格", Level.GRID, people.village)
    assert [name for name, _phone in shown(people, other)] == ["党书记"]
    member(people, people.committee, "网格乙", "grid_worker")
    assert [name for name, _phone in shown(people, other)] == ["网格乙", "党书记"]
    assert "网格乙" not in dict(shown(people, people.grid))


def test_a_village_without_committees_is_led_by_its_branch(people):
    Appointment.objects.all().delete()
    assert [name for name, _phone in shown(people, people.village)] == ["支书乙"]


def test_a_township_names_its_offices_where_nobody_leads(people):
    Organisation.objects.filter(pk=people.office.pk).update(phone="0839-5550001")
    assert shown(people, people.township) == [(people.office.name, "0839-5550001")]


def test_a_branch_has_a_notice_of_its_own(people, client):
    page = text(client.get(f"/notice/body/{people.branch.pk}/"))
    assert "支书乙" in page
    assert "党员丙" not in page
    assert f"/at/{people.village.code}/" in page  # its QR code raises a matter at its place


def test_names_of_others_and_peoples_own_numbers_stand_on_no_notice(people, client):
    bodies = [people.committee, people.party, people.group, people.branch]
    pages = [f"/notice/{at.code}/" for at in (people.village, people.grid, people.building, people.township)]
    for page in [*pages, *(f"/notice/body/{body.pk}/" for body in bodies)]:
        shown = text(client.get(page))
        for private in (OWN, "普通职员", "党员丙"):
            assert private not in shown, (page, private)


def test_who_has_left_the_post_stands_on_no_notice(people):
    Appointment.objects.filter(person__name="党书记").update(valid_to=dt.date(2025, 1, 1))
    assert "党书记" not in dict(shown(people, people.village))


def test_who_leads_two_bodies_stands_there_once(people):
    post = Post.objects.create(
        jurisdiction=people.jurisdiction, organisation=people.committee, title="主任", leads=True, valid_from=SINCE
    )
    same = Person.objects.get(name="党书记")
    Appointment.objects.create(jurisdiction=people.jurisdiction, post=post, person=same, valid_from=SINCE)
    assert [name for name, _phone in shown(people, people.village)] == ["党书记"]


def test_a_members_household_has_no_notice(people, client):
    home = body(people, Kind.MEMBER_HOUSEHOLD, "张三家", people.building)
    assert client.get(f"/notice/body/{home.pk}/").status_code == 404
    assert "张三家" not in text(client.get(f"/notice/{people.building.code}/"))


def test_what_was_settled_here_stands_on_it_and_nothing_personal(people, client):
    matter = people.matter(at=people.grid, subject="王奶奶家", contact=services.Contact("欧阳明月", "13812345678"))
    services.settle(matter, by=people.clerk, version=1, outcome="去了王奶奶家", public_outcome="疏通了管道。")
    hidden = people.matter(at=people.grid)
    services.settle(hidden, by=people.clerk, version=1, outcome="好", publish=False, public_outcome="不公开的")
    for at in (people.grid, people.building, people.village, people.township):
        page = text(client.get(f"/notice/{at.code}/"))
        assert "疏通了管道。" in page, at
        for private in ("王奶奶", "欧阳明月", "13812345678", "不公开的"):
            assert private not in page, (at, private)
    assert "疏通了管道。" not in text(client.get(f"/notice/{people.other_village.code}/"))


def test_what_a_body_settled_stands_on_its_notice(people):
    matter = services.dispatch(people.matter(), to=people.office, by=people.clerk, version=1)
    services.settle(matter, by=people.clerk, version=2, outcome="好", public_outcome="换了路灯。")
    office = Organisation.objects.select_related("jurisdiction", "place").get(pk=people.office.pk)
    assert [row.outcome for row in notice_of_body(office, duties_of(people.jurisdiction)).settled] == ["换了路灯。"]


@pytest.mark.parametrize("name", ["building", "grid", "village", "township"])
def test_the_code_of_each_notice_opens_raising_a_matter_right_there(people, client, name):
    at = getattr(people, name)
    assert client.get(f"/at/{at.code}/", follow=True).status_code == 200
    client.post("/raise/", {"module": "report", "subject": "楼道灯不亮", "detail": ""})
    sent = client.post("/raise/where/", {"place": at.code, "address": ""}, follow=True)
    assert sent.status_code == 200
    assert client.post("/raise/send/", {"phone": ""}, follow=True).status_code == 200
    matter = Matter.objects.get()
    assert matter.channel == "qr"
    assert matter.place == (people.grid if name == "building" else at)


# --- what a county and its clerks set ---------------------------------------------------------------------------------
def test_a_county_writes_what_those_on_each_kind_of_notice_do(people, client, sign_in):
    page = sign_in(people.administrator)
    given = duties_of(people.jurisdiction) | {"grid": "每天走一遍，有事马上报。"}
    assert page.post("/settings/notices/", given).status_code == 302
    assert "每天走一遍，有事马上报。" in text(client.get(f"/notice/{people.grid.code}/"))
    assert "每天走一遍" not in text(client.get(f"/notice/{people.village.code}/"))
    assert page.post("/settings/notices/", given | {"grid": "长" * 121}).status_code == 422
    assert page.post("/settings/notices/", given | {"grid": ""}).status_code == 422


def test_the_words_of_one_county_do_not_stand_in_another(people, sign_in, client):
    sign_in(people.administrator).post("/settings/notices/", duties_of(people.jurisdiction) | {"village": "只此一县。"})
    assert "只此一县。" not in text(client.get(f"/notice/{people.far_village.code}/"))


def test_a_clerk_gives_the_grid_worker_a_public_telephone(people, sign_in, client):
    page = sign_in(people.clerk)
    key = f"membership:{Membership.objects.get(person__name='网格甲').pk}"
    page.post(f"/desk/notices/{people.grid.code}/", {key: "0839-5558888"})
    assert "08395558888" in text(client.get(f"/notice/{people.grid.code}/"))
    refused = page.post(f"/desk/notices/{people.grid.code}/", {key: "12"})
    assert refused.status_code == 422
    assert "08395558888" in text(client.get(f"/notice/{people.grid.code}/"))
    page.post(f"/desk/notices/{people.grid.code}/", {key: ""})
    assert dict(shown(people, people.grid))["网格甲"] == "0839-5551111"  # the office's again


def test_a_telephone_of_a_body_that_one_does_not_keep_is_not_set(people, sign_in):
    post = Post.objects.get(organisation=people.party)
    for who in (people.stranger, people.far_clerk):
        page = sign_in(who)
        assert page.post(f"/desk/notices/{people.village.code}/", {f"post:{post.pk}": "08391234567"}).status_code == 404
    post.refresh_from_db()
    assert post.public_phone == ""


# --- on paper ---------------------------------------------------------------------------------------------------------
def test_a_notice_is_one_a4_page_in_our_font(people, client):
    papers = {
        f"/notice/{people.building.code}/print.pdf": "责任人楼栋长网格员甲",
        f"/notice/body/{people.branch.pk}/print.pdf": "责任人支书乙",
    }
    for address, words in papers.items():
        answer = client.get(address)
        assert answer["Content-Type"] == "application/pdf"
        assert [(round(width), round(height)) for width, height in pages_of(answer.content)] == [(595, 842)]
        assert set(words) <= letters_of(answer.content)
        assert {name.split("-")[0] for name in fonts_of(answer.content)} == {"NotoSansSC"}


def test_the_longest_notice_still_is_one_page(people, client, sign_in):
    for number in range(5):
        name = f"{number}" + "很长的组织名称" * 6
        lead(people, body(people, Kind.PARTY_COMMITTEE, name, people.village), f"欧阳上官{number}", "第一书记兼主任")
        matter = people.matter(at=people.village)
        services.settle(matter, by=people.clerk, version=1, outcome="好", public_outcome="结果说了很多，" * 40)
    sign_in(people.administrator).post(
        "/settings/notices/", duties_of(people.jurisdiction) | {"village": "职责很多，" * 24}
    )
    assert len(pages_of(client.get(f"/notice/{people.village.code}/print.pdf").content)) == 1


def test_a_stranger_prints_no_more_than_so_often(people, client, settings):
    settings.RATE_LIMITS = live.RATE_LIMITS | {"print": 2}
    answers = [client.get(f"/notice/{people.village.code}/print.pdf").status_code for _n in range(3)]
    assert answers == [200, 200, 429]


def test_the_code_carries_the_address_that_was_set_for_residents(people, client, settings):
    settings.PUBLIC_URL = "https://shequ.example.cn"
    page = text(client.get(f"/notice/{people.village.code}/"))
    assert f"https://shequ.example.cn/at/{people.village.code}/" in page


def test_a_branch_is_reached_by_its_own_telephone_or_the_offices(people, client, sign_in):
    address = f"/notice/body/{people.branch.pk}/"
    assert 'href="tel:0839-5551111"' in text(client.get(address))  # the community's office
    desk, row = sign_in(people.village_clerk), Membership.objects.get(person__name="支书乙")
    page = f"/desk/notices/bodies/{people.branch.pk}/"
    key = f"membership:{row.pk}"
    assert key in text(desk.get(page))
    wrong = desk.post(page, {key: "123"})
    assert wrong.status_code == 422
    assert desk.post(page, {key: "08395554444"})["Location"] == page
    assert 'href="tel:08395554444"' in text(client.get(address))
    assert OWN not in text(client.get(address))
    assert sign_in(people.stranger).get(page).status_code == 404


def test_the_leader_of_a_group_has_one_telephone_on_the_groups_notice_and_on_the_buildings(people, client, sign_in):
    [row] = Post.objects.filter(organisation=people.group)
    page = f"/desk/notices/bodies/{people.group.pk}/"
    sign_in(people.village_clerk).post(page, {f"post:{row.pk}": "08395556666"})
    client.logout()
    for address in (f"/notice/body/{people.group.pk}/", f"/notice/{people.building.code}/"):
        assert "08395556666" in text(client.get(address))
    Post.objects.filter(pk=row.pk).update(public_phone="")
    for address in (f"/notice/body/{people.group.pk}/", f"/notice/{people.building.code}/"):
        assert "0839-5551111" in text(client.get(address))


def test_a_township_names_the_heads_of_its_committee_and_offices(people):
    top = body(people, Kind.PARTY_COMMITTEE, "陵江镇党委", people.township, phone="0839-5550000")
    Organisation.objects.filter(pk=people.office.pk).update(phone="0839-5550001")
    people.office.refresh_from_db()
    other = body(people, Kind.OFFICE, "陵江镇便民服务中心", people.township, phone="0839-5550002")
    lead(people, top, "镇书记")
    lead(people, people.office, "主任甲", "主任")
    assert shown(people, people.township) == [
        ("镇书记", "0839-5550000"), ("主任甲", "0839-5550001"), (other.name, "0839-5550002"),
    ]  # fmt: skip


# --- after the map changed -------------------------------------------------------------------------------------------
def settle_one(people, at):
    matter = people.matter(at=at)
    services.settle(matter, by=people.clerk, version=1, outcome="好", public_outcome="疏通了管道。")


def test_a_renamed_township_and_a_merged_village_keep_what_was_settled(people, client):
    settle_one(people, people.grid)
    other = place(f"{people.township.code}777", "并出村", Level.VILLAGE, people.township)
    merge([people.village, other], into=NewPlace(f"{people.township.code}888", "合并村"), on=TODAY, by=None)
    rename(people.township, name="新镇", on=TODAY, by=None)
    for code in (people.township.code, f"{people.township.code}888", people.grid.code):
        assert "疏通了管道。" in text(client.get(f"/notice/{code}/")), code


def test_the_code_on_the_wall_of_a_merged_village_leads_to_what_it_is_today(people, client):
    other = place(f"{people.township.code}777", "并出村", Level.VILLAGE, people.township)
    into = f"{people.township.code}888"
    merge([people.village, other], into=NewPlace(into, "合并村"), on=TODAY, by=None)
    for old in (people.village.code, other.code):
        assert client.get(f"/notice/{old}/").url == f"/notice/{into}/"
        assert client.get(f"/notice/{old}/qr.svg").url == f"/notice/{into}/qr.svg"
        assert client.get(f"/at/{old}/", follow=True).status_code == 200
    client.post("/raise/", {"module": "report", "subject": "楼道灯不亮", "detail": ""})
    client.post("/raise/where/", {"place": into, "address": ""}, follow=True)
    client.post("/raise/send/", {"phone": ""}, follow=True)
    assert Matter.objects.get().village.name == "合并村"
    assert client.get("/notice/999999999999/").status_code == 404


def test_of_a_village_that_was_divided_one_chooses_where_one_is(people, client):
    parts = [NewPlace(f"{people.township.code}{number}", f"{number}村") for number in (701, 702)]
    asked = asked_in_split(people.village, TODAY)
    split(people.village, parts=parts, belongs=dict.fromkeys(dict(asked), 0), on=TODAY, by=None)
    page = text(client.get(f"/at/{people.village.code}/"))
    for number in (701, 702):
        assert f'href="/at/{people.township.code}{number}/"' in page
    assert "已分为几个地方" in page
