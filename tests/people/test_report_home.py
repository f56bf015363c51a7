"""Employed members report to the branch of their home estate."""

import datetime as dt

import pytest
from django.utils import timezone

from tests.people.people_cast import person
from weilu.orgs.models import Organisation
from weilu.people.finding import people
from weilu.people.models import Membership, Person
from weilu.people.persons import PersonProblem, change_person
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


# Who has reported and then moves.


@pytest.fixture
def moved(world, employed):
    """The member has reported in 金穗社区 and now lives in 红旗村, which has a branch too."""
    report_home(employed, branch=world.branch, by=None, on=DAY)
    world.new_branch = Organisation.objects.create(
        jurisdiction=world.jurisdiction, kind="branch", name="红旗村党支部", place=world.other_village
    )
    employed.version = change_person(employed, by=None, version=None, home=world.other_village).version
    employed.refresh_from_db()
    return employed


LEFT = "现住址在云峰镇 · 红旗村，但报到仍在陵江镇 · 金穗社区"


def edited(page, who, home):
    given = {"name": who.name, "work": who.work.name, "version": who.version, "home": home}
    return page.post(f"/people/{who.pk}/edit/", given, follow=True).text


def test_saving_a_home_in_another_village_says_that_the_reporting_is_still_at_the_old_one(world, sign_in, employed):
    report_home(employed, branch=world.branch, by=None, on=DAY)
    answer = edited(sign_in(world.county_clerk), employed, "红旗村")
    assert answer.count(LEFT) == 2  # in the message, and in the card
    assert reported_to(employed).organisation == world.branch  # it does not end silently
    assert LEFT in sign_in(world.observer).get(f"/people/{employed.pk}/").text
    assert 'name="anew"' not in sign_in(world.observer).get(f"/people/{employed.pk}/").text


def test_a_home_in_the_same_village_says_nothing(world, sign_in, employed):
    report_home(employed, branch=world.branch, by=None, on=DAY)
    assert "但报到仍在" not in edited(sign_in(world.county_clerk), employed, "金穗社区")


def test_one_button_ends_it_there_and_reports_to_a_branch_of_the_new_home(world, sign_in, moved):
    page = sign_in(world.stranger)
    shown = page.get(f"/people/{moved.pk}/").text
    assert 'name="anew"' in shown
    assert f'value="{world.new_branch.pk}"' in shown
    page.post(f"/people/{moved.pk}/report/", {"branch": world.new_branch.pk, "anew": "1"})
    today = timezone.localdate()
    assert Membership.objects.get(kind="reported", organisation=world.branch).valid_to == today
    row = reported_to(moved)
    assert (row.organisation, row.valid_from) == (world.new_branch, today)
    assert "但报到仍在" not in page.get(f"/people/{moved.pk}/").text


def test_a_refusal_ends_nothing(world, sign_in, moved):
    page = sign_in(world.stranger)
    anew = {"branch": world.new_branch.pk, "anew": "1"}
    without = {"branch": world.new_branch.pk}
    for given in (anew | {"branch": world.branch.pk}, anew | {"on": "x"}, anew | {"on": "2999-01-01"}, without):
        assert page.post(f"/people/{moved.pk}/report/", given).status_code == 422
        assert reported_to(moved).organisation == world.branch


def test_where_the_new_home_has_no_branch_it_is_said_and_can_only_be_ended(world, sign_in, moved):
    world.new_branch.delete()
    page = sign_in(world.stranger)
    shown = page.get(f"/people/{moved.pk}/").text
    assert "云峰镇 · 红旗村没有可以报到的支部" in shown
    assert 'name="anew"' not in shown
    page.post(f"/people/{moved.pk}/report/end/")
    assert reported_to(moved) is None


def test_the_member_reads_it_too_and_reports_anew_with_their_own_account(world, sign_in, moved):
    Person.objects.filter(pk=moved.pk).update(user=world.member)
    page = sign_in(world.member)
    assert LEFT in page.get("/account/me/").text
    page.post("/account/me/report/", {"branch": world.new_branch.pk, "anew": "1"})
    assert reported_to(moved).organisation == world.new_branch
    assert LEFT not in page.get("/account/me/").text
