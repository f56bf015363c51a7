"""Who joins and who is missing between two files: shown, and ended only when somebody says so."""

import datetime as dt

from django.utils import timezone

from tests.people.rosters.conftest import id_number, workbook
from tests.people.rosters.test_round_trip import cells_of
from weilu.orgs.models import Organisation
from weilu.people.appointments import appoint, make_post
from weilu.people.models import Appointment, Membership, Person
from weilu.people.rosters.kinds import KINDS
from weilu.people.rosters.sending import send_out

BRANCH = "金穗社区第一党支部"
HEAD = ["姓名", "身份证号", "所在党支部", "联系电话"]
LI = ["李明", id_number(order=1), BRANCH, "13812345678"]
WANG = ["王芳", id_number(order=2), BRANCH, "13912345678"]


def members() -> set[str]:
    return set(Membership.objects.filter(valid_to=None).values_list("person__name", flat=True))


def test_who_is_missing_is_shown_and_stays(world, enter):
    enter("members", workbook(HEAD, LI, WANG))
    result = enter("members", workbook(HEAD, LI))
    assert result.leaving == [["王芳", BRANCH, ""]]
    assert result.extra["leaving"] == 1
    assert members() == {"李明", "王芳"}


def test_who_is_missing_from_a_full_roster_leaves_today(world, enter):
    enter("members", workbook(HEAD, LI, WANG))
    Membership.objects.update(valid_from=dt.date(2020, 1, 1))
    enter("members", workbook(HEAD, LI), end_missing=True)
    assert members() == {"李明"}
    assert Membership.objects.get(person__name="王芳").valid_to == timezone.localdate()
    enter("members", workbook(HEAD, LI, WANG))
    assert members() == {"李明", "王芳"}
    assert Person.objects.count() == 2


def test_who_was_entered_by_mistake_today_never_was(world, enter):
    enter("members", workbook(HEAD, LI, WANG))
    enter("members", workbook(HEAD, LI), end_missing=True)
    assert not Membership.objects.filter(person__name="王芳").exists()


def test_a_member_who_moves_belongs_to_one_branch(world, enter):
    given = {"jurisdiction": world.jurisdiction, "kind": "branch", "place": world.village}
    second = Organisation.objects.create(name="金穗社区第二党支部", **given)
    enter("members", workbook(HEAD, LI))
    Membership.objects.update(valid_from=dt.date(2020, 1, 1))
    result = enter("members", workbook(HEAD, [*LI[:2], second.name, LI[3]]))
    assert (result.imported, result.updated, result.leaving, result.extra["moved"]) == (0, 1, [], 1)
    assert Membership.objects.get(valid_to=None).organisation == second
    assert Membership.objects.get(organisation=world.branch).valid_to == timezone.localdate()


def test_a_member_of_another_township_is_left_alone(world, enter):
    given = {"jurisdiction": world.jurisdiction, "kind": "branch", "place": world.other_village}
    Organisation.objects.create(name="红旗村党支部", **given)
    enter("members", workbook(HEAD, ["孙三", id_number(order=3), "红旗村党支部", ""]), at=world.other_township)
    assert enter("members", workbook(HEAD, LI), end_missing=True).leaving == []
    assert members() == {"孙三", "李明"}


def test_what_is_recorded_of_people_who_live_elsewhere_is_not_overwritten(world, enter):
    given = {"jurisdiction": world.jurisdiction, "kind": "branch", "place": world.other_village}
    Organisation.objects.create(name="红旗村党支部", **given)
    enter("members", workbook(HEAD, ["李明", LI[1], "红旗村党支部", "13700000001"]), at=world.other_township)
    content = workbook(["姓名", "身份证号", "志愿服务队", "联系电话"], [LI[0], LI[1], "爱心队", LI[3]])
    result = enter("volunteers", content, create=True)
    assert (result.imported, result.extra["left_as_elsewhere"]) == (1, 1)
    assert Person.objects.get().phone == "13700000001"


def test_without_an_id_number_people_are_known_by_telephone_or_birth_and_body(world, enter):
    head = ["姓名", "出生年月", "所在党支部", "联系电话"]
    enter("members", workbook(head, ["李明", "1985.03", BRANCH, "13812345678"]))
    by_phone = enter("members", workbook(head, ["李明", "", BRANCH, "13812345678"]))
    by_birth = enter("members", workbook(head, ["李明", "1985.03", BRANCH, "13700000001"]))
    other = enter("members", workbook(head, ["李明", "1990.01", BRANCH, "13700000002"]))
    assert (by_phone.duplicates, by_birth.updated, other.imported) == (1, 1, 1)
    assert Person.objects.count() == 2


def test_an_id_number_that_comes_later_joins_the_same_person(world, enter):
    head = ["姓名", "身份证号", "所在党支部", "联系电话"]
    enter("members", workbook(head, ["李明", "", BRANCH, "13812345678"]))
    assert enter("members", workbook(head, LI)).updated == 1
    assert Person.objects.get().id_number == LI[1]


def test_a_full_roster_of_village_cadres_ends_no_post_of_others(world, enter):
    """Posts of the township, of branches below the village's Party body and beside somebody's work stand elsewhere."""
    given = {"jurisdiction": world.jurisdiction}
    township = Organisation.objects.create(name="陵江镇党委", kind="party_committee", place=world.township, **given)
    village = Organisation.objects.create(
        name="金穗社区党委", kind="party_committee", place=world.village, parent=township, **given
    )
    estate = Organisation.objects.create(
        name="家园小区党支部", kind="branch", place=world.village, parent=village, **given
    )
    people = iter(range(11, 31))
    for body, titles in ((township, ["书记"]), (village, ["书记", "委员", "兼职委员"]), (estate, ["支部书记"])):
        for title in titles:
            post = make_post(body, title=title, by=None)
            person = Person.objects.create(
                name=f"{body.name[:2]}{title}", home=world.village, id_number=id_number(order=next(people)), **given
            )
            appoint(post, person=person, by=None, since=dt.date(2020, 1, 1))
    head = ["姓名", "身份证号", "所在村", "职务"]
    listed = workbook(head, ["金穗书记", id_number(order=12), "金穗社区党委", "书记"])
    result = enter("village-cadres", listed, end_missing=True, sure=True)
    assert (result.errors, result.leaving) == ([], [["金穗委员", "金穗社区党委", "委员"]])
    standing = Appointment.objects.filter(valid_to=None).values_list("person__name", flat=True)
    assert set(standing) == {"陵江书记", "金穗书记", "金穗兼职委员", "家园支部书记"}


def test_cadres_of_a_township_committee_stand_in_the_roster_of_cadres(world, enter):
    body = Organisation.objects.create(
        name="陵江镇党委", kind="party_committee", place=world.township, jurisdiction=world.jurisdiction
    )
    head = ["姓名", "身份证号", "工作单位", "职务"]
    enter("cadres", workbook(head, ["赵一", id_number(order=1), body.name, "书记"]))
    assert "赵一" in str(cells_of(send_out(KINDS["cadres"], world.township, by=world.clerk)))
    assert "赵一" not in str(cells_of(send_out(KINDS["village-cadres"], world.township, by=world.clerk)))


def test_who_left_and_comes_back_is_the_same_person(world, enter):
    head = ["姓名", "出生年月", "所在党支部", "转入时间"]
    people = [["李明", "1985.03", BRANCH, "2020.01"], ["王芳", "1986.03", BRANCH, "2020.01"]]
    enter("members", workbook(head, *people))
    enter("members", workbook(head, people[0]), end_missing=True)
    result = enter("members", workbook(head, *people))
    assert result.extra["persons_added"] == 0
    assert Person.objects.count() == 2


def test_who_was_entered_by_mistake_and_comes_back_is_the_same_person(world, enter):
    head = ["姓名", "出生年月", "所在党支部"]
    people = [["李明", "1985.03", BRANCH], ["王芳", "1986.03", BRANCH]]
    enter("members", workbook(head, *people))
    enter("members", workbook(head, people[0]), end_missing=True)
    enter("members", workbook(head, *people))
    assert Person.objects.count() == 2


def test_somebody_else_of_that_name_is_somebody_else(world, enter):
    head = ["姓名", "出生年月", "所在党支部", "转入时间"]
    enter("members", workbook(head, ["李明", "1985.03", BRANCH, "2020.01"], ["王芳", "1986.03", BRANCH, "2020.01"]))
    enter("members", workbook(head, ["李明", "1985.03", BRANCH, "2020.01"]), end_missing=True)
    enter("members", workbook(head, ["李明", "1985.03", BRANCH, "2020.01"], ["王芳", "1990.07", BRANCH, "2021.01"]))
    assert Person.objects.filter(name="王芳").count() == 2
