"""The resident judges: rating, its time, reopening; and what nobody said counts for nobody."""

import datetime as dt

import pytest
from django.utils import timezone

from weilu.matters import services
from weilu.matters.models import Matter
from weilu.matters.queries import public_board
from weilu.matters.tasks import tell_of_late
from weilu.records.models import Event, Notification
from weilu.records.moves import NotPossible


@pytest.fixture
def settled(world) -> Matter:
    matter = services.dispatch(world.matter(), to=world.department, by=world.county_clerk, version=1)
    return services.settle(matter, by=world.handler, version=2, outcome="换了灯泡")


def later(matter: Matter, **columns) -> Matter:
    """Move the stored times of ``matter`` back, as if the days had passed."""
    Matter.objects.filter(pk=matter.pk).update(
        **{name: getattr(matter, name) - dt.timedelta(days=days) for name, days in columns.items()}
    )
    return Matter.objects.get(pk=matter.pk)


def test_a_rating_is_kept_and_told_to_who_settled_it(world, settled):
    rated = services.rate(settled, rating=4, comment="还行")
    assert (rated.state, rated.rating, rated.rating_comment) == ("rated", 4, "还行")
    assert Notification.objects.get(kind="rated").user == world.handler


def test_it_is_rated_once(settled):
    services.rate(settled, rating=1)
    with pytest.raises(NotPossible):
        services.rate(settled, rating=5)
    assert Matter.objects.get(pk=settled.pk).rating == 1


def test_a_rating_after_its_time_is_refused_even_before_the_worker_ran(settled):
    matter = later(settled, rate_until=8)
    assert matter.state == "settled"
    with pytest.raises(NotPossible):
        services.rate(matter, rating=5)
    assert Matter.objects.get(pk=settled.pk).rating is None


def test_the_time_to_rate_is_the_one_promised_that_day(world, settled):
    world.jurisdiction.rate_days = 1
    world.jurisdiction.save()
    assert settled.rate_until - settled.settled_at == dt.timedelta(days=7)
    assert services.rate(later(settled, rate_until=3), rating=5).state == "rated"


def test_what_is_not_rated_in_time_is_not_rated_and_never_satisfied(settled):
    later(settled, rate_until=8)
    assert services.lapse_unrated() == 1
    matter = Matter.objects.get(pk=settled.pk)
    assert (matter.state, matter.rating) == ("unrated", None)
    assert Event.objects.filter(record_id=matter.pk, move="lapse", actor=None).count() == 1
    assert services.lapse_unrated() == 0


def test_public_figures_count_what_was_not_rated_as_not_rated(world):
    for rating in (5, 4, 3, None, None):
        matter = services.settle(world.matter(), by=world.clerk, version=1, outcome="好了")
        if rating:
            services.rate(matter, rating=rating)
        else:
            later(matter, rate_until=8)
    services.lapse_unrated()
    [figure] = public_board(Matter.objects.all().public(), "county__code", "county__short_name")
    assert (figure.settled, figure.rated, figure.satisfied) == (5, 3, 2)
    assert figure.satisfaction == pytest.approx(200 / 3)


def test_nothing_rated_is_no_share_at_all(world):
    services.settle(world.matter(), by=world.clerk, version=1, outcome="好了")
    [figure] = public_board(Matter.objects.all().public(), "county__code", "county__short_name")
    assert figure.satisfaction is None


@pytest.mark.parametrize("before", ["settled", "rated", "unrated"])
def test_it_is_reopened_once_from_each_end(world, settled, before):
    if before == "rated":
        services.rate(settled, rating=1)
    if before == "unrated":
        later(settled, rate_until=8)
        services.lapse_unrated()
    again = services.reopen(settled, note="还是不亮")
    assert again.state == "raised"
    assert (again.rating, again.settled_at, again.handler, again.published) == (None, None, None, False)
    assert again.due_at > timezone.now()
    assert Notification.objects.get(kind="reopened").user == world.handler
    again = services.settle(again, by=world.clerk, version=again.version, outcome="又换了")
    with pytest.raises(NotPossible):
        services.reopen(again, note="又坏了")
    assert services.rate(again, rating=2).state == "rated", "the second result is judged too"


def test_it_is_not_reopened_after_its_days(settled):
    with pytest.raises(NotPossible):
        services.reopen(later(settled, reopen_until=16), note="还是不亮")
    assert Matter.objects.get(pk=settled.pk).state == "settled"


def test_it_is_not_reopened_without_a_reason_or_while_open(world, settled):
    from weilu.records.moves import Incomplete

    with pytest.raises(Incomplete):
        services.reopen(settled, note=" ")
    with pytest.raises(NotPossible):
        services.reopen(world.matter(), note="还没办")


def test_a_reopened_matter_is_public_no_more(settled):
    services.reopen(settled, note="还是不亮")
    assert not Matter.objects.all().public().exists()


def make_late(matter: Matter) -> None:
    Matter.objects.filter(pk=matter.pk).update(due_at=timezone.now() - dt.timedelta(hours=1))


def test_a_late_matter_is_told_once_to_who_has_it(world):
    lying, handed = world.matter(), world.matter()
    services.dispatch(handed, to=world.department, by=world.county_clerk, version=1)
    taken = services.dispatch(world.matter(), to=world.branch, by=world.clerk, version=1)
    services.take(taken, by=world.member)
    for matter in (lying, handed, taken):
        make_late(matter)
    assert tell_of_late() == 3
    told = {(note.record_id, note.user.username) for note in Notification.objects.filter(kind="late")}
    assert told == {(lying.pk, "village_clerk"), (handed.pk, "handler"), (taken.pk, "member")}
    assert tell_of_late() == 0
    assert Notification.objects.filter(kind="late").count() == 3


def test_a_matter_that_waits_for_the_resident_is_not_late(world):
    matter = world.matter()
    make_late(matter)
    services.ask(matter, by=world.clerk, version=1, note="哪一盏？")
    assert tell_of_late() == 0


def test_a_matter_that_became_late_while_the_worker_stood_is_told_too(world):
    Matter.objects.filter(pk=world.matter().pk).update(due_at=timezone.now() - dt.timedelta(days=2))
    assert tell_of_late() == 1


def test_where_a_grid_has_no_worker_the_clerks_are_told(world):
    matter = services.dispatch(world.matter(at=world.grid), to=world.grid, by=world.clerk, version=1)
    world.grid_worker.grants.all().delete()
    make_late(matter)
    tell_of_late()
    assert Notification.objects.filter(kind="late").exists()
