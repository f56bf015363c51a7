"""Employed members report to the branch of their home estate."""

import datetime as dt

import pytest
from django.utils import timezone

from tests.people.people_cast import person
from weilu.orgs.models import Organisation
from weilu.people.finding import people
from weilu.people.models import Membership, Person
from weilu.people.persons import PersonProblem
from weilu.people.reporting import branches_at_home, end_report, report_home, reported_to

DAY = dt.date(2026, 1, 5)


@pytest.fixture
def employed(world):
    at_work = Organisation.objects.create(
        jurisdiction=world.jurisdiction, kind="branch", name="住建局机关党支部", place=world.county
    )
    found = person(world, home=world.grid, work=world.department)
    Membership.objects.create(person=found, organisation=at_work, kind="member")
    return found


def test_a_clerk_reports_a_member_who_is_then_counted_at_the_home_branch(world, sign_in, employed):
    page = sign_in(world.village_clerk)
    assert world.branch.name in page.get(f"/people/{employed.pk}/").content.decode()
    page.post(f"/people/{employed.pk}/report/", {"branch": world.branch.pk, "on": "2026-01-05"})
    row = reported_to(employed)
    assert (row.organisation, row.valid_from) == (world.branch, DAY)
    assert list(people(world.clerk, kind="reported", organisation=world.branch)) == [employed]
    assert employed.name in page.get(f"/organisations/{world.branch.pk}/").content.decode()


def test_a_member_reports_with_their_own_account(world, sign_in, employed):
    Person.objects.filter(pk=employed.pk).update(user=world.member)
    sign_in(world.member).post("/account/me/report/", {"branch": world.branch.pk})
    assert reported_to(employed).organisation == world.branch


def test_who_is_no_employed_member_does_not_report(world, employed):
    for other in (person(world, "群众", work=world.department), person(world, "本社区党员")):
        if other.name == "本社区党员":
            Membership.objects.create(person=other, organisation=world.branch, kind="member")
        with pytest.raises(PersonProblem):
            report_home(other, branch=world.branch, by=None, on=DAY)
    assert not Membership.objects.filter(kind="reported").exists()


def test_only_to_a_branch_at_home_once_and_not_ahead_of_time(world, employed):
    elsewhere = Organisation.objects.create(
        jurisdiction=world.jurisdiction, kind="branch", name="红旗村党支部", place=world.other_village
    )
    assert list(branches_at_home(employed)) == [world.branch]
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    for branch, on in ((elsewhere, DAY), (world.office, DAY), (world.branch, tomorrow)):
        with pytest.raises(PersonProblem):
            report_home(employed, branch=branch, by=None, on=on)
    report_home(employed, branch=world.branch, by=None, on=DAY)
    with pytest.raises(PersonProblem):
        report_home(employed, branch=world.branch, by=None)


def test_neither_a_clerk_elsewhere_nor_another_member_reports_them(world, employed):
    for by in (world.stranger, world.second_member, world.observer):
        with pytest.raises(PersonProblem):
            report_home(employed, branch=world.branch, by=by, on=DAY)


def test_it_ends_when_they_move_away_and_what_began_today_never_was(world, employed):
    end_report(report_home(employed, branch=world.branch, by=None, on=DAY), by=world.village_clerk)
    assert Membership.objects.get(kind="reported").valid_to == timezone.localdate()
    end_report(report_home(employed, branch=world.branch, by=None), by=None)
    assert Membership.objects.filter(kind="reported").count() == 1
    assert reported_to(employed) is None


def test_a_day_that_is_none_is_said_on_the_page(world, sign_in, employed):
    page = sign_in(world.village_clerk)
    for on, branch in (("x", world.branch.pk), ("2026-01-05", "x"), ("2026-01-05", world.office.pk)):
        assert page.post(f"/people/{employed.pk}/report/", {"branch": branch, "on": on}).status_code == 422
