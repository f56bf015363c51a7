"""Scope: what each role sees, by place, by organisation, by the days of a grant."""

import datetime as dt

import pytest
from django.utils import timezone

from weilu.matters import services
from weilu.matters.models import Matter
from weilu.orgs.models import Grant, User
from weilu.orgs.roles import Permission, Role


@pytest.fixture
def matters(world) -> dict[str, Matter]:
    """One at each place, and one in each kind of hands."""
    found = {
        "county": world.matter(at=world.county),
        "township": world.matter(at=world.township),
        "village": world.matter(at=world.village),
        "grid": world.matter(at=world.grid),
        "other": world.matter(at=world.other_village),
        "far": world.matter(at=world.far_village),
    }
    hand = services.dispatch
    found["department"] = hand(
        world.matter(at=world.other_village), to=world.department, by=world.county_clerk, version=1
    )
    found["order"] = hand(world.matter(), to=world.branch, by=world.clerk, version=1)
    found["taken"] = services.take(hand(world.matter(), to=world.branch, by=world.clerk, version=1), by=world.member)
    return found


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def seen(user: User, matters: dict[str, Matter]) -> set[str]:
    rows = set(Matter.objects.visible_to(fresh(user)).values_list("pk", flat=True))
    return {name for name, matter in matters.items() if matter.pk in rows}


HERE = {"township", "village", "grid", "order", "taken"}
ALL = HERE | {"county", "other", "department"}
SEES = {
    "clerk": HERE,
    "village_clerk": HERE - {"township"},
    "county_clerk": ALL,
    "observer": ALL,
    "administrator": ALL,
    "handler": {"department"},
    "member": {"order", "taken"},
    "second_member": {"order"},
    "grid_worker": {"grid"},
    "stranger": {"other", "department"},
    "far_clerk": {"far"},
}


def test_each_role_sees_its_own_and_nothing_else(world, matters):
    assert {name: seen(user, matters) for name, user in world.users.items()} == SEES


def test_no_row_is_seen_twice_by_who_has_several_grants(world, matters):
    Grant.objects.create(
        user=world.clerk, role=Role.VILLAGE_CLERK, place=world.village, jurisdiction=world.jurisdiction
    )
    rows = list(Matter.objects.visible_to(fresh(world.clerk)).values_list("pk", flat=True))
    assert len(rows) == len(set(rows)) == len(HERE)


def test_an_account_without_a_grant_sees_nothing_and_still_has_its_pages(world, matters, sign_in):
    world.clerk.grants.all().delete()
    assert seen(world.clerk, matters) == set()
    client = sign_in(world.clerk)
    assert client.get("/desk/").status_code == 200
    assert client.get("/account/").status_code == 200
    assert client.get("/messages/").status_code == 200
    assert client.get("/matters/").status_code == 403


@pytest.mark.parametrize(
    ("starts", "ends", "holds"),
    [(-10, None, True), (0, None, True), (1, None, False), (-10, 1, True), (-10, 0, False), (-10, -1, False)],
)
def test_a_grant_holds_from_its_first_day_until_the_day_before_its_last(world, matters, starts, ends, holds):
    today = timezone.localdate()
    day = lambda n: None if n is None else today + dt.timedelta(days=n)  # noqa: E731
    world.clerk.grants.update(valid_from=day(starts), valid_to=day(ends))
    assert seen(world.clerk, matters) == (HERE if holds else set())
    assert (Permission.TRIAGE in fresh(world.clerk).permissions) is holds


def test_a_grant_that_has_ended_acts_no_more(world):
    matter = world.matter()
    world.clerk.grants.update(valid_to=timezone.localdate())
    from weilu.records.moves import NotAllowed

    with pytest.raises(NotAllowed):
        services.decline(matter, by=fresh(world.clerk), version=1, note="不归我们")


def test_a_grant_of_the_city_sees_both_counties_and_acts_in_both(world, matters):
    city = world.county.parent
    user = world.observer
    user.grants.update(place=city, role=Role.COUNTY_CLERK)
    assert seen(user, matters) == ALL | {"far"}
    user = fresh(user)
    for name in ("village", "far"):
        assert services.decline(matters[name], by=user, version=1, note="重复").state == "declined"


def test_a_shut_account_is_out_at_once(world, sign_in):
    client = sign_in(world.clerk)
    assert client.get("/matters/").status_code == 200
    User.objects.filter(pk=world.clerk.pk).update(is_active=False)
    answer = client.get("/matters/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")


def test_a_shut_account_gets_no_messages(world):
    User.objects.filter(pk=world.member.pk).update(is_active=False)
    services.dispatch(world.matter(), to=world.branch, by=world.clerk, version=1)
    from weilu.records.models import Notification

    assert set(Notification.objects.filter(kind="ordered").values_list("user", flat=True)) == {world.second_member.pk}


def held(user: User, matters) -> set[str]:
    rows = set(Matter.objects.handled_by(fresh(user)).values_list("pk", flat=True))
    return {name for name, matter in matters.items() if matter.pk in rows}


def test_what_one_has_in_hand(world, matters):
    hand = services.dispatch
    matters["in_grid"] = hand(world.matter(at=world.village), to=world.grid, by=world.clerk, version=1)
    assert held(world.handler, matters) == {"department"}
    assert held(world.member, matters) == {"taken"}
    assert held(world.second_member, matters) == set()
    assert held(world.grid_worker, matters) == {"in_grid"}
    assert held(world.clerk, matters) == set()
    assert "in_grid" in seen(world.grid_worker, matters)


def test_orders_are_open_to_the_members_of_the_branch(world, matters):
    for name in world.users:
        rows = set(Matter.objects.orders_for(fresh(world.users[name])))
        assert rows == ({matters["order"]} if name in ("member", "second_member") else set()), name


def test_a_grid_worker_acts_on_what_was_handed_to_the_grid_only(world):
    from weilu.records.moves import NotAllowed

    lying_there = world.matter(at=world.grid)
    with pytest.raises(NotAllowed):
        services.settle(lying_there, by=world.grid_worker, version=1, outcome="好了")
    handed = services.dispatch(world.matter(at=world.grid), to=world.grid, by=world.clerk, version=1)
    assert services.settle(handed, by=world.grid_worker, version=2, outcome="好了").state == "settled"
