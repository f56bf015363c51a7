"""A figure opens into its rows: page by page, as far as the reader may see, at every level."""

import pytest
from django.utils import timezone

from weilu.indicators.catalogue import catalogue
from weilu.indicators.folding import fold
from weilu.indicators.live import narrowed, rows_of, seen_by
from weilu.indicators.opening import SHOWN, open_rows, sees_all
from weilu.indicators.reading import read, ways
from weilu.lib.period import Period
from weilu.matters import services
from weilu.matters.models import Matter
from weilu.orgs.models import Place, User
from weilu.orgs.roles import Role

YEAR = Period.of(str(timezone.localdate().year))


@pytest.fixture
def work(world):
    for place in (world.village, world.village, world.grid, world.other_village, world.far_village, world.county):
        matter = world.matter(at=place)
        if place != world.grid:
            services.settle(
                matter, by=world.county_clerk if place != world.far_village else world.far_clerk, version=1,
                outcome="好了", public_outcome="已修好。",
            )  # fmt: skip
    services.dispatch(world.matter(), to=world.department, by=world.county_clerk, version=1)
    return world


def observer_of(world, place):
    """Somebody who reads all of a city or province."""
    from weilu.orgs.models import Grant

    user = User.objects.create(username=f"observer-{place.code}", name="省级观察员")
    Grant.objects.create(user=user, role=Role.OBSERVER, place=place, jurisdiction=world.jurisdiction)
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize("code", list(catalogue()))
def test_for_every_role_the_rows_are_those_that_it_may_open(work, code):
    indicator = catalogue()[code]
    for name in ("county_clerk", "clerk", "handler", "member", "grid_worker", "observer", "administrator", "far_clerk"):
        user = User.objects.get(username=name)
        for place in (work.county.parent, work.county, work.township, work.village):
            rows = rows_of(indicator, place, YEAR)
            seen = set(seen_by(indicator, rows, user).values_list("pk", flat=True))
            opened = open_rows(indicator, place, YEAR, user)
            assert {row.pk for row in opened.rows} == seen, (name, place)
            assert opened.hidden == rows.count() - len(seen)
            if sees_all(indicator, place, user):
                assert len(seen) == rows.count()


@pytest.mark.parametrize("code", list(catalogue()))
def test_above_the_county_every_group_opens_into_its_rows(work, code):
    fold()
    work.matter(at=work.far_village)  # not folded yet
    indicator = catalogue()[code]
    province = work.county.parent.parent
    reader = observer_of(work, province)
    for place in (province, work.county.parent):
        for by in ("", *ways(indicator, place)):
            reading = read(indicator, place, YEAR, by)
            for part in reading.parts if by else [reading.whole]:
                key = part.key if by else ""
                opened = open_rows(indicator, place, YEAR, reader, by=by, key=key)
                rows = rows_of(indicator, place, YEAR)
                wanted = narrowed(indicator, rows, by, key) if by else rows
                assert opened.total == wanted.count() == part.rows
                seen = set(seen_by(indicator, wanted, reader).values_list("pk", flat=True))
                assert {row.pk for row in opened.rows} == seen


def test_pages_go_on_from_county_to_county_and_miss_none(work):
    fold()
    indicator = catalogue()["matters.raised"]
    reader = observer_of(work, work.county.parent)
    for place in (work.village, work.far_village):
        matter = work.matter(at=place)
        columns = {field.attname: getattr(matter, field.attname) for field in Matter._meta.concrete_fields}
        Matter.objects.bulk_create(
            Matter(**{**columns, "id": Matter().id, "number": f"{n}-{place.code}", "intake_key": f"{n}-{place.code}"})
            for n in range(70)
        )
    found = []
    for page in (1, 2):
        opened = open_rows(indicator, work.county.parent, YEAR, reader, page=page)
        found += [row.pk for row in opened.rows]
        assert opened.first == (page - 1) * SHOWN
    assert opened.total == len(found) == len(set(found)) == Matter.objects.count()
    assert opened.more == 0


def test_a_page_of_a_county_takes_as_many_queries_however_many_rows_there_are(work, django_assert_max_num_queries):
    user = User.objects.get(pk=work.county_clerk.pk)
    assert user.grants_now
    place = Place.objects.get(pk=work.county.pk)
    with django_assert_max_num_queries(2):
        open_rows(catalogue()["matters.raised"], place, YEAR, user)
