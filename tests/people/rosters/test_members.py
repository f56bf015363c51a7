"""A roster of Party members: entered whole or not at all, once."""

import datetime as dt

from tests.people.rosters.conftest import id_number, workbook
from weilu.people.models import Membership, Person

HEAD = ["序号", "姓名", "性别", "出生年月", "身份证号码", "所在党支部", "入党时间", "联系电话"]
BRANCH = "金穗社区第一党支部"
LI = [1, "李 明", "男", "1985.03", id_number("19850312", 1), BRANCH, "2010年7月", "13812345678"]
WANG = [2, "王芳", "女", "1990.10", id_number("19901005", 2), BRANCH, "201506", "13912345678"]


def test_members_are_entered_with_their_branch(world, enter):
    result = enter("members", workbook(["金穗社区党员花名册"], HEAD, LI, WANG))
    assert (result.read, result.imported, result.refused, result.errors) == (2, 2, 0, [])
    person = Person.objects.get(name="李明")
    assert (person.sex, person.birth_date, person.birth_day_known) == ("male", dt.date(1985, 3, 12), True)
    assert person.joined_party_on == dt.date(2010, 7, 1)
    assert (person.id_number, person.phone) == (LI[4], LI[7])
    assert (person.pinyin, person.initials) == ("liming", "lm")
    assert person.home == world.village
    membership = Membership.objects.get(person=person)
    assert (membership.organisation, membership.kind, membership.valid_to) == (world.branch, "member", None)


def test_entering_it_again_changes_nothing_and_doubles_nobody(world, enter):
    content = workbook(HEAD, LI, WANG)
    enter("members", content)
    before = list(Person.objects.order_by("pk").values()), list(Membership.objects.order_by("pk").values())
    result = enter("members", content)
    assert (result.read, result.imported, result.updated, result.duplicates) == (2, 0, 0, 2)
    assert (list(Person.objects.order_by("pk").values()), list(Membership.objects.order_by("pk").values())) == before


def test_what_changed_is_changed_and_told(world, enter):
    enter("members", workbook(HEAD, LI, WANG))
    moved = [*LI[:7], "13700000001"]
    result = enter("members", workbook(HEAD, moved, WANG))
    assert (result.imported, result.updated, result.duplicates) == (0, 1, 1)
    assert result.changes == [[2, "李明", BRANCH, "changed", [["phone", "138****5678", "137****0001"]], ""]]
    assert Person.objects.get(name="李明").phone == "13700000001"


def test_one_wrong_row_and_nothing_is_entered(world, enter):
    wrong = [*WANG[:4], id_number("19901005", 2)[:-1] + "0", *WANG[5:]]
    result = enter("members", workbook(HEAD, LI, wrong))
    assert result.refused == 1
    assert (result.errors[0]["row"], result.errors[0]["field"]) == (3, "id_number")
    assert not Person.objects.exists()
    assert not Membership.objects.exists()


def test_a_dry_run_writes_nothing(world, enter):
    assert enter("members", workbook(HEAD, LI), write=False).imported == 1
    assert not Person.objects.exists()
