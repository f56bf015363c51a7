"""The clock of a record: it starts, stands while the resident must answer, goes on, and ends."""

import datetime as dt

import pytest
from django.utils import timezone

from weilu.matters import services
from weilu.matters.models import Category, Matter


def overdue(matter: Matter) -> Matter:
    Matter.objects.filter(pk=matter.pk).update(due_at=timezone.now() - dt.timedelta(days=3))
    return Matter.objects.get(pk=matter.pk)


def test_it_runs_for_the_working_days_of_the_category(world):
    matter = world.matter()
    assert matter.due_at == matter.hours.add(matter.created_at, 3 * matter.hours.day)
    assert matter.promised_at == matter.due_at


def test_it_stands_while_the_resident_is_asked_and_goes_on_with_what_was_left(world):
    matter = services.ask(world.matter(), by=world.clerk, version=1, note="哪一盏？")
    assert matter.due_at is None
    left = matter.clock_left
    assert dt.timedelta() < left <= 3 * matter.hours.day
    assert not matter.is_late
    matter = services.answer(matter, note="村口第一盏")
    assert matter.clock_left is None
    assert matter.state == "raised"
    answered = matter.event.at
    assert matter.hours.between(answered, matter.due_at) == left


def test_what_was_promised_first_stays(world):
    matter = world.matter()
    promised = matter.promised_at
    matter = services.ask(matter, by=world.clerk, version=1, note="哪一盏？")
    matter = services.answer(matter, note="第一盏")
    traffic = Category.objects.get(jurisdiction=world.jurisdiction, code="traffic")
    matter = services.dispatch(matter, to=world.office, by=world.clerk, version=matter.version, category=traffic)
    matter = services.settle(matter, by=world.clerk, version=matter.version, outcome="好了")
    matter = services.reopen(matter, note="又坏了")
    assert matter.promised_at == promised


def test_asking_about_a_late_matter_does_not_give_it_time(world):
    matter = services.ask(overdue(world.matter()), by=world.clerk, version=1, note="哪一盏？")
    assert matter.clock_left == dt.timedelta()
    matter = services.answer(matter, note="第一盏")
    assert matter.hours.between(matter.event.at, matter.due_at) == dt.timedelta()


def test_it_ends_when_the_matter_is_settled_declined_or_merged(world):
    settled = services.settle(world.matter(), by=world.clerk, version=1, outcome="好了")
    declined = services.decline(world.matter(), by=world.clerk, version=1, note="不归我们")
    merged = services.merge(world.matter(), into=world.matter(), by=world.clerk, version=1)
    assert [matter.due_at for matter in (settled, declined, merged)] == [None] * 3


def test_a_matter_settled_after_its_limit_is_marked_late(world):
    assert services.settle(overdue(world.matter()), by=world.clerk, version=1, outcome="好了").settled_late
    assert not services.settle(world.matter(), by=world.clerk, version=1, outcome="好了").settled_late


def test_another_category_runs_from_the_receipt(world):
    matter = world.matter()
    traffic = Category.objects.get(jurisdiction=world.jurisdiction, code="traffic")
    done = services.dispatch(matter, to=world.office, by=world.clerk, version=1, category=traffic)
    assert done.due_at == matter.hours.add(matter.created_at, traffic.days * matter.hours.day)


def test_another_category_of_a_reopened_matter_runs_from_the_reopening(world):
    matter = services.settle(world.matter(), by=world.clerk, version=1, outcome="好了")
    Matter.objects.filter(pk=matter.pk).update(created_at=timezone.now() - dt.timedelta(days=40))
    matter = services.reopen(Matter.objects.get(pk=matter.pk), note="又坏了")
    traffic = Category.objects.get(jurisdiction=world.jurisdiction, code="traffic")
    done = services.dispatch(matter, to=world.office, by=world.clerk, version=matter.version, category=traffic)
    assert done.hours.between(timezone.now(), done.due_at) > 4 * done.hours.day


def test_another_category_after_an_answer_keeps_the_time_that_was_waited(world):
    matter = services.ask(world.matter(), by=world.clerk, version=1, note="哪一盏？")
    Matter.objects.filter(pk=matter.pk).update(created_at=timezone.now() - dt.timedelta(days=40))
    matter = services.answer(Matter.objects.get(pk=matter.pk), note="第一盏")
    assert not matter.is_late
    traffic = Category.objects.get(jurisdiction=world.jurisdiction, code="traffic")
    done = services.dispatch(matter, to=world.office, by=world.clerk, version=matter.version, category=traffic)
    assert done.due_at >= matter.due_at


@pytest.mark.parametrize("code", ["urban_rural", "public_works"])
def test_it_never_ends_outside_working_hours(world, code):
    category = Category.objects.get(jurisdiction=world.jurisdiction, code=code)
    due = timezone.localtime(world.matter(category=category).due_at)
    assert dt.time(9) <= due.time() <= dt.time(17)
