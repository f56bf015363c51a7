"""Rosters of cadres, of those who work in villages, of volunteers and of bodies."""

import datetime as dt

import pytest

from tests.conftest import place
from tests.people.rosters.conftest import id_number, workbook
from weilu.orgs.models import Grant, Level, Organisation, PlaceChange
from weilu.people.appointments import appoint, change_post
from weilu.people.models import Appointment, Membership, Person, Post

OFFICE = "陵江镇综合治理办公室"
CADRES = ["姓名", "单位", "现任职务", "任职时间", "身份证号"]


@pytest.fixture
def committee(world):
    given = {"jurisdiction": world.jurisdiction, "kind": "community", "place": world.village}
    return Organisation.objects.create(name="金穗社区居民委员会", **given)


def holders(title: str) -> list[str]:
    rows = Appointment.objects.filter(post__title=title, valid_to=None).order_by("seat")
    return list(rows.values_list("person__name", flat=True))


def test_posts_are_made_and_filled_seat_by_seat(world, enter):
    content = workbook(
        CADRES,
        ["赵一", OFFICE, "主任", "2021.06", id_number(order=1)],
        ["钱二", OFFICE, "副主任", "2022.01", id_number(order=2)],
        ["孙三", OFFICE, "副主任", "2023.01", id_number(order=3)],
    )
    assert enter("cadres", content).imported == 3
    assert (holders("主任"), holders("副主任")) == (["赵一"], ["钱二", "孙三"])
    assert Post.objects.get(title="副主任").strength == 2
    assert Post.objects.get(title="主任").leads
    assert Appointment.objects.get(person__name="赵一").valid_from == dt.date(2021, 6, 1)
    assert Person.objects.get(name="赵一").work == world.office
    again = enter("cadres", content)
    assert (again.imported, again.updated, again.duplicates) == (0, 0, 3)


def test_who_follows_in_a_post_waits_until_the_other_is_ended(world, enter):
    first = workbook(CADRES, ["赵一", OFFICE, "主任", "2021.06", id_number(order=1)])
    second = workbook(CADRES, ["钱二", OFFICE, "主任", "", id_number(order=2)])
    enter("cadres", first)
    refused = enter("cadres", second)
    assert [(error["row"], error["field"]) for error in refused.errors] == [(2, "post")]
    assert "赵一" in refused.errors[0]["message"]
    done = enter("cadres", second, end_missing=True)
    assert (done.imported, done.leaving) == (1, [["赵一", OFFICE, "主任"]])
    assert holders("主任") == ["钱二"]
    assert Post.objects.get(title="主任").strength == 1


def test_the_role_of_a_post_ends_with_who_is_missing(world, enter):
    enter("cadres", workbook(CADRES, ["赵一", OFFICE, "主任", "2021.06", id_number(order=1)]))
    person = Person.objects.get(name="赵一")
    person.user = world.second_member
    person.save()
    Appointment.objects.all().delete()
    post = change_post(Post.objects.get(title="主任"), by=None, role="observer")
    appoint(post, person=person, by=None, since=dt.date(2021, 6, 1))
    assert Grant.objects.filter(user=world.second_member, role="observer", valid_to=None).exists()
    enter("cadres", workbook(CADRES, ["钱二", OFFICE, "主任", "", id_number(order=2)]), end_missing=True)
    assert not Grant.objects.filter(user=world.second_member, role="observer", valid_to=None).exists()


def test_village_cadres_may_name_their_village(world, enter, committee):
    content = workbook(["姓名", "村（社区）", "职务"], ["赵一", "金穗社区", "党支部书记、主任"])
    assert enter("village-cadres", content).imported == 1
    assert Appointment.objects.get().post.organisation == committee
    assert enter("village-cadres", content).duplicates == 1


def test_grid_workers_are_put_into_their_grid(world, enter, committee):
    head = ["姓名", "网格名称", "联系电话", "类别"]
    content = workbook(head, ["赵一", "金穗社区第一网格", "13812345678", "专职"])
    assert enter("grid-workers", content).imported == 1
    found = Membership.objects.get()
    assert (found.organisation, found.place, found.note, found.kind) == (committee, world.grid, "专职", "grid_worker")
    assert enter("grid-workers", content).duplicates == 1
    changed = enter("grid-workers", workbook(head, ["赵一", "第一网格", "13800000000", "兼职"]))
    assert (changed.imported, changed.updated) == (0, 1)
    assert Person.objects.get().phone == "13800000000"


def test_an_unknown_grid_is_refused(world, enter, committee):
    result = enter("grid-workers", workbook(["姓名", "网格"], ["赵一", "第七网格"]))
    assert [(error["row"], error["field"]) for error in result.errors] == [(2, "grid")]
    assert "第一网格" in result.errors[0]["message"]


def test_a_missing_committee_is_made_when_that_is_wanted(world, enter):
    content = workbook(["姓名", "网格"], ["赵一", "第一网格"])
    assert enter("grid-workers", content).errors[0]["field"] == "organisation"
    assert enter("grid-workers", content, create=True).imported == 1
    assert Membership.objects.get().organisation.kind == "community"


def test_community_workers_work_at_their_community(world, enter, committee):
    assert enter("community-workers", workbook(["姓名", "社区", "岗位"], ["赵一", "金穗社区", "民政"])).imported == 1
    assert (Person.objects.get().work, Membership.objects.get().note) == (committee, "民政")


def test_volunteers_may_belong_to_several_teams(world, enter):
    head = ["姓名", "志愿服务队", "联系电话", "特长"]
    rows = [["赵一", team, "13812345678", "理发"] for team in ("爱心队", "绿色队")]
    result = enter("volunteers", workbook(head, *rows), create=True)
    assert (result.imported, Person.objects.count(), Membership.objects.count()) == (2, 1, 2)
    assert {body.kind for body in Organisation.objects.filter(name__in=["爱心队", "绿色队"])} == {"volunteers"}


BODIES = ["名称", "类别", "所在地", "上级组织", "统一社会信用代码", "别名"]


def test_bodies_are_entered_with_what_is_above_them(world, enter):
    content = workbook(
        BODIES,
        ["金穗社区第二党支部", "党支部", "金穗社区", "金穗社区党委", "", "金穗二支部"],
        ["金穗社区党委", "社区党委", "金穗社区", "", "", ""],
        ["陵江物业有限公司", "物业公司", "510824100001", "", "91110000600037341L", ""],
    )
    result = enter("organisations", content)
    assert (result.imported, result.errors) == (3, [])
    branch = Organisation.objects.get(name="金穗社区第二党支部")
    assert (branch.parent.name, branch.kind, branch.aliases) == ("金穗社区党委", "branch", ["金穗二支部"])
    assert branch.changes.get().kind == "begin"
    again = enter("organisations", content)
    assert (again.imported, again.updated, again.duplicates) == (0, 0, 3)
    changed = workbook(BODIES, ["陵江物业有限公司", "物业", "金穗社区", "", "91110000600037341L", "陵江物业"])
    assert enter("organisations", changed).updated == 1
    assert Organisation.objects.get(name="陵江物业有限公司").aliases == ["陵江物业"]
    assert not PlaceChange.objects.exists()


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (["甲", "俱乐部", "金穗社区", "", "", ""], "kind"),
        (["甲", "物业", "不知道村", "", "", ""], "place"),
        (["甲", "党小组", "金穗社区", "没有的支部", "", ""], "parent"),
        (["甲", "物业", "金穗社区", "", "91110000600037341A", ""], "credit_code"),
        (["", "物业", "金穗社区", "", "", ""], "name"),
        (["甲", "党小组", "金穗社区", OFFICE, "", ""], "parent"),
    ],
)
def test_a_body_that_cannot_be_is_refused(world, enter, row, column):
    before = Organisation.objects.count()
    result = enter("organisations", workbook(BODIES, row, ["乙", "物业", "金穗社区"]))
    assert [(error["row"], error["field"]) for error in result.errors] == [(2, column)]
    assert Organisation.objects.count() == before


def test_bodies_in_a_circle_are_refused(world, enter):
    rows = [["甲支部", "党支部", "金穗社区", "乙支部"], ["乙支部", "党支部", "金穗社区", "甲支部"]]
    assert {error["field"] for error in enter("organisations", workbook(BODIES, *rows)).errors} == {"parent"}


def test_employed_members_report_to_the_branch_of_their_estate(world, enter):
    head = ["姓名", "身份证号", "报到党支部", "工作单位", "报到时间"]
    row = ["赵一", id_number(order=1), "金穗社区第一党支部", "县医院", "2022.01"]
    assert enter("reported", workbook(head, row)).imported == 1
    held = Membership.objects.get(person__name="赵一")
    assert (held.kind, held.organisation, held.valid_from) == ("reported", world.branch, dt.date(2022, 1, 1))
    again = enter("reported", workbook(head, row))
    assert (again.imported, again.duplicates) == (0, 1)
    assert not Membership.objects.filter(kind="member").exists()


def test_grids_of_one_name_in_one_village_are_told_apart_by_code(world, enter, committee):
    place(f"{world.village.code}-09", world.grid.name, Level.GRID, world.village)
    head = ["姓名", "身份证号", "网格名称", "所在社区"]
    result = enter("grid-workers", workbook(head, ["赵一", id_number(order=1), "第一网格", "金穗社区"]))
    assert [error["field"] for error in result.errors] == ["grid"]
    assert world.grid.code in result.errors[0]["message"]
