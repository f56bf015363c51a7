"""People of one name: told apart, or refused with what to add; nobody is doubled and nobody swallowed."""

import pytest

from tests.people.rosters.conftest import id_number, workbook
from weilu.people.models import Appointment, Membership, Person
from weilu.people.rosters.kinds import KINDS
from weilu.people.rosters.sending import send_out

BRANCH = "金穗社区第一党支部"
HEAD = ["姓名", "所在党支部", "身份证号", "出生年月", "联系电话"]


def faults(result) -> list[tuple[int, str]]:
    return [(error["row"], error["field"]) for error in result.errors]


def test_two_rows_that_say_only_the_same_name_are_refused_with_what_to_add(world, enter):
    result = enter("members", workbook(HEAD, ["王伟", BRANCH], ["王伟", BRANCH]))
    assert faults(result) == [(3, "name")]
    assert "第2行" in result.errors[0]["message"]
    assert "身份证号" in result.errors[0]["message"]
    assert not Person.objects.exists()


def test_one_of_two_with_a_number_does_not_tell_the_other(world, enter):
    result = enter("members", workbook(HEAD, ["王伟", BRANCH], ["王伟", BRANCH, id_number()]))
    assert faults(result) == [(2, "name")]


def test_dates_of_birth_and_telephones_tell_them_apart(world, enter):
    rows = [["王伟", BRANCH, "", "1980.01"], ["王伟", BRANCH, "", "1985.02"], ["王伟", BRANCH, "", "", "13812345678"]]
    assert enter("members", workbook(HEAD, *rows)).imported == 3
    assert Person.objects.count() == 3


def test_one_person_may_hold_two_posts_in_a_body(world, enter):
    office = world.office.name
    content = workbook(["姓名", "单位", "职务"], ["赵一", office, "主任"], ["赵一", office, "支部书记"])
    assert enter("cadres", content).imported == 2
    assert (Person.objects.count(), Appointment.objects.count()) == (1, 2)


def test_a_masked_roster_of_two_people_of_one_name_and_birth_date_doubles_nobody(world, enter):
    rows = [["王伟", BRANCH, id_number(order=order), "1985.03"] for order in (1, 3)]
    enter("members", workbook(HEAD, *rows, ["李明", BRANCH, id_number(order=5), "1985.03"]))
    out = send_out(KINDS["members"], world.township, by=world.clerk)
    result = enter("members", out)
    assert {error["field"] for error in result.errors} == {"name"}
    assert (result.refused, "身份证号" in result.errors[0]["message"]) == (2, True)
    assert (Person.objects.count(), Membership.objects.count()) == (3, 3)


def test_a_masked_number_of_somebody_who_is_not_entered_is_refused(world, enter):
    result = enter("members", workbook(HEAD, ["王伟", BRANCH, "510824********0021", "1985.03"]))
    assert faults(result) == [(2, "id_number")]
    assert not Person.objects.exists()


def test_the_same_name_and_telephone_with_another_birth_date_is_asked(world, enter):
    head = ["姓名", "出生年月", "所在党支部", "联系电话"]
    enter("members", workbook(head, ["李明", "1970.05", BRANCH, "13812345678"]))
    result = enter("members", workbook(head, ["李明", "1975.05", BRANCH, "13812345678"]))
    assert faults(result) == [(2, "birth_date")]
    assert Person.objects.count() == 1


@pytest.mark.parametrize("name", [12345, "陵江村党支部"])
def test_a_number_or_a_body_is_no_name(world, enter, name):
    result = enter("members", workbook(["姓名", "出生年月", "所在党支部"], [name, "1970.05", BRANCH]))
    assert faults(result) == [(2, "name")]
