"""A body founded on a day to come: seen with its day by those who manage it, by nobody else, and counted nowhere."""

import datetime as dt

import pytest
from django.utils import timezone

from weilu.orgs import tree
from weilu.orgs.bodies import make_body
from weilu.orgs.models import Organisation, User


@pytest.fixture
def later(world) -> Organisation:
    day = timezone.localdate() + dt.timedelta(days=9)
    return make_body(place=world.village, kind="branch", name="明日党支部", by=None, since=day)


def mark(body: Organisation) -> str:
    return f"自{body.valid_from:%Y-%m-%d}起成立"


def test_who_manages_it_sees_it_with_its_day_in_tree_lists_and_its_page(world, sign_in, later):
    client = sign_in(world.clerk)
    for address in (f"/tree/?open={world.village.code}", "/organisations/", f"/places/{world.village.code}/",
                    f"/organisations/{later.pk}/", f"/tree/?body={later.pk}"):  # fmt: skip
        page = client.get(address).content.decode()
        assert later.name in page, address
        assert mark(later) in page, address


def test_nobody_else_sees_it_listed(world, sign_in, later):
    client = sign_in(world.observer)
    for address in (f"/tree/?open={world.village.code}", "/organisations/", f"/places/{world.village.code}/"):
        assert later.name not in client.get(address).content.decode(), address
    assert later.name not in sign_in(world.stranger).get("/organisations/").content.decode()


def test_it_does_not_count_until_its_day(world, later):
    clerk = User.objects.get(pk=world.clerk.pk)
    counts = tree.counts_below(clerk, world.township)
    assert counts[world.village.code]["branch"] == 1  # the one that is there
    Organisation.objects.filter(pk=later.pk).update(valid_from=timezone.localdate())
    assert tree.counts_below(clerk, world.township)[world.village.code]["branch"] == 2


def test_the_list_has_twenty_bodies_a_page(world, sign_in):
    for number in range(25):
        make_body(place=world.village, kind="branch", name=f"支部{number:02}", by=None, since=dt.date(2020, 1, 1))
    page = sign_in(world.clerk).get("/organisations/?q=支部").content.decode()
    assert page.count('<a href="/organisations/') == 20
    assert 'rel="next"' in page
