"""Bodies: made, renamed, put below another, closed; and what the database refuses."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from weilu.orgs.bodies import BodyError, change_body, close_body, constraint_of, make_body
from weilu.orgs.models import Organisation, OrganisationChange

Kind = Organisation.Kind
OLD, NEW, LATER = dt.date(2018, 5, 1), dt.date(2022, 3, 1), dt.date(2024, 7, 1)
CODE = "91110000600037341L"


@pytest.fixture
def committee(world) -> Organisation:
    return make_body(
        place=world.village, kind=Kind.PARTY_COMMITTEE, name="金穗社区党委", by=world.clerk, since=OLD
    )  # fmt: skip


def branch(world, committee, **given) -> Organisation:
    fields = {"kind": Kind.BRANCH, "name": "凯旋城小区党支部", "parent": committee, "since": NEW} | given
    return make_body(place=world.village, by=world.clerk, **fields)


def refused(*, by: str):
    """The database itself refuses, and by the constraint of this name."""

    class Refused:
        def __enter__(self):
            self.save = transaction.atomic()
            self.save.__enter__()

        def __exit__(self, kind, error, trace):
            self.save.__exit__(kind, error, trace)
            assert isinstance(error, IntegrityError), error
            assert constraint_of(error) == by
            return True

    return Refused()


def test_a_body_begins_with_a_first_row_of_its_history(world, committee):
    found = branch(world, committee, serves="凯旋城", speciality="", phone="0839-5551234")
    [change] = found.changes.all()
    assert (change.kind, change.day, change.created_by) == ("begin", NEW, world.clerk)
    assert (found.parent_from, found.serves, found.jurisdiction) == (OLD, "凯旋城", world.jurisdiction)


def test_a_renamed_body_is_still_known_by_its_old_name(world, committee):
    found = change_body(
        branch(world, committee), by=world.clerk, on=LATER, name="凯旋城党支部", document="陵委〔2024〕7号"
    )
    found.refresh_from_db()
    assert (found.name, found.aliases) == ("凯旋城党支部", ["凯旋城小区党支部"])
    change = found.changes.first()
    assert (change.kind, change.document) == ("rename", "陵委〔2024〕7号")
    assert change.columns["name"] == ["凯旋城小区党支部", "凯旋城党支部"]


def test_what_does_not_differ_is_no_change(world, committee):
    found = branch(world, committee)
    change_body(found, by=world.clerk, on=LATER, name=found.name, phone=found.phone)
    assert found.changes.count() == 1


def test_a_branch_moves_below_another_committee(world, committee):
    found = branch(world, committee)
    other = make_body(place=world.township, kind=Kind.PARTY_COMMITTEE, name="陵江镇党委", by=None, since=OLD)
    found = change_body(found, by=world.clerk, on=LATER, parent=other)
    assert found.changes.first().kind == "move"
    assert list(other.children.all()) == [found]


def test_the_database_refuses_a_child_older_than_its_parent(world, committee):
    with refused(by="organisation_not_older_than_parent"):
        Organisation.objects.create(
            jurisdiction=world.jurisdiction, kind=Kind.BRANCH, name="老支部", place=world.village, parent=committee,
            valid_from=OLD - dt.timedelta(1),
        )  # fmt: skip
    with pytest.raises(BodyError) as caught:
        branch(world, committee, since=OLD - dt.timedelta(1))
    assert caught.value.column == "valid_from"
    assert "2018-05-01" in caught.value.message


def test_the_database_refuses_to_begin_a_parent_later_than_its_child(world, committee):
    found = branch(world, committee)
    with refused(by="organisation_not_older_than_parent"):
        Organisation.objects.filter(pk=committee.pk).update(valid_from=LATER)
    with pytest.raises(BodyError) as caught:
        change_body(committee, by=world.clerk, on=LATER, valid_from=LATER)
    assert caught.value.column == "valid_from"
    committee.refresh_from_db()
    assert committee.valid_from == OLD
    change_body(committee, by=world.clerk, on=LATER, valid_from=NEW)  # as old as its child: that can be
    found.refresh_from_db()
    assert found.parent_from == NEW


def test_the_database_refuses_a_body_that_ends_before_it_begins(world, committee):
    with refused(by="organisation_ends_later"):
        Organisation.objects.filter(pk=committee.pk).update(valid_to=OLD)
    with pytest.raises(BodyError) as caught:
        close_body(committee, by=world.clerk, on=OLD)
    assert caught.value.column == "valid_to"


def test_the_database_refuses_two_bodies_of_one_name_at_one_place(world, committee):
    with refused(by="organisation_once_at_a_place"):
        Organisation.objects.create(
            jurisdiction=world.jurisdiction, kind=Kind.PARTY_COMMITTEE, name="金穗社区党委", place=world.village
        )
    with pytest.raises(BodyError) as caught:
        branch(world, committee, name=" 金穗社区党委 ")
    assert caught.value.column == "name"
    close_body(committee, by=world.clerk, on=LATER)
    assert branch(world, None, name="金穗社区党委")  # the name is free again


def test_the_database_refuses_a_body_below_itself(world, committee):
    with refused(by="organisation_not_its_own_parent"):
        Organisation.objects.filter(pk=committee.pk).update(parent=committee, parent_from=OLD)


def test_the_database_refuses_one_credit_code_for_two_bodies(world):
    make_body(place=world.village, kind=Kind.ENTERPRISE, name="甲公司", by=None, since=OLD, credit_code=CODE)
    with pytest.raises(BodyError) as caught:
        make_body(place=world.township, kind=Kind.ENTERPRISE, name="乙公司", by=None, since=OLD, credit_code=CODE)
    assert caught.value.column == "credit_code"


def test_a_credit_code_with_a_wrong_check_is_refused(world):
    with pytest.raises(BodyError) as caught:
        make_body(
            place=world.village, kind=Kind.ENTERPRISE, name="甲公司", by=None, since=OLD, credit_code=CODE[:-1] + "A"
        )
    assert caught.value.column == "credit_code"
    assert not Organisation.objects.filter(name="甲公司").exists()


def test_bodies_do_not_stand_in_a_circle(world):
    first = make_body(place=world.village, kind=Kind.ENTERPRISE, name="甲公司", by=None, since=OLD)
    second = make_body(place=world.village, kind=Kind.ENTERPRISE, name="乙公司", by=None, since=OLD, parent=first)
    with pytest.raises(BodyError) as caught:
        change_body(first, by=None, on=LATER, parent=second)
    assert caught.value.column == "parent"


def test_a_building_group_stands_below_a_branch_only(world, committee):
    with pytest.raises(BodyError):
        branch(world, committee, kind=Kind.PARTY_GROUP, name="1号楼党小组")
    group = branch(world, branch(world, committee), kind=Kind.PARTY_GROUP, name="1号楼党小组")
    assert branch(world, group, kind=Kind.MEMBER_HOUSEHOLD, name="李家").parent == group


def test_a_body_of_another_county_is_no_parent(world):
    with pytest.raises(BodyError) as caught:
        branch(world, world.far_office)
    assert caught.value.column == "parent"


def test_a_body_whose_children_go_on_is_not_closed(world, committee):
    found = branch(world, committee)
    with pytest.raises(BodyError) as caught:
        close_body(committee, by=world.clerk, on=LATER)
    assert found.name in caught.value.message
    close_body(found, by=world.clerk, on=LATER)
    assert close_body(committee, by=world.clerk, on=LATER).valid_to == LATER
    assert OrganisationChange.objects.filter(kind="close").count() == 2


def test_roles_held_in_a_body_end_with_it(world):
    close_body(world.branch, by=world.clerk, on=LATER)
    assert {grant.valid_to for grant in world.branch.grants.all()} == {LATER}
